"""The benchmark of training: its reference says the same as the network, and its arithmetic is right."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from golden_core.benchmarking import training
from golden_core.benchmarking.straightforward import straightforward
from golden_core.benchmarking.training import Comparison, DifferentOutputsError, measure, output_difference
from golden_core.models.architecture import VARIANTS
from golden_core.models.blocks import Convolution, Dense, MixtureOfExperts, MultiHeadAttention
from golden_core.models.legacy import build
from golden_core.training.optimiser import KerasAdamW

torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def _known_peak(monkeypatch):
    monkeypatch.setattr(training, "matrix_peak", lambda *_: 1e11)


def pair(variant="v08", **options):
    network = build(variant, generator=torch.Generator().manual_seed(1), **options)
    return network, straightforward(network)


def windows(count=64):
    return torch.randn(count, 3, 4, generator=torch.Generator().manual_seed(2))


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_reference_has_the_same_outputs(variant):
    assert output_difference(*pair(variant), windows()) <= training.TOLERANCE


def test_so_it_has_with_a_softmax_gate():
    assert output_difference(*pair(gate="softmax"), windows()) <= training.TOLERANCE


def test_the_reference_has_one_module_for_every_part_and_none_of_ours():
    _, reference = pair()
    kinds = [type(module) for module in reference.modules()]
    assert not {Convolution, Dense, MixtureOfExperts, MultiHeadAttention} & set(kinds)
    # v08: 12 experts, a gate, two dense layers; three attention layers of 3, 3 and 6 heads, each with an output map.
    assert kinds.count(nn.Linear) == 12 + 1 + 2 + 3 * (3 + 3 + 6) + 3
    assert (kinds.count(nn.Conv1d), kinds.count(nn.LSTM)) == (3, 1)


def test_the_reference_has_as_many_weights_to_train():
    network, reference = pair()
    sizes = [sum(p.numel() for p in module.parameters() if p.requires_grad) for module in (network, reference)]
    assert sizes == [795_633, 795_633]  # Table II of the publication


def test_the_network_is_left_as_it_is():
    network, reference = pair()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    with torch.no_grad():
        for value in reference.state_dict().values():
            value.add_(1)
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_both_learn_the_same_from_the_same_batches():
    losses = []
    X, y = windows(), windows()[:, -1, -1]
    for module in pair():
        optimiser = KerasAdamW([p for p in module.parameters() if p.requires_grad], lr=1e-3, weight_decay=0.004)
        own = []
        for _ in range(4):
            optimiser.zero_grad()
            loss = functional.mse_loss(module(X), y)
            loss.backward()
            optimiser.step()
            own.append(loss.item())
        losses.append(own)
    assert losses[0] == pytest.approx(losses[1], rel=2e-3)
    assert losses[0][-1] < losses[0][0]


def test_networks_that_differ_are_not_compared():
    network, reference = pair()
    with torch.no_grad():
        reference.head.output.bias.add_(1)
    with pytest.raises(DifferentOutputsError, match="in inference mode the outputs of the two networks differ by"):
        output_difference(network, reference, windows())


def test_ratios_are_of_neighbouring_steps():
    reference = (3.0, 8.0, 5.0)
    found = Comparison("v08", 5000, 1, reference, (1.0, 4.0, 1.0), 0.0)
    # Of 3, 2 and 5, and of every two of them their geometric mean: 2, √6, 3, √10, √15, 5.
    assert found.ratio == pytest.approx((3 * 10**0.5) ** 0.5)
    port, network = found.rows()
    assert (port.subject, port.paired) == ("v08, one module per part", None)
    assert (network.subject, network.against, network.paired.ratio) == ("v08", port.subject, found.ratio)
    assert found.epoch_seconds(reference) == pytest.approx(5.0 * 90_611 / 5000)


def test_measuring_takes_turns_and_restores_the_threads():
    notes = []
    torch.set_num_threads(1)
    first, second = measure("v08", batch_size=20, threads=[1, 2], steps=2, note=notes.append)
    assert torch.get_num_threads() == 1
    assert (first.threads, second.threads) == (1, 2)
    assert all(len(steps) == 2 for one in (first, second) for steps in (one.reference, one.network))
    assert first.difference <= training.TOLERANCE
    assert first.work == pytest.approx(20 * 13.66e6, rel=1e-3)
    assert [note.split(",")[2] for note in notes] == [" 1 thread …", " 2 threads …"]
