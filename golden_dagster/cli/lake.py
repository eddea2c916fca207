"""`golden lake`: finished trials, carried from one machine to another."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from golden_dagster.cli.options import As, Overrides, StudyName, named, teaching, terminal

app = typer.Typer(no_args_is_help=True, help="Carry finished trials from one machine to another.")


@app.command("export")
def export(
    study: StudyName,
    to: Annotated[Path, typer.Option(help="The file to write; one that is there is replaced.")],
    overrides: Overrides = [],  # noqa: B006
    name: As = None,
) -> None:
    """Write the finished trials that a study asks for now to one file, with the hash of every file in it.

    golden lake export golden --to trials.zip
    """
    with teaching():
        from golden_core.preparation.catalogue import load_variant
        from golden_core.store.lake import Home
        from golden_core.trials.transfer import export_trials

        count = export_trials(Home.from_environment(), load_variant(study, named(overrides, name)), to)
        terminal().print(f"{count} trials, {to.stat().st_size / 1e6:.1f} MB: {to}", highlight=False, soft_wrap=True)


@app.command("import")
def take_in(
    study: StudyName,
    file: Annotated[Path, typer.Argument(help="A file that `golden lake export` has written.")],
    overrides: Overrides = [],  # noqa: B006
    name: As = None,
) -> None:
    """Add the trials of such a file to this home. `golden run` then trains only what is still missing.

    A trial counts where settings, data, code and libraries are those that it was made with; others are not looked at.
    """
    with teaching():
        from golden_core.preparation.catalogue import load_variant
        from golden_core.store.lake import Home
        from golden_core.store.locking import only_one
        from golden_core.trials.transfer import import_trials

        home, loaded = Home.from_environment(), load_variant(study, named(overrides, name))
        with only_one(home.study(loaded.name).root / "lock.json", f"study {loaded.name}", wait=False):
            taken = import_trials(home, loaded, file)
        other = f", {taken.other} of them with other results, kept as they are here" if taken.other else ""
        said = f"{taken.new} trials added to {home.root}, {taken.present} were there{other}"
        terminal().print(f"{said}; `golden run {study}` does the rest", highlight=False, soft_wrap=True)
