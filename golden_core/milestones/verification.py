"""Evidence against the disk, the plan and git: everything that does not fit, each by name. Changes nothing."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from golden_core.milestones.place import VARIABLE, Place
from golden_core.milestones.records import EvidenceError, Metadata, SignOff, SignOffs, read_record
from golden_core.milestones.registry import METADATA, SIGN_OFFS, Accepted, Criterion, Milestone, matches
from golden_core.store.lake import hash_bytes, hash_file
from golden_core.study import canonical_json

Kind = Literal["metadata", "deliverable", "input", "lock", "tree", "commit", "sign-off", "rerun"]


@dataclass(frozen=True)
class Finding:
    """One thing that does not fit: what it concerns and what is wrong."""

    kind: Kind
    subject: str
    message: str

    def __str__(self) -> str:
        return f"{self.kind} {self.subject}: {self.message}"


@dataclass(frozen=True)
class Verification:
    """What was found wrong, and what could not be looked at and why."""

    findings: tuple[Finding, ...]
    unverified: tuple[Finding, ...]


def verify(
    place: Place,
    milestone: Milestone,
    *,
    external: Mapping[str, Path] | None = None,
    rerun_within_s: float | None = None,
) -> Verification:
    """Recompute every hash of a milestone's evidence, and look at the tree, the commit and the sign-offs.

    ``external`` says where inputs outside the repository lie, by recorded name; others count as unverified. With
    ``rerun_within_s``, the recorded command is also run into a scratch folder, and its bytes are compared; not where
    another input, plan or lock says beforehand that they must differ, since it may take an hour.
    """
    given = external or {}
    metadata, findings = content_findings(place, milestone, given)
    if metadata is None:
        return Verification(findings, ())
    absent = [record.path for record in metadata.inputs if record.external and record.path not in given]
    unverified = [Finding("input", n, "lies outside the repository; give its path to have it verified") for n in absent]
    found = [*findings, *_lock(place, metadata), *_tree(place, metadata), *_sign_offs(place, milestone, metadata)]
    commit, command = metadata.git.commit, " ".join(metadata.command)
    if commit and (reason := place.why_history_is_unknown()):
        unverified.append(Finding("commit", commit, reason))
    elif commit is None:
        found.append(Finding("commit", METADATA, "was written where git knew no commit"))
    elif not place.is_in_history(commit):
        found.append(Finding("commit", commit, "is not in the history of this checkout"))
    if rerun_within_s is None:
        unverified.append(Finding("rerun", command, "the command was not run again"))
    elif lacking := [argument for argument in metadata.command if argument in absent]:
        unverified.append(Finding("rerun", command, f"needs {', '.join(lacking)}"))
    elif any(finding.kind in ("metadata", "input", "lock") for finding in found):
        unverified.append(Finding("rerun", command, "not run again: what it is made from is not what was recorded"))
    else:
        found += [Finding("rerun", *said) for said in _rerun(place, metadata, given, rerun_within_s)]
    return Verification(tuple(found), tuple(unverified))


def content_findings(
    place: Place, milestone: Milestone, external: Mapping[str, Path] | None = None
) -> tuple[Metadata | None, tuple[Finding, ...]]:
    """Return the metadata, if it can be read, and whatever is wrong with it, the deliverables and the inputs."""
    try:
        metadata = read_record(Metadata, place.metadata(milestone.id))
    except FileNotFoundError:
        return None, (Finding("metadata", METADATA, "no evidence has been written"),)
    except EvidenceError as error:
        return None, (Finding("metadata", METADATA, str(error)),)
    inputs = _inputs(place, metadata, external or {})
    return metadata, (*_plan(place, milestone, metadata), *_outputs(place, metadata), *inputs)


def _plan(place: Place, milestone: Milestone, metadata: Metadata) -> Iterator[Finding]:
    """Find what the plan declares and the metadata lacks, and the other way round."""
    if metadata.milestone != milestone.id:
        yield Finding("metadata", METADATA, f"is that of {metadata.milestone}")
    written = [record.path for record in metadata.outputs]
    for pattern in milestone.patterns:
        if not any(matches(name, pattern) for name in written):
            yield Finding("deliverable", pattern, "is declared in the plan and was never written")
    for name in written:
        if not any(matches(name, pattern) for pattern in milestone.patterns):
            yield Finding("deliverable", name, "was written and is not declared in the plan")
    for pattern in (pattern for deliverable in milestone.deliverables for pattern in deliverable.repository):
        if not place.declared(pattern):
            yield Finding("deliverable", pattern, "is declared in the plan and not in the repository")
    read = {record.path for record in metadata.inputs if not record.external}
    for declared in filter(None, (source.path for source in milestone.inputs)):
        there = {path.relative_to(place.repository).as_posix() for path in place.declared(declared)}
        # A family may have grown since; of one that has gone, what was read is said to be missing elsewhere.
        known = there or any(matches(name, declared) for name in read)
        for name in sorted(there - read) if known else [declared]:
            yield Finding("input", name, "is declared in the plan and was not read")


def _outputs(place: Place, metadata: Metadata) -> Iterator[Finding]:
    folder = place.folder(metadata.milestone)
    for record in metadata.outputs:
        path = folder / record.path
        if path.is_symlink() or path.is_dir():
            yield Finding("deliverable", record.path, "is a link or a folder, not the file that was written")
        elif message := _difference(record.sha256, hash_file(path) if path.exists() else None):
            yield Finding("deliverable", record.path, message)
    known = {record.path for record in metadata.outputs} | {METADATA, SIGN_OFFS}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if name not in known and (path.is_symlink() or not path.is_dir()):
            yield Finding("deliverable", name, "lies there and was never written as evidence")


def _inputs(place: Place, metadata: Metadata, external: Mapping[str, Path]) -> Iterator[Finding]:
    for record in metadata.inputs:
        path = external.get(record.path) if record.external else place.repository / record.path
        if path is None:
            continue  # reported as unverified: what is not here cannot be wrong
        found = place.input_record(path).sha256 if path.exists() else None
        if message := _difference(record.sha256, found):
            yield Finding("input", record.path, message)


def _difference(recorded: str, found: str | None) -> str | None:
    if found is None:
        return "is missing"
    return None if found == recorded else f"has changed: recorded {recorded}, found {found}"


def _lock(place: Place, metadata: Metadata) -> Iterator[Finding]:
    now = place.lock()
    if metadata.lock and now is None:
        yield Finding("lock", metadata.lock.path, "is missing")
    elif now and (metadata.lock is None or metadata.lock.sha256 != now.sha256):
        yield Finding("lock", now.path, "is not the one that the evidence was made under; write the evidence again")


def _tree(place: Place, metadata: Metadata) -> Iterator[Finding]:
    if metadata.git.dirty:
        yield Finding("tree", METADATA, f"was written from a dirty tree: {', '.join(metadata.git.uncommitted)}")
    for path in place.git_record().uncommitted:
        yield Finding("tree", path, "is not committed")
    for path in place.uncommitted_evidence(metadata.milestone):
        yield Finding("tree", path, "is evidence that is not committed")


def _sign_offs(place: Place, milestone: Milestone, metadata: Metadata) -> Iterator[Finding]:
    try:
        entries = read_sign_offs(place, milestone)
    except EvidenceError as error:
        yield Finding("sign-off", SIGN_OFFS, str(error))
        return
    asked = {(c.id, role): c for c in milestone.criteria for role in c.sign_off or ()}
    for entry in entries:
        who, criterion = f"signed by {entry.name}", asked.get((entry.criterion, entry.role))
        if criterion is None:
            yield Finding("sign-off", entry.criterion, f"{who}, is no criterion for the {entry.role} any more")
        elif entry.evidence != signed_hash(milestone, criterion, entry.role, [metadata]):
            yield Finding("sign-off", entry.criterion, f"{who} for deliverables that have changed since")


def _rerun(
    place: Place, metadata: Metadata, external: Mapping[str, Path], timeout_s: float
) -> tuple[tuple[str, str], ...]:
    """Make the evidence again, GOLDEN_EVIDENCE set to a scratch folder; return what file or verdict differs and how."""
    command = [str(external.get(argument, argument)) for argument in metadata.command]
    said = " ".join(metadata.command)
    with tempfile.TemporaryDirectory(prefix="golden-rerun-") as scratch:
        try:
            status, output = place.run(command, timeout_s=timeout_s, **{VARIABLE: scratch})
        except subprocess.TimeoutExpired:
            return ((said, f"took longer than {timeout_s:g} s"),)
        except OSError as error:
            return ((said, f"cannot be started: {error.strerror}"),)
        if status:
            return ((said, f"ended with status {status}: {output[-300:]}"),)
        folder = Place(place.repository, Path(scratch)).folder(metadata.milestone)
        files = sorted(path for path in folder.rglob("*") if path.is_file() and path != folder / METADATA)
        made = {path.relative_to(folder).as_posix(): hash_file(path) for path in files}
        again = read_record(Metadata, folder / METADATA).criteria if (folder / METADATA).exists() else ()
    recorded = {record.path: record.sha256 for record in metadata.outputs}
    lost = [(name, "was not made again") for name in recorded if name not in made]
    other = [
        (name, f"came out different: recorded {sha256}, now {made[name]}")
        for name, sha256 in recorded.items()
        if made.get(name, sha256) != sha256
    ]
    verdicts = {one.id: one.verdict for one in again if one.verdict in ("pass", "fail")}  # commands are not run again
    other += [
        (one.id, f"was decided otherwise: recorded {one.verdict}, now {verdicts[one.id]}")
        for one in metadata.criteria
        if verdicts.get(one.id, one.verdict) != one.verdict
    ]
    return (*lost, *other, *((name, "is made now and was not recorded") for name in made if name not in recorded))


def signed_hash(planned: Accepted, criterion: Criterion, role: str, evidence: Iterable[Metadata]) -> str:
    """Return the hash of what a signature stands for: the criterion as worded, and every deliverable's bytes."""
    signed = {
        "milestone": planned.id,
        "criterion": criterion.id,
        "claim": criterion.claim,
        "role": role,
        "deliverables": {f"{m.milestone}/{record.path}": record.sha256 for m in evidence for record in m.outputs},
    }
    return hash_bytes(canonical_json(signed).encode())


def read_sign_offs(place: Place, planned: Accepted) -> tuple[SignOff, ...]:
    """Return every sign-off of a milestone or gate, oldest first, stale ones included.

    EvidenceError if the list is damaged or belongs to another milestone.
    """
    path = place.sign_offs(planned.id)
    if not path.exists():
        return ()
    found = read_record(SignOffs, path)
    if found.milestone != planned.id:
        raise EvidenceError(f"{path.name}: holds the sign-offs of {found.milestone}")
    return found.signoffs
