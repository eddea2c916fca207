"""The legacy paper's own table: its numbers, its claims, the splits of its rows, and its audit."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from golden_core.legacy.audit import Audit, SplitHypothesis, TableError, audit_table, read_claims
from golden_core.legacy.audit.headings import Metric
from golden_core.legacy.audit.table import Table, read_table
from golden_core.legacy.frozen import FACTS
from golden_core.legacy.reproduction.published import read_record

_TABLE = "published_results.csv"


def published_errors(metric: Metric, folder: Path = FACTS) -> dict[str, float]:
    """Return one published test metric by variant, ``v01`` … ``v10``."""
    return {variant: row.values[metric] for variant, row in read_record(folder).rows.items()}


def published_splits(folder: Path = FACTS) -> SplitHypothesis:
    """Return the split of every published row, as the legacy code makes it; rows are named as in the paper."""
    record = read_record(folder)
    shares = {variant.replace("v", "v_"): row.shares for variant, row in record.rows.items()}
    (default, _), *_ = Counter(shares.values()).most_common(1)
    return SplitHypothesis(
        default=default,
        rows={row: split for row, split in shares.items() if split != default},
        n_rows=record.file_rows,
        lost_rows=record.splits[default].test_rows - record.splits[default].targets,
    )


def published_audit(folder: Path = FACTS) -> Audit:
    """Audit the published table with the paper's headline claims and the splits of the code."""
    claims = read_claims(folder / "published_claims.csv")
    return audit_table(folder / _TABLE, claims=claims, splits=published_splits(folder))


def is_published(file: Path, folder: Path = FACTS) -> bool:
    """Whether a file holds the published table, number by number."""
    try:
        return _printed(read_table(file, None)) == _printed(read_table(folder / _TABLE, None))
    except TableError:
        return False


def _printed(table: Table) -> dict[str, dict[str, str]]:
    return {row.name: {metric: cell.text for metric, cell in row.cells.items()} for row in table.rows}
