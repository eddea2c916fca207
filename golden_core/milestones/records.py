"""What is written beside the deliverables: metadata, sign-offs, owners. Their form and their seals; no decisions."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import AwareDatetime, Field, ValidationError

from golden_core.store.lake import hash_bytes, write_text
from golden_core.study import Section, canonical_json

Value = bool | int | float | str | None
Verdict = Literal["pass", "fail", "open", "unmeasured"]
Hash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
COMMIT = r"^[0-9a-f]{40}([0-9a-f]{24})?$"
Commit = Annotated[str, Field(pattern=COMMIT)]


class EvidenceError(ValueError):
    """Evidence cannot be written, read or signed; says what is wrong and what to do."""


class FileRecord(Section):
    """A file by its bytes. The path is relative: of outputs to the milestone's folder, of inputs to the repository."""

    path: str
    sha256: Hash
    bytes: int = Field(ge=0)


class InputRecord(FileRecord):
    """What a milestone was made from. An external input lies outside the repository; only its name is recorded."""

    external: bool


class CriterionRecord(Section):
    """One criterion as it was worded, and what was found."""

    id: str
    claim: str
    decided_by: str
    value: Value
    threshold: str
    verdict: Verdict


class GitRecord(Section):
    """The checkout before the evidence was written, the evidence itself left aside; null where git knows nothing.

    The commit can only be the one before the evidence's own, since a commit cannot contain its own name. ``dirty``
    and ``uncommitted`` leave out the folder of evidence, whose files are uncommitted while they are being written.
    """

    commit: Commit | None
    dirty: bool | None
    uncommitted: tuple[str, ...]


class Metadata(Section):
    """The content of metadata.json. The seal is the hash of everything else, so that an edit by hand shows."""

    milestone: str
    title: str
    author: str | None = Field(description="git's user.name; null where it is not set")
    date: AwareDatetime
    git: GitRecord
    command: tuple[str, ...] = Field(
        min_length=1, description="reproduces the deliverables, from the repository's root"
    )
    lock: FileRecord | None = Field(description="the file that pins every library, or null where there is none")
    inputs: tuple[InputRecord, ...]
    outputs: tuple[FileRecord, ...]
    criteria: tuple[CriterionRecord, ...]
    seal: str = ""


class SignOff(Section):
    """A person's word that one criterion is met, for one state of the deliverables.

    ``evidence`` is the hash of what was signed, ``previous`` the seal of the entry before, which makes the list a
    chain: no entry can be changed or taken out without breaking it.
    """

    criterion: str
    role: str
    name: str
    date: AwareDatetime
    commit: Commit
    evidence: Hash
    previous: Hash | None
    seal: str = ""


class SignOffs(Section):
    """The content of signoffs.json, oldest first; entries are only ever added."""

    milestone: str
    signoffs: tuple[SignOff, ...]


class Ownership(Section):
    """Who owns a milestone from a date on."""

    owner: str
    date: AwareDatetime


class Owners(Section):
    """The content of owners.json: milestone → owners, oldest first; the last one owns it."""

    owners: dict[str, tuple[Ownership, ...]]


Record = TypeVar("Record", bound=Section)
Sealed = TypeVar("Sealed", Metadata, SignOff)


def seal(record: Metadata | SignOff) -> str:
    """Return the hash of a record without its seal."""
    return hash_bytes(canonical_json(record.model_dump(mode="json", exclude={"seal"})).encode())


def sealed(record: Sealed) -> Sealed:
    """Return a record with its seal."""
    return record.model_copy(update={"seal": seal(record)})


def render(record: Section) -> str:
    """Return a record as the text of its file."""
    return json.dumps(record.model_dump(mode="json"), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def write_record(record: Section, path: Path) -> None:
    """Write a record, whole or not at all."""
    write_text(render(record), path)


def read_record(kind: type[Record], path: Path) -> Record:
    """Read a record and refuse it if a single byte is not as it was written.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    EvidenceError
        If the file is not such a record, was edited by hand, or its seal does not fit.
    """
    content = path.read_bytes()
    try:
        record = kind.model_validate_json(content)
    except ValidationError as error:
        fault = error.errors()[0]
        where = ".".join(map(str, fault["loc"])) or "the file"
        raise EvidenceError(f"{path.name}: {where}: {fault['msg']}; restore it from git") from None
    if content != render(record).encode() or not _intact(record):
        raise EvidenceError(f"{path.name}: was edited after it was written; restore it from git")
    return record


def _intact(record: Section) -> bool:
    if isinstance(record, Metadata):
        return record.seal == seal(record)
    if isinstance(record, SignOffs):
        seals = [seal(entry) for entry in record.signoffs]
        links = [entry.previous for entry in record.signoffs]
        return seals == [entry.seal for entry in record.signoffs] and links == [None, *seals][: len(links)]
    return True


def moment(date: datetime.datetime) -> datetime.datetime:
    """Return a moment in UTC to the second.

    Raises
    ------
    EvidenceError
        If it has no time zone.
    """
    if date.tzinfo is None:
        raise EvidenceError(f"the date {date.isoformat()} has no time zone; give one, such as UTC")
    return date.astimezone(datetime.UTC).replace(microsecond=0)
