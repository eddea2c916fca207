"""`golden bench leakage` on a study too small for it: what it prints, and how it ends."""

import pytest
from typer.testing import CliRunner

from golden_dagster.benchmarks import leakage
from golden_dagster.benchmarks.leakage import Cost
from golden_dagster.cli.application import app


@pytest.mark.parametrize(("allowed", "status"), [(1e9, 0), (0.0, 1)])
def test_it_prints_the_share_and_fails_above_what_is_allowed(allowed, status, monkeypatch):
    monkeypatch.setattr(leakage, "ALLOWED", allowed)
    result = CliRunner().invoke(app, ("bench", "leakage", "smoke", "--set", "forecasters={random_walk: {}}"))
    assert result.exit_code == status
    assert "Leakage checks of study smoke" in result.output
    assert "future poison, replayed fits" in result.output


def test_the_share_is_of_what_the_campaign_costs_without_them():
    assert Cost("any", 120.0, {"one": 15.0, "other": 5.0}).share == 0.2
