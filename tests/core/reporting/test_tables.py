"""Tables of results against numbers computed by hand from the forecasts."""

import re

import numpy as np
import polars as pl
import pytest

from golden_core.evaluation.point import METRICS
from golden_core.reporting import tables
from golden_core.reporting.exhibits import ask, declared, exhibit
from golden_core.reporting.tables import leaderboard, series_table
from golden_core.store import schema
from golden_core.store.warehouse import Warehouse

ALPHA = 0.05


@pytest.fixture(scope="module")
def board(warehouse, study):
    return leaderboard(warehouse, study.name, significance=ALPHA).frame


@pytest.fixture(scope="module")
def series(warehouse, study):
    return series_table(warehouse, study.name, significance=ALPHA).frame


def squared_errors(forecasts, forecaster, pair, horizon):
    """Squared errors [S, T] of single seeds, and [T] of their average."""
    part = forecasts.filter(forecaster=forecaster, pair=pair, horizon=horizon).sort("seed", "cutoff")
    shape = (part["seed"].n_unique(), -1)
    truth, predicted = (part[name].to_numpy().reshape(shape) for name in ("y_true", "y_pred"))
    return (truth - predicted) ** 2, (truth[0] - predicted.mean(axis=0)) ** 2


def test_one_row_per_forecaster_best_first(board):
    assert board["forecaster"].to_list() == ["ar", "random_walk", "dlinear"]
    assert board["rank"].to_list() == [1, 2, 3]
    assert board["series"].to_list() == [4, 4, 4]
    assert board["forecasts"].to_list() == [800, 800, 4000]


@pytest.mark.parametrize("forecaster", ["ar", "dlinear", "random_walk"])
def test_leaderboard_mean_is_that_of_the_forecasts(board, forecasts, study, forecaster):
    skills, roots = [], []
    for pair in study.data.pairs:
        for horizon in study.horizons:
            errors, _ = squared_errors(forecasts, forecaster, pair, horizon)
            walk, _ = squared_errors(forecasts, "random_walk", pair, horizon)
            skills.append(1 - errors.sum(axis=1) / walk.sum())
            roots.append(np.sqrt(errors.mean(axis=1)))
    row = board.row(by_predicate=pl.col("forecaster") == forecaster, named=True)
    assert row["r2_oos"] == pytest.approx(np.mean(skills), abs=1e-12)
    assert row["rmse_bp"] == pytest.approx(1e4 * np.mean(roots), rel=1e-12)


def test_interval_is_student_t_over_seeds(board, forecasts, study):
    per_seed = np.mean(
        [
            1 - squared_errors(forecasts, "dlinear", pair, h)[0].sum(axis=1)
            / squared_errors(forecasts, "random_walk", pair, h)[0].sum()
            for pair in study.data.pairs
            for h in study.horizons
        ],
        axis=0,
    )  # fmt: skip
    half = 2.7764451051977987 * per_seed.std(ddof=1) / np.sqrt(5)  # t(.975; 4), any table of Student's t
    row = board.row(by_predicate=pl.col("forecaster") == "dlinear", named=True)
    assert (row["r2_oos_low"], row["r2_oos_high"]) == pytest.approx((per_seed.mean() - half, per_seed.mean() + half))


def test_ensemble_r2_is_that_of_the_averaged_forecasts(series, forecasts):
    for row in series.filter(pl.col("forecaster") != "random_walk").iter_rows(named=True):
        _, average = squared_errors(forecasts, row["forecaster"], row["pair"], row["horizon"])
        _, walk = squared_errors(forecasts, "random_walk", row["pair"], row["horizon"])
        assert row["ensemble_r2_oos"] == pytest.approx(1 - average.sum() / walk.sum(), abs=1e-10)


def test_averaging_seeds_is_another_forecaster(series):
    dlinear = series.filter(pl.col("forecaster") == "dlinear")
    assert (dlinear["ensemble_r2_oos"] > dlinear["r2_oos"] + 0.1).all()


