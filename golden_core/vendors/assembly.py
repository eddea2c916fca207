"""From rows and the names of columns to a vendor's table: what all formats of text share. No format's own rule."""

from __future__ import annotations

import datetime
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from golden_core.vendors.base import FROM_END, SIDES, VendorError, VendorTable, runs_back, side_in_name
from golden_core.vendors.columns import BASES, COUNTERS, CURRENCIES, INSTRUMENTS, PRICES, Found, clock_in, normal
from golden_core.vendors.feed import require_moves, require_own
from golden_core.vendors.periods import stated_length
from golden_core.vendors.prices import GAPS, NUMBER, active, read_numbers, require_last_row, require_roles
from golden_core.vendors.text import Lines, Rows
from golden_core.vendors.ticks import QUOTES, TICK_BAR, bars_from_ticks, require_spread
from golden_core.vendors.times import NAIVE, NOTHING, Dates, Times, from_temporal, joined, read_epochs, read_times

DAY = "1d"
QUOTED = "5m"  # bars of one minute are made of ticks in any case
_PAIR = rf"(?i)^({CURRENCIES})[/_-]?({CURRENCIES})$"
_CODE = rf"^({CURRENCIES})$"
_METATRADER = {"tickvolume", "spread", "realvolume"}  # columns of its rates, as its package for Python names them
# What columns hold that say of how many units a price is, where it is of one: of SDMX a power of ten.
_UNITS = {"unitmult": 0.0, "multiplier": 1.0, "nominal": 1.0}


@dataclass(frozen=True, kw_only=True)
class Known:
    """What is known beside the rows; ``gaps``: a cell may be empty; ``header``: the file names its columns."""

    format: str
    clock: str | None = None
    bar: str | None = None
    side: str | None = None
    dates: Dates = NOTHING
    gaps: bool = False
    header: bool = True
    notes: Sequence[str] = ()


def assemble(rows: Rows, found: Found, path: Path, known: Known) -> VendorTable:
    """Return the bars of a table (ticks become bars of one minute); refuse its first malformed row."""
    lines = Lines(path, rows.line)
    _require_single(rows.table, lines)
    numbers, number_notes = read_numbers(rows.table, found.numbers, lines, gaps=known.gaps)
    times = _times(rows.table, found, lines, known.dates, active(numbers))
    table = pl.DataFrame([times.values.alias("timestamp"), *numbers.get_columns(), rows.line.alias("line")])
    column = found.time[-1]
    stated = known.clock or clock_in(column)
    if times.clock and stated and (stated == "EET" or times.clock not in ("UTC", stated)):
        own = "offset" if times.clock == "UTC" else f"clock, {times.clock}"
        raise VendorError(f"{path}: the header says {column!r}, but the rows carry their own {own}; correct one")
    headed = stated and known.header and not times.clock
    said = (f"the header {column!r} states the clock {stated}",) if headed else ()
    if known.bar == DAY and "open" not in found.numbers:
        _require_days(times.values, found, path)
    clock, ticks = times.clock or stated, "bid" in found.numbers
    length = None if ticks else stated_length(rows.table, found, times.values, rows.line, path)
    timed = (f"column {length[0]!r} says that a bar is {length[1]}",) if length else ()
    unused = [name for name in found.ignored if not length or name != length[0]]
    ignored = (f"not used: {', '.join(unused)}",) if unused else ()
    notes = (*known.notes, *rows.notes, *times.notes, *said, *number_notes, *timed, *ignored)
    if ticks:
        return _from_ticks(table, found, path, known, clock, notes)
    if found.complete:
        table = table.with_columns(_complete(rows.table[found.complete], lines))
    require_last_row(table, path, ended=rows.ended)
    require_roles(table, path)
    require_moves(table, path)
    require_own(table, path)
    bar = known.bar or (length[1] if length else None)
    return VendorTable(table, known.format, clock, bar, known.side, notes)


def of_table(rows: Rows, found: Found) -> Rows:
    """Leave out what stands above the first and below the last row with a time: units, names, sources, remarks."""
    days, numbers = rows.table[found.time[0]], [rows.table[name] for name in found.numbers.values()]
    words = days.str.contains(r"[^\W\d]") & ~days.str.contains(r"\d") & ~days.str.to_lowercase().is_in((*GAPS, "nat"))
    priced = pl.DataFrame(numbers).select(pl.any_horizontal(pl.all().str.contains(NUMBER))).to_series()
    dated = (~(words | ((days == "") & ~priced))).arg_true()
    first, last = (int(dated[0]), int(dated[-1])) if len(dated) else (0, len(days) - 1)
    if last - first + 1 == len(days):
        return rows
    outside = pl.int_range(len(days), eager=True)
    lines = ", ".join(str(line) for line in rows.line.filter(~outside.is_between(first, last)))
    note = f"not of the table, without a time: lines {lines}"
    kept = slice(first, last + 1)
    return replace(rows, table=rows.table[kept], line=rows.line[kept], notes=(*rows.notes, note))


def side_of(found: Found, path: Path) -> str | None:
    """Return the side of the price that all its columns name, or else the file."""
    names = [normal(found.numbers[price]) for price in PRICES if price in found.numbers]
    told = (side for side in SIDES if all(side in (name[:3], name[-3:]) for name in names))
    return next(told, None) or side_in_name(path)


