"""Every planted leak fails a probe, which names the place; the honest pipeline passes them all."""

import dataclasses
import itertools

import numpy as np
import polars as pl
import pytest

from golden_core.leakage.artefacts import Pipeline
from golden_core.leakage.audit import OF_CLEANING
from golden_core.leakage.poison import future_report, record_report
from golden_core.leakage.poisons import FAULTS, POISONS, faulty
from golden_core.leakage.report import sentence

CLOSE = pl.col("close")


def looks_at_the_next_bar(bars):
    """Drop a bar when the next one undoes its move: the classic spike filter."""
    step = CLOSE.log().diff()
    return bars.filter(~((step.abs() > 1e-3) & (step + step.shift(-1)).abs().lt(2e-3)).fill_null(False))


LEAKS = {
    "a cleaning rule that looks at the next bar": ("bars", {"clean": looks_at_the_next_bar}),
    "shift(-1)": ("features", {"feature": lambda bars: (CLOSE.shift(-1) / CLOSE).log()}),
    "a centred window": ("features", {"feature": lambda bars: CLOSE - CLOSE.rolling_mean(5, center=True)}),
    "full-sample standardisation of a feature": ("features", {"feature": lambda bars: CLOSE / CLOSE.mean()}),
    "a scaler of all rows": ("scalers", {"scale_rows": lambda train, bars: range(20, bars.height)}),
    "a slope chosen on test": ("weights", {"validation": lambda validation, test: test}),
    "forecasts less their batch's mean": ("forecasts", {"forecast": lambda slope, x: slope * (x - x.mean())}),
    "a forecast from the next window": ("forecasts", {"forecast": lambda slope, x: slope * np.roll(x, -1)}),
}  # fmt: skip


def test_the_honest_pipeline_passes(build, raw, middle, stream):
    report = future_report(build(), raw, [middle], stream)
    assert report.findings == ()
    assert report.refused == ()
    assets = ("bars", "features", "scalers", "weights", "forecasts")
    assert {(cell.asset, cell.poison) for cell in report.cells} == set(itertools.product(assets, POISONS))
    assert all(cell.rows for cell in report.cells)
    assert record_report(build(), raw, stream).findings == ()


@pytest.mark.parametrize("leak", LEAKS)
def test_a_planted_leak_is_found_where_it_is(build, raw, middle, stream, leak):
    asset, replaced = LEAKS[leak]
    times = [middle, *(middle.replace(hour=hour) for hour in range(9))]
    findings = future_report(build(**replaced), raw, times, stream).findings
    assert findings, leak
    assert findings[0].asset == asset
    assert findings[0].follows is None
    assert findings[0].timestamp <= max(times)
    assert all(finding.follows for finding in findings if finding.asset != asset)


def backward(bars):
    return bars.with_columns(CLOSE.fill_nan(None).fill_null(strategy="backward")).drop_nulls("close")


def on_a_full_grid(bars):
    first, last = pl.col("timestamp").min(), pl.col("timestamp").max()
    hours = bars.select(pl.datetime_range(first, last, "1h").alias("timestamp"))
    known = (pl.col("timestamp") + pl.duration(hours=1)).alias("available_at")
    return backward(hours.join(bars.drop("available_at"), on="timestamp", how="left").with_columns(known)).with_columns(
        pl.col("pair").fill_null(strategy="backward")
    )


def waits_for_the_next(bars):
    far = (CLOSE / CLOSE.shift(1)).log().abs() > 0.1
    undone = (CLOSE.shift(-1) / CLOSE.shift(1)).log().abs() < 0.1
    return bars.filter(~(far & undone).fill_null(False))


def untraded_twice(bars):
    bars = bars.filter(CLOSE > 0)
    flat = CLOSE.shift(1) == CLOSE
    return bars.filter(~(flat & flat.shift(-1)).fill_null(False))


def taken_back(bars):
    bars = bars.filter(CLOSE > 0)
    step, back = CLOSE.log().diff(), CLOSE.log().diff().shift(-1)
    return bars.filter(~((step.abs().is_between(0.01, 0.05)) & ((step + back).abs() < 1e-4)).fill_null(False))


def between_neighbours(bars):
    close = pl.when(CLOSE > 0).then(CLOSE).interpolate()
    return bars.with_columns(close).drop_nulls("close")


def print_nearest_to_the_next(bars):
    ahead = bars.group_by("timestamp").agg(CLOSE.mean().alias("ahead")).sort("timestamp")
    ahead = ahead.with_columns(pl.col("ahead").shift(-1))
    rows = bars.join(ahead, on="timestamp", how="left").with_columns(off=(CLOSE - pl.col("ahead")).abs().fill_null(0.0))
    return rows.sort("timestamp", "off").unique("timestamp", keep="first", maintain_order=True).drop("ahead", "off")


RULES = {
    "stale": untraded_twice, "jump": taken_back, "zero": between_neighbours, "twin": print_nearest_to_the_next,
    "spike": waits_for_the_next, "slip": waits_for_the_next, "hole": backward, "gap": on_a_full_grid,
}  # fmt: skip


