"""The audit of published error tables: identities that no rounding breaks. Nothing here is about one paper."""

from golden_core.legacy.audit.auditing import Audit, audit_table
from golden_core.legacy.audit.claims import Claim, read_claims
from golden_core.legacy.audit.findings import Finding, Reading, RowSet
from golden_core.legacy.audit.intervals import Interval
from golden_core.legacy.audit.layout import named_columns
from golden_core.legacy.audit.markdown import audit_markdown
from golden_core.legacy.audit.record import audit_record
from golden_core.legacy.audit.records import TableError
from golden_core.legacy.audit.rulings import Ruling
from golden_core.legacy.audit.splits import Explanation, SplitHypothesis, SplitPart, count_targets

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
    "audit_markdown",
    "audit_record",
    "audit_table",
    "count_targets",
    "named_columns",
    "read_claims",
]
