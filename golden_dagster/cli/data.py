"""`golden data`: where the prices come from; vendors' files imported, examined, fetched. Readers are elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from golden_dagster.cli.options import Overrides, StudyName, opened, table, terminal

if TYPE_CHECKING:
    from rich.table import Table

    from golden_core.bars.importing import Imported
    from golden_core.sources.dukascopy import Fetched, Month

ColumnNames = Annotated[
    list[str] | None,
    typer.Option(
        "--column",
        metavar="OURS=THEIRS",
        help="The file's timestamp, open, high, low, close, volume: names, places from 1, nothing if it has none.",
    ),
]

app = typer.Typer(no_args_is_help=True, help="Prices: look at a study's source, refresh, import, fetch, examine files.")
fetch_app = typer.Typer(  # with a callback, for one command alone would lose its name
    no_args_is_help=True, help="Fetch prices from a vendor's public feed.", callback=lambda: None
)
app.add_typer(fetch_app, name="fetch")

DAY = ["%Y-%m-%d"]


@app.command()
def show(study: StudyName = "demo", overrides: Overrides = []) -> None:
    """Say which file a study reads, its hash and its range."""
    from golden_core.sources import source

    loaded, home = opened(study, overrides)
    for name, value in source(loaded.data.source).describe(loaded.data, home.root).items():
        typer.echo(f"{name:16} {value}")


@app.command()
def refresh(
    url: Annotated[str | None, typer.Option(help="Another address of the archive, HTTPS only.")] = None,
) -> None:
    """Ask the European Central Bank for newer reference rates; keep the old file unless the new one is sound."""
    from golden_core.sources.ecb_refresh import ECB_URL
    from golden_core.sources.ecb_refresh import refresh as refresh_rates
    from golden_core.store.lake import Home

    typer.echo(str(refresh_rates(Home.from_environment().root, url=ECB_URL if url is None else url)))


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
        str | None, typer.Option(help="Clock of the file: UTC, EET, EET_US (New York + 7), UTC+02:00, Europe/Berlin, …")
    ] = None,
    bar: Annotated[
        str | None,
        typer.Option(help="Length of a bar, if not the file's own: shorter ones are cleaned and put together."),
    ] = None,
    column: ColumnNames = None,
) -> None:
    """Bring a vendor's file of one pair into Golden's home, as bars in UTC, with an account of every decision.

    The format is detected from the file's first lines, columns are found by name, prices written as whole numbers are
    told from what the pair can cost, and the clock (the one you declare, else the one the file states) is held against
    the trading week: if the weekends contradict it, nothing is imported. What can be read in two ways is refused, with
    both readings. Bars of the file's own length are not cleaned, sorted or filled in.

    Formats (docs/vendors.md has an example of each): alphavantage_json, bi5, ccxt_json, dukascopy_csv,
    dukascopy_node_json, dukascopy_ticks, fixings_csv, histdata_m1, histdata_ticks, hst, metatrader4_csv,
    metatrader5_ticks, oanda_json, plain_csv, plain_json, plain_parquet, series_csv, truefx_ticks, yahoo_json,
    yfinance_csv.
    Use the result in a study: data.source=files, data.settings.format=auto, and its path.

        golden data import EURUSD_Candlestick_1_Hour_BID_01.01.2024-01.01.2025.csv --pair EURUSD
        golden data import EURUSD60.csv --pair EURUSD --zone EET_US
        golden data import DAT_ASCII_EURUSD_T_201202.csv --pair EURUSD --bar 1h
        golden data import mine.csv --pair EURUSD --zone UTC --column timestamp=when --column close=px
    """
    from golden_core.bars.importing import import_file
    from golden_core.sources.ecb_history import find_history, read_rates
    from golden_core.store.lake import Home

    home, columns = Home.from_environment().root, _declared(column or [])
    rates = read_rates(find_history(None, home))
    imported = import_file(
        home, path, _named_pair(pair), format=format_, zone=zone, bar=bar, columns=columns, rates=rates
    )
    terminal().print(_import_view(imported, home))


@app.command()
def doctor(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A file of bars.")],
    pair: Annotated[str | None, typer.Option(help="The pair, where the file's name does not say it.")] = None,
    zone: Annotated[
        str | None, typer.Option(help="The file's clock: Europe/Berlin, UTC+02:00, EET, EET_US (New York + 7).")
    ] = None,
    format_: Annotated[
        str, typer.Option("--format", help="As for an import: auto, or a format's name, perhaps with a choice.")
    ] = "auto",
    column: ColumnNames = None,
    study: Annotated[str, typer.Option(help="The study whose checks set the thresholds.")] = "legacy",
    against: Annotated[
        Path | None, typer.Option(help="A second source of the same pair: do both keep one clock, do prices agree?")
    ] = None,
    against_zone: Annotated[
        str | None, typer.Option(help="The second file's clock, if it is not the one that --zone declares.")
    ] = None,
) -> None:
    """Examine one file: clock, cleaning, gaps, thresholds; the data card is printed, nothing is imported.

    Exit status 1 when a threshold fails or the trading week contradicts the clock, with the reasons.
    """
    from golden_core.bars.doctor import examine, open_file
    from golden_core.market.local_time import ZoneError
    from golden_core.preparation.catalogue import load_study

    checks, columns = load_study(study).checks, _declared(column or [])
    try:
        other = None if against is None else open_file(against, pair=pair, zone=against_zone or zone)
        diagnosis = examine(open_file(file, pair=pair, zone=zone, format=format_, columns=columns), checks, other)
    except ZoneError as error:
        typer.echo(f"FAIL clock: {error}", err=True)
        raise typer.Exit(1) from None
    typer.echo(diagnosis.card, nl=False)
    for verdict in diagnosis.verdicts:
        if verdict.passed is False:
            typer.echo(f"FAIL {verdict.claim}: {verdict.detail}", err=True)
    if not diagnosis.passed:
        raise typer.Exit(1)


@fetch_app.command()
def dukascopy(
    pairs: Annotated[str, typer.Option("--pairs", help="Such as EURUSD,USDJPY.")],
    start: Annotated[datetime, typer.Option("--from", formats=DAY, help="First day, UTC.")],
    end: Annotated[datetime, typer.Option("--to", formats=DAY, help="Last day, UTC, included.")],
    base_url: Annotated[
        str | None, typer.Option("--base-url", help="Address of the feed or a mirror: HTTPS, or HTTP on this machine.")
    ] = None,
) -> None:
    """Fetch hourly BID candles; what is here already is not asked for again, and a broken run goes on from there."""
    from golden_core.sources.dukascopy import BASE_URL, fetch, months_between
    from golden_core.store.lake import Home

    names = [name.strip().upper() for name in pairs.split(",") if name.strip()]
    first, last = start.date(), end.date()
    with _bar(len(names) * len(months_between(first, last))) as settled:
        found = fetch(
            Home.from_environment().root,
            names,
            first,
            last,
            base_url=BASE_URL if base_url is None else base_url,
            progress=settled,
        )
    console = terminal()
    console.print(_fetched_view(found))
    for text in _remarks(found):
        console.print(text, style="dim", soft_wrap=True)


@contextmanager
def _bar(total: int) -> Iterator[Callable[[Month], None]]:
    """Show how many months are settled, and which one was last; on stderr, so that the table can be piped."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task("asking", total=max(total, 0))

        def settled(month: Month) -> None:
            shown.update(task, advance=1, description=f"{month}: {month.state}")

        yield settled


