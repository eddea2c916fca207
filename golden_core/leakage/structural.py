"""What a single run shows of itself: clocks, purge, embargo, copied rows and declared fits.

Artefacts that lack the columns of a claim are not judged by it: ``timestamp`` (the bar a row is about) in any
artefact, ``part`` in ``folds`` (a row per cutoff), ``timestamp``, ``cutoff`` and ``y`` in ``targets`` (key: the series;
stamp: when the label is known). Keys begin with the pair: ``EURUSD_h1/0``. Shape letters: N training rows, M held-out
rows, D coordinates of a row: its window and its label.
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
from golden_core.leakage.artefacts import KEY, STAMP, Finding, Run

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

    Takes rows as from :func:`placed_rows`. Windows with columns of floating-point numbers, or arrays of them, are
    searched for copies; hashes are not.

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


CLOCK, PURGE, EMBARGO, TEST_ROWS = "clock_contract", "purge", "embargo", "test_rows_in_fit"
_GIVES_WAY = (("train", "validation"), ("train", "test"), ("validation", "test"))


def structural(run: Run, raw: pl.DataFrame, *, embargo: int = 0) -> list[Finding]:
    """Return what speaks against a run, in the order in which a pipeline makes things.

    The ``available_at`` of the raw bars that it was made from is the clock; ``embargo`` counts the bars that must lie
    between the last label of a part and the part held out from it.

    Claims: no row is stamped before the bar it is about is known, and a target is known only after its cutoff; no label
    of training touches one of validation or test, none of validation one of test; the embargo is kept; no row, and no
    copy of one, is in two parts; no fit declares a bar of its fold's test part.
    """
    found = [*_stamped_early(run, raw)]
    rows = placed_rows(run)
    if rows.height:
        found += [*_targets_known_early(rows), *_overlaps(rows), *_short_gaps(run, rows, embargo)]
        found += duplicated_rows(run, rows)
        found += _test_rows_read(run, raw, rows)
    place = {asset: number for number, asset in enumerate(run.artefacts)}
    return sorted(found, key=lambda finding: place.get(finding.asset, len(place)))


def placed_rows(run: Run) -> pl.DataFrame:
    """Return every row of every fold with its label's span: key, series, timestamp, part, cutoff, target_at, y."""
    folds, targets = run.artefacts.get(artefacts.FOLDS), run.artefacts.get(artefacts.TARGETS)
    needed = {"timestamp", "part"}, {"timestamp", "cutoff", "y"}
    if folds is None or targets is None or not (needed[0] <= set(folds.columns) and needed[1] <= set(targets.columns)):
        return pl.DataFrame()
    labels = targets.select("timestamp", "cutoff", "y", series=KEY, target_at=STAMP)
    rows = folds.select(KEY, "timestamp", "part", series=pl.col(KEY).str.split("/").list.first())
    return rows.join(labels, on=["series", "timestamp"], how="left", maintain_order="left")


def _pair() -> pl.Expr:
    return pl.col(KEY).str.split("/").list.first().str.split("_h").list.first()


def _stamped_early(run: Run, raw: pl.DataFrame) -> Iterator[Finding]:
    """Find rows that may be used before the bar they are about is known."""
    for asset, frame in run.artefacts.items():
        if "timestamp" not in frame.columns:
            continue
        rows = frame.select(KEY, STAMP, "timestamp", pair=_pair())
        # Reference rates are of currencies, not of pairs; those of one day are published at once.
        on = ["pair", "timestamp"] if set(rows["pair"]) <= set(raw["pair"]) else ["timestamp"]
        joined = rows.join(raw.group_by(on).agg(pl.col("available_at").min()), on=on)
        early = joined.filter(pl.col(STAMP) < pl.col("available_at")).sort(STAMP)
        if early.height:
            row = early.row(0, named=True)
            detail = (
                f"{early.height} rows may be used too early: {row[KEY]} of {row['timestamp']} from {row[STAMP]} on, "
                f"but that bar is known at {row['available_at']}"
            )
            yield Finding(CLOCK, asset, STAMP, row[STAMP], detail)


