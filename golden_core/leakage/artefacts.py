"""What a pipeline makes, each row stamped with the time from which it may be used, and what each fit says it read.

Every probe of this package takes a pipeline in this form, whoever wrote it. No probe belongs here.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import polars as pl

STAMP, KEY = "stamp", "key"

# Optional column: from when on the row must exist. A fold whose test part is not over yet need not be there in a run on
# less data; while it is there, its rows must not change.
COMPLETE = "complete_at"

# Names of artefacts that probes know more about. A pipeline may make others; they are poisoned like any.
RAW, BARS, FEATURES, FOLDS, SCALERS = "raw", "bars", "features", "folds", "scalers"
WINDOWS, TARGETS = "windows", "targets"
WEIGHTS, CALIBRATION, FORECASTS = "weights", "calibration", "forecasts"


@dataclass(frozen=True, eq=False)
class Fit:
    """What one fit says it read: the record is believed only after everything else has been poisoned."""

    asset: str  # where its result lies: ``scalers``, ``weights``, ``calibration``
    key: str  # which rows of that artefact, in the column ``key``: ``EURUSD_h1/0``, series and fold
    purpose: str  # ``scale``, ``train``, ``stop_early``, ``select``, ``calibrate``
    rows: pl.DataFrame  # ``pair`` and ``timestamp`` of the bars whose values it read, features and labels alike


@dataclass(frozen=True)
class Finding:
    """One leak that a probe found, and where."""

    probe: str  # name of the probe
    asset: str  # where it shows first, in the order in which the pipeline makes things
    column: str
    timestamp: dt.datetime | None  # the first stamp concerned
    detail: str  # one sentence: what was done, what changed, what was expected
    # ``asset.column`` of the finding further up that this one may be a mere consequence of; None for a first cause
    follows: str | None = None


@dataclass(frozen=True, eq=False)
class Run:
    """Everything one run of a pipeline made."""

    # By asset: a column ``stamp`` (UTC, when the row may first be used), a column ``key`` (String: pair, or series
    # and fold), and any number of value columns. Rows in the order of key and stamp.
    artefacts: Mapping[str, pl.DataFrame]
    fits: tuple[Fit, ...]
    # Column of a forecaster that could not be fitted on these bars → why: it may not get along with a part of them
    failures: Mapping[str, str] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()  # what the run shows of itself, of objects that exist only while it runs
    unasked: Mapping[str, str] = field(default_factory=dict)  # column of a forecaster that could not be asked → why


@dataclass(frozen=True, eq=False)
class Pipeline:
    """Raw bars of all pairs (``schema.BARS``, not cleaned) → a run. Pure: equal bars give equal bits."""

    name: str
    run: Callable[[pl.DataFrame], Run]
    # Fit → a cheaper pipeline that makes the rows of that fit with the same bits, for replaying one fit
    narrow: Callable[[Fit], Pipeline] | None = None
