"""Where evidence lives, and what identifies a file or a folder there."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from golden_core.milestones.records import FileRecord, InputRecord
from golden_core.milestones.registry import METADATA, SIGN_OFFS
from golden_core.store.lake import confined, hash_bytes, hash_file

EVIDENCE = "docs/golden"
LOCK = "constraints.txt"
VARIABLE = "GOLDEN_EVIDENCE"


@dataclass(frozen=True)
class Place:
    """The root of a checkout and the root of the evidence, which normally lies in it. Paths only."""

    repository: Path
    evidence: Path

    @classmethod
    def from_environment(cls, repository: Path) -> Place:
        """Return the place of a checkout: evidence in ``docs/golden``, or where GOLDEN_EVIDENCE says.

        A command that is run again to verify it finds the variable set to a scratch folder.
        """
        moved = os.environ.get(VARIABLE)
        return cls(repository, Path(moved).expanduser().resolve() if moved else repository / EVIDENCE)

    @property
    def owners(self) -> Path:
        """Record of who owns which milestone."""
        return self.evidence / "owners.json"

    def folder(self, milestone: str) -> Path:
        """Deliverables of a milestone, and what is recorded about them."""
        return confined(self.evidence, milestone)

    def metadata(self, milestone: str) -> Path:
        """Record of how the deliverables came about."""
        return self.folder(milestone) / METADATA

    def sign_offs(self, milestone: str) -> Path:
        """Record of who signed what."""
        return self.folder(milestone) / SIGN_OFFS

    def archives(self, milestone: str) -> Path:
        """Files of a milestone that were superseded, in a folder for each time."""
        return confined(self.evidence / "_archive", milestone)

    def input_record(self, path: Path) -> InputRecord:
        """Return what identifies an input: relative path within the repository, the bare name outside.

        Raises
        ------
        FileNotFoundError
            If there is nothing at the path.
        """
        resolved = path.resolve()
        inside = resolved.is_relative_to(self.repository.resolve())
        name = resolved.relative_to(self.repository.resolve()).as_posix() if inside else resolved.name
        sha256, size = _identity(resolved)
        return InputRecord(path=name, sha256=sha256, bytes=size, external=not inside)

    def declared(self, pattern: str) -> tuple[Path, ...]:
        """Return every file or folder of the repository that an input of the plan stands for."""
        return tuple(sorted(self.repository.glob(pattern)))

    def lock(self) -> FileRecord | None:
        """Return what identifies the file that pins every library."""
        return file_record(self.repository / LOCK, LOCK) if (self.repository / LOCK).is_file() else None


def file_record(path: Path, name: str) -> FileRecord:
    """Return what identifies a file under a name."""
    return FileRecord(path=name, sha256=hash_file(path), bytes=path.stat().st_size)


def _identity(path: Path) -> tuple[str, int]:
    """Return hash and size of a file, or of a folder: then the hash of its list of names, links and hashes."""
    if not path.is_dir():
        return hash_file(path), path.stat().st_size
    lines, size = [], 0
    for found in sorted(path.rglob("*"), key=os.fsencode):
        name = os.fsencode(found.relative_to(path))
        if found.is_symlink():
            lines.append(b"link " + os.fsencode(found.readlink()) + b"\0" + name)
        elif found.is_file():
            lines.append(hash_file(found).encode() + b"\0" + name)
            size += found.stat().st_size
    return hash_bytes(b"\0\0".join(lines)), size
