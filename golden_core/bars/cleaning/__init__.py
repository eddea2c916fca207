"""Cleaning: every raw row ends as kept, repaired or quarantined, with the rule that decided. Nothing is filled in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from golden_core.bars.cleaning.account import account_table, ledger_table
from golden_core.bars.cleaning.coverage import Coverage, Covered, asked_days, has_hours, on_wall, within_closures
from golden_core.bars.cleaning.evidence import moves, refuted
from golden_core.bars.cleaning.findings import findings
from golden_core.bars.cleaning.own import flat_bars, frozen_candles, inconsistent_range, own_rules, usable_volume
from golden_core.bars.cleaning.rules import HOURS, ORDER, OTHERS, PRICES, RULES, UNREMARKABLE
from golden_core.bars.cleaning.scale import on_scale
from golden_core.market.clock import MINUTES, closures
from golden_core.store.schema import BARS, CALENDAR

__all__ = ["RULES", "Cleaned", "Coverage", "Covered", "clean"]


@dataclass(frozen=True, eq=False)
class Cleaned:
    """Clean bars (``schema.BARS``), the account (CLEANING), weekdays without a bar (CALENDAR), and the LEDGER.

    The account counts every raw row once, under the rule that decided; the ledger has all but the unremarkable ones.
    """

    bars: pl.DataFrame
    account: pl.DataFrame
    calendar: pl.DataFrame
    ledger: pl.DataFrame


def clean(
    raw: pl.DataFrame, data: Covered, *, max_abs_log_return: float, others: Sequence[pl.DataFrame] = ()
) -> Cleaned:
    """Clean the bars of one pair (``schema.BARS``, in any order).

    A bar is removed or changed only for what it is itself, for earlier bars, or for bars of the same time; what later
    bars show is reported (see ``cleaning.rules``). ``data`` is a study's data section or a ``Coverage``; ``others`` are
    raw bars of other pairs from the same source. A one-bar log return beyond ``max_abs_log_return`` that no other pair
    refutes is reported, not removed: whether it is an error or a day like 15 January 2015 shows only afterwards.
    """
    raw = BARS.conform(raw)
    pairs = raw["pair"].unique().to_list()
    if len(pairs) != 1:
        raise ValueError(f"cleaning takes the bars of one pair, got {pairs or 'no bars'}")
    pair, evidence = str(pairs[0]), moves([BARS.conform(bars) for bars in others], data, max_abs_log_return)
    placed = raw.with_columns(position=pl.int_range(1, pl.len() + 1, dtype=pl.Int64))
    standing, fates = _quarantined(placed, data, pair, max_abs_log_return, evidence)
    standing, repaired = _repaired(standing)
    reported = findings(standing, pair, max_abs_log_return, evidence)
    fates += [repaired, *(_fates(standing, name, reported[name]) for name in sorted(reported, key=ORDER.__getitem__))]
    # The first rule decides; sorted by place, so that equal inputs give equal bits.
    decided = pl.concat(fates).unique("position", keep="first", maintain_order=True)
    judged = placed.join(decided, on="position", how="left", maintain_order="left")
    rules = judged["rule"].fill_null(UNREMARKABLE)
    available = {*raw.columns, *([HOURS] if has_hours(data) else []), *([OTHERS] if evidence else [])}
    bars = BARS.conform(standing.select(raw.columns))
    return Cleaned(
        bars=bars,
        account=account_table(pair, rules, available),
        calendar=_missing_days(bars, data, pair),
        ledger=ledger_table(judged.filter(pl.col("rule").is_not_null())),
    )


def _quarantined(
    placed: pl.DataFrame, data: Covered, pair: str, bound: float, evidence: Mapping[str, pl.DataFrame]
) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
    """Return the bars that stay, in the order of time and on their scale, and the fates of those that do not."""
    bars, by_themselves = _part(placed, own_rules(placed, data))
    bars = bars.sort("timestamp")
    bars = on_scale(bars, pair, data, bound)
    off_level = {"off_scale_price": pl.col("off_scale_price"), "inconsistent_range": inconsistent_range(bars.columns)}
    bars, by_level = _part(bars, off_level)
    bars, by_vendor = _part(*_with_fills(bars, data))
    bars, by_feed = _part(bars, {"frozen_candle": frozen_candles()} if set(PRICES) <= set(bars.columns) else {})
    bars, by_others = _part(bars, {"refuted_spike": pl.lit(refuted(bars, pair, bound, evidence))})
    return bars, [by_themselves, by_level, by_vendor, by_feed, by_others]


def _part(bars: pl.DataFrame, conditions: Mapping[str, pl.Expr]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the bars that no condition meets, and position and rule (the first) of the others."""
    if not conditions:
        return bars, _FATES.clear()
    rule = pl.coalesce(pl.when(condition).then(pl.lit(name)) for name, condition in conditions.items())
    judged = bars.with_columns(rule=rule)
    return judged.filter(pl.col("rule").is_null()).drop("rule"), judged.drop_nulls("rule").select("position", "rule")


