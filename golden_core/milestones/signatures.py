"""Reading sign-offs: what exactly was signed, and whether it still is what lies there."""

from __future__ import annotations

from golden_core.milestones.place import Place
from golden_core.milestones.records import EvidenceError, Metadata, SignOff, SignOffs, read_record
from golden_core.milestones.registry import Criterion, Milestone
from golden_core.store.lake import hash_bytes
from golden_core.study import canonical_json


def signed_hash(metadata: Metadata, criterion: Criterion) -> str:
    """Return the hash of what a signature stands for: the criterion as worded, and every deliverable's bytes."""
    signed = {
        "milestone": metadata.milestone,
        "criterion": criterion.id,
        "claim": criterion.claim,
        "role": criterion.sign_off,
        "deliverables": {record.path: record.sha256 for record in metadata.outputs},
    }
    return hash_bytes(canonical_json(signed).encode())


def read_sign_offs(place: Place, milestone: Milestone) -> tuple[SignOff, ...]:
    """Return every sign-off of a milestone, oldest first, stale ones included.

    Raises
    ------
    EvidenceError
        If an entry was changed, taken out or moved, or the list belongs to another milestone.
    """
    path = place.sign_offs(milestone.id)
    if not path.exists():
        return ()
    found = read_record(SignOffs, path)
    if found.milestone != milestone.id:
        raise EvidenceError(f"{path.name}: holds the sign-offs of {found.milestone}")
    return found.signoffs


def valid_sign_off(entries: tuple[SignOff, ...], metadata: Metadata, criterion: Criterion) -> SignOff | None:
    """Return the latest sign-off of a criterion for the deliverables as they are; stale ones do not count."""
    wanted = signed_hash(metadata, criterion)
    valid = [entry for entry in entries if entry.criterion == criterion.id and entry.evidence == wanted]
    return valid[-1] if valid else None