@pytest.mark.parametrize("fault", RULES)
def test_a_cleaning_rule_that_only_acts_on_bad_bars_is_found_on_planted_ones(build, raw, middle, stream, fault):
    pipeline = build(**{"prints" if fault == "twin" else "clean": RULES[fault]})
    assert future_report(pipeline, raw, [middle], stream).findings == ()
    planted = faulty(raw, middle, FAULTS.index(fault))
    findings = future_report(pipeline, planted, [middle], stream, OF_CLEANING).findings
    assert findings[0].asset == "bars"
    assert future_report(build(), planted, [middle], stream).findings == ()


@pytest.mark.parametrize("poison", POISONS)
def test_each_poison_finds_a_leak_by_itself(build, raw, middle, stream, poison):
    pipeline = build(feature=LEAKS["shift(-1)"][1]["feature"])
    first = future_report(pipeline, raw, [middle], stream, (poison,)).findings[0]
    assert (first.asset, first.timestamp) == ("features", middle)
    assert f"replaced ({poison})" in first.detail


def test_the_sentence_names_asset_column_and_time(build, raw, middle, stream):
    pipeline = build(feature=LEAKS["shift(-1)"][1]["feature"])
    found = [sentence(finding) for finding in future_report(pipeline, raw, [middle], stream).findings]
    assert found[0].startswith(f"features, column 'x' from {middle:%Y-%m-%d %H:%M} UTC on: with everything after ")
    assert found[-1].endswith("(perhaps only because features.x does)")


@pytest.mark.parametrize(
    ("replaced", "asset"),
    [
        ({"scale_rows": lambda train, bars: range(train.start, bars.height)}, "scalers"),
        ({"scale_rows": lambda train, bars: range(train.start, train.stop + 3)}, "scalers"),
        ({"validation": lambda validation, test: test}, "weights"),
        ({"validation": lambda validation, test: range(validation.start, test.stop)}, "weights"),
        ({"declared": lambda bars, rows: bars[rows.start + 9 : rows.stop]}, "scalers"),
    ],
)
def test_a_fit_that_reads_more_than_it_says(build, raw, stream, replaced, asset):
    findings = record_report(build(**replaced), raw, stream).findings
    assert asset in {finding.asset for finding in findings}
    assert all("does not declare" in finding.detail for finding in findings)


@pytest.fixture
def picky(build):
    def run(table):
        if table["close"].is_nan().any():
            raise ValueError("NaN, thank you")
        return build().run(table)

    return Pipeline("picky", run)


def test_a_pipeline_that_refuses_poison_is_told_from_one_that_refuses_all(picky, raw, middle, stream):
    report = future_report(picky, raw, [middle], stream)
    assert report.findings == ()
    assert len(report.refused) == 1
    assert "ValueError: NaN, thank you" in report.refused[0]
    refused = future_report(picky, raw, [middle], stream, ("nan",))
    assert [(f.asset, f.column) for f in refused.findings] == [("picky", "(run)")]


@pytest.mark.parametrize("probe", ["future", "record"])
def test_who_refused_every_poison_that_the_pipeline_took_was_shown_nothing(build, raw, middle, stream, probe):
    """The pipeline refuses the first poison as a whole, a forecaster in it the second: nothing of it was compared."""
    runs = itertools.count()

    def run(table):
        number, made = next(runs), build().run(table)
        if number == 1:
            raise ValueError("no fold can be laid")
        return dataclasses.replace(made, failures={"slope": "does not converge"}) if number else made

    pipeline, two = Pipeline("both", run), ("reversed", "mirrored")
    if probe == "future":
        report = future_report(pipeline, raw, [middle], stream, two)
    else:
        report = record_report(pipeline, raw, stream, fits=build().run(raw).fits[-1:], poisons=two)
    assert [finding.column for finding in report.findings] == ["slope"]
    assert "does not converge" in report.findings[0].detail


def test_a_spare_poison_is_tried_where_all_others_were_refused_and_nowhere_else(build, picky, raw, middle, stream):
    for pipeline, tried in ((picky, "reshuffled"), (build(), "nan")):
        report = future_report(pipeline, raw, [middle], stream, ("nan",), spare=("reshuffled",))
        assert report.findings == ()
        assert {cell.poison for cell in report.cells} == {tried}


def test_a_pipeline_that_is_not_reproducible_says_so(build, raw, middle, stream):
    count = itertools.count()

    def run(table):
        made = build().run(table)
        weights = made.artefacts["weights"].with_columns(slope=pl.lit(float(next(count))))
        return dataclasses.replace(made, artefacts={**made.artefacts, "weights": weights})

    findings = future_report(Pipeline("moody", run), raw, [middle], stream).findings
    assert [f.asset for f in findings] == ["weights"]
    assert "not reproducible" in findings[0].detail


def test_a_fit_whose_result_does_not_exist_is_a_finding(build, raw, stream):
    made = build().run(raw)
    stray = dataclasses.replace(made.fits[0], key="EURUSD_h9/0")
    report = record_report(build(), raw, stream, fits=[stray], honest=made)
    assert "no such row" in report.findings[0].detail