def _fetched_view(found: list[Fetched]) -> Table:
    def row(one: Fetched) -> tuple[object, ...]:
        counts = ", ".join(f"{state} {number}" for state, number in one.counts.items())
        return one.pair, one.bars, f"{one.first:%Y-%m-%d %H:%M}", f"{one.last:%Y-%m-%d %H:%M}", counts

    return table(("pair", "hours", "from", "to", "months"), map(row, found), title="Dukascopy, BID, UTC")


def _remarks(found: list[Fetched]) -> list[str]:
    """Name the months without data, what was strange, and each table with its hash."""
    remarks = []
    for one in found:
        absent = [f"{month.month:%Y-%m}" for month in one.months if month.state == "absent"]
        if absent:
            remarks.append(f"{one.pair}: the feed has nothing for {', '.join(absent)}")
        remarks += [f"{month}: {month.detail}; it was asked for again" for month in one.months if month.detail]
        remarks.append(f"{one.pair}: sha256 {one.sha256} {one.path}")
    return remarks


def _named_pair(text: str) -> str:
    """Return a pair as typed, in capitals."""
    from pydantic import TypeAdapter, ValidationError

    from golden_core.study.values import Pair
    from golden_core.vendors.base import VendorError

    pair = text.upper().replace("/", "").replace("_", "")
    try:
        return TypeAdapter(Pair).validate_python(pair)
    except ValidationError:
        raise VendorError(
            f"--pair must be two different currencies, base then quote, such as EURUSD, got {text!r}"
        ) from None


def _declared(entries: Sequence[str]) -> dict[str, str | None]:
    """Return what ``--column`` declares: our name → the file's, None where nothing stands."""
    from golden_core.sources.files import Columns
    from golden_core.vendors.base import VendorError

    declared: dict[str, str | None] = {}
    for entry in entries:
        ours, mark, theirs = entry.partition("=")
        if not mark or ours not in Columns.model_fields:
            raise VendorError(
                f"--column must look like close=NAME, with one of {', '.join(Columns.model_fields)}, got {entry!r}"
            )
        declared[ours] = theirs or None
    return declared


def _import_view(imported: Imported, home: Path) -> Table:
    """Return what was decided about a file, and why."""
    from rich.table import Table

    record, reading = imported.record, imported.reading
    scale = "as written" if record["divisor"] == 1 else f"divided by {record['divisor']}"
    rows = {
        "format": f"{record['format']}: {record['because']}",
        "clock": f"{record['zone']} ({reading.evidence.verdict}): {reading.evidence.summary}",
        "bars": f"{record['rows']:,} bars of {record['bar']}, {record['first']} to {record['last']}",
        "prices": f"{record['side'] or 'side unknown'}, {scale}",
        "noticed": "\n".join(f"• {note}" for note in reading.notes) or "nothing",
        # Of what was put together from shorter bars the faults are gone: those are cleaned.
        **({} if record["declared"]["bar"] else {"faults": "kept: golden data doctor counts gaps and doubled rows"}),
        "sha256": record["sha256"],
        "licence": "none is stated: note what you agreed with the vendor in the account",
        "written": str(imported.path.relative_to(home)),
        "account": str(imported.path.with_suffix(".json").relative_to(home)),
    }
    title = f"{record['pair']} from {record['original']}"
    table = Table(title=title, title_justify="left", show_header=False)
    table.add_column("what", no_wrap=True)
    table.add_column("decided", overflow="fold")
    for name, value in rows.items():
        table.add_row(name, value)
    return table
