"""Future poison: replace everything after a time, run again, and compare every bit stamped at or before it."""

from __future__ import annotations

import numpy as np
import polars as pl

from golden_core.data.features import build_features
from golden_core.randomness import Stream
from golden_core.study import Study

PRICES = ("open", "high", "low", "close", "volume")


def features_seeing_the_future(study: Study, bars: pl.DataFrame) -> list[str]:
    """Return one sentence for every feature that changes when the future changes.

    At each of ``study.checks.poisoned_times`` sampled bars, all later prices are replaced by NaN, by noise, and by
    the same prices in reverse order. A causal feature keeps its exact bits up to and including that bar.

    Parameters
    ----------
    study : Study
    bars : DataFrame
        Clean bars of one pair.

    Returns
    -------
    list of str
        Each names the feature, the pair, the poison and the first timestamp that changed.
    """
    pair = bars["pair"][0]
    stream = Stream(study.seeds.root).child("leakage", "features", pair)
    honest = _bits(build_features(study.features, bars), study.features)
    longest = min(bars.height - 1, 50)  # early rows are warm-up, where there is nothing to compare
    rows = stream.child("times").generator().integers(longest, bars.height - 1, size=study.checks.poisoned_times)
    found: dict[str, str] = {}
    for row in np.unique(rows):
        for poison in ("NaN", "noise", "reversed"):
            changed = poison_after(bars, int(row), poison, stream.child(poison, int(row)))
            again = _bits(build_features(study.features, changed), study.features)
            for name in study.features:
                differs = honest[name][: row + 1] != again[name][: row + 1]
                if differs.any() and name not in found:
                    first = bars["timestamp"][int(np.argmax(differs))]
                    found[name] = (
                        f"feature {name!r} of {pair} sees the future: with everything after "
                        f"{bars['timestamp'][int(row)]:%Y-%m-%d %H:%M} UTC replaced by {poison}, its value at "
                        f"{first:%Y-%m-%d %H:%M} UTC changed"
                    )
    return list(found.values())


def poison_after(bars: pl.DataFrame, row: int, poison: str, stream: Stream) -> pl.DataFrame:
    """Return bars whose prices after position ``row`` are replaced; timestamps stay.

    Parameters
    ----------
    bars : DataFrame
        Bars of one pair, T rows.
    row : int
        The last position that is left alone.
    poison : {"NaN", "noise", "reversed"}
    stream : Stream
        Source of the noise.
    """
    later = np.arange(bars.height) > row
    count = int(later.sum())
    noise = stream.generator().lognormal(0.0, 1.0, size=count)
    columns = []
    for name in PRICES:
        if name not in bars.columns:
            continue
        values = bars[name].to_numpy().copy()
        tail = values[later]
        values[later] = {"NaN": np.full(count, np.nan), "noise": tail * noise, "reversed": tail[::-1]}[poison]
        columns.append(pl.Series(name, values))
    return bars.with_columns(columns)


def _bits(features: pl.DataFrame, names: tuple[str, ...]) -> dict[str, np.ndarray]:
    """Return each feature's bit patterns [T]: NaN equals NaN, and the last bit counts. Null counts as NaN."""
    return {
        name: np.where(np.isnan(values), np.nan, values).view(np.int64)
        for name in names
        if (values := features[name].cast(pl.Float64).fill_null(np.nan).to_numpy()) is not None
    }
