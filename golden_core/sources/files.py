"""Source `files`: one file of bars per pair, in a vendor's format or with declared columns. No format's own rules."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Annotated, ClassVar, cast

import polars as pl
from pydantic import AfterValidator, BaseModel, Field
from pydantic_core import PydanticCustomError

from golden_core.bars.cleaning.own import epoch_zero
from golden_core.bars.fixings import require_fixings
from golden_core.bars.importing import hash_source
from golden_core.bars.reading import read_bars
from golden_core.market.local_time import ZoneError, from_utc
from golden_core.sources.base import Source, SourceError, parse_settings
from golden_core.sources.ecb_history import find_history, read_rates
from golden_core.store.health import openable
from golden_core.store.schema import BARS
from golden_core.study import DataSection, Section
from golden_core.study.messages import SAID
from golden_core.study.section import Rule
from golden_core.study.values import Pair
from golden_core.vendors import reader
from golden_core.vendors.base import VendorError
from golden_core.vendors.detect import AUTO

DECLARED = "columns"


def _known_format(name: str) -> str:
    if name not in (AUTO, DECLARED):
        try:
            reader(name)
        except VendorError as error:
            message = f"must be {DECLARED}, {AUTO}, or a reader: {error}"
            raise PydanticCustomError(SAID, "{message}", {"message": message}) from None
    return name


def _only_declared(columns: object, format: str) -> str | None:  # noqa: ARG001
    return None if format == DECLARED else f"must be null with format {format}, which knows its columns"


class Columns(Section):
    """What the file calls each column; null where it has none."""

    timestamp: str = Field(description="open of the bar")
    open: str | None
    high: str | None
    low: str | None
    close: str
    volume: str | None


class FilesSettings(Section):
    """Which file holds which pair, and how it is read."""

    format: Annotated[str, AfterValidator(_known_format)] = Field(
        description="columns (declared below), auto (each file's format is detected), or the name of a reader"
    )
    paths: dict[Pair, str] = Field(description="pair → a file, relative to Golden's home")
    columns: Columns | None = Field(description="names of the columns with format columns, else null")

    RULES: ClassVar = (Rule((DECLARED, "format"), _only_declared),)


class Files(Source):
    """Bars stamped at their open; a bar is known when it closes, ``data.bar`` later."""

    Settings: ClassVar[type[BaseModel]] = FilesSettings

    def read(self, data: DataSection, root_seed: int, home: Path) -> pl.DataFrame:  # noqa: ARG002
        """Return the bars (``schema.BARS``) of every pair, in the order of the files; errors name the pair."""
        settings = parse_settings(FilesSettings, data)
        found = {pair: _read_pair(settings, data, pair, home) for pair in data.pairs}
        closes = [pair for pair, bars in found.items() if "open" not in bars.columns]
        if 0 < len(closes) < len(found):
            of_candles = ", ".join(pair for pair in found if pair not in closes)
            raise SourceError(
                f"{', '.join(closes)}: closes alone, where {of_candles} has opens, highs and lows: bars of one study "
                "have the same prices; bring files of one kind, or declare the close alone (format: columns)"
            )
        return BARS.conform(pl.concat(found.values(), how="diagonal"))

    def bars(self, raw: pl.DataFrame, data: DataSection, pair: str) -> pl.DataFrame:  # noqa: ARG002
        """Return the bars of one pair."""
        return raw.filter(pl.col("pair") == pair)

    def last_day(self, raw: pl.DataFrame, data: DataSection) -> datetime.date:
        """Return the last day that is over in the files of all pairs: a bar of a later day follows it."""
        days = raw.select("pair", day=from_utc(raw["timestamp"], data.time_zone).dt.date())
        over = days.filter(pl.col("day") < pl.col("day").max().over("pair"), pl.col("day") >= data.start)
        ends = over.group_by("pair").agg(pl.col("day").max())
        if ends.height < len(data.pairs):
            raise SourceError(f"not every pair has a day from {data.start} on that a later bar shows to be over")
        return cast(datetime.date, ends["day"].min())

    def describe(self, data: DataSection, home: Path) -> dict[str, str]:
        """Return path and SHA-256 of every pair's file."""
        settings = parse_settings(FilesSettings, data)
        paths = {pair: _path(settings, pair, home) for pair in data.pairs}
        return {
            "source": "files",
            "format": settings.format,
            "licence": "as agreed with the vendor",
            "first_day": str(data.start),
            "last_day": str(data.model_dump(mode="json")["end"]),  # or that it is the latest
            **{f"file {pair}": settings.paths[pair] for pair in paths},
            **{f"sha256 {pair}": hash_source(path) for pair, path in paths.items()},
        }


def _path(settings: FilesSettings, pair: str, home: Path) -> Path:
    if pair not in settings.paths:
        raise SourceError(f"{pair}: data.settings.paths has no file for it, only for {', '.join(settings.paths)}")
    path = home / settings.paths[pair]
    if not path.exists():
        raise SourceError(f"{pair}: there is no file {path}")
    return openable(path)


def _read_pair(settings: FilesSettings, data: DataSection, pair: str, home: Path) -> pl.DataFrame:
    path = _path(settings, pair, home)
    if settings.format == DECLARED and settings.columns is None:
        raise SourceError("data.settings.columns is null: format columns needs the name of each column; or take auto")
    try:
        reading = read_bars(
            path,
            pair,
            format=AUTO if settings.columns else settings.format,
            zone=data.time_zone,
            bar=data.bar,
            columns=settings.columns.model_dump() if settings.columns else None,
        )
        require_fixings(reading.bars, pair, read_rates(find_history(None, home)), path)
    except (VendorError, ZoneError) as error:
        raise SourceError(f"{pair}: {error}") from error
    days = from_utc(reading.bars["timestamp"], data.time_zone).dt.date()
    asked = days.is_between(data.start, data.end)
    if not asked.any():
        raise SourceError(f"{pair}: {path} has no bar from {data.start} to {data.end}")
    # A row without a time is of no day, and cleaning has to account for it.
    return reading.bars.filter(asked | epoch_zero())
