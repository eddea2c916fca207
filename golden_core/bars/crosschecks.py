"""Prices against other prices: pairs of a triangle with each other, and two sources of one pair. Nothing is changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import polars as pl

from golden_core.store.schema import PARITY

OFFSETS = range(-12, 13)  # hours by which one of two clocks may be shifted


def legs(pair: str) -> tuple[str, str]:
    """Return base and quote of a pair."""
    return pair[:3], pair[3:]


def oriented(base: str, quote: str, tables: Mapping[str, pl.DataFrame]) -> pl.DataFrame | None:
    """Return the table of base against quote, its columns ``log`` and ``step`` turned where only the inverse exists."""
    if base + quote in tables:
        return tables[base + quote]
    if quote + base in tables:
        return tables[quote + base].with_columns(pl.col("^log|step$") * -1.0)
    return None


@dataclass(frozen=True, order=True)
class Triangle:
    """Two pairs and the third that they imply: log(first)·first_sign + log(second)·second_sign = log(implied)."""

    first: str
    second: str
    implied: str
    first_sign: int
    second_sign: int

    def __str__(self) -> str:
        names = [f"{name}{'' if sign == 1 else '⁻¹'}" for name, sign in (
            (self.first, self.first_sign), (self.second, self.second_sign))]  # fmt: skip
        return f"{names[0]} × {names[1]} / {self.implied}"


def triangles(pairs: list[str]) -> list[Triangle]:
    """Return every three pairs over three currencies; the pair without the linking currency is the implied one."""
    found = []
    for trio in combinations(sorted(pairs), 3):
        currencies = [currency for pair in trio for currency in legs(pair)]
        if len(set(currencies)) != 3 or any(currencies.count(currency) != 2 for currency in set(currencies)):
            continue
        # The dollar links where it can: EURUSD × USDJPY / EURJPY is how such a cross is quoted.
        link = "USD" if "USD" in currencies else sorted(set(currencies))[0]
        implied = next(pair for pair in trio if link not in legs(pair))
        base, quote = legs(implied)
        first = next(pair for pair in trio if set(legs(pair)) == {base, link})
        second = next(pair for pair in trio if set(legs(pair)) == {link, quote})
        signs = 1 if legs(first)[0] == base else -1, 1 if legs(second)[1] == quote else -1
        found.append(Triangle(first, second, implied, *signs))
    return sorted(found)


def parity(bars: Mapping[str, pl.DataFrame], bound: float) -> pl.DataFrame:
    """Return ``schema.PARITY``: how well the pairs of every triangle agree where all three have a bar of one time.

    ``bound`` is the largest plausible residual, log price: bids of three pairs differ from parity by their spreads.
    """
    rows = []
    for triangle in triangles(list(bars)):
        residual = _residuals(triangle, bars)
        size = residual.abs()
        rows.append(
            {
                "triangle": str(triangle),
                "bars": len(residual),
                "median": residual.median(),
                "q50_abs": size.median(),
                "q99_abs": size.quantile(0.99, "linear"),
                "max_abs": size.max(),
                "flagged": int((size > bound).sum()),
            }
        )
    return PARITY.conform(pl.DataFrame(rows, schema=PARITY.dtypes))


def _residuals(triangle: Triangle, bars: Mapping[str, pl.DataFrame]) -> pl.Series:
    logs = [
        bars[name].select("timestamp", pl.col("close").log().alias(name))
        for name in (triangle.first, triangle.second, triangle.implied)
    ]
    joined = logs[0].join(logs[1], on="timestamp").join(logs[2], on="timestamp").sort("timestamp")
    implied = pl.col(triangle.first) * triangle.first_sign + pl.col(triangle.second) * triangle.second_sign
    residual = joined.select(implied - pl.col(triangle.implied)).to_series()
    return residual.filter(residual.is_finite())


@dataclass(frozen=True, eq=False)
class Comparison:
    """Two sources of one pair: ``bars`` in common at ``offset_hours``, added to the second's times, None if too few.

    ``correlation`` is of log returns there, ``by_month`` has each month's best offset; ``share_equal`` counts closes
    equal to 1e-9, ``level_difference`` is the median log(first/second): spreads, where one is bid.
    """

    offset_hours: int | None
    by_month: pl.DataFrame
    correlation: float | None
    bars: int
    share_equal: float
    level_difference: float


EQUAL = 1e-9  # log price: far below a tenth of a pip
FEWEST = 100  # bars in common below which a correlation says nothing; a month of hours has about 500


def compare_sources(left: pl.DataFrame, right: pl.DataFrame) -> Comparison:
    """Compare two sources of one pair: clean bars of one length (``schema.BARS``)."""
    ours, theirs = _logs(left), _logs(right)
    scans = []
    for hours in OFFSETS:
        shifted = theirs.with_columns(pl.col("timestamp").dt.offset_by(f"{hours}h"))
        common = ours.join(shifted, on="timestamp", suffix="_right", maintain_order="left")
        # From one common bar to the next: where one source has a gap, the other's bars in it are passed over too.
        steps = common.select("timestamp", step=pl.col("log").diff(), step_right=pl.col("log_right").diff())
        joined = steps.filter(pl.col("step").is_finite() & pl.col("step_right").is_finite())
        monthly = joined.group_by(month=pl.col("timestamp").dt.truncate("1mo").dt.date()).agg(
            bars=pl.len(), correlation=pl.corr("step", "step_right")
        )
        whole = joined.select(month=pl.lit(None, pl.Date), bars=pl.len(), correlation=pl.corr("step", "step_right"))
        scans.append(pl.concat([whole, monthly]).with_columns(offset_hours=pl.lit(hours)))
    table = pl.concat(scans).with_columns(pl.col("correlation").fill_nan(None))
    best = table.filter(pl.col("bars") >= FEWEST).drop_nulls("correlation").sort("correlation", descending=True)
    best = best.group_by("month", maintain_order=True).first()
    overall = best.filter(pl.col("month").is_null())["offset_hours"].to_list()
    offset: int | None = overall[0] if overall else None
    common = ours.join(theirs.with_columns(pl.col("timestamp").dt.offset_by(f"{offset or 0}h")), on="timestamp")
    difference = (common["log"] - common["log_right"]).to_numpy()
    return Comparison(
        offset_hours=offset,
        correlation=best.filter(pl.col("month").is_null())["correlation"].to_list()[0] if overall else None,
        by_month=best.drop_nulls("month").select("month", "offset_hours").sort("month"),
        bars=common.height,
        share_equal=float(np.mean(np.abs(difference) <= EQUAL)) if common.height else 0.0,
        level_difference=float(np.median(difference)) if common.height else 0.0,
    )


def _logs(bars: pl.DataFrame) -> pl.DataFrame:
    return bars.sort("timestamp").select("timestamp", log=pl.col("close").log())
