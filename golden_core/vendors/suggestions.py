"""What to type for a table whose columns have other names, or none: told from its first rows, never read by it."""

from __future__ import annotations

import itertools
import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from golden_core.market.clock import MINUTES
from golden_core.vendors.base import VendorError
from golden_core.vendors.columns import ALIASES, COMPLETE, INSTRUMENTS, PRICES, VOLUMES, has_prices, has_time, normal
from golden_core.vendors.prices import GAPS
from golden_core.vendors.text import SNIFFED, Head, read_head

_DAY = re.compile(
    r"\d{4}[-./年]\d{1,2}[-./月]\d|\d{1,2}[-./ ](?:\d{1,2}|[A-Za-z]+)[-./ ]\d|[A-Z][a-z]+ \d|(?:19|20)\d{6}|\d{9,}"
)
_CLOCK = re.compile(r"\d{1,2}:\d\d.*|\d{6}|\d{4}")
_DAY_PARTS = ({"year", "month", "day"}, {"年", "月", "日"})
_NUMBER = re.compile(r"-?\d+[.,]\d+")
_MISFITS = 0.1  # share of rows that may be no candle: a few of Yahoo's are none
_KNOWN = (PRICES, (*PRICES[3:], *PRICES[1:3], *PRICES[:1]))  # orders of columns, of which some may have other names
_ORDERS = (*_KNOWN, *(one for one in itertools.permutations(PRICES) if one[0] in PRICES[::3] and one not in _KNOWN))
_NEAR = 2  # a candle's high is less than so many of its lows; prices of several currencies are further apart


def lacking(names: Sequence[str], declared: Mapping[str, str | None]) -> list[str]:
    """Return which of time and prices no column answers to, and none is declared to be."""
    time = [] if "timestamp" in declared or has_time(names) else ["timestamp"]
    return [*time, *(price for price in PRICES if price not in declared and not has_prices(names, (price,)))]


def has_meaning(name: str) -> bool:
    """Whether a column of this name could be used without being declared; pandas' index may have no name."""
    known = (*itertools.chain(*ALIASES.values()), *VOLUMES, *COMPLETE, *INSTRUMENTS)
    return has_time([name]) or normal(name) in known


def closes_alone(columns: Mapping[str, str | None], names: Sequence[str]) -> Mapping[str, str | None]:
    """Return declared columns, with the close alone where it is declared and there is no high and low: no candle."""
    ranged = any(name in columns or has_prices(names, (name,)) for name in ("high", "low"))
    alone = columns.get("close") and not ranged and "open" not in columns
    return {**dict.fromkeys(PRICES[:3]), **columns} if alone else columns


def require_columns(names: Sequence[str], path: Path, declared: Mapping[str, str | None]) -> None:
    """Refuse a table that lacks several columns once for all; one alone, or a wrong name, is for who looks for it."""
    lacks, head = lacking(names, declared), read_head(path)
    there = _parts(filter(None, declared.values())) <= _parts(names)
    if there and len(lacks) > 1 and head:
        raise VendorError(
            f"{path}: its columns: none is called {' or '.join(lacks)}; there are {', '.join(map(repr, names))}; "
            f"declare them with {declaration(head, declared)} (in a study: format columns)"
        )


def declaration(head: Head | None, declared: Mapping[str, str | None] | None = None) -> str:
    """Return the options that declare a table: by names, or of one without header by places from 1."""
    if head is None or len(head.header) == 1:
        return "--column open=NAME …"
    head = _below(head)
    headed = not any(_NUMBER.fullmatch(field) for field in head.header)
    rows = [head.fields(line) for line in range(headed, min(SNIFFED, len(head.lines)))]
    places = _places([row for row in rows if len(row) == len(rows[0])], _KNOWN if headed else _ORDERS)
    if not headed:
        told = {ours: "+".join(str(place + 1) for place in at) for ours, at in places.items()}
        bare = f"--column timestamp={told.get('timestamp', 'PLACE')} --column open=PLACE …"
        return _options(told) if "close" in told else bare
    lacks = lacking(head.header, declared or {})
    if {"high", "low"} <= {*lacks} - places.keys():
        lacks = [*(name for name in lacks if name == "timestamp"), "close"]
        closes = [place for place, name in enumerate(head.header) if has_prices([name], ("close",))]
        places |= {"close": (closes[0],)} if closes else {}
    even = bool(rows) and len(rows[0]) == len(head.header)
    told = {
        ours: "+".join(head.header[place] for place in places[ours]) if even and ours in places else "NAME"
        for ours in lacks
    }
    return _options(told) or "--column open=NAME …"


