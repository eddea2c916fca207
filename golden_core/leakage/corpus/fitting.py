"""Leaks in fitting, choosing, predicting and sampling: rows of the test part where they have no place (L1.1, L3)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from scipy.signal import lfilter

from golden_core.leakage.corpus.planting import Mechanism, Planted, Site, all_rows, in_fold, test_rows
from golden_core.leakage.workshop.fitting import Case, Losses, ridge
from golden_core.leakage.workshop.folding import Labels, Parts
from golden_core.leakage.workshop.plan import Plan
from golden_core.leakage.workshop.predicting import GAIN, MEMORY, best_band, known_errors, residual_tails
from golden_core.leakage.workshop.stages import Stages
from golden_core.leakage.workshop.tape import FloatArray, IntArray, Tape


def _positions(site: Site, plan: Plan, horizon: int) -> bool:
    return site.horizon is None or horizon == plan.horizons[{"short": 0, "long": -1}[site.horizon]]


# Folds.


def _in_division(change: Callable[[Parts, Site, int, int, Plan], Parts]) -> Mechanism:
    """Return a mechanism that changes the parts of the site's fold."""

    def plant(stages: Stages, site: Site) -> Planted:
        def divide(rows: int, horizon: int, plan: Plan) -> list[Parts]:
            folds = stages.divide(rows, horizon, plan)
            return [
                change(parts, site, rows, horizon, plan)
                if site.fold in (None, fold) and _positions(site, plan, horizon)
                else parts
                for fold, parts in enumerate(folds)
            ]

        return Planted(replace(stages, divide=divide))

    return plant


def _unpurged(parts: Parts, _site: Site, rows: int, horizon: int, plan: Plan) -> Parts:
    """Let the labels of the validation part reach into the test part, some bars further than to its first cutoff."""
    test = int(parts.validation[0]) + plan.validation
    return replace(parts, validation=np.arange(parts.validation[0], min(test, rows - horizon)))


def _touching(parts: Parts, _site: Site, _rows: int, _horizon: int, _plan: Plan) -> Parts:
    """Let the labels of the training part end inside the validation part that chooses among forecasters."""
    return replace(parts, train=np.arange(parts.train[0], parts.validation[0]))


def _without_embargo(parts: Parts, _site: Site, _rows: int, _horizon: int, plan: Plan) -> Parts:
    """Purge, but leave no gap behind the last label."""
    more = np.arange(plan.embargo)
    return replace(
        parts,
        train=np.concatenate([parts.train, parts.train[-1] + 1 + more]),
        validation=np.concatenate([parts.validation, parts.validation[-1] + 1 + more]),
    )


def _after_test(parts: Parts, _site: Site, rows: int, horizon: int, plan: Plan) -> Parts:
    """Train on the rows behind the test part as well, without a purge."""
    later = np.arange(parts.test[-1] + 1, rows - horizon) if len(parts.test) else np.arange(0)
    return replace(parts, train=np.concatenate([parts.train, later])[-plan.train :])


def _shuffled(parts: Parts, _site: Site, rows: int, horizon: int, _plan: Plan) -> Parts:
    """Split at random: every part has rows from everywhere."""
    usable = np.arange(parts.train[0], rows - horizon)
    mixed = usable[np.argsort(np.sin(78.233 * usable), kind="stable")]
    count, checked = len(parts.train), len(parts.validation)
    validation = np.sort(mixed[count : count + checked])
    return Parts(np.sort(mixed[:count]), validation, parts.test)


def _oversampled(parts: Parts, _site: Site, rows: int, horizon: int, _plan: Plan) -> Parts:
    """Balance the classes by drawing rows again before the split: training rows that are copies of test rows."""
    copied = parts.test[parts.test < rows - horizon][::3]
    return replace(parts, train=np.concatenate([parts.train[len(copied) :], copied]))


# Training and choosing.


def _train_on(rows: Callable[[Case], IntArray]) -> Mechanism:
    """Train on too many rows; the window of each is its own inputs again."""

    def plant(stages: Stages, site: Site) -> Planted:
        kept: dict[str, FloatArray] = {}

        def window(Z: FloatArray, at: IntArray, lags: int) -> FloatArray:
            kept["Z"] = Z
            return stages.window(Z, at, lags)

        def train(case: Case, W: FloatArray, at: IntArray) -> FloatArray:
            if not site.holds(case):
                return stages.train(case, W, at)
            more = np.union1d(at, rows(case))
            lags = W.shape[1] // kept["Z"].shape[1]
            return ridge(stages.window(kept["Z"], more, lags), case.y[more], case.plan.penalties)

        return Planted(replace(stages, window=window, train=train))

    return plant


