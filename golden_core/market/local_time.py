"""From the clock on a vendor's wall to UTC and back: names of clocks, hours that are skipped or repeated.

Whether a file keeps the clock that it is said to keep does not belong here: see ``zones``.
"""

from __future__ import annotations

import datetime
import functools
import re
import zoneinfo
from dataclasses import dataclass

import polars as pl

from golden_core.market.clock import market_open
from golden_core.study.values import BROKER_CLOCKS

FURTHEST = 14  # hours by which a clock can be put forward or back: no place on earth is further from UTC
_SHIFTED = re.compile(r"(?P<zone>.+?)(?:(?P<sign>[+-])(?P<hours>\d\d):(?P<minutes>\d\d))?")


class ZoneError(ValueError):
    """A clock is unknown, contradicted by the file, or gives no instant; the message says where, why, and the fix."""


@dataclass(frozen=True)
class Clock:
    """A wall clock: the rules of an IANA zone, and how far the hands are put forward from them."""

    zone: str
    shift: datetime.timedelta


@dataclass(frozen=True, eq=False)
class Resolved:
    """Instants, and what had to be decided on the way, one sentence each."""

    times: pl.Series
    notes: tuple[str, ...]


def parse_clock(name: str) -> Clock:
    """Return the clock of a name: IANA (``EET`` has European rules), one put forward or back, or ``EET_US``.

    ``UTC+02:00`` and ``America/New_York+07:00`` are put forward; ``EET_US`` is short for the last.
    """
    parts = _SHIFTED.fullmatch(BROKER_CLOCKS.get(name, name))
    within = parts is not None and int(parts["hours"] or 0) <= FURTHEST and int(parts["minutes"] or 0) < 60
    if parts is None or not within or not _exists(parts["zone"]):
        raise ZoneError(
            f"unknown clock {name!r}: expected an IANA name such as Europe/Berlin, a fixed offset such as UTC+02:00, "
            "EET (European rules) or EET_US (New York plus seven hours)"
        )
    shift = datetime.timedelta(hours=int(parts["hours"] or 0), minutes=int(parts["minutes"] or 0))
    return Clock(parts["zone"], -shift if parts["sign"] == "-" else shift)


def from_utc(times: pl.Series, zone: str) -> pl.Series:
    """Return what a clock shows (naive) at UTC instants."""
    clock = parse_clock(zone)
    return times.dt.convert_time_zone(clock.zone).dt.replace_time_zone(None) + clock.shift


def resolve(naive: pl.Series, zone: str, where: str, lines: pl.Series | None = None) -> Resolved:
    """Return the UTC instants of what a vendor's clock showed, in the order of the file; a null stays null.

    An hour shown twice is told apart by order alone: rows that run through it, step back once and run through it again.
    Where that tells nothing and the market is closed at both instants, the first is taken: no price depends on it.
    Where all times are midnights they are days, which begin at their first instant. Anything else is refused, naming
    the line.
    """
    clock = parse_clock(zone)
    table = pl.DataFrame({"naive": naive.dt.cast_time_unit("us")}).with_columns(
        line=pl.int_range(1, pl.len() + 1) if lines is None else lines
    )
    wall = pl.col("naive") - clock.shift
    if (table["naive"].dt.time() == datetime.time()).all():
        begins = day_begins(table["naive"].alias(naive.name), zone)
        if begins.null_count() == naive.null_count():  # on Samoa a whole day was skipped
            return Resolved(begins, ())
    table = table.with_columns(
        _instant(wall, clock.zone, choice).alias(choice) for choice in ("earliest", "latest")
    ).with_columns(repeated=(pl.col("earliest") != pl.col("latest")).fill_null(False))
    _refuse(table.filter(pl.col("earliest").is_null() & pl.col("naive").is_not_null()), zone, where, _SKIPPED)
    if not table["repeated"].any():
        return Resolved(table["earliest"].alias(naive.name), ())
    closed = ~market_open(pl.col("earliest")) & ~market_open(pl.col("latest"))
    table = _pass_through(table).with_columns(closed=closed)
    repeated, decided = pl.col("repeated"), pl.col("decided")
    _refuse(table.filter(repeated & ~decided & ~pl.col("closed")), zone, where, _REPEATED)
    times = table.select(pl.when(repeated & decided & pl.col("again")).then("latest").otherwise("earliest"))
    notes = (
        *_notes(table.filter(repeated & decided), zone, _BY_ORDER),
        *_notes(table.filter(repeated & ~decided), zone, _CLOSED),
    )
    return Resolved(times.to_series().alias(naive.name), notes)


