"""Figures of distributions: every number by hand from quantiles and outcomes."""

import polars as pl
import pytest

from golden_core.reporting.exhibits import ask
from golden_core.reporting.uncertainty_figures import FAN, PIT, coverage_by_level, fan_chart, pit_histogram


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
