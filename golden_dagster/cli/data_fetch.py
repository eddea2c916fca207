"""`golden data fetch`: prices from a vendor's public feed, politely, resumably, into one table per pair."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from golden_dagster.cli.options import teaching, terminal

if TYPE_CHECKING:
    from rich.table import Table

    from golden_core.sources.dukascopy import Fetched, Month

fetch_app = typer.Typer(no_args_is_help=True, help="Fetch prices from a vendor's public feed.")

DAY = ["%Y-%m-%d"]


@fetch_app.callback()
def _group() -> None:
    """Fetch prices from a vendor's public feed."""  # one command alone would lose its name


@fetch_app.command()
def dukascopy(
    pairs: Annotated[str, typer.Option("--pairs", help="Such as EURUSD,USDJPY.")],
    start: Annotated[datetime, typer.Option("--from", formats=DAY, help="First day, UTC.")],
    end: Annotated[datetime, typer.Option("--to", formats=DAY, help="Last day, UTC, included.")],
    base_url: Annotated[
        str | None, typer.Option("--base-url", help="Address of the feed or a mirror: HTTPS, or HTTP on this machine.")
    ] = None,
    delay: Annotated[float, typer.Option(min=0, help="Seconds before each request; there is one at a time.")] = 0.5,
    timeout: Annotated[float, typer.Option(min=0.1, help="Seconds that one download may take.")] = 30.0,
    attempts: Annotated[int, typer.Option(min=1, max=10, help="How often a month is asked for.")] = 5,
) -> None:
    """Fetch hourly BID candles; what is here already is not asked for again, and a broken run goes on from there."""
    with teaching():
        from golden_core.sources.dukascopy import BASE_URL, fetch, months_between
        from golden_core.sources.politeness import Politeness
        from golden_core.store.lake import Home

        names = [name.strip().upper() for name in pairs.split(",") if name.strip()]
        first, last = start.date(), end.date()
        with _bar(len(names) * len(months_between(first, last))) as settled:
            found = fetch(
                Home.from_environment().root,
                names,
                first,
                last,
                politeness=Politeness(delay, timeout, attempts),
                base_url=base_url or BASE_URL,
                progress=settled,
            )
        console = terminal()
        console.print(_view(found))
        for text in _remarks(found):
            console.print(text, style="dim", highlight=False, soft_wrap=True)


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


def _view(found: list[Fetched]) -> Table:
    from rich.table import Table

    table = Table("pair", "hours", "from", "to", "months", title="Dukascopy, BID, UTC", title_justify="left")
    for one in found:
        counts = ", ".join(f"{state} {number}" for state, number in one.counts.items())
        table.add_row(one.pair, str(one.bars), f"{one.first:%Y-%m-%d %H:%M}", f"{one.last:%Y-%m-%d %H:%M}", counts)
    return table


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
