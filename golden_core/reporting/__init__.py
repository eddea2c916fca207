"""The report of a study: tables, figures and one page, from queries of the warehouse alone. No science belongs here."""

import importlib
from typing import TYPE_CHECKING, Any

from golden_core.reporting.coverage import RandomWalkMissingError
from golden_core.reporting.judged import Judged
from golden_core.reporting.tables import leaderboard, series_table

if TYPE_CHECKING:
    from golden_core.reporting.pages import Report, report_differences, write_report
    from golden_core.reporting.verification import Difference, UnreadableReportError, verify_report

_VERIFICATION = ("Difference", "UnreadableReportError", "verify_report")

__all__ = [
    "Difference",
    "Judged",
    "RandomWalkMissingError",
    "Report",
    "UnreadableReportError",
    "leaderboard",
    "report_differences",
    "series_table",
    "verify_report",
    "write_report",
]


def __getattr__(name: str) -> Any:
    """Load what draws when it is asked for: the leaderboard needs no matplotlib."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = "verification" if name in _VERIFICATION else "pages"
    return getattr(importlib.import_module(f"golden_core.reporting.{home}"), name)
