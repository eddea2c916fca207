"""`golden claims`, `golden report`, `golden retrials`: what may be said of a study, and of what others published."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from golden_dagster.cli.options import (
    As,
    Overrides,
    StudyName,
    caveats,
    coloured,
    exhibited,
    finished,
    table,
    terminal,
)

app = typer.Typer(
    no_args_is_help=True, help="Hold the report of a study against its numbers, and take its figures out."
)


def claims(
    study: StudyName = "demo",
    overrides: Overrides = [],
    name: As = None,
    every: Annotated[bool, typer.Option("--all", help="Non-claims one by one too.")] = False,
) -> None:
    """Print the claims that a study's evidence carries, and count those that it does not.

    Effects are in percent of the random walk's loss; of covers, in points of coverage, and of profitable, in percent of
    the capital a year. "Found from" is the smallest effect that the test would have found
    with the protocol's power, "within" the margin of equivalence that is reached.
    """
    from golden_core.reporting.exhibits import Answer, exhibit
    from golden_core.reporting.verdict import decided
    from golden_core.store.warehouse import Warehouse

    with finished(study, overrides, name) as (loaded, home):
        if loaded.protocol is None:
            raise typer.BadParameter(f"study {loaded.name!r}: no section `protocol`; `golden study show demo` has one")
        against = caveats(loaded, home)
    console, asked = terminal(), exhibit("claims", Warehouse(home.warehouse), loaded)
    rows = asked.answer.frame
    carried = rows.filter("claimed")
    shown = asked if every else replace(asked, answer=Answer(carried))
    if shown.answer.frame.height:
        spare = ("Found from", "Within", "Seeds agreeing", "n", *(() if every else ("Carried",)))
        title, page = f"Claims of study {loaded.name}", ("Registered", "Tried", "Not made because")
        console.print(exhibited(shown, console, without=page, spare=spare, title=title))
    held = carried.height
    console.print(f"{held} of {rows.height} claims asked about {_are(held)} carried by the evidence")
    console.print(f"decided {decided(loaded.protocol)}", style="dim")
    for reason, count in rows.filter(~rows["claimed"]).group_by("reason", maintain_order=True).len().iter_rows():
        console.print(f"  {count} {_are(count)} not: {reason or 'the test does not reject'}", style="dim")
    for tried, registered in rows.select("tried", "registered").unique().iter_rows():
        console.print(f"tried on these rates in this home: {tried} ways to forecast", style="dim")
        if not registered:
            late = ": a test part was opened before this protocol stood, or with more to ask, or elsewhere"
            console.print(coloured("not registered", "red", late))
    for caveat in against:
        console.print(caveat, soft_wrap=True)


def _are(count: int) -> str:
    return "is" if count == 1 else "are"


@app.command()
def verify(
    study: StudyName = "demo",
    overrides: Overrides = [],
    name: As = None,
    page: Annotated[
        Path | None,
        typer.Option("--page", metavar="FILE", exists=True, help="A page to verify in place of the whole report."),
    ] = None,
) -> None:
    """Render the report of a study anew from the warehouse and name every place that differs on disk.

    Tables, captions, figures, LaTeX and CSV are compared. What checks said and where the numbers come from lies beside
    the page and is held against the hashes of the moment of writing. Exit status 1 if anything differs.
    """
    from golden_core.benchmarking.records import last_runs
    from golden_core.reporting.formats import visible
    from golden_core.reporting.verification import verify_report
    from golden_core.store.warehouse import Warehouse

    console = terminal()
    with finished(study, overrides, name) as (loaded, home):
        folder = home.report(loaded.name)
        found, compared = verify_report(Warehouse(home.warehouse), loaded, folder, page, last_runs(home, loaded.name))
    if found:
        rows = (map(visible, (one.file, one.exhibit, one.place, one.found, one.expected)) for one in found)
        console.print(table(("file", "exhibit", "place", "on disk", "from the warehouse"), rows))
    count = "1 difference" if len(found) == 1 else f"{len(found)} differences"
    said = count if found else f"as the warehouse says: {compared} places compared"
    console.print(f"{page or folder}: {said}", soft_wrap=True)
    raise typer.Exit(1 if found else 0)


@app.command()
def figures(
    study: StudyName,
    to: Annotated[Path, typer.Option(help="Folder for the files.")],
    overrides: Overrides = [],
    name: As = None,
) -> None:
    """Write every figure of the report as PDF and SVG, panels and legend on one sheet, for a manuscript.

    golden report figures demo --to figures
    """
    from golden_core.reporting.pages import figures_apart
    from golden_core.store.lake import write_bytes
    from golden_core.store.warehouse import Warehouse
    from golden_core.trials.stored import shown_completeness

    with finished(study, overrides, name) as (loaded, home):
        shown_completeness(home, loaded)  # refuses what is not in the warehouse as it stands
    for file, content in figures_apart(Warehouse(home.warehouse), loaded).items():
        write_bytes(content, to / file)
        typer.echo(f"written: {to / file}")


def retrials() -> None:
    """Write retrials.csv and retrials.md: what was claimed, what holds, and which leak would explain the claim.

    Their studies are run first: golden run retrial_puzzle_ends, retrial_puzzle_means and retrial_exformer.
    """
    from golden_core.retrials import table as retried
    from golden_core.store.lake import Home, write_text

    home, console = Home.from_environment(), terminal()
    found, folder = retried.retrials_table(home, retried.retrials()), home.reports / "retrials"
    write_text(found.write_csv(), folder / "retrials.csv")
    write_text(retried.retrials_page(found), folder / "retrials.md")
    shown = found.filter(found["row"] != "court").select("retrial", "row", "closes", "forecaster", "n", "statistic")
    console.print(table(shown.columns, shown.iter_rows()))
    court = found.filter(found["row"] == "court")
    console.print(f"{court['holds'].sum()} of {court.height} claims asked about hold")
    console.print(f"written: {folder / 'retrials.csv'}", soft_wrap=True)
