"""A fit watched and asked again: whether it opens the lake's own files, reads its batch, or what another fit has seen.

A run of the probes has a lake of its own, poisoned like its bars. Code that opens the lake by a fixed path is answered
from honest bars and shows nothing under poison; but the file system knows. The fitted object is asked again with other
windows changed, each time a copy, so that drawing random numbers, or learning while forecasting, is no leak.

Shape letters: N test rows of a fold.
"""

from __future__ import annotations

import copy
import dataclasses
import datetime as dt
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar, cast

import numpy as np
import numpy.typing as npt

from golden_core.forecasters.base import Forecaster
from golden_core.inputs.windows import Examples, FloatArray, Windows
from golden_core.leakage.artefacts import FORECASTS, Finding
from golden_core.store.lake import Home
from golden_core.store.randomness import Stream
from golden_core.study import Study

LAKE = "lake_read"

Made = TypeVar("Made")

# Nanoseconds by which a watched file was last read before its last change, so that even relatime records the next
# read. Hardly older than the file: some file systems delete what nobody has read for long.
_UNREAD, _MARKS = 10**9, 500
_TABLES = ("bars/*", "folds/*", "scalers/*", "ledger/*", "trials/*/*/*/forecasts")


def lake_files(home: Home, study: Study) -> tuple[Path, ...]:
    """Return the files that hold a study's bars, or what was made of them: its source's, its tables, the warehouse."""
    folder, told = home.study(study.name), study.data.settings
    tables = [path for table in _TABLES for path in folder.root.glob(f"{table}.parquet")]
    sources = [home.root / path for path in (told.get("path"), *(told.get("paths") or {}).values()) if path]
    return tuple(sorted(path for path in {*tables, *sources, folder.raw, home.warehouse} if path.is_file()))


def files_read(files: Sequence[Path], act: Callable[[], Made]) -> tuple[Made, list[Path]]:
    """Return what an action returns, and which of some files were read meanwhile, by it or by another process.

    Where the file system records no reads, or the files are another user's, none is found.
    """
    marks = {path: mark for path in files if (mark := _unread(path))}
    made = act()
    return made, [path for path, mark in marks.items() if path.exists() and path.stat().st_atime_ns != mark]


def lake_read(
    files: Sequence[Path], act: Callable[[], Made], asset: str, column: str, stamp: dt.datetime
) -> tuple[Made, list[Finding]]:
    """Return what an action returns, and a finding if it reads some files.

    Another run of the study and people who query it read the same files, so a read counts only if it happens again.
    """
    made, read = files_read(files, act)
    read = files_read(read, act)[1] if read else []
    if not read:
        return made, []
    detail = (
        f"{', '.join(path.name for path in read)} of the campaign's lake, beginning with {read[0]}, was read "
        "meanwhile; it must work on what it is given (if another program read it, run again)"
    )
    return made, [Finding(LAKE, asset, column, stamp, detail)]


def _unread(path: Path) -> int:
    """Return the time of the last read of a file, made one before its last change; 0 where that cannot be set.

    What is unread keeps its time, and what was read gets one that it has not had: other workers watch the same files.
    """
    state = path.stat()
    try:
        if state.st_atime_ns >= state.st_mtime_ns:
            os.utime(path, ns=(state.st_mtime_ns - _UNREAD - time.time_ns() % _MARKS, state.st_mtime_ns))
    except OSError:
        return 0
    return path.stat().st_atime_ns


NEIGHBOURS, MEMORY = "batch_neighbours", "memory_between_fits"
# A matrix product sums in an order that depends on the number of rows; in units of the target's scale.
_ROUNDING = 1e-6
_SPACING = 8  # rows between those that are changed at once
_SETTLED = 4  # suspicions that are settled: a long memory makes every row suspicious, and is honest
_SEEN = 64  # rows that another fit is shown, unless labels are longer than half of them

BoolArray = npt.NDArray[np.bool_]


def batch_findings(
    forecaster: Forecaster, another: Callable[[], Forecaster], test: Windows, column: str, stream: Stream
) -> tuple[list[Finding], str]:
    """Return at most one finding per probe about a fitted forecaster, and why it could not be asked, if so.

    ``forecaster`` is fitted on the fold of ``test``, ``another`` makes a new one of its kind, ``column`` is its name in
    the artefact ``forecasts``. One that can neither be copied nor restored, raises on changed windows, or answers
    differently from equal copies is not probed by that question: poison and retraining answer for it.
    """

    def ask(windows: Windows) -> FloatArray:
        try:
            answer = np.asarray(_copied(forecaster, another).predict(windows), dtype=np.float64)
        except Exception as error:
            raise _RefusedError(f"{type(error).__name__}: {error}") from error
        if answer.shape != (len(windows),):
            raise _RefusedError(f"{len(windows)} windows gave forecasts of shape {answer.shape}")
        return answer

    found: dict[str, Finding] = {}
    refused = ""
    try:
        honest = ask(test)
        if len(test) < 2 or not _same(honest, ask(test)).all():
            raise _RefusedError("equal copies answer differently" if len(test) > 1 else "there is one test row")
    except _RefusedError as error:
        return [], str(error)
    questions: tuple[tuple[str, Callable[[], Place | None]], ...] = (
        (NEIGHBOURS, lambda: _reads_later_rows(ask, honest, test, stream)),
        (NEIGHBOURS, lambda: _needs_later_rows(ask, honest, test, stream)),
        (MEMORY, lambda: _remembers(ask, another, honest, test, stream)),
    )
    for probe, question in questions:
        try:
            place = None if probe in found else question()
        except _RefusedError as error:
            refused = refused or str(error)
            continue
        if place:
            found[probe] = Finding(probe, FORECASTS, column, *place)
    return list(found.values()), refused


