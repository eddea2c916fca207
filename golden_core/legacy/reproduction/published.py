"""The published results as the record to be held against: numbers with their rounding, and the rows they belong to."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from golden_core.legacy.audit import Interval, TableError
from golden_core.legacy.audit.bounds import bounds, variances
from golden_core.legacy.audit.headings import Metric
from golden_core.legacy.audit.intervals import common
from golden_core.legacy.audit.table import Row, Table, read_table
from golden_core.legacy.flow.protocol import Facts, Ratios, extents, read_facts
from golden_core.legacy.frozen import FACTS
from golden_core.models.architecture import VARIANTS

METRICS: tuple[Metric, ...] = ("mae", "mse", "rmse", "r2")


class RecordError(ValueError):
    """The record and what is held against it do not fit; the message says what was expected and the fix."""


@dataclass(frozen=True)
class PublishedRow:
    """One variant's published test errors, in prices."""

    variant: str
    shares: str  # of train, validation and test, in percent: "96/2/2"
    values: Mapping[Metric, float]
    intervals: Mapping[Metric, Interval]  # what rounds to the printed numbers
    variance: Interval  # of the test targets: RMSE² / (1 − R²)


@dataclass(frozen=True)
class PublishedSplit:
    """A split of the record: its row counts, and what the rows scored on it imply about its test targets."""

    shares: str
    variants: tuple[str, ...]
    validation_rows: int
    test_rows: int
    targets: int  # of the test rows; the first ones are only looked back on
    variance: Interval | None  # None: its rows cannot have had one test set


@dataclass(frozen=True)
class Record:
    """Everything published that a run is held against, and the file it was computed from."""

    rows: Mapping[str, PublishedRow]
    splits: Mapping[str, PublishedSplit]
    file_rows: int
    last_day: dt.date


def read_record(folder: Path = FACTS) -> Record:
    """Return the published results of v01 … v10; a ``TableError`` if the table lacks a variant or a metric."""
    facts = {variant: read_facts(variant, folder) for variant in VARIANTS}
    table = replace(read_table(folder / "published_results.csv"), averaging="none")
    printed = {row.name.replace("_", ""): row for row in table.rows}
    missing = [variant for variant in VARIANTS if variant not in printed]
    if missing:
        raise TableError(f"{folder / 'published_results.csv'}: no row for {', '.join(missing)}")
    rows = {variant: _row(variant, table, printed[variant], facts[variant].ratios) for variant in VARIANTS}
    members: dict[str, list[str]] = {}
    for variant, row in rows.items():
        members.setdefault(row.shares, []).append(variant)
    splits = {shares: _split(shares, tuple(names), facts[names[0]], rows) for shares, names in members.items()}
    candles = facts[VARIANTS[0]].candles
    return Record(rows, splits, candles.rows, dt.date.fromisoformat(candles.last_day))


def _row(variant: str, table: Table, printed: Row, ratios: Ratios) -> PublishedRow:
    intervals = bounds(printed)
    absent = [metric for metric in METRICS if metric not in intervals]
    if absent:
        raise TableError(f"line {printed.line}: {printed.name} has no usable {', '.join(absent)}")
    values = {metric: float(printed.cells[metric].value) for metric in METRICS}
    variance = variances(table, [printed])[printed.name]
    shares = "/".join(f"{100 * share:.4g}" for share in (ratios.train, ratios.validation, ratios.test))
    return PublishedRow(variant, shares, values, intervals, variance)


def _split(shares: str, variants: tuple[str, ...], facts: Facts, rows: Mapping[str, PublishedRow]) -> PublishedSplit:
    validation, test = extents(facts)["validation"].rows, extents(facts)["test"]
    shared = common(rows[variant].variance for variant in variants)
    return PublishedSplit(shares, variants, len(validation), len(test.rows), len(test.targets), shared)
