"""What is known by hand of attributions, maps and gates."""

import dataclasses

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr
from torch import Generator, nn

from golden_core.interpretability import attribution, gating, hooks, sanity
from golden_core.interpretability.measures import auroc, importance, normalised_mutual_information, spearman
from golden_core.interpretability.subject import Subject, UnexplainableError, outputs, prepared
from golden_core.models.blocks import Dense, MixtureOfExperts
from golden_core.models.initialisers import initialise
from golden_core.models.legacy import build
from golden_core.models.linear import DLinear
from golden_core.models.mixture import GatedExperts
from golden_core.models.patch import PatchTST
from golden_core.store.randomness import Stream

STREAM = Stream(1)


def subject(network, X):
    X = np.asarray(X, dtype=np.float64)
    return Subject("it", prepared(network), X, lambda _: network, np.arange(len(X)).astype("datetime64[D]"))


def windows(*shape):
    return np.random.default_rng(0).standard_normal(shape)


class Toy(nn.Module):
    """Relu(relu(a) − 1 − relu(b)): the example of Sundararajan, Taly and Yan (2017), figure 2."""

    def forward(self, x):
        a, b = x[:, 0, 0], x[:, 0, 1]
        return torch.relu(torch.relu(a) - 1 - torch.relu(b))


class Product(nn.Module):
    def forward(self, x):
        return x[:, 0, 0] * x[:, 0, 1]


class Constant(nn.Module):
    def forward(self, x):
        return torch.full((len(x),), 3.0, dtype=x.dtype)


class Bias(nn.Module):
    """Nothing but a bias, handed out as a view of the weight itself; it lies in no layer."""

    def __init__(self):
        super().__init__()
        self.bias = nn.Parameter(torch.ones(1))

    def forward(self, x):
        return self.bias.expand(len(x))


class Rootwise(nn.Module):
    """A weight beside the layers: [B, 4, 2] → [B]."""

    def __init__(self, seed):
        super().__init__()
        generator = Generator().manual_seed(seed)
        self.first, self.second = Dense(1, 1), Dense(1, 1)
        self.beside = nn.Parameter(torch.randn(8, generator=generator))
        for layer in (self.first, self.second):
            nn.init.constant_(layer.weight, 1 + seed)

    def forward(self, x):
        return self.second(self.first((x.flatten(1) @ self.beside).unsqueeze(-1))).squeeze(-1)


class Jump(nn.Module):
    def forward(self, x):
        return (x[:, 0, 0] > 0).to(x.dtype)


class Gated(nn.Module):
    def __init__(self, gate):
        super().__init__()
        self.experts = MixtureOfExperts(2, 4, 3, 0.1, gate)
        initialise(self, "keras_3.15", Generator().manual_seed(3))

    def forward(self, x):
        return self.experts(x).sum(dim=(1, 2))


def test_integrated_gradients_of_a_published_example():
    found = attribution.integrated_gradients(subject(Toy(), [[[3.0, 1.0]]]), STREAM)
    assert found.ravel() == pytest.approx([1.5, -0.5], abs=1e-3)


@pytest.mark.parametrize(("method", "shares"), [("integrated_gradients", 3), ("shap", 3), ("occlusion", 6)])
def test_a_product_is_shared_evenly_or_counted_twice(method, shares):
    found = attribution.METHODS[method](subject(Product(), [[[2.0, 3.0]]]), STREAM)
    assert found.ravel() == pytest.approx([shares, shares])


def test_a_path_with_kinks_adds_up_where_a_few_points_do_not():
    one = subject(Toy(), 3 * windows(20, 1, 2))
    assert attribution.incompleteness(one, attribution.integrated_gradients(one, STREAM)).max() <= 1
    assert attribution.incompleteness(one, attribution.rough_gradients(one, STREAM)).max() > 1


@pytest.mark.parametrize("network", [Constant, Bias])
@pytest.mark.parametrize("method", ["integrated_gradients", "shap", "occlusion"])
def test_a_network_that_does_not_look_at_its_window_is_explained_by_nothing(method, network):
    """Its forecast has no gradient, not even one of zero: torch knows no path from it to the window."""
    one = subject(network(), windows(3, 4, 2))
    assert not attribution.METHODS[method](one, STREAM).any()
    assert attribution.incompleteness(one, attribution.METHODS[method](one, STREAM)).max() == 0


def test_a_jump_has_no_gradient_and_its_integral_says_that_it_does_not_add_up():
    one = subject(Jump(), windows(9, 4, 2))
    assert attribution.incompleteness(one, attribution.integrated_gradients(one, STREAM)).max() > 1
    assert attribution.incompleteness(one, attribution.shapley(one, STREAM)).max() <= 1


def test_shapley_values_leave_the_global_generator_where_it_was():
    before = np.random.get_state()[1].tolist()  # noqa: NPY002
    one = subject(Product(), windows(2, 1, 2))
    assert np.array_equal(attribution.shapley(one, STREAM), attribution.shapley(one, STREAM))
    assert np.random.get_state()[1].tolist() == before  # noqa: NPY002


@pytest.mark.parametrize(("variant", "layers"), [("v01", 1), ("v08", 3)])
def test_attention_maps_are_what_the_layers_use(variant, layers):
    one = subject(build(variant, 4, 2, generator=Generator().manual_seed(1)), windows(3, 4, 2))
    maps = hooks.attention_maps(one)
    assert len(maps) == layers
    for found in maps.values():
        assert found.shape[2:] == (4, 4)
        assert np.allclose(found.sum(axis=-1), 1)
    assert attribution.attention(one, STREAM).sum(axis=(1, 2)) == pytest.approx(np.ones(3))


