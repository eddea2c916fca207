"""The commands, gathered."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from golden_dagster.cli import (
    bench,
    calibration,
    data,
    explain,
    gate,
    home,
    leakage,
    legacy,
    milestones,
    publish,
    report,
    reproduce,
    run,
    study,
)
from golden_dagster.cli.options import teaching

app = typer.Typer(
    name="golden",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    help="FX forecasting research in which a claim gets through only if the evidence carries it.",
    epilog="Generated files live under GOLDEN_HOME (default: .golden in the checkout, else the nearest upwards).",
)


def _version(asked: bool) -> None:
    if asked:
        from golden_core.store.provenance import git_state, library_versions

        state = git_state()
        commit = f", commit {state['commit']}" if state["commit"] else ""
        changes = " and changes" if state["dirty"] else ""
        typer.echo(f"golden {library_versions(('golden',))['golden']}{commit}{changes}")
        raise typer.Exit


@app.callback()
def _golden(
    _: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show version and commit, and exit.")
    ] = False,
) -> None: ...


# In the order of the help.
_COMMANDS = (
    run.run, run.status, run.leaderboard, report.claims, explain.explain, gate.gate, calibration.placebo,
    calibration.power, reproduce.reproduce, report.retrials, home.clean, home.doctor, home.ui,
)  # fmt: skip
_GROUPS = {
    "study": study, "data": data, "lake": home, "leakage": leakage, "report": report, "statistics": calibration,
    "legacy": legacy, "milestones": milestones, "publish": publish, "bench": bench,
}  # fmt: skip
for _one in _COMMANDS:
    app.command(_one.__name__)(_one)
for _name, _module in _GROUPS.items():
    app.add_typer(_module.app, name=_name)


def flowed(text: str) -> str:
    """Return a docstring without line ends inside its paragraphs: a terminal has another width than the source."""
    paragraphs = inspect.cleandoc(text).split("\n\n")
    return "\n\n".join(part if part.startswith(" ") else re.sub(r"\s*\n(?! )", " ", part) for part in paragraphs)


class _Command(TyperCommand):
    """A command that takes what ``--study`` names for the argument STUDY, where it has one.

    It takes no empty word for a path: what a shell makes of a variable that is not set would be where one stands.
    """

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if any(one.name == "study" and one.param_type_name == "argument" for one in self.params):
            args = _by_place(args)
        words, _, _ = self.make_parser(ctx).parse_args(list(args))
        left = super().parse_args(ctx, args)
        for one in ctx.command.params:
            if words.get(one.name) == "" and ctx.params.get(one.name) == Path():
                raise typer.BadParameter("no path is given; the folder you stand in is .", ctx=ctx, param=one)
        return left


def _by_place(args: list[str]) -> list[str]:
    words, studies, others = iter(args), [], []
    for word in words:
        option, mark, value = word.partition("=")
        if option == "--study":
            studies.append(value if mark else next(words, ""))
        else:
            others.append(word)
    if "" in studies:
        raise typer.BadParameter("--study needs the name of a study, or the path of a YAML file")
    return [*studies, *others]


for _group in (app, *(module.app for module in _GROUPS.values()), data.fetch_app):
    for _command in _group.registered_commands:
        if _command.callback:
            _command.help = flowed(_command.callback.__doc__ or "")
            _command.cls = _Command
            _command.callback = teaching()(_command.callback)  # every command ends a fault of the user's alike
