"""Owners and signatures: the two things that only a person gives. Nothing here ever signs or names by itself."""

from __future__ import annotations

import datetime
import re
import unicodedata
from collections.abc import Sequence

from golden_core.milestones.place import Place
from golden_core.milestones.records import (
    COMMIT,
    EvidenceError,
    Metadata,
    Owners,
    Ownership,
    SignOff,
    SignOffs,
    moment,
    write_record,
)
from golden_core.milestones.registry import EXTERNAL, Milestone, Phase, Registry
from golden_core.milestones.state import owners, standing, valid_sign_offs
from golden_core.milestones.verification import read_sign_offs, signed_hash

LONGEST_NAME = 100
NO_PERSON = ("nobody", "none", "none yet")


def person(name: str, registry: Registry) -> str:
    """Return a name that can stand for a person: printable, with letters, and none of the plan's roles."""
    if not name.strip():
        raise EvidenceError("a name is needed: give the name of the person, it is never assumed")
    if name != name.strip() or not name.isprintable() or len(name) > LONGEST_NAME:
        raise EvidenceError(f"{name!r}: a name is printable text without space around it, {LONGEST_NAME} signs at most")
    if not any(sign.isalpha() for sign in name):
        raise EvidenceError(f"{name!r}: a name has letters")
    plain = unicodedata.normalize("NFKC", name).casefold()  # full-width letters look like the role, too
    if plain in {role.casefold() for role in (*registry.roles, *registry.roles.values(), EXTERNAL)}:
        raise EvidenceError(f"{name!r} is a role of the plan; give the name of the person who has it")
    if plain in NO_PERSON:
        raise EvidenceError(f"{name!r} is what the plan says where there is no person")
    return name


def set_owner(
    place: Place, registry: Registry, milestone: Milestone, *, name: str, date: datetime.datetime
) -> Ownership:
    """Record who owns a milestone from now on; refuse what is no name, and who owns it already."""
    entry = Ownership(owner=person(name, registry), date=moment(date))
    with place.alone():
        everybody = owners(place)
        if (before := everybody.get(milestone.id)) and before.owner == name:
            raise EvidenceError(f"{milestone.id}: {name} owns it already, since {before.date:%Y-%m-%d}")
        write_record(Owners(owners={**everybody, milestone.id: entry}), place.owners)
    return entry


def sign(
    place: Place,
    registry: Registry,
    planned: Milestone | Phase,
    criterion_id: str,
    *,
    role: str,
    name: str,
    date: datetime.datetime,
    commit: str,
) -> SignOff:
    """Add a person's sign-off of one criterion of a milestone or gate, for the deliverables as a commit holds them.

    ``planned`` is Under Review, or a phase whose milestones are all accepted; ``role`` is one that the criterion asks
    for; ``commit`` is in full. LookupError if there is no such criterion; EvidenceError if it is not the person's to
    sign, or the evidence not ready to be signed, says why.
    """
    criterion = planned.criterion(criterion_id)
    what = f"{planned.id} {criterion.id}"
    if criterion.sign_off is None:
        raise EvidenceError(f"{what}: is decided by {criterion.decided_by}, not by a signature")
    if role not in criterion.sign_off:
        raise EvidenceError(f"{what}: is for the {' and the '.join(criterion.sign_off)} to sign, not for {role!r}")
    signer, date = person(name, registry), moment(date)
    with place.alone():
        entries, evidence = read_sign_offs(place, planned), _ready(place, planned)
        if earlier := valid_sign_offs(planned, criterion, entries, evidence).get(role):
            raise EvidenceError(f"{what}: {earlier.name} has signed it already")
        _require_held(place, evidence, date, commit)
        signed = signed_hash(planned, criterion, role, evidence)
        entry = SignOff(criterion=criterion.id, role=role, name=signer, date=date, commit=commit, evidence=signed)
        write_record(SignOffs(milestone=planned.id, signoffs=(*entries, entry)), place.sign_offs(planned.id))
    return entry


def _ready(place: Place, planned: Milestone | Phase) -> list[Metadata]:
    """Return the evidence of a milestone that is Under Review, or of all milestones of a phase that are accepted."""
    if isinstance(planned, Phase):
        milestones, wanted = planned.milestones, "Accepted"
    else:
        milestones, wanted = (planned,), "Under Review"
    found = [standing(place, milestone) for milestone in milestones]
    for one in found:
        if one.state not in {wanted, "Accepted"}:
            waits = "; ".join(one.waits_for())
            raise EvidenceError(f"{one.milestone.id}: is {one.state}, not {wanted}: {waits}")
    return [one.metadata for one in found if one.metadata]


def _require_held(place: Place, evidence: Sequence[Metadata], date: datetime.datetime, commit: str) -> None:
    """Refuse a commit that does not hold the evidence as it lies there: nobody else could see what was signed."""
    if not re.fullmatch(COMMIT, commit):
        raise EvidenceError(f"{commit!r} is not a commit in full; git rev-parse HEAD prints it")
    for metadata in evidence:
        if metadata.git.dirty is not False:
            raise EvidenceError(
                f"{metadata.milestone}: was not written from a clean tree; commit, write again, then sign"
            )
        if date < metadata.date:
            raise EvidenceError(f"{metadata.milestone}: the evidence was written on {metadata.date}, after that date")
        folder = place.folder(metadata.milestone)
        for path in [*(folder / record.path for record in metadata.outputs), place.metadata(metadata.milestone)]:
            if not place.holds(commit, path):
                raise EvidenceError(f"{path}: commit {commit} does not hold it as it lies here; commit it, then sign")
