"""`golden gate`: the criterion that a change has to pass."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from golden_dagster.cli.options import As, Backend, Overrides, StudyName, Workers, coloured, named, table, terminal

if TYPE_CHECKING:
    from rich.table import Table

    from golden_dagster.gate import CheckRow, GateResult

COLOURS = {"passed": "green", "failed": "red", "warned": "yellow", "not run": "red"}


def gate(
    study: StudyName = "smoke",
    overrides: Overrides = [],
    junit: Annotated[
        Path | None, typer.Option(dir_okay=False, help="Where the JUnit XML goes; by default beside the report.")
    ] = None,
    backend: Backend = "loky",
    workers: Workers = 0,
    name: As = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Show the checks of legacy, leakage and milestones too, not only the study's.")
    ] = False,
) -> None:
    """Make what is missing or out of date, run every check, print a table and write JUnit XML.

    If the gate fails, the cause is printed first. The table shows the checks of the study, and failed ones of the
    platform; not those that could not run because of the cause.

    Exit status 0: every check was evaluated, and none failed but warnings. 1: a check of severity error failed or was
    not evaluated, or a run failed. 2: bad usage.
    """
    from golden_core.reporting.pages import JUNIT
    from golden_dagster.campaign import open_campaign
    from golden_dagster.gate import run_gate, write_junit
    from golden_dagster.resources import WorkersResource

    console = terminal()
    resource = WorkersResource(backend=backend, workers=workers)
    with open_campaign(study, named(overrides, name), workers=resource, say=console.print) as campaign:
        for stage in campaign.stages():
            console.print(f"materialising {stage.name} …", style="dim")
            if not campaign.execute(stage) and stage.name != "models":
                break
        console.print("running every check …", style="dim")
        result = run_gate(campaign)
        judged = campaign.study.name
        path = junit or campaign.home.report(judged) / JUNIT
    if result.cause:
        console.print(coloured("cause", "red", f" {result.cause}"), soft_wrap=True)
    console.print(_view(result, judged, everything=everything))
    for failure in result.failures[1:]:
        console.print(coloured("failed run", "red", f" {failure}"), soft_wrap=True)
    following = sum(row.follows for row in result.rows)
    if following and not everything:
        console.print(f"{following} checks could not run, or had nothing to look at, because of it: see --all")
    write_junit(result, judged, path)  # last: what was found is on the screen, should there be no place for it
    # Its last line is what the log of a night is read for.
    ended = "passed" if result.passed else f"FAILED: {str(result.cause).partition(chr(10))[0]}"
    console.print(f"{ended}; JUnit XML: {path}", soft_wrap=True)
    raise typer.Exit(0 if result.passed else 1)


def _view(result: GateResult, study: str, *, everything: bool) -> Table:
    """Return one row per check, with what it found; the study's are counted apart from what every home is told."""
    shown = [row for row in result.rows if everything or ((row.of_study or row.blocks) and not row.follows)]
    rows = ((row.asset, row.name, coloured(row.verdict, COLOURS[row.verdict]), row.description) for row in shown)
    caption = _total(shown, "checks")
    if hidden := [row for row in result.rows if row not in shown and not row.follows]:
        caption += "; " + _total(hidden, "that are no study's, shown by --all")
    return table(("asset", "check", "verdict", "found"), rows, title=f"Gate of study {study}", caption=caption)


def _total(rows: Sequence[CheckRow], what: str) -> str:
    counts = Counter(str(row.verdict) for row in rows)
    return f"{len(rows)} {what}: " + ", ".join(f"{counts[verdict]} {verdict}" for verdict in COLOURS)
