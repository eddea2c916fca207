"""The audit of published error tables: identities that no rounding breaks. Nothing here is about one paper."""

from golden_core.legacy.audit.auditing import Audit, audit_record, audit_table
from golden_core.legacy.audit.claims import Claim, Ruling, read_claims
from golden_core.legacy.audit.findings import Finding, Reading, RowSet
from golden_core.legacy.audit.grid import TableError
from golden_core.legacy.audit.intervals import Interval
from golden_core.legacy.audit.splits import Explanation, SplitHypothesis, SplitPart, count_targets
from golden_core.legacy.audit.table import named_columns

__all__ = [
    "Audit",
    "Claim",
    "Explanation",
    "Finding",
    "Interval",
    "Reading",
    "RowSet",
    "Ruling",
    "SplitHypothesis",
    "SplitPart",
    "TableError",
    "audit_record",
    "audit_table",
    "count_targets",
    "named_columns",
    "read_claims",
]
