"""The loss by hand: pinball beside the squared error, and a penalty that is the squared coefficient of variation."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from golden_core.models.blocks import Dense
from golden_core.training.objective import MEAN, Objective
from golden_core.training.trainer import predict, train

torch.set_num_threads(1)


def test_one_output_is_held_against_the_mean_alone():
    outputs, y = torch.tensor([1.0, 2.0]), torch.tensor([0.0, 4.0])
    assert MEAN.loss(outputs, y).item() == 2.5
    assert MEAN.loss(outputs, y) == functional.mse_loss(outputs, y)


def test_pinball_by_hand():
    # Mean 1 against 3: 4. Quantiles 2 and 5 at 0.1 and 0.9: 0.1 · 1 and 0.1 · 2, on average 0.15.
    outputs, y = torch.tensor([[1.0, 2.0, 5.0]]), torch.tensor([3.0])
    assert Objective((0.1, 0.9)).loss(outputs, y).item() == pytest.approx(4.15)
    assert Objective().loss(outputs, y).item() == pytest.approx(4.0)  # what follows the levels is not a forecast


def test_the_penalty_is_the_squared_coefficient_of_variation():
    generator = np.random.default_rng(0)
    gates = generator.dirichlet(np.ones(4), size=64)
    load = gates.mean(axis=0)
    outputs = torch.from_numpy(np.column_stack([np.zeros((64, 3)), gates]))
    penalty = Objective((0.4, 0.6), balance=0.5).penalty(outputs).item()
    assert penalty == pytest.approx(0.5 * (load.std() / load.mean()) ** 2)
    even, alone = torch.full((8, 5), 0.25), torch.tensor([[0.0, 1.0, 0.0, 0.0, 0.0]] * 8)
    assert Objective(balance=1.0).penalty(even).item() == pytest.approx(0.0, abs=1e-6)
    assert Objective(balance=1.0).penalty(alone).item() == pytest.approx(3.0)


class Constant(nn.Module):
    """Three numbers that depend on nothing, [B, 4, 2] → [B, 3]."""

    def __init__(self):
        super().__init__()
        self.dense = Dense(1, 3)

    def forward(self, x):
        return self.dense(torch.zeros_like(x[:, 0, :1]))


def test_fitted_quantiles_are_those_of_the_targets(examples, training, stream):
    held = examples(400)
    module = Constant()
    budget = training(epochs=150, batch_size=100, plateau=None)
    curve = train(module, held, held, budget, stream, Objective((0.1, 0.8)))
    found = predict(module, held.windows.X)
    assert found.shape == (400, 3)
    y = held.standardised
    assert found[0] == pytest.approx([y.mean(), *np.quantile(y, [0.1, 0.8])], abs=0.05)
    errors = y[:, None] - found[0, 1:]
    pinball = np.maximum(np.array([0.1, 0.8]) * errors, np.array([-0.9, -0.2]) * errors)
    assert curve[-1].validation_loss == pytest.approx(y.var() + np.mean(pinball), rel=0.02)


def test_a_learning_curve_leaves_the_penalty_out(examples, training, stream):
    curves = [
        train(Constant(), examples(64), examples(64), training(epochs=1, learning_rate=1e-12), stream, objective)
        for objective in (Objective(), Objective(balance=100.0))
    ]
    assert curves[0] == curves[1]
