"""What every forecaster with quantiles promises: one rising row per cutoff, from its own past alone."""

import dataclasses
import functools

import numpy as np
import pytest

from golden_core.forecasters import FORECASTERS, forecaster_class
from golden_core.forecasters.naive import RandomWalk
from golden_core.forecasters.quantiles import CONSTANT_VOLATILITY, FROM_RESIDUALS, GivesQuantiles, raw_quantiles

TRAIN, VALIDATION, TEST = range(40, 240), range(245, 285), range(290, 350)
LEVELS = np.array([0.025, 0.25, 0.5, 0.75, 0.975])
FEW_NUMBERS = {
    "random_walk": {}, "random_walk_garch": {}, "random_walk_gjr_t": {}, "drift": {}, "ar": {"max_order": 5},
    "ets": {"model": "ANN"}, "theta": {},
}  # fmt: skip
TREES = {"lightgbm": {"leaves": (3,), "rows_per_leaf": 10, "learning_rate": 0.1, "rounds": 40, "patience": 10}}
NETWORKS = {
    "dlinear": {"moving_average": 3, "epochs": None},
    "patchtst": {"patch_length": 3, "stride": 1, "width": 8, "heads": 2, "layers": 1, "hidden": 16},
    "moe": {"width": 8, "heads": 2, "layers": 1, "hidden": 16, "experts": 3, "units": 4, "balance": 0.01},
}
LEGACY = {f"v{n:02d}" for n in range(1, 11)}  # exact ports of what was published: point only
SETTINGS = FEW_NUMBERS | TREES | NETWORKS
each = pytest.mark.parametrize("name", SETTINGS)


@pytest.fixture(scope="module")
def fit(momentum, stream):
    market = momentum(360, levels=tuple(LEVELS.tolist()))

    @functools.cache
    def fitted(name):
        forecaster = forecaster_class(name)(SETTINGS[name], market.context)
        forecaster.fit(market.examples(TRAIN), market.examples(VALIDATION), stream)
        return forecaster

    return lambda name: (fitted(name), market)


def asked(name, forecaster, market, rows=TEST):
    return raw_quantiles(name, forecaster, market.examples(TRAIN), market.windows(rows), LEVELS)


def test_every_forecaster_of_the_registry_gives_quantiles_or_is_point_only():
    giving = {name for name in FORECASTERS if issubclass(forecaster_class(name), GivesQuantiles)}
    assert set(SETTINGS) == FROM_RESIDUALS | {CONSTANT_VOLATILITY} | giving == set(FORECASTERS) - LEGACY


@pytest.mark.parametrize("name", FEW_NUMBERS)
def test_quantiles_rise_around_the_forecast(name, fit):
    forecaster, market = fit(name)
    quantiles = asked(name, forecaster, market)
    assert quantiles.shape == (len(TEST), len(LEVELS))
    assert (np.diff(quantiles, axis=1) > 0).all()
    forecasts = forecaster.predict(market.windows(TEST))
    assert ((quantiles[:, 0] < forecasts) & (forecasts < quantiles[:, -1])).all()


@pytest.mark.parametrize("name", FEW_NUMBERS)
def test_on_the_training_rows_they_hold(name, fit):
    forecaster, market = fit(name)
    shares = (market.examples(TRAIN).y[:, None] <= asked(name, forecaster, market, TRAIN)).mean(axis=0)
    assert shares == pytest.approx(LEVELS, abs=0.1)


@each
def test_the_future_and_the_batch_change_no_quantile(name, fit):
    forecaster, market = fit(name)
    before = asked(name, forecaster, market)
    closes = np.concatenate([market.closes[:320], np.full(40, 1e6)])
    after = asked(name, forecaster, dataclasses.replace(market, closes=closes))
    known = 320 - TEST.start
    assert before[:known].tobytes() == after[:known].tobytes()
    part = asked(name, forecaster, market, range(TEST.start + 9, TEST.stop))
    # A matrix product sums in an order that depends on the batch: a network's hold up to float32 rounding.
    tolerance = 1e-6 * market.windows(TEST).target.scale if forecaster.trained else 0.0
    np.testing.assert_allclose(part, before[9:], rtol=0, atol=tolerance)


@each
def test_a_restored_forecaster_gives_the_same(name, fit):
    forecaster, market = fit(name)
    restored = forecaster_class(name)(SETTINGS[name], market.context)
    restored.restore(forecaster.state())
    assert asked(name, restored, market).tobytes() == asked(name, forecaster, market).tobytes()


@pytest.mark.parametrize("name", TREES | NETWORKS)
def test_quantiles_are_learned_at_the_levels_of_the_study_and_no_others(name, momentum, stream):
    market = momentum(1200, levels=tuple(LEVELS.tolist()), context_length=5)
    training = market.context.training.model_copy(update={"epochs": 12, "learning_rate": 0.01})
    forecaster = forecaster_class(name)(SETTINGS[name], dataclasses.replace(market.context, training=training))
    forecaster.fit(market.examples(range(40, 800)), market.examples(range(801, 840)), stream)
    test = market.examples(range(841, 1190))
    quantiles = forecaster.predict_quantiles(test.windows, LEVELS)
    shares = (test.y[:, None] <= quantiles).mean(axis=0)
    assert shares == pytest.approx(LEVELS, abs=0.1)
    assert np.corrcoef(quantiles[:, 2], forecaster.predict(test.windows))[0, 1] > 0.8
    with pytest.raises(ValueError, match=r"the levels \(0.025, .*\), not \(0.5,\)"):
        forecaster.predict_quantiles(test.windows, np.array([0.5]))


class TheirOwn(RandomWalk):
    """A third party's forecaster with quantiles."""

    answer = staticmethod(lambda windows, levels: np.tile(levels, (len(windows), 1)))

    def predict_quantiles(self, windows, levels):
        return self.answer(windows, levels)


def test_a_third_partys_quantiles_are_taken_and_without_any_it_is_point_only(fit, monkeypatch):
    _, market = fit("random_walk")
    assert asked("theirs", TheirOwn({}, market.context), market)[3].tolist() == LEVELS.tolist()
    assert asked("theirs", RandomWalk({}, market.context), market) is None
    monkeypatch.setattr(TheirOwn, "answer", staticmethod(lambda windows, levels: np.full((len(windows), 5), np.inf)))
    with pytest.raises(ValueError, match=r"shape \(60, 5\), got shape \(60, 5\) with 300 that are not finite"):
        asked("theirs", TheirOwn({}, market.context), market)
    monkeypatch.setattr(TheirOwn, "answer", staticmethod(lambda windows, levels: levels))
    with pytest.raises(ValueError, match=r"shape \(60, 5\), got shape \(5,\)"):
        asked("theirs", TheirOwn({}, market.context), market)
