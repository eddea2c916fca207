"""`golden milestones`: the plan, its evidence, and who answers for it."""

from __future__ import annotations

import datetime
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from golden_dagster.cli.options import Bars, Earlier, Experiments, Overrides, Workers

if TYPE_CHECKING:
    from golden_core.milestones.place import Place
    from golden_core.milestones.registry import Milestone as PlannedMilestone
    from golden_core.milestones.registry import Phase, Registry
    from golden_core.milestones.state import GateStanding, Standing

app = typer.Typer(no_args_is_help=True, help="Milestones P0.M1 … P6.M3: state, evidence, sign-offs.")

Milestone = Annotated[str, typer.Argument(metavar="ID", help="A milestone, such as P0.M1.")]


@app.command()
def status() -> None:
    """Print a line for each milestone and exit gate: state, owner, criteria, evidence, what the next state waits for.

    Evidence that is not as it was recorded does not count, and its criteria are unmeasured. Exit status 0 whatever the
    verdicts are: `golden milestones verify` is the one that fails, `golden milestones show` has the rest.
    """
    from golden_core.milestones.state import gate_standing, standing

    place, registry = _plan()
    typer.echo(_line("", "state", "owner", ("pass", "fail", "open", "unm."), "evidence", "waits for"))
    stale = False
    for phase in registry.phases:
        for found in (standing(place, milestone) for milestone in phase.milestones):
            stale |= found.stale
            counts = tuple(str(found.count(verdict) or "·") for verdict in ("pass", "fail", "open", "unmeasured"))
            written = f"{found.metadata.date:%Y-%m-%d}{'!' if found.stale else ''}" if found.metadata else "none"
            milestone, owner = found.milestone.id, found.owner or "nobody"
            typer.echo(_line(milestone, found.state, owner, counts, written, found.next_step()))
        typer.echo(_gate_line(gate_standing(place, registry, phase)))
    if stale:
        typer.echo("! not as recorded, so that nothing counts: golden milestones verify ID says why")


def _gate_line(found: GateStanding) -> str:
    from golden_core.milestones.state import signatures_of

    milestones = f"{len(found.open)} of {len(found.phase.milestones)} milestones" if found.open else ""
    signatures = f"{roles} to sign" if (roles := signatures_of(found.criteria)) else ""
    owners = "" if milestones or signatures else ", ".join(found.waits_for())
    waits = "; ".join(filter(None, (milestones, signatures, owners)))
    return f"gate {found.phase.id} {'met' if found.met else f'open: {waits}'}"


def _line(name: str, state: str, owner: str, counts: tuple[str, ...], evidence: str, waits: str) -> str:
    """Return one line of at most 80 columns."""
    cells = " ".join(f"{count:>4}" for count in counts)
    return f"{name:<5} {state:<12} {_cut(owner, 11):<11} {cells}  {evidence:<11} {_cut(waits, 16)}".rstrip()


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"


@app.command()
def show(milestone: Milestone) -> None:
    """Print one milestone or exit gate: who answers for it, what it takes, gives and has to satisfy, and its state."""
    from golden_core.milestones.registry import Phase
    from golden_core.milestones.state import gate_standing, standing

    place, registry = _plan()
    planned = _planned(registry, milestone)
    if isinstance(planned, Phase):
        gate = gate_standing(place, registry, planned)
        typer.echo(f"exit gate of {planned.id} {planned.title}: {'met' if gate.met else 'open'}")
        _show_criteria(gate)
        return
    found = standing(place, planned)
    typer.echo(f"{planned.id} {planned.title}: {found.state}; owner: {found.owner or 'none yet'}")
    supporting = ", ".join(planned.supporting) or "nobody"
    typer.echo(f"  accountable {', '.join(planned.accountable)}; supporting {supporting}; {planned.duration}")
    for task in planned.tasks:
        typer.echo(f"  task       {task}")
    for source in planned.inputs:
        typer.echo(f"  takes      {source.path or 'a file or folder of yours'}: {source.title}")
    for one in planned.deliverables:
        files = ", ".join((*one.patterns, *one.repository))
        typer.echo(f"  gives      {one.name}: {one.title}" + (f" ({files})" if files != one.name else ""))
    _show_criteria(found)


def _show_criteria(found: Standing | GateStanding) -> None:
    for one in found.criteria:
        value = "" if one.value is None else f" [{one.value}]"
        typer.echo(f"  {one.verdict:10} {one.id}: {one.claim} ({one.decided_by}){value}")
    for reason in found.waits_for():
        typer.echo(f"  waits for  {reason}")


