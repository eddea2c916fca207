"""Two probes by poison: of the future, and of what a fit says it did not read. They take any pipeline."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby
from operator import attrgetter

import polars as pl

from golden_core.leakage.artefacts import FORECASTS, KEY, Finding, Fit, Pipeline, Run
from golden_core.leakage.poisons import POISONS, RECORD_POISONS, poisoned
from golden_core.leakage.report import Report, compare, compared, finding_of, merged
from golden_core.store.randomness import Stream

FUTURE, RECORD = "future_poison", "recorded_access"


def future_report(
    pipeline: Pipeline,
    raw: pl.DataFrame,
    times: Sequence[dt.datetime],
    stream: Stream,
    poisons: Sequence[str] = POISONS,
    *,
    honest: Run | None = None,
    spare: Sequence[str] = (),
) -> Report:
    """Replace every bar known only after a time, run again, and compare every bit stamped at or before that time.

    Takes raw bars of all pairs and times in UTC; ``poisons`` are names in :mod:`golden_core.leakage.poisons`,
    ``spare`` those for a time at which all others were refused, ``honest`` the run on ``raw`` if there is one already.

    A pipeline may refuse a poison by raising, and so may one forecaster in it. That is noted; only a time at which
    every poison is refused is itself a finding, because nothing was shown there.
    """
    baseline = honest or pipeline.run(raw)
    reports = []
    for number, time in enumerate(times):
        refusals: Refusals = []
        for poison in (*poisons, *spare):
            if poison in spare and not _by_all(refusals):
                break
            changed = poisoned(raw, raw["available_at"] > time, poison, stream.child(poison, number))
            what = f"with everything after {time:%Y-%m-%d %H:%M} UTC replaced ({poison})"
            again, gone = _attempt(pipeline, changed, baseline, what)
            refusals.append(gone)
            if again:
                reports.append(compared(FUTURE, poison, what, baseline.artefacts, again.artefacts, time, without=gone))
        reports.append(_refused(FUTURE, pipeline.name, time, refusals))
    report = merged(reports, list(baseline.artefacts))
    unstable = _unstable(pipeline, raw, baseline) if report.findings else None
    return replace(report, findings=(unstable,)) if unstable else report


def record_report(
    pipeline: Pipeline,
    raw: pl.DataFrame,
    stream: Stream,
    *,
    fits: Sequence[Fit] | None = None,
    poisons: Sequence[str] = RECORD_POISONS,
    honest: Run | None = None,
) -> Report:
    """Poison every bar that a fit does not declare; what it fitted must keep every bit.

    Fits of one asset and key share their result, so their declared rows are taken together. By default all that a run
    declares are replayed. Poisons should keep every bar, or later rows are others. The rest as :func:`future_report`.
    """
    baseline, result = honest or pipeline.run(raw), attrgetter("asset", "key")
    reports = []
    for (asset, key), group in groupby(sorted(baseline.fits if fits is None else fits, key=result), key=result):
        declared = list(group)
        narrow = pipeline.narrow(declared[0]) if pipeline.narrow else pipeline
        mine = {asset: baseline.artefacts[asset].filter(pl.col(KEY) == key)}
        if mine[asset].is_empty():
            reports.append(_refused(RECORD, asset, None, [{_RUN: f"a fit names {key!r}, but {asset} has no such row"}]))
            continue
        undeclared = _undeclared(raw, declared)
        purposes = " and ".join(sorted({fit.purpose for fit in declared}))
        refusals = []
        for poison in poisons:
            changed = poisoned(raw, undeclared, poison, stream.child(asset, key, poison))
            what = f"with the {undeclared.sum()} bars replaced ({poison}) that the fit for {purposes} does not declare"
            again, gone = _attempt(narrow, changed, baseline, what)
            refusals.append(gone)
            if again:
                theirs = {asset: again.artefacts[asset].filter(pl.col(KEY) == key)} if asset in again.artefacts else {}
                reports.append(compared(RECORD, poison, what, mine, theirs, without=gone))
        reports.append(_refused(RECORD, asset, None, refusals))
    return merged(reports, list(baseline.artefacts))


def _undeclared(raw: pl.DataFrame, fits: Sequence[Fit]) -> pl.Series:
    """Return which raw bars [T] none of the fits declares."""
    read = pl.concat([fit.rows.select("pair", "timestamp") for fit in fits]).unique().with_columns(read=True)
    bars = raw.select("pair", "timestamp")
    return bars.join(read, on=["pair", "timestamp"], how="left", maintain_order="left")["read"].is_null()


_RUN = "(run)"  # stands for all columns where a pipeline refuses as a whole
Refusals = list[dict[str, str]]  # of every poison that was tried: who refused it → why


def _attempt(pipeline: Pipeline, raw: pl.DataFrame, baseline: Run, what: str) -> tuple[Run | None, dict[str, str]]:
    """Return a run, and the columns of those who refuse what the honest run took."""
    again = attempt(pipeline, raw)
    if isinstance(again, str):
        return None, {_RUN: f"{pipeline.name} {what}: {again}"}
    new = {column: why for column, why in again.failures.items() if column not in baseline.failures}
    return again, {column: f"{what}: {why}" for column, why in new.items()}


def _by_all(refusals: Refusals) -> dict[str, str]:
    """Return who refused every poison that the pipeline took, or that it took none: nothing was shown of them."""
    taken = [one for one in refusals if _RUN not in one] or refusals
    return {who: why for who, why in taken[0].items() if all(who in one for one in taken)} if taken else {}


def _refused(probe: str, asset: str, time: dt.datetime | None, refusals: Refusals) -> Report:
    found = (
        Finding(probe, asset if who == _RUN else FORECASTS, who, time, f"nothing could be compared: {why}")
        for who, why in _by_all(refusals).items()
    )
    return Report(tuple(found), (), tuple(why for one in refusals for why in one.values()))


def attempt(pipeline: Pipeline, raw: pl.DataFrame) -> Run | str:
    """Return a run, or what the pipeline raised: on poison it may refuse."""
    try:
        return pipeline.run(raw)
    except Exception as error:  # noqa: BLE001  whatever a pipeline raises on poison, it has refused it
        return f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else 'no message'}"


def _unstable(pipeline: Pipeline, raw: pl.DataFrame, baseline: Run) -> Finding | None:
    """Tell a leak from a pipeline that gives other bits every time, of which poison can show nothing."""
    again = pipeline.run(raw)
    for asset, frame in baseline.artefacts.items():
        differences, _ = compare(frame, again.artefacts.get(asset, frame.clear()))
        if differences:
            return finding_of(FUTURE, asset, f"{pipeline.name} is not reproducible: on equal bars", differences[0])
    return None
