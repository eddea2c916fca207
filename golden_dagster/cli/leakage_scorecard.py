"""`golden leakage scorecard`: the probes before planted leaks and honest pipelines."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

from golden_dagster.cli.options import Backend, Workers, teaching, terminal

if TYPE_CHECKING:
    import polars as pl
    from rich.console import Console


def scorecard(
    quick: Annotated[bool, typer.Option("--quick", help="One site of each kind, few honest pipelines.")] = False,
    backend: Backend = "loky",
    workers: Workers = 0,
) -> None:
    """Plant every leak of the corpus, let the probes find it, and count false alarms on honest pipelines.

    Exit status 1 when a leak is missed or misplaced, or an alarm is false, beyond what is claimed. The table is filed
    under GOLDEN_HOME, where the checks of leakage/scorecard find it.
    """
    with teaching():
        from golden_core.leakage.scorecard import KINDS, Scale
        from golden_core.leakage.scorecard_store import faults, file_scorecard, rates
        from golden_core.store.lake import Home

        console, started = terminal(), time.perf_counter()
        scale: Scale = "quick" if quick else "full"
        rows = _examined(scale, backend, workers, console)
        folder = file_scorecard(Home.from_environment(), rows, scale)
        _print(rows, console)
        for name, rate in rates(rows).items():
            console.print(f"{name}: {rate}", highlight=False)
        found = [fault for kind in KINDS for fault in faults(rows, kind, complete=not quick)]
        for fault in found:
            console.print(f"[red]failed[/red] {fault}", highlight=False, soft_wrap=True)
        spent = f"{time.perf_counter() - started:.0f} s, {rows['cpu_seconds'].sum():.0f} s of processor time"
        console.print(f"{spent}; filed in {folder}", style="dim", soft_wrap=True)
        raise typer.Exit(1 if found else 0)


def _examined(scale: str, backend: str, workers: int, console: Console) -> pl.DataFrame:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeElapsedColumn

    from golden_core.leakage.scorecard import read_settings
    from golden_core.leakage.scorecard import scorecard as measure
    from golden_dagster.resources import available_cores

    with Progress(BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), console=console) as progress:
        task = progress.add_task("pipelines", total=None)

        def note(done: int, total: int) -> None:
            progress.update(task, completed=done, total=total)

        settings = read_settings("quick" if scale == "quick" else "full")
        return measure(settings, backend=backend, workers=workers or available_cores(), note=note)


def _print(rows: pl.DataFrame, console: Console) -> None:
    from rich.table import Table

    from golden_core.leakage.scorecard_store import by_kind

    table = Table("kind", "class", "sites", "caught", "placed", "caught by", "expected")
    for row in by_kind(rows).iter_rows(named=True):
        table.add_row(
            row["id"] + (" (held out)" if row["held_out"] else ""),
            row["leak_class"],
            str(row["sites"]),
            f"{row['caught']}/{row['pipelines']}",
            f"{row['placed']}/{row['pipelines']}",
            row["caught_by"],
            row["expected_probe"],
        )
    console.print(table)
