"""Every gate passes where the truth is known, and fails in its control."""

import polars as pl
import pytest

from golden_core.interpretability.testbed import sanity_matrix


@pytest.fixture(scope="module")
def matrix():
    return sanity_matrix()


def test_every_gate_passes_and_fails_in_its_control(matrix):
    deciding = matrix.filter("decides")
    assert deciding["gate"].n_unique() == 9
    assert deciding.filter(~pl.col("passes") | ~pl.col("control_fails")).is_empty()


def test_planted_cells_are_found_by_gradients_and_occlusion_and_attention_is_shown(matrix):
    planted = dict(matrix.filter(gate="planted cells").select("method", "value").iter_rows())
    assert min(planted[name] for name in ("integrated_gradients", "occlusion")) >= 0.95
    assert 0 <= planted["attention"] <= 1
