"""What a paper says about its table: percentages and tests between rows. Here they are given and read, not judged."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import polars as pl

from golden_core.legacy.audit.headings import METRICS, Metric
from golden_core.legacy.audit.printed import CellError, Printed, parse
from golden_core.legacy.audit.records import TableError, as_records, read_grid

_COLUMNS = ("text", "kind", "row", "baseline", "metric", "claimed")

Kind = Literal["percent", "paired_test"]
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True)
class Claim:
    """One sentence that compares two rows.

    Parameters
    ----------
    text : str
        The claim as it is made.
    kind : {"percent", "paired_test"}
        A row is better than its baseline by so many percent; or a test of the paired errors of both rows.
    row, baseline : str
        Names of the rows.
    metric : str or None
        ``mae``, ``mse``, ``rmse``, ``r2`` or ``mape``; None for a test.
    claimed : str or None
        The percentage as printed, such as ``"44.1"``; None for a test.
    """

    text: str
    kind: Kind
    row: str
    baseline: str
    metric: Metric | None = None
    claimed: str | None = None

    def __post_init__(self) -> None:
        if self.kind == "percent" and (self.metric not in METRICS or self.percentage is None):
            raise TableError(f"claim {self.text!r}: a percentage needs a metric ({', '.join(METRICS)}) and a number")
        if self.kind == "paired_test" and (self.metric or self.claimed):
            raise TableError(f"claim {self.text!r}: a paired test has no metric and no claimed percentage")

    @property
    def percentage(self) -> Printed | None:
        """The claimed percentage with its printed digits."""
        try:
            return parse(self.claimed or "", decimal_comma=False)
        except CellError as error:
            raise TableError(f"claim {self.text!r}: claimed {error}") from None


def read_claims(source: Path | str | pl.DataFrame) -> tuple[Claim, ...]:
    """Read claims from a table with the columns ``text, kind, row, baseline, metric, claimed``.

    Raises
    ------
    TableError
        Naming file, line and column.
    """
    grid = read_grid(source)
    records = as_records(grid, [cell.strip() for cell in grid.rows[0][1]], 1)
    missing = [name for name in _COLUMNS if name not in records.header]
    if missing:
        raise TableError(
            f"{records.file}:{records.header_line}: there is no column {missing[0]!r}; claims have the columns "
            f"{', '.join(_COLUMNS)}"
        )
    place = {name: records.header.index(name) for name in _COLUMNS}
    return tuple(
        _claim({name: cells[column].strip() for name, column in place.items()}, records.file, line)
        for cells, line in zip(records.rows, records.lines, strict=True)
    )


def _claim(cells: dict[str, str], file: str, line: int) -> Claim:
    kind = next((known for known in KINDS if known == cells["kind"]), None)
    if kind is None:
        raise TableError(f"{file}:{line}: column 'kind': must be {' or '.join(KINDS)}, got {cells['kind']!r}")
    metric = next((known for known in METRICS if known == cells["metric"]), None)
    if cells["metric"] and metric is None:
        raise TableError(f"{file}:{line}: column 'metric': must be {', '.join(METRICS)}, got {cells['metric']!r}")
    try:
        return Claim(cells["text"], kind, cells["row"], cells["baseline"], metric, cells["claimed"] or None)
    except TableError as error:
        raise TableError(f"{file}:{line}: {error}") from None
