"""Starting values: bounds and moments as Keras documents them, and no randomness from anywhere else."""

import math

import pytest
import torch

from golden_core.models.architecture import VARIANTS
from golden_core.models.initialisers import attention_fans
from golden_core.models.legacy import build

torch.set_num_threads(1)


def network(variant, version="keras_3.15", seed=0):
    return build(variant, initialisers=version, generator=torch.Generator().manual_seed(seed))


def assert_uniform(weight, bound, tolerance=0.03):
    """All values within ±bound, the largest near it, and the standard deviation of a uniform distribution."""
    weight = weight.detach()
    assert weight.abs().max() <= bound
    assert weight.abs().max() > bound * 0.95
    assert float(weight.std()) == pytest.approx(bound / math.sqrt(3), rel=tolerance)


# √(6 / (fan_in + fan_out)), Glorot and Bengio (2010), equation 16; a convolution's fans are multiplied by its window.
def test_glorot_bounds():
    v08 = network("v08")
    assert_uniform(v08.head.hidden.weight, math.sqrt(6 / (192 + 256)))
    assert_uniform(v08.head.output.weight, math.sqrt(6 / (256 + 1)), tolerance=0.2)
    assert_uniform(v08.experts.weight_experts, math.sqrt(6 / (400 + 64)))
    assert_uniform(v08.experts.weight_gate, math.sqrt(6 / (400 + 12)))
    assert_uniform(v08.lstm.forward_input, 0.0862, tolerance=0.05)
    assert_uniform(v08.lstm.backward_input, 0.0862, tolerance=0.05)
    assert_uniform(v08.front.conv1.weight, math.sqrt(6 / (3 * 4 + 3 * 8)), tolerance=0.3)
    assert_uniform(v08.front.shortcut_conv.weight, math.sqrt(6 / (4 + 8)), tolerance=0.4)
    assert_uniform(network("v10").attention.scale, math.sqrt(3 / 400), tolerance=0.15)
    assert network("v09").front.attention1.scale.abs().max() <= math.sqrt(3 / 8)


# The bounds that the two versions of Keras draw with, for the shapes of the legacy variants.
@pytest.mark.parametrize(
    ("version", "shape", "into", "out"),
    [
        ("keras_3.15", (8, 3, 4), 0.5477, 0.5477),
        ("keras_3.15", (400, 6, 10), 0.1142, 0.1142),
        ("keras_3.8", (8, 3, 4), 0.3273, 0.4082),
        ("keras_3.8", (400, 6, 10), 0.0306, 0.0494),
    ],
)
def test_attention_bounds_by_keras_version(version, shape, into, out):
    fans = attention_fans(*shape, version)
    assert [math.sqrt(6 / sum(pair)) for pair in fans] == pytest.approx([into, out], abs=5e-5)


@pytest.mark.parametrize(("version", "into", "out"), [("keras_3.15", 0.1142, 0.1142), ("keras_3.8", 0.0306, 0.0494)])
def test_attention_kernels_keep_the_bounds_of_their_version(version, into, out):
    attention = network("v08", version).attention
    assert_uniform(attention.weight_qkv, into + 5e-5)
    assert_uniform(attention.weight_output, out + 5e-5)


def test_recurrent_kernels_are_orthonormal():
    lstm = network("v01").lstm.requires_grad_(False)
    for recurrent in (lstm.forward_recurrent, lstm.backward_recurrent):
        torch.testing.assert_close(recurrent.T @ recurrent, torch.eye(200), atol=1e-5, rtol=0)
        assert float(recurrent.std()) == pytest.approx(0.0353, abs=2e-4)
    assert not torch.allclose(lstm.forward_recurrent, lstm.backward_recurrent)


@pytest.mark.parametrize("variant", VARIANTS)
def test_biases_are_zero_except_the_forget_gate_and_normalisation_starts_as_the_identity(variant):
    for name, parameter in network(variant).named_parameters():
        if name.startswith("lstm.") and name.endswith("bias"):
            assert torch.equal(parameter, torch.cat([torch.full((200,), value) for value in (0.0, 1.0, 0.0, 0.0)]))
        elif "bias" in name:
            assert not parameter.any(), name
    state = network(variant).state_dict()
    prefixes = [name.removesuffix("running_var") for name in state if name.endswith("running_var")]
    assert prefixes
    for prefix in prefixes:
        assert (state[prefix + "weight"] == 1).all()
        assert (state[prefix + "running_var"] == 1).all()
        assert not state[prefix + "bias"].any()
        assert not state[prefix + "running_mean"].any()


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_generator_is_the_only_source_of_randomness(variant):
    before = torch.get_rng_state()
    same, again, other = network(variant), network(variant), network(variant, seed=1)
    assert torch.equal(torch.get_rng_state(), before)
    for name, parameter in same.named_parameters():
        assert torch.equal(parameter, dict(again.named_parameters())[name])
        if parameter.ndim > 1:
            assert parameter.any(), name  # no kernel was forgotten
            assert not torch.equal(parameter, dict(other.named_parameters())[name])
