"""Training steps against what Keras recorded, against hand derivations, and against their own noise."""

import functools
import tempfile
from pathlib import Path

import numpy as np
import pytest
import torch
from support.keras_record import SETTINGS as STEPS
from support.keras_record import record, windows, write_record_weights
from torch.nn import functional

from golden_core.legacy.keras_checkpoint import load_keras_checkpoint
from golden_core.legacy.parity import replay_steps
from golden_core.models.architecture import VARIANTS
from golden_core.models.legacy import build
from golden_core.training.optimiser import KerasAdamW
from golden_core.training.trainer import TrainingError

torch.set_num_threads(1)

KERAS = {"learning_rate": 1e-3, "weight_decay": 0.004}
# Biases that a batch normalisation follows, or a softmax over keys: the loss does not depend on them.
WITHOUT_GRADIENT = {
    **{"front.conv1.bias": slice(None), "front.conv2.bias": slice(None), "front.shortcut_conv.bias": slice(None)},
    **{"front.attention1.bias_output": slice(None), "front.attention2.bias_output": slice(None)},
    **{"front.attention1.bias_qkv": slice(12, 36), "front.attention2.bias_qkv": slice(12, 36)},
    **{"attention.bias_output": slice(None), "attention.bias_qkv": slice(16, 48), "head.hidden.bias": slice(None)},
}


def data(count=64, seed=1):
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(count, 3, 4, generator=generator)
    return x.numpy(), (x[:, -1, 3] + 0.1 * torch.randn(count, generator=generator)).numpy()


def network(variant, seed=0):
    module = build(variant, generator=torch.Generator().manual_seed(seed))
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            if "bias" in name:
                parameter.normal_(0, 0.3, generator=torch.Generator().manual_seed(len(name)))
    return module


# ---------------------------------------------------------------------------------------------- against Keras' record


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_replay_equals_keras_in_float64(variant):
    losses, outputs, expected = replayed(variant)
    assert losses == pytest.approx(expected["losses"], rel=2e-5)  # measured: 1e-6 … 9e-6
    theirs = expected["outputs_after"]
    assert np.abs(outputs - theirs).max() <= 2e-5 * np.ptp(theirs)  # measured: 6e-7 … 4e-6


def test_keras_in_float32_is_no_nearer_to_itself_than_the_replay_is_to_it():
    """Two ways in which Keras takes the same steps, op by op and compiled, against the replay: ten variants each."""
    to_itself, to_replay = [], []
    for variant in VARIANTS:
        _, outputs, expected = replayed(variant)
        one, other = expected["outputs_after_float32"], expected["outputs_after_graph"]
        to_itself.append(np.abs(one - other).max() / np.ptp(one))
        to_replay.append(np.mean([np.abs(outputs - y).max() / np.ptp(y) for y in (one, other)]))
    assert np.mean(np.log(to_replay)) < np.mean(np.log(to_itself))
    assert max(to_itself) > 1e-3


@functools.cache
def replayed(variant):
    """Return the losses and final outputs of the recorded steps, and what Keras recorded of them."""
    with tempfile.TemporaryDirectory() as folder:
        model = load_keras_checkpoint(variant, write_record_weights(Path(folder) / "model.weights.h5", variant))
    x_train, y_train, x = windows(variant)
    losses = replay_steps(model, x_train, y_train, **STEPS)
    with torch.no_grad():
        return losses, model.double()(torch.from_numpy(x).double()).numpy(), record(variant)


def float32_steps(model, x, y, steps, learning_rate, weight_decay):
    optimiser = KerasAdamW(model.parameters(), lr=learning_rate, weight_decay=weight_decay)
    for _ in range(steps):
        optimiser.zero_grad()
        functional.mse_loss(model(torch.from_numpy(x)), torch.from_numpy(y)).backward()
        optimiser.step()


# ------------------------------------------------------------------------------------------------- by hand


def test_moving_statistics_follow_the_biased_variance():
    x, y = data(count=7)
    model = network("v01")
    rows = model.front.conv1(torch.from_numpy(x)).detach().reshape(-1, 8).double().numpy()
    replay_steps(model, x, y, steps=1, **KERAS)
    np.testing.assert_allclose(model.front.norm1.running_mean, 0.01 * rows.mean(axis=0), rtol=1e-5, atol=1e-8)
    np.testing.assert_allclose(model.front.norm1.running_var, 0.99 + 0.01 * rows.var(axis=0), rtol=1e-6)


def test_biases_without_a_gradient_only_decay():
    """In float64 they stay where Keras' arithmetic would leave them without rounding; in float32 they wander."""
    x, y = data()
    exact, rounded, before = network("v06"), network("v06"), dict(network("v06").named_parameters())
    replay_steps(exact, x, y, steps=5, **KERAS)
    float32_steps(rounded.train(), x, y, 5, **KERAS)
    wandered = {}
    for name, part in WITHOUT_GRADIENT.items():
        decayed = before[name][part] * (1 - KERAS["learning_rate"] * KERAS["weight_decay"]) ** 5
        torch.testing.assert_close(dict(exact.named_parameters())[name][part], decayed, rtol=1e-6, atol=2e-7)
        wandered[name] = float((dict(rounded.named_parameters())[name][part] - decayed).abs().max().detach())
    assert min(wandered.values()) > 1e-6
    assert max(wandered.values()) > 2e-5


# -------------------------------------------------------------------------------------------------------- the contract


def test_the_model_is_updated_in_place_and_keeps_its_precision_and_its_state():
    model = network("v02")
    names, parameters = list(model.state_dict()), list(model.parameters())
    before = [parameter.detach().clone() for parameter in parameters]
    losses = replay_steps(model, *data(), steps=3, **KERAS)
    assert losses.shape == (3,)
    assert list(model.state_dict()) == names
    assert all(ours is theirs for ours, theirs in zip(parameters, model.parameters(), strict=True))
    assert all(p.dtype == torch.float32 and not torch.equal(p, old) for p, old in zip(parameters, before, strict=True))
    assert not model.training


def test_the_first_loss_is_that_of_the_untouched_model_in_training_mode():
    x, y = data()
    model = network("v03").train().double()
    expected = functional.mse_loss(model(torch.from_numpy(x).double()), torch.from_numpy(y).double()).item()
    assert replay_steps(network("v03"), x, y, steps=1, **KERAS)[0] == pytest.approx(expected, rel=1e-12)


def test_targets_may_be_a_column():
    x, y = data()
    column, row = (replay_steps(network("v01"), x, shape, steps=2, **KERAS) for shape in (y[:, None], y))
    assert np.array_equal(column, row)


def test_a_loss_that_is_not_finite_ends_the_replay():
    x, y = data()
    y[3] = np.nan
    model = network("v01")
    with pytest.raises(TrainingError, match="the loss is nan before step 1"):
        replay_steps(model, x, y, steps=3, **KERAS)
    assert next(model.parameters()).dtype == torch.float32
