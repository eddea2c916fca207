"""KerasAdamW against a hand-written oracle, and against torch's AdamW where the two must agree or differ."""

import numpy as np
import pytest
import torch
from support.adam import correction

from golden_core.training.optimiser import KerasAdamW, make_optimiser

RATES = [0.01, 0.01, 0.003, 0.003, 0.02, 0.0005, 0.01, 0.01]


def oracle(weights, gradients, rates, decay):
    """Return the weights after each step: decay first, then Adam with epsilon outside the corrected root."""
    w, m, v, path = weights.copy(), np.zeros_like(weights), np.zeros_like(weights), []
    for t, (g, rate) in enumerate(zip(gradients, rates, strict=True), start=1):
        w = w - w * decay * rate
        m = m + (g - m) * (1 - 0.9)
        v = v + (g**2 - v) * (1 - 0.999)
        w = w - rate * correction(t) * m / (np.sqrt(v) + 1e-7)
        path.append(w)
    return np.array(path)


def descend(optimiser, parameters, gradients, rates):
    """Step along given gradients; return the path of the flattened parameters."""
    path = []
    for gradient, rate in zip(gradients, rates, strict=True):
        optimiser.param_groups[0]["lr"] = rate
        position = 0
        for parameter in parameters:
            part = gradient[position : position + parameter.numel()]
            parameter.grad = torch.from_numpy(part.reshape(parameter.shape).copy())
            position += parameter.numel()
        optimiser.step()
        path.append(torch.cat([parameter.detach().flatten() for parameter in parameters]).numpy())
    return np.array(path)


def tensors(values):
    """Cut 12 numbers into a matrix, a vector and a scalar."""
    parts = (values[:8].reshape(4, 2), values[8:11], values[11])
    return [torch.nn.Parameter(torch.tensor(part)) for part in parts]


@pytest.fixture
def problem(stream):
    generator = stream.child("optimiser").generator()
    return generator.normal(size=12), generator.normal(size=(len(RATES), 12))


@pytest.mark.parametrize("decay", [0.0, 0.004, 0.5])
@pytest.mark.parametrize("scale", [1.0, 1e-7])
def test_every_step_equals_the_oracle(problem, decay, scale):
    weights, gradients = problem[0], problem[1] * scale
    parameters = tensors(weights)
    optimiser = KerasAdamW(parameters, lr=RATES[0], weight_decay=decay)
    path = descend(optimiser, parameters, gradients, RATES)
    np.testing.assert_allclose(path, oracle(weights, gradients, RATES, decay), rtol=0, atol=1e-13)


def test_it_agrees_with_torch_unless_gradients_are_as_small_as_epsilon(problem):
    weights, gradients = problem

    def difference(scale):
        paths = []
        for make in (KerasAdamW, torch.optim.AdamW):
            parameters = tensors(weights)
            extra = {"eps": 1e-7} if make is torch.optim.AdamW else {}
            optimiser = make(parameters, lr=0.01, weight_decay=0.004, **extra)
            paths.append(descend(optimiser, parameters, gradients * scale, RATES))
        return np.abs(paths[0] - paths[1]).max()

    assert difference(1.0) < 1e-5
    assert difference(1e-6) > 1e-3


def test_biases_are_decayed_too():
    bias = torch.nn.Parameter(torch.full((3,), 2.0, dtype=torch.float64))
    bias.grad = torch.zeros_like(bias)
    KerasAdamW([bias], lr=0.1, weight_decay=0.5).step()
    assert bias.tolist() == pytest.approx([2.0 * (1 - 0.05)] * 3)


def test_a_parameter_without_a_gradient_stays():
    used, unused = (torch.nn.Parameter(torch.ones(2)) for _ in range(2))
    used.grad = torch.ones(2)
    KerasAdamW([used, unused], lr=0.1, weight_decay=0.5).step()
    assert unused.tolist() == [1.0, 1.0]
    assert used.tolist() != [1.0, 1.0]


def test_a_closure_is_refused():
    with pytest.raises(ValueError, match="takes no closure"):
        KerasAdamW([torch.nn.Parameter(torch.ones(1))], lr=0.1, weight_decay=0.0).step(lambda: 0.0)


@pytest.mark.parametrize(("name", "kind"), [("adamw", torch.optim.AdamW), ("keras_adamw", KerasAdamW)])
def test_optimisers_by_name(name, kind):
    optimiser = make_optimiser(name, [torch.nn.Parameter(torch.ones(1))], lr=0.1, weight_decay=0.004)
    assert type(optimiser) is kind
    assert optimiser.param_groups[0]["lr"] == 0.1
    assert optimiser.param_groups[0]["weight_decay"] == 0.004