def _targets_known_early(rows: pl.DataFrame) -> Iterator[Finding]:
    early = rows.filter(pl.col("target_at") <= pl.col("cutoff")).sort("cutoff")
    if early.height:
        row = early.row(0, named=True)
        detail = f"{early.height} labels are known by their cutoff: {row[KEY]} at {row['cutoff']} by {row['target_at']}"
        yield Finding(CLOCK, artefacts.TARGETS, STAMP, row["cutoff"], detail)


def _overlaps(rows: pl.DataFrame) -> Iterator[Finding]:
    """Find labels of one part that touch the span, cutoff to target, of a row held out from it."""
    spans = rows.drop_nulls("target_at")
    for earlier, held_out in _GIVES_WAY:
        others = spans.filter(part=held_out).select(KEY, other="cutoff", other_end="target_at").sort(KEY, "other")
        # Labels end in the order in which they begin, so the last row begun by then reaches furthest.
        others = others.with_columns(other_end=pl.col("other_end").cum_max().over(KEY))
        mine = spans.filter(part=earlier).sort(KEY, "target_at")
        met = mine.join_asof(
            others, left_on="target_at", right_on="other", by=KEY, strategy="backward", check_sortedness=False
        )
        bad = met.filter(pl.col("other_end") >= pl.col("cutoff")).sort("cutoff")
        if bad.height:
            row = bad.row(0, named=True)
            detail = (
                f"{bad.height} {earlier} labels touch {held_out} rows: {row[KEY]} from {row['cutoff']} to "
                f"{row['target_at']}, a {held_out} row begins at {row['other']}"
            )
            yield Finding(PURGE, artefacts.FOLDS, "part", row["cutoff"], detail)


def _short_gaps(run: Run, rows: pl.DataFrame, embargo: int) -> Iterator[Finding]:
    """Find parts whose last label ends fewer bars before the next part than the embargo asks for."""
    bars = run.artefacts.get(artefacts.BARS)
    if not embargo or bars is None:
        return
    for fold in rows.drop_nulls("target_at").partition_by(KEY, maintain_order=True):
        key: str = fold[KEY][0]
        known = bars.filter(pl.col(KEY) == key.split("/")[0].split("_h")[0])[STAMP]
        for earlier, held_out in _GIVES_WAY:
            begin = fold.filter(part=held_out)["cutoff"].min()
            if not isinstance(begin, dt.datetime):
                continue  # nothing is held out yet
            end = fold.filter(pl.col("part") == earlier, pl.col("cutoff") < begin)["target_at"].max()
            if not isinstance(end, dt.datetime) or end >= begin:
                continue  # an overlap, which the purge has to answer for
            gap = int(((known > end) & (known < begin)).sum())
            if gap < embargo:
                detail = (
                    f"{gap} bars lie between the last {earlier} label of {key} ({end}) and {held_out}, not {embargo}"
                )
                yield Finding(EMBARGO, artefacts.FOLDS, "part", begin, detail)


def _test_rows_read(run: Run, raw: pl.DataFrame, rows: pl.DataFrame) -> Iterator[Finding]:
    """Find fits that declare a bar of their own fold's test part, cutoff to target."""
    tested = rows.filter(part="test").drop_nulls("target_at").with_columns(pair=_pair())
    spans = tested.select(KEY, "pair", "cutoff", "target_at").sort("cutoff")
    # A bar that the vendor printed twice is read when its first print is.
    known = raw.group_by("pair", "timestamp").agg(pl.col("available_at").min())
    for fit in run.fits:
        fold = "/".join(fit.key.split("/")[:2])
        own = spans.filter(pl.col(KEY) == fold)
        if own.is_empty():
            continue
        read = fit.rows.join(known, on=["pair", "timestamp"]).filter(
            pl.col("available_at").is_between(own["cutoff"].min(), own["target_at"].max())
        )
        met = read.sort("available_at").join_asof(
            own.drop("pair"), left_on="available_at", right_on="cutoff", strategy="backward"
        )
        bad = met.filter(pl.col("target_at") >= pl.col("available_at"))
        if bad.height:
            first = bad["available_at"][0]
            detail = f"the fit for {fit.purpose} of {fit.key} reads {bad.height} bars of its test part, from {first} on"
            yield Finding(TEST_ROWS, fit.asset, fit.purpose, first, detail)
