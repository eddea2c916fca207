"""What a single run shows of itself: clocks, purge, embargo, scalers and declared fits. Nothing is run again.

Artefacts that lack the columns of a claim are not judged by it: ``timestamp`` (the bar a row is about) in any
artefact, ``part`` in ``folds`` (a row per cutoff), ``timestamp``, ``cutoff`` and ``y`` in ``targets`` (key: the series;
stamp: when the label is known), ``mean:<feature>`` and ``scale:<feature>`` in ``scalers``. Keys begin with the pair:
``EURUSD_h1/0``.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import polars as pl

from golden_core.leakage import artefacts
from golden_core.leakage.artefacts import KEY, STAMP, Finding, Run
from golden_core.leakage.duplicates import duplicated_rows

CLOCK, PURGE, EMBARGO, SCALER, TEST_ROWS = "clock_contract", "purge", "embargo", "train_only_scaler", "test_rows_in_fit"
_SAME = 1e-9  # of the scale: two ways of summing differ by less, one more row by more
_GIVES_WAY = (("train", "validation"), ("train", "test"), ("validation", "test"))


def structural(run: Run, raw: pl.DataFrame, *, embargo: int = 0, moments: bool = False) -> list[Finding]:
    """Return what speaks against a run, in the order in which a pipeline makes things.

    Parameters
    ----------
    run : Run
    raw : DataFrame
        The raw bars it was made from; their ``available_at`` is the clock.
    embargo : int
        Bars that must lie between the last label of a part and the part held out from it.
    moments : bool
        Whether ``scalers`` claim to be mean and population standard deviation of ``features`` over the training rows.

    Notes
    -----
    Claims: no row is stamped before the bar it is about is known, and a target is known only after its cutoff; no label
    of training touches one of validation or test, none of validation one of test; the embargo is kept; no row, and no
    copy of one, is in two parts; scalers equal a second computation from training rows alone; no fit declares a bar of
    its fold's test part.
    """
    found = [*_stamped_early(run, raw)]
    rows = placed_rows(run)
    if rows.height:
        found += [*_targets_known_early(rows), *_overlaps(rows), *_short_gaps(run, rows, embargo)]
        found += duplicated_rows(run, rows)
        found += [*_scalers_elsewhere(run, rows)] if moments else []
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
    known = raw.group_by(pair="pair", timestamp="timestamp").agg(pl.col("available_at").min())
    for asset, frame in run.artefacts.items():
        if "timestamp" not in frame.columns:
            continue
        joined = frame.select(KEY, STAMP, "timestamp", pair=_pair()).join(known, on=["pair", "timestamp"])
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


def _scalers_elsewhere(run: Run, rows: pl.DataFrame) -> Iterator[Finding]:
    """Find scalers that the training rows of their fold do not give, computed a second time."""
    features, scalers = run.artefacts[artefacts.FEATURES], run.artefacts[artefacts.SCALERS]
    given = features.select(pl.exclude(STAMP, KEY), pair=KEY)
    train = rows.filter(part="train").with_columns(pair=_pair()).join(given, on=["pair", "timestamp"])
    names = [name for name in features.columns if f"mean:{name}" in scalers.columns]
    moments = train.group_by(KEY).agg(
        *(pl.col(name).mean().alias(f"own mean:{name}") for name in names),
        *(pl.col(name).std(ddof=0).alias(f"own scale:{name}") for name in names),
    )
    joined = scalers.join(moments, on=KEY, how="left").sort(STAMP)
    for name in names:
        for column in (f"mean:{name}", f"scale:{name}"):
            near = (pl.col(column) - pl.col(f"own {column}")).abs() <= _SAME * pl.col(f"own scale:{name}")
            bad = joined.filter(~near.fill_null(False))
            if bad.height:
                row = bad.row(0, named=True)
                detail = f"{row[KEY]} has {row[column]!r}, its training rows give {row[f'own {column}']!r}"
                yield Finding(SCALER, artefacts.SCALERS, column, row[STAMP], detail)


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
