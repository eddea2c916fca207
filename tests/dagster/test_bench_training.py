"""`golden bench training` on a batch too small to mean anything: what it prints, and how it ends."""

import pytest
from typer.testing import CliRunner

from golden_core.benchmarking import training
from golden_dagster.cli.application import app

SMALL = ("bench", "training", "--batch", "20", "--steps", "1", "--threads", "1")


@pytest.fixture(autouse=True)
def _known_peak(monkeypatch):
    monkeypatch.setattr(training, "matrix_peak", lambda *_: 1e11)


def run(*arguments):
    return CliRunner().invoke(app, arguments)


@pytest.mark.parametrize(("required", "status"), [(0.0, 0), (1e9, 1)])
def test_it_prints_the_ratio_and_fails_below_what_is_required(required, status, monkeypatch):
    monkeypatch.setattr(training, "REQUIRED", required)
    result = run(*SMALL)
    assert result.exit_code == status
    assert "Seconds per epoch of v08, batch 20" in result.output
    assert "times as fast" in result.output


def test_an_unknown_variant_is_bad_usage():
    result = run("bench", "training", "--variant", "v11")
    assert result.exit_code == 2
    assert "'v11' is none of v01 … v10" in result.output
