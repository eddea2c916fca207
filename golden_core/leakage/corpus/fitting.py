"""Leaks in preprocessing, folds, fitting, choosing and predicting: rows that were not there yet (L1.1 – L1.3, L3)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from scipy.signal import lfilter

from golden_core.leakage.corpus.planting import (
    Mechanism,
    Planted,
    Site,
    all_rows,
    fitted_on,
    in_stage,
    only_at,
    test_rows,
    through_test,
)
from golden_core.leakage.testbed.fitting import GAIN, MEMORY, Case, Labels, Parts, known_errors
from golden_core.leakage.testbed.market import Plan
from golden_core.leakage.testbed.pair_bars import FloatArray, IntArray, PairBars
from golden_core.leakage.testbed.pipeline import Stages

Limits = tuple[FloatArray, FloatArray]


def _minmax(site: Site, honest: Any, case: Case, X: FloatArray) -> Limits:
    """Scale by the smallest and largest value of all rows."""
    rows = all_rows(case)
    seen = np.where(np.isfinite(case.X[rows]), case.X[rows], X[rows])  # before any winsorising
    low, high = seen.min(axis=0), seen.max(axis=0)
    wide = np.stack([low, np.where(high > low, high - low, 1.0)])
    low, spread = only_at(site.feature, case, wide, honest(case, X)) if site.feature else wide
    return low, spread


# Folds: each rule gets the honest parts, rows of bars, horizon and plan.


def _unpurged(parts: Parts, rows: int, horizon: int, plan: Plan) -> Parts:
    """Let the labels of the validation part reach into the test part, some bars further than to its first cutoff."""
    test = int(parts.validation[0]) + plan.validation
    return replace(parts, validation=np.arange(parts.validation[0], min(test, rows - horizon)))


def _without_embargo(parts: Parts, _rows: int, _horizon: int, plan: Plan) -> Parts:
    """Purge, but leave no gap behind the last label."""
    train, validation = (
        np.concatenate([part, part[-1] + 1 + np.arange(plan.embargo)]) for part in (parts.train, parts.validation)
    )
    return Parts(train, validation, parts.test)


def _after_test(parts: Parts, rows: int, horizon: int, plan: Plan) -> Parts:
    """Train on the rows behind the test part as well, without a purge."""
    later = np.arange(parts.test[-1] + 1, rows - horizon) if len(parts.test) else np.arange(0)
    return replace(parts, train=np.concatenate([parts.train, later])[-plan.train :])


def _shuffled(parts: Parts, rows: int, horizon: int, _plan: Plan) -> Parts:
    """Split at random: every part has rows from everywhere."""
    usable = np.arange(parts.train[0], rows - horizon)
    mixed = usable[np.argsort(np.sin(78.233 * usable), kind="stable")]
    count, checked = len(parts.train), len(parts.validation)
    return Parts(np.sort(mixed[:count]), np.sort(mixed[count : count + checked]), parts.test)


def _oversampled(parts: Parts, rows: int, horizon: int, _plan: Plan) -> Parts:
    """Balance the classes by drawing rows again before the split: training rows that are copies of test rows."""
    copied = parts.test[parts.test < rows - horizon][::3]
    return replace(parts, train=np.concatenate([parts.train[len(copied) :], copied]))


def _in_division(change: Callable[[Parts, int, int, Plan], Parts]) -> Mechanism:
    """Return a mechanism that changes the parts of the site's fold."""

    def leak(site: Site, honest: Any, rows: int, horizon: int, plan: Plan) -> list[Parts]:
        return [
            change(parts, rows, horizon, plan) if site.within(fold, horizon, plan.horizons) else parts
            for fold, parts in enumerate(honest(rows, horizon, plan))
        ]

    return in_stage("divide", leak)