def _copied(forecaster: Forecaster, another: Callable[[], Forecaster]) -> Forecaster:
    """Return a copy; of what holds a lock or a handle, another one with its state."""
    try:
        return copy.deepcopy(forecaster)
    except Exception:  # noqa: BLE001  whatever somebody's class raises, its state is what makes its forecasts
        restored = another()
        restored.restore(forecaster.state())
        return restored


class _RefusedError(Exception):
    """A forecaster gives no answer that could be compared."""


Place = tuple[dt.datetime, str]
Ask = Callable[[Windows], FloatArray]


def _reads_later_rows(ask: Ask, honest: FloatArray, test: Windows, stream: Stream) -> Place | None:
    """Change all rows after some row; those are drawn, and suspected when single rows change."""
    count, draw = len(test), stream.child("rows").generator()
    rows = np.arange(count)
    suspects: list[int] = []
    for offset in range(min(_SPACING, count)):
        changed = _changed(test, rows % _SPACING == offset, stream)
        since = (rows - offset) % _SPACING
        early = ~_same(honest, ask(changed)) & ((since >= _SPACING - 2) | (rows < offset))
        suspects += np.flatnonzero(early).tolist()
    some = [min(suspects), *draw.choice(suspects, min(_SETTLED - 1, len(suspects)))] if suspects else []
    fixed = [0, count // 2, count - 2, *draw.integers(0, count - 1, 3)]
    for last in dict.fromkeys(int(row) for row in (*some, *fixed) if row < count - 1):
        now = ask(_changed(test, rows > last, stream))
        bad = np.flatnonzero(~_same(honest, now)[: last + 1])
        if len(bad):
            what = f"with the {count - 1 - last} windows after {test.cutoffs[last]} replaced"
            return _place(test, int(bad[0]), what, honest, now)
    return None


def _needs_later_rows(ask: Ask, honest: FloatArray, test: Windows, stream: Stream) -> Place | None:
    """Leave the last rows away, which also asks whoever answers from a table by cutoffs."""
    lengths = {len(test) // 2, len(test) - 1, int(stream.child("length").generator().integers(1, len(test)))}
    for length in sorted(lengths):
        now = ask(_first(test, length))
        bad = np.flatnonzero(np.abs(now - honest[:length]) > _ROUNDING * test.target.scale)
        if len(bad):
            return _place(test, int(bad[0]), f"asked for the first {length} windows of {len(test)} alone", honest, now)
    return None


def _remembers(
    ask: Ask, another: Callable[[], Forecaster], honest: FloatArray, test: Windows, stream: Stream
) -> Place | None:
    """Show test rows and their labels to another object of the kind, as the fit of a later fold does."""
    h, seen = test.horizon, min(len(test) // 2, max(_SEEN, 2 * test.horizon))
    if seen <= h + 1:
        return None
    shown = _first(test, seen)
    closes = shown.last_close
    labels = np.log(np.append(closes[h:], np.full(h, closes[-1])) / closes)
    other = another()
    try:
        other.fit(Examples(shown, labels), Examples(shown, labels), stream.child("another fit"))
        other.predict(test)
    except Exception:  # noqa: BLE001  few rows may not carry it; what it kept, it has kept
        pass
    now = ask(test)
    bad = np.flatnonzero(~_same(honest, now))
    return _place(test, int(bad[0]), "once another fit was shown the test rows", honest, now) if len(bad) else None


def _changed(test: Windows, mask: BoolArray, stream: Stream) -> Windows:
    """Replace the inputs of some rows by those of others, and turn the closes at their cutoffs upside down."""
    X, closes = np.array(test.X), np.array(test._closes)
    rows = np.flatnonzero(mask)
    X[rows] = test.X[np.roll(np.arange(len(test)), len(test) // 2)[rows]]
    wobble = np.exp(stream.child("wobble").generator().normal(0.0, 1e-3, len(rows)))
    at = test.positions[rows]
    closes[at] = closes[test.positions[0]] ** 2 / closes[at] * wobble
    for array in (X, closes):
        array.flags.writeable = False
    return dataclasses.replace(test, X=X, _closes=closes)


def _first(test: Windows, length: int) -> Windows:
    rows = test.positions[:length]
    closes = test._closes[: rows[-1] + 1]
    return dataclasses.replace(test, X=test.X[:length], cutoffs=test.cutoffs[:length], _closes=closes, _rows=rows)


def _same(one: FloatArray, other: FloatArray) -> BoolArray:
    return cast(BoolArray, one.view(np.uint64) == other.view(np.uint64))


def _place(test: Windows, row: int, what: str, honest: FloatArray, now: FloatArray) -> Place:
    when = cast(dt.datetime, test.cutoffs[row].astype("datetime64[us]").item()).replace(tzinfo=dt.UTC)
    return when, f"{what}, it was {honest[row]:.17g} and is {now[row]:.17g}; a forecast is made from its own past alone"
