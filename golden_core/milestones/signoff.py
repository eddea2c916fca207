"""Signing: the one way in which a criterion for a person is met. Nothing here ever signs by itself."""

from __future__ import annotations

import datetime
import re

from golden_core.milestones import checkout
from golden_core.milestones.people import person
from golden_core.milestones.place import Place
from golden_core.milestones.records import (
    COMMIT,
    EvidenceError,
    Metadata,
    SignOff,
    SignOffs,
    moment,
    sealed,
    write_record,
)
from golden_core.milestones.registry import Criterion, Milestone, Registry
from golden_core.milestones.signatures import read_sign_offs, signed_hash, valid_sign_off
from golden_core.milestones.state import standing
from golden_core.milestones.verification import content_findings
from golden_core.store.lake import hash_bytes


def sign(
    place: Place,
    registry: Registry,
    milestone: Milestone,
    criterion_id: str,
    *,
    role: str,
    name: str,
    date: datetime.datetime,
    commit: str,
) -> SignOff:
    """Add a person's sign-off of one criterion to signoffs.json, for the deliverables as a commit holds them.

    Parameters
    ----------
    place : Place
        Checkout and root of the evidence, which must lie in it.
    registry : Registry
        The plan, for its roles.
    milestone : Milestone
        Must be Under Review.
    criterion_id : str
        A criterion for a person, not yet signed.
    role : str
        The role that the criterion asks for.
    name : str
        As the person gave it; there is no default.
    date : datetime
        With a time zone, not before the evidence.
    commit : str
        In full; holds the deliverables and metadata.json as they lie there.

    Raises
    ------
    LookupError
        If the milestone has no such criterion.
    EvidenceError
        If the criterion is not the person's to sign, or the evidence is not ready to be signed; says why.
    """
    criterion = milestone.criterion(criterion_id)
    if criterion.sign_off is None:
        raise EvidenceError(f"{milestone.id} {criterion.id}: is decided by {criterion.decided_by}, not by a signature")
    if role != criterion.sign_off:
        raise EvidenceError(f"{milestone.id} {criterion.id}: is for the {criterion.sign_off} to sign, not for {role!r}")
    signer, date = person(name, registry), moment(date)
    metadata = _signable(place, milestone, criterion)
    if date < metadata.date:
        raise EvidenceError(f"{milestone.id}: the evidence was written on {metadata.date.isoformat()}, after that date")
    _require_committed(place, metadata, commit)
    entries = read_sign_offs(place, milestone)
    entry = sealed(
        SignOff(
            criterion=criterion.id,
            role=role,
            name=signer,
            date=date,
            commit=commit,
            evidence=signed_hash(metadata, criterion),
            previous=entries[-1].seal if entries else None,
        )
    )
    write_record(SignOffs(milestone=milestone.id, signoffs=(*entries, entry)), place.sign_offs(milestone.id))
    return entry


def _signable(place: Place, milestone: Milestone, criterion: Criterion) -> Metadata:
    """Return the metadata of evidence that waits for exactly this signature."""
    found = standing(place, milestone)
    metadata, _ = content_findings(place, milestone)
    entries = read_sign_offs(place, milestone)
    if metadata and (earlier := valid_sign_off(entries, metadata, criterion)):
        raise EvidenceError(f"{milestone.id} {criterion.id}: {earlier.name} has signed it already")
    if found.state != "Under Review" or metadata is None:
        raise EvidenceError(f"{milestone.id}: is {found.state}, not Under Review: {'; '.join(found.reasons())}")
    if metadata.git.dirty is not False:
        raise EvidenceError(f"{milestone.id}: was not written from a clean tree; commit, write it again, then sign")
    return metadata


def _require_committed(place: Place, metadata: Metadata, commit: str) -> None:
    """Refuse a commit that does not hold the evidence as it lies there: nobody else could see what was signed."""
    if not re.fullmatch(COMMIT, commit):
        raise EvidenceError(f"{commit!r} is not a commit in full; git rev-parse HEAD prints it")
    if not place.evidence.is_relative_to(place.repository):
        raise EvidenceError("evidence outside the repository cannot be signed: no commit holds it")
    folder = place.folder(metadata.milestone)
    names = [record.path for record in metadata.outputs] + [place.metadata(metadata.milestone).name]
    for path in (folder / name for name in names):
        relative = path.relative_to(place.repository).as_posix()
        held = checkout.content_at(place.repository, commit, relative)
        if held is None or hash_bytes(held) != hash_bytes(path.read_bytes()):
            raise EvidenceError(f"{relative}: commit {commit} does not hold it as it lies here; commit it, then sign")
