"""Tables for the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.table import Table

if TYPE_CHECKING:
    import polars as pl

    from golden_core.study import Study
    from golden_dagster.gate import GateResult

_COLOURS = {"passed": "green", "failed": "red", "warned": "yellow", "not run": "red"}


def gate_view(result: GateResult, study: str) -> Table:
    """Return one row per check, with what it found."""
    table = Table("asset", "check", "verdict", "found", title=f"Gate of study {study}", title_justify="left")
    for row in result.rows:
        table.add_row(row.asset, row.name, f"[{_COLOURS[row.verdict]}]{row.verdict}[/]", _escaped(row.description))
    return table


def leaderboard_view(board: pl.DataFrame, study: Study) -> Table:
    """Return the leaderboard; a dash stands where a number is undefined."""
    percent = f"{study.evaluation.confidence:.0%}"
    table = Table(title=f"Leaderboard of study {study.name}", title_justify="left", caption_justify="left")
    table.caption = (
        f"Averages over series. R² against the random walk, its {percent} interval over seeds; significance by "
        "Diebold–Mariano on seed-averaged forecasts, Holm-adjusted."
    )
    for name in (
        "rank",
        "forecaster",
        "R² vs walk",
        percent,
        "MASE",
        "RMSE bp",
        "direction",
        "seeds",
        "better",
        "worse",
    ):
        table.add_column(name, justify="left" if name == "forecaster" else "right")
    for row in board.iter_rows(named=True):
        table.add_row(
            str(row["rank"]), row["forecaster"], _number(row["r2_oos"], "+.4f"),
            _interval(row["r2_oos_low"], row["r2_oos_high"]), _number(row["mase"], ".4f"),
            _number(row["rmse_bp"], ".2f"), _number(row["directional_accuracy"], ".1%"), str(row["seeds"]),
            _number(row["better"], "d"), _number(row["worse"], "d"),
        )  # fmt: skip
    return table


def _interval(low: float | None, high: float | None) -> str:
    return "—" if low is None or high is None else f"{low:+.4f} … {high:+.4f}"


def _number(value: Any, form: str) -> str:
    return "—" if value is None else format(value, form)


def _escaped(text: str) -> str:
    return text.replace("[", r"\[")
