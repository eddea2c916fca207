"""Small tables of two crossed names, their cells tinted; and that of errors relative to the random walk."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from golden_core.evaluation.inputs import BENCHMARK
from golden_core.reporting.exhibits import Answer, Cell, Row
from golden_core.reporting.formats import ABSENT, percent

_STEPS = ((0.0005, "even"), (0.005, "1"), (0.02, "2"))  # |relative RMSE| below which a cell is tinted so


@dataclass(frozen=True)
class Grid:
    """A small table of two crossed names, such as pair × horizon."""

    title: str
    corner: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Cell, ...]], ...]


@dataclass(frozen=True)
class Grids:
    """One or more grids under one caption, with the legend of their tones."""

    name: str
    caption: str
    grids: tuple[Grid, ...]
    legend: tuple[Cell, ...]
    answer: Answer


def cross(
    frame: pl.DataFrame, rows: str, columns: str, cell: Callable[[Row], Cell], *, title: str, corner: str
) -> Grid:
    """Cross two columns of a table; names keep the order of their first appearance."""
    cells = {(row[rows], row[columns]): cell(row) for row in frame.iter_rows(named=True)}
    across = frame[columns].unique(maintain_order=True).to_list()
    down = frame[rows].unique(maintain_order=True).to_list()
    body = tuple((str(name), tuple(cells.get((name, other), Cell(ABSENT)) for other in across)) for name in down)
    return Grid(title, corner, tuple(str(name) for name in across), body)


def relative_error_grids(answer: Answer) -> Grids:
    """Return one grid per forecaster, pair × horizon: RMSE relative to the random walk."""
    others = answer.frame.filter(pl.col("forecaster") != BENCHMARK).with_columns(
        pl.format("h{}", "horizon").alias("column")
    )
    names = others["forecaster"].unique(maintain_order=True).to_list()
    grids = [
        cross(others.filter(pl.col("forecaster") == name), "pair", "column", _relative, title=name, corner="Pair")
        for name in names
    ]
    legend = (
        Cell("more than 2 % lower", "lower-3"), Cell("0.5–2 % lower", "lower-2"), Cell("0.05–0.5 % lower", "lower-1"),
        Cell("within 0.05 %", "even"),
        Cell("0.05–0.5 % higher", "higher-1"), Cell("0.5–2 % higher", "higher-2"),
        Cell("more than 2 % higher", "higher-3"),
    )  # fmt: skip
    return Grids(
        "relative-error",
        "RMSE relative to the random walk’s, in percent, by pair and horizon in bars; mean over seeds. Negative is "
        "better than the random walk. One grid per forecaster, in the order of the leaderboard.",
        tuple(grids),
        legend,
        answer,
    )


def _relative(row: Row) -> Cell:
    value = row["relative_rmse"]
    if value is None:
        return Cell(ABSENT)
    step = next((name for bound, name in _STEPS if abs(value) < bound), "3")
    tone = step if step == "even" else f"{'lower' if value < 0 else 'higher'}-{step}"
    return Cell(percent(value), tone)
