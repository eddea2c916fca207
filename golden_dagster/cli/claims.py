"""`golden claims`: what may be said of a study, and what may not, each with its evidence."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import typer

from golden_dagster.cli.options import (
    As,
    Overrides,
    StudyName,
    coloured,
    exhibited,
    named,
    teaching,
    telling_how_to_run,
    terminal,
)


def claims(
    study: StudyName = "demo",
    overrides: Overrides = [],  # noqa: B006
    name: As = None,
    every: Annotated[bool, typer.Option("--all", help="Non-claims one by one too.")] = False,
) -> None:
    """Print the claims that a study's evidence carries, and count those that it does not.

    Effects are in percent of the random walk's loss; of covers, in points of coverage, and of profitable, in percent of
    the capital a year. "Found from" is the effect that a claim would have been made of
    with the protocol's power, "within" the margin of equivalence that is reached.
    """
    with teaching():
        from golden_core.preparation.catalogue import load_variant
        from golden_core.reporting.exhibits import Answer, exhibit
        from golden_core.reporting.verdict import decided
        from golden_core.store.lake import Home
        from golden_core.store.warehouse import Warehouse
        from golden_core.trials.stored import shown_completeness

        overrides = named(overrides, name)
        loaded, home, console = load_variant(study, overrides), Home.from_environment(), terminal()
        if loaded.protocol is None:
            raise typer.BadParameter(f"study {loaded.name!r} has no section `protocol`, so nothing is claimed of it")
        with telling_how_to_run(study, overrides):
            present, expected = shown_completeness(home, loaded)
        asked = exhibit("claims", Warehouse(home.warehouse), loaded)
        rows = asked.answer.frame
        carried = rows.filter("claimed")
        shown = asked if every else replace(asked, answer=Answer(carried))
        if shown.answer.frame.height:
            spare = ("Found from", "Within", "Seeds agreeing", "n", *(() if every else ("Carried",)))
            title, page = f"Claims of study {loaded.name}", ("Registered", "Tried", "Not made because")
            console.print(exhibited(shown, console, without=page, spare=spare, title=title))
        console.print(
            f"{carried.height} of {rows.height} claims asked about are carried by the evidence", highlight=False
        )
        if loaded.is_smoke:
            plumbing = ": it exercises the plumbing, and its numbers carry no claim"
            console.print(coloured("smoke study", "red", plumbing), highlight=False)
        console.print(f"decided {decided(loaded.protocol)}", style="dim", highlight=False)
        for reason, count in rows.filter(~rows["claimed"]).group_by("reason", maintain_order=True).len().iter_rows():
            console.print(f"  {count} are not: {reason or 'the test does not reject'}", style="dim", highlight=False)
        for tried, registered in rows.select("tried", "registered").unique().iter_rows():
            console.print(f"tried on these rates in this home: {tried} ways to forecast", style="dim", highlight=False)
            if not registered:
                late = ": a test part was opened before this protocol stood, or with more to ask, or elsewhere"
                console.print(coloured("not registered", "red", late), highlight=False)
        if present < expected:
            console.print(coloured("incomplete", "red", f": {present} of {expected} trials"), highlight=False)
