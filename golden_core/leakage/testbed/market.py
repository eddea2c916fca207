"""The random settings of a testbed, and synthetic raw bars of three related pairs with the dirt of real files.

No forecast of the mean beats these prices. Nothing is cleaned here, and nothing here knows of a leak.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.signal import lfilter

from golden_core.store.randomness import Stream


@dataclass(frozen=True)
class Plan:
    """What one testbed does, apart from how: lengths in bars, counts, and grids to choose from."""

    weeks: int  # of raw bars
    horizons: tuple[int, ...]  # bars looked ahead
    train: int  # rows of each part of a fold, before the purge
    validation: int
    test: int
    embargo: int  # extra gap behind the last label of a part
    lags: int  # rows of a window in the long variant; the short one has one row
    penalties: tuple[float, ...]  # of the ridge per training row, from weak to strong: the path that stopping walks
    members: int  # seeds, each a random half of the training rows
    kept: int  # features that selection keeps
    components: int  # principal components; 0 leaves the features as they are
    tail: float  # share of training rows that is winsorised at each end
    slow: int  # hours of a slow bar
    level: float  # coverage of the calibrated interval


def draw_plan(stream: Stream) -> Plan:
    """Return a random plan: what holds for every testbed must not hang on one set of lengths."""
    draw = stream.child("plan").generator()
    return Plan(
        weeks=6,
        horizons=(1, int(draw.integers(2, 6))),
        train=int(draw.integers(200, 240)),
        validation=int(draw.integers(70, 90)),
        test=int(draw.integers(130, 145)),
        embargo=int(draw.integers(1, 6)),
        lags=int(draw.integers(2, 4)),
        penalties=(0.01, 0.1, 1.0, 10.0),
        members=2,
        kept=int(draw.integers(5, 8)),
        components=int(draw.choice([0, 3, 4])),
        tail=float(draw.choice([0.01, 0.02, 0.05])),
        slow=int(draw.choice([3, 4, 6])),
        level=0.8,
    )


FloatArray = npt.NDArray[np.float64]

HOURLY = ("EURUSD", "GBPUSD")
DAILY = "USDCHF"
PAIRS = (*HOURLY, DAILY)
ZONE = "America/New_York"
FIRST_DAY = dt.date(2024, 2, 18)  # a Sunday; the clocks of New York change three weeks later
_PRICES = {"EURUSD": 1.08, "GBPUSD": 1.27, "USDCHF": 0.88}
_LOADINGS = {"EURUSD": 0.8, "GBPUSD": 0.7, "USDCHF": -0.8}
_VOLATILITY = 0.001
_TICKS = 12  # steps of the path within a bar


def raw_bars(plan: Plan, stream: Stream) -> pl.DataFrame:
    """Return raw bars (``schema.BARS``, not cleaned) of all pairs, in the order of pair and time.

    The hourly log returns are a common shock and an own one, Student-t with stochastic volatility and independent
    of everything before: a martingale. Then come faults: bars without a price, spikes, flat bars in quiet hours,
    missing bars, and second prints of a bar that the vendor revised hours later.
    The bars of ``HOURLY`` follow the trading week of New York, those of ``DAILY`` end at 17:00 there.
    """
    opens = _hours(plan.weeks)
    draw = stream.child("market").generator()
    shape = (len(opens), _TICKS)
    volatility = _VOLATILITY / np.sqrt(_TICKS) * np.exp(lfilter([0.15], [1, -0.95], draw.standard_normal(len(opens))))
    common = draw.standard_t(6, shape) / np.sqrt(1.5)
    frames = []
    for pair in PAIRS:
        own = draw.standard_t(6, shape) / np.sqrt(1.5)
        loading = _LOADINGS[pair]
        steps = (loading * common + np.sqrt(1 - loading**2) * own) * volatility[:, None]
        path = np.log(_PRICES[pair]) + np.cumsum(steps.ravel()).reshape(shape)
        bars = _bars(pair, opens, path, draw)
        frames.append(_daily(bars) if pair == DAILY else _soil(bars, draw))
    return pl.concat(frames)


def _hours(weeks: int) -> pl.Series:
    """Return the opens of the trading week: Sunday 17:00 to Friday 17:00 in New York, as UTC."""
    last = FIRST_DAY + dt.timedelta(days=7 * weeks)
    hours = pl.datetime_range(FIRST_DAY, last, "1h", time_unit="us", time_zone="UTC", eager=True)
    local = hours.dt.convert_time_zone(ZONE)
    minute = (local.dt.weekday() % 7).cast(pl.Int32) * 24 + local.dt.hour()  # hours since Sunday 00:00
    return hours.filter((minute >= 17) & (minute < 5 * 24 + 17))


def _bars(pair: str, opens: pl.Series, path: FloatArray, draw: np.random.Generator) -> pl.DataFrame:
    first = np.concatenate([path[:1, 0], path[:-1, -1]])
    full = np.column_stack([first, path])
    moved = np.abs(full[:, -1] - full[:, 0]) / _VOLATILITY
    return pl.DataFrame(
        {
            "pair": pl.repeat(pair, len(opens), eager=True),
            "timestamp": opens,
            "available_at": opens.dt.offset_by("1h"),
            "open": np.exp(first),
            "high": np.exp(full.max(axis=1)),
            "low": np.exp(full.min(axis=1)),
            "close": np.exp(full[:, -1]),
            "volume": np.round(1000 * np.exp(0.3 * moved + 0.4 * draw.standard_normal(len(opens)))),
        }
    )


def _daily(bars: pl.DataFrame) -> pl.DataFrame:
    """Gather hourly bars into days that end at 17:00 New York."""
    day = (pl.col("timestamp").dt.convert_time_zone(ZONE) + pl.duration(hours=7)).dt.date()
    return (
        bars.group_by(day.alias("day"), maintain_order=True)
        .agg(
            pl.col("pair").first(),
            pl.col("timestamp").first(),
            pl.col("available_at").last(),
            pl.col("open").first(),
            pl.col("high").max(),
            pl.col("low").min(),
            pl.col("close").last(),
            pl.col("volume").sum(),
        )
        .drop("day")
    )


def _soil(bars: pl.DataFrame, draw: np.random.Generator) -> pl.DataFrame:
    """Put in the faults of real files, at random places."""
    count = bars.height
    price = {name: bars[name].to_numpy().copy() for name in ("open", "high", "low", "close", "volume")}
    for start in draw.choice(np.arange(10, count - 10, 8), size=12, replace=False):
        length = int(draw.integers(2, 6))
        for name in ("open", "high", "low", "close"):  # the feed repeats the last price
            price[name][start : start + length] = price["close"][start - 1]
        price["volume"][start : start + length] = 0.0
    spikes = draw.choice(np.arange(2, count), size=6, replace=False)
    price["close"][spikes] *= np.exp(0.05 * draw.choice([-1.0, 1.0], size=6))
    price["close"][draw.choice(count, size=4, replace=False)] = np.nan
    soiled = bars.with_columns(pl.Series(name, values) for name, values in price.items())
    revised = np.sort(draw.choice(np.arange(20, count - 20, 3), size=20, replace=False))
    second = soiled[revised].with_columns(
        pl.col("available_at").dt.offset_by("5h"),
        pl.Series("close", price["close"][np.minimum(revised + 3, count - 1)]),  # the vendor smooths after the fact
    )
    missing = draw.choice(np.setdiff1d(np.arange(1, count), revised), size=8, replace=False)
    kept = soiled.filter(~pl.int_range(count, eager=True).is_in(missing))
    return pl.concat([kept, second]).sort("timestamp", "available_at")
