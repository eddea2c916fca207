"""Forecasts made to order: what a test does not care about is filled in."""

import datetime

import polars as pl

from golden_core.store.schema import FORECASTS

_UNTOLD = {"study": "made", "pair": "EURUSD", "horizon": 1, "seed": 0, "fold": 0, "crosses_closure": False}
_UNTOLD |= dict.fromkeys(("last_close", "true_close", "pred_close", "scale", "volatility"), 1.0)


def filled(frame, **facts):
    """Return rows of forecasts from some columns and what holds for all rows: of the next day, at a price of one."""
    facts = {name: value for name, value in (_UNTOLD | facts).items() if name not in frame.columns}
    told = {name: value if isinstance(value, pl.Expr) else pl.lit(value) for name, value in facts.items()}
    if "target_at" not in {*frame.columns, *told}:
        told["target_at"] = told.get("cutoff", pl.col("cutoff")) + datetime.timedelta(days=1)
    return frame.with_columns(**told).select(pl.col(name).cast(kind) for name, kind in FORECASTS.dtypes.items())
