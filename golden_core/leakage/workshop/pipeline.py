"""The workshop: stages joined into one pure pipeline that keeps a book of what it makes. No stage belongs here."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from golden_core.leakage import artefacts
from golden_core.leakage.artefacts import Pipeline, Run
from golden_core.leakage.workshop.book import Book, open_book, times
from golden_core.leakage.workshop.features import hour_of_day
from golden_core.leakage.workshop.fitting import Case
from golden_core.leakage.workshop.market import HOURLY
from golden_core.leakage.workshop.plan import Plan
from golden_core.leakage.workshop.predicting import cut
from golden_core.leakage.workshop.stages import CLEAN, Stages
from golden_core.leakage.workshop.tape import FloatArray, IntArray, Market, Tape
from golden_core.store.lake import series_name
from golden_core.store.randomness import Stream

SLOW_BARS, SELECTION, REDUCTION = "slow_bars", "selection", "reduction"
PRICES = ("open", "high", "low", "close", "volume")


def workshop(plan: Plan, stream: Stream, stages: Stages = CLEAN, name: str = "workshop") -> Pipeline:
    """Return the pipeline of a plan.

    Parameters
    ----------
    plan : Plan
    stream : Stream
        Draws the training rows of each member, once for all runs.
    stages : Stages
        What is done at each step; the honest stages by default.
    name : str

    Returns
    -------
    Pipeline
        Its artefacts: ``bars``, ``slow_bars``, ``features``, ``targets``, ``folds``, ``scalers``, ``selection``,
        ``reduction``, ``windows``, ``weights``, ``calibration``, ``forecasts``, in this order.
    """
    luck = stream.child("members").generator().random((plan.members, plan.train))

    def run(raw: pl.DataFrame) -> Run:
        # Poison puts NaN and 1e9 where prices were; what they do to numbers is the point, not a warning.
        with np.errstate(all="ignore"):
            return _run(raw, plan, stages, luck)

    return Pipeline(name, run)


@dataclass(frozen=True, eq=False)
class _Prepared:
    """Inputs of one fold [T, K] after everything that is fitted on them, and when that was complete."""

    Z: FloatArray
    born: int


def _run(raw: pl.DataFrame, plan: Plan, stages: Stages, luck: FloatArray) -> Run:
    book = open_book(raw)
    tapes = {pair: stages.clean(tape) for pair, tape in stages.read(raw).items()}
    market = stages.align(
        Market(tapes, {pair: stages.slow(tapes[pair], plan) for pair in HOURLY if pair in tapes}), plan
    )
    pairs = [pair for pair in HOURLY if pair in market.tapes]
    for pair in sorted(market.tapes):
        _write_bars(book, artefacts.BARS, market.tapes[pair])
    for pair in pairs:
        _write_bars(book, SLOW_BARS, market.slow[pair])
    tables = {pair: np.column_stack([feature(market, pair) for feature in stages.features.values()]) for pair in pairs}
    for pair, X in tables.items():
        tape = market.tapes[pair]
        book.write(artefacts.FEATURES, pair, tape.known, tuple(stages.features), X, timestamp=times(tape.opened))
    for pair, X in tables.items():
        for horizon in plan.horizons:
            _series(book, plan, stages, luck, market, pair, horizon, X)
    return book.close()


def _series(
    book: Book,
    plan: Plan,
    stages: Stages,
    luck: FloatArray,
    market: Market,
    pair: str,
    horizon: int,
    X: FloatArray,
) -> None:
    """Make everything of one pair and horizon."""
    tape = market.tapes[pair]
    labels = stages.label(tape, horizon)
    unit = stages.unit(tape, horizon)
    series = series_name(pair, horizon)
    known = np.flatnonzero((labels.end < len(tape)) & np.isfinite(labels.y))
    book.write(
        artefacts.TARGETS,
        series,
        tape.known[labels.end[known]],
        ("y", "unit"),
        np.column_stack([labels.y[known], unit[known]]),
        timestamp=times(tape.opened[known]),
        cutoff=times(tape.known[known]),
    )
    for fold, parts in enumerate(stages.divide(len(tape), horizon, plan)):
        case = Case(
            series=f"{series}/{fold}",
            pair=pair,
            horizon=horizon,
            fold=fold,
            market=market,
            tape=tape,
            names=tuple(stages.features),
            X=X,
            y=labels.y / unit,
            unit=unit,
            hours=hour_of_day(tape),
            labels=labels,
            parts=parts,
            plan=plan,
            luck=luck,
        )
        _write_folds(book, case)
        _forecast(book, stages, case, _prepare(book, stages, case))


def _prepare(book: Book, stages: Stages, case: Case) -> _Prepared:
    """Fit everything that turns features into inputs, and apply it to every row."""
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
    stamp, complete = np.array([until]), times(np.array([born]))
    names = [f"hour_mean:{at:02d}" for at in range(24)]
    names += [f"{what}:{name}" for what in ("fill", "low", "high", "mean", "scale") for name in case.names]
    fitted = np.concatenate([encoding, filled, low, high, mean, spread])
    book.write(artefacts.SCALERS, case.series, stamp, names, fitted[None], complete_at=complete)
    chosen = np.isin(np.arange(len(case.names)), kept).astype(np.float64)
    book.write(SELECTION, case.series, stamp, case.names, chosen[None], complete_at=complete)
    book.declare(artefacts.SCALERS, case.series, "scale", until)
    book.declare(SELECTION, case.series, "select", until)
    if case.plan.components:
        turn = stages.reduce(case, Z)
        Z = Z @ turn
        flat = [f"component{k}:{j}" for j in range(len(turn)) for k in range(turn.shape[1])]
        book.write(REDUCTION, case.series, stamp, flat, turn.reshape(1, -1), complete_at=complete)
        book.declare(REDUCTION, case.series, "scale", until)
    return _Prepared(Z, born)


def _forecast(book: Book, stages: Stages, case: Case, prepared: _Prepared) -> None:
    """Train, choose on validation, calibrate, forecast the test rows."""
    lags, parts = case.plan.lags, case.parts
    lengths = (1, lags)
    used = np.concatenate([parts.train, parts.validation, parts.test])
    windows = {length: stages.window(prepared.Z, used, length) for length in dict.fromkeys(lengths)}
    stamps = np.maximum(case.tape.known[used], prepared.born)
    K = windows[lags].shape[1]
    inputs = [f"x{k}" for k in range(K)]
    book.write(artefacts.WINDOWS, case.series, stamps, inputs, windows[lags], timestamp=times(case.tape.opened[used]))
    count = len(parts.train)
    half = [np.flatnonzero(case.luck[member, :count] < 0.5) for member in range(case.plan.members)]
    paths = [[stages.train(case, windows[length][rows], parts.train[rows]) for rows in half] for length in lengths]
    place = np.full(len(case.tape), -1)
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
    forecast = np.full(len(case.tape), np.nan)
    forecast[used] = (windows[lengths[variant]] * weights).sum(axis=1)
    band = stages.band(case, forecast)
    forecast = cut(forecast, band)
    low, high = stages.calibrate(case, forecast)
    stamp = np.array([prepared.born])
    padded = np.concatenate([weights, np.zeros(K - len(weights))])
    chosen = np.array([variant, member, case.plan.penalties[step], band])
    names = ["variant", "seed", "penalty", "band", *(f"w{k}" for k in range(K))]
    book.write(artefacts.WEIGHTS, case.series, stamp, names, np.concatenate([chosen, padded])[None])
    book.write(artefacts.CALIBRATION, case.series, stamp, ("lower", "upper"), np.array([[low, high]]))
    book.declare(artefacts.WEIGHTS, case.series, "train", _at(case, parts.train))
    book.declare(artefacts.WEIGHTS, case.series, "stop_early", prepared.born)
    book.declare(artefacts.CALIBRATION, case.series, "calibrate", prepared.born)
    tested = stages.examined(case)
    if len(parts.test):
        predicted = np.full(len(case.tape), np.nan)
        predicted[parts.test] = stages.predict(case, forecast)
        unit, y = case.unit[tested], predicted[tested]
        values = np.column_stack([y * unit, (y + low) * unit, (y + high) * unit])
        book.write(
            artefacts.FORECASTS,
            case.series,
            case.tape.known[tested],
            ("y_pred", "lower", "upper"),
            values,
            timestamp=times(case.tape.opened[tested]),
        )


def _at(case: Case, rows: IntArray) -> int:
    """Return when the last label of some rows is known."""
    return int(case.tape.known[min(int(case.labels.end[rows].max()), len(case.tape) - 1)])


def _write_bars(book: Book, asset: str, tape: Tape) -> None:
    values = np.column_stack([tape.open, tape.high, tape.low, tape.close, tape.volume])
    book.write(asset, tape.pair, tape.known, PRICES, values, timestamp=times(tape.opened))


def _write_folds(book: Book, case: Case) -> None:
    """Write the rows of every part: train and validation when the fold is born, test rows as they come."""
    parts = case.parts
    rows = np.concatenate([parts.train, parts.validation, parts.test])
    part = np.repeat([0, 1, 2], [len(parts.train), len(parts.validation), len(parts.test)])
    names = pl.Series(["train", "validation", "test"])[part]
    stamps = np.maximum(case.tape.known[rows], _at(case, parts.validation))
    book.write(
        artefacts.FOLDS,
        case.series,
        stamps,
        ("row",),
        rows[:, None].astype(np.float64),
        timestamp=times(case.tape.opened[rows]),
        part=names,
    )
