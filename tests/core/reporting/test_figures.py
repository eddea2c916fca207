"""Figures: the data behind them, and SVG that can stand in a page with others."""

import re
from datetime import date, timedelta
from functools import partial
from xml.etree import ElementTree

import numpy as np
import polars as pl
import pytest
from matplotlib import rc_context

from golden_core.reporting import figures, tables
from golden_core.reporting.claim_figures import forest
from golden_core.reporting.exhibits import ask
from golden_core.reporting.figures import cumulative_gain, learning_curves
from golden_core.reporting.pictures import as_svg, placebo_figure
from golden_core.reporting.svg import panel


@pytest.fixture(scope="module")
def series(warehouse, study):
    return ask(warehouse, tables.SERIES, study.name, study.evaluation.significance)


@pytest.fixture(scope="module")
def gain(warehouse, study):
    return cumulative_gain(warehouse, study, ["ar", "random_walk", "dlinear"])


def test_the_curve_ends_at_the_r2_of_the_average(gain, series):
    last = gain.answer.frame.group_by("forecaster", "series", maintain_order=True).last()
    both = last.join(series.frame, on=["forecaster", "series"])
    assert len(both) == 8
    assert both["gain"].to_list() == pytest.approx(both["ensemble_r2_oos"].to_list(), abs=1e-10)


def test_the_curve_at_the_first_month_by_hand(gain, forecasts):
    part = forecasts.filter((pl.col("pair") == "EURUSD") & (pl.col("horizon") == 1))
    walk = part.filter(pl.col("forecaster") == "random_walk")["y_true"].to_numpy() ** 2
    model = part.filter(pl.col("forecaster") == "ar").select((pl.col("y_true") - pl.col("y_pred")) ** 2).to_series()
    own = gain.answer.frame.filter((pl.col("forecaster") == "ar") & (pl.col("series") == "EURUSD_h1"))
    first = own.row(0, named=True)
    assert first["day"].isoformat() == "2020-01-31"  # the first forecast is of 1 January: 31 of them
    assert first["gain"] == pytest.approx((walk[:31].sum() - model[:31].sum()) / walk.sum(), abs=1e-12)


def test_learning_curves_are_medians_over_what_still_trains(warehouse, study, tables_of_history):
    frame = learning_curves(warehouse, study).answer.frame
    for row in frame.iter_rows(named=True):
        losses = tables_of_history.filter(pl.col("epoch") == row["epoch"])
        assert row["runs"] == len(losses)
        assert row["validation"] == pytest.approx(losses["validation_loss"].median())
        assert (row["train_low"], row["train_high"]) == (losses["train_loss"].min(), losses["train_loss"].max())
    assert frame["runs"].is_sorted(descending=True)


@pytest.fixture(scope="module")
def tables_of_history(tables):
    return tables["history"]


def test_one_panel_per_forecaster_and_none_for_the_random_walk(series, study, warehouse):
    assert [shown.title for shown in forest(series, study).panels] == ["ar", "dlinear"]
    assert [shown.title for shown in learning_curves(warehouse, study).panels] == ["dlinear"]


def test_a_deterministic_forecaster_has_no_interval_in_the_figure(series, study):
    group = re.compile(r'<g id="[^"]*LineCollection[^"]*">(.*?)</g>', re.DOTALL)
    bars = {shown.title: "".join(group.findall(shown.svg)).count("<path") for shown in forest(series, study).panels}
    assert bars == {"ar": 0, "dlinear": 4}


def test_panels_describe_themselves_and_are_equal_for_equal_data(series, study):
    first, second = forest(series, study), forest(series, study)
    assert first.panels == second.panels
    for shown in first.panels:
        root = ElementTree.fromstring(shown.svg)
        assert root.get("role") == "img"
        assert "R² on 4 series, from" in root.get("aria-label")
        assert "metadata" not in shown.svg


