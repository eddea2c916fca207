"""What every forecaster promises, probed for each name in the registry and for each installed third-party one.

A probe is believed because the forecasters at the end of this file, each bad on purpose, do not pass it.
"""

import dataclasses
import functools

import numpy as np
import pytest
import safetensors.numpy
from pydantic import ValidationError

from golden_core.forecasters import FORECASTERS, forecaster_class, forecaster_facts, forecaster_settings
from golden_core.forecasters.base import Forecaster, count_parameters
from golden_core.forecasters.facts import FACTS, Facts
from golden_core.forecasters.settings import NoSettings

SETTINGS = {
    "random_walk": {},
    "random_walk_garch": {},
    "random_walk_gjr_t": {},
    "drift": {},
    "ar": {"max_order": 5},
    "ets": {"model": "AZN"},
    "theta": {},
    "lightgbm": {"leaves": (4, 8), "rows_per_leaf": 3, "learning_rate": 0.03, "rounds": 40, "patience": 10},
    "dlinear": {"moving_average": 5, "epochs": None},
    "patchtst": {"patch_length": 6, "stride": 3, "width": 8, "heads": 2, "layers": 1, "hidden": 16},
    "moe": {"width": 8, "heads": 2, "layers": 1, "hidden": 16, "experts": 3, "units": 4, "balance": 0.01},
    **{f"v{n:02d}": {"gate": "linear", "initialisers": "keras_3.8"} for n in range(1, 11)},
}
TRAIN, VALIDATION, TEST = range(40, 240), range(245, 285), range(290, 350)
WALKS = ["random_walk", "random_walk_garch", "random_walk_gjr_t"]
# Our others must forecast what varies, or the probes prove nothing; theta has a market and a probe of its own.
CONSTANT = {*WALKS, "drift", "theta"}
STEPWISE = {"lightgbm"}  # as many values as its few trees have leaves
LAST_SEEN = 320  # the probes replace every bar after this one
BARS, CONTEXT = 360, 12

SLOW = {f"v{n:02d}" for n in range(1, 11)} - {"v04", "v08"}
NAMES = [pytest.param(name, marks=[pytest.mark.slow] if name in SLOW else []) for name in forecaster_settings()]
STATISTICAL = [*WALKS, "drift", "ar", "ets", "theta"]
each_forecaster = pytest.mark.parametrize("name", NAMES)


def settings_of(name):
    """Return settings to test with: ours, or the examples that a third party gives in its model."""
    if name in SETTINGS:
        return SETTINGS[name]
    fields = forecaster_settings()[name].model_fields
    without = [field for field, info in fields.items() if not info.examples]
    assert not without, f"forecaster {name}: give Field(examples=[…]) for {', '.join(without)} to have it tested"
    return {field: info.examples[0] for field, info in fields.items()}


@pytest.fixture(scope="module")
def learnt(momentum, stream):
    """Return name → (a fitted forecaster, its learning curve); fitted once."""

    @functools.cache
    def fit(name):
        market = momentum(BARS, context_length=CONTEXT)
        forecaster = forecaster_class(name)(settings_of(name), market.context)
        return forecaster, forecaster.fit(market.examples(TRAIN), market.examples(VALIDATION), stream)

    return fit


@pytest.fixture(scope="module")
def trial(learnt, momentum):
    """Return name → (a fitted forecaster, its market)."""
    return lambda name: (learnt(name)[0], momentum(BARS, context_length=CONTEXT))


def fit_once(kind, settings, market, stream):
    forecaster = kind(settings, market.context)
    forecaster.fit(market.examples(TRAIN), market.examples(VALIDATION), stream)
    return forecaster


# The probes. Each raises AssertionError for a forecaster that breaks its promise.


def replaced_futures(closes, generator):
    """Yield (how, closes) with every close after LAST_SEEN replaced, as nothing before it may notice."""
    after = closes[LAST_SEEN + 1 :]
    noise = closes[LAST_SEEN] * np.exp(generator.normal(0.0, 0.01, len(after)))
    for how, future in {"noise": noise, "huge": np.full(len(after), 1e6), "reversed": after[::-1]}.items():
        yield how, np.concatenate([closes[: LAST_SEEN + 1], future])


def probe_future(forecaster, market, stream):
    """No forecast changes by one bit when the bars after its cutoff do."""
    known = LAST_SEEN - TEST.start + 1
    before = forecaster.predict(market.windows(TEST))[:known]
    for how, closes in replaced_futures(market.closes, stream.child("future").generator()):
        changed = dataclasses.replace(market, closes=closes)
        after = forecaster.predict(changed.windows(TEST))[:known]
        assert before.tobytes() == after.tobytes(), f"future replaced by {how}: a forecast before it changed"


