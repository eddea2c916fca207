"""The state of milestones and gates, computed from owners, evidence and sign-offs. A state is never written down."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from golden_core.milestones.place import Place
from golden_core.milestones.records import (
    EvidenceError,
    Metadata,
    Owners,
    Ownership,
    SignOff,
    Value,
    Verdict,
    read_record,
)
from golden_core.milestones.registry import SIGN_OFFS, Accepted, Criterion, Milestone, Phase, Registry
from golden_core.milestones.verification import Finding, content_findings, read_sign_offs, signed_hash

State = Literal["Planned", "In Progress", "Under Review", "Accepted"]


@dataclass(frozen=True)
class CriterionStanding:
    """One criterion and what is known about it. ``value`` is what was measured, or who signed."""

    id: str
    claim: str
    human: bool
    decided_by: str
    verdict: Verdict
    value: Value
    threshold: str
    unsigned: tuple[str, ...] = ()  # roles that have not signed yet


@dataclass(frozen=True)
class Standing:
    """A milestone, its owner, its state and everything the state follows from."""

    milestone: Milestone
    owner: str | None
    state: State
    criteria: tuple[CriterionStanding, ...]
    findings: tuple[Finding, ...]
    metadata: Metadata | None

    @property
    def stale(self) -> bool:
        """Whether there is evidence, and it is not as it was recorded: then no verdict on it counts."""
        return self.metadata is not None and bool(self.findings)

    def count(self, verdict: Verdict) -> int:
        """Return how many criteria have a verdict."""
        return sum(criterion.verdict == verdict for criterion in self.criteria)

    def waits_for(self) -> tuple[str, ...]:
        """Return what the next state waits for, one sentence each; nothing once it is accepted."""
        if self.state == "Planned":
            return ("an owner",)
        human = self.state == "Under Review"
        unmet = [c for c in self.criteria if c.verdict != "pass" and c.human == human]
        said = (f"{c.id} is {c.verdict} ({c.decided_by})" for c in unmet)
        return (*(() if human else map(str, self.findings)), *said)

    def next_step(self) -> str:
        """Return the same in a few words: who or what is to come next."""
        if self.state == "Planned":
            return "an owner"
        if self.state == "In Progress" and self.findings:
            return "new evidence" if self.stale else "evidence"
        if self.state == "In Progress":
            return f"{sum(c.verdict != 'pass' and not c.human for c in self.criteria)} criteria"
        return signatures_of(self.criteria)


@dataclass(frozen=True)
class GateStanding:
    """An exit gate: met when every milestone of its phase is accepted and its own criteria are met."""

    phase: Phase
    open: tuple[str, ...]
    criteria: tuple[CriterionStanding, ...]

    @property
    def met(self) -> bool:
        """Whether the phase is left behind."""
        return not self.open and all(criterion.verdict == "pass" for criterion in self.criteria)

    def waits_for(self) -> tuple[str, ...]:
        """Return open milestones first, then criteria that are not met."""
        return (*self.open, *(c.id for c in self.criteria if c.verdict != "pass"))


def signatures_of(criteria: Sequence[CriterionStanding]) -> str:
    """Return the roles that have not signed: ``TL, RL``; nothing where everybody has."""
    return ", ".join(dict.fromkeys(role for criterion in criteria for role in criterion.unsigned))


def decide(*, owned: bool, ready: bool, machine: Sequence[Verdict], human: Sequence[Verdict]) -> State:
    """Return the state that follows from the facts; ready: every deliverable and input is there as recorded."""
    if not owned:
        return "Planned"
    if not ready or any(verdict != "pass" for verdict in machine):
        return "In Progress"
    return "Accepted" if all(verdict == "pass" for verdict in human) else "Under Review"


def standing(place: Place, milestone: Milestone) -> Standing:
    """Return owner, state and criteria of a milestone as the disk has them now."""
    metadata, findings = content_findings(place, milestone)
    sound = metadata if not findings else None
    try:
        entries = read_sign_offs(place, milestone)
    except EvidenceError as error:
        entries, findings = (), (*findings, Finding("sign-off", SIGN_OFFS, str(error)))
    criteria = tuple(
        _signed(milestone, criterion, entries, [sound] if sound else None)
        if criterion.human
        else _measured(criterion, sound)
        for criterion in milestone.criteria
    )
    held_by = owners(place).get(milestone.id)
    state = decide(
        owned=held_by is not None,
        ready=sound is not None,
        machine=[c.verdict for c in criteria if not c.human],
        human=[c.verdict for c in criteria if c.human],
    )
    return Standing(milestone, held_by.owner if held_by else None, state, criteria, findings, metadata)


def gate_standing(place: Place, registry: Registry, phase: Phase) -> GateStanding:
    """Return whether an exit gate is met, and what it waits for."""
    found = [standing(place, milestone) for milestone in phase.milestones]
    accepted = [one for one in found if one.state == "Accepted"]
    evidence = [one.metadata for one in accepted if one.metadata] if len(accepted) == len(found) else None
    entries = read_sign_offs(place, phase)
    criteria = tuple(
        _owned(place, registry, criterion) if criterion.owned else _signed(phase, criterion, entries, evidence)
        for criterion in phase.criteria
    )
    return GateStanding(phase, tuple(one.milestone.id for one in found if one not in accepted), criteria)


def owners(place: Place) -> dict[str, Ownership]:
    """Return who owns each milestone that somebody owns."""
    return read_record(Owners, place.owners).owners if place.owners.exists() else {}


def valid_sign_offs(
    planned: Accepted, criterion: Criterion, entries: Sequence[SignOff], evidence: Sequence[Metadata]
) -> dict[str, SignOff]:
    """Return role → latest sign-off for the deliverables as they are; stale ones do not count."""
    wanted = {role: signed_hash(planned, criterion, role, evidence) for role in criterion.sign_off or ()}
    return {e.role: e for e in entries if e.criterion == criterion.id and e.evidence == wanted.get(e.role)}


def _signed(
    planned: Accepted, criterion: Criterion, entries: Sequence[SignOff], evidence: Sequence[Metadata] | None
) -> CriterionStanding:
    found = {} if evidence is None else valid_sign_offs(planned, criterion, entries, evidence)
    unsigned = tuple(role for role in criterion.sign_off or () if role not in found)
    said = "; ".join(f"{entry.name} ({role}), {entry.date:%Y-%m-%d}" for role, entry in found.items())
    return _standing_of(criterion, "open" if unsigned else "pass", said or None, "signed", unsigned)


def _measured(criterion: Criterion, metadata: Metadata | None) -> CriterionStanding:
    """Return the record of a criterion that was worded and decided as it is now; else it is unmeasured."""
    asked = (criterion.id, criterion.claim, criterion.decided_by)
    for record in metadata.criteria if metadata else ():
        if (record.id, record.claim, record.decided_by) == asked:
            return _standing_of(criterion, record.verdict, record.value, record.threshold)
    return _standing_of(criterion, "unmeasured", None, "")


def _owned(place: Place, registry: Registry, criterion: Criterion) -> CriterionStanding:
    asked = [milestone for milestone in registry.milestones if milestone.id.startswith(f"{criterion.owned}.")]
    owned = sum(milestone.id in owners(place) for milestone in asked)
    return _standing_of(criterion, "pass" if owned == len(asked) else "open", f"{owned} of {len(asked)}", "all")


def _standing_of(
    criterion: Criterion, verdict: Verdict, value: Value, threshold: str, unsigned: tuple[str, ...] = ()
) -> CriterionStanding:
    return CriterionStanding(
        criterion.id, criterion.claim, criterion.human, criterion.decided_by, verdict, value, threshold, unsigned
    )
