"""DLinear: the decomposition by hand, known outputs, parameter counts."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from golden_core.models.linear import DLinear, averaging_matrix

torch.set_num_threads(1)


def test_the_moving_average_by_hand():
    # Edges repeated: 1 1 2 4 8 8, averaged over three.
    series = torch.tensor([1.0, 2.0, 4.0, 8.0])
    assert (averaging_matrix(4, 3) @ series).tolist() == pytest.approx([4 / 3, 7 / 3, 14 / 3, 20 / 3])


@given(length=st.integers(1, 12), half=st.integers(0, 15))
def test_the_moving_average_is_numpys_on_a_padded_series(length, half):
    series = np.random.default_rng(length).normal(size=length)
    expected = np.convolve(np.pad(series, half, mode="edge"), np.full(2 * half + 1, 1 / (2 * half + 1)), mode="valid")
    matrix = averaging_matrix(length, 2 * half + 1).double().numpy()
    assert matrix @ series == pytest.approx(expected, abs=1e-6)


def test_known_weights_give_known_outputs():
    network = DLinear(4, 1, 3)
    with torch.no_grad():
        network.trend.weight[0, -1] = 1.0  # the last value of the trend, 20/3
        network.remainder.weight[0, 0] = 6.0  # six times the first remainder, 1 − 4/3
        network.remainder.bias[0] = 0.5
    outputs = network(torch.tensor([[[1.0], [2.0], [4.0], [8.0]]]))
    assert outputs.tolist() == pytest.approx([20 / 3 - 2 + 0.5])


def test_equal_weights_for_both_parts_see_the_window_itself():
    network = DLinear(5, 3, 3, generator=torch.Generator().manual_seed(0))
    network.remainder.load_state_dict(network.trend.state_dict())
    x = torch.randn(7, 5, 3, generator=torch.Generator().manual_seed(1))
    expected = x.flatten(1) @ network.trend.weight[0] + 2 * network.trend.bias
    torch.testing.assert_close(network(x), expected)


def test_parameters_are_two_layers_and_start_within_bounds():
    network = DLinear(24, 3, 5, generator=torch.Generator().manual_seed(0))
    assert sum(value.numel() for value in network.state_dict().values()) == 2 * (24 * 3 + 1)
    bound = 1 / math.sqrt(72)
    weights = torch.cat([parameter.detach().flatten() for parameter in network.parameters()])
    assert bound * 0.95 < weights.abs().max() <= bound
    assert float(weights.std()) == pytest.approx(bound / math.sqrt(3), rel=0.1)


@pytest.mark.parametrize("window", [0, -1, 4])
def test_an_average_without_a_centre_is_refused(window):
    with pytest.raises(ValueError, match=f"positive odd number of bars, got {window}"):
        DLinear(5, 1, window)
