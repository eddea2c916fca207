"""What the report says of quantiles: numbers of the warehouse, "point only" where there are none, nothing unasked."""

import polars as pl
import pytest


@pytest.fixture(scope="module")
def made(whole, builders):
    return builders.Page((whole.folder / "index.html").read_text(encoding="utf-8")), whole.coverage, whole.scores


def test_intervals_are_shown_with_their_coverage_and_what_has_none_is_point_only(made):
    page, coverage, _ = made
    rows = {row[0]: row for row in page.cells["intervals"][1:]}
    walk, ar, network = (rows[name] for name in ("random_walk", "ar", "dlinear"))
    expected = coverage.filter(kind="interval", forecaster="random_walk")
    share, score = f"{100 * expected['share'].mean():.1f}", f"{1e4 * expected['score'].mean():.1f}"
    off = expected.filter((pl.col("low") > 0.8) | (pl.col("high") < 0.8)).height
    assert walk[1:] == ["80.0", share, f"{off} of 4", "200.0", score, "0", "800"]
    infinite = coverage.filter(kind="interval", forecaster="ar")["infinite"].sum()
    assert ar[4:7] == ["—", "—", str(infinite)]
    assert network[1:] == ["point only", *["—"] * 6]


def test_scores_are_shown_with_the_skill_against_the_random_walk(made):
    page, _, scores = made
    rows = {row[0]: row[1:] for row in page.cells["distributions"][1:]}
    crps = scores.filter(score="crps", forecaster="random_walk")["value"].mean()
    assert rows["random_walk"][:2] == [f"{1e4 * crps:.3f}", "0.00"]
    assert rows["ar"][:3] == ["—", "—", "—"]
    assert rows["dlinear"] == ["point only", *["—"] * 4]


def test_a_study_without_quantiles_does_not_speak_of_them(page):
    assert "intervals" not in page.cells
    assert "Uncertainty" not in page.words
