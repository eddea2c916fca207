"""The testbed: deterministic, complete, blind to the future, and quick enough to run thousands of times."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from golden_core.leakage.examination import decisive_times, telling_times
from golden_core.leakage.poison import future_report, record_report
from golden_core.leakage.poisons import CHOICE_POISONS, POISONS
from golden_core.leakage.report import compare
from golden_core.leakage.structural import structural
from golden_core.leakage.testbed import build_testbed, draw_plan, raw_bars
from golden_core.leakage.testbed.market import DAILY, HOURLY
from golden_core.store.randomness import Stream
from golden_core.store.schema import BARS

STREAM = Stream(7).child("test_workshop")


@pytest.fixture(scope="module")
def made():
    plan = draw_plan(STREAM)
    raw = raw_bars(plan, STREAM)
    pipeline = build_testbed(plan, STREAM)
    return plan, raw, pipeline, pipeline.run(raw)


def test_raw_bars_are_bars_with_the_faults_of_real_files(made):
    _, raw, _, _ = made
    assert set(raw.columns) == set(BARS.dtypes)
    hourly = raw.filter(pl.col("pair").is_in(HOURLY))
    assert hourly["close"].is_nan().any()
    assert (hourly["volume"] == 0).any()
    assert hourly.select(pl.struct("pair", "timestamp").is_duplicated()).to_series().any()
    local = raw["timestamp"].dt.convert_time_zone("America/New_York")
    hours = (local.dt.weekday() % 7).cast(pl.Int32) * 24 + local.dt.hour()
    assert hours.min() == 17  # Sunday
    assert hours.max() == 5 * 24 + 16
    assert raw.filter(pl.col("pair") == DAILY)["available_at"].dt.convert_time_zone(
        "America/New_York"
    ).dt.hour().unique().to_list() == [17]


def test_equal_bars_give_equal_bits_whatever_their_order(made):
    _, raw, pipeline, run = made
    for again in (pipeline.run(raw), pipeline.run(raw.sort("pair", "available_at"))):
        assert all(compare(frame, again.artefacts[name])[0] == [] for name, frame in run.artefacts.items())


def test_every_artefact_is_there_and_finite(made):
    plan, _, _, run = made
    names = ["bars", "slow_bars", "features", "targets", "folds", "scalers", "selection", "reduction", "windows"]
    names = [name for name in names if name != "reduction" or plan.components]
    assert list(run.artefacts) == [*names, "weights", "calibration", "forecasts"]
    for name in set(run.artefacts) - {"features", "targets"}:  # their first rows have no past to be scaled by
        frame = run.artefacts[name]
        assert np.isfinite(frame.select(pl.selectors.float()).to_numpy()).all(), name
    assert run.artefacts["forecasts"]["key"].n_unique() == 12


def test_an_honest_testbed_passes_every_deterministic_probe(made):
    plan, raw, pipeline, run = made
    times = telling_times(run, raw, STREAM, common=2, odd=3)
    for number, poison in enumerate(POISONS):
        assert future_report(pipeline, raw, times[number :: len(POISONS)], STREAM, [poison]).findings == ()
    for poison in CHOICE_POISONS:
        assert future_report(pipeline, raw, decisive_times(run)[:1], STREAM, [poison]).findings == ()
    assert structural(run, raw, embargo=plan.embargo) == []


def test_an_undeclared_reading_shows_in_the_record(made):
    _, raw, pipeline, run = made
    fit = next(fit for fit in run.fits if fit.asset == "calibration")
    lying = replace(fit, rows=fit.rows[:-20])
    assert {finding.asset for finding in record_report(pipeline, raw, STREAM, fits=[lying]).findings} == {"calibration"}
    assert record_report(pipeline, raw, STREAM, fits=[fit]).findings == ()
