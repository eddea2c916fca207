"""`golden run`, `golden status`, `golden leaderboard`: the campaign and what came of it."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Annotated

import typer

from golden_dagster.cli.options import (
    As,
    Backend,
    Overrides,
    StudyName,
    Workers,
    caveats,
    coloured,
    exhibited,
    finished,
    named,
    opened,
    table,
    terminal,
)
from golden_dagster.interruption import Interrupted

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from golden_core.reporting.exhibits import Exhibit
    from golden_core.store.lake import Home
    from golden_core.study import Study
    from golden_core.trials import Outcome


def run(
    study: StudyName = "demo",
    overrides: Overrides = [],
    backend: Backend = "loky",
    workers: Workers = 0,
    name: As = None,
    wait: Annotated[
        bool, typer.Option("--wait/--no-wait", help="Wait for another campaign of this study, or refuse to start.")
    ] = True,
) -> None:
    """Bring a study up to date: rates, bars, folds, trials, metrics, report.

    Only what is missing or out of date is made. Exit status 1 when a trial or a blocking check failed; after a failed
    trial the rest is still done and reported. Ctrl-C or SIGTERM ends it with 130 or 143: finished trials stay, tables
    and report are not updated.
    """
    overrides = named(overrides, name)
    console, started = terminal(), time.perf_counter()
    try:
        whole, failures = run_with_progress(study, overrides, backend, workers, console, wait=wait)
    except Interrupted as interruption:
        if "golden_dagster.campaign" not in sys.modules:
            raise  # an import was broken off: nothing was begun, and what imports more may fail
        asked = [f"--backend={backend}"] * (backend != "loky") + [f"--workers={workers}"] * bool(workers)
        said = f"{_standing(study, overrides, str(interruption))} {' '.join(asked)}".rstrip()
        console.print(said, soft_wrap=True)
        raise typer.Exit(interruption.exit_status) from None
    if whole:
        print_leaderboard(study, overrides, console)
    for failure in failures:
        console.print(coloured("failed", "red", f" {failure}"), soft_wrap=True)
    console.print(f"{time.perf_counter() - started:.1f} s", style="dim")
    if failures:
        raise typer.Exit(1)


def run_with_progress(
    study: str, overrides: list[str], backend: str, workers: int, console: Console, *, wait: bool = True
) -> tuple[bool, list[str]]:
    """Execute every stage that is out of date, showing progress; return whether all came about, and what failed."""
    from golden_core.preparation.catalogue import run_command
    from golden_core.trials.standing import remember, taken_in, unchanged
    from golden_dagster.postgres import on_server

    (loaded, home), command = opened(study, overrides), run_command(study, overrides)
    taken = taken_in(home, loaded, command)
    # What Dagster recorded on a server cannot be looked at without Dagster.
    on_disk = not on_server()
    if on_disk and unchanged(home, loaded, taken):
        console.print(f"study {loaded.name}: everything is up to date")
        return True, []
    whole, failures = _execute(study, overrides, backend, workers, console, wait=wait)
    if on_disk and whole and not failures and taken == taken_in(home, loaded, command):
        remember(home, loaded, taken)
    return whole, failures


def _execute(
    study: str, overrides: list[str], backend: str, workers: int, console: Console, *, wait: bool
) -> tuple[bool, list[str]]:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

    from golden_dagster.campaign import open_campaign
    from golden_dagster.resources import WorkersResource

    columns = (
        TextColumn("{task.description:18}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[note]}", style="dim", markup=False),
    )
    resource = WorkersResource(backend=backend, workers=workers)  # type: ignore[arg-type]
    with Progress(*columns, console=console) as progress:
        tasks: list[TaskID] = []

        def advance(outcome: Outcome) -> None:
            progress.update(tasks[-1], advance=1, note=str(outcome.trial))

        def note(text: str, lasting: bool) -> None:
            if lasting:
                progress.console.print(text, soft_wrap=True)
            progress.update(tasks[-1], note="" if lasting else text)

        entered = open_campaign(
            study, overrides, workers=resource, on_outcome=advance, on_note=note, wait=wait, say=progress.console.print
        )
        with entered as campaign:
            for stage in campaign.stages():
                tasks.append(progress.add_task(stage.name, total=stage.trials or 1, note=""))
                succeeded = campaign.execute(stage)
                progress.update(tasks[-1], completed=stage.trials or 1, note="" if succeeded else "failed")
                if not succeeded and stage.name != "models":
                    # The rest rests on what failed; a failed trial leaves others standing.
                    return False, campaign.failures
            if not tasks:
                console.print(f"study {campaign.study.name}: everything is up to date")
            return True, campaign.failures


def _standing(study: str, overrides: list[str], signal: str) -> str:
    """Return one line about a campaign that was interrupted: what is done, and how to go on."""
    from golden_core.evaluation.campaign import evaluation_is_current
    from golden_core.preparation.catalogue import run_command
    from golden_core.trials import all_trials, trial_status

    loaded, home = opened(study, overrides)
    status = trial_status(home, loaded, all_trials(loaded))["status"].to_list()
    done = f"{status.count('done')} of {len(status)} trials are done and kept"
    published = "the tables hold them" if evaluation_is_current(home, loaded) else "nothing was published"
    return f"interrupted by {signal}: {done}, {published}; go on with: {run_command(study, overrides)}"


def status(study: StudyName = "demo", overrides: Overrides = [], name: As = None) -> None:
    """Count the trials of a study that are done, failed or still to run, and say what stopped its last run."""
    from golden_core.preparation.catalogue import run_command
    from golden_core.trials import all_trials, trial_status
    from golden_core.trials.outputs import damaged_trials
    from golden_core.trials.stored import stored_faults

    loaded, home = opened(study, overrides, name)
    found = trial_status(home, loaded, all_trials(loaded))
    counts = found.pivot("status", index="forecaster", values="seed", aggregate_function="len", sort_columns=True)
    counts, console = counts.fill_null(0).sort("forecaster"), terminal()
    console.print(table(counts.columns, counts.iter_rows(), title=f"Trials of study {loaded.name}: {found.height}"))
    if (found["status"] == "missing").all():  # and somebody may have meant another home
        command = run_command(study, named(overrides, name))
        former = any(home.study(loaded.name).root.glob("trials/*/*/*"))
        held = "only trials of former settings, data or code are" if former else "none of its trials is"
        anew = " anew" if former else ""
        console.print(f"{held} in {home.root}: `{command}` makes them{anew}", soft_wrap=True)
    if (found["status"] == "missing").any():
        for fault in _stopped(home, loaded, console):
            console.print(coloured("stopped", "red", f" {fault}"), soft_wrap=True)
    for error in found["error"].drop_nulls().unique(maintain_order=True):  # seeds share a deterministic trial
        console.print(coloured("failed", "red", f" {error}"), soft_wrap=True)
    for fault in (*stored_faults(home, loaded), *damaged_trials(home, loaded).values()):
        console.print(coloured("damaged", "red", f" {fault}"), soft_wrap=True)


def _stopped(home: Home, study: Study, console: Console) -> list[str]:
    """Return the failed checks that no trial of the study gets past, as they were decided last."""
    if not home.instance(study.name).exists():
        return []
    from golden_dagster.instance import study_instance
    from golden_dagster.lib.checks import recorded_verdicts

    with study_instance(home, study.name, say=console.print) as instance:
        checks = recorded_verdicts(instance, study).checks
    failed = checks.filter(checks["blocks"] & (checks["verdict"] == "failed"))
    told = failed.select("name", "asset", "found").iter_rows()
    return [f"by {name} of {asset}: {found}" for name, asset, found in told]


def leaderboard(study: StudyName = "demo", overrides: Overrides = [], name: As = None) -> None:
    """Print the leaderboard of a study that has been run."""
    print_leaderboard(study, named(overrides, name), terminal())


def print_leaderboard(study: str, overrides: list[str], console: Console) -> None:
    """Print the leaderboard and where the report is."""
    from golden_core.reporting.exhibits import exhibit
    from golden_core.reporting.tables import leaderboard
    from golden_core.store.warehouse import Warehouse

    with finished(study, overrides) as (loaded, home):
        against = caveats(loaded, home)
    warehouse = Warehouse(home.warehouse)
    board = leaderboard(warehouse, loaded.name, significance=loaded.evaluation.significance)
    console.print(_leaderboard_view(exhibit("leaderboard", warehouse, loaded, board), loaded, console))
    for caveat in against:
        console.print(caveat, soft_wrap=True)
    page = home.report(loaded.name) / "index.html"
    if page.exists():
        console.print(f"report: {page}", soft_wrap=True)


def _leaderboard_view(board: Exhibit, study: Study, console: Console) -> Table:
    return exhibited(
        board,
        console,
        without=("Series", "Forecasts"),
        spare=("MASE", "RMSE", "Right direction", "Seeds"),
        title=f"Leaderboard of study {study.name}",
        caption="Means over series. R² against the random walk, its interval over seeds; better and worse by "
        "Diebold–Mariano on seed-averaged forecasts, Holm-adjusted, of the series tested.",
    )
