"""Claims about clean bars, recomputed from the table alone; each function returns what speaks against the claim."""

from __future__ import annotations

import polars as pl

_PRICES = ("open", "high", "low", "close")
_SHOWN = 20  # findings listed one by one; the rest is counted


def implausible_prices(bars: pl.DataFrame, max_abs_log_return: float) -> list[str]:
    """Return prices that are not positive and finite, and one-bar log returns beyond the bound."""
    pair = bars["pair"][0] if bars.height else "?"
    found = []
    for name in _PRICES:
        if name in bars.columns:
            bad = bars.filter(~(pl.col(name).is_finite() & (pl.col(name) > 0)).fill_null(False))
            found += [
                f"{pair} {name} is {row[name]} at {row['timestamp']}, expected a positive number"
                for row in bad.head(_SHOWN).iter_rows(named=True)
            ]
            found += _rest(bad.height, f"{pair} {name}")
    step = pl.col("close").log().diff()
    jumps = bars.select("timestamp", step=step).filter(pl.col("step").abs() > max_abs_log_return)
    found += [
        f"{pair} moves by {row['step']:+.4f} (log return) to {row['timestamp']}, bound {max_abs_log_return:g}"
        for row in jumps.head(_SHOWN).iter_rows(named=True)
    ]
    return found + _rest(jumps.height, f"{pair} returns")


def disordered_timestamps(bars: pl.DataFrame) -> list[str]:
    """Return bars that are not later than the one before, or known before they happen."""
    pair = bars["pair"][0] if bars.height else "?"
    found = []
    for name in ("timestamp", "available_at"):
        late = bars.with_columns(before=pl.col(name).shift(1)).filter(pl.col(name) <= pl.col("before"))
        found += [
            f"{pair} {name} {row[name]} does not come after {row['before']}"
            for row in late.head(_SHOWN).iter_rows(named=True)
        ]
        found += _rest(late.height, f"{pair} {name}")
    early = bars.filter(pl.col("available_at") < pl.col("timestamp"))
    found += [
        f"{pair} bar {row['timestamp']} is said to be known at {row['available_at']}, before it happens"
        for row in early.head(_SHOWN).iter_rows(named=True)
    ]
    return found + _rest(early.height, f"{pair} available_at")


def unexplained_days(calendar: pl.DataFrame) -> list[str]:
    """Return the weekdays without a bar that no holiday explains."""
    open_days = calendar.filter(pl.col("explanation").is_null())
    found = [
        f"{row['pair']} has no bar on {row['date']:%A %Y-%m-%d} and no holiday explains it"
        for row in open_days.head(_SHOWN).iter_rows(named=True)
    ]
    return found + _rest(open_days.height, "weekdays")


def _rest(count: int, what: str) -> list[str]:
    return [f"… and {count - _SHOWN} more: {what}"] if count > _SHOWN else []
