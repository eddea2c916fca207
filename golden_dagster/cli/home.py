"""`golden doctor`, `golden clean`, `golden ui`, `golden lake`: the home on this machine, and on its way to others."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from golden_dagster.cli.options import As, Overrides, StudyName, coloured, finished, named, opened, table, terminal

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from golden_core.store.lake import Home
    from golden_core.study import Study

app = typer.Typer(no_args_is_help=True, help="Carry finished trials from one machine to another.")

COLOURS = {"ok": "green", "warn": "yellow", "fail": "red"}


def doctor() -> None:
    """Look at Python, packages, threads, home, disk, clock, lake, warehouse, locks and runs; change nothing.

    Exit status 1 when something fails; a warning does not.
    """
    from golden_core.store.lake import Home
    from golden_dagster.doctor import examine

    found = list(examine(Home.from_environment()))
    rows = ((one.subject, coloured(one.level, COLOURS[one.level]), one.said) for one in found)
    terminal().print(table(("what", "state", "found"), rows))
    raise typer.Exit(any(one.level == "fail" for one in found))


def clean(
    study: StudyName = "demo",
    overrides: Overrides = [],
    name: As = None,
    yes: Annotated[bool, typer.Option("--yes", help="Delete what is listed; without it nothing is touched.")] = False,
    days: Annotated[
        int, typer.Option("--runs-older-than", min=1, help="Days after which Dagster's record of a run is old.")
    ] = 90,
) -> None:
    """List trials that the study no longer asks for (other settings, data or code since then), and delete them if told.

    Current trials, tables, reports and other studies are left alone. Deleted trials have to be trained again.
    Dagster's record of old runs goes, too, but for the newest run of every asset and check.
    """
    from golden_core.trials.superseded import delete, superseded_trials
    from golden_dagster.instance import study_instance
    from golden_dagster.old_runs import forget, old_runs

    console = terminal()
    with finished(study, overrides, name) as (loaded, home), _alone(loaded, home) if yes else nullcontext():
        found = superseded_trials(home, loaded)
        rows = ((old.forecaster, old.series, old.path.stem, f"{old.size / 1e6:.1f}") for old in found)
        total = sum(one.size for one in found) / 1e6
        if found:
            console.print(table(("forecaster", "series", "fingerprint", "MB"), rows))
        if yes:
            for one in found:
                delete(one)
        with study_instance(home, loaded.name, say=typer.echo) as instance:
            runs = old_runs(instance, days)
            for number in runs if yes else ():
                forget(instance, number)
    done = "deleted" if yes else "to delete with --yes"
    console.print(f"{len(found)} superseded trials of study {loaded.name}, {total:.1f} MB {done}")
    if runs:
        console.print(f"{len(runs)} runs that ended over {days} days ago and show nothing now: {done}")


@app.command("export")
def export(
    study: StudyName,
    to: Annotated[Path, typer.Option(help="The file to write; one that is there is replaced.")],
    overrides: Overrides = [],
    name: As = None,
) -> None:
    """Write the finished trials that a study asks for now to one file, with the hash of every file in it.

    golden lake export golden --to trials.zip
    """
    from golden_core.trials.transfer import export_trials

    with finished(study, overrides, name) as (loaded, home):
        count = export_trials(home, loaded, to)
    terminal().print(f"{count} trials, {to.stat().st_size / 1e6:.1f} MB: {to}", soft_wrap=True)


@app.command("import")
def take_in(
    study: StudyName,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A file that `golden lake export` has written.")],
    overrides: Overrides = [],
    name: As = None,
) -> None:
    """Add the trials of such a file to this home. `golden run` then trains only what is still missing.

    A trial counts where settings, data, code and libraries are those that it was made with; others are not looked at.
    """
    from golden_core.preparation.catalogue import run_command
    from golden_core.trials.transfer import import_trials

    loaded, home = opened(study, overrides, name)
    with _alone(loaded, home):
        taken = import_trials(home, loaded, file)
    other = f", {taken.other} of them with other results, kept as they are here" if taken.other else ""
    said = f"{taken.new} trials added to {home.root}, {taken.present} were there{other}"
    rest = run_command(study, named(overrides, name))
    terminal().print(f"{said}; `{rest}` does the rest", soft_wrap=True)


def _alone(study: Study, home: Home) -> AbstractContextManager[None]:
    from golden_core.store.locking import only_one

    return only_one(home.study(study.name).root / "lock.json", f"study {study.name}", wait=False)


def ui(
    study: StudyName = "demo",
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 3000,
) -> None:
    """Open the Dagster web UI with the study's assets, schedules and sensors. Ctrl-C ends it, and so does SIGTERM."""
    import os
    import socket
    import sys

    from golden_core.preparation.catalogue import claim_name, load_study, study_path
    from golden_core.store.lake import Home
    from golden_dagster.dead_runs import end_dead_runs
    from golden_dagster.instance import instance_folder, study_instance
    from golden_dagster.interruption import run_until_told

    if not host:  # to listen everywhere is asked for as 0.0.0.0
        raise typer.BadParameter("name an address, such as 127.0.0.1", param_hint="--host")
    loaded, home = load_study(study), Home.from_environment()
    claim_name(home, loaded, study, [])
    try:
        # Dagster would start everything first, and then look for another port.
        socket.create_server((host, port)).close()
    except OSError as error:
        why = str(error.strerror).partition(" (while")[0]
        raise typer.BadParameter(f"cannot listen on {host}:{port}: {why}; name another --port or --host") from None
    # Opening makes the storage: processes that start at once on an empty one collide.
    with study_instance(home, loaded.name, say=typer.echo) as instance:
        for ended in end_dead_runs(instance):
            typer.echo(ended)
    environment = {
        **os.environ,
        "DAGSTER_HOME": str(instance_folder(home, loaded.name)),
        "GOLDEN_HOME": os.environ.get("GOLDEN_HOME", ""),
        "GOLDEN_STUDY": str(study_path(study).resolve()),
    }
    dagster = Path(sys.executable).with_name("dagster")
    command = [str(dagster), "dev", "-m", "golden_dagster.definitions", "-h", host, "-p", str(port)]
    typer.echo(f"Dagster on http://{host}:{port} for study {loaded.name}; Ctrl-C ends it")
    raise typer.Exit(run_until_told(command, environment))
