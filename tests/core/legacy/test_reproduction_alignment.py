"""The published table against ours, on forecasts made to order."""

import numpy as np
import polars as pl
import pytest
from scipy import stats
from support.record import forecasts_of, hourly_bars, small_record, with_rmse

from golden_core.evaluation.comparisons import MissingBenchmarkError
from golden_core.legacy.audit.intervals import number
from golden_core.legacy.reproduction.alignment import ALIGNMENT, align
from golden_core.legacy.reproduction.errors import Experiment
from golden_core.legacy.reproduction.pages import _page, what_follows
from golden_core.statistics import holm, long_run

LEVELS = {"confidence": 0.95, "significance": 0.05}
MAIN, OTHER = "legacy", "legacy_94_3_3"


@pytest.fixture(scope="module")
def bars():
    return hourly_bars(800)


@pytest.fixture(scope="module")
def record(bars):
    # Long enough for cosines to tell a better forecaster from luck.
    splits = (("96/2/2", ("v02", "v03"), 160), ("94/3/3", ("v01",), 240))
    return small_record(bars["close"].to_numpy(), splits)


@pytest.fixture(scope="module")
def forecasts(bars):
    """Three variants on the first split's rows: one as good as published, one better, one far worse; v01 on its own."""
    main = forecasts_of(MAIN, bars, 157, {"v01": 0.002, "v02": 0.002, "v03": 0.0001})
    return pl.concat([main, forecasts_of(OTHER, bars, 237, {"v01": 0.02})])


@pytest.fixture(scope="module")
def alignment(forecasts, record):
    return align(forecasts, record, **LEVELS)


def row(alignment, study, variant, metric="rmse"):
    key = {"study": study, "variant": variant, "metric": metric}
    return alignment.table.row(by_predicate=pl.all_horizontal(pl.col(k) == v for k, v in key.items()), named=True)


def test_every_variant_and_metric_has_a_row(alignment):
    table = ALIGNMENT.conform(alignment.table)
    groups = [*((MAIN, name) for name in ("v01", "v02", "v03")), (OTHER, "v01")]
    assert table.select("study", "variant").unique(maintain_order=True).rows() == groups
    assert table["metric"].to_list() == ["mae", "mse", "rmse", "r2"] * 4


@pytest.mark.parametrize("metric", ["mae", "mse", "rmse", "r2"])
def test_numbers_are_those_of_the_forecasts(alignment, forecasts, record, bars, metric):
    own = forecasts.filter(pl.col("study") == MAIN, pl.col("forecaster") == "v02").partition_by("seed")
    errors = np.array([(part["pred_close"] - part["true_close"]).to_numpy() for part in own])
    mse = (errors**2).mean(axis=1)
    truth = bars["close"].to_numpy()[-157:]
    ours = {"mae": abs(errors).mean(axis=1), "mse": mse, "rmse": np.sqrt(mse), "r2": 1 - mse / truth.var()}[metric]
    found = row(alignment, MAIN, "v02", metric)
    assert found["seeds"] == 5
    assert found["mean"] == pytest.approx(ours.mean())
    assert found["sd"] == pytest.approx(ours.std(ddof=1))
    half = stats.t.ppf(0.975, 4) * ours.std(ddof=1)
    assert found["mean_high"] - found["mean_low"] == pytest.approx(2 * half / np.sqrt(5))
    logs = np.log(1 - ours if metric == "r2" else ours)
    reach = stats.t.ppf(0.975, 4) * logs.std(ddof=1) * np.sqrt(1.2)
    ends = np.exp([logs.mean() - reach, logs.mean() + reach])
    assert [found["run_low"], found["run_high"]] == pytest.approx(sorted(1 - ends) if metric == "r2" else list(ends))
    published = record.rows["v02"].values[metric]
    assert found["published"] == published
    assert found["published_low"] < published < found["published_high"]
    far = logs.mean() - np.log(1 - published) if metric == "r2" else np.log(published) - logs.mean()
    assert found["z"] == pytest.approx(far / logs.std(ddof=1))
    assert found["variance"] == pytest.approx(truth.var())


