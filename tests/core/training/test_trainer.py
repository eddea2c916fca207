"""The loop: what it computes, that it is repeatable, what it looks at, and how it fails."""

import dataclasses

import numpy as np
import pytest
import torch
from support.adam import correction
from torch import nn
from torch.nn import functional

from golden_core.models.blocks import BatchNorm, Dense
from golden_core.study import EarlyStopping, Plateau
from golden_core.training import trainer
from golden_core.training.trainer import TrainingError, predict, train

torch.set_num_threads(1)


class Linear(nn.Module):
    """The smallest network: [B, 4, 2] → [B]."""

    def __init__(self, normalised=False):
        super().__init__()
        self.norm = BatchNorm(8) if normalised else nn.Identity()
        self.dense = Dense(8, 1)

    def forward(self, x):
        return self.dense(self.norm(x.flatten(1))).squeeze(-1)


def weights(module):
    return torch.cat([value.flatten() for value in module.state_dict().values()]).numpy().copy()


def loss_of(module, examples):
    return float(np.mean((predict(module, examples.windows.X) - examples.standardised) ** 2))


def test_a_linear_relation_is_learned(examples, training, stream):
    module = Linear()
    curve = train(module, examples(400), examples(100, "validation"), training(epochs=30), stream)
    assert curve[0].validation_loss > 0.3
    assert curve[-1].validation_loss == pytest.approx(0.01, abs=0.01)  # the variance of the noise
    last_bar_first_feature = module.dense.weight[0, 6].item()
    assert last_bar_first_feature == pytest.approx(1, abs=0.05)


def test_steps_equal_an_oracle_in_numpy(examples, training, stream):
    held = examples(32)
    module = Linear()
    curve = train(module, held, held, training(epochs=3, batch_size=32, shuffle=False, weight_decay=0.1), stream)
    X = np.column_stack([held.windows.X.reshape(32, 8).astype(np.float64), np.ones(32)])
    y = held.standardised.astype(np.float64)
    w, m, v, losses = np.zeros(9), np.zeros(9), np.zeros(9), []
    for t in (1, 2, 3):
        residual = X @ w - y
        losses.append(np.mean(residual**2))
        gradient = 2 * X.T @ residual / 32
        w = w * (1 - 0.1 * 0.01)
        m, v = 0.9 * m + 0.1 * gradient, 0.999 * v + 0.001 * gradient**2
        w = w - 0.01 * correction(t) * m / (np.sqrt(v) + 1e-7)
    assert [epoch.train_loss for epoch in curve] == pytest.approx(losses, rel=1e-5)
    np.testing.assert_allclose(weights(module), np.append(w[8], w[:8])[[*range(1, 9), 0]], rtol=1e-4, atol=1e-7)
    assert curve[-1].validation_loss == pytest.approx(np.mean((X @ w - y) ** 2), rel=1e-5)


def test_the_training_loss_weighs_batches_by_size(examples, training, stream):
    held = examples(37)  # 16 + 16 + 5
    curve = train(Linear(), held, held, training(epochs=1, learning_rate=1e-12), stream)
    assert curve[0].train_loss == pytest.approx(float(np.mean(held.standardised.astype(np.float64) ** 2)), rel=1e-6)


def test_a_last_batch_of_one_window_is_no_error(examples, training, stream):
    held = examples(33)
    assert train(Linear(normalised=True), held, held, training(epochs=1), stream)


def test_equal_streams_give_equal_bits_and_other_streams_other_batches(examples, training, stream):
    def fit(chosen, **changes):
        module = Linear()
        curve = train(module, examples(80), examples(20, "validation"), training(**changes), chosen)
        return weights(module).tobytes(), curve

    assert fit(stream) == fit(stream)
    assert fit(stream)[0] != fit(stream.child("other"))[0]
    assert fit(stream, shuffle=False) == fit(stream.child("other"), shuffle=False)


def test_every_window_is_used_once_per_epoch_in_a_new_order(examples, training, stream):
    held, seen = examples(40), []

    class Spy(Linear):
        def forward(self, x):
            if self.training:
                seen.append(x[:, 0, 0].detach().clone())
            return super().forward(x)

    train(Spy(), held, held, training(epochs=2), stream)
    first, second = torch.cat(seen[:3]).numpy(), torch.cat(seen[3:]).numpy()
    for epoch in (first, second):
        assert sorted(epoch) == sorted(held.windows.X[:, 0, 0])
    assert list(first) != list(second)


def test_the_validation_part_never_reaches_a_gradient(examples, training, stream):
    def fit(validation):
        module = Linear()
        train(module, examples(80), validation, training(), stream)
        return weights(module).tobytes()

    assert fit(examples(20, "validation")) == fit(examples(50, "other", noise=9.0))


def test_validation_is_in_inference_mode_and_after_the_epoch(examples, training, stream):
    module, held_out = Linear(normalised=True), examples(50, "validation")
    curve = train(module, examples(80), held_out, training(epochs=2), stream)
    assert not module.training
    assert curve[-1].validation_loss == pytest.approx(loss_of(module, held_out), rel=1e-6)
    module.train()
    in_training_mode = functional.mse_loss(
        module(torch.tensor(held_out.windows.X)), torch.tensor(held_out.standardised)
    ).item()
    assert curve[-1].validation_loss != pytest.approx(in_training_mode, rel=1e-3)


OVERSHOOTING = {"learning_rate": 0.7, "epochs": 6, "batch_size": 80}


