"""The historical record, held against runs of today: which window, which errors, and what speaks for a deviation."""

from golden_core.legacy.reproduction.alignment import ALIGNMENT, Alignment, align
from golden_core.legacy.reproduction.experiments import Category, Experiment
from golden_core.legacy.reproduction.pages import alignment_markdown, record_files, store_validation, what_follows
from golden_core.legacy.reproduction.published import Record, RecordError, read_record
from golden_core.legacy.reproduction.request import Plan, Request, carry_out
from golden_core.legacy.reproduction.running import Run, Validation, run_experiment, run_legacy
from golden_core.legacy.reproduction.runs import rows_unlike_the_random_walk
from golden_core.legacy.reproduction.window import Window, published_window

__all__ = [
    "ALIGNMENT",
    "Alignment",
    "Category",
    "Experiment",
    "Plan",
    "Record",
    "RecordError",
    "Request",
    "Run",
    "Validation",
    "Window",
    "align",
    "alignment_markdown",
    "carry_out",
    "published_window",
    "read_record",
    "record_files",
    "rows_unlike_the_random_walk",
    "run_experiment",
    "run_legacy",
    "store_validation",
    "what_follows",
]
