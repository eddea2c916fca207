"""Writing evidence: deliverables, what is recorded about them, and the archive of what they supersede.

Order of writing: archive, deliverables, metadata. Each step is whole or not at all, so a killed process leaves every
superseded byte in its place, in the archive or in git, and metadata that fits the deliverables or visibly does not.
"""

from __future__ import annotations

import csv
import datetime
import io
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from pathlib import Path
from typing import Any

import jinja2

from golden_core.milestones.place import Place
from golden_core.milestones.records import (
    CriterionRecord,
    EvidenceError,
    FileRecord,
    Metadata,
    Value,
    moment,
    read_record,
    write_record,
)
from golden_core.milestones.registry import METADATA, Milestone, matches
from golden_core.store.lake import confined, hash_bytes, remove_temporaries, write_bytes

INDEX_COLUMNS = ("time", "file", "sha256", "commit")


@dataclass(frozen=True)
class Result:
    """What a check or a command found for one criterion."""

    criterion: str
    value: Value
    threshold: str
    passed: bool


@dataclass(frozen=True)
class Written:
    """What a call wrote: nothing where everything was there already."""

    metadata: Metadata
    changed: tuple[str, ...]


def write_evidence(
    place: Place,
    milestone: Milestone,
    deliverables: Mapping[str, bytes | str],
    *,
    inputs: Sequence[Path],
    command: Sequence[str],
    results: Sequence[Result],
    now: datetime.datetime,
) -> Written:
    """Write the deliverables of a milestone and metadata.json, and archive the files that they supersede.

    Nothing is written, and the date stays, where deliverables, inputs, command, lock file and results are the
    recorded ones; unless the recorded evidence came from a dirty tree, or from none, and this does not.

    ``command`` makes the deliverables again at the repository's root, an external input standing there by name; a
    criterion without a result is unmeasured. EvidenceError if a deliverable or input is missing, unknown or given
    twice, a result is for a person to give, or the command names a path of this machine; LookupError if a result is for
    no criterion of the milestone; FileNotFoundError if an input, given or declared, does not exist.
    """
    contents = _contents(place, milestone, deliverables)
    metadata = _metadata(place, milestone, contents, inputs, command, results, moment(now))
    folder = place.folder(milestone.id)
    with place.alone():
        remove_temporaries(folder)  # left by a killed process
        remove_temporaries(place.archive)
        previous = _previous(place.metadata(milestone.id))
        present = {record.path for record in previous.outputs} if previous else set()
        names = sorted(present | contents.keys())
        different = tuple(name for name in names if _bytes(folder / name) != contents.get(name))
        if previous and not different and not _says_more(metadata, previous):
            return Written(previous, ())
        archived(place, milestone.id, {name: folder / name for name in (*different, METADATA)}, now)
        for name in different:
            put(confined(folder, *name.split("/")), contents.get(name))
        write_record(metadata, place.metadata(milestone.id))
    return Written(metadata, (*different, METADATA))


def declared_inputs(place: Place, milestone: Milestone) -> tuple[Path, ...]:
    """Return the files of the repository that the plan declares as inputs; FileNotFoundError where there is none."""
    found = {one.path: place.declared(one.path) for one in milestone.inputs if one.path is not None}
    if missing := [pattern for pattern, paths in found.items() if not paths]:
        raise FileNotFoundError(f"{milestone.id}: declared inputs {', '.join(missing)}: not in {place.repository}")
    return tuple(dict.fromkeys(chain.from_iterable(found.values())))


def _contents(place: Place, milestone: Milestone, deliverables: Mapping[str, bytes | str]) -> dict[str, bytes]:
    """Return name → bytes, every deliverable declared and every declaration delivered."""
    declared = milestone.patterns
    unknown = [name for name in deliverables if not any(matches(name, pattern) for pattern in declared)]
    missing = [pattern for pattern in declared if not any(matches(name, pattern) for name in deliverables)]
    if unknown or missing:
        faults = [f"{name} is not a declared deliverable" for name in unknown] + [f"{n} is not there" for n in missing]
        raise EvidenceError(f"{milestone.id}: " + "; ".join(faults))
    for name in deliverables:
        confined(place.folder(milestone.id), *name.split("/"))
    return {n: content.encode() if isinstance(content, str) else bytes(content) for n, content in deliverables.items()}


