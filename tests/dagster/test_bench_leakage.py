"""`golden bench leakage` on a study too small for it: what it prints, and how it ends."""

import pytest
from typer.testing import CliRunner

from golden_dagster.benchmarks import leakage
from golden_dagster.benchmarks.leakage import Cost
from golden_dagster.cli.application import app


def bench(*arguments):
    return CliRunner().invoke(app, ("bench", "leakage", "smoke", *arguments))


@pytest.mark.endurance
def test_it_measures_a_campaign_and_prints_the_share(monkeypatch):
    monkeypatch.setattr(leakage, "ALLOWED", 1e9)
    result = bench("--set", "forecasters={random_walk: {}}", "--set", "data.pairs=[EURUSD]")
    assert result.exit_code == 0, result.output
    assert "Leakage checks of study smoke" in result.output
    assert "future poison, replayed fits" in result.output


@pytest.mark.parametrize(("probes", "status"), [(9.0, 0), (10.0, 0), (11.0, 1)])
def test_it_fails_above_a_tenth_of_the_rest(probes, status, monkeypatch):
    monkeypatch.setattr(leakage, "measure", lambda *_, **__: Cost("smoke", 100.0 + probes, {"one": probes}))
    result = bench()
    assert result.exit_code == status
    assert f"{probes / 100:.1%}" in result.output


def test_the_share_is_of_what_the_campaign_costs_without_them():
    assert Cost("any", 120.0, {"one": 15.0, "other": 5.0}).share == 0.2
