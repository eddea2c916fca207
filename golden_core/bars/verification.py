"""Claims about clean bars, recomputed from the table alone; each function returns what speaks against the claim."""

from __future__ import annotations

import polars as pl

_PRICES = ("open", "high", "low", "close")
_SHOWN = 20  # findings listed one by one; the rest is counted


def implausible_prices(bars: pl.DataFrame, max_abs_log_return: float) -> list[str]:
    """Return prices that are not positive and finite, and one-bar log returns beyond the bound."""
    pair = bars["pair"][0] if bars.height else "?"
    found = []
    for name in (name for name in _PRICES if name in bars.columns):
        bad = bars.filter(~(pl.col(name).is_finite() & (pl.col(name) > 0)).fill_null(False))
        said = f"{pair} {name} is {{{name}}} at {{timestamp}}, expected a positive number"
        found += _listed(bad, said, f"{pair} {name}")
    jumps = bars.with_columns(step=pl.col("close").log().diff()).filter(pl.col("step").abs() > max_abs_log_return)
    said = f"{pair} moves by {{step:+.4f}} (log return) to {{timestamp}}, bound {max_abs_log_return:g}"
    return found + _listed(jumps, said, f"{pair} returns")


def disordered_timestamps(bars: pl.DataFrame) -> list[str]:
    """Return bars that are not later than the one before, or not known only after they open."""
    pair = bars["pair"][0] if bars.height else "?"
    found = []
    for name in ("timestamp", "available_at"):
        late = bars.with_columns(before=pl.col(name).shift(1)).filter(pl.col(name) <= pl.col("before"))
        found += _listed(late, f"{pair} {name} {{{name}}} does not come after {{before}}", f"{pair} {name}")
    early = bars.filter(pl.col("available_at") <= pl.col("timestamp"))
    said = f"{pair} bar {{timestamp}} is said to be known at {{available_at}}, not after it opens"
    return found + _listed(early, said, f"{pair} available_at")


def unexplained_days(calendar: pl.DataFrame) -> list[str]:
    """Return the weekdays without a bar that no holiday explains."""
    said = "{pair} has no bar on {date:%A %Y-%m-%d} and no holiday explains it"
    return _listed(calendar.filter(pl.col("explanation").is_null()), said, "weekdays")


def _listed(rows: pl.DataFrame, sentence: str, what: str) -> list[str]:
    found = [sentence.format(**row) for row in rows.head(_SHOWN).iter_rows(named=True)]
    return found + ([f"… and {rows.height - _SHOWN} more: {what}"] if rows.height > _SHOWN else [])