def test_the_random_walk_stands_beside_every_number_on_the_same_rows(alignment, bars):
    closes = bars["close"].to_numpy()
    for study, targets in ((MAIN, 157), (OTHER, 237)):
        steps = np.diff(closes[-targets - 1 :])
        expected = {"mae": abs(steps).mean(), "mse": (steps**2).mean(), "rmse": np.sqrt((steps**2).mean())}
        expected["r2"] = 1 - expected["mse"] / closes[-targets:].var()
        rows = alignment.table.filter(pl.col("study") == study)
        assert rows["targets"].unique().to_list() == [targets]
        for metric, walk in zip(rows["metric"], rows["random_walk"], strict=True):
            assert walk == pytest.approx(expected[metric])


@pytest.mark.parametrize(
    ("study", "variant", "metric", "verdict", "category", "experiment"),
    [
        (MAIN, "v02", "rmse", "consistent", None, ""),
        (MAIN, "v03", "rmse", "published_worse", "unknown", ""),
        (MAIN, "v03", "r2", "published_worse", "unknown", ""),
        (OTHER, "v01", "rmse", "published_better", "unknown", ""),
        (OTHER, "v01", "r2", "published_better", "unknown", ""),
        (MAIN, "v01", "rmse", "other_test_set", "split", OTHER),
    ],
)
def test_verdicts_and_their_reasons(study, variant, metric, verdict, category, experiment, alignment):
    found = row(alignment, study, variant, metric)
    assert (found["verdict"], found["category"], found["experiment"]) == (verdict, category, experiment)
    assert (found["z"] is None) == (verdict == "other_test_set")


def test_without_the_run_on_its_own_rows_the_category_is_unknown(forecasts, record):
    found = row(align(forecasts.filter(pl.col("study") == MAIN), record, **LEVELS), MAIN, "v01")
    assert (found["verdict"], found["category"], found["experiment"]) == ("other_test_set", "unknown", "")
    assert found["mean"] == pytest.approx(0.002, rel=0.3)


def test_categories_need_experiments(forecasts, record, bars):
    changed = Experiment("e1", "initialisation", "x=1", forecasts_of("changed", bars, 157, {"v03": 0.002}))
    vain = Experiment("e2", "precision", "x=2", forecasts_of("changed", bars, 157, {"v03": 0.0002}))
    tried = align(forecasts, record, experiments=[changed, vain], **LEVELS)
    found = row(tried, MAIN, "v03")
    assert (found["category"], found["experiment"], found["tried"]) == ("initialisation", "e1", "e2")
    supported = "v03 in study legacy: e1 supports the category initialisation, since the published number could be one"
    assert supported in "\n".join(what_follows(tried))
    page = _page("alignment.md.jinja", tried)
    assert "| e1 | initialisation | x=1 |" in page
    for experiment in (changed, vain):
        own = experiment.forecasts.filter(forecaster="v03").partition_by("seed")
        rmse = np.array([np.sqrt(((part["pred_close"] - part["true_close"]) ** 2).mean()) for part in own])
        shown = f"{number(rmse.mean(), 6)} ± {number(rmse.std(ddof=1), 3)}"
        assert f"| {experiment.id} | v03 | {number(found['published'], 6)} | {shown} |" in page


def test_diebold_mariano_is_adjusted_over_the_variants_of_a_study(alignment, forecasts):
    main = forecasts.filter(pl.col("study") == MAIN).sort("forecaster", "seed", "cutoff")
    walk = main.filter(pl.col("forecaster") == "random_walk")["y_true"].to_numpy() ** 2
    tests = {}
    for name in ("v01", "v02", "v03"):
        own = main.filter(pl.col("forecaster") == name).partition_by("seed")
        mean = np.mean([part["y_pred"].to_numpy() for part in own], axis=0)
        tests[name] = long_run((mean - own[0]["y_true"].to_numpy()) ** 2 - walk, horizon=1)
    adjusted = holm(np.array([test.p_value for test in tests.values()]))
    for (name, test), p in zip(tests.items(), adjusted, strict=True):
        assert row(alignment, MAIN, name)["statistic"] == pytest.approx(test.statistic)
        assert row(alignment, MAIN, name)["p_holm"] == pytest.approx(p)
    assert row(alignment, MAIN, "v03")["seeds_better"] == 5
    assert row(alignment, OTHER, "v01")["seeds_worse"] == 5


