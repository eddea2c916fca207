"""Small tables of two crossed names, their cells tinted; and that of errors relative to the random walk."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import polars as pl

from golden_core.evaluation.inputs import BENCHMARK
from golden_core.evaluation.strata import STRATA
from golden_core.reporting.exhibits import Answer, Cell, Row, latex_table
from golden_core.reporting.formats import ABSENT, level, percent

_STEPS = ((0.0005, "even"), (0.005, "1"), (0.02, "2"))  # |relative RMSE| below which a cell is tinted so
_R2_STEPS = ((0.001, "even"), (0.01, "1"), (0.04, "2"))  # |R²| that belongs to them: 1 − (1 + x)² ≈ −2x

STRATA_SKILL = """
SELECT stratum_kind AS kind, stratum, forecaster, avg(value ORDER BY pair, horizon, seed) AS r2_oos
FROM metrics WHERE study = $1 AND metric = 'r2_oos' AND stratum_kind <> 'all'
GROUP BY stratum_kind, stratum, forecaster ORDER BY stratum_kind, stratum, forecaster
"""


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


def grids_latex(grids: Grids) -> str:
    """Return every grid as a LaTeX table of its own."""
    return "\n".join(
        latex_table(
            f"{grids.name}-{number}",
            f"{grid.title}: {grids.caption}" if grid.title else grids.caption,
            "l" + "r" * len(grid.columns),
            [grid.corner, *grid.columns],
            [[name, *(cell.text for cell in cells)] for name, cells in grid.rows],
        )
        for number, grid in enumerate(grids.grids, start=1)
    )


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
    return Grids(
        "relative-error",
        "Where is the error lower than the random walk’s? RMSE relative to it, in percent, by pair and horizon in "
        "bars; mean over seeds. Negative is better than the random walk. One grid per forecaster, in the order of the "
        "leaderboard.",
        tuple(
            cross(own, "pair", "column", _relative, title=str(name), corner="Pair")
            for (name,), own in others.group_by("forecaster", maintain_order=True)
        ),
        RELATIVE,
        answer,
    )


def stratum_grids(answer: Answer, ranked: Sequence[str]) -> Grids:
    """Return one grid per kind of stratum, forecaster × stratum: out-of-sample R² among its cutoffs."""
    others = answer.frame.filter(pl.col("forecaster") != BENCHMARK)
    grids, said = [], []
    for kind in [kind for kind in STRATA if kind in set(others["kind"])]:
        labels, name = STRATA[kind].labels, kind.replace("_", " ")
        # In the order of the leaderboard, and of the week; years sort as text.
        place = others.with_columns(
            row=pl.col("forecaster").replace_strict(dict(zip(ranked, range(len(ranked)), strict=True))),
            column=pl.col("stratum").replace_strict(dict(zip(labels, range(len(labels)), strict=True)), default=0),
        )
        part = place.filter(pl.col("kind") == kind).sort("column", "stratum", "row")
        grids.append(cross(part, "forecaster", "stratum", _skill, title=name, corner="Forecaster"))
        said.append(f"{name}: {STRATA[kind].description}")
    return Grids(
        "strata",
        "When are forecasts good? Out-of-sample R² against the random walk in percent among the cutoffs of a stratum, "
        f"mean over seeds and series. Strata are small: differences between them test nothing. {'; '.join(said)}.",
        tuple(grids),
        _legend(_R2_STEPS, "better", "worse"),
        answer,
    )


def _legend(steps: Sequence[tuple[float, str]], less: str, more: str) -> tuple[Cell, ...]:
    """Say what each tone stands for, from the bounds that give it."""
    even, first, second = (level(bound) for bound, _ in steps)
    spans = (f"{even} to {first}", f"{first} to {second}", f"more than {second}")
    down = [Cell(f"{text} {less}", f"lower-{place}") for place, text in enumerate(spans, start=1)]
    up = [Cell(f"{text} {more}", f"higher-{place}") for place, text in enumerate(spans, start=1)]
    return (*reversed(down), Cell(f"within {even}", "even"), *up)


def _relative(row: Row) -> Cell:
    value = row["relative_rmse"]
    return Cell(ABSENT) if value is None else Cell(percent(value), tone(value))


def _skill(row: Row) -> Cell:
    value = row["r2_oos"]
    return Cell(ABSENT) if value is None else Cell(percent(value), tone(-value, _R2_STEPS))


def tone(loss: float, steps: Sequence[tuple[float, str]] = _STEPS) -> str:
    """Return the tone of a relative error, or by other steps of another loss."""
    step = next((name for bound, name in steps if abs(loss) < bound), "3")
    return step if step == "even" else f"{'lower' if loss < 0 else 'higher'}-{step}"


RELATIVE = _legend(_STEPS, "lower", "higher")  # what the tones of relative errors stand for