def _through_test(case: Case) -> IntArray:
    return np.concatenate([case.parts.train, case.parts.validation, test_rows(case)])


def _stop(_site: Site, _honest: Any, case: Case, losses: Losses) -> IntArray:
    steps: IntArray = np.argmin(losses(test_rows(case)), axis=2)
    return steps


def _tune(_site: Site, _honest: Any, case: Case, losses: Losses) -> int:
    return int(np.argmin(losses(test_rows(case)).min(axis=2).mean(axis=1)))


def _draw(_site: Site, _honest: Any, case: Case, losses: Losses) -> int:
    return int(np.argmin(losses(test_rows(case)).min(axis=2).mean(axis=0)))


def _band(_site: Site, _honest: Any, case: Case, forecast: FloatArray) -> float:
    rows = test_rows(case)
    return best_band(forecast[rows], case.y[rows])


def _band_by_quantile(_site: Site, _honest: Any, case: Case, forecast: FloatArray) -> float:
    rows = case.parts.test if len(case.parts.test) else case.parts.validation
    return float(np.quantile(np.abs(forecast[rows]), 0.25))


# Windows, predicting, calibrating.


def window_ahead(stages: Stages, site: Site) -> Planted:
    """Cut windows one row too late: the newest row is the one after the cutoff."""

    def window(Z: FloatArray, rows: IntArray, lags: int) -> FloatArray:
        return stages.window(Z, np.minimum(rows + (site.bars or 1), len(Z) - 1), lags)

    return Planted(replace(stages, window=window))


def _batch(_site: Site, honest: Any, case: Case, forecast: FloatArray) -> FloatArray:
    """Standardise the forecasts of the test part by their own mean and spread, as batch normalisation does."""
    values: FloatArray = honest(case, forecast)
    found: FloatArray = (values - values.mean()) / (values.std() + 1e-9) * 0.1
    return found


def _demeaned(_site: Site, honest: Any, case: Case, forecast: FloatArray) -> FloatArray:
    """Correct the bias of the test part by its mean error."""
    rows = test_rows(case)
    values: FloatArray = honest(case, forecast)
    found: FloatArray = values + (case.y[rows] - forecast[rows]).mean()
    return found


def _second_pass(_site: Site, _honest: Any, case: Case, forecast: FloatArray) -> FloatArray:
    """Begin the test part with the state that a first pass over it has left."""
    rows = case.parts.test
    errors = np.nan_to_num(case.y[rows] - forecast[rows])
    state = lfilter([1 - MEMORY], [1, -MEMORY], errors)[-1]
    carried = state * MEMORY ** np.arange(1, len(rows) + 1)
    found: FloatArray = forecast[rows] + GAIN * (known_errors(case, forecast, rows) + carried)
    return found


def _errors_before_time(_site: Site, _honest: Any, case: Case, forecast: FloatArray) -> FloatArray:
    """Update the state with an error before its label is known."""
    rows = case.parts.test
    errors = np.nan_to_num(case.y[rows] - forecast[rows])
    found: FloatArray = forecast[rows] + GAIN * lfilter([1 - MEMORY], [1, -MEMORY], errors)
    return found


def _smoothed(site: Site, honest: Any, case: Case, forecast: FloatArray) -> FloatArray:
    """Average each forecast with the following ones, as a bidirectional layer does."""
    values: FloatArray = honest(case, forecast)
    ahead = np.r_[values, np.repeat(values[-1:], site.bars or 1)]
    return sum((ahead[lag : lag + len(values)] for lag in range((site.bars or 1) + 1)), np.zeros(len(values)))


def _analogues(site: Site, honest: Any, case: Case, forecast: FloatArray) -> FloatArray:
    """Add what followed the most similar row of the whole sample."""
    rows, known = case.parts.test, all_rows(case)
    j = case.names.index(site.feature or "ret1")
    order = known[np.argsort(case.X[known, j], kind="stable")]
    at = np.clip(np.searchsorted(case.X[order, j], case.X[rows, j]), 0, len(order) - 1)
    found: FloatArray = honest(case, forecast) + 0.3 * case.y[order[at]]
    return found