def _train_on(rows: Callable[[Case], IntArray]) -> Mechanism:
    """Return a mechanism that trains on too many rows; the window of each is its own inputs again."""

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
            return stages.train(case, stages.window(kept["Z"], more, lags), more)

        return Planted(replace(stages, window=window, train=train))

    return plant


# Forecasts: each leak gets the site, the honest stage, the case and the forecasts of all rows.


def _band_by_quantile(_site: Site, _honest: Any, case: Case, forecast: FloatArray) -> float:
    rows = case.parts.test if len(case.parts.test) else case.parts.validation
    return float(np.quantile(np.abs(forecast[rows]), 0.25))


def _batch(_site: Site, honest: Any, case: Case, forecast: FloatArray) -> FloatArray:
    """Standardise the forecasts of the test part by their own mean and spread, as batch normalisation does."""
    values: FloatArray = honest(case, forecast)
    return np.asarray((values - values.mean()) / (values.std() + 1e-9) * 0.1)


def _demeaned(_site: Site, honest: Any, case: Case, forecast: FloatArray) -> FloatArray:
    """Correct the bias of the test part by its mean error."""
    rows = test_rows(case)
    return np.asarray(honest(case, forecast) + (case.y[rows] - forecast[rows]).mean())


def _state(case: Case, forecast: FloatArray) -> FloatArray:
    """Return the running error of the test part, each row's own included."""
    errors = np.nan_to_num(case.y[case.parts.test] - forecast[case.parts.test])
    return np.asarray(lfilter([1 - MEMORY], [1, -MEMORY], errors))


def _second_pass(_site: Site, _honest: Any, case: Case, forecast: FloatArray) -> FloatArray:
    """Begin the test part with the state that a first pass over it has left."""
    rows = case.parts.test
    carried = _state(case, forecast)[-1] * MEMORY ** np.arange(1, len(rows) + 1)
    return np.asarray(forecast[rows] + GAIN * (known_errors(case, forecast, rows) + carried))


def _smoothed(site: Site, honest: Any, case: Case, forecast: FloatArray) -> FloatArray:
    """Average each forecast with the following ones, as a bidirectional layer does."""
    values: FloatArray = honest(case, forecast)
    ahead = np.r_[values, np.repeat(values[-1:], site.reach)]
    return sum((ahead[lag : lag + len(values)] for lag in range(site.reach + 1)), np.zeros(len(values)))


def _analogues(site: Site, honest: Any, case: Case, forecast: FloatArray) -> FloatArray:
    """Add what followed the most similar row of the whole sample."""
    rows, known = case.parts.test, all_rows(case)
    j = case.names.index(site.feature or "ret1")
    order = known[np.argsort(case.X[known, j], kind="stable")]
    at = np.clip(np.searchsorted(case.X[order, j], case.X[rows, j]), 0, len(order) - 1)
    return np.asarray(honest(case, forecast) + 0.3 * case.y[order[at]])


# Labels and samples.


def _future_unit(site: Site, _honest: Any, bars: PairBars, horizon: int) -> FloatArray:
    """Scale labels by the volatility that is realised while they are open."""
    path = np.abs(np.diff(np.log(bars.close), prepend=np.log(bars.close[:1]))).cumsum()
    ahead = np.minimum(np.arange(len(bars)) + (site.bars or 12), len(bars) - 1)
    return np.asarray(((path[ahead] - path) / (site.bars or 12) + 1e-6) * np.sqrt(horizon))


def _early_label(_site: Site, honest: Any, bars: PairBars, horizon: int) -> Labels:
    """Hold a label to be known one bar before its last close."""
    labels: Labels = honest(bars, horizon)
    return replace(labels, end=np.where(labels.end < len(bars), labels.end - 1, labels.end))


def _without_losses(site: Site, honest: Any, case: Case) -> IntArray:
    """Leave out the test rows with the largest outcomes."""
    rows: IntArray = honest(case)
    return rows[np.abs(np.nan_to_num(case.y[rows])) <= (site.strength or 2.0)]


