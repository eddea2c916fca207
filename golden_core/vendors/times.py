"""Times as vendors write them, made naive or UTC instants; two readings are refused. No zone is believed here."""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import polars as pl

from golden_core.vendors.base import VendorError
from golden_core.vendors.text import Lines

Order = Literal["day_first", "month_first", "year_first"]
ORDERS: tuple[Order, ...] = ("day_first", "month_first", "year_first")
_SAID = dict(zip(ORDERS, ("day before month", "month before day", "year before month"), strict=True))
NAIVE = pl.Datetime("us")

_DATE = (
    r"(?P<date>\d{4}(?P<y>[-./])\d{1,2}(?P=y)\d{1,2}|\d{8}|\d{6}|(?P<month>[A-Z][a-z]{2,8}) \d{1,2}(?P<comma>,?) \d{4}"
    r"|\d{1,2}(?P<d>[-./ ])(?:\d{1,2}|(?P<name>[A-Za-z]{3,9}))(?P=d)(?P<century>\d\d)?\d\d)"
)
_CLOCK = (
    r"(?P<clock>(?:[01]?\d|2[0-3]):\d{2}(?P<seconds>:\d{2}(?:\.\d{1,9})?)?(?P<half> ?[AaPp][Mm])?"
    r"|\d{4}(?:\d\d(?P<milli>\d{3})?)?)"
)
_ZONE = r"(?P<zone> ?(?:GMT|UTC)?(?P<offset>[+-]\d{2}:?\d{2})| ?(?:GMT|UTC)|Z)"
_TIME = re.compile(rf"{_DATE}(?:(?P<between> ){_CLOCK}{_ZONE}?)?")
_COMPACT = r"^((?:19|20)\d{6})(\d{4}(?:\d\d)?)$"  # as a count since 1970 it would be before 1980
_FIRST_YEAR, _LAST_YEAR = 1970, 2100  # epoch zero is a year that cleaning must see
_HINTS = {
    r".* (\d{1,3}|\d{5})": " with a time of day of four or six digits, whose zeros are not lost",
    r".* \d{1,2}\.\d\d(\.\d\d)?": " with colons in its time of day",
    r".*'\d\d": " with a year of four digits",
    r"\d{1,2}:\d\d.*|\d{4}|\d{6}": " with its day before it; declare both with --column timestamp=DAY+TIME",
    r"(.*\D)?25[4-7]\d[-/.]?(0\d|1[0-2])[-/.]?\d\d.*": " of our calendar: take 543 off its Buddhist year",
    r"\d{5}(\.\d+)?": ", but a spreadsheet's count of days; write dates",
    r"\d{4}[-/.M]?\d\d": ", but a month, whose price is known at its end: take days",
    r"(.*\D)?(1[0-8]\d|19[0-6])\d(\D.*)?": f" between {_FIRST_YEAR} and {_LAST_YEAR}: leave older rows out",
}
_WEEKDAY = r"^(?:Mon|Tues?|Wed(?:nes)?|Thu(?:rs)?|Fri|Sat(?:ur)?|Sun)(?:day)?,? "
_NAMED = re.compile(r".*(?P<end> (?P<clock>[A-Z][A-Za-z]+/[A-Za-z_/]+))")  # as Interactive Brokers writes it
_BETWEEN = r"^([^:]*\d)(?: *[T_,;-] *|  +)(\d{1,2}:\d)"  # ISO 8601 allows T; files that have been edited mix them
_WITH_T = r"^([0-9./-]+)T([0-9])"
_KANJI = r"^(\d{4})年(\d{1,2})月(\d{1,2})日 ?"
_EXPONENT = r"\d(\.\d+)?[eE]\+?\d\d?"
_EPOCH = rf"0|\d{{9,19}}(\.\d*)?|{_EXPONENT}"
_LONGEST_GAP = 300  # days
_EPOCH_UNITS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
_EPOCH_SPAN = (315_532_800, 4_102_444_800)  # 1980 to 2100, in seconds: the units' ranges do not meet


@dataclass(frozen=True, eq=False)
class Times:
    """Instants of every row: naive microseconds as written, by a clock that rows may name, or UTC by their offsets."""

    values: pl.Series
    clock: str | None
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Dates:
    """The order of day and month: the user's word, and the vendor's way of writing dates with dots."""

    declared: Order | None = None
    convention: Order | None = None


NOTHING = Dates()


