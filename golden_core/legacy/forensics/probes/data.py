"""Probes of the rows and of what a network sees: which rows there are, which test, scaling, windows."""

from __future__ import annotations

import numpy as np
import polars as pl

from golden_core.legacy.flow.protocol import PARTS, extents, legacy_windows, read_facts, split_rows
from golden_core.legacy.forensics.probes.result import (
    HOURLY_VOLATILITY,
    TEST_ROWS,
    V08,
    Practice,
    ProbeResult,
    percent,
    rms,
    walk,
)
from golden_core.sources.synthetic import RegimesSettings, simulate
from golden_core.store.randomness import Stream

_WEEK, _OPEN = 168, 120  # hours
_IDLE = 0.1  # share of open hours without a trade


def rows_chosen_by_outcome(practice: Practice, stream: Stream) -> ProbeResult:
    """Drop bars that did not move, or bars that the calendar closes, and see how much more the rest moves."""
    hours = np.arange(100 * _WEEK)
    generator = stream.child("chosen rows").generator()
    is_open = hours % _WEEK < _OPEN
    idle = generator.random(len(hours)) < _IDLE
    moves = np.where(is_open & ~idle, HOURLY_VOLATILITY * generator.standard_normal(len(hours)), 0.0)
    kept = moves != 0 if practice == "legacy" else is_open
    value = rms(moves[kept]) / rms(moves[is_open]) - 1
    return ProbeResult(value, 0.01, f"The kept rows move {percent(value, 1)} more than the open hours do.")


