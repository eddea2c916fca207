"""Raw bars on which no forecast of the mean can have skill, made from real ones. Which probe uses them is not here."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

from golden_core.store.randomness import Stream

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

_JUMP = 12.0  # typical moves: a bar so far from both neighbours is a bad print and moves along with them
_SHAPE = ("open", "high", "low")


def permuted_targets(raw: pl.DataFrame, stream: Stream) -> pl.DataFrame:
    """Return raw bars whose moves are permuted in time and change their sign at random.

    Bars of several pairs that open at the same time move together to another time and share their sign, so that
    everything the pairs have in common stays, and everything that any past says about the next move goes: under
    random signs the mean of every next move given all earlier ones is zero, exactly (Fisher's randomisation; a
    permutation alone would leave the sum of all moves fixed, which a level can foresee). The shape of a bar (open,
    high, low against the last close, and its volume) goes with its move; a change of sign mirrors it. Bars without
    a price, second prints and bad prints keep their place relative to the price around them.

    Takes ``schema.BARS`` of all pairs in any order, and gives the same rows in that order.

    References
    ----------
    Fisher (1935), The Design of Experiments, section 21; Romano & Wolf (2005), Econometrica 73(4), section 4.
    """
    instants = np.unique(raw["timestamp"].to_physical().to_numpy())
    order = stream.child("order").generator().permutation(len(instants))
    signs = stream.child("signs").generator().choice([-1.0, 1.0], len(instants))
    indexed = raw.with_row_index("_row")
    parts = [_permute(bars, instants, order, signs) for bars in indexed.partition_by("pair", maintain_order=True)]
    return pl.concat(parts).sort("_row").drop("_row")


def _permute(bars: pl.DataFrame, instants: IntArray, order: IntArray, signs: FloatArray) -> pl.DataFrame:
    bars = bars.sort("timestamp", "available_at")
    close, sound = bars["close"].to_numpy(), _sound(bars)
    rows = np.flatnonzero(sound)
    if len(rows) < 3:
        return bars
    level = np.log(close[rows])
    at = np.searchsorted(instants, bars["timestamp"].to_physical().to_numpy()[rows[1:]])
    source = _bijection(at, order)
    sign = signs[at]
    walked = np.concatenate([level[:1], level[0] + np.cumsum(sign * np.diff(level)[source])])
    prior = np.concatenate([level[:1], level[:-1]])
    before = np.concatenate([walked[:1], walked[:-1]])
    last = np.maximum(np.cumsum(sound) - 1, 0)  # of every row: the last sound one up to it
    shift = np.exp(walked - level)[last]
    changed = {"close": close * shift}
    changed["close"][rows] = np.exp(walked)
    taken, flip = np.concatenate([[0], source + 1]), np.concatenate([[1.0], sign])
    with np.errstate(all="ignore"):  # an unsound price may be zero or NaN, and stays what it is
        shape = {name: np.log(bars[name].to_numpy()[rows]) - prior for name in _SHAPE if name in bars.columns}
    for name in shape:
        changed[name] = bars[name].to_numpy() * shift
        mirrored = {"high": "low", "low": "high"}.get(name, name)
        moved = np.where(flip > 0, shape[name][taken], -shape[mirrored][taken])
        changed[name][rows[1:]] = np.exp(before + moved)[1:]
    if "volume" in bars.columns:
        volume = bars["volume"].to_numpy().copy()
        volume[rows[1:]] = volume[rows[1:]][source]
        changed["volume"] = volume
    return bars.with_columns(pl.Series(name, values) for name, values in changed.items())


def _sound(bars: pl.DataFrame) -> BoolArray:
    """Return the rows that carry the path [T]: first prints with a price that a neighbour on either side confirms."""
    close = bars["close"].to_numpy()
    opened = bars["timestamp"].to_physical().to_numpy()
    sound: BoolArray = np.isfinite(close) & (close > 0) & np.concatenate([[True], opened[1:] != opened[:-1]])
    rows = np.flatnonzero(sound)
    moves = np.diff(np.log(close[rows]))
    if len(moves) > 2:
        large = np.abs(moves) > _JUMP * np.median(np.abs(moves[moves != 0]) if moves.any() else 1.0)
        back = np.concatenate([[False], large[:-1] & large[1:] & (moves[:-1] * moves[1:] < 0), [False]])
        sound[rows[back]] = False
    return sound


def _bijection(at: IntArray, order: IntArray) -> IntArray:
    """Return which move each row takes [N]: that of the instant ``order`` sends it to, or one that nobody took."""
    position = np.full(len(order), -1)
    position[at] = np.arange(len(at))
    source: IntArray = position[order[at]]
    left = np.setdiff1d(np.arange(len(at)), source)
    source[source < 0] = left
    return source
