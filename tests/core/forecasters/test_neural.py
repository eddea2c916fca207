"""Forecasters that train a network: what is theirs beyond the contract that every forecaster is held to."""

import dataclasses

import numpy as np
import pytest
import torch

from golden_core.forecasters import forecaster_class
from golden_core.forecasters.base import Context, Epoch, FitError, count_parameters
from golden_core.forecasters.neural import V01, V08, DLinearForecaster, LegacyForecaster
from golden_core.inputs.windows import Target
from golden_core.models.architecture import VARIANTS
from golden_core.models.blocks import NO_BFLOAT16
from golden_core.training import trainer

torch.set_num_threads(1)

LEGACY = {"gate": "linear", "initialisers": "keras_3.8"}
TRAIN, VALIDATION, TEST = range(40, 240), range(245, 285), range(290, 350)


@pytest.fixture
def deterministic():
    """Torch as a trial runs it: an operation without a deterministic form is an error."""
    torch.use_deterministic_algorithms(True)
    yield
    torch.use_deterministic_algorithms(False)


@pytest.fixture(scope="module")
def small(walk):
    """A market with a short context, to be quick."""
    return walk(360, context_length=5)


def fit(kind, settings, market, stream, **changes):
    training = market.context.training.model_copy(update=changes)
    forecaster = kind(settings, dataclasses.replace(market.context, training=training))
    curve = forecaster.fit(market.examples(TRAIN), market.examples(VALIDATION), stream)
    return forecaster, curve


@pytest.mark.usefixtures("deterministic")
@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_every_variant_trains_deterministically(variant, precision, small, stream):
    kind = forecaster_class(variant)
    assert issubclass(kind, LegacyForecaster)
    assert (kind.__name__, kind.variant) == (variant.upper(), variant)
    try:
        forecaster, curve = fit(kind, LEGACY, small, stream, precision=precision, epochs=1)
    except RuntimeError as error:
        if precision != "bfloat16" or NO_BFLOAT16 not in str(error):
            raise
        pytest.skip(NO_BFLOAT16)
    assert len(curve) == 1
    assert isinstance(curve[0], Epoch)
    assert np.isfinite(forecaster.predict(small.windows(TEST))).all()


def test_the_state_of_v08_on_legacy_windows_is_table_ii():
    # 796,641 parameters: Table II of the publication of the legacy experiments.
    context = Context(3, ("open", "high", "low", "close"), 1, training=None)
    forecaster = V08(LEGACY, context)
    zeros = {name: value.numpy() for name, value in forecaster.network(None).state_dict().items()}
    forecaster.restore(zeros)
    assert count_parameters(forecaster.state()) == 796_641


def test_restoring_is_exact_and_copies(small, stream):
    fitted, _ = fit(V01, LEGACY, small, stream, epochs=1)
    state = fitted.state()
    for values in state.values():
        values.flags.writeable = False  # as arrays from a file may be
    restored = V01(LEGACY, small.context)
    restored.restore(state)
    windows = small.windows(TEST)
    assert restored.predict(windows).tobytes() == fitted.predict(windows).tobytes()
    fitted.fit(small.examples(TRAIN), small.examples(VALIDATION), stream.child("again"))
    again = V01(LEGACY, small.context)
    again.restore(state)
    assert again.predict(windows).tobytes() == restored.predict(windows).tobytes()


def test_a_state_of_another_network_is_refused(small, stream):
    state = fit(DLinearForecaster, {"moving_average": 3, "epochs": None}, small, stream)[0].state()
    with pytest.raises(RuntimeError, match="Missing key"):
        V01(LEGACY, small.context).restore(state)


def test_starting_values_come_from_their_own_stream(small, stream):
    """With a vanishing learning rate, what is forecast is what was drawn."""
    settings = {"moving_average": 3, "epochs": None}
    forecaster, _ = fit(DLinearForecaster, settings, small, stream, learning_rate=1e-30, epochs=1)
    drawn = forecaster.network(torch.Generator().manual_seed(stream.child("init").integer())).state_dict()
    for name, values in forecaster.state().items():
        assert np.array_equal(values, drawn[name].numpy())


def test_settings_choose_the_gate_and_the_bounds(small):
    softmax = V08({"gate": "softmax", "initialisers": "keras_3.8"}, small.context)
    assert softmax.network(None).experts.gate == "softmax"
    assert V08(LEGACY, small.context).network(None).experts.gate == "linear"

    def widest(version):
        network = V08({"gate": "linear", "initialisers": version}, small.context).network(torch.Generator())
        return network.attention.weight_qkv.abs().max().item()

    assert widest("keras_3.8") < 0.031 < 0.11 < widest("keras_3.15")


def test_a_price_target_is_forecast_as_a_log_return(small, stream):
    def priced(examples):
        closes = examples.windows.last_close
        target = Target("close", mean=float(closes.mean()), scale=float(closes.std()))
        return dataclasses.replace(examples, windows=dataclasses.replace(examples.windows, target=target))

    forecaster = DLinearForecaster({"moving_average": 3, "epochs": None}, small.context)
    train = priced(small.examples(TRAIN))
    forecaster.fit(train, priced(small.examples(VALIDATION)), stream)
    outputs = trainer.predict(forecaster._fitted(), train.windows.X).astype(float)
    prices = outputs * train.windows.target.scale + train.windows.target.mean
    np.testing.assert_allclose(forecaster.predict(train.windows), np.log(prices / train.windows.last_close))


@pytest.mark.parametrize("kind", [V01, DLinearForecaster])
def test_a_network_that_knows_nothing_says_so(kind, small):
    settings = LEGACY if kind is V01 else {"moving_average": 3, "epochs": None}
    for ask in (
        kind(settings, small.context).state,
        lambda: kind(settings, small.context).predict(small.windows(TEST)),
    ):
        with pytest.raises(RuntimeError, match="knows nothing yet: call fit or restore first"):
            ask()


def test_too_few_windows_and_an_even_moving_average_are_refused(small, stream):
    forecaster = V01(LEGACY, small.context)
    with pytest.raises(FitError, match=r"2 training windows and 1 validation window at least, there are 1 and 40"):
        forecaster.fit(small.examples(range(40, 41)), small.examples(VALIDATION), stream)
    with pytest.raises(ValueError, match="must be odd, got 4"):
        fit(DLinearForecaster, {"moving_average": 4, "epochs": None}, small, stream)


@pytest.mark.parametrize("scale", [0.006, 0.0])
def test_a_constant_series_is_refused(scale, small, market, stream):
    still = market(np.full(360, 1.1), context_length=5)

    def examples(rows):
        found = still.examples(rows)
        target = dataclasses.replace(found.windows.target, scale=scale)
        return dataclasses.replace(found, windows=dataclasses.replace(found.windows, target=target))

    with pytest.raises(FitError, match="nothing to learn from a constant series"):
        V01(LEGACY, still.context).fit(examples(TRAIN), examples(VALIDATION), stream)


def test_a_diverging_loss_is_a_fit_error_and_leaves_no_network(small, stream):
    training = small.context.training.model_copy(update={"learning_rate": 1e25})
    forecaster = DLinearForecaster(
        {"moving_average": 3, "epochs": None}, dataclasses.replace(small.context, training=training)
    )
    with pytest.raises(FitError, match=r"loss is inf in epoch 1, at learning rate 1e\+25: lower training"):
        forecaster.fit(small.examples(TRAIN), small.examples(VALIDATION), stream)
    with pytest.raises(RuntimeError, match="knows nothing yet"):
        forecaster.state()
