"""A report held against the warehouse: it is rendered anew, and every place that differs is named. Nothing is written.

What a report is made from besides the warehouse, provenance and verdicts of checks, lies beside it and is held against
the hashes that were recorded when it was written.
"""

from __future__ import annotations

import contextlib
import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, zip_longest
from pathlib import Path

from polars.exceptions import PolarsError

from golden_core.benchmarking.records import Run, last_runs
from golden_core.preparation.catalogue import recorded_study
from golden_core.reporting.benchmarks import PAGE as BENCHMARKS
from golden_core.reporting.benchmarks import benchmarks_page, write_benchmarks
from golden_core.reporting.judged import Judged
from golden_core.reporting.pages import GIVEN, JUNIT, PROVENANCE, RECORD, render, report_differences, write_report
from golden_core.reporting.places import Leaf, by_exhibit, leaves
from golden_core.store.health import openable
from golden_core.store.lake import Home, hash_bytes
from golden_core.store.warehouse import Warehouse
from golden_core.study import Study, StudyError
from golden_core.trials.stored import IncompleteError

PAGE = "index.html"
ABSENT = "nothing"


class UnreadableReportError(IncompleteError):
    """There is no report to verify, or what belongs to it cannot be read."""


@dataclass(frozen=True)
class Difference:
    """One place of a report at which it does not say what the warehouse says."""

    file: str
    exhibit: str
    place: str
    found: str
    expected: str


def verify_report(
    warehouse: Warehouse, study: Study, folder: Path, page: Path | None = None, runs: Sequence[Run] = ()
) -> tuple[list[Difference], int]:
    """Render a report anew; return what differs on disk, by files and places, and how many places were compared.

    ``folder`` is the report, with the provenance and the verdicts that it was written with. A ``page``, such as one
    that was sent to somebody, is held against the warehouse in its place. ``runs`` are the last of the study's
    benchmarks, whose page lies beside the report.

    Raises
    ------
    UnreadableReportError
        If the folder holds no report, or its provenance or verdicts cannot be read; names the file.
    RandomWalkMissingError
        As :func:`~golden_core.reporting.pages.write_report`.
    """
    provenance, judged, odd = _given(folder)
    rendered, _ = render(warehouse, study, provenance, judged)
    if page is not None:
        found = {PAGE: _text(page)}
        expected: Mapping[str, str] = {PAGE: rendered[PAGE]}
    else:
        there = {path.name for path in folder.iterdir() if path.is_file()} - {RECORD, JUNIT}
        found = {name: _text(folder / name) for name in sorted(there)}
        expected = {**rendered, BENCHMARKS: benchmarks_page(warehouse, study, list(runs))} if runs else rendered
    differences = list(odd)
    for name in sorted({*expected, *found}):
        differences += file_differences(name, expected.get(name), found.get(name))
    places = (len(leaves(text)) if name.endswith(".html") else text.count("\n") for name, text in expected.items())
    return differences, sum(places)


def renew_report(warehouse: Warehouse, study: Study, folder: Path) -> bool:
    """Write a report again, for what was timed since: with its own provenance and verdicts.

    Returns whether it was written. A report that is not there, or whose results are out of date, waits for its run.
    """
    if report_differences(warehouse, study, folder)[0]:
        return False
    provenance, judged, _ = _given(folder)
    write_report(warehouse, study, folder, provenance, judged)
    return True


def renew_reports(home: Home) -> list[str]:
    """Write every report of a home again, for what was timed of the machine alone, which all of them list.

    Returns the names of their studies; a report that waits for its run, or whose settings changed since, is left.
    """
    warehouse, renewed = Warehouse(home.warehouse), []
    for folder in sorted(path.parent for path in home.reports.glob(f"[!.]*/{RECORD}")):
        with contextlib.suppress(StudyError):
            study = recorded_study(home, folder.name)
            if study.name != folder.name or not renew_report(warehouse, study, folder):
                continue
            if last_runs(home, study.name):
                write_benchmarks(home, study)
            renewed.append(study.name)
    return renewed