def probe_batch(forecaster, market, tolerance):
    """A forecast does not depend on which other cutoffs are in the batch, up to ``tolerance`` (0: not by one bit)."""
    together = forecaster.predict(market.windows(TEST))
    for part in (
        range(TEST.start, TEST.start + 17),
        range(TEST.start + 17, TEST.stop),
        range(TEST.start, TEST.start + 1),
    ):
        expected = together[part.start - TEST.start : part.stop - TEST.start]
        np.testing.assert_allclose(forecaster.predict(market.windows(part)), expected, rtol=0, atol=tolerance)


def probe_restore(forecaster, settings, market):
    """State survives safetensors, and a fresh forecaster that restores it forecasts the same to the last bit."""
    saved = safetensors.numpy.save(forecaster.state())
    restored = type(forecaster)(settings, market.context)
    restored.restore(safetensors.numpy.load(saved))
    windows = market.windows(TEST)
    assert restored.predict(windows).tobytes() == forecaster.predict(windows).tobytes()


def probe_streams(kind, settings, market, stream, fitted=None):
    """Equal streams give equal bytes; other streams do exactly when the forecaster declares that seeds matter."""
    windows = market.windows(TEST)
    one = fitted or fit_once(kind, settings, market, stream)
    twin, another = (fit_once(kind, settings, market, chosen) for chosen in (stream, stream.child("other")))
    first, again, other = (forecaster.predict(windows).tobytes() for forecaster in (one, twin, another))
    assert first == again
    assert (first == other) is kind.deterministic


# The contract


