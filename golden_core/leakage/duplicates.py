"""Rows that stand in two parts of a fold, as themselves or as copies, exact or nearly so. No other claim.

Shape letters: N training rows, M held-out rows, D coordinates of a row: its window and its label.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator
from typing import cast

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.stats import poisson

from golden_core.leakage import artefacts
from golden_core.leakage.artefacts import KEY, Finding, Run

TWICE, COPY = "row_in_two_parts", "copied_row"

FloatArray = npt.NDArray[np.float64]

# Root mean square difference, in standard deviations, up to which a row counts as a copy: far above what a change of
# number format leaves (1e-7), far below what one tick of a price makes of a return (1e-2 and more).
NEAR = 1e-3
# Held-out rows searched per fold and part, evenly spread: a copied block or a share of copies hits some of them.
SEARCHED = 256
_COMMON = 0.01  # a value that more rows than this share have, such as the 0 of a flat bar, tells nothing apart
_RARE = 1e-3  # rows with more accidental twins than this expected are not judged
_CERTAIN = 1e-6  # probability of as many accidental twins, below which they are copies


def duplicated_rows(run: Run, rows: pl.DataFrame) -> Iterator[Finding]:
    """Yield rows that are in two parts of one fold, and held-out rows whose window and label are in training too.

    Parameters
    ----------
    run : Run
        Windows with columns of floating-point numbers, or arrays of them, are searched for copies; hashes are not.
    rows : DataFrame
        As from :func:`golden_core.leakage.structural.placed_rows`.

    Notes
    -----
    Quiet markets repeat themselves: with prices in ticks, windows of a bar or two coincide by accident. Two independent
    coordinates of density at most 1 per standard deviation do so with probability p = 2·NEAR·√D, so N·pᵏ twins are
    expected of a row with k independent coordinates. k is the participation ratio (Σλ)²/Σλ² of the eigenvalues of the
    coordinates' correlations, times the share of the row's coordinates whose value is rare. Rows are copies when as
    many twins as were found have a Poisson probability below 10⁻⁶; a row that expects more than 10⁻³ is not judged.

    References
    ----------
    Gao et al. (2017), A theory of multineuronal dimensionality, section 2: the participation ratio.
    """
    twice = rows.filter(pl.col("part").n_unique().over(KEY, "timestamp") > 1).sort("timestamp")
    if twice.height:
        row = twice.row(0, named=True)
        detail = f"{row[KEY]} has {twice.height} rows in more than one part, the first of {row['timestamp']}"
        yield Finding(TWICE, artefacts.FOLDS, "part", row["cutoff"], detail)
    windows = run.artefacts.get(artefacts.WINDOWS)
    names = _contents(windows)
    if windows is None or not names:
        return
    inputs = windows.select(KEY, "timestamp", *names)
    placed = rows.drop_nulls("y").join(inputs, on=[KEY, "timestamp"], maintain_order="left")
    for fold in placed.partition_by(KEY, maintain_order=True):
        train = fold.filter(part="train")
        for part in ("validation", "test"):
            held_out = fold.filter(part=part)
            if train.height > 1 and held_out.height:
                yield from _copies(part, train, held_out, names)


def _contents(windows: pl.DataFrame | None) -> list[str]:
    if windows is None or "timestamp" not in windows.columns:
        return []
    kinds = {name: getattr(dtype, "inner", dtype) for name, dtype in windows.schema.items()}
    return [name for name, kind in kinds.items() if kind in (pl.Float32, pl.Float64)]


def _copies(part: str, train: pl.DataFrame, held_out: pl.DataFrame, names: list[str]) -> Iterator[Finding]:
    sampled = held_out.gather_every(max(1, held_out.height // SEARCHED))
    twin, expected = _twins(_coordinates(train, names), _coordinates(sampled, names))
    count = int(twin.sum())
    if count and poisson.sf(count - 1, expected) < _CERTAIN:
        first = cast(dt.datetime, sampled["cutoff"].gather(np.flatnonzero(twin)).min())
        detail = (
            f"{count} of {sampled.height} {part} rows of {held_out[KEY][0]} have a twin in training, window and label, "
            f"where {expected:.1e} are expected by accident; the first has its cutoff at {first}"
        )
        yield Finding(COPY, artefacts.WINDOWS, names[0], first, detail)


def _coordinates(rows: pl.DataFrame, names: list[str]) -> FloatArray:
    """Return the windows and labels [N, D]."""
    columns = [rows[name].to_numpy().reshape(rows.height, -1) for name in (*names, "y")]
    return np.nan_to_num(np.hstack(columns).astype(np.float64))


def _twins(train: FloatArray, held_out: FloatArray) -> tuple[npt.NDArray[np.bool_], float]:
    """Return which held-out rows [M] have a near twin and can be judged, and how many would have one by accident."""
    spread = train.std(axis=0)
    varied = spread > 0
    own, others = train[:, varied] / spread[varied], held_out[:, varied] / spread[varied]
    if not varied.any():
        return np.zeros(len(others), dtype=np.bool_), 0.0
    width = own.shape[1]
    independent = _independent(own) * _rare(own, others).mean(axis=1)
    expected = len(own) * min(1.0, 2 * NEAR * math.sqrt(width)) ** independent
    judged = expected <= _RARE
    squares = (others**2).sum(axis=1)[:, None] + (own**2).sum(axis=1) - 2 * others @ own.T
    # The expanded square loses digits to cancellation, so what it lets through is measured directly.
    slack = 1e-9 * (others**2).sum(axis=1)[:, None]
    near = np.argwhere(squares <= 2 * width * NEAR**2 + slack)
    close = ((others[near[:, 0]] - own[near[:, 1]]) ** 2).mean(axis=1) <= NEAR**2
    twin = np.zeros(len(others), dtype=np.bool_)
    twin[near[close, 0]] = True
    return twin & judged, float(expected[judged].sum())


def _independent(own: FloatArray) -> float:
    """Return how many independent coordinates there are: the participation ratio."""
    correlations = np.atleast_2d(np.corrcoef(own, rowvar=False))
    # The sum of squared eigenvalues is the sum of squared entries.
    return float(own.shape[1] ** 2 / (correlations**2).sum())


def _rare(own: FloatArray, others: FloatArray) -> npt.NDArray[np.bool_]:
    """Return which coordinates [M, D] hold a value that few training rows have."""
    found = np.empty(others.shape, dtype=np.bool_)
    for d in range(own.shape[1]):
        values, value = np.sort(own[:, d]), others[:, d]
        same = np.searchsorted(values, value + NEAR, "right") - np.searchsorted(values, value - NEAR, "left")
        found[:, d] = same <= max(1, _COMMON * len(values))
    return found
