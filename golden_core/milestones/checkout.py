"""What git knows about the checkout that evidence was made in. Reads only; the repository is never written to."""

from __future__ import annotations

import subprocess
from pathlib import Path

from golden_core.milestones.place import EVIDENCE, Place
from golden_core.milestones.records import EvidenceError, GitRecord
from golden_core.store.provenance import git_environment

_SECONDS = 30


def author(repository: Path) -> str | None:
    """Return git's ``user.name``; null where it is not set. Nobody is ever made up."""
    return _text(repository, "config", "user.name") or None


def git_record(place: Place) -> GitRecord:
    """Return commit and uncommitted files, the folder of evidence left out; null where there is no commit."""
    commit = _text(place.repository, "rev-parse", "--verify", "HEAD")
    if not commit:
        return GitRecord(commit=None, dirty=None, uncommitted=())
    changed = uncommitted(place.repository, ".", f":(exclude){_evidence(place)}")
    return GitRecord(commit=commit, dirty=bool(changed), uncommitted=changed)


def uncommitted_evidence(place: Place, milestone: str) -> tuple[str, ...]:
    """Return files of a milestone's evidence that the last commit does not hold as they are."""
    if not place.folder(milestone).is_relative_to(place.repository):
        return ()
    return uncommitted(place.repository, place.folder(milestone).relative_to(place.repository).as_posix())


def uncommitted(repository: Path, *pathspecs: str) -> tuple[str, ...]:
    """Return what differs from the last commit, untracked files and folders included, ignored ones not.

    Raises
    ------
    EvidenceError
        If there is a repository and git cannot say: a damaged index is no clean tree.
    """
    output = _run(repository, "status", "--porcelain=v1", "-z", "--no-renames", "--", *pathspecs)
    if output is None and _run(repository, "rev-parse", "--git-dir") is not None:
        raise EvidenceError(f"{repository}: git status fails, so nobody knows what is committed; run it and mend that")
    return tuple(sorted(entry[3:] for entry in (output or b"").decode(errors="replace").split("\0") if entry))


def why_history_is_unknown(repository: Path) -> str | None:
    """Return why a commit cannot be looked up here; nothing where it can."""
    shallow = _text(repository, "rev-parse", "--is-shallow-repository")
    if shallow == "true":
        return "may lie beyond the end of this shallow clone"
    return None if shallow else "cannot be looked up: there is no git repository here"


def is_in_history(repository: Path, commit: str) -> bool:
    """Whether a commit is the last one or came before it."""
    return _run(repository, "merge-base", "--is-ancestor", commit, "HEAD") is not None


def content_at(repository: Path, commit: str, path: str) -> bytes | None:
    """Return the bytes of a file as a commit holds it; nothing where it holds none."""
    return _run(repository, "cat-file", "blob", f"{commit}:{path}")


def _evidence(place: Place) -> str:
    inside = place.evidence.is_relative_to(place.repository)
    return place.evidence.relative_to(place.repository).as_posix() if inside else EVIDENCE


def _text(repository: Path, *arguments: str) -> str:
    return (_run(repository, *arguments) or b"").decode(errors="replace").strip()


def _run(repository: Path, *arguments: str) -> bytes | None:
    """Return git's output, or nothing where git answers no (or there is no repository, or no git)."""
    # Looking must not write (`git status` would refresh the index), nor find a repository further up.
    ceiling = str(repository.resolve().parent)
    environment = git_environment() | {"GIT_OPTIONAL_LOCKS": "0", "GIT_CEILING_DIRECTORIES": ceiling, "LC_ALL": "C"}
    command = ["git", "-C", str(repository), *arguments]
    try:
        result = subprocess.run(command, capture_output=True, env=environment, timeout=_SECONDS, check=False)
    except FileNotFoundError:
        return None
    except subprocess.TimeoutExpired:
        raise EvidenceError(f"{repository}: git {arguments[0]} gave no answer in {_SECONDS} s") from None
    return result.stdout if result.returncode == 0 else None
