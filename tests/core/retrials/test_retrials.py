"""Published claims: what their numbers imply, the leak shown at work, and the table of what holds."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
import scipy

from golden_core.forecasters import FORECASTERS
from golden_core.preparation.catalogue import load_study
from golden_core.retrials import table as made
from golden_core.retrials.leaks import demonstrate
from golden_core.retrials.table import COLUMNS, implied_forecasts, retrials, retrials_page, retrials_table
from golden_core.statistics import diebold_mariano
from golden_core.store.lake import Home, write_parquet
from golden_core.trials.stored import IncompleteError


def walk(months=113):
    return 1.3 * np.exp(np.cumsum(np.random.default_rng(17).normal(0, 0.016, months)))


def test_the_published_p_value_is_that_of_eighteen_forecasts():
    puzzle, exformer = retrials()
    assert implied_forecasts(puzzle.statistic, puzzle.p_value, puzzle.months) == [18]
    assert round(2 * scipy.stats.t.sf(3.0585, 17), 4) == 0.0071
    assert exformer.statistic is None


def test_every_retrial_names_studies_and_forecasters_that_there_are():
    for retrial in retrials():
        for name in retrial.studies:
            study = load_study(name)
            assert set(retrial.forecasters) <= set(study.forecasters)
            assert retrial.claim in study.protocol.kinds
            assert name.startswith("retrial_")


def test_the_puzzle_is_retried_on_as_many_months_as_published():
    ends, means = (load_study(name) for name in retrials()[0].studies)
    assert (ends.data.price, means.data.price) == ("last", "mean")
    same = {"name", "description", "data"}
    assert ends.model_dump(exclude=same) == means.model_dump(exclude=same)
    assert {**ends.model_dump()["data"], "price": "mean"} == means.model_dump()["data"]


def test_a_rolling_mean_that_includes_the_target_forecasts_it_perfectly():
    prices = walk()
    found = demonstrate(prices, lags=3, means=(3,), tested=18, includes_target=True)
    assert (found.n, round(found.rmse_ratio, 6), round(found.mape, 6)) == (18, 0, 0)
    # No forecast has smaller errors, so that none has a larger mean difference: the statistic is that of the walk's.
    squares = np.square(np.diff(prices)[-18:])
    assert found.statistic == pytest.approx(diebold_mariano(squares, np.zeros(18), horizon=1).statistic, rel=1e-6)
    assert found.uncorrected == pytest.approx(squares.mean() / (squares.std() / np.sqrt(18)), rel=1e-6)


def test_shifted_by_a_month_the_same_regression_has_no_skill_and_sees_nothing_later():
    prices = walk()
    honest = demonstrate(prices, lags=3, means=(3, 6), tested=48, includes_target=False)
    assert honest.rmse_ratio > 0.95
    changed = prices.copy()
    changed[-1] *= 1.5  # the last target: no forecast may move
    other = demonstrate(changed, lags=3, means=(3, 6), tested=48, includes_target=False)
    # Only the last error is another one: that of the same forecast.
    forecast = prices[-1] * (1 + np.array([1, -1]) * _last_error(honest, prices))
    assert np.isclose(np.abs(1 - forecast / changed[-1]), _last_error(other, changed)).any()


def _last_error(found, prices):
    """Return the last relative error of a demonstration, by taking away all others."""
    before = demonstrate(prices[:-1], lags=3, means=(3, 6), tested=found.n - 1, includes_target=False)
    return (found.n * found.mape - before.n * before.mape) / 100


def test_no_study_can_name_the_leak():
    assert not any("leak" in name for name in FORECASTERS)
    with pytest.raises(Exception, match="cannot be used"):
        load_study("smoke", ["forecasters={random_walk: {}, x: {custom: 'golden_core.retrials.leaks:Demonstration'}}"])


def test_too_few_months_are_refused():
    with pytest.raises(ValueError, match="5 months before the first test do not fit 5 coefficients"):
        demonstrate(walk(20), lags=3, means=(3,), tested=12, includes_target=False)


@pytest.fixture
def home(tmp_path, monkeypatch):
    """Return a home in which the studies have been decided: three claims of each forecaster of the puzzle."""
    home = Home(tmp_path / "home", tmp_path / "reports")
    rows = [
        {"kind": kind, "scope": "series", "pair": "USDCAD", "horizon": 1, "forecaster": name, "n": 48, "p_holm": p_holm,
         "effect": p_holm and -0.0816, "claimed": name == "lags" and kind == "more_accurate", "reason": None}
        for kind, p_holm in (("equivalent", 0.95), ("more_accurate", 0.9), ("predicts", None))
        for name in ("ar", "lags")
    ]  # fmt: skip

    class Decided:
        def __init__(self, path):
            assert path == home.warehouse

        def query(self, _sql, _parameters):
            return pl.DataFrame(rows)

    monkeypatch.setattr(made, "Warehouse", Decided)
    monkeypatch.setattr(made, "require_whole", lambda *_: None)
    for name in retrials()[0].studies:
        write_parquet(pl.DataFrame({"close": walk()}), home.study(name).table("bars", "USDCAD"))
    return home


def test_the_table_has_a_row_for_what_was_claimed_what_was_decided_and_each_leak(home):
    puzzle = retrials()[:1]
    found = retrials_table(home, puzzle)
    assert dict(found.schema) == COLUMNS
    assert found["row"].to_list() == ["claimed", *["court"] * 12, *["shown"] * 6]
    claimed = found.row(0, named=True)
    assert (claimed["n"], claimed["statistic"], claimed["holds"]) == (18, 3.0585, True)  # `lags` bears it out here
    court = found.filter(row="court", forecaster="ar").sort("study", "claim")
    assert court["rmse_ratio"].to_list() == [1.04, 1.04, None] * 2
    page = retrials_page(found)
    assert "| retrial_puzzle_ends | last | equivalent | 2 | 2 | 0 | 1.0400 | 1.0400 | 0.9500 |" in page
    assert "| retrial_puzzle_ends | last | more_accurate | 2 | 2 | 1 | 1.0400 | 1.0400 | 0.9000 |" in page
    assert page.count("| means that include the target | USDCAD_h1 | 18 | 0.0000 |") == 2


def test_a_claim_of_which_no_test_was_made_stays_open(home, monkeypatch):
    refused = {"forecaster": "lags", "claim": "more_accurate", "p_value": None, "holds": False}
    monkeypatch.setattr(made, "_court", lambda _home, _study: iter([refused]))
    assert retrials_table(home, retrials()[:1]).row(0, named=True)["holds"] is None


def test_the_page_shows_the_table_that_the_command_wrote():
    docs = Path(__file__).parents[3] / "docs"
    filed = pl.read_csv(docs / "golden/P6.M2/retrials.csv", schema=COLUMNS)
    page = (docs / "retrials.md").read_text(encoding="utf-8")
    assert f"begins -->\n{retrials_page(filed)}<!--" in page
    assert {study for retrial in retrials() for study in retrial.studies} == {*filed["study"].drop_nulls()}
    held = filed.filter(row="court", holds=True)
    assert set(held["claim"]) == {"equivalent"}  # as the words below the table say
    assert {name for name, part in held.group_by("forecaster") if part.height == 4} == {("ar",), ("drift",), ("ets",)}
    regressions = filed.filter(pl.col("forecaster").str.starts_with("lags"), row="court", claim="more_accurate")
    refused = regressions.filter(pl.col("study") != "retrial_exformer")["note"].unique().to_list()
    assert refused == ["5 cosine coefficients: a test of skill needs 8"]


def test_a_study_that_has_not_been_run_is_named(tmp_path):
    with pytest.raises(IncompleteError, match="is not in the warehouse yet; run: golden run retrial_puzzle_ends"):
        retrials_table(Home(tmp_path / "home", tmp_path / "reports"), retrials())