@each_forecaster
@pytest.mark.parametrize("horizon", [1, 5])
def test_forecasts_are_one_finite_log_return_per_cutoff(name, horizon, trial, momentum, stream):
    if horizon == 1:
        forecaster, market = trial(name)
    else:
        market = momentum(BARS, context_length=CONTEXT, horizon=horizon)
        forecaster = fit_once(forecaster_class(name), settings_of(name), market, stream)
    forecasts = forecaster.predict(market.windows(TEST))
    assert forecasts.shape == (len(TEST),)
    assert forecasts.dtype == np.float64
    assert np.isfinite(forecasts).all()
    if name in set(FORECASTERS) - CONSTANT:
        assert len(np.unique(forecasts)) > (len(TEST) // 2 if name not in STEPWISE else 2)


@each_forecaster
def test_streams_matter_as_declared(name, trial, stream):
    fitted, market = trial(name)
    probe_streams(forecaster_class(name), settings_of(name), market, stream, fitted)


@each_forecaster
def test_the_future_never_changes_a_forecast(name, trial, stream):
    probe_future(*trial(name), stream)


@each_forecaster
def test_a_forecast_does_not_depend_on_its_batch(name, trial):
    forecaster, market = trial(name)
    # A matrix product sums in an order that depends on the batch: a network keeps its forecast up to float32 rounding.
    probe_batch(forecaster, market, tolerance=1e-6 * market.windows(TEST).target.scale if forecaster.trained else 0.0)


@each_forecaster
def test_state_restores_the_forecaster(name, trial):
    forecaster, market = trial(name)
    probe_restore(forecaster, settings_of(name), market)


@each_forecaster
def test_state_is_plain_numbers(name, trial):
    state = trial(name)[0].state()
    assert all(isinstance(value, np.ndarray) and value.dtype.kind in "fiu" for value in state.values())
    assert count_parameters(state) == sum(value.size for value in state.values())


@each_forecaster
def test_predicting_leaves_the_state_alone(name, trial):
    forecaster, market = trial(name)
    before = safetensors.numpy.save(forecaster.state())
    forecaster.predict(market.windows(TEST))
    assert safetensors.numpy.save(forecaster.state()) == before


@each_forecaster
def test_a_learning_curve_counts_its_epochs_and_only_training_has_one(name, learnt):
    forecaster, curve = learnt(name)
    assert [row.epoch for row in curve] == list(range(1, len(curve) + 1))
    assert bool(curve) is forecaster.trained
    assert all(np.isfinite([row.train_loss, row.validation_loss, row.learning_rate]).all() for row in curve)


@pytest.mark.parametrize("name", STATISTICAL)
def test_without_training_the_validation_part_is_not_read(name, momentum, stream):
    kind, market = forecaster_class(name), momentum(BARS, context_length=CONTEXT)
    elsewhere = kind(settings_of(name), market.context)
    elsewhere.fit(market.examples(TRAIN), market.examples(range(300, 340)), stream)
    usual = fit_once(kind, settings_of(name), market, stream)
    windows = market.windows(TEST)
    assert elsewhere.predict(windows).tobytes() == usual.predict(windows).tobytes()


@each_forecaster
def test_settings_have_no_defaults_and_refuse_unknown_keys(name):
    model = forecaster_settings()[name]
    assert model is forecaster_class(name).Settings
    assert [field for field, info in model.model_fields.items() if not info.is_required()] == []
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        model.model_validate({**settings_of(name), "surprise": 1})
    assert model.model_validate(settings_of(name)).model_dump() == settings_of(name)


@each_forecaster
def test_a_forecaster_declares_what_identifies_it(name):
    kind = forecaster_class(name)
    assert isinstance(kind.deterministic, bool)
    assert isinstance(kind.trained, bool)
    assert not (kind.trained and kind.deterministic)
    assert "numpy" in kind.libraries


@each_forecaster
def test_what_is_known_of_a_forecaster_before_it_is_imported_is_what_it_says(name):
    assert forecaster_facts(name) == Facts.of(forecaster_class(name))


def test_every_built_in_forecaster_is_tested():
    assert set(FACTS) == set(FORECASTERS)
    assert set(SETTINGS) == set(FORECASTERS)
    assert {param.values[0] for param in NAMES} == set(forecaster_settings()) >= set(FORECASTERS)


def test_no_forecaster_is_ever_handed_a_nan(momentum):
    market = momentum(BARS, context_length=CONTEXT)
    examples = market.examples(TEST)
    with pytest.raises(ValueError, match=r"label at cutoff .* is not finite"):
        dataclasses.replace(examples, y=np.where(np.arange(len(TEST)) == 7, np.nan, examples.y))
    X = examples.windows.X.copy()
    X[3, -1, 0] = np.nan
    with pytest.raises(ValueError, match=r"feature 0 is not finite at cutoff .*, 0 bars back"):
        dataclasses.replace(examples.windows, X=X)
    closes = market.closes.copy()
    closes[TEST.start] = np.nan
    with pytest.raises(ValueError, match=r"not finite|not a positive number"):
        dataclasses.replace(market, closes=closes).windows(TEST)


# Forecasters that are bad on purpose, so that the probes are believed


class Bad(Forecaster):
    """Fits a level and a noise scale; otherwise well behaved."""

    Settings = NoSettings
    deterministic = True

    def __init__(self, settings, context):
        self.level = self.slope = 0.0

    def fit(self, train, validation, stream):
        self.level, self.slope = train.y.mean(), 0.5
        return []

    def predict(self, windows):
        return self.level + self.slope * np.log(windows.recent_closes(2)[:, 1] / windows.recent_closes(2)[:, 0])

    def state(self):
        return {"level": np.array([self.level]), "slope": np.array([self.slope])}

    def restore(self, state):
        self.level, self.slope = float(state["level"][0]), float(state["slope"][0])


class PeeksAtTheNextRow(Bad):
    def predict(self, windows):
        closes = windows.last_close
        return np.log(np.append(closes[1:], closes[-1]) / closes)


class StandardisesOverTheBatch(Bad):
    def predict(self, windows):
        forecasts = super().predict(windows)
        return (forecasts - forecasts.mean()) / forecasts.std()


class ForgetsAWeight(Bad):
    def state(self):
        return {"level": np.array([self.level])}

    def restore(self, state):
        self.level = float(state["level"][0])


class IgnoresItsStream(Bad):
    deterministic = False


class DrawsInSecret(Bad):
    def fit(self, train, validation, stream):
        self.level, self.slope = stream.generator().normal(), 0.5
        return []


class DrawsWithoutItsStream(Bad):
    deterministic = False

    def fit(self, train, validation, stream):
        self.level, self.slope = np.random.default_rng().normal(), 0.5
        return []


@pytest.fixture
def bad(momentum, stream):
    market = momentum(BARS, context_length=CONTEXT)
    return lambda kind: (fit_once(kind, {}, market, stream), market)


def test_the_probes_pass_the_good_twin_of_the_bad_ones(bad, stream):
    forecaster, market = bad(Bad)
    probe_future(forecaster, market, stream)
    probe_batch(forecaster, market, tolerance=0.0)
    probe_restore(forecaster, {}, market)
    probe_streams(Bad, {}, market, stream)


@pytest.mark.parametrize("kind", [PeeksAtTheNextRow, StandardisesOverTheBatch])
def test_a_look_ahead_is_found(kind, bad, stream):
    forecaster, market = bad(kind)
    with pytest.raises(AssertionError, match="future replaced by noise"):
        probe_future(forecaster, market, stream)
    with pytest.raises(AssertionError, match="Not equal to tolerance"):
        probe_batch(forecaster, market, tolerance=1e-6)


def test_a_forgotten_weight_is_found(bad):
    forecaster, market = bad(ForgetsAWeight)
    with pytest.raises(AssertionError):
        probe_restore(forecaster, {}, market)


@pytest.mark.parametrize("kind", [IgnoresItsStream, DrawsInSecret, DrawsWithoutItsStream])
def test_a_false_declaration_about_seeds_is_found(kind, momentum, stream):
    with pytest.raises(AssertionError):
        probe_streams(kind, {}, momentum(BARS, context_length=CONTEXT), stream)