def file_differences(name: str, expected: str | None, found: str | None) -> list[Difference]:
    """Return every place at which a file of a report differs from the one that the warehouse gives."""
    if expected == found:
        return []
    if expected is None or found is None:
        there = ("a file", ABSENT) if expected is None else (ABSENT, "a file")
        return [Difference(name, Path(name).stem, "the file", *there)]
    differences = []
    with contextlib.suppress(csv.Error, AssertionError):  # as the readers call what is no table or no page any more
        differences = list(_READERS.get(Path(name).suffix, _by_line)(name, expected, found))
    # Bytes outside every place, such as a blank between tags.
    return differences or list(_by_line(name, expected, found))


def _by_place(name: str, expected: str, found: str) -> Iterator[Difference]:
    theirs = by_exhibit(leaves(found))
    ours = by_exhibit(leaves(expected))
    for exhibit in dict.fromkeys([*ours, *theirs]):
        mine, other = ours.get(exhibit, []), theirs.get(exhibit, [])
        unlike: Iterator[tuple[Leaf, Leaf]] = (
            pair for pair in zip(mine, other, strict=False) if pair[0].text != pair[1].text
        )
        if len(mine) != len(other):  # from the first difference on, nothing stands opposite what it belongs to
            counts = (f"{len(found)} tags and texts" for found in (other, mine))
            yield Difference(name, exhibit, "the whole of it", *counts)
            unlike = islice(unlike, 1)
        for leaf, its in unlike:
            yield Difference(name, exhibit, leaf.place, *_apart(its.text, leaf.text))


def _by_row(name: str, expected: str, found: str) -> Iterator[Difference]:
    ours, theirs = (list(csv.reader(text.splitlines(keepends=True))) for text in (expected, found))
    headings = ours[0] if ours else []
    nothing: list[str] = []
    for number, (mine, other) in enumerate(zip_longest(ours, theirs, fillvalue=nothing)):
        for place, (cell, its) in enumerate(zip_longest(mine, other, fillvalue=ABSENT)):
            if cell != its:
                column = headings[place] if place < len(headings) else str(place + 1)
                row = f"row {number}, column {column}" if number else f"heading {column}"
                yield Difference(name, Path(name).stem, row, its, cell)


def _by_line(name: str, expected: str, found: str) -> Iterator[Difference]:
    pairs = zip_longest(expected.split("\n"), found.split("\n"), fillvalue=ABSENT)
    for number, (mine, other) in enumerate(pairs, start=1):
        if mine != other:
            yield Difference(name, Path(name).stem, f"line {number}", *_apart(other, mine))


_READERS = {".html": _by_place, ".csv": _by_row}


def _apart(found: str, expected: str) -> tuple[str, str]:
    """Cut two texts to the neighbourhood of their first difference; a line of a plot has thousands of numbers."""
    first = next((n for n, (a, b) in enumerate(zip(found, expected, strict=False)) if a != b), 0)
    start = max(0, first - 24) if max(len(found), len(expected)) > 60 else 0
    shown = [("…" if start else "") + text[start:][:60] for text in (found, expected)]
    return shown[0], shown[1]


def _given(folder: Path) -> tuple[dict[str, object], Judged, list[Difference]]:
    """Return what the report was written with, and what of it is not as recorded."""
    texts = {name: _text(folder / name) for name in (RECORD, *GIVEN)}
    try:
        hashes = dict(json.loads(texts[RECORD])["sha256"])
        provenance = dict(json.loads(texts[PROVENANCE]))
        judged = Judged.read(texts["checks.csv"], texts["probes.csv"])
    except (ValueError, KeyError, TypeError, PolarsError) as error:
        raise UnreadableReportError(
            f"{folder}: {RECORD}, {' or '.join(GIVEN)} is not as it was written ({type(error).__name__}: {error}); "
            "delete the folder"
        ) from error
    odd = [
        Difference(name, Path(name).stem, "the file", hash_bytes(texts[name].encode()), str(hashes.get(name)))
        for name in GIVEN
        if hashes.get(name) != hash_bytes(texts[name].encode())
    ]
    return provenance, judged, odd


def _text(path: Path) -> str:
    try:
        return openable(path).read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is no UTF-8 text"
        raise UnreadableReportError(f"{path}: {reason}") from error