def test_names_are_inert_and_never_read_as_mathematics():
    def draw(axes):
        axes.set_yticks([0, 1], ["<script>x</script>", "a$b$_{c}"])

    shown = panel("plot", "a<b>", 'a "quoted" <b>', draw)
    texts = [element.text for element in ElementTree.fromstring(shown.svg).iter("{http://www.w3.org/2000/svg}text")]
    assert "<script>x</script>" in texts
    assert "a$b$_{c}" in texts
    assert "<script" not in shown.svg


def test_the_style_of_the_user_does_not_leak_in(series, study):
    import matplotlib as mpl

    plain = forest(series, study).panels
    with mpl.rc_context({"lines.linewidth": 9, "axes.facecolor": "red", "svg.fonttype": "path"}):
        assert forest(series, study).panels == plain


def test_a_last_bit_of_the_data_moves_no_byte_of_a_figure():
    """The labels of an axis set its margins: without rounding, all four of these differed in the ids of clips."""
    days = [date(2020, 1, 1) + timedelta(days=30 * month) for month in range(60)]
    for seed in (0, 2, 3, 4):
        gain = np.random.default_rng(seed).normal(0, 1e-3, 60).cumsum()
        shots = {
            panel("gain", "s", "d", partial(figures._gain, part, {"a": ("#000000", "-")})).svg
            for nudge in (0.0, 1e-15, -1e-15, -4e-15)
            for part in [pl.DataFrame({"forecaster": "a", "day": days, "gain": gain * (1 + nudge)})]
        }
        assert len(shots) == 1, seed


def test_only_the_best_have_a_colour(warehouse, study):
    shown = cumulative_gain(warehouse, study, ["a", "b", "random_walk", "c", "d", "e", "f"])
    assert [key.title for key in shown.legend] == ["a", "b", "c", "d", "e"]
    assert "grey" in shown.caption


def test_the_random_walk_under_another_name_takes_no_colour(warehouse, study, monkeypatch):
    """It is the line of zero: a key of the legend for it would name what cannot be seen."""
    renamed = figures.CUMULATIVE.replace("model.forecaster <> 'random_walk'", "true")
    renamed = renamed.replace(
        "SELECT model.forecaster, pair", "SELECT replace(model.forecaster, 'k', 'k_2') AS forecaster, pair"
    )
    monkeypatch.setattr(figures, "CUMULATIVE", renamed)
    shown = cumulative_gain(warehouse, study, ["random_walk", "random_walk_2", "ar", "dlinear"])
    assert "random_walk_2" in shown.answer.frame["forecaster"]
    assert [key.title for key in shown.legend] == ["ar", "dlinear"]


def test_losses_over_decades_are_labelled_as_people_write_numbers():
    part = pl.DataFrame({"epoch": [1, 2, 3], "runs": 1, "train": [9.0, 0.9, 0.6], "validation": [12.0, 1.1, 0.7]})
    both = ("train", "validation")
    part = part.with_columns(**{f"{name}_{end}": pl.col(name) for name in both for end in ("low", "high")})
    labels = re.findall(r"<text[^>]*>([^<]*)</text>", panel("p", "t", "d", partial(figures._curves, part)).svg)
    assert "10" in labels
    assert not [label for label in labels if "e" in label.replace("epoch", "")]


def test_a_single_epoch_is_a_point_that_is_seen():
    columns = [f"{name}{end}" for name in ("train", "validation") for end in ("", "_low", "_high")]
    part = pl.DataFrame({"epoch": [1], "runs": 2, **dict.fromkeys(columns, 1.5)})
    shown = panel("p", "t", "d", partial(figures._curves, part)).svg
    assert "<use" in shown.split("axis_2")[-1]  # a marker after the axes
    assert "0.975" not in shown  # there is no epoch between two


def test_a_picture_beside_reports_is_the_same_whatever_somebodys_matplotlibrc_says():
    said = {"claims": "any skill", "arm": "cheap", "universes": 10, "adjustment": "holm", "share": 0.1, "allowed": 1}
    table = pl.DataFrame([said, said | {"allowed": None}])
    drawn = as_svg(placebo_figure(table), "placebo")
    with rc_context({"font.size": 20, "figure.facecolor": "red", "axes.spines.top": False}):
        assert as_svg(placebo_figure(table), "placebo") == drawn