def read_times(texts: pl.Series, lines: Lines, dates: Dates, active: pl.Series) -> Times:
    """Read a column of times; refuse what is no time, several forms, or an order of day and month nobody can tell.

    ``active`` marks bars in which the price moved or something was traded: only they know about weekends.
    """
    named = _NAMED.fullmatch(texts[0])
    if named:
        read = read_times(texts.str.strip_suffix(named["end"]), lines, dates, active)
        note = f"each row names its clock, {named['clock']}"
        return replace(read, clock=read.clock or named["clock"], notes=(*read.notes, note))  # an offset says more
    texts = texts.str.replace(_WEEKDAY, "").str.replace(_KANJI, "$1-$2-$3 ").str.strip_chars_end()
    first = texts[0]
    if re.fullmatch(_COMPACT, first):
        texts = texts.str.replace(_COMPACT, "$1 $2")
    elif re.fullmatch(_EPOCH, first):
        return _text_epochs(texts, lines)
    for form in (_BETWEEN, _WITH_T):
        texts = texts.str.replace(form, "$1 $2")
    shape = _TIME.fullmatch(texts[0])
    if shape is None:
        raise lines.fault(0, _not_a_time(first))
    forms = _forms(shape)
    clock = shape["clock"] or ":"
    digits = r"\d" if ":" in clock else rf" \d{{{len(clock)}}}(\D|$)"  # where zeros are lost, 100 would be ten o'clock
    readings = {order: _parse(texts, form, digits) for order, form in forms.items()}
    dotted = shape["d"] == "." and shape["century"] is not None
    order, notes = _choose(readings, texts, lines, dates, active, dotted=dotted)
    values = readings[order]
    same = f" like {texts[0]!r} in {lines.named(0)}"
    lines.refuse(values.is_null(), lambda row: _not_a_time(texts[row], same if row else ""))
    _require_one_order(values, texts, lines)
    zoned = shape["zone"] is not None
    if zoned and shape["offset"] is None:
        values = values.dt.replace_time_zone("UTC")
    if zoned:
        notes = (*notes, "each row carries its offset from UTC")
    return Times(values, "UTC" if zoned else None, notes)


def _text_epochs(texts: pl.Series, lines: Lines) -> Times:
    scaled, like = texts.str.contains(rf"^{_EXPONENT}$"), f" like {texts[0]!r}, a number since 1970"
    others = ~(scaled | texts.str.contains(r"^\d{1,19}(\.\d*)?$"))
    lines.refuse(others, lambda row: _not_a_time(texts[row], like))
    whole = texts.str.replace(r"\.0*$", "")
    # Floats cannot hold nanoseconds.
    read = read_epochs(whole.cast(pl.Float64) if whole.str.contains(r"\D").any() else whole, lines)
    why = "a spreadsheet's short form of a number has lost digits; export whole numbers, or dates"
    lost = scaled & (read.values != read.values.dt.truncate("1m"))
    lines.refuse(lost, lambda row: f"{texts[row]!r} is no whole minute: {why}")
    return read


