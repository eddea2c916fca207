"""The legacy paper's own table: its numbers with their rounding, the splits of its rows, its claims, its audit."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from golden_core.legacy.audit.auditing import Audit, audit_table
from golden_core.legacy.audit.bounds import bounds, variances
from golden_core.legacy.audit.claims import read_claims
from golden_core.legacy.audit.grid import TableError
from golden_core.legacy.audit.headings import Metric
from golden_core.legacy.audit.intervals import Interval, common
from golden_core.legacy.audit.splits import SplitHypothesis
from golden_core.legacy.audit.table import Row, Table, read_table
from golden_core.legacy.flow.protocol import Facts, Ratios, extents, read_facts
from golden_core.legacy.frozen import FACTS
from golden_core.models.architecture import VARIANTS

_TABLE = FACTS / "published_results.csv"
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


def read_record() -> Record:
    """Return the published results of v01 … v10."""
    facts = {variant: read_facts(variant) for variant in VARIANTS}
    table = replace(read_table(_TABLE), averaging="none")
    printed = {row.name.replace("_", ""): row for row in table.rows}
    rows = {variant: _row(variant, table, printed[variant], facts[variant].ratios) for variant in VARIANTS}
    members: dict[str, list[str]] = {}
    for variant, row in rows.items():
        members.setdefault(row.shares, []).append(variant)
    splits = {shares: _split(shares, tuple(names), facts[names[0]], rows) for shares, names in members.items()}
    candles = facts[VARIANTS[0]].candles
    return Record(rows, splits, candles.rows, dt.date.fromisoformat(candles.last_day))


def _row(variant: str, table: Table, printed: Row, ratios: Ratios) -> PublishedRow:
    intervals = bounds(printed)
    values = {metric: float(printed.cells[metric].value) for metric in METRICS}
    variance = variances(table, [printed])[printed.name]
    shares = "/".join(f"{100 * share:.4g}" for share in (ratios.train, ratios.validation, ratios.test))
    return PublishedRow(variant, shares, values, intervals, variance)


def _split(shares: str, variants: tuple[str, ...], facts: Facts, rows: Mapping[str, PublishedRow]) -> PublishedSplit:
    validation, test = extents(facts)["validation"].rows, extents(facts)["test"]
    shared = common(rows[variant].variance for variant in variants)
    return PublishedSplit(shares, variants, len(validation), len(test.rows), len(test.targets), shared)


def published_errors(metric: Metric) -> dict[str, float]:
    """Return one published test metric by variant, ``v01`` … ``v10``."""
    return {variant: row.values[metric] for variant, row in read_record().rows.items()}


def published_splits() -> SplitHypothesis:
    """Return the split of every published row, as the legacy code makes it; rows are named as in the paper."""
    record = read_record()
    shares = {variant.replace("v", "v_"): row.shares for variant, row in record.rows.items()}
    (default, _), *_ = Counter(shares.values()).most_common(1)
    return SplitHypothesis(
        default=default,
        rows={row: split for row, split in shares.items() if split != default},
        n_rows=record.file_rows,
        lost_rows=record.splits[default].test_rows - record.splits[default].targets,
    )


def published_audit() -> Audit:
    """Audit the published table with the paper's headline claims and the splits of the code."""
    claims = read_claims(FACTS / "published_claims.csv")
    return audit_table(_TABLE, claims=claims, splits=published_splits())


def is_published(file: Path) -> bool:
    """Whether a file holds the published table, number by number."""
    try:
        return _printed(read_table(file)) == _printed(read_table(_TABLE))
    except TableError:
        return False


def _printed(table: Table) -> dict[str, dict[str, str]]:
    return {row.name: {metric: cell.text for metric, cell in row.cells.items()} for row in table.rows}