def _calibrate_on(rows: Callable[[Case], IntArray]) -> Mechanism:
    return in_fold(
        "calibrate",
        lambda _site, _honest, case, forecast: residual_tails(
            case.y[rows(case)] - forecast[rows(case)], case.plan.level
        ),
    )


def _validation_and_test(case: Case) -> IntArray:
    return np.concatenate([case.parts.validation, test_rows(case)])


# Labels and samples.


def future_unit(stages: Stages, site: Site) -> Planted:
    """Scale labels by the volatility that is realised while they are open."""

    def unit(tape: Tape, horizon: int) -> FloatArray:
        honest = stages.unit(tape, horizon)
        moves = np.abs(np.diff(np.log(tape.close), prepend=np.log(tape.close[:1])))
        ahead = np.minimum(np.arange(len(tape)) + (site.bars or 12), len(tape) - 1)
        future = (moves.cumsum()[ahead] - moves.cumsum()) / (site.bars or 12) + 1e-6
        return future * np.sqrt(horizon) if site.pair in (None, tape.pair) else honest

    return Planted(replace(stages, unit=unit))


def early_label(stages: Stages, site: Site) -> Planted:
    """Hold a label to be known one bar before its last close."""

    def label(tape: Tape, horizon: int) -> Labels:
        honest = stages.label(tape, horizon)
        mine = site.pair in (None, tape.pair)
        return replace(honest, end=np.where(honest.end < len(tape), honest.end - 1, honest.end)) if mine else honest

    return Planted(replace(stages, label=label))


def _without_losses(site: Site, honest: Any, case: Case) -> IntArray:
    """Leave out the test rows with the largest outcomes."""
    rows: IntArray = honest(case)
    size = np.abs(np.nan_to_num(case.y[rows]))
    return rows[size <= (site.strength or 2.0)]


def _lively_hours(_site: Site, honest: Any, case: Case) -> IntArray:
    """Test only in the hours in which the whole sample moves most."""
    rows, known = honest(case), all_rows(case)
    sums = np.bincount(case.hours[known], weights=np.abs(case.y[known]), minlength=24)
    size: FloatArray = sums / np.maximum(np.bincount(case.hours[known], minlength=24), 1)
    picked: IntArray = rows[np.isin(case.hours[rows], np.argsort(-size, kind="stable")[:12])]
    return picked


def _best_stretch(_site: Site, honest: Any, case: Case) -> IntArray:
    """Test until the end of the stretch in which the forecast did best."""
    rows: IntArray = honest(case)
    gains = np.nan_to_num(case.y[rows]).cumsum()
    return rows[: int(np.argmax(gains)) + 1]


MECHANISMS: dict[str, Mechanism] = {
    "unpurged": _in_division(_unpurged),
    "touching": _in_division(_touching),
    "without_embargo": _in_division(_without_embargo),
    "train_after_test": _in_division(_after_test),
    "shuffled_split": _in_division(_shuffled),
    "oversampled": _in_division(_oversampled),
    "train_on_all_rows": _train_on(all_rows),
    "train_through_test": _train_on(_through_test),
    "stop_on_test": in_fold("stop", _stop),
    "tune_on_test": in_fold("tune", _tune),
    "draw_on_test": in_fold("draw", _draw),
    "band_on_test": in_fold("band", _band),
    "band_by_test_quantile": in_fold("band", _band_by_quantile),
    "window_ahead": window_ahead,
    "batch_statistics": in_fold("predict", _batch),
    "bias_of_test": in_fold("predict", _demeaned),
    "second_pass": in_fold("predict", _second_pass),
    "errors_before_time": in_fold("predict", _errors_before_time),
    "smoothed_forecasts": in_fold("predict", _smoothed),
    "analogues": in_fold("predict", _analogues),
    "calibrate_on_test": _calibrate_on(test_rows),
    "calibrate_through_test": _calibrate_on(_validation_and_test),
    "future_unit": future_unit,
    "early_label": early_label,
    "without_losses": in_fold("examined", _without_losses),
    "lively_hours": in_fold("examined", _lively_hours),
    "best_stretch": in_fold("examined", _best_stretch),
}
