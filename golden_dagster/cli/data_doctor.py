"""`golden data doctor`: one file, examined as a study's data are."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from golden_dagster.cli.options import teaching


def doctor(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A file of bars.")],
    pair: Annotated[str | None, typer.Option(help="The pair, where the file's name does not say it.")] = None,
    zone: Annotated[
        str | None, typer.Option(help="The file's clock: Europe/Berlin, UTC+02:00, EET, EET_US (New York + 7).")
    ] = None,
    format_: Annotated[
        str, typer.Option("--format", help="As for an import: auto, or a format's name, perhaps with a choice.")
    ] = "auto",
    column: Annotated[
        list[str] | None,
        typer.Option(metavar="OURS=THEIRS", help="What the file calls timestamp, open, high, low, close, volume."),
    ] = None,
    study: Annotated[str, typer.Option(help="The study whose checks set the thresholds.")] = "legacy",
    against: Annotated[
        Path | None, typer.Option(help="A second source of the same pair: do both keep one clock, do prices agree?")
    ] = None,
    against_zone: Annotated[
        str | None, typer.Option(help="The second file's clock, if it is not the one that --zone declares.")
    ] = None,
    card: Annotated[Path | None, typer.Option(help="Also write the data card to this file.")] = None,
) -> None:
    """Examine one file: clock, cleaning, gaps, thresholds; the data card is printed, nothing is imported.

    Exit status 1 when a threshold fails or the trading week contradicts the clock, with the reasons.
    """
    with teaching():
        from golden_core.bars.doctor import examine, open_file
        from golden_core.market.local_time import ZoneError
        from golden_core.preparation.catalogue import load_study
        from golden_core.store.lake import write_text
        from golden_dagster.cli.imports import declared_columns

        checks, columns = load_study(study).checks, declared_columns(column or [])
        try:
            other = None if against is None else open_file(against, pair=pair, zone=against_zone or zone)
            diagnosis = examine(open_file(file, pair=pair, zone=zone, format=format_, columns=columns), checks, other)
        except ZoneError as error:
            typer.echo(f"FAIL clock: {error}", err=True)
            raise typer.Exit(1) from None
        typer.echo(diagnosis.card, nl=False)
        if card is not None:
            write_text(diagnosis.card, card)
        for verdict in diagnosis.verdicts:
            if verdict.passed is False:
                typer.echo(f"FAIL {verdict.claim}: {verdict.detail}", err=True)
        if not diagnosis.passed:
            raise typer.Exit(1)