def test_verdicts_count_into_the_leaderboard(board, series, tables):
    ensemble = tables["comparisons"].filter(pl.col("level") == "ensemble")
    for row in board.filter(pl.col("forecaster") != "random_walk").iter_rows(named=True):
        own = ensemble.filter(pl.col("forecaster") == row["forecaster"])
        significant = own.filter(pl.col("p_holm") <= ALPHA)["mean_difference"].to_numpy()
        assert (row["better"], row["worse"], row["tested"]) == ((significant < 0).sum(), (significant > 0).sum(), 4)
        verdicts = series.filter(pl.col("forecaster") == row["forecaster"])["verdict"].to_list()
        assert (verdicts.count("better"), verdicts.count("worse")) == (row["better"], row["worse"])
    assert board["better"].to_list() == [2, None, 0]


def test_significance_decides(warehouse, study, tables):
    p = tables["comparisons"].filter(pl.col("level") == "ensemble")["p_holm"].to_numpy()
    board = leaderboard(warehouse, study.name, significance=0.49).frame
    assert board["better"].sum() + board["worse"].sum() == (p <= 0.49).sum()
    assert leaderboard(warehouse, study.name, significance=1e-300).frame["better"].sum() == 0


def test_no_spread_for_a_deterministic_forecaster_even_if_the_summary_had_one(tmp_path, study, tables):
    tampered = tables["summary"].with_columns(
        t_low=pl.lit(-9.0), t_high=pl.lit(9.0), bootstrap_low=pl.lit(-9.0), bootstrap_high=pl.lit(9.0), sd=pl.lit(1.0)
    )
    made = Warehouse(tmp_path / "warehouse.duckdb")
    made.load(study.name, {**tables, "summary": tampered})
    limits = ["r2_oos_low", "r2_oos_high", "r2_oos_bootstrap_low", "r2_oos_bootstrap_high"]
    for table in (made_of(made, study.name, significance=ALPHA).frame for made_of in (leaderboard, series_table)):
        fixed = table.filter("deterministic").select(limits)
        assert len(fixed)
        assert fixed.null_count().row(0) == (len(fixed),) * 4
        assert sum(table.filter(~pl.col("deterministic")).select(limits).null_count().row(0)) == 0


def test_single_seeds_are_those_of_seeded_forecasters(warehouse, study, tables):
    answer = exhibit("seeds", warehouse, study).answer.frame
    assert answer["forecaster"].unique().to_list() == ["dlinear"]
    own = tables["comparisons"].filter((pl.col("level") == "seed") & (pl.col("forecaster") == "dlinear"))
    assert answer["worse"].sum() == ((own["p_holm"] <= ALPHA) & (own["mean_difference"] > 0)).sum()
    assert answer["lowest"].min() == own["statistic"].min()


def test_a_forecaster_that_failed_everywhere_still_has_a_row(tmp_path, study, tables):
    failed = pl.col("forecaster") == "dlinear"
    trials = tables["trials"].with_columns(
        status=pl.when(failed).then(pl.lit("failed")).otherwise("status"), error=pl.when(failed).then(pl.lit("lost"))
    )
    others = {name: table.filter(~failed) for name, table in tables.items() if "forecaster" in table.columns}
    made = Warehouse(tmp_path / "warehouse.duckdb")
    made.load(study.name, {**tables, **others, "trials": trials})
    row = leaderboard(made, study.name, significance=ALPHA).frame.row(-1, named=True)
    assert (row["forecaster"], row["rank"], row["r2_oos"], row["forecasts"]) == ("dlinear", None, None, 0)


def test_other_studies_do_not_mix_in(tmp_path, study, tables, board, series):
    made = Warehouse(tmp_path / "warehouse.duckdb")
    made.load(study.name, tables)
    renamed = pl.col("^study$").replace(study.name, "other")
    made.load("other", {name: table.with_columns(renamed) for name, table in tables.items()})
    assert leaderboard(made, study.name, significance=ALPHA).frame.equals(board)
    assert series_table(made, study.name, significance=ALPHA).frame.equals(series)


