"""Every block against a second, slow implementation: loops over steps, heads and experts, one product at a time."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from support.examples import few
from torch import nn

from golden_core.models.blocks import (
    EPSILON,
    AdditiveAttention,
    BatchNorm,
    BidirectionalLSTM,
    Convolution,
    DotAttention,
    MixtureOfExperts,
    MultiHeadAttention,
)
from golden_core.models.legacy import build

torch.set_num_threads(1)

shapes = st.tuples(st.integers(1, 4), st.integers(1, 6), st.integers(1, 5))  # B, L, C


def randomised(module, seed=0):
    generator = torch.Generator().manual_seed(seed)
    for parameter in module.parameters():
        nn.init.normal_(parameter, generator=generator)
    for name, buffer in module.named_buffers():
        nn.init.uniform_(buffer, 0.5 if name.endswith("var") else -1, 2, generator=generator)
    return module.double().eval()


def normal(*shape, seed=1):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def plain_convolution(block, x):
    half, weight = block.kernel // 2, block.weight.view(len(block.bias), block.kernel, -1)
    y = block.bias.expand(len(x), x.shape[1], -1).clone()
    for step in range(x.shape[1]):
        for tap in range(block.kernel):
            if 0 <= step + tap - half < x.shape[1]:
                y[:, step] += x[:, step + tap - half] @ weight[:, tap].T
    return y


def plain_lstm(block, x):
    def one_way(steps, kernel, recurrent, bias):
        h = c = x.new_zeros(len(x), block.units)
        states = {}
        for step in steps:
            i, f, g, o = (x[:, step] @ kernel.T + h @ recurrent.T + bias).split(block.units, dim=1)
            c = f.sigmoid() * c + i.sigmoid() * g.tanh()
            h = o.sigmoid() * c.tanh()
            states[step] = h
        return torch.stack([states[step] for step in sorted(states)], dim=1)

    steps = range(x.shape[1])
    there = one_way(steps, block.forward_input, block.forward_recurrent, block.forward_bias)
    back = one_way(steps[::-1], block.backward_input, block.backward_recurrent, block.backward_bias)
    return torch.cat([there, back], dim=2)


def plain_dot(_, x):
    return torch.stack([torch.softmax(window @ window.T, dim=1) @ window for window in x])


def plain_additive(block, x):
    def attend(window, query):
        scores = torch.stack([(block.scale * torch.tanh(query + key)).sum() for key in window])
        return torch.softmax(scores, dim=0) @ window

    return torch.stack([torch.stack([attend(window, query) for query in window]) for window in x])


def plain_multi_head(block, x):
    query, key, value = (x @ w.T + b for w, b in zip(block.weight_qkv.chunk(3), block.bias_qkv.chunk(3), strict=True))
    contexts = []
    for head in range(block.heads):
        part = slice(head * block.key_dimension, (head + 1) * block.key_dimension)
        scores = query[..., part] @ key[..., part].transpose(1, 2) / math.sqrt(block.key_dimension)
        contexts.append(torch.softmax(scores, dim=-1) @ value[..., part])
    return torch.cat(contexts, dim=-1) @ block.weight_output.T + block.bias_output


def plain_experts(block, x):
    gate = x @ block.weight_gate.T + block.bias_gate
    if block.gate == "softmax":
        gate = gate.exp() / gate.exp().sum(dim=-1, keepdim=True)
    total = 0.0
    for expert in range(block.experts):
        own = slice(expert * block.units, (expert + 1) * block.units)
        z = x @ block.weight_experts[own].T + block.bias_experts[own]
        total = total + gate[..., expert : expert + 1] * torch.where(z > 0, z, block.slope * z)
    return total


BLOCKS = {
    "convolution": (lambda c: Convolution(c, 3, 3), plain_convolution),
    "shortcut": (lambda c: Convolution(c, 3, 1), plain_convolution),
    "lstm": (lambda c: BidirectionalLSTM(c, 4), plain_lstm),
    "dot": (lambda c: DotAttention(), plain_dot),
    "additive": (AdditiveAttention, plain_additive),
    "multi_head": (lambda c: MultiHeadAttention(c, 3, 2), plain_multi_head),
    "experts": (lambda c: MixtureOfExperts(c, 5, 3, 0.01, "linear"), plain_experts),
    "softmax_experts": (lambda c: MixtureOfExperts(c, 5, 3, 0.01, "softmax"), plain_experts),
}
PLAIN = {
    Convolution: plain_convolution, BidirectionalLSTM: plain_lstm, DotAttention: plain_dot,
    AdditiveAttention: plain_additive, MultiHeadAttention: plain_multi_head, MixtureOfExperts: plain_experts,
}  # fmt: skip


@pytest.mark.parametrize("name", BLOCKS)
@few(10)
@given(shape=shapes)
def test_a_block_and_its_gradients_equal_the_plain_implementation(name, shape):
    make, plain = BLOCKS[name]
    block = randomised(make(shape[2]))
    x = normal(*shape).requires_grad_()
    leaves = [x, *block.parameters()]
    fast, slow = block(x), plain(block, x)
    torch.testing.assert_close(fast, slow, rtol=1e-10, atol=1e-10)
    weights = normal(*fast.shape, seed=2)
    ours, theirs = (torch.autograd.grad((y * weights).sum(), leaves) for y in (fast, slow))
    torch.testing.assert_close(ours, theirs, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("variant", ["v01", "v02", "v06", "v08", "v09"])
def test_a_whole_network_of_plain_blocks_gives_the_same_outputs_in_float32(variant):
    network = build(variant, generator=torch.Generator().manual_seed(3)).eval()
    x = normal(8, 3, 4).float()
    with torch.no_grad():
        fast = network(x)
        for block in network.modules():
            if type(block) in PLAIN:
                block.forward = PLAIN[type(block)].__get__(block)
        torch.testing.assert_close(fast, network(x), rtol=0, atol=1e-6)


@pytest.mark.parametrize("shape", [(6, 5), (4, 3, 5)])
def test_batch_norm_normalises_and_tracks_with_the_biased_variance(shape):
    norm = BatchNorm(5).double()
    nn.init.normal_(norm.weight), nn.init.normal_(norm.bias)
    x = normal(*shape) * 3 + 1
    rows = x.reshape(-1, 5)
    mean = rows.sum(dim=0) / len(rows)
    variance = ((rows - mean) ** 2).sum(dim=0) / len(rows)  # not len(rows) − 1
    torch.testing.assert_close(norm(x), (x - mean) / (variance + 1e-3).sqrt() * norm.weight + norm.bias)
    torch.testing.assert_close(norm.running_mean, 0.01 * mean)
    torch.testing.assert_close(norm.running_var, 0.99 + 0.01 * variance)
    norm.eval()
    moving = (x - norm.running_mean) / (norm.running_var + EPSILON).sqrt()
    torch.testing.assert_close(norm(x), moving * norm.weight + norm.bias)


def test_batch_norm_of_a_single_row_is_its_shift():
    norm = BatchNorm(3)
    nn.init.constant_(norm.bias, 0.5)
    assert torch.allclose(norm(torch.tensor([[1.0, -2.0, 3.0]])), torch.full((1, 3), 0.5), atol=1e-4)
    assert torch.allclose(norm.running_var, torch.full((3,), 0.99), atol=1e-4)


def test_a_linear_gate_may_be_negative_and_a_softmax_gate_sums_to_one():
    x = normal(4, 3, 6)
    linear = randomised(MixtureOfExperts(6, 5, 2, 0.01, "linear")).gate_weights(x)
    softmax = randomised(MixtureOfExperts(6, 5, 2, 0.01, "softmax")).gate_weights(x)
    assert linear.min() < 0
    assert softmax.min() >= 0
    torch.testing.assert_close(softmax.sum(dim=-1), torch.ones(4, 3, dtype=torch.float64))


def test_the_key_bias_changes_nothing():
    block = randomised(MultiHeadAttention(5, 3, 2))
    x = normal(2, 4, 5)
    before = block(x)
    with torch.no_grad():
        block.bias_qkv[6:12] += 7
    torch.testing.assert_close(block(x), before)


def test_an_even_kernel_is_refused():
    with pytest.raises(ValueError, match="odd length, got 4"):
        Convolution(3, 8, 4)
