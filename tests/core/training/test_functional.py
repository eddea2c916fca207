"""Networks under vmap say what their own modules say, padding counts nowhere, and what cannot be batched is refused."""

import pytest
import torch
from torch import nn

from golden_core.models.blocks import BatchNorm, Dense
from golden_core.preparation.catalogue import load_study
from golden_core.training.functional import CohortError, Stacked
from golden_core.trials import Trial
from golden_core.trials.cohorts import join_cohorts
from golden_core.trials.rows import new_forecaster

STUDY = load_study("golden")
TRIALS = join_cohorts(STUDY, (Trial(name, "EURUSD", 1, 0) for name in STUDY.forecasters), asked=True)
NETWORKS = sorted(trial.forecaster for trial in TRIALS)  # which may join is decided by the registry alone
M, B = 3, 16


def generator(seed):
    return torch.Generator().manual_seed(seed)


def networks(name, count=M):
    forecaster = new_forecaster(STUDY, Trial(name, "EURUSD", 1, 0))
    return [forecaster.network(generator(seed)) for seed in range(count)]


def stacks(modules):
    stacked = Stacked(modules)
    weights, statistics = zip(*map(stacked.read, modules), strict=True)
    return stacked, torch.stack(weights), torch.stack(statistics)


def test_every_network_of_the_golden_study_may_join():
    assert {*(f"v{number:02d}" for number in range(1, 11)), "dlinear", "patchtst", "moe"} <= set(NETWORKS)


@pytest.mark.parametrize("name", NETWORKS)
def test_outputs_and_moving_statistics_equal_the_modules_own(name):
    """To 5e-6 of the outputs' range in float32, with and without padding: rounding, in another order."""
    modules = networks(name)
    stacked, weights, statistics = stacks(modules)
    X = torch.randn(M, B + 5, 5, 7, generator=generator(9))
    mask = (torch.arange(B + 5) < B).expand(M, -1)
    for rows, counted, training in ((B, None, True), (B + 5, mask, True), (B + 5, None, False)):
        found = stacked(weights, statistics, X[:, :rows], counted, training=training)[:, :B]
        own = torch.stack([module.train(training)(x[:B]) for module, x in zip(modules, X, strict=True)])
        assert (found - own).abs().max() <= 5e-6 * (own.max() - own.min())
        moved = torch.stack([stacked.read(module)[1] for module in modules])
        torch.testing.assert_close(statistics, moved, rtol=5e-6, atol=5e-6)


@pytest.mark.parametrize(("name", "padding"), [("v04", 0), ("v08", 5), ("moe", 5)])
def test_gradients_equal_the_modules_own(name, padding):
    modules = [module.double() for module in networks(name)]
    stacked, weights, statistics = stacks(modules)
    weights.requires_grad_()
    X = torch.randn(M, B + padding, 5, 7, generator=generator(9), dtype=torch.float64)
    mask = (torch.arange(B + padding) < B).expand(M, -1) if padding else None
    stacked(weights, statistics, X, mask, training=True)[:, :B].square().sum().backward()
    for place, module in enumerate(modules):
        module.train()(X[place, :B]).square().sum().backward()
        own = torch.cat([parameter.grad.flatten() for parameter in module.parameters()])
        torch.testing.assert_close(weights.grad[place], own, rtol=1e-10, atol=1e-10)


def test_a_member_without_rows_in_a_step_keeps_its_statistics():
    modules = networks("v01")
    stacked, weights, statistics = stacks(modules)
    before = statistics.clone()
    mask = torch.ones(M, B, dtype=torch.bool)
    mask[1] = False
    outputs = stacked(weights, statistics, torch.randn(M, B, 5, 7, generator=generator(9)), mask, training=True)
    assert torch.isfinite(outputs).all()
    assert torch.equal(statistics[1], before[1])
    assert not torch.equal(statistics[0], before[0])


def test_weights_are_written_back_as_they_were_read():
    first, second = networks("v02", 2)
    stacked = Stacked([first])
    stacked.write(second, *stacked.read(first))
    for name, value in first.state_dict().items():
        assert torch.equal(second.state_dict()[name], value)


class Holding(nn.Module):
    def __init__(self, layer):
        super().__init__()
        self.layer = layer


class OwnNorm(BatchNorm):
    """A kind of one's own, of which nobody knows what it does with padding."""


@pytest.mark.parametrize(
    ("layer", "said"),
    [
        (nn.BatchNorm1d(3), r"layer \(BatchNorm1d\) would count padding: use golden_core"),
        (OwnNorm(3), r"layer \(OwnNorm\) would count padding: use golden_core"),
        (nn.Dropout(0.1), r"layer \(Dropout\) draws from a generator that all members would share"),
        (nn.LSTM(3, 3), r"layer \(LSTM\) cannot be batched: use golden_core"),
        (nn.Linear(3, 3).requires_grad_(False), r"its weight layer\.weight is not trained"),
    ],
)
def test_what_cannot_train_beside_others_is_refused_by_name(layer, said):
    with pytest.raises(CohortError, match=f"Holding cannot train in a cohort: {said}"):
        Stacked([Holding(layer)])


def test_networks_of_different_shapes_are_refused():
    with pytest.raises(CohortError, match="different shapes"):
        Stacked([Dense(3, 1), Dense(4, 1)])
    Stacked([Holding(nn.Dropout(0.0)), Holding(nn.Dropout(0.0))])
    Stacked([BatchNorm(3)])