def test_metrics_shown_are_registered():
    named = re.findall(r"metric = '(\w+)'", tables.LEADERBOARD + tables.SERIES + declared()["levels"]["query"])
    assert set(named) == {"r2_oos", "mase", "rmse", "directional_accuracy", "r2_levels"} <= METRICS.keys()


def test_query_text_can_be_run_again(warehouse, study):
    answer = ask(warehouse, tables.LEADERBOARD, study.name, ALPHA)
    assert "$" not in answer.sql
    assert warehouse.query(answer.sql).equals(answer.frame)


def test_quotes_in_a_parameter_stay_text(warehouse):
    answer = ask(warehouse, "SELECT $1 AS name, $2 AS level", "it's; DROP TABLE trials", 0.05)
    name, number = warehouse.query(answer.sql).row(0)
    assert (name, float(number)) == ("it's; DROP TABLE trials", 0.05)


@pytest.mark.parametrize(("bar", "told"), [("1d", False), ("1mo", True)])
def test_closed_days_are_told_of_bars_that_show_them(warehouse, study, bar, told):
    """Nineteen of twenty weekdays have no month's bar, and the column says 0."""
    monthly = study.model_copy(update={"data": study.data.model_copy(update={"bar": bar})})
    assert ("none is counted" in exhibit("data", warehouse, monthly).caption) == told


@pytest.mark.parametrize(("calibration", "told"), [("split", False), ("adaptive", True)])
def test_an_infinite_end_has_its_reason(whole, builders, calibration, told):
    """Adaptive calibration answers with infinite ends however many rows calibrate."""
    section = {"method": calibration, "share": 0.5} | ({"step": 0.02} if told else {})
    study = builders.make_study(quantiles={"levels": (0.1, 0.5, 0.9), "calibration": section})
    assert ("after more misses" in exhibit("intervals", whole.warehouse, study).note) == told


def test_why_a_method_is_kept_back_names_the_seed_where_seeds_differ(study, tmp_path):
    reasons = {"attention": ("no layer shows it",) * 2, "shap": ("p = 0.4", "p = 0.7"), "occlusion": (None, None)}
    rows = [
        {"study": study.name, "forecaster": "v", "pair": "EURUSD", "horizon": 1, "seed": seed, "method": method}
        | {"rows": 9, "reported": reason is None, "reason": reason}
        for method, told in reasons.items()
        for seed, reason in enumerate(told)
    ]
    warehouse = Warehouse(tmp_path / "warehouse.duckdb")
    warehouse.load(study.name, {"explanations": pl.DataFrame(rows, schema=schema.EXPLANATIONS.dtypes)})
    shown = {cells[2].text: cells[-1].text for _, cells in exhibit("explained", warehouse, study).rows}
    assert shown == {"attention": "no layer shows it", "occlusion": "—", "shap": "seed 0: p = 0.4; seed 1: p = 0.7"}


def test_no_method_is_said_to_say_most_where_all_say_the_same(study, tmp_path):
    """A linear network has one explanation: what its methods differ by is rounding."""
    keys = {"study": study.name, "pair": "EURUSD", "horizon": 1, "seed": 0}
    methods = [(name, method) for name in ("linear", "deep") for method in ("shap", "occlusion")]
    shares = [
        keys | {"forecaster": name, "method": method, "feature": "log_return", "lag": 0}
        | {"share": 0.5 + (method == "shap") * (0.1 if name == "deep" else 1e-9)}
        for name, method in methods
    ]  # fmt: skip
    filed = [keys | {"forecaster": name, "method": method, "rows": 9, "reported": True} for name, method in methods]
    warehouse = Warehouse(tmp_path / "warehouse.duckdb")
    warehouse.load(
        study.name,
        {
            "importances": pl.DataFrame(shares, schema=schema.IMPORTANCES.dtypes),
            "explanations": pl.DataFrame(filed, schema=schema.EXPLANATIONS.dtypes),
        },
    )
    shown = {cells[0].text: cells[-1].text for _, cells in exhibit("looked_at", warehouse, study).rows}
    assert shown == {"deep": "shap", "linear": "—"}