def require_instrument(table: pl.DataFrame, pair: str, path: Path) -> None:
    """Refuse a table that says which pair or currency each row is of, under whatever name, and says another one."""
    for name in table.columns:
        cells, currencies = table[name], _all(table[name], _CODE)
        if normal(name) not in INSTRUMENTS and not currencies and not _all(cells, _PAIR):
            continue
        said = [str(text) for text in (cells.drop_nulls() if currencies else cells).unique().sort()]
        own = pair[:3] if normal(name) in BASES else pair[3:] if normal(name) in COUNTERS else pair
        others = [repr(text) for text in said if (text not in own if currencies else pair.lower() not in normal(text))]
        if others:
            raise VendorError(
                f"{path}: column {name!r} says {', '.join(others[:5])}, but {pair} is asked for; "
                "give a file of this pair alone"
            )


def _require_days(times: pl.Series, found: Found, path: Path) -> None:
    """Refuse prices within days where a format has one a day: whether their times are opens, the user has to say."""
    step = times.unique().sort().diff().median()
    if isinstance(step, datetime.timedelta) and step < datetime.timedelta(hours=12):
        raise VendorError(
            f"{path}: a series of one price a row is read as of days, but its rows are {step} apart (median). Export "
            "candles; or, if these are closes and their times the opens of bars, declare both: "
            f"--column {shlex.quote('timestamp=' + '+'.join(found.time))} --column close=NAME (in a study: format "
            "columns)"
        )


def _all(cells: pl.Series, pattern: str) -> bool:
    # The first cell spares the others: ticks are many.
    return cells.dtype == pl.String and all(some.str.contains(pattern).all() for some in (cells.head(1), cells))


def _require_single(table: pl.DataFrame, lines: Lines) -> None:
    """Refuse prices of a hundred or a thousand units, which a column says they are."""
    fix = "prices are of several units: write what one costs, and leave the column out"
    for cells in table.get_columns():
        one = _UNITS.get(normal(cells.name))
        if one is not None:
            many = (cells.cast(pl.Float64, strict=False) != one).fill_null(value=False)
            if many.any():
                row = int(many.arg_true()[0])
                raise lines.fault(row, f"column {cells.name!r} says {cells[row]}: {fix}")


def _from_ticks(
    ticks: pl.DataFrame, found: Found, path: Path, known: Known, clock: str | None, notes: Sequence[str]
) -> VendorTable:
    side = known.side or "bid"  # as vendors' own bars
    quotes = ticks.select("timestamp", *(name for name in QUOTES if name in ticks.columns))
    if ticks.height > 1 and (quotes["timestamp"].dt.truncate(QUOTED) == quotes["timestamp"]).all():
        raise VendorError(
            f"{path}: all its times are multiples of {QUOTED}: these are no ticks, but quotes of longer bars, which "
            "are known at their end; export candles, or keep the day and one price of daily quotes"
        )
    require_spread(quotes, str(path), found.numbers["bid"], found.numbers["ask"])
    if runs_back(quotes["timestamp"]):  # of several at one instant the last row is the first
        quotes, notes = quotes.reverse(), (*notes, FROM_END)
    bars = bars_from_ticks(quotes, side)
    made = f"{ticks.height} ticks give {bars.height} {side} bars of {TICK_BAR}; a minute without has no bar"
    return VendorTable(bars, known.format, clock, TICK_BAR, side, (*notes, made))


def _times(table: pl.DataFrame, found: Found, lines: Lines, dates: Dates, moved: pl.Series) -> Times:
    columns = [table[name] for name in found.time]
    first = columns[0] if len(columns) == 1 else joined(columns[0], columns[1], lines.path)
    lines.refuse(first.is_null(), lambda _: "there is no time; mend the row, or export it again")
    # Whole numbers: 20240131 is a day, anything longer counts from 1970.
    days = first.dtype.is_integer() and first.is_between(19_000_101, 21_001_231).all()
    if first.dtype == pl.String or days:
        return _of_broker(table, read_times(first.cast(pl.String), lines, dates, moved))
    if first.dtype.is_integer() or first.dtype == pl.Float64:
        return _of_broker(table, read_epochs(first, lines))
    if first.dtype in (pl.Date, pl.Datetime):
        return from_temporal(first, lines)
    raise VendorError(
        f"{lines.path}: column {found.time[0]!r} holds {first.dtype}, expected times, text, or whole numbers since "
        "1970; declare another column"
    )


def _of_broker(table: pl.DataFrame, times: Times) -> Times:
    """Take the counts of MetaTrader's package for Python as times of a clock to be declared, which they are."""
    if times.clock != "UTC" or times.values.dtype != NAIVE or not _METATRADER.issubset(map(normal, table.columns)):
        return times
    said = times.notes[0].replace("which count UTC", "which MetaTrader counts by its broker's clock")
    return Times(times.values, None, (said,))


def _complete(cells: pl.Series, lines: Lines) -> pl.Series:
    words, fix = cells.cast(pl.String).str.to_lowercase(), "mend the cell, or leave the column out"
    lines.refuse(
        ~words.is_in(["true", "false", "1", "0"]).fill_null(value=False),
        lambda row: f"{cells.name} is {cells[row]!r}, expected true or false; {fix}",
    )
    return words.is_in(["true", "1"]).alias("complete")
