"""Probes of the rows: which the file holds, in what order, and which of them test."""

from __future__ import annotations

import numpy as np
import polars as pl

from golden_core.legacy.flow.parts import extents, split_rows
from golden_core.legacy.flow.protocol import read_facts
from golden_core.legacy.forensics.probes.result import (
    HOURLY_VOLATILITY,
    STREAM,
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


def rows_chosen_by_outcome(practice: Practice = "legacy", stream: Stream = STREAM) -> ProbeResult:
    """Drop bars that did not move, or bars that the calendar closes, and see how much more the rest moves."""
    hours = np.arange(100 * _WEEK)
    generator = stream.child("chosen rows").generator()
    is_open = hours % _WEEK < _OPEN
    idle = generator.random(len(hours)) < _IDLE
    moves = np.where(is_open & ~idle, HOURLY_VOLATILITY * generator.standard_normal(len(hours)), 0.0)
    kept = moves != 0 if practice == "legacy" else is_open
    value = rms(moves[kept]) / rms(moves[is_open]) - 1
    return ProbeResult(value, 0.01, f"The kept rows move {percent(value, 1)} more than the open hours do.")


def repeated_rows(practice: Practice = "legacy", stream: Stream = STREAM) -> ProbeResult:
    """Append an old stretch to a file again, clean it, split it, and count test rows that also train."""
    facts = read_facts("v08")
    count = facts.candles.rows
    hours = pl.DataFrame({"time": range(count), "close": walk(count, stream.child("repeated"))})
    file = pl.concat([hours, hours[count // 2 :][: count // 50]]).drop_nulls()
    rows = file if practice == "legacy" else file.unique("time", keep="first", maintain_order=True)
    parts = split_rows(rows.height, facts.ratios)
    train, test = (rows[part.start : part.stop]["time"] for part in (parts["train"], parts["test"]))
    value = float(test.is_in(train.implode()).to_numpy().mean())
    return ProbeResult(value, 0.0, f"{percent(value)} of the test rows are also training rows.")


def rows_out_of_order(practice: Practice = "legacy", stream: Stream = STREAM) -> ProbeResult:
    """Join two files the later one first, split by row, and count training rows later than the first test row."""
    facts = read_facts("v08")
    count = facts.candles.rows
    cut = stream.child("order").generator().integers(count // 3, count // 2)
    times = np.concatenate([np.arange(cut, count), np.arange(cut)])
    if practice == "alternative":
        times = np.sort(times)
    parts = split_rows(count, facts.ratios)
    value = float((times[parts["train"]] > times[parts["test"].start]).mean())
    return ProbeResult(value, 0.0, f"{percent(value)} of the training rows are later than the first test row.")


def one_test_window(practice: Practice = "legacy", stream: Stream = STREAM) -> ProbeResult:
    """Score one forecaster, no change, on many windows of the test part's length, and see how much the score moves.

    Alternative: the score is the mean over ten windows.
    """
    length = len(extents(read_facts("v08"))["test"].rows)
    settings = RegimesSettings(
        process="regimes",
        initial_price=1.1,
        means=(0.0, 0.0),
        volatilities=(0.6 * HOURLY_VOLATILITY, 1.5 * HOURLY_VOLATILITY),
        stay=(0.999, 0.999),
    )
    moves = simulate(settings, 200 * length, stream.child("one window"))
    scores = np.sqrt(np.square(moves).reshape(200, length).mean(axis=1))
    if practice == "alternative":
        scores = scores.reshape(20, 10).mean(axis=1)
    value = float(scores.std() / scores.mean())
    return ProbeResult(
        value, 0.15, f"From window to window one forecaster's RMSE has a spread of {percent(value)} of its mean."
    )


def scored_on_other_rows(practice: Practice = "legacy", stream: Stream = STREAM) -> ProbeResult:
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