def test_a_model_without_hooks_is_refused_by_name():
    one = subject(DLinear(4, 2, 3, generator=Generator().manual_seed(1)), windows(3, 4, 2))
    with pytest.raises(UnexplainableError, match="it: DLinear has no layer that shows attention"):
        hooks.attention_maps(one)
    with pytest.raises(UnexplainableError, match="it: DLinear has no layer that shows a gate of experts"):
        hooks.gates(one)


def moe(**sizes):
    settings = {"width": 4, "heads": 2, "layers": 1, "hidden": 8, "experts": 3, "units": 4, "outputs": 3} | sizes
    return GatedExperts(5, 2, **settings, generator=Generator().manual_seed(5))


def test_the_mean_of_a_network_with_quantiles_is_what_is_explained():
    """Its columns are the mean, the quantiles, and behind them the weights of the gate."""
    explained = subject(moe(), windows(12, 5, 2))
    expected = explained.network(torch.from_numpy(explained.X))[:, 0].detach().numpy()
    assert np.array_equal(outputs(explained.network, explained.X), expected)


def test_the_gate_of_the_mixture_is_seen_once_and_is_a_distribution():
    explained = subject(moe(), windows(12, 5, 2))
    (gate,) = hooks.gates(explained)
    assert (gate.layer, gate.weights.shape, gate.contributions.shape) == ("experts", (12, 1, 3), (12, 3))
    assert np.abs(gate.weights.sum(axis=-1) - 1).max() < 1e-12
    assert np.abs(gate.contributions).max() > 0
    assert list(hooks.attention_maps(explained)) == ["encoder.0.attention"]


@pytest.mark.parametrize("make", [Rootwise, lambda seed: Bias()])
def test_everything_is_randomised_at_the_end_what_lies_in_no_layer_too(make):
    one = dataclasses.replace(subject(make(0), windows(8, 4, 2)), fresh=lambda _: prepared(make(1)))
    blank = dataclasses.replace(one, network=prepared(make(1)))
    found = sanity.randomised(one, attribution.occlusion, STREAM, draws=1)
    expected = spearman(*(attribution.occlusion(each, STREAM) for each in (one, blank))).mean()
    assert found[-1] == ("everything", pytest.approx(expected))
    assert [stage for stage, _ in found[:-1]] == (["second"] if make is Rootwise else [])


def test_attention_to_patches_is_no_attention_to_bars():
    sizes = {"patch_length": 3, "stride": 1, "width": 4, "heads": 2, "layers": 1, "hidden": 8}
    network = PatchTST(5, 2, **sizes, generator=Generator().manual_seed(5))
    explained = subject(network, windows(12, 5, 2))
    with pytest.raises(UnexplainableError, match="attends to 4 patches and not to bars"):
        hooks.attention_maps(explained)
    assert hooks.attention_maps(subject(moe(), windows(12, 5, 2)))


def test_as_many_patches_of_one_feature_as_there_are_bars_are_no_bars_either():
    sizes = {"patch_length": 2, "stride": 1, "width": 4, "heads": 2, "layers": 1, "hidden": 8}
    network = PatchTST(5, 1, generator=Generator().manual_seed(1), **sizes)
    with pytest.raises(UnexplainableError, match="attends to 5 patches"):
        hooks.attention_maps(subject(network, windows(3, 5, 1)))


def test_a_linear_gate_has_signs_and_no_entropy():
    one = subject(Gated("linear"), windows(9, 3, 2))
    (gate,) = hooks.gates(one)
    found = gating.summarise(gate, np.repeat(["calm", "wild", "middle"], 3))
    assert found["weights"] == "signed"
    assert "entropy" not in found
    assert min(found["mean_weight"]) < 0
    # The forecast is the sum of what the experts add: nothing else is in this network.
    assert gate.contributions.sum(axis=1) == pytest.approx(outputs(one.network, one.X))


def test_a_softmax_gate_has_an_entropy_and_a_dead_expert_is_found():
    network = Gated("softmax")
    with torch.no_grad():
        network.experts.bias_gate[2] = -40
    (gate,) = hooks.gates(subject(network, windows(9, 3, 2)))
    found = gating.summarise(gate, np.zeros(9))
    assert 0 < found["entropy"] <= np.log(3) / np.log(4) + 1e-9
    assert found["dead"] == [2]
    assert found["load_by_regime"]["0.0"] == found["utilisation"]


def test_measures_by_hand():
    one, other = windows(5, 2, 3), windows(5, 3, 2).reshape(5, 2, 3) ** 3
    expected = [spearmanr(a.ravel(), b.ravel()).statistic for a, b in zip(one, other, strict=True)]
    assert spearman(one, other) == pytest.approx(expected)
    assert spearman(np.ones((1, 3)), np.arange(3.0)[None]) == [0]
    assert auroc(np.array([3.0, 1.0, 2.0, 1.0]), np.array([True, False, False, True])) == pytest.approx(2.5 / 4)
    with pytest.raises(ValueError, match="0 of 2 cells are planted"):
        auroc(np.zeros(2), np.zeros(2, dtype=bool))
    labels = np.array([0, 0, 1, 1])
    assert normalised_mutual_information(labels, 1 - labels) == pytest.approx(1)
    assert normalised_mutual_information(labels, np.array([0, 1, 0, 1])) == pytest.approx(0)
    assert normalised_mutual_information(labels, np.zeros(4)) == 0
    for n in range(1, 100):  # of which every sixth does not divide one evenly in binary
        assert normalised_mutual_information(np.zeros(n), np.full(n, "calm")) == 0, n
    assert importance(np.array([[1.0, -3.0]])) == pytest.approx([0.25, 0.75])
