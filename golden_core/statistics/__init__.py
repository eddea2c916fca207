"""Tests and intervals on plain arrays of losses and values, one file per family. No tables and no studies here."""

from golden_core.statistics.diebold_mariano import TestResult, diebold_mariano, harvey_leybourne_newbold
from golden_core.statistics.intervals import bootstrap_interval, t_interval
from golden_core.statistics.long_run import LongRun, equivalence, long_run, minimum_detectable
from golden_core.statistics.multiplicity import benjamini_hochberg, holm

__all__ = [
    "LongRun",
    "TestResult",
    "benjamini_hochberg",
    "bootstrap_interval",
    "diebold_mariano",
    "equivalence",
    "harvey_leybourne_newbold",
    "holm",
    "long_run",
    "minimum_detectable",
    "t_interval",
]
