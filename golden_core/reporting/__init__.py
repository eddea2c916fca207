"""The report of a study: tables, figures and one page, from queries of the warehouse alone. No science belongs here."""

from typing import TYPE_CHECKING

from golden_core.reporting.coverage import RandomWalkMissingError
from golden_core.reporting.judged import Judged
from golden_core.reporting.tables import leaderboard, series_table
from golden_core.store.lazy import lazily

if TYPE_CHECKING:
    from golden_core.reporting.pages import Report, figures_apart, report_differences, write_report
    from golden_core.reporting.verification import Difference, UnreadableReportError, verify_report

__all__ = [
    "Difference",
    "Judged",
    "RandomWalkMissingError",
    "Report",
    "UnreadableReportError",
    "figures_apart",
    "leaderboard",
    "report_differences",
    "series_table",
    "verify_report",
    "write_report",
]

__getattr__ = lazily(__name__, __all__, ("pages", "verification"))