def repeated_rows(practice: Practice, stream: Stream) -> ProbeResult:
    """Append an old stretch to a file again, clean it, split it, and count test rows that also train."""
    count = V08.candles.rows
    hours = pl.DataFrame({"time": range(count), "close": walk(count, stream.child("repeated"))})
    file = pl.concat([hours, hours[count // 2 :][: count // 50]]).drop_nulls()
    rows = file if practice == "legacy" else file.unique("time", keep="first", maintain_order=True)
    parts = split_rows(rows.height, V08.ratios)
    train, test = (rows[part.start : part.stop]["time"] for part in (parts["train"], parts["test"]))
    value = float(test.is_in(train.implode()).to_numpy().mean())
    return ProbeResult(value, 0.0, f"{percent(value)} of the test rows are also training rows.")


def rows_out_of_order(practice: Practice, stream: Stream) -> ProbeResult:
    """Join two files the later one first, split by row, and count training rows later than the first test row."""
    count = V08.candles.rows
    cut = stream.child("order").generator().integers(count // 3, count // 2)
    times = np.concatenate([np.arange(cut, count), np.arange(cut)])
    if practice == "alternative":
        times = np.sort(times)
    parts = split_rows(count, V08.ratios)
    value = float((times[parts["train"]] > times[parts["test"].start]).mean())
    return ProbeResult(value, 0.0, f"{percent(value)} of the training rows are later than the first test row.")


def one_test_window(practice: Practice, stream: Stream) -> ProbeResult:
    """Score one forecaster, no change, on many windows of the test part's length, and see how much the score moves.

    Alternative: the score is the mean over ten windows.
    """
    settings = RegimesSettings(
        process="regimes",
        initial_price=1.1,
        means=(0.0, 0.0),
        volatilities=(0.6 * HOURLY_VOLATILITY, 1.5 * HOURLY_VOLATILITY),
        stay=(0.999, 0.999),
    )
    moves = simulate(settings, 200 * TEST_ROWS, stream.child("one window"))
    scores = np.sqrt(np.square(moves).reshape(200, TEST_ROWS).mean(axis=1))
    if practice == "alternative":
        scores = scores.reshape(20, 10).mean(axis=1)
    value = float(scores.std() / scores.mean())
    return ProbeResult(
        value, 0.15, f"From window to window one forecaster's RMSE has a spread of {percent(value)} of its mean."
    )


def scored_on_other_rows(practice: Practice, stream: Stream) -> ProbeResult:
    """Score one forecaster, no change, as v01 and as v08 are scored, in a market that has become livelier."""
    there, here = (extents(read_facts(variant))["test"].targets for variant in ("v01", "v08"))
    if practice == "alternative":
        there = here
    count = here.stop
    volatility = HOURLY_VOLATILITY * np.where(np.arange(count) < here.start, 0.8, 1.2)
    closes = walk(count, stream.child("other rows"), volatility)
    scores = [rms(closes[rows] - closes[rows.start - 1 : rows.stop - 1]) for rows in (there, here)]
    value = abs(scores[0] / scores[1] - 1)
    return ProbeResult(
        value, 0.02, f"Between the two windows the RMSE of one and the same forecaster differs by {percent(value)}."
    )


def level_scaler_drifts(practice: Practice, stream: Stream) -> ProbeResult:
    """Standardise the test rows of 400 random walks by their training rows. Alternative: one-bar changes."""
    steps = stream.child("drift").generator().standard_normal((400, 2000))
    values = np.cumsum(steps, axis=1) if practice == "legacy" else steps
    train, test = values[:, :1920], values[:, 1960:]
    centres = (test.mean(axis=1) - train.mean(axis=1)) / train.std(axis=1)
    value = float(np.abs(centres).mean())
    sentence = (
        f"On average the test inputs are centred {value:.2f} training standard deviations from the training mean."
    )
    return ProbeResult(value, 0.25, sentence)


def scaler_sees_test_rows(practice: Practice, stream: Stream) -> ProbeResult:
    """Poison the test rows and see whether the scaler moves. Alternative, unsound: fitted on all rows."""
    parts = extents(V08)
    closes = walk(V08.candles.rows, stream.child("scaler"))
    poisoned = closes.copy()
    poisoned[parts["test"].rows] *= 2
    fitted = V08.scaling.fitted_on if practice == "legacy" else PARTS
    rows = np.concatenate([parts[part].rows for part in fitted])
    value = abs(float(poisoned[rows].mean() - closes[rows].mean())) / float(closes[rows].std())
    return ProbeResult(
        value, 0.0, f"With other test prices the scaler's mean moves by {value:.2g} standard deviations."
    )


def window_sees_target(practice: Practice, stream: Stream) -> ProbeResult:
    """Poison single rows and see whose window changes. Alternative, unsound: windows that end one row later."""
    rows, length = TEST_ROWS, V08.windows.context_length
    late = 0 if practice == "legacy" else 1
    closes = walk(rows + 1, stream.child("target"))
    honest, _ = legacy_windows(closes[late:], range(rows), length)
    changed = 0
    for row in stream.child("poisoned").generator().integers(length, rows, size=100):
        poisoned = closes.copy()
        poisoned[row] *= 2
        windows, _ = legacy_windows(poisoned[late:], range(rows), length)
        changed += int((windows[row - length] != honest[row - length]).any())
    return ProbeResult(changed / 100, 0.0, f"{changed} of 100 windows change when the row of their own target does.")


def windows_straddle_parts(practice: Practice, stream: Stream) -> ProbeResult:  # noqa: ARG001
    """Count test windows that hold rows of another part. Alternative, unsound: windows cut before the split."""
    part, length = extents(V08)["test"].rows, V08.windows.context_length
    positions = np.arange(float(V08.candles.rows))
    start = part.start if practice == "legacy" else part.start - length
    windows, _ = legacy_windows(positions, range(start, part.stop), length)
    value = float((windows[:, 0] < part.start).sum())
    return ProbeResult(value, 0.0, f"{value:.0f} test windows hold rows of the validation part.")


def windows_cross_closures(practice: Practice, stream: Stream) -> ProbeResult:  # noqa: ARG001
    """Cut windows from a year of trading weeks as if hours were contiguous. Alternative: flagged ones are dropped."""
    length = V08.windows.context_length
    hours = np.add.outer(168.0 * np.arange(52), np.arange(120)).ravel()  # Sunday 22:00 to Friday 21:00 UTC
    windows, targets = legacy_windows(hours, range(len(hours)), length)
    span = targets - windows[:, 0]
    crossing = span > length
    if practice == "alternative":
        crossing = crossing[span == length]
    value = float(crossing.mean())
    return ProbeResult(value, 0.0, f"{percent(value, 1)} of the windows and their targets run across a weekend.")
