"""Source `synthetic_hours`: seeded bars of a market with hours and a season of the day, whose truth is known."""

from __future__ import annotations

import math
from itertools import accumulate
from pathlib import Path
from typing import ClassVar

import numpy as np
import polars as pl
from pydantic import BaseModel, Field

from golden_core.market.clock import bar_close, expected_opens
from golden_core.sources.base import Source, SourceError, parse_settings
from golden_core.sources.synthetic import GarchSettings, simulate
from golden_core.store.randomness import Stream
from golden_core.store.schema import BARS
from golden_core.study import DataSection


class HoursSettings(GarchSettings):
    """GARCH(1,1) volatility times a season of the day; with ``r2`` of 0 no forecast of the return beats zero."""

    season: tuple[float, ...] = Field(
        min_length=24, max_length=24, description="volatility of each hour (UTC) beside that of the others"
    )
    r2: float = Field(ge=0, lt=1, description="population R² of the best one-bar forecast: AR(1) returns")


class SyntheticHours(Source):
    """Bars of every hour, or four, in which the market is open: one independent series per pair."""

    Settings: ClassVar[type[BaseModel]] = HoursSettings
    made_up = True

    def read(self, data: DataSection, root_seed: int, home: Path) -> pl.DataFrame:  # noqa: ARG002
        """Return bars (``schema.BARS``); a later ``data.end`` leaves the earlier bars as they were."""
        if data.time_zone != "UTC":
            raise SourceError(f"data.time_zone must be UTC for source synthetic_hours, got {data.time_zone}")
        opens = expected_opens(data.start, data.end, data.bar).filter(pl.col("closure").is_null())["timestamp"]
        if opens.is_empty():
            raise SourceError(f"the market is closed from {data.start} to {data.end}")
        settings, stream = parse_settings(HoursSettings, data), Stream(root_seed).child("synthetic_hours")
        return pl.concat([_bars(settings, opens, data.bar, pair, stream.child(pair)) for pair in data.pairs])

    def bars(self, raw: pl.DataFrame, data: DataSection, pair: str) -> pl.DataFrame:  # noqa: ARG002
        """Return the bars of one pair."""
        return raw.filter(pl.col("pair") == pair)

    def describe(self, data: DataSection, home: Path) -> dict[str, str]:  # noqa: ARG002
        """Return the settings."""
        told = {name: str(value) for name, value in parse_settings(HoursSettings, data).model_dump().items()}
        days = {"first_day": str(data.start), "last_day": str(data.end)}
        return {"source": "synthetic_hours", **days, "licence": "none needed: generated", **told}


def _bars(settings: HoursSettings, opens: pl.Series, bar: str, pair: str, stream: Stream) -> pl.DataFrame:
    season = np.array(settings.season)
    factor = (season / np.sqrt(np.square(season).mean()))[opens.dt.hour().to_numpy()]
    shocks = simulate(settings, len(opens), stream) * factor
    phi, rest = math.sqrt(settings.r2), math.sqrt(1 - settings.r2)
    returns = np.fromiter(accumulate((rest * shocks).tolist(), lambda last, shock: phi * last + shock), dtype=float)
    path = np.log(settings.initial_price) + np.concatenate([[0.0], np.cumsum(returns)])
    first, last = path[:-1], path[1:]
    # How far a Brownian path between two ends gets beyond them: each extreme has its own law, and a draw of its own.
    spread = settings.volatility * factor
    u = 1 - stream.child("extremes").generator().random((len(opens), 2)).T
    beyond = (np.sqrt(np.square(last - first) - 2 * np.square(spread) * np.log(u)) - np.abs(last - first)) / 2
    frame = pl.DataFrame({"timestamp": opens, "open": np.exp(first), "close": np.exp(last)}).with_columns(
        pair=pl.lit(pair),
        available_at=bar_close(pl.col("timestamp"), bar),
        high=pl.Series(np.exp(np.maximum(first, last) + beyond[0])),
        low=pl.Series(np.exp(np.minimum(first, last) - beyond[1])),
    )
    return BARS.conform(frame)
