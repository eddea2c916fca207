"""Metrics of point forecasts, by name: each a pure expression over forecasts. Tests and averages belong elsewhere."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

import polars as pl

from golden_core.evaluation.inputs import TRIAL, prepare
from golden_core.evaluation.strata import STRATA, with_strata
from golden_core.store.schema import METRICS as METRICS_TABLE


@dataclass(frozen=True, eq=False)
class Metric:
    """A number computed from forecasts alone, one per group of prepared forecasts."""

    label: str
    unit: str
    direction: Literal["lower", "higher"]  # which is better
    value: pl.Expr  # where the definition divides by zero it is undefined, and the table holds null
    reference: str  # the source of the definition
    entered: pl.Expr = field(default_factory=pl.len)  # how many forecasts entered
    across_pairs: frozenset[str] = frozenset({"macro", "micro"})  # how pairs combine; price units do not
    magnitude: float = 0.0  # against which rounding is judged: 1 for 1 minus a ratio, whose rounding is the ratio's


_ERROR = pl.col("y_pred") - pl.col("y_true")
_PRICE_ERROR = pl.col("pred_close") - pl.col("true_close")
_BENCHMARK_ERROR = pl.col("benchmark_error")
_CLOSE = pl.col("true_close")
_SIGNED = (pl.col("y_pred") != 0) & (pl.col("y_true") != 0)

_DEFINED = "Hyndman & Koehler (2006), section 2.1"
_PRICES = "quote per base"

METRICS: dict[str, Metric] = {
    "mae": Metric("MAE", "log return", "lower", _ERROR.abs().mean(), _DEFINED),
    "rmse": Metric("RMSE", "log return", "lower", _ERROR.pow(2).mean().sqrt(), _DEFINED),
    "mae_price": Metric(
        "MAE of prices", _PRICES, "lower", _PRICE_ERROR.abs().mean(), _DEFINED, across_pairs=frozenset()
    ),
    "rmse_price": Metric(
        "RMSE of prices", _PRICES, "lower", _PRICE_ERROR.pow(2).mean().sqrt(), _DEFINED, across_pairs=frozenset()
    ),
    "r2_levels": Metric(
        "R² of price levels (for comparison with the literature)",
        "1",
        "higher",
        # Two passes: the sum of squares of closes near 1 would cancel. Equal closes have a variance of rounding only.
        pl.when(_CLOSE.min() < _CLOSE.max()).then(
            1 - _PRICE_ERROR.pow(2).sum() / (_CLOSE - _CLOSE.mean()).pow(2).sum()
        ),
        "1 − SSE/SST of closes; near 1 for a random walk, so no evidence of skill",
        across_pairs=frozenset({"macro"}),
        magnitude=1.0,
    ),
    "r2_oos": Metric(
        "Out-of-sample R² against the random walk",
        "1",
        "higher",
        # 1 − SSE/SSE₀ as one sum, which is exactly 0 for the benchmark itself.
        pl.when(_BENCHMARK_ERROR.null_count() == 0).then(
            (_BENCHMARK_ERROR.pow(2) - _ERROR.pow(2)).sum() / _BENCHMARK_ERROR.pow(2).sum()
        ),
        "Campbell & Thompson (2008), the random walk in place of the historical mean",
        magnitude=1.0,
    ),
    "mase": Metric(
        "MASE",
        "1",
        "lower",
        (_ERROR.abs() / pl.col("scale")).mean(),
        "Hyndman & Koehler (2006), section 3, scaled by the no-change error of the training rows",
    ),
    "directional_accuracy": Metric(
        "Directional accuracy",
        "share",
        "higher",
        (pl.col("y_pred").sign() == pl.col("y_true").sign()).filter(_SIGNED).mean(),
        "share of equal signs where neither the forecast nor the truth is zero",
        entered=_SIGNED.sum(),
    ),
}


def metrics_table(forecasts: pl.DataFrame, strata: Iterable[str]) -> pl.DataFrame:
    """Compute every metric of every trial, over all its forecasts and within each stratum.

    Returns
    -------
    schema.METRICS
        Sorted by key; bit-identical for equal forecasts in any order. ``r2_oos`` is null where the random walk does
        not cover every cutoff.

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
