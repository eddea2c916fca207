"""From a vendor's file to bars in UTC: format, clock, scale, and when a bar is known. Nothing is written."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from golden_core.bars.lengthening import lengthen
from golden_core.market.clock import MINUTES, bar_close, on_grid
from golden_core.market.clock_reading import some
from golden_core.market.local_time import ZoneError, day_begins, from_utc, parse_clock, resolve
from golden_core.market.zones import ZoneEvidence, active_times, doubts, read_clock, verify_zone
from golden_core.store.health import openable
from golden_core.store.schema import BARS
from golden_core.vendors import choosing
from golden_core.vendors.bar_length import alone, bar_length, disordered, off_grid
from golden_core.vendors.base import FROM_END, Claim, Reader, VendorError, VendorTable, runs_back
from golden_core.vendors.detect import AUTO, detect
from golden_core.vendors.feed import oddities
from golden_core.vendors.plain import declared
from golden_core.vendors.prices import impossible, standing
from golden_core.vendors.scaling import scale
from golden_core.vendors.text import clean_bytes, refuse_packed

PARTIAL = "incomplete"


@dataclass(frozen=True, eq=False)
class Reading:
    """Bars of one file (``schema.BARS``, oldest first or as in the file), and every decision on the way to them.

    ``zone`` is the clock they were read by, ``divisor`` what prices were divided by, ``left_out`` has ``line``,
    ``timestamp`` (UTC) and ``reason`` of rows that are no bars.
    """

    bars: pl.DataFrame
    claim: Claim
    zone: str
    evidence: ZoneEvidence
    bar: str
    side: str | None
    divisor: int
    left_out: pl.DataFrame
    notes: tuple[str, ...]


# Instants of every row, the clock by which they were read, what speaks for it, and notes.
_Timed = tuple[pl.Series, str, ZoneEvidence, tuple[str, ...]]


def read_bars(
    path: Path,
    pair: str,
    *,
    format: str = AUTO,
    zone: str | None = None,
    bar: str | None = None,
    columns: Mapping[str, str | None] | None = None,
) -> Reading:
    """Read one file, or a folder for a format that comes in folders.

    ``format`` is ``auto``, a reader's name, or name and choice; ``zone`` the clock declared
    (``local_time.parse_clock``), None to take the file's own word; ``bar`` a key of ``clock.MINUTES``, None as in the
    file, where shorter bars are cleaned and put together; ``columns`` of a plain table are ours → the file's name, or
    place from 1. A VendorError says that the file is not what it is said to be, or does not state its clock and none
    is declared, a ZoneError that the trading week contradicts the clock, or that a time does not exist on it.
    """
    found, claim, notes = _reader(path, pair, format, columns)
    table = found.read(path, pair)
    if runs_back(table.bars["timestamp"]):  # as some vendors write: that is a style, and no row is out of order
        table = replace(table, bars=table.bars.reverse(), notes=[*table.notes, FROM_END])
    if table.bars.is_empty():
        raise VendorError(f"{path}: the file holds no bar; fetch it again, or leave it out")
    length = bar_length(table.bars, table.bar, bar, path)  # first: what are no bars have no clock to declare
    utc, clock, evidence, told = _timed(table, zone, path)
    scaled = scale(table.bars, pair, str(path))
    dated = scaled.bars.with_columns(utc.alias("timestamp"))
    over = pl.col("complete") if "complete" in dated.columns else pl.lit(value=True)
    whole, left_out = dated.filter(over), dated.filter(~over).select("line", "timestamp", reason=pl.lit(PARTIAL))
    if whole.is_empty():
        raise VendorError(f"{path}: none of its {dated.height} bars is complete; fetch the file again when one is over")
    bars = _finished(whole, pair, length, zone or clock)
    more = [
        *impossible(dated),
        *oddities(dated, MINUTES[length]),
        *off_grid(dated, length),
        *disordered(dated),
        *alone(dated, length),
        *standing(dated, MINUTES[length]),
        *doubts(dated, MINUTES[length], zone or clock),
    ]
    if left_out.height:
        more.append(f"{left_out.height} bars are not complete and left out (first: line {left_out['line'][0]})")
    if bar and bar != length:
        bars, lost, told_too = lengthen(bars, whole["line"], length, bar, clock, path)
        left_out, more = pl.concat([left_out, lost]), [*more, *told_too]
    return Reading(
        bars, claim, clock, evidence, bar or length, table.side, scaled.divisor, left_out,
        (*notes, *table.notes, *told, *scaled.notes, *more),
    )  # fmt: skip


def _reader(
    path: Path, pair: str, format: str, columns: Mapping[str, str | None] | None
) -> tuple[Reader, Claim, tuple[str, ...]]:
    if not columns:
        return detect(openable(path), pair, format)
    if path.is_dir():
        raise VendorError(f"{path} is a folder; columns are declared for one table, a CSV or Parquet file")
    if not path.exists():
        raise VendorError(f"there is no file {path}")
    refuse_packed(openable(path))
    found = declared(path, columns)
    name, _, choice = format.partition(":")
    if found is None:
        clean_bytes(path)
        raise VendorError(
            f"{path}: columns are declared for Parquet or for text with a header, and this file is neither"
        )
    if name not in (AUTO, found.name):
        raise VendorError(f"{path}: with declared columns the format is {found.name}, got {name}: give one of them")
    return choosing(found, choice), Claim(found.name, "its columns were declared"), ()


def _timed(table: VendorTable, zone: str | None, path: Path) -> _Timed:
    """Read the times by the declared clock, else by the file's own, and hold it against the trading week."""
    times = table.bars["timestamp"]
    if times.dtype == pl.Datetime("us", "UTC"):
        return _offset(table, zone, path)
    chosen = zone or table.clock
    if chosen is None:
        raise VendorError(_unsaid(table, path))
    evidence = _verified(table.bars, chosen, path, declared=zone is not None)
    resolved = resolve(times, chosen, str(path), table.bars["line"])
    notes = () if table.clock is None else _overruled(table, table.clock, chosen, resolved.times, path)
    return resolved.times, chosen, evidence, (*notes, *resolved.notes)