def _with_fills(bars: pl.DataFrame, data: Covered) -> tuple[pl.DataFrame, dict[str, pl.Expr]]:
    """Return the bars with what tells a vendor's fill, and the conditions: only flat copies of the close before."""
    if not (set(PRICES) <= set(bars.columns) and has_hours(data)):
        return bars, {}
    copies = bars.select("timestamp", copy=flat_bars() & (pl.col("close") == pl.col("close").shift(1))).filter("copy")
    if copies.is_empty():
        return bars, {}
    volume = pl.col("volume") if "volume" in bars.columns else pl.lit(None, pl.Float64)
    fill = pl.col("timestamp").is_in(copies["timestamp"].implode()) & (volume.fill_null(0.0) == 0)
    # A vendor without volumes writes 0 everywhere: a zero says something once there has been another number.
    traded = (volume > 0).fill_null(False).cum_max()
    return bars, {
        "flat_while_closed": fill & pl.lit(within_closures(bars, data)),
        "flat_without_trade": fill & traded & volume.is_not_null(),
    }


def _repaired(bars: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the bars with unusable volumes made null, and the fates of all that were changed or moved."""
    late = bars.sort("position").select("position", late=pl.col("timestamp") < pl.col("timestamp").cum_max())
    bars = bars.join(late, on="position", maintain_order="left")
    fates = [_fates(bars, "decimal_slip", bars["decimal_slip"])]
    if "volume" in bars.columns:
        usable = usable_volume()
        fates.append(_fates(bars, "unusable_volume", ~bars.select(usable.fill_null(True)).to_series()))
        bars = bars.with_columns(volume=pl.when(usable).then("volume"))
    return bars, pl.concat([*fates, _fates(bars, "out_of_order", bars["late"])])


def _fates(bars: pl.DataFrame, rule: str, applies: pl.Series) -> pl.DataFrame:
    return bars.filter(applies.fill_null(False)).select("position", rule=pl.lit(rule))


def _missing_days(bars: pl.DataFrame, data: Covered, pair: str) -> pl.DataFrame:
    """Return the days asked for without a bar, on the vendor's clock, with their explanations."""
    # By the middle of a bar: a day of 17:00 New York opens on its eve. A fixing has one moment.
    half = pl.duration(minutes=MINUTES[data.bar] // 2 if has_hours(data) else 0)
    present = bars.select(date=on_wall(pl.col("timestamp") + half, data.time_zone).dt.date())
    missing = asked_days(data).to_frame().join(present, on="date", how="anti").sort("date")
    explained = missing.join(closures(data.source, data.start, data.end), on="date", how="left", maintain_order="left")
    return CALENDAR.conform(explained.with_columns(pair=pl.lit(pair)))


_FATES = pl.DataFrame(schema={"position": pl.Int64, "rule": pl.String})
