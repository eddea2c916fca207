"""`golden publish`: cards, the archive of a study, and whether it is whole and can be made again."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Annotated

import typer

from golden_dagster.cli.options import As, Backend, Overrides, StudyName, Workers, finished, terminal

app = typer.Typer(no_args_is_help=True, help="Cards and archives of studies that have been run.")

Bundle = Annotated[Path, typer.Argument(metavar="DIR", help="A folder that `golden publish bundle` has written.")]


@app.command()
def cards(
    study: StudyName,
    overrides: Overrides = [],
    name: As = None,
    to: Annotated[Path, typer.Option(help="Folder for the two files.")] = Path(),
) -> None:
    """Write MODEL_CARD.md and DATA_CARD.md of a study, every number from its warehouse and lake."""
    from golden_core.publication.cards import cards as made_cards
    from golden_core.store.lake import write_text

    with finished(study, overrides, name) as (loaded, home):
        texts = made_cards(home, loaded)
    for file, text in texts.items():
        write_text(text, to / file)
        typer.echo(f"written: {to / file}")


@app.command()
def bundle(
    study: StudyName,
    to: Annotated[Path, typer.Option(help="The archive's folder; it must not exist yet.")],
    overrides: Overrides = [],
    name: As = None,
) -> None:
    """Archive a study: tables, report, manifests, code and papers, as a BagIt bag that is an RO-Crate.

    Archive from a clean tree: what is not committed is not in the archived code.

        golden publish bundle golden --to archive
    """
    from golden_core.publication.bundle import write_bundle
    from golden_core.publication.integrity import archive_name, results
    from golden_core.store.lake import workplace

    with finished(study, overrides, name) as (loaded, home):
        write_bundle(home, loaded, workplace(), to, datetime.datetime.now(datetime.UTC))
    git = results(to)["git"]
    if git["dirty"]:
        typer.echo(f"the tree is not clean: the archived code is that of commit {git['commit']}", err=True)
    typer.echo(f"written: {to}")
    typer.echo(f"name of the archive, to be published with it: {archive_name(to)}")


@app.command()
def verify(folder: Bundle) -> None:
    """Recompute the hash of every archived file and table; exit status 1 when anything is not as it was archived."""
    from golden_core.publication.integrity import archive_name, bundle_faults, results

    faults = bundle_faults(folder)
    for fault in faults:
        typer.echo(f"wrong  {fault}")
    if faults:
        raise typer.Exit(1)
    typer.echo(f"{folder}: every file and {len(results(folder)['tables'])} tables as archived")
    typer.echo(f"name of the archive, to be held against what its authors publish: {archive_name(folder)}")


@app.command()
def reproduce(folder: Bundle, backend: Backend = "loky", workers: Workers = 0) -> None:
    """Run the archived study again in a temporary home, and compare the hashes of its tables and its verdicts.

    Exit status 0 when every table has the archived hash, 1 when not. On another processor, or with other libraries or
    code, the last digit of a number may differ: both are then named, and the status is 0 if every verdict is the same.
    """
    from golden_core.preparation.catalogue import load_study
    from golden_core.publication.declared import PublicationError
    from golden_core.publication.integrity import bundle_faults, results
    from golden_core.publication.reproduction import compared
    from golden_core.store.kernels import require
    from golden_core.store.lake import temporary_home
    from golden_dagster.cli.run import run_with_progress

    if faults := bundle_faults(folder):
        raise PublicationError(f"{folder} is not as it was archived: {'; '.join(faults)}")
    console, recorded = terminal(), results(folder)
    path = folder / "data" / "studies" / f"{recorded['study']}.yaml"
    study = load_study(str(path))
    if study.hash() != recorded["study_hash"]:  # other settings are no cause that excuses other numbers
        raise PublicationError(f"{path} is not the study of results.json: reproduce with the archived code")
    require(study.training.kernels)
    with temporary_home() as home:
        whole, failures = run_with_progress(str(path), [], backend, workers, console)
        if failures or not whole:
            raise PublicationError(f"the study did not run whole: {'; '.join(failures)}")
        found = compared(home, study, folder)
    for line in (*found.lines, found.summary):
        console.print(line, soft_wrap=True)
    raise typer.Exit(0 if found.reproduced else 1)
