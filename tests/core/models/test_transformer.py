"""PatchTST and the mixture of experts: patches by hand, parameter counts in closed form, gates that are distributions.

Both are batched over networks by torch.func.vmap, as cohorts train them.
"""

import pytest
import torch
from torch.func import functional_call, stack_module_state, vmap

from golden_core.models.mixture import GatedExperts
from golden_core.models.patch import PatchTST
from golden_core.models.transformer import EncoderLayer, patches

torch.set_num_threads(1)

PATCH = {"patch_length": 3, "stride": 2, "width": 8, "heads": 2, "layers": 2, "hidden": 12}
MIXTURE = {"width": 8, "heads": 4, "layers": 2, "hidden": 12, "experts": 3, "units": 5}


def windows(count=6, length=7, features=3, seed=1):
    return torch.randn(count, length, features, generator=torch.Generator().manual_seed(seed))


def seeded(kind, settings, *, outputs=1, seed=0):
    return kind(7, 3, **settings, outputs=outputs, generator=torch.Generator().manual_seed(seed))


def parameters(module):
    return sum(value.numel() for value in module.state_dict().values())


def encoder_parameters(width, layers, hidden):
    """By hand: two normalisations, query, key, value and output of attention, two dense layers; one normalisation."""
    layer = 2 * 2 * width + 4 * (width * width + width) + (width * hidden + hidden) + (hidden * width + width)
    return layers * layer + 2 * width


def test_patches_by_hand():
    series = torch.arange(1.0, 6.0)  # 1 2 3 4 5, then 5 5
    x = torch.stack([series, 10 * series], dim=-1)[None]
    found = patches(x, 3, 2)
    assert found.shape == (1, 2, 3, 3)
    assert found[0, 0].tolist() == [[1, 2, 3], [3, 4, 5], [5, 5, 5]]
    assert torch.equal(found[0, 1], 10 * found[0, 0])
    assert patches(x, 4, 2)[0, 0].tolist() == [[1, 2, 3, 4], [3, 4, 5, 5]]
    assert patches(x, 5, 1).shape == (1, 2, 2, 5)


@pytest.mark.parametrize("outputs", [1, 4])
def test_the_parameters_of_patchtst_in_closed_form(outputs):
    count = (7 - 3) // 2 + 2
    expected = (3 * 8 + 8) + count * 8 + encoder_parameters(8, 2, 12) + (3 * count * 8 * outputs + outputs)
    network = seeded(PatchTST, PATCH, outputs=outputs)
    assert parameters(network) == expected
    assert network(windows()).shape == ((6,) if outputs == 1 else (6, outputs))


@pytest.mark.parametrize("outputs", [1, 4])
def test_the_parameters_of_the_mixture_in_closed_form(outputs):
    embedding, gate, experts = (3 * 8 + 8) + 7 * 8, 8 * 3 + 3, 3 * (8 * 5 + 5)
    expected = embedding + encoder_parameters(8, 2, 12) + gate + experts + (5 * outputs + outputs)
    network = seeded(GatedExperts, MIXTURE, outputs=outputs)
    assert parameters(network) == expected
    assert network(windows()).shape == (6, outputs + 3)


def test_gate_weights_are_a_distribution_and_stand_behind_the_outputs():
    network = seeded(GatedExperts, MIXTURE, outputs=4)
    weights = network.gate_weights(windows())
    assert weights.shape == (6, 3)
    assert (weights > 0).all()
    torch.testing.assert_close(weights.sum(dim=-1), torch.ones(6))
    assert torch.equal(network(windows())[:, 4:], weights)
    assert network.experts.gate == "softmax"


def test_the_mixture_is_the_weighted_sum_of_its_experts():
    network = seeded(GatedExperts, MIXTURE, outputs=2)
    state, weights = network.encode(windows()), network.gate_weights(windows())
    outputs = torch.zeros(6, 5)
    for expert in range(3):
        rows = slice(5 * expert, 5 * expert + 5)
        linear = state @ network.experts.weight_experts[rows].T + network.experts.bias_experts[rows]
        outputs += weights[:, expert, None] * torch.nn.functional.leaky_relu(linear, 0.01)
    torch.testing.assert_close(network(windows())[:, :2], network.head(outputs))


def test_channels_are_independent_until_the_head():
    """A feature's patches are encoded the same whatever the others are, and by the same weights."""
    network = seeded(PatchTST, PATCH)
    seen = []
    network.norm.register_forward_hook(lambda _module, _args, out: seen.append(out.reshape(6, 3, -1)))
    x = windows()
    network(x)
    network(torch.cat([x[..., :1], 100 * x[..., 1:]], dim=-1))
    network(x[..., [2, 0, 1]])
    torch.testing.assert_close(seen[1][:, 0], seen[0][:, 0])
    torch.testing.assert_close(seen[2], seen[0][:, [2, 0, 1]])


@pytest.mark.parametrize(("kind", "settings"), [(PatchTST, PATCH), (GatedExperts, MIXTURE)])
def test_starting_values_come_from_the_generator_and_without_one_weights_are_zero(kind, settings):
    first, again, other = (seeded(kind, settings, seed=seed).state_dict() for seed in (0, 0, 1))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert any(not torch.equal(first[name], other[name]) for name in first)
    zeros = kind(7, 3, **settings).state_dict()
    assert all(not value.any() for name, value in zeros.items() if "norm" not in name)
    for name, value in first.items():
        if "weight" in name and "norm" not in name:
            assert value.std() > 0, name


@pytest.mark.parametrize(("kind", "settings"), [(PatchTST, PATCH), (GatedExperts, MIXTURE)])
def test_networks_side_by_side_give_what_each_gives(kind, settings, monkeypatch):
    monkeypatch.setattr("golden_core.models.products._ONEDNN", False)  # oneDNN's product has no rule for vmap
    networks = [seeded(kind, settings, outputs=3, seed=seed).double() for seed in range(3)]
    stacked, buffers = stack_module_state(networks)
    x = torch.stack([windows(seed=seed) for seed in range(3)]).double()
    together = vmap(lambda p, b, one: functional_call(networks[0], (p, b), (one,)))(stacked, buffers, x)
    alone = torch.stack([network(one) for network, one in zip(networks, x, strict=True)])
    torch.testing.assert_close(together, alone, rtol=1e-12, atol=1e-12)


def test_an_encoder_layer_treats_steps_alike():
    layer = EncoderLayer(8, 2, 12)
    for parameter in layer.parameters():
        torch.nn.init.normal_(parameter, generator=torch.Generator().manual_seed(0))
    x = windows(2, 5, 8)
    order = [3, 0, 4, 1, 2]
    torch.testing.assert_close(layer(x[:, order]), layer(x)[:, order])


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match=r"patch_length must be ≤ context_length \(7\), got 8"):
        PatchTST(7, 3, **PATCH | {"patch_length": 8})
    with pytest.raises(ValueError, match=r"width must be a multiple of heads \(3\), got 8"):
        GatedExperts(7, 3, **MIXTURE | {"heads": 3})
