"""The report of a study: tables, figures and one page, from queries of the warehouse alone. No science belongs here."""

from golden_core.reporting.coverage import RandomWalkMissingError
from golden_core.reporting.judged import Judged
from golden_core.reporting.pages import Report, report_differences, write_report
from golden_core.reporting.tables import leaderboard, series_table

__all__ = [
    "Judged",
    "RandomWalkMissingError",
    "Report",
    "leaderboard",
    "report_differences",
    "series_table",
    "write_report",
]
