"""What is written beside deliverables (metadata, sign-offs, owners), and what data/ declares. Form only."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import AwareDatetime, BaseModel, Field, ValidationError

from golden_core.publication import declared
from golden_core.store.lake import write_json
from golden_core.study import Section

Value = bool | int | float | str | None
Verdict = Literal["pass", "fail", "open", "unmeasured"]
Hash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
COMMIT = r"^[0-9a-f]{40}([0-9a-f]{24})?$"
Commit = Annotated[str, Field(pattern=COMMIT)]


class EvidenceError(ValueError):
    """Evidence cannot be written, read or signed, or what data/ declares is none; says what is wrong and what to do."""


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
    """The checkout before the evidence was written, the evidence itself left aside; null where git knows nothing."""

    commit: Commit | None = Field(description="the one before the evidence's own, which cannot contain its own name")
    dirty: bool | None
    uncommitted: tuple[str, ...]


class Metadata(Section):
    """The content of metadata.json."""

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


class SignOff(Section):
    """A person's word that one criterion is met; ``evidence`` is the hash of what was signed."""

    criterion: str
    role: str
    name: str
    date: AwareDatetime
    commit: Commit
    evidence: Hash


class SignOffs(Section):
    """The content of signoffs.json, oldest first; entries are only ever added."""

    milestone: str
    signoffs: tuple[SignOff, ...]


class Ownership(Section):
    """Who owns a milestone from a date on."""

    owner: str
    date: AwareDatetime


class Owners(Section):
    """The content of owners.json: milestone → who owns it now; git knows who did before."""

    owners: dict[str, Ownership]


Record = TypeVar("Record", bound=Section)
Declared = TypeVar("Declared", bound=BaseModel)


def write_record(record: Section, path: Path) -> None:
    """Write a record, whole or not at all."""
    write_json(record.model_dump(mode="json"), path)


def read_record(kind: type[Record], path: Path) -> Record:
    """Read a record; FileNotFoundError if it is not there, EvidenceError if it is none."""
    try:
        return kind.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise EvidenceError(f"{path.name}: {declared.told(error)}; restore it from git") from None


def read_declared(kind: type[Declared], path: Path) -> Declared:
    """Read a file of data/ as what it declares; EvidenceError names the file, the place and what is wrong."""
    return declared.read_declared(kind, path, EvidenceError)


def moment(date: datetime.datetime) -> datetime.datetime:
    """Return a moment in UTC to the second."""
    if date.tzinfo is None:
        raise EvidenceError(f"the date {date.isoformat()} has no time zone; give one, such as UTC")
    return date.astimezone(datetime.UTC).replace(microsecond=0)
