"""Two probes by poison: of the future, and of what a fit says it did not read. They take any pipeline."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby

import polars as pl

from golden_core.leakage.artefacts import KEY, Finding, Fit, Pipeline, Run
from golden_core.leakage.poisons import POISONS, RECORD_POISONS, poisoned
from golden_core.leakage.report import Report, compare, compared, finding_of, merged
from golden_core.store.randomness import Stream

FUTURE, RECORD = "future_poison", "recorded_access"


def future_poison(
    pipeline: Pipeline,
    raw: pl.DataFrame,
    times: Sequence[dt.datetime],
    stream: Stream,
    poisons: Sequence[str] = POISONS,
) -> list[Finding]:
    """Return what depends on the future: see :func:`future_report`, whose findings these are."""
    return list(future_report(pipeline, raw, times, stream, poisons).findings)


def future_report(
    pipeline: Pipeline,
    raw: pl.DataFrame,
    times: Sequence[dt.datetime],
    stream: Stream,
    poisons: Sequence[str] = POISONS,
    *,
    honest: Run | None = None,
) -> Report:
    """Replace every bar known only after a time, run again, and compare every bit stamped at or before that time.

    Parameters
    ----------
    raw : DataFrame
        Raw bars of all pairs.
    times : sequence of datetime
        UTC. Everything with ``available_at`` after it is replaced.
    stream : Stream
        Source of the poisons' disorder.
    poisons : sequence of str
        Names in :mod:`golden_core.leakage.poisons`.
    honest : Run, optional
        The run on ``raw``, if there is one already.

    Notes
    -----
    A pipeline may refuse a poison by raising. That is noted; only a time at which it refuses every poison is itself a
    finding, because nothing was shown there.
    """
    baseline = honest or pipeline.run(raw)
    reports = []
    for number, time in enumerate(times):
        refused = []
        for poison in poisons:
            changed = poisoned(raw, raw["available_at"] > time, poison, stream.child(poison, number))
            again = attempt(pipeline, changed)
            what = f"with everything after {time:%Y-%m-%d %H:%M} UTC replaced ({poison})"
            if isinstance(again, str):
                refused.append(f"{pipeline.name} {what}: {again}")
            else:
                reports.append(compared(FUTURE, poison, what, baseline.artefacts, again.artefacts, time))
        unprobed = len(refused) == len(poisons) > 0
        reports.append(_unprobed(FUTURE, pipeline.name, time, refused) if unprobed else Report((), (), tuple(refused)))
    report = merged(reports, list(baseline.artefacts))
    unstable = _unstable(pipeline, raw, baseline) if report.findings else None
    return replace(report, findings=(unstable,)) if unstable else report


def replay_record(pipeline: Pipeline, raw: pl.DataFrame, stream: Stream) -> list[Finding]:
    """Return which fits read more than they say: see :func:`record_report`, whose findings these are."""
    return list(record_report(pipeline, raw, stream).findings)


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

    Fits of one asset and key share their result, so their declared rows are taken together.

    Parameters
    ----------
    pipeline, raw, stream, honest
        As in :func:`future_report`.
    fits : sequence of Fit, optional
        Those to replay; by default all that a run declares.
    poisons : sequence of str
        Names in :mod:`golden_core.leakage.poisons`; they should keep every bar, or later rows are others.
    """
    baseline = honest or pipeline.run(raw)
    reports = []
    for (asset, key), group in groupby(sorted(baseline.fits if fits is None else fits, key=_result), key=_result):
        declared = list(group)
        narrow = pipeline.narrow(declared[0]) if pipeline.narrow else pipeline
        mine = {asset: baseline.artefacts[asset].filter(pl.col(KEY) == key)}
        if mine[asset].is_empty():
            reports.append(_unprobed(RECORD, asset, None, [f"a fit names {key!r}, but {asset} has no such row"]))
            continue
        undeclared = _undeclared(raw, declared)
        purposes = " and ".join(sorted({fit.purpose for fit in declared}))
        refused = []
        for poison in poisons:
            again = attempt(narrow, poisoned(raw, undeclared, poison, stream.child(asset, key, poison)))
            count = int(undeclared.sum())
            what = f"with the {count} bars replaced ({poison}) that the fit for {purposes} does not declare"
            if isinstance(again, str):
                refused.append(f"{asset} {key} {what}: {again}")
                continue
            theirs = {asset: again.artefacts[asset].filter(pl.col(KEY) == key)}
            reports.append(compared(RECORD, poison, what, mine, theirs))
        unprobed = len(refused) == len(poisons) > 0
        reports.append(_unprobed(RECORD, asset, None, refused) if unprobed else Report((), (), tuple(refused)))
    return merged(reports, list(baseline.artefacts))


def _undeclared(raw: pl.DataFrame, fits: Sequence[Fit]) -> pl.Series:
    """Return which raw bars [T] none of the fits declares."""
    read = pl.concat([fit.rows.select("pair", "timestamp") for fit in fits]).unique().with_columns(read=True)
    bars = raw.select("pair", "timestamp")
    return bars.join(read, on=["pair", "timestamp"], how="left", maintain_order="left")["read"].is_null()


def _unprobed(probe: str, asset: str, time: dt.datetime | None, refused: Sequence[str]) -> Report:
    finding = Finding(probe, asset, "(run)", time, f"nothing could be compared: {refused[0]}")
    return Report((finding,), (), tuple(refused))


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
        differences, _ = compare(frame, again.artefacts[asset])
        if differences:
            return finding_of(FUTURE, asset, f"{pipeline.name} is not reproducible: on equal bars", differences[0])
    return None


def _result(fit: Fit) -> tuple[str, str]:
    return fit.asset, fit.key
