"""`golden report`: whether a page still says what the warehouse says."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from golden_dagster.cli.options import As, Overrides, StudyName, named, table, teaching, terminal

app = typer.Typer(no_args_is_help=True, help="Hold the report of a study against its numbers.")


@app.callback()
def _report() -> None:
    """Keep `verify` a command of its own."""


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
        from rich.markup import escape

        from golden_core.preparation.catalogue import load_variant
        from golden_core.reporting import verify_report
        from golden_core.store.lake import Home
        from golden_core.store.warehouse import Warehouse

        loaded, home, console = load_variant(study, named(overrides, name)), Home.from_environment(), terminal()
        folder = home.report(loaded.name)
        found, compared = verify_report(Warehouse(home.warehouse), loaded, folder, page)
        if found:
            rows = ((one.file, one.exhibit, one.place, one.found, one.expected) for one in found)
            cells = (map(escape, row) for row in rows)
            console.print(table(("file", "exhibit", "place", "on disk", "from the warehouse"), cells))
        of = page or folder
        count = "1 difference" if len(found) == 1 else f"{len(found)} differences"
        said = count if found else f"as the warehouse says: {compared} places compared"
        console.print(f"{of}: {said}", highlight=False, soft_wrap=True)
        raise typer.Exit(1 if found else 0)
