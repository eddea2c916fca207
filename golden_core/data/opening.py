"""A file on its way to the doctor: which pair, which clock, how long its bars are. Nothing is cleaned."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import polars as pl

from golden_core.data.clock import MINUTES
from golden_core.data.doctor import Patient
from golden_core.data.local_time import from_utc
from golden_core.data.sources.base import SourceError
from golden_core.data.zones import active_times, read_clock, to_utc
from golden_core.lake import hash_file
from golden_core.schema import BARS, UTC_TIME

COLUMNS = ("timestamp", "open", "high", "low", "close", "volume")
_PAIR = re.compile(r"(?<![A-Z])[A-Z]{6}(?![A-Z])")


def open_file(path: Path, *, pair: str | None = None, zone: str | None = None) -> Patient:
    """Read a Parquet or CSV file with the columns timestamp, open, high, low, close and volume.

    Parameters
    ----------
    path : Path
    pair : str, optional
        By default the six capitals in the file's name.
    zone : str, optional
        The clock of times without a zone of their own; they must have one or be declared.

    Raises
    ------
    SourceError
        If the file is not such a table, or its pair or clock is neither stated nor declared.
    ZoneError
        If a time does not exist on the declared clock.
    """
    table = _read(path)
    name = pair or next(iter(_PAIR.findall(path.stem)), None)
    if name is None:
        raise SourceError(f"{path}: its name holds no pair such as EURUSD; declare it with --pair")
    times = table["timestamp"]
    aware = isinstance(times.dtype, pl.Datetime) and times.dtype.time_zone is not None
    if not aware and zone is None:
        found = read_clock(active_times(table))
        raise SourceError(f"{path}: its times have no zone: declare it with --zone ({found.summary})")
    clock = zone or "UTC"
    utc = times.cast(UTC_TIME) if aware else to_utc(times, clock, str(path))
    apart = np.median(np.diff(utc.unique().sort().to_physical().to_numpy())) / 60e6
    bar = next((bar for bar, length in MINUTES.items() if length == apart), None)
    if bar is None:
        raise SourceError(f"{path}: bars are {apart:g} minutes apart (median), expected one of {', '.join(MINUTES)}")
    bars = table.with_columns(
        pair=pl.lit(name), timestamp=utc, available_at=utc.dt.offset_by(f"{MINUTES[bar]}m")
    ).select(column for column in BARS.dtypes if column in {*table.columns, "pair", "available_at"})
    naive = table.with_columns(timestamp=from_utc(utc, clock))
    return Patient(
        bars=BARS.conform(bars),
        bar=bar,
        zone=clock,
        evidence=read_clock(active_times(naive)).summary,
        source={"file": path.name, "sha256": hash_file(path), "rows": f"{table.height:,}", "bar": bar, "licence": ""},
    )


def _read(path: Path) -> pl.DataFrame:
    if not path.is_file():
        raise SourceError(f"there is no file {path}")
    try:
        table = pl.read_parquet(path) if path.suffix == ".parquet" else pl.read_csv(path, try_parse_dates=True)
    except pl.exceptions.PolarsError as error:
        raise SourceError(f"{path} cannot be read: {str(error).splitlines()[0]}") from error
    table = table.rename({name: name.strip().lower() for name in table.columns})
    if not {"timestamp", "close"} <= set(table.columns) or not isinstance(table.schema["timestamp"], pl.Datetime):
        raise SourceError(f"{path}: expected columns timestamp (times) and close, got {', '.join(table.columns)}")
    prices = [name for name in COLUMNS[1:] if name in table.columns]
    return table.select(pl.col("timestamp").dt.cast_time_unit("us"), pl.col(prices).cast(pl.Float64))
