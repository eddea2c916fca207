"""`golden data`: where the prices come from, bringing in a vendor's file, and asking for newer ones."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from golden_dagster.cli.data_doctor import doctor
from golden_dagster.cli.data_fetch import fetch_app
from golden_dagster.cli.options import Overrides, StudyName, teaching, terminal

app = typer.Typer(no_args_is_help=True, help="Prices: look at a study's source, refresh, import, fetch, examine files.")
app.add_typer(fetch_app, name="fetch")
app.command("doctor")(doctor)


@app.command()
def show(study: StudyName = "demo", overrides: Overrides = []) -> None:  # noqa: B006
    """Say which file a study reads, its hash and its range."""
    with teaching():
        from golden_core.preparation.catalogue import load_variant
        from golden_core.sources import source
        from golden_core.store.lake import Home

        loaded = load_variant(study, overrides)
        description = source(loaded.data.source).describe(loaded.data, Home.from_environment().root)
        for name, value in description.items():
            typer.echo(f"{name:16} {value}")


@app.command()
def refresh(
    url: Annotated[str | None, typer.Option(help="Another address of the archive, HTTPS only.")] = None,
) -> None:
    """Ask the European Central Bank for newer reference rates; keep the old file unless the new one is sound."""
    with teaching():
        from golden_core.sources.ecb_refresh import ECB_URL
        from golden_core.sources.ecb_refresh import refresh as refresh_rates
        from golden_core.store.lake import Home

        typer.echo(str(refresh_rates(Home.from_environment().root, url=url or ECB_URL)))


@app.command("import")
def import_(
    path: Annotated[Path, typer.Argument(metavar="PATH", help="The vendor's file; a folder for a tree of .bi5 files.")],
    pair: Annotated[str, typer.Option(help="Base then quote currency, such as EURUSD.")],
    format_: Annotated[
        str,
        typer.Option(
            "--format",
            help="auto, or a format's name, with a choice where a file can be read in several ways: "
            "plain_csv:day_first, oanda_json:bid.",
        ),
    ] = "auto",
    zone: Annotated[
        str | None,
        typer.Option(help="Clock of the file: UTC, EET, EET_US (New York + 7), UTC+02:00, Europe/Berlin, …"),
    ] = None,
    bar: Annotated[
        str | None,
        typer.Option(help="Length of a bar, if not the file's own: shorter ones are cleaned and put together."),
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(
            metavar="OURS=THEIRS",
            help="What the file calls timestamp, open, high, low, close, volume; or their places from 1.",
        ),
    ] = None,
) -> None:
    """Bring a vendor's file of one pair into Golden's home, as bars in UTC, with an account of every decision.

    The format is detected from the file's first lines, columns are found by name, prices written as whole numbers are
    told from what the pair can cost, and the clock (the one you declare, else the one the file states) is held against
    the trading week: if the weekends contradict it, nothing is imported. What can be read in two ways is refused, with
    both readings. Bars of the file's own length are not cleaned, sorted or filled in.

    Formats (docs/vendors.md has an example of each): alphavantage_json, bi5, ccxt_json, dukascopy_csv,
    dukascopy_node_json, dukascopy_ticks, histdata_m1, histdata_ticks, hst, investing_csv, metatrader4_csv, metatrader5,
    oanda_csv, oanda_json, plain_csv, plain_parquet, polygon_json, series_csv, truefx_ticks, yfinance_csv.
    Use the result in a study: data.source=files, data.settings.format=auto, and its path.

        golden data import EURUSD_Candlestick_1_Hour_BID_01.01.2024-01.01.2025.csv --pair EURUSD
        golden data import EURUSD60.csv --pair EURUSD --zone EET_US
        golden data import DAT_ASCII_EURUSD_T_201202.csv --pair EURUSD --bar 1h
        golden data import mine.csv --pair EURUSD --zone UTC --column timestamp=when --column close=px
    """
    with teaching():
        from golden_core.bars.importing import import_file
        from golden_core.store.lake import Home
        from golden_dagster.cli.imports import declared_columns, import_view, named_pair

        home = Home.from_environment().root
        imported = import_file(
            home, path, named_pair(pair), format=format_, zone=zone, bar=bar, columns=declared_columns(column or [])
        )
        terminal().print(import_view(imported, home))
