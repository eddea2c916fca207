"""Every forecaster of a study as a strategy: its forecasts traded, seed by seed. What it is worth stands elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl

from golden_core.economics.costs import Quotes, quotes
from golden_core.economics.ledger import Account, account
from golden_core.economics.positions import signals
from golden_core.statistics.long_run import FloatArray
from golden_core.study import EconomicsSection

IDLE = "never in the market: no forecast passes the study's rule"
UNEVEN = "not the same cutoffs as the other forecasters of the series"


@dataclass(frozen=True, eq=False)
class Strategy:
    """A forecaster's account on a series, with a row per seed, and the same with every fill one bar later."""

    forecaster: str
    pair: str
    horizon: int
    quotes: Quotes
    account: Account
    delayed: Account
    reason: str  # why there is nothing to judge, or ""

    @property
    def returns(self) -> FloatArray:
        """Return the net returns (T,) of a capital that the seeds share evenly."""
        net: FloatArray = self.account.net.mean(axis=0)
        return net


def strategies(forecasts: pl.DataFrame, bars: pl.DataFrame, section: EconomicsSection) -> Iterator[Strategy]:
    """Trade every forecaster of a study on every series, by pair, horizon and forecaster.

    ``forecasts`` (``schema.FORECASTS``) are of the whole study; a cutoff at which a seed has none asks for no position.
    ``bars`` are the clean ones (``schema.BARS``) of all pairs. Strategies of a series have the same times.
    """
    ordered = forecasts.sort("pair", "horizon", "forecaster", "seed", "cutoff")
    offered = {pair: quotes(bars.filter(pair=pair), pair, section) for pair in ordered["pair"].unique()}
    for (pair, horizon), part in ordered.partition_by("pair", "horizon", as_dict=True, maintain_order=True).items():
        at = part.select("cutoff", "volatility").unique("cutoff", keep="first").sort("cutoff")
        volatility, fills = at["volatility"].to_numpy(), offered[pair].fills(at["cutoff"])
        for (forecaster,), own in part.partition_by("forecaster", as_dict=True, maintain_order=True).items():
            wide = at.join(own.pivot("seed", index="cutoff", values="y_pred"), on="cutoff", how="left").sort("cutoff")
            forecast = wide.drop("cutoff", "volatility").to_numpy().T.astype(float)
            wanted = signals(forecast, volatility, horizon, section)
            kept, delayed = (account(wanted, fills, offered[pair], horizon, delay=delay) for delay in (0, 1))
            reason = UNEVEN if np.isnan(forecast).any() else ("" if kept.traded.any() else IDLE)
            yield Strategy(forecaster, pair, horizon, offered[pair], kept, delayed, reason)