@pytest.mark.parametrize("best", [True, False])
def test_the_best_epoch_is_kept_even_if_training_was_not_stopped(examples, training, stream, best):
    held_out = examples(30, "validation")
    rule = EarlyStopping(patience=12, min_delta=0.0, restore_best=best)
    module = Linear(normalised=True)
    curve = train(module, examples(80), held_out, training(**OVERSHOOTING, early_stopping=rule), stream)
    losses = [epoch.validation_loss for epoch in curve]
    assert len(curve) == 6
    assert losses[-1] > min(losses)  # or the test shows nothing
    assert loss_of(module, held_out) == pytest.approx(min(losses) if best else losses[-1], rel=1e-6)


def test_training_stops_when_patience_runs_out(examples, training, stream):
    rule = EarlyStopping(patience=2, min_delta=1e9, restore_best=True)
    assert len(train(Linear(), examples(40), examples(20), training(epochs=9, early_stopping=rule), stream)) == 3


def test_the_rate_of_each_epoch_is_the_schedules(examples, training, stream):
    rule = Plateau(factor=0.1, patience=1, min_delta=1e9, threshold="absolute", min_learning_rate=1e-5)
    module = Linear()
    curve = train(module, examples(40), examples(20), training(epochs=6, plateau=rule), stream)
    assert [epoch.learning_rate for epoch in curve] == pytest.approx([1e-2, 1e-2, 1e-3, 1e-4, 1e-5, 1e-5])
    assert [epoch.epoch for epoch in curve] == [1, 2, 3, 4, 5, 6]


@pytest.fixture
def steps(monkeypatch):
    """Note the learning rate and the norm of the gradient of every step."""
    seen, make = [], trainer.make_optimiser

    def spied(name, parameters, **settings):
        parameters = list(parameters)
        optimiser = make(name, parameters, **settings)
        norm = lambda: torch.cat([p.grad.flatten() for p in parameters]).norm().item()  # noqa: E731
        optimiser.register_step_pre_hook(lambda *_: seen.append((optimiser.param_groups[0]["lr"], norm())))
        return optimiser

    monkeypatch.setattr(trainer, "make_optimiser", spied)
    return seen


def test_the_optimiser_uses_the_rate_that_the_curve_reports(examples, training, stream, steps):
    rule = Plateau(factor=0.1, patience=1, min_delta=1e9, threshold="absolute", min_learning_rate=0.0)
    curve = train(Linear(), examples(32), examples(20), training(epochs=4, plateau=rule), stream)
    assert [rate for rate, _ in steps] == [epoch.learning_rate for epoch in curve for _ in range(2)]


@pytest.mark.parametrize("limit", [None, 0.5])
def test_gradients_are_clipped_to_the_limit(examples, training, stream, monkeypatch, limit):
    norms = []

    def spied(name, parameters, **settings):
        parameters = list(parameters)
        optimiser = make(name, parameters, **settings)
        optimiser.register_step_pre_hook(
            lambda *_: norms.append(torch.cat([p.grad.flatten() for p in parameters]).norm().item())
        )
        return optimiser

    make = trainer.make_optimiser
    monkeypatch.setattr(trainer, "make_optimiser", spied)
    train(Linear(), examples(32), examples(20), training(epochs=1, gradient_clip=limit), stream)
    assert norms[0] > 1 if limit is None else max(norms) <= 0.5 + 1e-5


def test_reduced_precision_is_for_training_steps_only(examples, training, stream):
    modules = [Linear(normalised=True), Linear(normalised=True)]
    for module, precision in zip(modules, ("float32", "bfloat16"), strict=True):
        train(module, examples(80), examples(20), training(epochs=2, precision=precision), stream)
    exact, reduced = map(weights, modules)
    assert exact.tobytes() != reduced.tobytes()
    np.testing.assert_allclose(exact, reduced, atol=0.05)
    assert all(parameter.dtype == torch.float32 for parameter in modules[1].parameters())
    assert predict(modules[1], examples(20).windows.X).dtype == np.float32


@pytest.mark.parametrize("part", ["training", "validation"])
def test_a_loss_that_is_not_finite_names_the_epoch_and_the_way_out(examples, training, stream, part):
    class Broken(Linear):
        def forward(self, x):
            wrong = self.training == (part == "training")
            return super().forward(x) + (float("nan") if wrong else 0.0)

    with pytest.raises(TrainingError, match=rf"the {part} loss is nan in epoch 1, at learning rate 0\.01: lower"):
        train(Broken(), examples(40), examples(20), training(), stream)


def test_divergence_is_found_in_the_epoch_in_which_it_happens(examples, training, stream):
    settings = training(learning_rate=1e25, batch_size=20, epochs=5)
    with pytest.raises(TrainingError, match=r"loss is inf in epoch \d"):
        train(Linear(), examples(40), examples(20), settings, stream)


def test_prediction_goes_in_batches_that_change_nothing(examples, monkeypatch):
    module = Linear()
    nn.init.normal_(module.dense.weight, generator=torch.Generator().manual_seed(0))
    X = examples(100).windows.X
    whole = predict(module, X)
    monkeypatch.setattr(trainer, "INFERENCE_BATCH", 7)
    np.testing.assert_allclose(predict(module, X), whole, rtol=1e-5, atol=1e-6)
    assert whole.shape == (100,)


def test_inputs_are_read_only_and_stay_so(examples, training, stream):
    held = examples(40)
    assert not held.windows.X.flags.writeable
    before = held.windows.X.copy()
    train(Linear(), held, dataclasses.replace(held), training(epochs=1), stream)
    assert np.array_equal(held.windows.X, before)
