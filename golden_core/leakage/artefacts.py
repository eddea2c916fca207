"""What a pipeline makes, each row stamped with the time from which it may be used, and what each fit says it read.

Every probe of this package takes a pipeline in this form, whoever wrote it. No probe belongs here.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass

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
    """What one fit says it read: the record is believed only after everything else has been poisoned.

    Parameters
    ----------
    asset : str
        Where its result lies: ``scalers``, ``weights``, ``calibration``.
    key : str
        Which rows of that artefact, in the column ``key``: ``EURUSD_h1/0``, series and fold.
    purpose : str
        ``scale``, ``train``, ``stop_early``, ``select``, ``calibrate``.
    rows : pl.DataFrame
        ``pair`` and ``timestamp`` of the bars whose values it read, features and labels alike.
    """

    asset: str
    key: str
    purpose: str
    rows: pl.DataFrame


@dataclass(frozen=True)
class Finding:
    """One leak that a probe found, and where.

    Parameters
    ----------
    probe : str
        Name of the probe.
    asset, column : str
        Where it shows first, in the order in which the pipeline makes things.
    timestamp : datetime or None
        The first stamp concerned.
    detail : str
        One sentence: what was done, what changed, what was expected.
    follows : str, optional
        ``asset.column`` of the finding further up that this one may be a mere consequence of; None for a first cause.
    """

    probe: str
    asset: str
    column: str
    timestamp: dt.datetime | None
    detail: str
    follows: str | None = None


@dataclass(frozen=True, eq=False)
class Run:
    """Everything one run of a pipeline made.

    Parameters
    ----------
    artefacts : mapping of str to pl.DataFrame
        By asset: a column ``stamp`` (UTC, when the row may first be used), a column ``key`` (String: pair, or series
        and fold), and any number of value columns. Rows in the order of key and stamp.
    fits : tuple of Fit
    failures : tuple of str
        What could not be made on these bars, and why: a forecaster may not get along with a part of them.
    findings : tuple of Finding
        What the run shows of itself, of objects that exist only while it runs.
    """

    artefacts: Mapping[str, pl.DataFrame]
    fits: tuple[Fit, ...]
    failures: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, eq=False)
class Pipeline:
    """Raw bars of all pairs (``schema.BARS``, not cleaned) → a run. Pure: equal bars give equal bits.

    Parameters
    ----------
    name : str
    run : callable
    narrow : callable, optional
        Fit → a cheaper pipeline that makes the rows of that fit with the same bits, for replaying one fit.
    """

    name: str
    run: Callable[[pl.DataFrame], Run]
    narrow: Callable[[Fit], Pipeline] | None = None
