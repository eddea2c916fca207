"""Source `files`: one Parquet or CSV file of bars per pair, with declared columns. No vendor's own format."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import numpy as np
import polars as pl
from pydantic import BaseModel, Field

from golden_core.data.sources.base import Source, SourceError, parse_settings
from golden_core.lake import hash_file
from golden_core.schema import BARS
from golden_core.study import DataSection, Section
from golden_core.study.values import Pair

PRICES = ("open", "high", "low", "close", "volume")
CSV_TIME = "%Y-%m-%d %H:%M:%S%.f"


class Columns(Section):
    """What the file calls each column; null where it has none."""

    timestamp: str = Field(description="open of the bar")
    open: str | None
    high: str | None
    low: str | None
    close: str
    volume: str | None


class FilesSettings(Section):
    """Which file holds which pair."""

    paths: dict[Pair, str] = Field(description="pair → a .parquet or .csv file, relative to Golden's home")
    columns: Columns


class Files(Source):
    """Bars stamped at their open; a bar is known when it closes, ``data.bar`` later."""

    Settings: ClassVar[type[BaseModel]] = FilesSettings

    def read(self, data: DataSection, root_seed: int, home: Path) -> pl.DataFrame:  # noqa: ARG002
        """Return the bars (``schema.BARS``) of every pair, in the order of the files.

        Raises
        ------
        SourceError
            Naming the pair: a file or column is missing, a cell is not what its column says, a local time does not
            exist or is ambiguous, or the bars are not as long as ``data.bar``.
        """
        settings = parse_settings(FilesSettings, data)
        return pl.concat([_read_pair(settings, data, pair, home) for pair in data.pairs])

    def bars(self, raw: pl.DataFrame, data: DataSection, pair: str) -> pl.DataFrame:  # noqa: ARG002
        """Return the bars of one pair."""
        return raw.filter(pl.col("pair") == pair)

    def describe(self, data: DataSection, home: Path) -> dict[str, str]:
        """Return path and SHA-256 of every pair's file."""
        settings = parse_settings(FilesSettings, data)
        paths = {pair: _path(settings, pair, home) for pair in data.pairs}
        return {
            "source": "files",
            "licence": "as agreed with the vendor",
            "first_day": str(data.start),
            "last_day": str(data.end),
            **{f"file {pair}": settings.paths[pair] for pair in paths},
            **{f"sha256 {pair}": hash_file(path) for pair, path in paths.items()},
        }


def _path(settings: FilesSettings, pair: str, home: Path) -> Path:
    if pair not in settings.paths:
        raise SourceError(f"{pair}: data.settings.paths has no file for it, only for {', '.join(settings.paths)}")
    path = home / settings.paths[pair]
    if not path.is_file():
        raise SourceError(f"{pair}: there is no file {path}")
    if path.suffix not in {".parquet", ".csv"}:
        raise SourceError(f"{pair}: {path} must be a .parquet or a .csv file")
    return path


def _read_pair(settings: FilesSettings, data: DataSection, pair: str, home: Path) -> pl.DataFrame:
    path = _path(settings, pair, home)
    table = _table(path, settings.columns, pair)
    table = table.with_columns(timestamp=_utc(table["timestamp"], data.time_zone, f"{pair}: {path}"))
    _require_bar_length(table["timestamp"], data.bar, f"{pair}: {path}")
    local = pl.col("timestamp").dt.convert_time_zone(data.time_zone)
    bars = table.with_columns(
        pair=pl.lit(pair),
        # In local time, so that a daily bar ends at midnight also on the day the clocks change.
        available_at=local.dt.offset_by(data.bar).dt.convert_time_zone("UTC"),
    ).filter(local.dt.date().is_between(data.start, data.end))
    if bars.is_empty():
        raise SourceError(f"{pair}: {path} has no bar from {data.start} to {data.end}")
    return BARS.conform(bars)


def _table(path: Path, columns: Columns, pair: str) -> pl.DataFrame:
    """Read the declared columns under the names of the schema, prices as numbers."""
    try:
        table = pl.read_parquet(path) if path.suffix == ".parquet" else pl.read_csv(path, infer_schema=False)
    except pl.exceptions.PolarsError as error:
        raise SourceError(f"{pair}: {path} cannot be read: {str(error).splitlines()[0]}") from error
    names = {ours: theirs for ours, theirs in columns.model_dump().items() if theirs is not None}
    for ours, theirs in names.items():
        if theirs not in table.columns:
            raise SourceError(f"{pair}: {path} has no column {theirs!r} for {ours}; it has {', '.join(table.columns)}")
    table = table.select(pl.col(theirs).alias(ours) for ours, theirs in names.items())
    numbers = table.with_columns(pl.col(name).cast(pl.Float64, strict=False) for name in PRICES if name in names)
    for name in names:
        faults = (numbers[name].is_null() & table[name].is_not_null()).arg_true()
        if len(faults):
            cell, row = table[name][faults[0]], faults[0] + 1
            raise SourceError(f"{pair}: {path}: row {row}: column {names[name]}: {cell!r} is not a number")
    return numbers


def _utc(times: pl.Series, zone: str, where: str) -> pl.Series:
    """Return times in UTC; a time without a zone is the vendor's."""
    if times.dtype == pl.String:
        iso = times.str.replace("T", " ", literal=True)
        parsed = iso.str.to_datetime(CSV_TIME, time_unit="us", strict=False)
    elif isinstance(times.dtype, pl.Datetime):
        parsed = times.dt.cast_time_unit("us")
    else:
        raise SourceError(f"{where}: timestamps are {times.dtype}, expected times or text")
    _require_times(parsed, times, "a time like 2020-01-31 13:00:00 without an offset", where)
    if parsed.dtype == pl.Datetime("us"):
        parsed = parsed.dt.replace_time_zone(zone, ambiguous="null", non_existent="null")
        _require_times(parsed, times, f"a time that exists exactly once in {zone}", where)
    return parsed.dt.convert_time_zone("UTC")


def _require_times(parsed: pl.Series, given: pl.Series, expected: str, where: str) -> None:
    faults = parsed.is_null().arg_true()
    if len(faults):
        row, value = faults[0], str(given[faults[0]])
        raise SourceError(f"{where}: row {row + 1}: timestamp {value!r} is not {expected}")


def _require_bar_length(times: pl.Series, bar: str, where: str) -> None:
    """Refuse bars of another length: a 4-hour bar taken for an hour would be known three hours too early."""
    hours = times.unique().sort().diff().drop_nulls().dt.total_seconds().to_numpy() / 3600
    declared = {"1h": 1, "4h": 4, "1d": 24}[bar]
    if len(hours) and np.median(hours) != declared:
        raise SourceError(f"{where}: bars are {np.median(hours):g} hours apart (median), but data.bar says {bar}")
