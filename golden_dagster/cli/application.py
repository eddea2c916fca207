"""The commands, gathered."""

from __future__ import annotations

import inspect
import re
from typing import Annotated

import typer

from golden_dagster.cli import (
    bench,
    claims,
    clean,
    data,
    doctor,
    explain,
    gate,
    lake,
    leakage,
    legacy,
    milestones,
    placebo,
    publish,
    report,
    reproduce,
    retrials,
    run,
    statistics,
    study,
    ui,
)

app = typer.Typer(
    name="golden",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    help="FX forecasting research in which a claim gets through only if the evidence carries it.",
    epilog="Generated files live under GOLDEN_HOME (default: .golden in the folder you stand in).",
)


def _version(asked: bool) -> None:
    if asked:
        from golden_core.store.provenance import git_state, library_versions

        state = git_state()
        commit = f", commit {state['commit']}" if state["commit"] else ""
        typer.echo(
            f"golden {library_versions(('golden',))['golden']}{commit}{' and changes' if state['dirty'] else ''}"
        )
        raise typer.Exit


@app.callback()
def _golden(
    _: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show version and commit, and exit.")
    ] = False,
) -> None: ...


app.command("run")(run.run)
app.command("status")(run.status)
app.command("leaderboard")(run.leaderboard)
app.command("claims")(claims.claims)
app.command("explain")(explain.explain)
app.command("gate")(gate.gate)
app.command("placebo")(placebo.placebo)
app.command("power")(placebo.power)
app.command("reproduce")(reproduce.reproduce)
app.command("retrials")(retrials.retrials)
app.command("clean")(clean.clean)
app.command("doctor")(doctor.doctor)
app.command("ui")(ui.ui)
app.add_typer(study.app, name="study")
app.add_typer(data.app, name="data")
app.add_typer(lake.app, name="lake")
app.add_typer(leakage.app, name="leakage")
app.add_typer(report.app, name="report")
app.add_typer(statistics.app, name="statistics")
app.add_typer(legacy.app, name="legacy")
app.add_typer(milestones.app, name="milestones")
app.add_typer(publish.app, name="publish")
app.add_typer(bench.app, name="bench")


def flowed(text: str) -> str:
    """Return a docstring without line ends inside its paragraphs: a terminal has another width than the source."""
    paragraphs = inspect.cleandoc(text).split("\n\n")
    return "\n\n".join(part if part.startswith(" ") else re.sub(r"\s*\n(?! )", " ", part) for part in paragraphs)


for _group in (app, *(added.typer_instance for added in app.registered_groups)):
    for _command in _group.registered_commands if _group else ():
        _command.help = flowed((_command.callback and _command.callback.__doc__) or "")
