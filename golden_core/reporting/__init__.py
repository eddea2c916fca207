"""The report of a study: tables, figures and one page, from queries of the warehouse alone. No science belongs here."""

import importlib
from typing import TYPE_CHECKING, Any

from golden_core.reporting.coverage import RandomWalkMissingError
from golden_core.reporting.judged import Judged
from golden_core.reporting.tables import leaderboard, series_table

if TYPE_CHECKING:
    from golden_core.reporting.pages import Report, report_differences, write_report

__all__ = [
    "Judged",
    "RandomWalkMissingError",
    "Report",
    "leaderboard",
    "report_differences",
    "series_table",
    "write_report",
]


def __getattr__(name: str) -> Any:
    """Load what draws when it is asked for: the leaderboard needs no matplotlib."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module("golden_core.reporting.pages"), name)
