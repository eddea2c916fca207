"""`golden bench cohort` on cohorts too small to mean anything: what it prints, and what it refuses."""

import re

import pytest
from typer.testing import CliRunner

from golden_core.benchmarking import cohort
from golden_core.benchmarking.records import last_runs
from golden_core.preparation.catalogue import load_study
from golden_core.store.lake import Home
from golden_dagster.cli.application import app

SUBJECTS = ("one, by the single trainer on the processor", "a cohort of one", "a cohort")
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


def test_it_is_filed_with_what_was_timed():
    assert run("smoke", "--forecaster", "dlinear", "--members", "2", "--epochs", "3", "--device", "cpu").exit_code == 0
    home = Home.from_environment()
    (filed,) = last_runs(home, "smoke")
    rows = {row["subject"]: row for row in filed.rows.iter_rows(named=True)}
    single, one, two = (rows[f"dlinear, {name}"] for name in SUBJECTS)
    assert [row["samples"] for row in (single, one, two)] == [1, 3, 3]  # the single trainer tells no epoch
    assert (single["batch"], one["batch"], two["batch"]) == (4 * 198, 198, 2 * 198)
    share = two["throughput"] * two["flops"] / two["batch"] / 1e11
    assert two["peak_share"] == pytest.approx(share)
    assert "dlinear, a cohort of one" in (home.report("smoke") / "benchmarks.html").read_text(encoding="utf-8")


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
