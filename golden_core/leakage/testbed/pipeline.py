"""The testbed: stages as one value, replacing one of which plants a leak, joined into one pure pipeline."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from golden_core.leakage import artefacts
from golden_core.leakage.artefacts import Pipeline, Run
from golden_core.leakage.testbed import cleaning, fitting
from golden_core.leakage.testbed.features import FEATURES, Feature, hour_of_day
from golden_core.leakage.testbed.fitting import Case, Labels, Losses, Parts, cut
from golden_core.leakage.testbed.market import HOURLY, Plan
from golden_core.leakage.testbed.pair_bars import FloatArray, IntArray, Market, PairBars
from golden_core.leakage.testbed.recorder import Recorder, open_recorder
from golden_core.store.lake import series_name
from golden_core.store.randomness import Stream


def align(market: Market, _plan: Plan) -> Market:
    """Return the market as it is: a bar that does not exist is not made up."""
    return market


@dataclass(frozen=True)
class Stages:
    """Every step from raw bars to forecasts, in the order in which they run.

    Statistics are fitted on the training rows of a fold and applied to all rows; validation chooses the end of the
    penalty path, the variant, the seed and the dead band.
    """

    clean: Callable[[PairBars], PairBars] = cleaning.clean
    slow: Callable[[PairBars, Plan], PairBars] = cleaning.slow_bars
    align: Callable[[Market, Plan], Market] = align
    features: Mapping[str, Feature] = field(default_factory=lambda: FEATURES)
    label: Callable[[PairBars, int], Labels] = fitting.label
    unit: Callable[[PairBars, int], FloatArray] = fitting.unit
    divide: Callable[[int, int, Plan], list[Parts]] = fitting.divide
    encode: Callable[[Case], FloatArray] = fitting.encode
    fill: Callable[[Case, FloatArray], FloatArray] = fitting.fill
    clip: Callable[[Case, FloatArray], tuple[FloatArray, FloatArray]] = fitting.clip
    scale: Callable[[Case, FloatArray], tuple[FloatArray, FloatArray]] = fitting.scale
    select: Callable[[Case, FloatArray], IntArray] = fitting.select
    reduce: Callable[[Case, FloatArray], FloatArray] = fitting.reduce
    window: Callable[[FloatArray, IntArray, int], FloatArray] = fitting.window
    train: Callable[[Case, FloatArray, IntArray], FloatArray] = fitting.train
    stop: Callable[[Case, Losses], IntArray] = fitting.stop
    tune: Callable[[Case, Losses], int] = fitting.tune
    draw: Callable[[Case, Losses], int] = fitting.draw
    band: Callable[[Case, FloatArray], float] = fitting.band
    calibrate: Callable[[Case, FloatArray], tuple[float, float]] = fitting.calibrate
    predict: Callable[[Case, FloatArray], FloatArray] = fitting.predict
    examined: Callable[[Case], IntArray] = fitting.examined


CLEAN = Stages()


SLOW_BARS, SELECTION, REDUCTION = "slow_bars", "selection", "reduction"
PRICES = ("open", "high", "low", "close", "volume")


def build_testbed(plan: Plan, stream: Stream, stages: Stages = CLEAN, name: str = "testbed") -> Pipeline:
    """Return the pipeline of a plan; the stream draws the training rows of each member, once for all runs.

    It makes ``bars``, ``slow_bars``, ``features``, ``targets``, ``folds``, ``scalers``, ``selection``, ``reduction``,
    ``windows``, ``weights``, ``calibration`` and ``forecasts``, in this order.
    """
    luck = stream.child("members").generator().random((plan.members, plan.train))

    def run(raw: pl.DataFrame) -> Run:
        # Poison puts NaN and 1e9 where prices were; what they do to numbers is the point, not a warning.
        with np.errstate(all="ignore"):
            return _run(raw, plan, stages, luck)

    return Pipeline(name, run)


def _run(raw: pl.DataFrame, plan: Plan, stages: Stages, luck: FloatArray) -> Run:
    recorder = open_recorder(raw)
    bars = {pair: stages.clean(read) for pair, read in cleaning.read(raw).items()}
    market = stages.align(Market(bars, {pair: stages.slow(bars[pair], plan) for pair in HOURLY if pair in bars}), plan)
    pairs = [pair for pair in HOURLY if pair in market.bars]
    for pair in sorted(market.bars):
        _write_bars(recorder, artefacts.BARS, market.bars[pair])
    for pair in pairs:
        _write_bars(recorder, SLOW_BARS, market.slow[pair])
    tables = {pair: np.column_stack([feature(market, pair) for feature in stages.features.values()]) for pair in pairs}
    for pair, X in tables.items():
        own = market.bars[pair]
        recorder.write(artefacts.FEATURES, pair, own.known, tuple(stages.features), X, timestamp=own.opened)
    for pair, X in tables.items():
        for horizon in plan.horizons:
            _series(recorder, plan, stages, luck, market, pair, horizon, X)
    return recorder.close()


def _series(
    recorder: Recorder,
    plan: Plan,
    stages: Stages,
    luck: FloatArray,
    market: Market,
    pair: str,
    horizon: int,
    X: FloatArray,
) -> None:
    """Make everything of one pair and horizon."""
    bars = market.bars[pair]
    labels = stages.label(bars, horizon)
    unit = stages.unit(bars, horizon)
    series = series_name(pair, horizon)
    known = np.flatnonzero((labels.end < len(bars)) & np.isfinite(labels.y))
    recorder.write(
        artefacts.TARGETS,
        series,
        bars.known[labels.end[known]],
        ("y", "unit"),
        np.column_stack([labels.y[known], unit[known]]),
        timestamp=bars.opened[known],
        cutoff=bars.known[known],
    )
    for fold, parts in enumerate(stages.divide(len(bars), horizon, plan)):
        case = Case(
            series=f"{series}/{fold}",
            pair=pair,
            horizon=horizon,
            fold=fold,
            market=market,
            bars=bars,
            names=tuple(stages.features),
            X=X,
            y=labels.y / unit,
            unit=unit,
            hours=hour_of_day(bars),
            labels=labels,
            parts=parts,
            plan=plan,
            luck=luck,
        )
        _write_folds(recorder, case)
        _forecast(recorder, stages, case, *_prepare(recorder, stages, case))


def _prepare(recorder: Recorder, stages: Stages, case: Case) -> tuple[FloatArray, int]:
    """Fit all that turns features into inputs; return these for every row [T, K], and when the fold was complete."""
    X = case.X.copy()
    hour = case.names.index("hour")
    encoding = stages.encode(case)
    X[:, hour] = encoding[case.hours]
    filled = stages.fill(case, X)
    X = np.where(np.isfinite(X), X, filled)
    low, high = stages.clip(case, X)
    X = np.clip(X, low, high)
    mean, spread = stages.scale(case, X)
    Z = (X - mean) / spread
    kept = stages.select(case, Z)
    Z = np.ascontiguousarray(Z[:, kept])
    born, until = _at(case, case.parts.validation), _at(case, case.parts.train)
    # A fold exists when its validation labels are known; what is fitted on its training rows is known before.
    stamp, complete = np.array([until]), np.array([born])
    names = [f"hour_mean:{at:02d}" for at in range(24)]
    names += [f"{what}:{name}" for what in ("fill", "low", "high", "mean", "scale") for name in case.names]
    fitted = np.concatenate([encoding, filled, low, high, mean, spread])
    recorder.write(artefacts.SCALERS, case.series, stamp, names, fitted[None], complete_at=complete)
    chosen = np.isin(np.arange(len(case.names)), kept).astype(np.float64)
    recorder.write(SELECTION, case.series, stamp, case.names, chosen[None], complete_at=complete)
    recorder.declare(artefacts.SCALERS, case.series, "scale", until)
    recorder.declare(SELECTION, case.series, "select", until)
    if case.plan.components:
        turn = stages.reduce(case, Z)
        Z = Z @ turn
        flat = [f"component{k}:{j}" for j in range(len(turn)) for k in range(turn.shape[1])]
        recorder.write(REDUCTION, case.series, stamp, flat, turn.reshape(1, -1), complete_at=complete)
        recorder.declare(REDUCTION, case.series, "scale", until)
    return Z, born


def _forecast(recorder: Recorder, stages: Stages, case: Case, Z: FloatArray, born: int) -> None:
    """Train, choose on validation, calibrate, forecast the test rows."""
    lags, parts = case.plan.lags, case.parts
    lengths = (1, lags)
    used = np.concatenate([parts.train, parts.validation, parts.test])
    windows = {length: stages.window(Z, used, length) for length in dict.fromkeys(lengths)}
    stamps = np.maximum(case.bars.known[used], born)
    K = windows[lags].shape[1]
    inputs = [f"x{k}" for k in range(K)]
    recorder.write(artefacts.WINDOWS, case.series, stamps, inputs, windows[lags], timestamp=case.bars.opened[used])
    count = len(parts.train)
    half = [np.flatnonzero(case.luck[member, :count] < 0.5) for member in range(case.plan.members)]
    paths = [[stages.train(case, windows[length][rows], parts.train[rows]) for rows in half] for length in lengths]
    place = np.full(len(case.bars), -1)
    place[used] = np.arange(len(used))

    def losses(rows: IntArray) -> FloatArray:
        """Return mean squared errors [variants, members, penalties] on rows of this fold."""
        at, y = place[rows], case.y[rows][:, None]
        inputs = [windows[length][at] for length in lengths]
        return np.array(
            [
                [((W @ path.T - y) ** 2).mean(axis=0) for path in members]
                for W, members in zip(inputs, paths, strict=True)
            ]
        )

    steps = stages.stop(case, losses)
    variant, member = stages.tune(case, losses), stages.draw(case, losses)
    step = int(steps[variant, member])
    weights = paths[variant][member][step]
    forecast = np.full(len(case.bars), np.nan)
    forecast[used] = (windows[lengths[variant]] * weights).sum(axis=1)
    band = stages.band(case, forecast)
    forecast = cut(forecast, band)
    low, high = stages.calibrate(case, forecast)
    stamp = np.array([born])
    padded = np.concatenate([weights, np.zeros(K - len(weights))])
    chosen = np.array([variant, member, case.plan.penalties[step], band])
    names = ["variant", "seed", "penalty", "band", *(f"w{k}" for k in range(K))]
    recorder.write(artefacts.WEIGHTS, case.series, stamp, names, np.concatenate([chosen, padded])[None])
    recorder.write(artefacts.CALIBRATION, case.series, stamp, ("lower", "upper"), np.array([[low, high]]))
    recorder.declare(artefacts.WEIGHTS, case.series, "train", _at(case, parts.train))
    recorder.declare(artefacts.WEIGHTS, case.series, "stop_early", born)
    recorder.declare(artefacts.CALIBRATION, case.series, "calibrate", born)
    tested = stages.examined(case)
    if len(parts.test):
        predicted = np.full(len(case.bars), np.nan)
        predicted[parts.test] = stages.predict(case, forecast)
        unit, y = case.unit[tested], predicted[tested]
        values = np.column_stack([y * unit, (y + low) * unit, (y + high) * unit])
        recorder.write(
            artefacts.FORECASTS,
            case.series,
            case.bars.known[tested],
            ("y_pred", "lower", "upper"),
            values,
            timestamp=case.bars.opened[tested],
        )


def _at(case: Case, rows: IntArray) -> int:
    """Return when the last label of some rows is known."""
    return int(case.bars.known[min(int(case.labels.end[rows].max()), len(case.bars) - 1)])


def _write_bars(recorder: Recorder, asset: str, bars: PairBars) -> None:
    values = np.column_stack([bars.open, bars.high, bars.low, bars.close, bars.volume])
    recorder.write(asset, bars.pair, bars.known, PRICES, values, timestamp=bars.opened)


def _write_folds(recorder: Recorder, case: Case) -> None:
    """Write the rows of every part: train and validation when the fold is born, test rows as they come."""
    parts = case.parts
    rows = np.concatenate([parts.train, parts.validation, parts.test])
    part = np.repeat([0, 1, 2], [len(parts.train), len(parts.validation), len(parts.test)])
    names = pl.Series(["train", "validation", "test"])[part]
    stamps = np.maximum(case.bars.known[rows], _at(case, parts.validation))
    recorder.write(
        artefacts.FOLDS,
        case.series,
        stamps,
        ("row",),
        rows[:, None].astype(np.float64),
        timestamp=case.bars.opened[rows],
        part=names,
    )
