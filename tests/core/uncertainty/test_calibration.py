"""Calibrated quantiles hold on rows like those they were calibrated on, whatever the forecaster said."""

import numpy as np
import pytest

from golden_core.store.randomness import Stream
from golden_core.uncertainty.calibration import adaptive, calibrated, split

LEVELS = np.array([0.1, 0.25, 0.5, 0.75, 0.9])
WRONG = np.array([-0.3, -0.2, 0.4, 0.5, 0.6])  # quantiles of nothing


def worlds(m, T, reps, *names):
    """Truth [reps, m + T] in rows of volatility that differs tenfold, and quantiles that know it but are wrong."""
    generator = Stream(1).child("calibration", *names).generator()
    volatility = np.exp(generator.uniform(-1, 1, (reps, m + T)))
    return volatility * generator.standard_normal((reps, m + T)), volatility[..., None] * WRONG


def test_wrong_quantiles_hold_after_split_conformal_at_the_exact_rate():
    """With m = 39 the share below an upper quantile is ⌈40 τ⌉/40 on average, and above a lower one likewise."""
    below = []
    for y, raw in zip(*worlds(39, 1, 4000, "split"), strict=True):
        found = calibrated(LEVELS, (y[:39], raw[:39]), (y[39:], raw[39:]), split)
        below.append(y[39:, None] <= found.values)
    assert np.mean(below, axis=(0, 1)) == pytest.approx(LEVELS, abs=4 * np.sqrt(0.25 / 4000))
    assert np.abs(np.mean(worlds(39, 1, 4000, "split")[0][:, 39:, None] <= WRONG, axis=(0, 1)) - LEVELS).max() > 0.1


def test_shifts_scale_with_the_spread_of_the_row():
    (y,), (raw,) = worlds(99, 2, 1, "spread")
    raw[-2:] = WRONG * np.array([[1.0], [10.0]])
    calm, wild = calibrated(LEVELS, (y[:99], raw[:99]), (y[99:], raw[99:]), split).values
    assert wild == pytest.approx(10 * calm, rel=1e-12)


def test_quantiles_of_another_level_are_calibrated_alike():
    """A spread is a distance: where truth and quantiles lie says nothing of it."""
    (y,), (raw,) = worlds(99, 20, 1, "level")
    here, there = (calibrated(LEVELS, (y[:99] + c, raw[:99] + c), (y[99:], raw[99:] + c), split) for c in (0.0, 50.0))
    assert there.values - 50.0 == pytest.approx(here.values, abs=1e-10)


def test_too_few_rows_give_infinite_outer_quantiles_and_finite_inner_ones():
    (y,), (raw,) = worlds(5, 3, 1, "few")
    found = calibrated(LEVELS, (y[:5], raw[:5]), (y[5:], raw[5:]), split).values
    assert np.isneginf(found[:, 0]).all()
    assert np.isposinf(found[:, -1]).all()
    assert np.isfinite(found[:, 1:-1]).all()


def test_crossings_are_repaired_and_counted():
    (y,), (raw,) = worlds(99, 50, 1, "crossing")
    raw[:] = WRONG[::-1]
    found = calibrated(LEVELS, (y[:99], raw[:99]), (y[99:], raw[99:]), lambda *_: np.zeros(5))
    assert found.rearranged.all()
    assert found.values == pytest.approx(np.tile(WRONG, (50, 1)))


def test_quantiles_that_cross_before_calibration_are_put_in_order_and_counted_too():
    (y,), (raw,) = worlds(99, 50, 1, "crossing before")
    mixed = raw.copy()
    mixed[::3] = raw[::3, ::-1]
    straight, found = (calibrated(LEVELS, (y[:99], q[:99]), (y[99:], q[99:]), split) for q in (raw, mixed))
    assert found.values.tobytes() == straight.values.tobytes()
    assert found.rearranged.tolist() == [row % 3 == 0 for row in range(99, 149)]
    assert not straight.rearranged.any()


def test_adaptive_calibration_follows_a_break_that_split_does_not():
    (y,), (raw,) = worlds(200, 2000, 1, "break")
    y[200:] *= 4  # volatility four times what the forecaster thinks
    parts = (y[:200], raw[:200]), (y[200:], raw[200:])
    fixed = calibrated(LEVELS, *parts, split).values
    following = calibrated(LEVELS, *parts, adaptive(0.05, np.arange(2000))).values
    shares = [(y[200:, None] <= values).mean(axis=0) for values in (fixed, following)]
    assert np.abs(shares[0] - LEVELS).max() > 0.15
    assert shares[1] == pytest.approx(LEVELS, abs=0.01)


def test_quantiles_without_a_spread_are_refused():
    with pytest.raises(ValueError, match="finite quantiles that are not all equal"):
        calibrated(LEVELS, (np.zeros(2), np.zeros((2, 5))), (np.zeros(2), np.zeros((2, 5))), split)
    (y,), (raw,) = worlds(9, 3, 1, "one flat row")
    for flat in (4, 10):  # of the calibration, and of those to forecast
        one = np.where(np.arange(12)[:, None] == flat, 0.0, raw)
        with pytest.raises(ValueError, match="finite quantiles that are not all equal"):
            calibrated(LEVELS, (y[:9], one[:9]), (y[9:], one[9:]), split)