def _metadata(
    place: Place,
    milestone: Milestone,
    contents: Mapping[str, bytes],
    inputs: Sequence[Path],
    command: Sequence[str],
    results: Sequence[Result],
    now: datetime.datetime,
) -> Metadata:
    read = {path: place.input_record(path) for path in (*declared_inputs(place, milestone), *inputs)}
    records = sorted(set(read.values()), key=lambda record: (record.external, record.path))
    for one, other in pairwise(records):
        if (one.external, one.path) == (other.external, other.path):
            raise EvidenceError(f"{milestone.id}: {one.path}: different inputs with the same name; rename one")
    names = {str(path): record.path for path, record in read.items()}
    portable = tuple(names.get(argument, argument) for argument in command)
    for argument in portable:
        if any(Path(part).is_absolute() for part in argument.split("=")):
            raise EvidenceError(f"{milestone.id}: {argument!r} of the command means nothing on another machine")
    made = [FileRecord(path=n, sha256=hash_bytes(content), bytes=len(content)) for n, content in contents.items()]
    return Metadata(
        milestone=milestone.id,
        title=milestone.title,
        author=place.author(),
        date=now,
        git=place.git_record(),
        command=portable,
        lock=place.lock(),
        inputs=tuple(records),
        outputs=tuple(sorted(made, key=lambda record: record.path)),
        criteria=_criteria(milestone, results),
    )


def _criteria(milestone: Milestone, results: Sequence[Result]) -> tuple[CriterionRecord, ...]:
    given = {result.criterion: result for result in results}
    for name in given:
        if milestone.criterion(name).human:
            raise EvidenceError(f"{milestone.id}: {name} is for a person to decide, not for a result")
    return tuple(
        CriterionRecord(
            id=criterion.id,
            claim=criterion.claim,
            decided_by=criterion.decided_by,
            value=result.value if result else None,
            threshold=result.threshold if result else "signed" if criterion.human else "",
            verdict=("pass" if result.passed else "fail") if result else "open" if criterion.human else "unmeasured",
        )
        for criterion in milestone.criteria
        for result in [given.get(criterion.id)]
    )


def _previous(path: Path) -> Metadata | None:
    try:
        return read_record(Metadata, path)
    except (FileNotFoundError, EvidenceError):
        return None  # a damaged file is superseded, and archived, like any other


def _says_more(new: Metadata, old: Metadata) -> bool:
    """Whether new evidence differs from the old in substance, or in coming from a clean tree at last."""
    circumstances = {"author", "date", "git"}
    if new.model_dump(exclude=circumstances) != old.model_dump(exclude=circumstances):
        return True
    return new.git.dirty is False and old.git.dirty is not False


def _bytes(path: Path) -> bytes | None:
    """Return what lies in place of a deliverable, or nothing."""
    return path.read_bytes() if path.exists() else None


def archived(place: Place, name: str, files: Mapping[str, Path], now: datetime.datetime) -> None:
    """Keep documents, and what no commit holds, under the time; of everything else a line of the index."""
    time = now.astimezone(datetime.UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    head, lines = place.git_record().commit, []
    for file, path in files.items():
        if (content := _bytes(path)) is None:
            continue
        committed = head is not None and place.holds(head, path)
        if file.endswith(".md") or not committed:
            kept = confined(place.archive, name, time, *file.split("/"))
            if kept.exists():
                raise EvidenceError(f"{kept}: exists already; evidence of one moment is written once")
            put(kept, content)
        lines.append((time, f"{name}/{file}", hash_bytes(content), head if committed else ""))
    if lines:
        index = place.archive / "index.csv"
        text = io.StringIO(index.read_text(encoding="utf-8") if index.exists() else ",".join(INDEX_COLUMNS) + "\n")
        text.seek(0, io.SEEK_END)
        csv.writer(text, lineterminator="\n").writerows(lines)
        put(index, text.getvalue().encode())


def put(path: Path, content: bytes | None) -> None:
    """Write a file, whole or not at all; without content, remove it."""
    if content is None:
        path.unlink(missing_ok=True)
    else:
        write_bytes(content, path)


def all_held(criterion: str, wanted: Mapping[str, str], places: Sequence[Collection[str]]) -> Result:
    """Report which of the wanted things, each by what the code calls it, every place holds."""
    found = [name for name, called in wanted.items() if all(called in place for place in places)]
    return Result(criterion, ", ".join(found), ", ".join(wanted), len(found) == len(wanted))


def render(template: Path, facts: Mapping[str, Any]) -> str:
    """Fill in a template, which asks for nothing that is not given, and end it with one line end."""
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, keep_trailing_newline=True, autoescape=False)
    return environment.from_string(template.read_text(encoding="utf-8")).render(facts).rstrip("\n") + "\n"
