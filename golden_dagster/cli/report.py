"""`golden report`: whether a page still says what the warehouse says, and its figures for a manuscript."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from golden_dagster.cli.options import As, Overrides, StudyName, named, table, teaching, telling_how_to_run, terminal

app = typer.Typer(
    no_args_is_help=True, help="Hold the report of a study against its numbers, and take its figures out."
)


@app.command()
def verify(
    study: StudyName = "demo",
    overrides: Overrides = [],  # noqa: B006
    name: As = None,
    page: Annotated[
        Path | None, typer.Option("--page", metavar="FILE", help="A page to verify in place of the whole report.")
    ] = None,
) -> None:
    """Render the report of a study anew from the warehouse and name every place that differs on disk.

    Tables, captions, figures, LaTeX and CSV are compared. What checks said and where the numbers come from lies beside
    the page and is held against the hashes of the moment of writing. Exit status 1 if anything differs.
    """
    with teaching():
        from golden_core.benchmarking.records import last_runs
        from golden_core.preparation.catalogue import load_variant
        from golden_core.reporting import verify_report
        from golden_core.store.lake import Home
        from golden_core.store.warehouse import Warehouse

        loaded, home, console = load_variant(study, named(overrides, name)), Home.from_environment(), terminal()
        folder = home.report(loaded.name)
        runs = last_runs(home, loaded.name)
        found, compared = verify_report(Warehouse(home.warehouse), loaded, folder, page, runs)
        if found:
            rows = ((one.file, one.exhibit, one.place, one.found, one.expected) for one in found)
            console.print(table(("file", "exhibit", "place", "on disk", "from the warehouse"), rows))
        of = page or folder
        count = "1 difference" if len(found) == 1 else f"{len(found)} differences"
        said = count if found else f"as the warehouse says: {compared} places compared"
        console.print(f"{of}: {said}", highlight=False, soft_wrap=True)
        raise typer.Exit(1 if found else 0)


@app.command("figures")
def figures(
    study: StudyName,
    to: Annotated[Path, typer.Option(help="Folder for the files.")],
    overrides: Overrides = [],  # noqa: B006
    name: As = None,
) -> None:
    """Write every figure of the report as PDF and SVG, panels and legend on one sheet, for a manuscript.

    golden report figures demo --to figures
    """
    with teaching():
        from golden_core.preparation.catalogue import load_variant
        from golden_core.reporting import figures_apart
        from golden_core.store.lake import Home, write_bytes
        from golden_core.store.warehouse import Warehouse
        from golden_core.trials.stored import shown_completeness

        overrides = named(overrides, name)
        loaded, home = load_variant(study, overrides), Home.from_environment()
        with telling_how_to_run(study, overrides):
            shown_completeness(home, loaded)  # refuses what is not in the warehouse as it stands
        for file, content in figures_apart(Warehouse(home.warehouse), loaded).items():
            write_bytes(content, to / file)
            typer.echo(f"written: {to / file}")
