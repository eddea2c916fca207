"""What the report says of quantiles: numbers of the warehouse, "point only" where there are none, nothing unasked."""

import polars as pl
import pytest

from golden_core.evaluation.distributions import coverage_table, scores_table
from golden_core.reporting import write_report
from golden_core.store.schema import QUANTILES
from golden_core.store.warehouse import Warehouse

LEVELS = [0.1, 0.5, 0.9]


@pytest.fixture(scope="module")
def made(builders, tables, forecasts, tmp_path_factory):
    """Quantiles of two forecasters, one of them with an infinite end at every tenth cutoff; none of the third."""
    section = {"levels": tuple(LEVELS), "calibration": {"method": "split", "share": 0.5}}
    study = builders.make_study(quantiles=section)
    around = pl.DataFrame({"level": LEVELS, "value": [-0.01, 0.0, 0.01], "rearranged": [False] * 3})
    beside = forecasts.filter(pl.col("forecaster") != "dlinear").join(around, how="cross")
    endless = (pl.col("forecaster") == "ar") & (pl.col("level") == 0.9) & (pl.col("cutoff").dt.day() == 1)
    shifted = pl.when(endless).then(float("inf")).otherwise(pl.col("y_pred") + pl.col("value"))
    quantiles = QUANTILES.conform(beside.with_columns(value=shifted).select(*QUANTILES.dtypes))
    folder = tmp_path_factory.mktemp("uncertain")
    warehouse = Warehouse(folder / "warehouse.duckdb")
    coverage, scores = coverage_table(forecasts, quantiles, 0.95), scores_table(forecasts, quantiles)
    warehouse.load(study.name, tables | {"quantiles": quantiles, "coverage": coverage, "scores": scores})
    write_report(warehouse, study, folder / "report", builders.PROVENANCE)
    return builders.Page((folder / "report" / "index.html").read_text(encoding="utf-8")), coverage, scores


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