def _overruled(table: VendorTable, own: str, zone: str, utc: pl.Series, path: Path) -> tuple[str, ...]:
    """Allow a declaration to overrule the file's own word only where the trading week speaks against that word."""
    try:
        if parse_clock(own) == parse_clock(zone):
            return ()
    except ZoneError:
        return (f"the file says {own}, which is no clock known here: it is read by {zone}, as declared",)
    try:
        verify_zone(active_times(table.bars), own)
    except ZoneError:
        return (f"the file says {own}, which the trading week contradicts: it is read by {zone}, as declared",)
    if resolve(table.bars["timestamp"], own, str(path), table.bars["line"]).times.equals(utc):
        return ()
    raise VendorError(
        f"{path}: the file says its clock is {own}, the declaration says {zone}, and the trading week does not speak "
        f"against the file; declare {own} (--zone, in a study data.time_zone), or correct the file"
    )


def _offset(table: VendorTable, zone: str | None, path: Path) -> _Timed:
    """Take the offset that every row carries, unless the trading week speaks against it and for the declared clock."""
    naive = table.bars.with_columns(pl.col("timestamp").dt.replace_time_zone(None))
    try:
        evidence = _verified(naive, "UTC", path, declared=False)
    except ZoneError:
        if zone is None or parse_clock(zone) == parse_clock("UTC"):
            raise
        evidence = _verified(naive, zone, path, declared=True)
        resolved = resolve(naive["timestamp"], zone, str(path), table.bars["line"])
        note = f"the rows say UTC, which the trading week contradicts: they are read by {zone}, as declared"
        return resolved.times, zone, evidence, (note, *resolved.notes)
    other = zone and parse_clock(zone) != parse_clock("UTC")
    notes = (f"every row carries its own offset, which counts; {zone} only says where days begin",) if other else ()
    return table.bars["timestamp"], "UTC", evidence, notes


def _verified(naive: pl.DataFrame, zone: str, path: Path, *, declared: bool) -> ZoneEvidence:
    try:
        return verify_zone(active_times(naive), zone)
    except ZoneError as error:
        own = "" if declared else ". The clock is the file's own word: declare the right one with --zone."
        raise ZoneError(f"{path}: {error}{own}") from None


def _unsaid(table: VendorTable, path: Path) -> str:
    found = read_clock(active_times(table.bars))
    daily = table.bars["timestamp"].diff().abs().median() == datetime.timedelta(days=1)
    few = "whole days do not show where they begin" if daily else "it has too few weekends to read one off"
    read = found.summary if found.segments else few
    clear = found.verdict == "read" and len(found.segments) == 1
    names = found.segments[0].zones if clear else ("UTC", "EET", "EET_US")
    example = names[0] if len(names) == 1 else f"NAME, such as {some(names)}"
    return (
        f"{path}: the file does not state its clock, and none is declared; {read}. Ask the vendor, then declare it: "
        f"--zone {example} (in a study: data.time_zone)"
    )


def _finished(bars: pl.DataFrame, pair: str, bar: str, zone: str) -> pl.DataFrame:
    """Return ``schema.BARS``: each bar is known when it closes."""
    closes = bar_close(pl.col("timestamp"), bar)
    if bar == "1d":
        # A day that does not begin at 17:00 New York is one of the vendor's calendar: 23 to 25 hours.
        day = day_begins(from_utc(bars["timestamp"], zone) + datetime.timedelta(days=1), zone)
        closes = pl.when(on_grid(pl.col("timestamp"), bar)).then(closes).otherwise(day)
    known = [name for name in BARS.dtypes if name in bars.columns]
    return BARS.conform(bars.select(known).with_columns(pair=pl.lit(pair), available_at=closes))
