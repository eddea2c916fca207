"""`golden leakage`: the probes in full, outside any campaign, and before planted leaks."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

from golden_dagster.cli.options import Local, Overrides, StudyName, Workers, coloured, opened, table, terminal

if TYPE_CHECKING:
    from collections.abc import Iterator

    import polars as pl
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from golden_core.leakage.report import Report
    from golden_core.leakage.scorecard import Rows
    from golden_core.store.lake import Home
    from golden_core.study import Study

app = typer.Typer(no_args_is_help=True, help="Look for leaks: replace the future, and see what changes before it.")


@app.command()
def audit(
    study: StudyName = "smoke",
    times: Annotated[
        int | None, typer.Option(min=1, help="Times to poison after; by default as the study says.")
    ] = None,
    all_fits: Annotated[bool, typer.Option("--all-fits", help="Every fold and seed, not one fold per series.")] = False,
    overrides: Overrides = [],
    backend: Local = "loky",
    workers: Workers = 0,
) -> None:
    """Probe a study from its source to its forecasts, and say which asset, column and time leaks.

    Everything after a time is replaced by NaN, by huge values, reshuffled, reversed or removed, and the pipeline is run
    again; every bar that a fit does not declare is replaced; the parts of every fold are searched for overlaps and
    copies. Exit status 1 when anything changed that must not.
    """
    from golden_core.leakage.report import merged, sentence
    from golden_core.store.kernels import require

    console, (loaded, home) = terminal(), opened(study, overrides)
    require(loaded.training.kernels)
    report = merged(_steps(loaded, home, times or loaded.checks.poisoned_times, all_fits, backend, workers))
    console.print(_view(report, loaded.name))
    for refusal in report.refused:
        console.print(f"not shown: {refusal}", style="dim", soft_wrap=True, markup=False)
    for finding in report.findings:
        console.print(f"leak: {sentence(finding)}", style="red", soft_wrap=True, markup=False)
    verdict = f"{len(report.findings)} leaks" if report.findings else "no leak"
    console.print(f"{verdict}; {report.rows} rows compared")
    raise typer.Exit(1 if report.findings else 0)


def _steps(study: Study, home: Home, times: int, all_fits: bool, backend: str, workers: int) -> Iterator[Report]:
    """Run the steps of an audit side by side, with a progress bar."""
    from joblib import delayed
    from rich.progress import track

    from golden_core.leakage.audit import audit_steps
    from golden_core.trials.workers import stop_workers, worker_pool
    from golden_dagster.resources import WorkersResource

    steps = list(audit_steps(study, home, times, all_fits=all_fits))
    count = WorkersResource(backend=backend, workers=workers).count  # type: ignore[arg-type]
    yield from track(worker_pool(study, backend, count)(delayed(step)() for step in steps), "probing", len(steps))
    stop_workers()


def _view(report: Report, study: str) -> Table:
    """Return one row per asset and one column per poison: how many rows were compared, or that something leaked."""
    poisons = list(dict.fromkeys(cell.poison for cell in report.cells))
    cells = {(cell.asset, cell.poison): cell for cell in report.cells}

    def shown(asset: str, poison: str) -> Text:
        cell = cells.get((asset, poison))
        if cell and cell.finding:
            return coloured("leak", "red")
        return coloured(str(cell.rows if cell and cell.rows else "—"), "green")

    assets = dict.fromkeys(cell.asset for cell in report.cells)
    rows = ((asset, *(shown(asset, poison) for poison in poisons)) for asset in assets)
    caption = "Rows compared bit by bit; a dash where nothing was."
    return table(("asset", *poisons), rows, title=f"Leakage audit of study {study}", caption=caption)


@app.command()
def scorecard(
    backend: Local = "loky",
    workers: Workers = 0,
) -> None:
    """Plant every leak of the corpus, let the probes find it, and count false alarms on honest pipelines.

    Exit status 1 when a leak is missed or misplaced, or an alarm is false, beyond what is claimed. The table is filed
    under GOLDEN_HOME, where the checks of leakage/scorecard find it.
    """
    from golden_core.leakage.scorecard import KINDS
    from golden_core.leakage.scorecard_store import faults, file_scorecard, probes_and_leaks, rates
    from golden_core.store.lake import Home

    console, started = terminal(), time.perf_counter()
    made_by = probes_and_leaks()  # before: somebody may edit them in the minutes to come
    rows = _examined(backend, workers, console)
    folder = file_scorecard(Home.from_environment(), rows, made_by)
    console.print(_scorecard_view(rows))
    for name, rate in rates(rows).items():
        console.print(f"{name}: {rate}")
    found = [fault for kind in KINDS for fault in faults(rows, kind)]
    for fault in found:
        console.print(coloured("failed", "red", f" {fault}"), soft_wrap=True)
    spent = f"{time.perf_counter() - started:.0f} s, {rows['cpu_seconds'].sum():.0f} s of processor time"
    console.print(f"{spent}; filed in {folder}", style="dim", soft_wrap=True)
    raise typer.Exit(1 if found else 0)


def _examined(backend: str, workers: int, console: Console) -> pl.DataFrame:
    from rich.progress import track

    from golden_core.leakage.scorecard import read_settings
    from golden_core.leakage.scorecard import scorecard as measure
    from golden_dagster.resources import available_cores

    def watched(rows: Rows, count: int) -> Rows:
        return track(rows, "pipelines", count, console=console)

    return measure(read_settings(), backend=backend, workers=workers or available_cores(), watched=watched)


def _scorecard_view(rows: pl.DataFrame) -> Table:
    from golden_core.leakage.scorecard_store import by_kind

    cells = (
        (
            row["id"] + (" (held out)" if row["held_out"] else ""),
            row["leak_class"],
            row["sites"],
            f"{row['caught']}/{row['pipelines']}",
            f"{row['placed']}/{row['pipelines']}",
            row["caught_by"],
            row["expected_probe"],
        )
        for row in by_kind(rows).iter_rows(named=True)
    )
    return table(("kind", "class", "sites", "caught", "placed", "caught by", "expected"), cells)
