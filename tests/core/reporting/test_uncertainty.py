"""What the report says of quantiles: every number by hand; "point only" where there are none, nothing unasked."""

import datetime

import polars as pl
import pytest
from matplotlib.figure import Figure

from golden_core.reporting.exhibits import ask, exhibit
from golden_core.reporting.svg import dated
from golden_core.reporting.uncertainty_figures import FAN, PIT, coverage_by_level, fan_chart, pit_histogram
from golden_core.store.warehouse import Warehouse


def test_the_histogram_counts_truths_between_quantiles(whole, forecasts):
    found = ask(whole.warehouse, PIT, whole.study.name).frame
    assert set(found["forecaster"]) == {"ar", "random_walk"}
    part = found.filter(forecaster="random_walk")
    assert part["low"].to_list() == [0.0, 0.1, 0.5, 0.9]
    truth = forecasts.filter(forecaster="random_walk")["y_true"]
    counts = [(truth <= -0.01).sum(), ((truth > -0.01) & (truth <= 0)).sum()]
    counts += [((truth > 0) & (truth <= 0.01)).sum(), (truth > 0.01).sum()]
    assert part["forecasts"].to_list() == counts
    densities = [count / truth.len() / width for count, width in zip(counts, (0.1, 0.4, 0.4, 0.1), strict=True)]
    assert part["density"].to_list() == pytest.approx(densities)


def test_a_bin_that_nothing_fell_into_has_its_place(whole):
    never = PIT.replace("value < y_true", "value < y_true AND level < 0.6")
    empty = ask(whole.warehouse, never, whole.study.name).frame.filter(low=0.9)
    assert empty["forecasts"].to_list() == [0, 0]


def test_the_fan_shows_the_latest_cutoffs_of_one_series_without_infinite_ends(whole, forecasts):
    found = ask(whole.warehouse, FAN, whole.study.name, 60).frame
    assert set(found["series"]) == {"EURUSD_h1"}
    assert found.height == 2 * 60 * 3
    last = forecasts.filter(pair="EURUSD", horizon=1)["target_at"].max()
    assert found["target_at"].max() == last
    ends = found.filter(forecaster="ar", level=0.9)
    assert ends["value_bp"].null_count() == ends.filter(pl.col("target_at").dt.day() == 2).height > 0


def test_every_forecaster_with_quantiles_has_its_panel_and_the_others_none(whole):
    for draw in (coverage_by_level, pit_histogram, fan_chart):
        plot = draw(whole.warehouse, whole.study)
        assert [panel.title for panel in plot.panels] == ["ar", "random_walk"]
        assert "?" in plot.caption
    assert "its last 60 cutoffs" in plot.caption


def test_a_level_near_one_is_not_called_all(whole, tmp_path):
    made, axes = Warehouse(tmp_path / "warehouse.duckdb"), Figure().add_subplot()
    level = pl.when(pl.col("kind") == "interval").then(0.995).otherwise("level")
    made.load(whole.study.name, {"coverage": whole.coverage.with_columns(level=level)})
    coverage_by_level(made, whole.study).panels[0].draw(axes)
    assert [label.get_text() for label in axes.get_xticklabels()] == ["99.5"]


def test_intervals_are_shown_with_their_coverage_and_what_has_none_is_point_only(whole, whole_page):
    coverage, page = whole.coverage, whole_page
    rows = {row[0]: row for row in page.cells["intervals"][1:]}
    walk, ar, network = (rows[name] for name in ("random_walk", "ar", "dlinear"))
    expected = coverage.filter(kind="interval", forecaster="random_walk")
    share, score = f"{100 * expected['share'].mean():.1f}", f"{1e4 * expected['score'].mean():.1f}"
    off = expected.filter((pl.col("low") > 0.8) | (pl.col("high") < 0.8)).height
    assert walk[1:] == ["80.0", share, f"{off} of 4", "200.0", score, "0", "800"]
    infinite = coverage.filter(kind="interval", forecaster="ar")["infinite"].sum()
    assert ar[4:7] == ["—", "—", str(infinite)]
    assert network[1:] == ["point only", *["—"] * 6]


def test_scores_are_shown_with_the_skill_against_the_random_walk(whole, whole_page):
    scores, page = whole.scores, whole_page
    rows = {row[0]: row[1:] for row in page.cells["distributions"][1:]}
    crps = scores.filter(score="crps", forecaster="random_walk")["value"].mean()
    assert rows["random_walk"][:2] == [f"{1e4 * crps:.3f}", "0.00"]
    assert rows["ar"][:3] == ["—", "—", "—"]
    assert rows["dlinear"] == ["point only", *["—"] * 4]


def test_skill_is_told_where_it_is_known_of_all_series(whole, tables, tmp_path):
    """The walk's own score may be infinite in one of them: a mean over the others is no mean over series."""
    whose = (pl.col("forecaster") == "random_walk") & (pl.col("pair") == "USDJPY")
    gone = whole.scores.with_columns(skill=pl.when(~whose).then("skill"))
    warehouse = Warehouse(tmp_path / "warehouse.duckdb")
    warehouse.load(whole.study.name, tables | {"scores": gone})
    found = exhibit("distributions", warehouse, whole.study).answer.frame.filter(forecaster="random_walk")
    assert found["crps_bp"].null_count() == 0
    assert found["skill"].to_list() == [None]


def test_an_effect_that_would_have_been_found_is_told_of_claims_that_look_for_one(whole, whole_page):
    heads, *rows = whole_page.cells["claims"]
    claim, (found,) = heads.index("Claim"), [at for at, head in enumerate(heads) if head.startswith("Found from")]
    told = {kind: {row[found] == "—" for row in rows if row[claim] == kind} for kind in {row[claim] for row in rows}}
    assert told["equivalent"] == {True}
    assert False in told["predicts"]
    assert whole.claims.filter(kind="equivalent")["smallest_effect"].drop_nulls().len()


@pytest.mark.parametrize("hours", [24, 48, 100, 240])
def test_hours_have_their_dates_without_a_warning(hours):
    axes, start = Figure().subplots(), datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    axes.plot([start, start + datetime.timedelta(hours=hours)], [0, 1])
    dated(axes, 4)
    assert 1 < len(axes.xaxis.get_major_locator()()) <= 4  # what matplotlib warns of is an error here


def test_a_study_without_quantiles_does_not_speak_of_them(page):
    assert "intervals" not in page.cells
    assert "Uncertainty" not in page.words
