"""Where evidence lives, what identifies a file there, what git knows of it, and how a command runs there."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from golden_core.milestones.records import EvidenceError, FileRecord, GitRecord, InputRecord
from golden_core.milestones.registry import METADATA, SIGN_OFFS
from golden_core.store.lake import confined, expanded, hash_bytes, hash_file
from golden_core.store.locking import only_one
from golden_core.store.provenance import git_environment

EVIDENCE = "docs/golden"
LOCK = "constraints.txt"
VARIABLE = "GOLDEN_EVIDENCE"


@dataclass(frozen=True)
class Place:
    """The root of a checkout and the root of the evidence, which normally lies in it."""

    repository: Path
    evidence: Path

    @classmethod
    def from_environment(cls, repository: Path) -> Place:
        """Return the place of a checkout: evidence in ``docs/golden``, or where GOLDEN_EVIDENCE says."""
        moved = os.environ.get(VARIABLE)
        return cls(repository, expanded(moved).resolve() if moved else repository / EVIDENCE)

    @classmethod
    def of_checkout(cls, repository: Path) -> Place:
        """Return the same, and refuse a folder that holds no evidence: nothing is begun where somebody only stands."""
        place = cls.from_environment(repository)
        if os.environ.get(VARIABLE) or place.evidence.is_dir():
            return place
        raise EvidenceError(
            f"{place.evidence}: no such folder; stand in a checkout, or name its {EVIDENCE} in {VARIABLE}"
        )

    def alone(self) -> AbstractContextManager[None]:
        """Hold the evidence while what is there is read and written again: of two at once, one would be lost."""
        return only_one(self.evidence / ".lock", f"the evidence in {self.evidence}")

    @property
    def owners(self) -> Path:
        """Record of who owns which milestone."""
        return self.evidence / "owners.json"

    @property
    def archive(self) -> Path:
        """What was superseded: documents by milestone and time, everything else as a line of index.csv."""
        return self.evidence / "_archive"

    def folder(self, milestone: str) -> Path:
        """Deliverables of a milestone, and what is recorded about them."""
        return confined(self.evidence, milestone)

    def metadata(self, milestone: str) -> Path:
        """Record of how the deliverables came about."""
        return self.folder(milestone) / METADATA

    def sign_offs(self, milestone: str) -> Path:
        """Record of who signed what."""
        return self.folder(milestone) / SIGN_OFFS

    def input_record(self, path: Path) -> InputRecord:
        """Return what identifies an input: relative path within the repository, the bare name outside."""
        resolved, root = path.resolve(), self.repository.resolve()
        inside = resolved.is_relative_to(root)
        name = resolved.relative_to(root).as_posix() if inside else resolved.name
        sha256, size = _identity(resolved)
        return InputRecord(path=name, sha256=sha256, bytes=size, external=not inside)

    def declared(self, pattern: str) -> tuple[Path, ...]:
        """Return every file or folder of the repository that a pattern of the plan stands for."""
        return tuple(sorted(self.repository.glob(pattern)))

    def lock(self) -> FileRecord | None:
        """Return what identifies the file that pins every library."""
        path = self.repository / LOCK
        return FileRecord(path=LOCK, sha256=hash_file(path), bytes=path.stat().st_size) if path.is_file() else None

    def run(self, command: Sequence[str], *, timeout_s: float, **variables: str) -> tuple[int, str]:
        """Return the exit status of a command, run at the repository's root, and what it said.

        OSError if there is no such program, subprocess.TimeoutExpired if it runs longer than allowed.
        """
        # The programs installed beside this interpreter first, so that `golden` and `python` are this project's.
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
        with tempfile.TemporaryFile() as output:  # a pipe would wait for whatever the command has started
            status = subprocess.run(
                command,
                cwd=self.repository,
                env={**os.environ, "PATH": path, **variables},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                timeout=timeout_s,
                check=False,
            ).returncode
            output.seek(0)
            return status, output.read().decode(errors="replace").strip()

    def author(self) -> str | None:
        """Return git's ``user.name``; null where it is not set. Nobody is ever made up."""
        return self._git_text("config", "user.name") or None

    def git_record(self) -> GitRecord:
        """Return commit and uncommitted files, the folder of evidence left out; null where there is no commit."""
        commit = self._git_text("rev-parse", "--verify", "HEAD")
        if not commit:
            return GitRecord(commit=None, dirty=None, uncommitted=())
        changed = self.uncommitted(".", f":(exclude){self._within(self.evidence) or EVIDENCE}")
        return GitRecord(commit=commit, dirty=bool(changed), uncommitted=changed)

    def uncommitted_evidence(self, milestone: str) -> tuple[str, ...]:
        """Return files of a milestone's evidence that the last commit does not hold as they are."""
        folder = self._within(self.folder(milestone))
        return self.uncommitted(folder) if folder else ()

    def uncommitted(self, *pathspecs: str) -> tuple[str, ...]:
        """Return what differs from the last commit, untracked files and folders included, ignored ones not."""
        output = self._git("status", "--porcelain=v1", "-z", "--no-renames", "--", *pathspecs)
        if output is None and self._git("rev-parse", "--git-dir") is not None:  # a damaged index is no clean tree
            raise EvidenceError(f"{self.repository}: git status fails, so nobody knows what is committed; mend that")
        return tuple(sorted(entry[3:] for entry in (output or b"").decode(errors="replace").split("\0") if entry))

    def why_history_is_unknown(self) -> str | None:
        """Return why a commit cannot be looked up here; nothing where it can."""
        shallow = self._git_text("rev-parse", "--is-shallow-repository")
        if shallow == "true":
            return "may lie beyond the end of this shallow clone"
        return None if shallow else "cannot be looked up: there is no git repository here"

    def is_in_history(self, commit: str) -> bool:
        """Whether a commit is the last one or came before it."""
        return self._git("merge-base", "--is-ancestor", commit, "HEAD") is not None

    def holds(self, commit: str, path: Path) -> bool:
        """Whether a commit holds a file as it lies here."""
        name = self._within(path)
        return name is not None and self._git("cat-file", "blob", f"{commit}:{name}") == path.read_bytes()

    def _within(self, path: Path) -> str | None:
        return path.relative_to(self.repository).as_posix() if path.is_relative_to(self.repository) else None

    def _git_text(self, *arguments: str) -> str:
        return (self._git(*arguments) or b"").decode(errors="replace").strip()

    def _git(self, *arguments: str) -> bytes | None:
        """Return git's output, or nothing where git answers no (or there is no repository, or no git)."""
        ceiling = str(self.repository.resolve().parent)  # a repository further up is none
        environment = git_environment() | {"GIT_CEILING_DIRECTORIES": ceiling, "LC_ALL": "C"}
        command = ["git", "-C", str(self.repository), *arguments]
        try:
            result = subprocess.run(command, capture_output=True, env=environment, check=False)
        except FileNotFoundError:
            return None
        return result.stdout if result.returncode == 0 else None


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
