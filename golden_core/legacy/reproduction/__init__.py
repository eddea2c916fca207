"""The historical record, held against runs of today: which window, which errors, and what speaks for a deviation."""

from golden_core.legacy.reproduction.alignment import ALIGNMENT
from golden_core.legacy.reproduction.pages import record_files, store_validation, what_follows
from golden_core.legacy.reproduction.published import RecordError
from golden_core.legacy.reproduction.running import Plan, Request, Validation, carry_out
from golden_core.legacy.reproduction.runs import rows_unlike_the_random_walk
from golden_core.legacy.reproduction.window import published_window

__all__ = [
    "ALIGNMENT",
    "Plan",
    "RecordError",
    "Request",
    "Validation",
    "carry_out",
    "published_window",
    "record_files",
    "rows_unlike_the_random_walk",
    "store_validation",
    "what_follows",
]
