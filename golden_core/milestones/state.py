"""The state of milestones and gates, computed from owners, evidence and sign-offs. A state is never written down."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import polars as pl

from golden_core.milestones.people import owner
from golden_core.milestones.place import Place
from golden_core.milestones.records import CriterionRecord, EvidenceError, Metadata, SignOff, Value, Verdict
from golden_core.milestones.registry import SIGN_OFFS, Criterion, Decider, Milestone, Phase, Registry
from golden_core.milestones.signatures import read_sign_offs, valid_sign_off
from golden_core.milestones.verification import Finding, content_findings

State = Literal["Planned", "In Progress", "Under Review", "Accepted"]

NOT_SET = "criteria: not yet set"

STATUS_COLUMNS: dict[str, type[pl.DataType]] = {
    "phase": pl.String,
    "milestone": pl.String,
    "title": pl.String,
    "state": pl.String,
    "owner": pl.String,
    "criterion": pl.String,
    "claim": pl.String,
    "decided_by": pl.String,
    "verdict": pl.String,
    "value": pl.String,
    "threshold": pl.String,
}
GATE_COLUMNS: dict[str, type[pl.DataType]] = {
    "gate": pl.String,
    "title": pl.String,
    "met": pl.Boolean,
    "accepted": pl.Int64,
    "milestones": pl.Int64,
}


@dataclass(frozen=True)
class CriterionStanding:
    """One criterion and what is known about it. ``value`` is what was measured, or who signed."""

    id: str
    claim: str
    decider: Decider
    decided_by: str
    verdict: Verdict
    value: Value
    threshold: str


@dataclass(frozen=True)
class Standing:
    """A milestone, its owner, its state and everything the state follows from."""

    milestone: Milestone
    owner: str | None
    state: State
    criteria: tuple[CriterionStanding, ...]
    findings: tuple[Finding, ...]
    written: bool

    @property
    def stale(self) -> bool:
        """Whether there is evidence, and it is not as it was recorded: then no verdict on it counts."""
        return bool(self.findings) and self.written

    def reasons(self) -> tuple[str, ...]:
        """Return what stands between the milestone and acceptance, one sentence each."""
        owned = () if self.owner else ("has no owner",)
        known = () if self.milestone.specification else (NOT_SET,)
        unmet = [f"{c.id} is {c.verdict} ({c.decided_by})" for c in self.criteria if c.verdict != "pass"]
        return (*owned, *known, *map(str, self.findings), *unmet)


@dataclass(frozen=True)
class GateStanding:
    """An exit gate: met when every milestone of its phase is accepted."""

    phase: Phase
    accepted: tuple[str, ...]
    open: tuple[str, ...]

    @property
    def met(self) -> bool:
        """Whether the phase is left behind."""
        return not self.open


def decide(*, owned: bool, ready: bool, machine: Sequence[Verdict], human: Sequence[Verdict]) -> State:
    """Return the state that follows from the facts.

    Parameters
    ----------
    owned : bool
        Somebody owns the milestone.
    ready : bool
        It is specified, and every deliverable and input is there with its recorded hash.
    machine, human : sequence of Verdict
        Verdicts of checks and commands, and of persons.
    """
    if not owned:
        return "Planned"
    if not ready or any(verdict != "pass" for verdict in machine):
        return "In Progress"
    return "Accepted" if all(verdict == "pass" for verdict in human) else "Under Review"


def standing(place: Place, milestone: Milestone) -> Standing:
    """Return owner, state and criteria of a milestone as the disk has them now.

    Raises
    ------
    EvidenceError
        If owners.json is damaged.
    """
    metadata, findings = content_findings(place, milestone) if milestone.specification else (None, ())
    sound = metadata if not findings else None
    try:
        entries = read_sign_offs(place, milestone)
    except EvidenceError as error:
        entries, findings = (), (*findings, Finding("sign-off", SIGN_OFFS, str(error)))
    criteria = tuple(_criterion(criterion, sound, entries) for criterion in milestone.criteria)
    state = decide(
        owned=(held_by := owner(place, milestone)) is not None,
        ready=sound is not None,
        machine=[c.verdict for c in criteria if c.decider != "sign_off"],
        human=[c.verdict for c in criteria if c.decider == "sign_off"],
    )
    return Standing(milestone, held_by, state, criteria, findings, place.metadata(milestone.id).exists())


def standings(place: Place, registry: Registry) -> tuple[Standing, ...]:
    """Return the standing of every milestone, in the order of the plan."""
    return tuple(standing(place, milestone) for milestone in registry.milestones)


def gates(place: Place, registry: Registry) -> tuple[GateStanding, ...]:
    """Return the exit gates P0 … P6."""
    return tuple(_gate(place, phase) for phase in registry.phases)


def status_table(place: Place, registry: Registry) -> pl.DataFrame:
    """Return one row per milestone and criterion, in the order of the plan.

    A milestone whose criteria are not yet set has one row, without criterion and verdict.
    """
    rows = [row for phase in registry.phases for m in phase.milestones for row in _rows(phase, standing(place, m))]
    return pl.DataFrame(rows, schema=STATUS_COLUMNS, orient="row")


def gate_table(place: Place, registry: Registry) -> pl.DataFrame:
    """Return one row per exit gate."""
    rows = [
        (gate.phase.id, gate.phase.title, gate.met, len(gate.accepted), len(gate.phase.milestones))
        for gate in gates(place, registry)
    ]
    return pl.DataFrame(rows, schema=GATE_COLUMNS, orient="row")


def status_record(place: Place, registry: Registry) -> dict[str, Any]:
    """Return everything that is known of the plan, ready for JSON."""
    return {
        "milestones": [_record(found) for found in standings(place, registry)],
        "gates": gate_table(place, registry).to_dicts(),
    }


def _record(found: Standing) -> dict[str, Any]:
    planned = found.milestone.specification
    return {
        "milestone": found.milestone.id,
        "title": found.milestone.title,
        "state": found.state,
        "owner": found.owner,
        "accountable": planned.accountable if planned else None,
        "supporting": list(planned.supporting) if planned else [],
        "findings": [asdict(finding) for finding in found.findings],
        "criteria": [asdict(criterion) for criterion in found.criteria],
    }


def _criterion(criterion: Criterion, metadata: Metadata | None, entries: tuple[SignOff, ...]) -> CriterionStanding:
    """Return what is known; a verdict on bytes that are not those on disk is no verdict."""
    if criterion.decider == "sign_off":
        signature = valid_sign_off(entries, metadata, criterion) if metadata else None
        verdict: Verdict = "pass" if signature else "open"
        value: Value = f"{signature.name}, {signature.date:%Y-%m-%d}" if signature else None
        return _standing_of(criterion, verdict, value, "signed")
    record = _recorded(criterion, metadata)
    if record is None:
        return _standing_of(criterion, "unmeasured", None, "")
    return _standing_of(criterion, record.verdict, record.value, record.threshold)


def _recorded(criterion: Criterion, metadata: Metadata | None) -> CriterionRecord | None:
    """Return the record of a criterion that was worded and decided as it is now."""
    asked = (criterion.id, criterion.claim, criterion.decided_by)
    records = metadata.criteria if metadata else ()
    return next((record for record in records if (record.id, record.claim, record.decided_by) == asked), None)


def _standing_of(criterion: Criterion, verdict: Verdict, value: Value, threshold: str) -> CriterionStanding:
    return CriterionStanding(
        criterion.id, criterion.claim, criterion.decider, criterion.decided_by, verdict, value, threshold
    )


def _gate(place: Place, phase: Phase) -> GateStanding:
    states = {milestone.id: standing(place, milestone).state for milestone in phase.milestones}
    accepted = tuple(name for name, state in states.items() if state == "Accepted")
    return GateStanding(phase, accepted, tuple(name for name in states if name not in accepted))


def _rows(phase: Phase, found: Standing) -> Iterator[tuple[str | None, ...]]:
    milestone = found.milestone
    known = (phase.id, milestone.id, milestone.title, found.state, found.owner)
    if not found.criteria:
        yield (*known, None, NOT_SET, None, None, None, None)
    for one in found.criteria:
        value = None if one.value is None else str(one.value)
        yield (*known, one.id, one.claim, one.decided_by, one.verdict, value, one.threshold)
