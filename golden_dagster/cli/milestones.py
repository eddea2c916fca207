"""`golden milestones`: the plan, its evidence, and who answers for it."""

from __future__ import annotations

import datetime
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from golden_dagster.cli.options import Bars, Earlier, Experiments, Overrides, Workers, asked, teaching, terminal

if TYPE_CHECKING:
    import polars as pl
    from rich.table import Table

    from golden_core.milestones.place import Place
    from golden_core.milestones.registry import Milestone as PlannedMilestone
    from golden_core.milestones.registry import Registry

app = typer.Typer(no_args_is_help=True, help="Milestones P0.M1 … P6.M3: state, evidence, sign-offs.")

Milestone = Annotated[str, typer.Argument(metavar="ID", help="A milestone, such as P0.M1.")]


@app.command()
def status(
    as_json: Annotated[bool, typer.Option("--json", help="Everything as JSON, for another program.")] = False,
) -> None:
    """Print every milestone with every criterion's verdict, and the exit gates.

    Where evidence is not as it was recorded, its verdicts do not count and are unmeasured; lines below the table say
    so. Exit status 0 whatever the verdicts are: `golden milestones verify` is the one that fails.
    """
    with teaching():
        from golden_core.milestones.state import gate_table, standings, status_record, status_table

        place, registry = _plan()
        if as_json:
            typer.echo(json.dumps(status_record(place, registry), indent=2, ensure_ascii=False))
            return
        console = terminal()
        console.print(_status_view(status_table(place, registry)))
        for found in standings(place, registry):
            if found.stale:
                count = len(found.findings)
                said = f"{found.milestone.id}: {found.findings[0]}" + (f"; {count - 1} more" if count > 1 else "")
                console.print(f"not as recorded  {said}", highlight=False, markup=False, soft_wrap=True)
        for row in gate_table(place, registry).iter_rows(named=True):
            console.print(f"exit gate {row['gate']}: {'met' if row['met'] else 'open'}", highlight=False)


def _status_view(found: pl.DataFrame) -> Table:
    from rich.table import Table

    table = Table()
    for name in ("milestone", "state", "owner", "criterion", "decided by", "verdict", "value"):
        table.add_column(name, overflow="fold")  # a cut name of a test cannot be looked for
    last = None
    for row in found.iter_rows(named=True):
        first = row["milestone"] != last
        last = row["milestone"]
        head = (f"{row['milestone']} {row['title']}", row["state"], row["owner"] or "—") if first else ("", "", "")
        cells = (row["criterion"], row["decided_by"], row["verdict"], row["value"])
        table.add_row(*(str(cell or "—" if cell != "" else "").replace("[", r"\[") for cell in (*head, *cells)))
    return table


@app.command()
def show(milestone: Milestone) -> None:
    """Print one milestone: who answers for it, what it takes, gives and has to satisfy, and where it stands."""
    with teaching():
        from golden_core.milestones.state import standing

        place, registry = _plan()
        found = standing(place, _milestone(registry, milestone))
        typer.echo(f"{found.milestone.id} {found.milestone.title}: {found.state}; owner: {found.owner or 'none yet'}")
        if planned := found.milestone.specification:
            typer.echo(f"  accountable {planned.accountable}; supporting {', '.join(planned.supporting) or 'nobody'}")
            for source in planned.inputs:
                typer.echo(f"  takes      {source.path or 'a file or folder of yours'}: {source.title}")
            for deliverable in planned.deliverables:
                typer.echo(f"  gives      {deliverable.name}: {deliverable.title}")
        for criterion in found.criteria:
            value = "" if criterion.value is None else f" [{criterion.value}]"
            typer.echo(f"  {criterion.verdict:10} {criterion.id}: {criterion.claim} ({criterion.decided_by}){value}")
        for reason in found.reasons():
            typer.echo(f"  in the way {reason}")


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
    """Make the deliverables of a milestone and write them with their metadata to docs/golden.

    Files that change are archived under docs/golden/_archive first; nothing is written where everything is there
    already. Write from a clean tree: evidence from a dirty one can be verified, never signed.

        golden milestones write P1.M2
        golden milestones write P0.M1 --tree /data/legacy
    """
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
    tree: Annotated[
        list[Path],
        typer.Option(
            "--input", metavar="PATH", help="An input outside the repository, by its recorded name; repeatable."
        ),
    ] = [],  # noqa: B006
) -> None:
    """Recompute every hash of a milestone's evidence, look at the tree, and make the deliverables again.

    Exit status 1 when anything is not as recorded: a changed byte, a missing file, an edited record, a dirty tree, a
    signature for other bytes. What could not be looked at is listed as unverified and does not fail.

        golden milestones verify P1.M2
        golden milestones verify P6.M1 --input /data/EURUSD_hourly.parquet --no-rerun
    """
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
def owner(
    milestone: Milestone,
    name: Annotated[str | None, typer.Option(show_default="asked for", help="A person; no role of the plan.")] = None,
) -> None:
    """Set who owns a milestone; a milestone is not In Progress until somebody does.

    Commit docs/golden/owners.json afterwards.
    """
    with teaching():
        from golden_core.milestones.people import set_owner

        place, registry = _plan()
        planned, now = _milestone(registry, milestone), datetime.datetime.now(datetime.UTC)
        given = typer.prompt("Name of the owner") if name is None else name
        entry = set_owner(place, registry, planned, name=given, date=now)
        typer.echo(f"{milestone} is owned by {entry.owner}")


@app.command()
def sign(
    milestone: Milestone,
    criterion: Annotated[str, typer.Argument(metavar="CRITERION", help="A criterion that a person decides.")],
    role: Annotated[str | None, typer.Option(show_default="asked for", help="The role you sign in.")] = None,
    commit: Annotated[
        str | None, typer.Option(show_default="asked for", help="Full hash of the commit that holds the deliverables.")
    ] = None,
) -> None:
    """Sign a criterion, as a person, for the deliverables that a commit holds.

    Your name is asked for at the prompt and nowhere else: without a terminal nothing is signed. Commit
    docs/golden/ID/signoffs.json afterwards. A signature counts as long as no deliverable changes.

        golden milestones sign P1.M2 plan_approved --role research_lead --commit $(git rev-parse HEAD)
    """
    with teaching():
        from golden_core.milestones.signoff import sign as sign_criterion

        if not sys.stdin.isatty():
            raise typer.BadParameter("only a person signs: the name is asked for at a terminal, and here is none")
        place, registry = _plan()
        planned = _milestone(registry, milestone)
        with _known():
            planned.criterion(criterion)
        entry = sign_criterion(
            place,
            registry,
            planned,
            criterion,
            role=role or typer.prompt("Role you sign in"),
            name=typer.prompt("Your name"),
            date=datetime.datetime.now(datetime.UTC),
            commit=commit or typer.prompt("Full hash of the commit that holds the deliverables"),
        )
        typer.echo(f"{milestone} {criterion}: signed by {entry.name} ({entry.role})")


def _milestone(registry: Registry, identity: str) -> PlannedMilestone:
    with _known():
        return registry.milestone(identity)


@contextmanager
def _known() -> Iterator[None]:
    """Turn a name that the plan does not have into bad usage."""
    try:
        yield
    except LookupError as error:
        raise typer.BadParameter(str(error)) from None


def _plan() -> tuple[Place, Registry]:
    from golden_core.milestones.place import Place
    from golden_core.milestones.registry import load_registry
    from golden_core.store.lake import workplace

    return Place.from_environment(workplace()), load_registry()
