"""Evaluation: from the table of forecasts to metrics, their spread over seeds and tests. Nothing is fitted here."""

from typing import TYPE_CHECKING

from golden_core.store.lazy import lazily

if TYPE_CHECKING:
    from golden_core.evaluation.aggregate import summary_table
    from golden_core.evaluation.comparisons import MissingBenchmarkError, comparisons_table
    from golden_core.evaluation.inputs import BENCHMARK
    from golden_core.evaluation.point import METRICS, Metric, metrics_table
    from golden_core.evaluation.sql import METRICS_SQL, metric_differences
    from golden_core.evaluation.strata import STRATA, Stratum

__all__ = [
    "BENCHMARK",
    "METRICS",
    "METRICS_SQL",
    "STRATA",
    "Metric",
    "MissingBenchmarkError",
    "Stratum",
    "comparisons_table",
    "metric_differences",
    "metrics_table",
    "summary_table",
]

__getattr__ = lazily(__name__, __all__, ("inputs", "strata", "sql", "point", "aggregate", "comparisons"))