def day_begins(days: pl.Series, zone: str) -> pl.Series:
    """Return the first instants (UTC) of a clock's days, given their midnights (naive)."""
    clock = parse_clock(zone)
    wall = pl.col("naive") - clock.shift
    # Where midnight is skipped, the first quarter of an hour that the clock shows: it goes on at a whole one.
    shown = (_instant(wall + datetime.timedelta(minutes=late), clock.zone, "earliest") for late in range(0, 181, 15))
    return days.to_frame("naive").select(pl.coalesce(shown).alias(days.name)).to_series()


_SKIPPED = "is not a time of {zone}: its clocks skip it. Declare the clock that the file really keeps"
_REPEATED = (
    "happens twice in {zone}, and the order of the rows does not tell which is meant. "
    "Export the file with offsets or in UTC"
)

_BY_ORDER = "told apart by their order"
_CLOSED = "which of the two does not show: the market is closed in both, and the first is taken"


@functools.cache
def _exists(zone: str) -> bool:
    try:
        zoneinfo.ZoneInfo(zone)
        # The system's folder of zones has names that polars does not know, such as localtime.
        pl.Series([0]).cast(pl.Datetime("us", "UTC")).dt.convert_time_zone(zone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError, pl.exceptions.ComputeError):
        return False
    return True


def _instant(wall: pl.Expr, zone: str, choice: str) -> pl.Expr:
    """Return the first or last instant at which the clocks of a zone show a time; null if they never do."""
    local = wall.dt.replace_time_zone(zone, ambiguous=pl.lit(choice), non_existent="null")
    return local.dt.convert_time_zone("UTC")


def _pass_through(table: pl.DataFrame) -> pl.DataFrame:
    """Add ``again`` (after the step back) and ``decided`` (the order tells) to each run of rows in a repeated hour."""
    step = pl.col("naive").diff()
    new = (pl.col("repeated") != pl.col("repeated").shift()) | (step.abs() > datetime.timedelta(days=1))
    back = (step <= datetime.timedelta()).fill_null(False) & ~pl.col("new")
    table = table.with_columns(new=new.fill_null(True)).with_columns(run=pl.col("new").cum_sum(), back=back, step=step)
    # The same minute twice is a repeated hour only where a bar is as long as the hour: elsewhere it is a duplicate.
    stands = (pl.col("back") & (pl.col("step") == datetime.timedelta())).any() & (pl.len() != 2)
    ahead = (pl.col("step").first() > datetime.timedelta()).fill_null(True)
    after = (pl.col("step").shift(-1) > datetime.timedelta()).fill_null(True)
    table = table.with_columns(after=after)
    return table.with_columns(
        again=pl.col("back").cum_sum().over("run") > 0,
        decided=((pl.col("back").sum() == 1) & ~stands & ahead & pl.col("after").last()).over("run"),
    )


def _refuse(faults: pl.DataFrame, zone: str, where: str, why: str) -> None:
    if not faults.is_empty():
        line, time = faults.row(0, named=True)["line"], faults["naive"][0]
        more = f" ({faults.height - 1} more such lines)" if faults.height > 1 else ""
        raise ZoneError(f"{where}: line {line}: {time} {why.format(zone=zone)}{more}")


def _notes(repeated: pl.DataFrame, zone: str, how: str) -> tuple[str, ...]:
    """Say which rows of repeated hours were told apart, and how."""
    runs = repeated.group_by("run", maintain_order=True).agg(
        pl.len(), pl.col("line").first(), pl.col("line").last().alias("last"), pl.col("naive").first()
    )
    return tuple(
        f"lines {row['line']} to {row['last']}: {row['len']} rows from {row['naive']}, an hour that {zone} has twice, "
        f"{how}"
        for row in runs.iter_rows(named=True)
    )
