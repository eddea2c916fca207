"""Cleaning: every rule that may remove or reorder a bar, with its account. Nothing is ever filled in.

A rule that removes a bar may look at the bar itself and at others of the same time, never at a later one: a cleaning
that uses the future is a leak. What only the next bar can show is reported and stays.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from golden_core.data.clock import closures, expected_days
from golden_core.schema import BARS, CALENDAR, CLEANING
from golden_core.study import DataSection

# Rules in order: the first that applies to a row decides about it.
REMOVING = {
    "conflicting_duplicate": "several bars of the same time with different values: none can be trusted",
    "identical_duplicate": "a further copy of a bar",
    "unusable_price": "a price is missing, not finite, or not positive",
    "inconsistent_range": "the high is below, or the low above, another price of the bar",
}


@dataclass(frozen=True, eq=False)
class Cleaned:
    """Clean bars, what was done to get them, and the weekdays that have none.

    Every input row is counted once under ``kept`` or ``quarantined``; ``repaired`` rows are among the kept.
    """

    bars: pl.DataFrame
    account: pl.DataFrame
    calendar: pl.DataFrame


def clean(raw: pl.DataFrame, data: DataSection, *, max_abs_log_return: float) -> Cleaned:
    """Clean the bars of one pair.

    Parameters
    ----------
    raw : pl.DataFrame
        ``schema.BARS`` of one pair, in any order.
    data : DataSection
        Range, source and time zone, for the calendar.
    max_abs_log_return : float
        Largest plausible one-bar log return. A larger one is reported, not removed: whether it is an error or a
        day like 15 January 2015 shows only afterwards.

    Returns
    -------
    Cleaned
        ``schema.BARS`` in the order of time, ``schema.CLEANING``, ``schema.CALENDAR``.

    Raises
    ------
    SchemaError
        If ``raw`` is not a table of bars.
    ValueError
        If ``raw`` does not hold exactly one pair.
    """
    raw = BARS.conform(raw)
    pairs = raw["pair"].unique().to_list()
    if len(pairs) != 1:
        raise ValueError(f"cleaning takes the bars of one pair, got {pairs or 'no bars'}")
    judged = raw.with_columns(rule=_removing_rule(raw))
    accepted = judged.filter(pl.col("rule").is_null()).drop("rule")
    late = accepted.filter(pl.col("timestamp") < pl.col("timestamp").cum_max()).height
    bars = accepted.sort("timestamp")
    account = _account(judged["rule"], late, _jumps(bars["close"], max_abs_log_return), max_abs_log_return)
    return Cleaned(
        bars=bars,
        account=CLEANING.conform(account.with_columns(pair=pl.lit(pairs[0]))),
        calendar=_missing_days(bars, data, pairs[0]),
    )


def _removing_rule(raw: pl.DataFrame) -> pl.Expr:
    """Name the rule that removes each row; null for a row that stays."""
    prices = [name for name in ("open", "high", "low", "close") if name in raw.columns]
    first = pl.struct(pl.all()).is_first_distinct()
    usable = pl.all_horizontal((pl.col(name).is_finite() & (pl.col(name) > 0)).fill_null(False) for name in prices)
    inconsistent = pl.lit(False)
    if "high" in prices:
        inconsistent |= pl.col("high") < pl.max_horizontal(prices)
    if "low" in prices:
        inconsistent |= pl.col("low") > pl.min_horizontal(prices)
    conditions = {
        "conflicting_duplicate": first.sum().over("timestamp") > 1,
        "identical_duplicate": ~first,
        "unusable_price": ~usable,
        "inconsistent_range": inconsistent,
    }
    return pl.coalesce(pl.when(conditions[name]).then(pl.lit(name)) for name in REMOVING)


def _jumps(close: pl.Series, limit: float) -> dict[str, int]:
    """Count bars whose log return exceeds the limit, apart from those that the next bar undoes."""
    returns = close.log().diff()
    jump = (returns.abs() > limit).fill_null(False)
    back = (returns + returns.shift(-1)).abs() <= limit
    spike = (jump & jump.shift(-1) & back).fill_null(False)
    both_ways = spike | spike.shift(1, fill_value=False)
    return {"reverting_spike": int(both_ways.sum()), "implausible_jump": int((jump & ~both_ways).sum())}


def _account(rules: pl.Series, late: int, jumps: dict[str, int], limit: float) -> pl.DataFrame:
    """Return one row per rule, those that applied to nothing included."""
    unremarkable = int(rules.is_null().sum()) - sum(jumps.values())
    removed = [(rule, "quarantined", int((rules == rule).sum()), detail) for rule, detail in REMOVING.items()]
    jump = f"the one-bar log return is beyond ±{limit:g}"
    rows = [
        *removed,
        ("out_of_order", "repaired", late, "earlier than a bar before it: sorted"),
        (
            "reverting_spike",
            "kept",
            jumps["reverting_spike"],
            f"{jump} and the next bar undoes it: both bars, reported",
        ),
        ("implausible_jump", "kept", jumps["implausible_jump"], f"{jump}: reported"),
        ("unremarkable", "kept", unremarkable, "no rule applies, but perhaps out_of_order"),
    ]
    return pl.DataFrame(rows, schema=["rule", "action", "rows", "detail"], orient="row")


def _missing_days(bars: pl.DataFrame, data: DataSection, pair: str) -> pl.DataFrame:
    """Return the weekdays of the study's range without a bar, on the vendor's clock, with their explanations."""
    present = bars.select(date=pl.col("timestamp").dt.convert_time_zone(data.time_zone).dt.date())
    missing = expected_days(data.start, data.end).to_frame().join(present, on="date", how="anti").sort("date")
    explained = missing.join(closures(data.source, data.start, data.end), on="date", how="left", maintain_order="left")
    return CALENDAR.conform(explained.with_columns(pair=pl.lit(pair)))
