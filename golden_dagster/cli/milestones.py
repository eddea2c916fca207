"""`golden milestones`: the plan, its evidence, and who answers for it."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from golden_dagster.cli.options import Bars, Earlier, Experiments, Overrides, Workers, asked, teaching, terminal

if TYPE_CHECKING:
    from golden_core.milestones.place import Place
    from golden_core.milestones.registry import Milestone as PlannedMilestone
    from golden_core.milestones.registry import Registry

app = typer.Typer(no_args_is_help=True, help="Milestones P0.M1 … P6.M3: state, evidence, sign-offs.")

Milestone = Annotated[str, typer.Argument(metavar="ID", help="A milestone, such as P0.M1.")]


@app.command()
def status() -> None:
    """Print every milestone with every criterion's verdict, and the exit gates."""
    with teaching():
        from rich.table import Table

        from golden_core.milestones.state import gate_table, status_table

        place, registry = _plan()
        found = status_table(place, registry)
        table = Table("milestone", "state", "owner", "criterion", "decided by", "verdict", "value")
        last = None
        for row in found.iter_rows(named=True):
            first = row["milestone"] != last
            last = row["milestone"]
            head = (f"{row['milestone']} {row['title']}", row["state"], row["owner"] or "—") if first else ("", "", "")
            cells = (row["criterion"], row["decided_by"], row["verdict"], row["value"])
            table.add_row(*head, *(str(cell or "—").replace("[", r"\[") for cell in cells), end_section=False)
        console = terminal()
        console.print(table)
        for row in gate_table(place, registry).iter_rows(named=True):
            console.print(f"exit gate {row['gate']}: {'met' if row['met'] else 'open'}", highlight=False)


@app.command()
def show(milestone: Milestone) -> None:
    """Print one milestone: what it takes, gives and has to satisfy, and where it stands."""
    with teaching():
        from golden_core.milestones.state import standing

        place, registry = _plan()
        found = standing(place, _milestone(registry, milestone))
        typer.echo(f"{found.milestone.id} {found.milestone.title}: {found.state}; owner: {found.owner or 'none yet'}")
        for criterion in found.criteria:
            typer.echo(f"  {criterion.verdict:10} {criterion.id}: {criterion.claim} ({criterion.decided_by})")
        for reason in found.reasons():
            typer.echo(f"  {reason}")


@app.command()
def write(
    milestone: Milestone,
    tree: Annotated[Path | None, typer.Option(help="A legacy tree, for P0.M1.")] = None,
    bars: Bars = None,
    earlier: Earlier = None,
    overrides: Overrides = [],  # noqa: B006
    experiments: Experiments = [],  # noqa: B006
    parity: Annotated[
        Path | None, typer.Option(help="A folder of Keras checkpoints and what Keras computed, for P6.M1.")
    ] = None,
    workers: Workers = 0,
    commands: Annotated[bool, typer.Option(help="Run the commands that decide criteria.")] = True,
) -> None:
    """Make the deliverables of a milestone and write them with their metadata to docs/golden."""
    with teaching():
        from golden_core.milestones.makers import Given, make_evidence
        from golden_dagster.resources import available_cores

        place, registry = _plan()
        now = datetime.datetime.now(datetime.UTC)
        request = asked(bars, earlier, overrides, experiments) if bars else None
        given = Given(tree=tree, request=request, parity=parity, workers=workers or available_cores())
        written = make_evidence(place, _milestone(registry, milestone), given=given, now=now, run_commands=commands)
        typer.echo(f"{milestone}: {len(written.changed)} files written to {place.folder(milestone)}")


@app.command()
def verify(
    milestone: Milestone,
    rerun: Annotated[bool, typer.Option(help="Also run the milestone's command again and compare every byte.")] = True,
    tree: Annotated[list[Path], typer.Option("--input", help="Where an input outside the repository lies.")] = [],  # noqa: B006
) -> None:
    """Recompute every hash of a milestone's evidence. Exit status 1 when anything is not as recorded."""
    with teaching():
        from golden_core.milestones.verification import verify as verify_evidence

        place, registry = _plan()
        found = verify_evidence(
            place,
            _milestone(registry, milestone),
            external={path.name: path for path in tree},
            rerun_within_s=1800.0 if rerun else None,
        )
        for finding in found.findings:
            typer.echo(f"wrong       {finding}")
        for finding in found.unverified:
            typer.echo(f"unverified  {finding}")
        typer.echo(f"{milestone}: {'as recorded' if found.sound else 'NOT as recorded'}")
        raise typer.Exit(0 if found.sound else 1)


@app.command()
def owner(milestone: Milestone, name: Annotated[str, typer.Option(prompt="Name of the owner")]) -> None:
    """Set who owns a milestone; a milestone is not In Progress until somebody does."""
    with teaching():
        from golden_core.milestones.people import set_owner

        place, registry = _plan()
        entry = set_owner(
            place, registry, _milestone(registry, milestone), name=name, date=datetime.datetime.now(datetime.UTC)
        )
        typer.echo(f"{milestone} is owned by {entry.owner}")


@app.command()
def sign(
    milestone: Milestone,
    criterion: Annotated[str, typer.Argument(metavar="CRITERION", help="A criterion that a person decides.")],
    role: Annotated[str, typer.Option(prompt="Role you sign in")],
    name: Annotated[str, typer.Option(prompt="Your name")],
    commit: Annotated[str, typer.Option(prompt="Full hash of the commit that holds the deliverables")],
) -> None:
    """Sign a criterion, as a person, for the deliverables that a commit holds."""
    with teaching():
        from golden_core.milestones.signoff import sign as sign_criterion

        place, registry = _plan()
        entry = sign_criterion(
            place,
            registry,
            _milestone(registry, milestone),
            criterion,
            role=role,
            name=name,
            date=datetime.datetime.now(datetime.UTC),
            commit=commit,
        )
        typer.echo(f"{milestone} {criterion}: signed by {entry.name} ({entry.role})")


def _milestone(registry: Registry, identity: str) -> PlannedMilestone:
    try:
        return registry.milestone(identity)
    except LookupError as error:
        raise typer.BadParameter(str(error)) from None


def _plan() -> tuple[Place, Registry]:
    from golden_core.lake import PROJECT_ROOT
    from golden_core.milestones.place import Place
    from golden_core.milestones.registry import load_registry

    return Place.from_environment(PROJECT_ROOT), load_registry()
