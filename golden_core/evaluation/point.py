"""Metrics of point forecasts, by name: each a pure expression over forecasts. Tests and averages belong elsewhere."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import polars as pl

from golden_core.evaluation.inputs import TRIAL, prepare
from golden_core.evaluation.strata import STRATA, with_strata
from golden_core.store.schema import METRICS as METRICS_TABLE


@dataclass(frozen=True, eq=False)
class Metric:
    """A number computed from forecasts alone, one per group of prepared forecasts."""

    value: pl.Expr  # where the definition divides by zero it is undefined, and the table holds null
    entered: pl.Expr = field(default_factory=pl.len)  # how many forecasts entered
    across_pairs: frozenset[str] = frozenset({"macro", "micro"})  # how pairs combine; price units do not
    magnitude: float = 0.0  # against which rounding is judged: 1 for 1 minus a ratio, whose rounding is the ratio's


_ERROR = pl.col("y_pred") - pl.col("y_true")
_PRICE_ERROR = pl.col("pred_close") - pl.col("true_close")
_BENCHMARK_ERROR = pl.col("benchmark_error")
_CLOSE = pl.col("true_close")
_SIGNED = (pl.col("y_pred") != 0) & (pl.col("y_true") != 0)

METRICS: dict[str, Metric] = {
    # Hyndman & Koehler (2006), section 2.1: of log returns, and of prices, whose units differ between pairs.
    "mae": Metric(_ERROR.abs().mean()),
    "rmse": Metric(_ERROR.pow(2).mean().sqrt()),
    "mae_price": Metric(_PRICE_ERROR.abs().mean(), across_pairs=frozenset()),
    "rmse_price": Metric(_PRICE_ERROR.pow(2).mean().sqrt(), across_pairs=frozenset()),
    # 1 − SSE/SST of closes, for comparison with the literature; near 1 for a random walk, so no evidence of skill.
    "r2_levels": Metric(
        # Two passes: the sum of squares of closes near 1 would cancel. Equal closes have a variance of rounding only.
        pl.when(_CLOSE.min() < _CLOSE.max()).then(
            1 - _PRICE_ERROR.pow(2).sum() / (_CLOSE - _CLOSE.mean()).pow(2).sum()
        ),
        across_pairs=frozenset({"macro"}),
        magnitude=1.0,
    ),
    # Campbell & Thompson (2008), the random walk in place of the historical mean.
    "r2_oos": Metric(
        # 1 − SSE/SSE₀ as one sum, which is exactly 0 for the benchmark itself.
        pl.when(_BENCHMARK_ERROR.null_count() == 0).then(
            (_BENCHMARK_ERROR.pow(2) - _ERROR.pow(2)).sum() / _BENCHMARK_ERROR.pow(2).sum()
        ),
        magnitude=1.0,
    ),
    # Hyndman & Koehler (2006), section 3, scaled by the no-change error of the training rows.
    "mase": Metric((_ERROR.abs() / pl.col("scale")).mean()),
    # The share of equal signs where neither the forecast nor the truth is zero.
    "directional_accuracy": Metric(
        (pl.col("y_pred").sign() == pl.col("y_true").sign()).filter(_SIGNED).mean(), entered=_SIGNED.sum()
    ),
}


def metrics_table(forecasts: pl.DataFrame, strata: Iterable[str]) -> pl.DataFrame:
    """Compute every metric of every trial, over all its forecasts and within each stratum.

    ``schema.METRICS``, sorted by key; bit-identical for equal forecasts in any order. ``r2_oos`` is null where the
    random walk does not cover every cutoff.

    Raises
    ------
    SchemaError, ValueError
        As :func:`~golden_core.evaluation.inputs.prepare` and :func:`~golden_core.evaluation.strata.with_strata`.
    """
    kinds = ["all", *(kind for kind in STRATA if kind in set(strata) - {"all"})]
    prepared = with_strata(prepare(forecasts), kinds)
    tables = [
        evaluate(prepared, [*TRIAL, kind]).rename({kind: "stratum"}).with_columns(stratum_kind=pl.lit(kind))
        for kind in kinds
    ]
    return METRICS_TABLE.conform(pl.concat(tables, how="diagonal")).sort(METRICS_TABLE.key)


def evaluate(prepared: pl.DataFrame, by: list[str]) -> pl.DataFrame:
    """Return ``by, metric, value, n`` of each group of prepared forecasts; the value is null where undefined."""
    results = {
        name: pl.struct(value=pl.when(metric.value.is_finite()).then(metric.value), n=metric.entered.cast(pl.Int64))
        for name, metric in METRICS.items()
    }
    wide = prepared.group_by(by, maintain_order=True).agg(**results)
    return wide.unpivot(on=list(METRICS), index=by, variable_name="metric", value_name="result").unnest("result")