def hints(head: Head | None) -> str:
    """Return what else is in the way of reading a file, and the fix."""
    if head is None:
        return ""
    found = list[str]()
    if len(head.header) == 1 and 2 * sum(len(line.split()) > 2 for line in head.lines) > len(head.lines):
        return (
            ". Its fields seem to be parted by blanks: put commas in their place, and above them the names, such as "
            "time,open,high,low,close, or time,bid,ask of ticks"
        )
    if (table := _below(head)) is not head:
        names = head.separator.join(table.header)
        found.append(f"its rows seem to begin below {names[:100]!r}: leave out the lines above that one")
    head = table
    widths = [len(head.fields(line)) for line in range(min(SNIFFED, len(head.lines)))]
    even = len(widths) < 2 or widths[0] == widths[1]
    if not even and len(widths) > 2 and len(set(widths[1:])) == 1:
        found.append(
            f"its first line has {widths[0]} fields and all the next ones {widths[1]}: if it is no header, leave it out"
        )
    if any(parts <= {normal(name) for name in head.header} for parts in _DAY_PARTS):
        found.append("a day in three columns is not read: write it into one, such as 2024-03-15")
    elif "open=PLACE" in declaration(head):
        found.append("if they are quotes, put names above them, such as time,bid,ask")
    elif widths[0] > 1 and "timestamp=NAME" in declaration(head):
        found.append("no column of its first rows seems to hold a day, such as 2024-03-15")
    if even and widths[0] > 1 and "open=" not in declaration(head):
        found.append(
            "where there is one price a row, the time of a bar's open and the close are enough; bars are of "
            f"{', '.join(MINUTES)}"
        )
    return "".join(f". {one[0].upper()}{one[1:]}" for one in found)


def _below(head: Head) -> Head:
    """Return a head without what stands above the names of its columns, the line over the first row that has a day."""
    row = next((line for line in range(len(head.lines)) if _DAY.match(head.fields(line)[0])), 0)
    while row > 1 and any(map(_NUMBER.fullmatch, head.fields(row - 1))):  # a row whose day is broken
        row -= 1
    described = row > 1 and len(head.fields(row - 1)) == len(head.fields(row)) and head.fields(row - 1)[0]
    return replace(head, lines=head.lines[row - 1 :]) if described else head


def _parts(names: Iterable[str]) -> set[str]:
    return {part.strip() for name in names for part in name.split("+")}


def _options(told: Mapping[str, str]) -> str:
    return " ".join(f"--column {shlex.quote(f'{ours}={theirs}')}" for ours, theirs in told.items())


def _places(rows: Sequence[Sequence[str]], known: Sequence[Sequence[str]]) -> dict[str, tuple[int, ...]]:
    """Return at which places from 0 of the first rows time and prices seem to stand; a close alone beside a time."""
    width = len(rows[0]) if len(rows) > 1 else 0
    days = [place for place in range(width) if all(_DAY.match(row[place]) for row in rows)]
    if not days:
        return {}
    clock = days[0] + 1 < width and all(":" not in row[days[0]] and _CLOCK.fullmatch(row[days[0] + 1]) for row in rows)
    time = (days[0], days[0] + 1) if clock else (days[0],)
    found: dict[str, tuple[int, ...]] = {"timestamp": time}
    others = [place for place in range(width) if place not in time]
    starts = [place for place in others if {*range(place, place + 4)} <= {*others}]
    for start in sorted(starts, key=lambda start: start < time[0]):
        orders = [order for order in known if _are_candles(rows, start, order)]
        jumps = [_jumps(rows, time, start, order) for order in orders]
        if PRICES in orders or (jumps and max(jumps) > 2 * min(jumps)):  # of columns of currencies none follows better
            names = orders[0] if jumps[0] <= 2 * min(jumps) else orders[jumps.index(min(jumps))]
            return found | {name: (start + names.index(name),) for name in PRICES}
    cells = {place: [row[place] for row in rows if row[place].lower() not in GAPS] for place in others}
    numbers = [place for place, there in cells.items() if there and all(map(_NUMBER.fullmatch, there))]
    return found | ({"close": (numbers[0],)} if len(numbers) == 1 else {})


def _are_candles(rows: Sequence[Sequence[str]], start: int, order: Sequence[str]) -> bool:
    there = [row for row in rows if not {cell.lower() for cell in row[start : start + 4]} <= {*GAPS}]
    misfits = sum(_candle(row, start, order) is None for row in there)
    return bool(there) and misfits <= _MISFITS * len(there) + (len(there) > 5)


def _jumps(rows: Sequence[Sequence[str]], time: Sequence[int], start: int, order: Sequence[str]) -> float:
    """Return how far bars open from the close before them."""
    ordered = sorted(rows, key=lambda row: [row[place] for place in time])  # of days written year first
    bars = [bar for row in ordered if (bar := _candle(row, start, order))]
    return sum(abs(after["open"] - before["close"]) for before, after in itertools.pairwise(bars))


def _candle(row: Sequence[str], start: int, order: Sequence[str]) -> Mapping[str, float] | None:
    try:
        bar = {name: float(row[start + place].replace(",", ".")) for place, name in enumerate(order)}
    except ValueError:
        return None
    return bar if _NEAR * bar["low"] > bar["high"] == max(bar.values()) >= min(bar.values()) == bar["low"] > 0 else None