def read_epochs(counts: pl.Series, lines: Lines) -> Times:
    """Read counts since 1970, their unit told by size (1980 to 2100); zeros stay, for cleaning to find."""
    if counts.dtype == pl.Float64:
        written, fix = counts, "export whole numbers, or dates"
        lines.refuse(counts.floor() != counts, lambda row: f"{written[row]} is no whole number since 1970; {fix}")
    counts = counts.cast(pl.Int64, strict=False).fill_null(-1)  # beyond what 64 bits hold, and beyond all times
    low, high = _EPOCH_SPAN
    told = counts.filter(counts != 0)
    fitting = [unit for unit, size in _EPOCH_UNITS.items() if told.is_between(low * size, high * size).all()]
    if len(told) == 0 or len(fitting) != 1:
        digits = len(str(abs(int(told[0])))) if len(told) else 0
        bounds = min(_EPOCH_UNITS.values(), key=lambda unit: abs(digits - len(str(10**9 * unit))))
        odd = ((counts != 0) & ~counts.is_between(low * bounds, high * bounds)).arg_true()
        row = int(odd[0]) if len(odd) else 0
        raise lines.fault(
            row,
            f"{counts[row]} is no time: seconds, milli-, micro- or nanoseconds since 1970 were expected, from 1980 on "
            "and in one unit for all rows; mend the row, or write dates",
        )
    size = _EPOCH_UNITS[fitting[0]]
    micro = counts * (10**6 // size) if size <= 10**6 else counts // (size // 10**6)
    note = f"times are {fitting[0]} since 1970, which count UTC"
    return Times(micro.cast(NAIVE).alias("timestamp"), "UTC", (note,))


def _forms(shape: re.Match[str]) -> dict[Order, str]:
    """Return the form of the first time for every order of day and month that its digits allow."""
    mark = shape["y"] or shape["d"] or ""
    month, year = "%B" if shape["name"] else "%m", "%Y" if shape["century"] else "%y"
    days: dict[Order, str] = {"day_first": f"%B %d{shape['comma']} %Y" if shape["month"] else f"%Y{mark}%m{mark}%d"}
    if shape["d"] or len(shape["date"]) == len("yymmdd"):
        days = {"day_first": f"%d{mark}{month}{mark}{year}"}
        days |= {} if shape["name"] else {"month_first": f"%m{mark}%d{mark}{year}"}
        days |= {} if shape["century"] else {"year_first": f"%y{mark}{month}{mark}%d"}
    return {order: day + _clock_form(shape) for order, day in days.items()}


def _clock_form(shape: re.Match[str]) -> str:
    if shape["clock"] is None:
        return ""
    if ":" not in shape["clock"]:
        clock = "%H%M%S%3f" if shape["milli"] else "%H%M%S"[: len(shape["clock"])]
    else:
        clock = ("%I" if shape["half"] else "%H") + ":%M" + (":%S%.f" if shape["seconds"] else "")
        if shape["half"]:
            clock += " %p" if shape["half"].startswith(" ") else "%p"
    zone = shape["zone"] or ""
    if shape["offset"]:
        zone = zone.removesuffix(shape["offset"]) + ("%:z" if ":" in shape["offset"] else "%z")
    return shape["between"] + clock + zone


def _parse(texts: pl.Series, form: str, digits: str) -> pl.Series:
    values = texts.str.to_datetime(form, time_unit="us", strict=False).alias("timestamp")
    within = values.dt.year().is_between(_FIRST_YEAR, _LAST_YEAR) & texts.str.contains(digits)
    return values.set(~within.fill_null(value=False), None)


def _choose(
    readings: dict[Order, pl.Series], texts: pl.Series, lines: Lines, dates: Dates, active: pl.Series, *, dotted: bool
) -> tuple[Order, tuple[str, ...]]:
    """Return the order of day and month, and why."""
    if len(readings) == 1:
        return "day_first", ()
    if dates.declared in readings:
        return dates.declared, (f"dates are {_SAID[dates.declared]}, as declared",)
    short = "year_first" in readings  # days can be taken for years of two digits: only rows in order prove anything
    possible = [order for order in readings if readings[order].null_count() == 0]
    if len(possible) < 2:
        order = min(readings, key=lambda each: readings[each].null_count())
        if possible and short and not _runs_one_way(readings[order]):
            # One slip, 45/01/24, makes all other days those of one month in many years.
            raise lines.fault(
                0,
                f"the year of {texts[0]!r} has two digits; all rows are days only as {_SAID[order]}, "
                f"{_span(readings[order])}, and not in order so: mend the row that is no day, or declare the order by "
                f"adding :{' or :'.join(readings)} to the format, such as --format auto:{next(iter(readings))}",
            )
        rows = {int(read.is_null().arg_true()[0]) for each, read in readings.items() if each != order}
        reasons = " and ".join(f"{lines.named(row)}, {texts[row]!r}," for row in sorted(rows))
        return order, (f"dates are {_SAID[order]}: {reasons} has no other reading",)
    readings = {order: readings[order] for order in possible}
    if all(readings[order].equals(readings[possible[0]]) for order in possible):
        return possible[0], ("every day equals its month: the orders of the date are the same",)
    favoured, evidence = _evidence(readings, active, short=short)
    convention = dates.convention if dotted else None
    if favoured and favoured == (convention or favoured):
        return favoured, (f"dates are {_SAID[favoured]}: {evidence}",)
    if convention and favoured is None:
        return convention, (f"dates are {_SAID[convention]}, as this vendor writes them with dots",)
    described = "; or ".join(f"{_SAID[order]}, {_span(readings[order])}" for order in possible)
    ways = "two" if len(possible) == 2 else "three"
    raise lines.fault(
        0,
        f"{texts[0]!r} can be read in {ways} ways: {described}. No day of the file decides, and {evidence}; declare "
        f"the order by adding :{' or :'.join(possible)} to the format, such as --format auto:{possible[0]}",
    )


def _evidence(readings: dict[Order, pl.Series], active: pl.Series, *, short: bool) -> tuple[Order | None, str]:
    """Return the only order of day and month under which time runs one way and no bar falls on a weekend."""
    running = {order for order in readings if _runs_one_way(readings[order])}
    working = {order for order in readings if not _trades_on_weekends(readings[order].filter(active))}
    sane = running & (working or running)
    if len(sane) != 1 or (short and len(running) != 1):
        return None, "neither the order of the rows nor the weekends decide"
    order = next(iter(sane))
    reasons = ["the rows are in order only so"] if len(running) == 1 else []
    reasons += ["no bar falls on a weekend only so"] if len(working) == 1 else []
    return order, " and ".join(reasons)


def _require_one_order(values: pl.Series, texts: pl.Series, lines: Lines) -> None:
    """Refuse days that a spreadsheet or pandas turned round where another country's habit could: up to the twelfth."""
    turns = _turns(values)
    if not turns:
        return
    other = values.dt.strftime("%Y-%d-%m %T").str.to_datetime("%Y-%m-%d %T", time_unit="us", strict=False)
    own = values.dt.replace_time_zone(None).dt.cast_time_unit("us")
    if 2 * _turns(other.fill_null(own)) < turns:
        why = "only so the rows are in order, as if a spreadsheet or pandas turned it round"
        fix = "export the file again, and check how it is read on the way"
        said = f"is written in the other order of day and month than the days beyond 12: {why}; {fix}"
        lines.refuse(own != other, lambda row: f"{str(texts[row])!r} {said}")


def _turns(times: pl.Series) -> int:
    """Return how many steps run against the others."""
    steps = times.diff().dt.total_seconds()
    return min(int((steps < 0).sum()), int((steps > 0).sum()))


def _runs_one_way(times: pl.Series) -> bool:
    """Whether days follow each other without gaps as long as those between days whose number is taken for a year."""
    days = times.dt.date()  # clocks are put back within a day
    sparse = (days.diff().dt.total_days().abs() > _LONGEST_GAP).any()
    return not sparse and bool(days.is_sorted() or days.is_sorted(descending=True))


def _trades_on_weekends(times: pl.Series) -> bool:
    """Whether bars fall where no zone has trade: Saturday after eight, or a Saturday of daily bars."""
    saturday = times.filter(times.dt.weekday() == 6)
    daily = times.dt.time().n_unique() == 1
    return bool(len(saturday) and (daily or (saturday.dt.hour() >= 8).any()))


def _span(times: pl.Series) -> str:
    days = times.drop_nulls().sort().dt.strftime("%d %B %Y")
    return f"from {days[0]} to {days[-1]}"


def _not_a_time(text: str, like: str = "") -> str:
    hint = next((hint for form, hint in _HINTS.items() if re.fullmatch(form, text)), " like 2020-01-31 13:00:00")
    forms = "a spreadsheet turned days of one of the two forms round, or files were joined: export the file again"
    cure = forms if like and _TIME.fullmatch(text) else "mend the row, or export it again"
    return f"{text!r} is not a time{like or hint}; {cure}"


def joined(date: pl.Series, time: pl.Series, path: Path) -> pl.Series:
    """Return days and times of day, as text or typed, as one text."""
    naive = isinstance(date.dtype, pl.Datetime) and date.dtype.time_zone is None
    if date.dtype == pl.Date or (naive and (date.dt.time() == datetime.time()).all()):
        date = date.dt.strftime("%Y-%m-%d")
    typed = not (date.dtype == pl.String or date.dtype.is_integer()) or time.dtype not in (pl.String, pl.Time)
    if typed or ":" in str(date[0]) or re.fullmatch(_EPOCH, str(time[0])):
        raise VendorError(
            f"{path}: columns {date.name!r} and {time.name!r} hold {str(date[0])!r} and {str(time[0])!r}, "
            "expected days and times of day; if one of them is the whole time, declare it with --column "
            "timestamp=NAME (in a study: format columns)"
        )
    return (date.cast(pl.String) + " " + time.cast(pl.String)).alias("timestamp")


def from_temporal(values: pl.Series, lines: Lines) -> Times:
    """Return times of a typed column: dates, naive times, or times with a zone, which become UTC."""
    wild, like = ~values.dt.year().is_between(_FIRST_YEAR, _LAST_YEAR), f" between {_FIRST_YEAR} and {_LAST_YEAR}"
    lines.refuse(wild, lambda row: _not_a_time(str(values[row]), like))
    _require_one_order(values.cast(NAIVE) if values.dtype == pl.Date else values, values, lines)
    if isinstance(values.dtype, pl.Datetime) and values.dtype.time_zone:
        zone = values.dtype.time_zone
        utc = values.dt.cast_time_unit("us").dt.convert_time_zone("UTC")
        return Times(utc.alias("timestamp"), "UTC", (f"the times carry the zone {zone}",))
    return Times(values.cast(NAIVE).alias("timestamp"), None, ())
