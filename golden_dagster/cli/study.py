"""`golden study`: validate, show and describe studies."""

from __future__ import annotations

import json

import typer

from golden_dagster.cli.options import Overrides, StudyName, opened

app = typer.Typer(no_args_is_help=True, help="Validate and show studies, the single source of configuration.")


@app.command()
def validate(study: StudyName, overrides: Overrides = []) -> None:
    """Check a study and print every fault at once, with line and column."""
    loaded, _ = opened(study, overrides)
    trials = len(loaded.forecasters) * len(loaded.data.pairs) * len(loaded.horizons) * loaded.seeds.count
    typer.echo(f"{loaded.name}: valid, {trials} trials, hash {loaded.hash()[:16]}")


@app.command()
def show(study: StudyName, overrides: Overrides = []) -> None:
    """Print a study with its overrides applied, as YAML, and its hash."""
    from golden_core.study import describe

    typer.echo(describe(opened(study, overrides)[0]), nl=False)


@app.command()
def schema() -> None:
    """Print the JSON schema of a study, the settings of every source and forecaster included."""
    from golden_core.preparation.catalogue import vocabulary
    from golden_core.study import study_schema

    typer.echo(json.dumps(study_schema(vocabulary()), indent=2))


@app.command("list")
def list_() -> None:
    """List the studies that come with the project."""
    from golden_core.preparation.catalogue import load_variant, study_names

    names = study_names()
    width = max(map(len, names))
    for name in names:
        typer.echo(f"{name:{width}} {load_variant(name).description}")
