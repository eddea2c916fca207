"""`golden claims`: what may be said of a study, and what may not, each with its evidence."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from golden_dagster.cli.options import (
    As,
    Overrides,
    StudyName,
    coloured,
    named,
    table,
    teaching,
    telling_how_to_run,
    terminal,
)

_QUERY = """
SELECT forecaster, kind, CASE WHEN scope = 'pooled' THEN 'all pairs' ELSE pair END || ' h' || horizon AS series,
       claimed, 100 * effect AS effect, 100 * low AS low, 100 * high AS high, p_holm,
       100 * smallest_effect AS smallest, 100 * margin_reached AS reached, seeds_agreeing, seeds, n, reason,
       tried, registered
FROM claims WHERE study = ? ORDER BY claimed DESC, kind, scope, forecaster, pair, horizon
"""
_COLUMNS = (
    "forecaster", "claim", "series", "carried", "effect %", "interval %", "p, Holm", "found from %", "within %",
    "seeds", "n",
)  # fmt: skip


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
        from golden_core.store.lake import Home
        from golden_core.store.warehouse import Warehouse
        from golden_core.trials.stored import shown_completeness

        overrides = named(overrides, name)
        loaded, home, console = load_variant(study, overrides), Home.from_environment(), terminal()
        if loaded.protocol is None:
            raise typer.BadParameter(f"study {loaded.name!r} has no section `protocol`, so nothing is claimed of it")
        with telling_how_to_run(study, overrides):
            present, expected = shown_completeness(home, loaded)
        rows = Warehouse(home.warehouse).query(_QUERY, [loaded.name])
        carried = rows.filter("claimed")
        shown = rows if every else carried
        if shown.height:
            console.print(table(_COLUMNS, map(_cells, shown.iter_rows(named=True))))
        console.print(
            f"{carried.height} of {rows.height} claims asked about are carried by the evidence", highlight=False
        )
        for reason, count in rows.filter(~rows["claimed"]).group_by("reason", maintain_order=True).len().iter_rows():
            console.print(f"  {count} are not: {reason or 'the test does not reject'}", style="dim", highlight=False)
        for tried, registered in rows.select("tried", "registered").unique().iter_rows():
            console.print(f"tried on these rates in this home: {tried} ways to forecast", style="dim", highlight=False)
            if not registered:
                late = ": a test part was opened before this protocol stood, or elsewhere"
                console.print(coloured("not registered", "red", late), highlight=False)
        if present < expected:
            console.print(coloured("incomplete", "red", f": {present} of {expected} trials"), highlight=False)


def _cells(row: dict[str, Any]) -> tuple[object, ...]:
    shown = {name: "–" if row[name] is None else f"{row[name]:.3g}" for name in _NUMBERS}
    return (
        row["forecaster"], row["kind"], row["series"], "yes" if row["claimed"] else "no", shown["effect"],
        f"{shown['low']} … {shown['high']}", shown["p_holm"], shown["smallest"], shown["reached"],
        f"{row['seeds_agreeing']} of {row['seeds']}", row["n"],
    )  # fmt: skip


_NUMBERS = ("effect", "low", "high", "p_holm", "smallest", "reached")
