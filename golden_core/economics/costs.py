"""At which prices a pair can be traded, and what trading and holding cost there. No position belongs here."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from golden_core.market.clock import SESSIONS, sessions, trading_day
from golden_core.market.plausible import plausible_pairs
from golden_core.statistics.long_run import FloatArray
from golden_core.study import EconomicsSection

IntArray = npt.NDArray[np.int64]
NIGHTS_BEFORE = (0, 1, 2, 5, 6, 7, 7)  # charged before a Monday, Tuesday, …: Wednesday's counts three
YEAR = datetime.timedelta(days=365.25)
FIXING, OPEN = "next fixing", "open of the next bar"


@dataclass(frozen=True, eq=False)
class Quotes:
    """The prices of a pair at M times, and the costs of a unit of base there, in units of the quote currency."""

    times: pl.Series  # UTC, rising
    prices: FloatArray  # [M]
    half_spread: FloatArray  # [M]
    slippage: float
    long: FloatArray  # [M], what a long unit held since the time before has earned overnight
    short: FloatArray  # [M], what a short one has
    pip: float
    filled_at: str

    @property
    def per_year(self) -> float:
        """Return how many of these times there are in a year."""
        span: datetime.timedelta = self.times[-1] - self.times[0]
        return (len(self.times) - 1) / (span / YEAR)

    def fills(self, cutoffs: pl.Series) -> IntArray:
        """Return where a decision at each cutoff is filled: the first time not before it; M where there is none."""
        return np.searchsorted(self.times.to_physical().to_numpy(), cutoffs.to_physical().to_numpy()).astype(np.int64)


def quotes(bars: pl.DataFrame, pair: str, section: EconomicsSection) -> Quotes:
    """Return what a pair can be traded at: opens, or fixings where the source has nothing else.

    Takes the clean bars of one pair (schema.BARS), two or more. Costs are the study's, in pips of data/pairs.yaml.
    """
    bars = bars.sort("timestamp")
    price = "open" if "open" in bars.columns else "close"
    times, pip, nightly = bars["timestamp"], plausible_pairs()[pair].pip, section.swap.pips[pair]
    charged = nights(times)
    return Quotes(
        times=times,
        prices=bars[price].to_numpy(),
        half_spread=pip * _half_spread(times, pair, section),
        slippage=pip * section.slippage.pips,
        long=pip * nightly.long * charged,
        short=pip * nightly.short * charged,
        pip=pip,
        filled_at=OPEN if price == "open" else FIXING,
    )


def nights(times: pl.Series) -> FloatArray:
    """Return how many nights are charged between each of M instants and the one before, 0 for the first.

    A night is charged at 17:00 in New York, Monday to Friday. Spot is settled after two business days: who holds from
    Wednesday to Thursday moves settlement from Friday to Monday and is charged three.
    """
    day = times.to_frame("at").select(trading_day(pl.col("at"))).to_series()
    weeks, weekday = np.divmod(day.to_physical().to_numpy() + 3, 7)  # 1 January 1970 was a Thursday
    before = 7.0 * weeks + np.array(NIGHTS_BEFORE)[weekday]
    return np.diff(before, prepend=before[:1])


def _half_spread(times: pl.Series, pair: str, section: EconomicsSection) -> FloatArray:
    """Return the narrowest half-spread of the sessions at work, in pips."""
    pips = section.half_spread.pips[pair]
    at_work = times.to_frame("at").select(open=sessions(pl.col("at"))).unnest("open")
    offered = np.stack([np.where(at_work[name].to_numpy(), getattr(pips, name), np.inf) for name in SESSIONS])
    narrowest = offered.min(axis=0)
    return np.where(np.isinf(narrowest), pips.otherwise, narrowest)
