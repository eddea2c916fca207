"""Who a person is and who owns a milestone. A name is always given by somebody; none is ever assumed."""

from __future__ import annotations

import datetime

from golden_core.milestones.place import Place
from golden_core.milestones.records import EvidenceError, Owners, Ownership, moment, read_record, write_record
from golden_core.milestones.registry import Milestone, Registry

LONGEST_NAME = 100


def person(name: str, registry: Registry) -> str:
    """Return a name that can stand for a person.

    Raises
    ------
    EvidenceError
        If it is empty, padded, not printable, has no letter, is too long, or is one of the plan's roles.
    """
    if not name.strip():
        raise EvidenceError("a name is needed: give the name of the person, it is never assumed")
    if name != name.strip() or not name.isprintable() or len(name) > LONGEST_NAME:
        raise EvidenceError(f"{name!r}: a name is printable text without space around it, {LONGEST_NAME} signs at most")
    if not any(sign.isalpha() for sign in name):
        raise EvidenceError(f"{name!r}: a name has letters")
    if name.casefold().replace(" ", "_") in registry.roles:
        raise EvidenceError(f"{name!r} is a role of the plan; give the name of the person who has it")
    return name


def owners(place: Place) -> dict[str, tuple[Ownership, ...]]:
    """Return everybody who owned each milestone, oldest first.

    Raises
    ------
    EvidenceError
        If owners.json is damaged.
    """
    return read_record(Owners, place.owners).owners if place.owners.exists() else {}


def owner(place: Place, milestone: Milestone) -> str | None:
    """Return who owns a milestone now; nobody, until somebody was set."""
    history = owners(place).get(milestone.id, ())
    return history[-1].owner if history else None


def set_owner(
    place: Place, registry: Registry, milestone: Milestone, *, name: str, date: datetime.datetime
) -> Ownership:
    """Record who owns a milestone from now on; who owned it before stays on record.

    Raises
    ------
    EvidenceError
        If the name cannot be a person's, the person owns it already, or the date is before the last one's.
    """
    entry = Ownership(owner=person(name, registry), date=moment(date))
    everybody = owners(place)
    history = everybody.get(milestone.id, ())
    if history and history[-1].owner == name:
        raise EvidenceError(f"{milestone.id}: {name} owns it already, since {history[-1].date:%Y-%m-%d}")
    if history and entry.date < history[-1].date:
        raise EvidenceError(
            f"{milestone.id}: {history[-1].owner} owns it since {history[-1].date:%Y-%m-%d}, a later date"
        )
    write_record(Owners(owners={**everybody, milestone.id: (*history, entry)}), place.owners)
    return entry