def _lively_hours(_site: Site, honest: Any, case: Case) -> IntArray:
    """Test only in the hours in which the whole sample moves most."""
    rows, known = honest(case), all_rows(case)
    sums = np.bincount(case.hours[known], weights=np.abs(case.y[known]), minlength=24)
    size: FloatArray = sums / np.maximum(np.bincount(case.hours[known], minlength=24), 1)
    return np.asarray(rows[np.isin(case.hours[rows], np.argsort(-size, kind="stable")[:12])])


def _best_stretch(_site: Site, honest: Any, case: Case) -> IntArray:
    """Test until the end of the stretch in which the forecast did best."""
    rows: IntArray = honest(case)
    return rows[: int(np.argmax(np.nan_to_num(case.y[rows]).cumsum())) + 1]


MECHANISMS: dict[str, Mechanism] = {
    "fill_on_all_rows": fitted_on("fill", "train", all_rows),
    "winsorise_on_all_rows": fitted_on("clip", "train", all_rows),
    "scale_on_all_rows": fitted_on("scale", "train", all_rows),
    "scale_on_train_and_test": fitted_on("scale", "train", through_test),
    # A boundary that is a little off.
    "scale_into_test": fitted_on(
        "scale", "train", lambda case: np.concatenate([case.parts.train, test_rows(case)[:10]])
    ),
    "minmax_on_all_rows": in_stage("scale", _minmax),
    "pca_on_all_rows": fitted_on("reduce", "train", all_rows),
    "select_on_all_rows": fitted_on("select", "train", all_rows),
    "select_on_test": fitted_on("select", "train", test_rows),
    "encode_on_all_rows": fitted_on("encode", "train", all_rows),
    "encode_on_test": fitted_on("encode", "train", through_test),
    "unpurged": _in_division(_unpurged),
    # The labels of the training part end inside the validation part that chooses among forecasters.
    "touching": _in_division(lambda parts, *_: replace(parts, train=np.arange(parts.train[0], parts.validation[0]))),
    "without_embargo": _in_division(_without_embargo),
    "train_after_test": _in_division(_after_test),
    "shuffled_split": _in_division(_shuffled),
    "oversampled": _in_division(_oversampled),
    "train_on_all_rows": _train_on(all_rows),
    "train_through_test": _train_on(through_test),
    "stop_on_test": fitted_on("stop", "validation", test_rows),
    "tune_on_test": fitted_on("tune", "validation", test_rows),
    "draw_on_test": fitted_on("draw", "validation", test_rows),
    "band_on_test": fitted_on("band", "validation", test_rows),
    "band_by_test_quantile": in_stage("band", _band_by_quantile),
    # Windows are cut too late: the newest row is one after the cutoff.
    "window_ahead": in_stage(
        "window", lambda site, honest, Z, rows, lags: honest(Z, np.minimum(rows + site.reach, len(Z) - 1), lags)
    ),
    "batch_statistics": in_stage("predict", _batch),
    "bias_of_test": in_stage("predict", _demeaned),
    "second_pass": in_stage("predict", _second_pass),
    # The state is updated with an error before its label is known.
    "errors_before_time": in_stage(
        "predict", lambda _site, _honest, case, forecast: forecast[case.parts.test] + GAIN * _state(case, forecast)
    ),
    "smoothed_forecasts": in_stage("predict", _smoothed),
    "analogues": in_stage("predict", _analogues),
    "calibrate_on_test": fitted_on("calibrate", "validation", test_rows),
    "calibrate_through_test": fitted_on(
        "calibrate", "validation", lambda case: np.concatenate([case.parts.validation, test_rows(case)])
    ),
    "future_unit": in_stage("unit", _future_unit),
    "early_label": in_stage("label", _early_label),
    "without_losses": in_stage("examined", _without_losses),
    "lively_hours": in_stage("examined", _lively_hours),
    "best_stretch": in_stage("examined", _best_stretch),
}
