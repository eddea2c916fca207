"""What was known before each bar, and what came then: the arrays that statistical probes ask about. No probe here."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from golden_core.leakage import artefacts
from golden_core.leakage.artefacts import KEY, STAMP, Run
from golden_core.statistics.martingale import standardise_by_past, standardise_by_recent

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

_LEAST, _LIMIT = 20, 4.0  # rows before a spread is trusted; standard deviations beyond which a value counts no more


@dataclass(frozen=True, eq=False)
class Market:
    """What happened to one pair: when each bar was known [T], its return by the spread of earlier ones [T, 1]."""

    known: IntArray
    returns: FloatArray


@dataclass(frozen=True, eq=False)
class Question:
    """One way of asking whether features foresee: factors known before [N, K], and what came then [N, 1]."""

    words: str
    factors: FloatArray
    outcome: FloatArray
    target: bool = False  # what came then is the pipeline's own target, which may itself be what is wrong

    @property
    def terms(self) -> FloatArray:
        """Products [N, K]."""
        return self.factors * self.outcome


def markets_of(run: Run) -> dict[str, Market]:
    """Return what happened to each pair, from the bars of the run."""
    markets = {}
    for pair, rows in by_key(run.artefacts[artefacts.BARS]).items():
        bars = rows.sort(STAMP, maintain_order=True)
        level = np.log(bars["close"].to_numpy())
        moves = np.diff(level, prepend=level[:1])
        markets[pair] = Market(microseconds(bars[STAMP]), standardise_by_recent(moves)[:, None])
    return markets


def factors_of(market: Market, stamps: IntArray, values: FloatArray, horizon: int, delay: int = 0) -> FloatArray:
    """Return the sum of the last ``horizon`` values known before each bar opened [T, K], ``delay`` bars late."""
    known = latest(stamps, values, market.known)
    out = np.zeros_like(known)
    for lag in range(1 + delay, horizon + 1 + delay):
        out[lag:] += known[:-lag]
    found: FloatArray = out / np.sqrt(horizon)
    return found


def latest(stamps: IntArray, values: FloatArray, at: IntArray) -> FloatArray:
    """Return the values [N, K] last stamped at or before each time; zero where there are none."""
    rows = np.searchsorted(stamps, at, side="right") - 1
    return np.where((rows >= 0)[:, None], values[np.maximum(rows, 0)], 0.0)


def recursive(factors: FloatArray, returns: FloatArray) -> FloatArray:
    """Return each factor times the confidence in its slope so far, within ±1: a forecast known in advance."""
    terms = factors * returns
    spread = np.sqrt((terms**2).cumsum(axis=0))
    confidence = np.divide(terms.cumsum(axis=0), spread, out=np.zeros_like(terms), where=spread > 0)
    found: FloatArray = factors * np.vstack([np.zeros_like(terms[:1]), np.clip(confidence / 2, -1, 1)[:-1]])
    return found


def in_numbers(asked: Question, column: int, weight: float) -> str:
    """Return correlation, count, bound on p and recursive out-of-sample R² in words."""
    x, y = asked.factors[:, column], asked.outcome[:, 0]
    used = (x != 0) & (y != 0)
    x, y = x[used], y[used]
    before = np.concatenate([[0.0], (x * y).cumsum()[:-1]]) / (np.concatenate([[0.0], (x**2).cumsum()[:-1]]) + 10.0)
    r2 = 1 - ((y - before * x) ** 2).sum() / (y**2).sum()
    correlation = (x * y).sum() / np.sqrt((x**2).sum() * (y**2).sum())
    return f"correlation {correlation:.2f} on {len(x)} bars, out-of-sample R² {r2:.2f}, p ≤ {np.exp(-weight):.0e}"


def scaled_by_past(numbers: pl.DataFrame, *, centre: bool) -> FloatArray:
    """Return columns [T, K] in standard deviations of their own past, within ±4; zero where that is too short."""
    values = numbers.to_numpy().astype(np.float64)  # null becomes NaN
    return standardise_by_past(values, least=_LEAST, limit=_LIMIT, centre=centre)


def microseconds(times: pl.Series) -> IntArray:
    """Return times [T] in microseconds since 1970."""
    return times.to_numpy().astype("datetime64[us]").astype(np.int64)


def numeric(frame: pl.DataFrame) -> list[str]:
    """Return the names of the columns that hold floating-point numbers."""
    return [name for name, dtype in frame.schema.items() if dtype.is_float()]


def by_key(frame: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Return the rows of every key, in the order of their first rows."""
    return {str(key): rows for (key,), rows in frame.partition_by(KEY, as_dict=True, maintain_order=True).items()}


def halves(asked: Question) -> list[Question]:
    """Ask of either half of the rows: a leak may begin, or end, in the middle of a sample, as a summer does."""
    early = (np.arange(len(asked.outcome)) < len(asked.outcome) // 2)[:, None]
    parts = {"first": early, "second": ~early}
    return [
        Question(f"{asked.words} in the {half} half", asked.factors * rows, asked.outcome)
        for half, rows in parts.items()
    ]
