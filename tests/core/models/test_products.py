"""The matrix product against PyTorch's own, in values, gradients and bytes."""

import math
import runpy
from types import SimpleNamespace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

from golden_core.models import products
from golden_core.models.architecture import VARIANTS
from golden_core.models.legacy import build
from golden_core.models.products import linear

torch.set_num_threads(1)


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def with_gradients(product, leaves, by):
    leaves = [value.clone().requires_grad_() for value in leaves]
    y = product(*leaves)
    return y.detach(), *torch.autograd.grad((y * by).sum(), leaves)


def double(*values):
    return [value.double() for value in values]


@given(
    rows=st.lists(st.integers(1, 9), min_size=1, max_size=3),
    inputs=st.integers(1, 40),
    outputs=st.integers(1, 40),
    seed=st.integers(0, 99),
)
def test_values_and_gradients_are_those_of_double_precision(rows, inputs, outputs, seed):
    """Up to the rounding of a sum of n products, at most n u Σ|ab| (Higham 2002, section 3.1)."""
    leaves, by = (
        [normal(*rows, inputs, seed=seed), normal(outputs, inputs, seed=seed + 1), normal(outputs, seed=2)],
        normal(*rows, outputs, seed=9),
    )
    ours = with_gradients(linear, leaves, by)
    exact = with_gradients(functional.linear, double(*leaves), by.double())
    size = with_gradients(functional.linear, [value.abs() for value in double(*leaves)], by.double().abs())
    count = math.prod(rows)
    for own, true, magnitude, terms in zip(ours, exact, size, (inputs + 1, outputs, count, count), strict=True):
        assert own.dtype == torch.float32
        assert ((own.double() - true).abs() <= 2**-24 * (terms + 1) * magnitude).all()


def test_any_layout_of_memory_gives_the_same_values():
    x, weight, bias = normal(6, 5, 7), normal(8, 7, seed=1), normal(8, seed=2)
    expected = linear(x, weight, bias)
    for same in (x.transpose(0, 1).contiguous().transpose(0, 1), x.flip(0).flip(0), normal(6, 5, 14)[..., ::2] * 0 + x):
        torch.testing.assert_close(linear(same, weight, bias), expected)
    torch.testing.assert_close(linear(x, weight.t().contiguous().t(), bias), expected)
    torch.testing.assert_close(linear(x[:1].expand(4, 5, 7), weight, bias), expected[:1].expand(4, 5, 8))


def test_the_same_bytes_every_time():
    leaves, by = [normal(5000, 3, 400), normal(768, 400, seed=1), normal(768, seed=2)], normal(5000, 3, 768, seed=9)
    first = with_gradients(linear, leaves, by)
    for _ in range(2):
        assert all(torch.equal(a, b) for a, b in zip(first, with_gradients(linear, leaves, by), strict=True))


def test_only_what_needs_a_gradient_gets_one():
    x, weight, bias = normal(4, 3).requires_grad_(), normal(2, 3), normal(2)
    (gradient,) = torch.autograd.grad(linear(x, weight, bias).sum(), [x])
    torch.testing.assert_close(gradient, weight.sum(dim=0).expand(4, 3))


def test_a_second_derivative_is_refused_rather_than_wrong():
    x = normal(4, 3).requires_grad_()
    (gradient,) = torch.autograd.grad(linear(x, normal(2, 3), normal(2)).pow(2).sum(), [x], create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        gradient.sum().backward()


def test_other_number_formats_are_left_to_pytorch(monkeypatch):
    monkeypatch.setattr(products._Linear, "apply", lambda *_: pytest.fail("not this way"))
    x, weight, bias = normal(4, 3), normal(2, 3), normal(2)
    assert linear(x.double(), weight.double(), bias.double()).dtype == torch.float64
    with torch.autocast("cpu", torch.bfloat16):
        assert linear(x, weight, bias).dtype == torch.bfloat16


def test_a_release_without_the_operator_uses_pytorchs_own_product(monkeypatch):
    x, weight, bias = normal(4, 3), normal(2, 3), normal(2)
    monkeypatch.setattr(torch.ops, "mkldnn", SimpleNamespace())
    as_there = runpy.run_path(products.__file__)
    assert torch.equal(as_there["linear"](x, weight, bias), functional.linear(x, weight, bias))


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_network_says_the_same_without_onednn(variant, monkeypatch):
    """Two float32 products differ in rounding: by 2e-6 of the outputs' range, as much as each from double precision."""
    network, x = build(variant, generator=torch.Generator().manual_seed(1)), normal(64, 3, 4)
    network(x)  # moves the running statistics off their starting values
    outputs = {}
    for onednn in (True, False):
        monkeypatch.setattr(products, "_ONEDNN", onednn)
        outputs["inference", onednn] = network.eval()(x).detach()
    for onednn in (True, False):
        monkeypatch.setattr(products, "_ONEDNN", onednn)
        outputs["training", onednn] = network.train()(x).detach()
    torch.testing.assert_close(outputs["inference", True], outputs["inference", False], rtol=0, atol=1e-6)
    ours, theirs = outputs["training", True], outputs["training", False]
    torch.testing.assert_close(ours, theirs, rtol=0, atol=2e-6 * (theirs.max() - theirs.min()).item())
