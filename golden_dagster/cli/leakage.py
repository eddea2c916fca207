"""`golden leakage`: the probes in full, outside any campaign."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from golden_dagster.cli.options import Backend, Overrides, Workers, teaching, terminal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.table import Table

    from golden_core.leakage.report import Report
    from golden_core.store.lake import Home
    from golden_core.study import Study

app = typer.Typer(no_args_is_help=True, help="Look for leaks: replace the future, and see what changes before it.")


@app.command()
def audit(
    study: Annotated[str, typer.Option(help="Name from data/studies, or path of a YAML file.")] = "smoke",
    times: Annotated[
        int | None, typer.Option(min=1, help="Times to poison after; by default as the study says.")
    ] = None,
    all_fits: Annotated[bool, typer.Option("--all-fits", help="Every fold and seed, not one fold per series.")] = False,
    overrides: Overrides = [],  # noqa: B006
    backend: Backend = "loky",
    workers: Workers = 0,
) -> None:
    """Probe a study from its source to its forecasts, and say which asset, column and time leaks.

    Everything after a time is replaced by NaN, by huge values, reshuffled, reversed or removed, and the pipeline is run
    again; every bar that a fit does not declare is replaced; the parts of every fold are searched for overlaps and
    copies. Exit status 1 when anything changed that must not.
    """
    with teaching():
        from golden_core.leakage.report import merged, sentence
        from golden_core.preparation.catalogue import load_variant
        from golden_core.store.lake import Home

        loaded, console = load_variant(study, overrides), terminal()
        chosen = times or loaded.checks.poisoned_times
        report = merged(_steps(loaded, Home.from_environment(), chosen, all_fits, backend, workers))
        console.print(_view(report, loaded.name))
        for refusal in report.refused:
            console.print(f"not shown: {refusal}", style="dim", highlight=False, soft_wrap=True, markup=False)
        for finding in report.findings:
            console.print(f"leak: {sentence(finding)}", style="red", highlight=False, soft_wrap=True, markup=False)
        verdict = f"{len(report.findings)} leaks" if report.findings else "no leak"
        console.print(f"{verdict}; {report.rows} rows compared", highlight=False)
        raise typer.Exit(1 if report.findings else 0)


def _steps(study: Study, home: Home, times: int, all_fits: bool, backend: str, workers: int) -> Iterator[Report]:
    """Run the steps of an audit side by side, with a progress bar."""
    from joblib import delayed
    from rich.progress import track

    from golden_core.leakage.audit import audit_steps
    from golden_core.trials.campaign import stop_workers, worker_pool
    from golden_dagster.resources import WorkersResource

    steps = list(audit_steps(study, home, times, all_fits=all_fits))
    count = WorkersResource(backend=backend, workers=workers).count  # type: ignore[arg-type]
    if backend == "sequential" or count == 1:
        yield from (step.run() for step in track(steps, "probing"))
        return
    yield from track(worker_pool(study, backend, count)(delayed(step.run)() for step in steps), "probing", len(steps))
    stop_workers()


def _view(report: Report, study: str) -> Table:
    """Return one row per asset and one column per poison: how many rows were compared, or that something leaked."""
    from rich.table import Table

    poisons = list(dict.fromkeys(cell.poison for cell in report.cells))
    cells = {(cell.asset, cell.poison): cell for cell in report.cells}
    table = Table(
        "asset", *poisons, title=f"Leakage audit of study {study}", title_justify="left",
        caption="Rows compared bit by bit; a dash where nothing was.", caption_justify="left",
    )  # fmt: skip
    for asset in dict.fromkeys(cell.asset for cell in report.cells):
        shown = []
        for poison in poisons:
            cell = cells.get((asset, poison))
            text = f"{cell.rows}" if cell and cell.rows else "—"
            shown.append("[red]leak[/red]" if cell and cell.finding else f"[green]{text}[/green]")
        table.add_row(asset, *shown)
    return table
