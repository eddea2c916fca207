"""`golden data`: where the prices come from, and asking for newer ones."""

from __future__ import annotations

from typing import Annotated

import typer

from golden_dagster.cli.data_doctor import doctor
from golden_dagster.cli.options import Overrides, StudyName, teaching

app = typer.Typer(no_args_is_help=True, help="Look at the source of a study's prices, and refresh it.")
app.command("doctor")(doctor)


@app.command()
def show(study: StudyName = "demo", overrides: Overrides = []) -> None:  # noqa: B006
    """Say which file a study reads, its hash and its range."""
    with teaching():
        from golden_core.catalogue import load_study
        from golden_core.data.sources import source
        from golden_core.lake import Home

        loaded = load_study(study, overrides)
        description = source(loaded.data.source).describe(loaded.data, Home.from_environment().root)
        for name, value in description.items():
            typer.echo(f"{name:16} {value}")


@app.command()
def refresh(
    url: Annotated[str | None, typer.Option(help="Another address of the archive, HTTPS only.")] = None,
) -> None:
    """Ask the European Central Bank for newer reference rates; keep the old file unless the new one is sound."""
    with teaching():
        from golden_core.data.sources.ecb_refresh import ECB_URL
        from golden_core.data.sources.ecb_refresh import refresh as refresh_rates
        from golden_core.lake import Home

        typer.echo(str(refresh_rates(Home.from_environment().root, url=url or ECB_URL)))
