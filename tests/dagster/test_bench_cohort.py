"""`golden bench cohort` on cohorts too small to mean anything: what it prints, and what it refuses."""

import re

import pytest
from typer.testing import CliRunner

from golden_core.benchmarking import cohort
from golden_core.preparation.catalogue import load_study
from golden_dagster.cli.application import app

SMALL = ("--members", "2", "--epochs", "1", "--device", "cpu")


def run(*arguments):
    return CliRunner().invoke(app, ["bench", "cohort", *arguments])


@pytest.fixture(autouse=True)
def _no_products(monkeypatch):
    monkeypatch.setattr(cohort, "matrix_peak", lambda *_: 1e11)


def test_it_prints_speeds_shares_of_the_peak_and_what_the_study_would_take():
    result = run("smoke", "--forecaster", "dlinear", *SMALL)
    assert result.exit_code == 0, result.output
    assert re.search(r"a cohort +│ 2 +│ [\d,]+ +│ [\d.]+%", result.output)
    assert "one, by the single trainer on the processor" in result.output
    assert re.search(r"study smoke see 0\.0 million windows if none stops early: \d+:\d\d:\d\d", result.output)
    assert "on a card: unmeasured, for there is none here; where there is: golden bench cohort" in result.output


@pytest.mark.parametrize("name", ["random_walk", "v11"])
def test_what_trains_no_network_is_bad_usage(name):
    result = run("smoke", "--forecaster", name, *SMALL)
    assert result.exit_code == 2
    assert f"study 'smoke' has no network called '{name}'" in result.output


def test_a_card_that_is_not_there_is_bad_usage(monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert run("smoke", "--device", "cuda").exit_code == 2


def test_the_windows_of_a_study_are_counted_by_hand():
    """Smoke: two series, two seeds; of its 513 days with a fixing two folds; 200 − 1 − 1 rows; one epoch each."""
    assert cohort.windows_of(load_study("smoke")) == 2 * (2 * 2 * 2 * 198)
    longer = load_study("smoke", ["forecasters.dlinear.epochs=3"])
    assert cohort.windows_of(longer) == (1 + 3) * (2 * 2 * 2 * 198)
