"""Tests and intervals on plain arrays of losses and values, one file per family. No tables and no studies here."""

from golden_core.statistics.diebold_mariano import TestResult, diebold_mariano, harvey_leybourne_newbold
from golden_core.statistics.intervals import bootstrap_interval, t_interval
from golden_core.statistics.multiplicity import holm

__all__ = [
    "TestResult",
    "bootstrap_interval",
    "diebold_mariano",
    "harvey_leybourne_newbold",
    "holm",
    "t_interval",
]
