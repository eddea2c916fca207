"""The tables of a study's run for the probes: when each row may be used, and what stands in it. Nothing is run here."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from golden_core.inputs.features import FEATURES, build_features
from golden_core.inputs.windows import Windows
from golden_core.leakage.artefacts import COMPLETE, KEY, STAMP
from golden_core.splits.labels import log_returns_ahead
from golden_core.store.lake import series_name
from golden_core.store.randomness import Stream
from golden_core.store.schema import UTC_TIME
from golden_core.study import Study
from golden_core.trials import SeriesInputs

Series = tuple[str, int]


def fold_key(pair: str, horizon: int, fold: int) -> str:
    """Return the key of one fold: ``EURUSD_h1/0``."""
    return f"{series_name(pair, horizon)}/{fold}"


@dataclass(frozen=True)
class FoldClock:
    """When the parts of one fold are known, and the columns that say so."""

    key: str
    labels: Mapping[str, dt.datetime]  # the last label of each part
    ready: dt.datetime  # the first cutoff of the test part, and every label fitted on

    @classmethod
    def of(cls, key: str, folds: pl.DataFrame) -> FoldClock:
        """Read the clock of one fold off its rows in the table of folds."""
        parts = folds.group_by("part").agg(pl.col("label_end").max(), pl.col("first_cutoff").min()).rows_by_key("part")
        labels = {part: rows[0][0] for part, rows in parts.items()}
        return cls(key, labels, max(parts["test"][0][1], labels["train"], labels["validation"]))

    @property
    def fitted(self) -> dt.datetime:
        """When the scalers can be fitted."""
        return self.labels["train"]

    def rows(self, frame: pl.DataFrame, since: dt.datetime) -> pl.DataFrame:
        """Add key, stamp and completion to rows with a cutoff: usable from then on, but not before ``since``."""
        return self.one_row(frame, since).with_columns(pl.max_horizontal(STAMP, "cutoff").alias(STAMP)).drop("cutoff")

    def one_row(self, frame: pl.DataFrame, stamp: dt.datetime) -> pl.DataFrame:
        """Add key, stamp and completion."""
        return frame.with_columns(
            pl.lit(self.key).alias(KEY),
            pl.lit(stamp, UTC_TIME).alias(STAMP),
            pl.lit(max(self.labels.values()), UTC_TIME).alias(COMPLETE),
        )


def stamped(bars: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Return the bars of all pairs, each usable when it is known."""
    frames = [table.rename({"pair": KEY, "available_at": STAMP}) for table in bars.values()]
    return pl.concat(frames, how="diagonal").sort(KEY, STAMP, maintain_order=True)


def feature_rows(study: Study, bars: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Return the features of all pairs, each row usable when its bar is known."""
    frames = [
        build_features(study.features, table).with_columns(table["available_at"].alias(STAMP), pl.lit(pair).alias(KEY))
        for pair, table in bars.items()
    ]
    return pl.concat(frames).sort(KEY, STAMP, maintain_order=True)


def rows_of(windows: Windows, bars: pl.DataFrame) -> pl.DataFrame:
    """Return timestamp and cutoff of the rows of some windows."""
    known = bars["available_at"].dt.replace_time_zone(None).to_numpy()
    return bars[np.searchsorted(known, windows.cutoffs)].select("timestamp", cutoff="available_at")


def window_rows(study: Study, windows: Windows, rows: pl.DataFrame, *, keep: bool) -> pl.DataFrame:
    """Return the windows of some rows, a column per feature: their values [N, L], or a hash of each [N]."""
    X = windows.X
    content = [np.ascontiguousarray(X[:, :, f]) for f in range(X.shape[2])] if keep else list(_hashes(X).T)
    return rows.with_columns(pl.Series(name, values) for name, values in zip(study.features, content, strict=True))


def target_rows(series: Series, bars: pl.DataFrame) -> pl.DataFrame:
    """Return every label of a series, usable when its last bar is known."""
    pair, horizon = series
    y = log_returns_ahead(bars["close"].to_numpy(), horizon)
    labels = bars.select("timestamp", pl.col("available_at").shift(-horizon).alias(STAMP), cutoff="available_at")
    return labels.with_columns(pl.lit(series_name(pair, horizon)).alias(KEY), pl.Series("y", y)).head(-horizon)


def scaler_row(scalers: pl.DataFrame) -> pl.DataFrame:
    """Return one row with the columns ``mean:<name>``, ``scale:<name>`` and ``rows``."""
    values = {f"mean:{row['column']}": row["mean"] for row in scalers.iter_rows(named=True)}
    values |= {f"scale:{row['column']}": row["scale"] for row in scalers.iter_rows(named=True)}
    return pl.DataFrame({name: [value] for name, value in values.items()}).with_columns(rows=scalers["rows"].head(1))


def digest_of(state: Mapping[str, npt.NDArray[np.generic]]) -> str:
    """Return a hash of the names, shapes and bytes of a fitted state."""
    digest = hashlib.sha256()
    for name in sorted(state):
        value = np.ascontiguousarray(state[name])
        digest.update(f"{name} {value.dtype} {value.shape} ".encode() + value.tobytes())
    return digest.hexdigest()


def _hashes(X: npt.NDArray[np.float32]) -> npt.NDArray[np.uint64]:
    """Return one hash per window and feature [N, F]: Σ aₗ·bits(xₗ) mod 2⁶⁴ with odd random aₗ (multilinear hashing)."""
    drawn = Stream(0).child("window hash").generator().integers(0, 2**63, X.shape[1], dtype=np.uint64)
    factors: npt.NDArray[np.uint64] = np.asarray(drawn) * np.uint64(2) + np.uint64(1)
    bits = X.view(np.uint32)
    total = np.zeros((X.shape[0], X.shape[2]), dtype=np.uint64)
    for lag in range(X.shape[1]):
        total += bits[:, lag, :].astype(np.uint64) * factors[lag]
    return total


def bars_read(study: Study, raw: pl.DataFrame, inputs: SeriesInputs, fold: int, part: str) -> pl.DataFrame:
    """Return the raw bars that a fit on one part may have read, on any pair: cleaning looks at bars of the same time.

    Everything known by its last label, since a window offers its whole past; but of the test part only what windows of
    the fitted part reach back to. In walk-forward folds that is nothing.
    """
    own = inputs.folds.filter(pl.col("fold") == fold)
    known, at = inputs.bars["available_at"], pl.col("available_at")
    back = study.context_length - 1 + max(FEATURES[name].warm_up for name in study.features)
    mine, tested = own.filter(pl.col("part") == part), own.filter(pl.col("part") == "test")
    allowed = at <= mine["label_end"].max()
    for first, last in tested.select("first_cutoff", "label_end").iter_rows():
        allowed &= ~at.is_between(first, last)
    for start, end in mine.select("row_start", "label_end").iter_rows():
        allowed |= at.is_between(known[max(0, start - back)], end)
    return raw.filter(allowed).select("pair", "timestamp")
