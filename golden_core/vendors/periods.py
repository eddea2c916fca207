"""Columns that say how long each row's bar is: one length, held against the rows; several are refused."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import polars as pl

from golden_core.market.clock import MINUTES
from golden_core.vendors.bar_length import STRETCH
from golden_core.vendors.base import VendorError
from golden_core.vendors.columns import Found, normal

# Normal forms of names under which bare numbers and letters are lengths too: Finam's <PER> is 60 or D.
NAMES = (
    "per", "period", "timeframe", "tf", "interval", "resolution", "granularity", "barsize", "barlength", "freq",
    "frequency",
)  # fmt: skip
_DAY, _WEEK, _MONTH = MINUTES["1d"], 7 * MINUTES["1d"], 30 * MINUTES["1d"]
_UNITS = {"min": 1, "h": 60, "d": _DAY, "w": _WEEK, "mon": _MONTH}
_WORDS = {
    "m": "min", "t": "min", "mn": "mon", "mo": "mon", "hr": "h", "minute": "min", "minutely": "min", "hour": "h",
    "hourly": "h", "day": "d", "daily": "d", "week": "w", "weekly": "w", "month": "mon", "monthly": "mon",
}  # fmt: skip
_AS_METATRADER = re.compile(r"(?P<unit>MN|[MHDW])(?P<count>\d{0,2})")
_COUNTED = re.compile(r"(?P<count>\d{1,5}) ?(?P<unit>[A-Za-z]+?)s?")
_BEFORE = re.compile(r"(?:TIMEFRAME_|PERIOD_|PT?)(?=\w)")  # of MetaTrader's constants, and ISO 8601
# Bare numbers are minutes or seconds; others count something else.
_BARE = {1, 5, 10, 15, 30, 60, 240, _DAY, _WEEK, 43_200, 300, 900, 1800, 3600, 14_400, 86_400}
_MOST = 12  # lengths that one table may hold
_FOLLOWING = 0.1  # share of rows that are the stated length apart: in quiet hours bars of a minute seldom follow


def stated_length(
    table: pl.DataFrame, found: Found, times: pl.Series, line: pl.Series, path: Path
) -> tuple[str, str] | None:
    """Return the column that says how long bars are, none that is ``found``: and what, as ``1h`` or ``10 minutes``.

    Refused are several lengths in one column, and one length that is not what ``times`` are apart: a day's bar among
    hours would be known a day too early.
    """
    used = {*found.time, *found.numbers.values(), found.complete}
    for name in table.columns:
        firsts = {} if name in used else _lengths(table[name])
        if len(firsts) > 1:
            places = ", ".join(f"{text or 'nothing'} from {line.name} {line[row]}" for text, row in firsts.items())
            raise VendorError(
                f"{path}: column {name!r} says that bars are of several lengths: {places}. A longer bar among shorter "
                "ones would be known too early: export one length, or keep only the rows that say one of them"
            )
        if firsts:
            return name, _held(name, next(iter(firsts)), times, line, path)
    return None


def _lengths(cells: pl.Series) -> dict[str, int]:
    """Return what a column of lengths says → the row that says it first; empty for any other column."""
    if not (cells.dtype == pl.String or cells.dtype.is_integer()):
        return {}
    named = normal(cells.name) in NAMES
    texts = cells.cast(pl.String).fill_null("")
    # The first cells spare the others: ticks are many.
    if not named and not all(_minutes(text, named=False) for text in texts.head(1)):
        return {}
    said = texts.unique(maintain_order=True)
    fit = len(said) <= _MOST and any(said) and all(_minutes(text, named=named) or (named and not text) for text in said)
    return {text: int((texts == text).arg_true()[0]) for text in said} if fit else {}


def _minutes(text: str, *, named: bool) -> set[int]:
    """Return the lengths in minutes that a cell can mean: bare numbers and letters only under a name that says so."""
    text = _BEFORE.sub("", text)
    if text.isdecimal():
        count = int(text)
        return {count, *({count // 60} if count % 60 == 0 else ())} if named and count in _BARE else set()
    found = _AS_METATRADER.fullmatch(text) or _COUNTED.fullmatch(text)
    if found is None and named:
        found = re.fullmatch(r"(?P<count>)(?P<unit>[A-Za-z]+)", text)
    if found is None:
        return set()
    word = found["unit"]
    # 1M and M are a month where M1 is a minute.
    unit = "mon" if word == "M" and text.endswith("M") else _WORDS.get(word.lower(), word.lower())
    size = _UNITS.get(unit, 0) * int(found["count"] or 1)
    # What is called otherwise may be a forward's tenor, 1M, or a future's month, M4.
    sure = named or word == "MN" or (found["count"] and unit != "mon" and size in _BARE)
    return {size} if size and sure else set()


def _held(name: str, text: str, times: pl.Series, line: pl.Series, path: Path) -> str:
    """Return the length that all rows state; refuse it where rows are another one apart."""
    lengths = _minutes(text, named=True)
    steps = times.unique().sort().diff().drop_nulls().dt.total_seconds().to_numpy() / 60
    names = {minutes: length for length, minutes in MINUTES.items()}
    usual = float(np.median(steps)) if len(steps) else 0.0
    fitting = np.isin(steps, list(lengths)).sum()
    if (usual in names or len(steps) >= STRETCH) and usual not in lengths and fitting < _FOLLOWING * len(steps):
        raise VendorError(
            f"{path}: {line.name} {line[0]}: column {name!r} says {text}, but rows are {usual:g} minutes apart "
            "(median): as bars of that length they would not be known when they are; export them again, or leave the "
            "column out if it says something else"
        )
    # Of minutes and seconds what Golden has, and the later: a bar must not be known too early.
    minutes = int(usual) if usual in lengths else max(lengths & names.keys() or lengths)
    return names.get(minutes, f"{minutes} minutes")