@app.command()
def write(
    milestone: Milestone,
    tree: Annotated[Path | None, typer.Option(help="A legacy tree, for P0.M1.")] = None,
    bars: Bars = None,
    earlier: Earlier = None,
    overrides: Overrides = [],
    experiments: Experiments = [],
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
    from golden_core.milestones.makers import Given, make_evidence
    from golden_core.study.faults import plural
    from golden_dagster.resources import alignment, available_cores

    place, registry = _plan()
    now = datetime.datetime.now(datetime.UTC)
    request = alignment(bars, earlier, overrides, experiments) if bars else None
    given = Given(tree=tree, request=request, parity=parity, workers=workers or available_cores())
    written = make_evidence(place, _milestone(registry, milestone), given=given, now=now, run_commands=commands)
    typer.echo(f"{milestone}: {plural(len(written.changed), 'file')} written to {place.folder(milestone)}")


@app.command()
def verify(
    milestone: Milestone,
    rerun: Annotated[bool, typer.Option(help="Also run the milestone's command again and compare every byte.")] = True,
    tree: Annotated[
        list[Path],
        typer.Option(
            "--input", metavar="PATH", help="An input outside the repository, by its recorded name; repeatable."
        ),
    ] = [],
) -> None:
    """Recompute every hash of a milestone's evidence, look at the tree, and make the deliverables again.

    Exit status 1 when anything is not as recorded: a changed byte, a missing file, an edited record, a dirty tree, a
    signature for other bytes. What could not be looked at is listed as unverified and does not fail.

        golden milestones verify P1.M2
        golden milestones verify P6.M1 --input /data/EURUSD_hourly.parquet --no-rerun
    """
    from golden_core.milestones.verification import verify as verify_evidence

    place, registry = _plan()
    found = verify_evidence(
        place,
        _milestone(registry, milestone),
        external={path.resolve().name: path for path in tree},
        rerun_within_s=1800.0 if rerun else None,
    )
    for finding in found.findings:
        typer.echo(f"wrong       {finding}")
    for finding in found.unverified:
        typer.echo(f"unverified  {finding}")
    typer.echo(f"{milestone}: {'NOT as recorded' if found.findings else 'as recorded'}")
    raise typer.Exit(1 if found.findings else 0)


@app.command()
def owner(milestone: Milestone, name: Annotated[str, typer.Option(help="A person; no role of the plan.")]) -> None:
    """Set who owns a milestone; a milestone is not In Progress until somebody does.

    Commit docs/golden/owners.json afterwards.
    """
    from golden_core.milestones.signoff import set_owner

    place, registry = _plan()
    now = datetime.datetime.now(datetime.UTC)
    entry = set_owner(place, registry, _milestone(registry, milestone), name=name, date=now)
    typer.echo(f"{milestone} is owned by {entry.owner}")


@app.command()
def sign(
    milestone: Milestone,
    criterion: Annotated[str, typer.Argument(metavar="CRITERION", help="A criterion that a person decides.")],
    role: Annotated[str, typer.Option(help="The role you sign in.")],
    commit: Annotated[str, typer.Option(help="Full hash of the commit that holds the deliverables.")],
) -> None:
    """Sign a criterion of a milestone or gate, as a person, for the deliverables that a commit holds.

    Your name is asked for at the prompt and nowhere else: without a terminal nothing is signed. Commit
    docs/golden/ID/signoffs.json afterwards. A signature counts as long as no deliverable changes.

        golden milestones sign P1.M2 plan_approved --role TL --commit $(git rev-parse HEAD)
    """
    from golden_core.milestones.signoff import sign as sign_criterion

    if not at_a_terminal():
        raise typer.BadParameter("only a person signs: the name is asked for at a terminal, and here is none")
    place, registry = _plan()
    planned = _planned(registry, milestone)
    with _known():
        planned.criterion(criterion)
    entry = sign_criterion(
        place,
        registry,
        planned,
        criterion,
        role=role,
        name=typer.prompt("Your name"),
        date=datetime.datetime.now(datetime.UTC),
        commit=commit,
    )
    typer.echo(f"{milestone} {criterion}: signed by {entry.name} ({entry.role})")


@app.command()
def steer() -> None:
    """Write the plan with a dated note of where it stands to docs/golden/execution_plan.md; archive the one before."""
    from golden_core.milestones.steering import steer as write_note

    place, registry = _plan()
    typer.echo(write_note(place, registry, datetime.datetime.now(datetime.UTC)))


def at_a_terminal() -> bool:
    """Whether somebody can be asked."""
    return sys.stdin.isatty()


def _planned(registry: Registry, identity: str) -> PlannedMilestone | Phase:
    """Return a milestone, or the phase of an exit gate."""
    phases = {phase.id: phase for phase in registry.phases}
    return phases.get(identity) or _milestone(registry, identity)


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

    return Place.of_checkout(workplace()), load_registry()