def test_one_run_is_undecided(bars, record):
    single = align(forecasts_of(MAIN, bars, 157, {"v02": 0.002}, seeds=1), record, **LEVELS)
    found = row(single, MAIN, "v02")
    assert (found["verdict"], found["category"], found["z"], found["sd"]) == ("undecided", "unknown", None, None)
    assert "takes two runs or more" in " ".join(what_follows(single))


def test_the_order_of_the_forecasts_changes_no_byte(alignment, forecasts, record):
    again = align(forecasts.sample(fraction=1, shuffle=True, seed=3), record, **LEVELS)
    assert again.table.equals(alignment.table)
    assert _page("alignment.md.jinja", again) == _page("alignment.md.jinja", alignment)


def test_forecasters_that_were_never_published_do_not_enter(alignment, forecasts, record):
    stranger = forecasts.filter(pl.col("forecaster") == "v03").with_columns(forecaster=pl.lit("drift"))
    assert align(pl.concat([forecasts, stranger]), record, **LEVELS).table.equals(alignment.table)


WALK, LAST = pl.col("forecaster") == "random_walk", pl.col("cutoff").max()
FIRST_STUDY = pl.col("study") == MAIN


@pytest.mark.parametrize(
    "kept", [~WALK | FIRST_STUDY, ~(WALK & FIRST_STUDY & (pl.col("cutoff") == LAST))], ids=["none", "on fewer rows"]
)
def test_without_the_random_walk_on_the_same_rows_nothing_is_compared(kept, forecasts, record):
    with pytest.raises(MissingBenchmarkError, match="random_walk"):
        align(forecasts.filter(kept), record, **LEVELS)


def test_the_words_are_those_of_the_numbers(alignment):
    said = "\n".join(what_follows(alignment))
    assert "Study legacy: 1 of 3 (v03) variants beat the random walk at 5 %" in said
    assert "Study legacy_94_3_3: 0 of 1 variants beat the random walk" in said
    assert "the random walk beats 1 of 1 (v01)" in said
    assert "1 (v02) could be one more run of ours (interval of one more run, 95 %)" in said
    assert "1 (v01) smaller than our runs allow, 1 (v03) larger" in said
    assert "v01 in study legacy: the deviation is of the category split, as legacy_94_3_3 shows." in said
    assert "For v01, v03 the category of the deviation is unknown" in said
    assert "cannot be reproduced exactly without the original file: it had 800 rows" in said


def test_published_numbers_are_held_against_the_random_walk_whatever_was_run(forecasts, record):
    said = "\n".join(what_follows(align(forecasts, record, **LEVELS)))
    assert "0 of 3 published RMSEs can be below the random walk's" in said
    better = with_rmse(record, "v03", 0.0001)
    only_v02 = forecasts.filter(pl.col("forecaster") != "v03")
    said = "\n".join(what_follows(align(only_v02, better, **LEVELS)))
    assert "1 of 3 (v03) published RMSEs can be below the random walk's" in said


def test_other_bars_are_said_to_carry_no_comparison(record):
    elsewhere = forecasts_of(MAIN, hourly_bars(800, "another feed"), 157, {"v02": 0.002})
    alignment = align(elsewhere, record, **LEVELS)
    assert set(alignment.table["verdict"]) == {"other_test_set"}
    assert "no published number is compared with anything on them" in "\n".join(what_follows(alignment))


def test_a_smoke_run_says_so(forecasts, record):
    smoke = forecasts.with_columns(study=pl.lit("smoke_") + pl.col("study"))
    assert what_follows(align(smoke, record, **LEVELS))[0].startswith("This is a smoke run")


def test_the_page_shows_every_number_and_reads_as_a_table(alignment):
    page = _page("alignment.md.jinja", alignment)
    assert page.count("### RMSE in study legacy: 157 targets of variance") == 1
    for found in alignment.table.iter_rows(named=True):
        assert f"{found['published']:.6g}" in page
        assert f"{found['mean']:.6g}" in page
        assert f"{found['random_walk']:.6g}" in page
    for table in page.split("\n\n"):
        if table.startswith("|"):
            assert len({line.count("|") for line in table.splitlines()}) == 1
    assert "None" not in page
    assert "nan" not in page
