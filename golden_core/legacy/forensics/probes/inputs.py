"""Probes of what a network sees: scaling and windows."""

from __future__ import annotations

import numpy as np

from golden_core.legacy.flow.parts import extents, legacy_windows
from golden_core.legacy.flow.protocol import PARTS, read_facts
from golden_core.legacy.forensics.probes.result import STREAM, Practice, ProbeResult, percent, walk
from golden_core.store.randomness import Stream


def level_scaler_drifts(practice: Practice = "legacy", stream: Stream = STREAM) -> ProbeResult:
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


def scaler_sees_test_rows(practice: Practice = "legacy", stream: Stream = STREAM) -> ProbeResult:
    """Poison the test rows and see whether the scaler moves. Alternative, unsound: fitted on all rows."""
    facts = read_facts("v08")
    parts = extents(facts)
    closes = walk(facts.candles.rows, stream.child("scaler"))
    poisoned = closes.copy()
    poisoned[parts["test"].rows] *= 2
    fitted = facts.scaling.fitted_on if practice == "legacy" else PARTS
    rows = np.concatenate([parts[part].rows for part in fitted])
    value = abs(float(poisoned[rows].mean() - closes[rows].mean())) / float(closes[rows].std())
    return ProbeResult(
        value, 0.0, f"With other test prices the scaler's mean moves by {value:.2g} standard deviations."
    )


def window_sees_target(practice: Practice = "legacy", stream: Stream = STREAM) -> ProbeResult:
    """Poison single rows and see whose window changes. Alternative, unsound: windows that end one row later."""
    facts = read_facts("v08")
    rows, length = len(extents(facts)["test"].rows), facts.windows.context_length
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


def windows_straddle_parts(practice: Practice = "legacy", stream: Stream = STREAM) -> ProbeResult:  # noqa: ARG001
    """Count test windows that hold rows of another part. Alternative, unsound: windows cut before the split."""
    facts = read_facts("v08")
    part, length = extents(facts)["test"].rows, facts.windows.context_length
    positions = np.arange(float(facts.candles.rows))
    start = part.start if practice == "legacy" else part.start - length
    windows, _ = legacy_windows(positions, range(start, part.stop), length)
    value = float((windows[:, 0] < part.start).sum())
    return ProbeResult(value, 0.0, f"{value:.0f} test windows hold rows of the validation part.")


def windows_cross_closures(practice: Practice = "legacy", stream: Stream = STREAM) -> ProbeResult:  # noqa: ARG001
    """Cut windows from a year of trading weeks as if hours were contiguous. Alternative: flagged ones are dropped."""
    length = read_facts("v08").windows.context_length
    hours = np.add.outer(168.0 * np.arange(52), np.arange(120)).ravel()  # Sunday 22:00 to Friday 21:00 UTC
    windows, targets = legacy_windows(hours, range(len(hours)), length)
    span = targets - windows[:, 0]
    crossing = span > length
    if practice == "alternative":
        crossing = crossing[span == length]
    value = float(crossing.mean())
    return ProbeResult(value, 0.0, f"{percent(value, 1)} of the windows and their targets run across a weekend.")
