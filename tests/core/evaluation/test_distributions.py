"""Coverage and scores of quantiles: by hand, against SQL, and red for what is off by a little."""

import numpy as np
import polars as pl
import pytest

from golden_core.evaluation.distributions import coverage_table, scores_table
from golden_core.evaluation.sql import coverage_unlike_sql, quantiles_that_cross
from golden_core.statistics.long_run import long_run
from golden_core.statistics.moments import covers
from golden_core.store.schema import QUANTILES
from golden_core.store.warehouse import Warehouse

LEVELS = [0.1, 0.25, 0.5, 0.75, 0.9]
AROUND = [-0.006, -0.003, 0.0, 0.004, 0.007]


def quantiles_of(forecasts, scale=1.0):
    """The same quantiles around every forecast."""
    around = pl.DataFrame({"level": LEVELS, "value": [scale * value for value in AROUND], "rearranged": [False] * 5})
    beside = forecasts.join(around, how="cross").with_columns(value=pl.col("y_pred") + pl.col("value"))
    return QUANTILES.conform(beside.select(*QUANTILES.dtypes))


@pytest.fixture
def loaded(tmp_path):
    def load(forecasts, quantiles, coverage=None, scores=None):
        warehouse = Warehouse(tmp_path / "warehouse.duckdb")
        coverage = coverage_table(forecasts, quantiles, 0.95) if coverage is None else coverage
        scores = scores_table(forecasts, quantiles) if scores is None else scores
        tables = {"forecasts": forecasts, "quantiles": quantiles, "coverage": coverage, "scores": scores}
        warehouse.load("made", tables)
        return warehouse

    return load


def test_one_trial_by_hand(make_forecasts):
    forecasts = make_forecasts((), ("EURUSD",), (1,), n=4).with_columns(y_true=pl.Series([-0.01, -0.001, 0.001, 0.008]))
    quantiles = quantiles_of(forecasts)
    coverage = coverage_table(forecasts, quantiles, 0.95)
    below = coverage.filter(kind="quantile").select("level", "share")
    assert below.rows() == [(0.1, 0.25), (0.25, 0.25), (0.5, 0.5), (0.75, 0.75), (0.9, 0.75)]
    wide = coverage.filter(kind="interval", level=0.8).row(0, named=True)
    assert (wide["n"], wide["share"], wide["infinite"]) == (4, 0.5, 0)
    assert wide["width"] == pytest.approx(0.013)
    assert wide["score"] == pytest.approx(0.013 + 10 * (0.004 + 0.001) / 4)  # 2/α = 10; two miss, by .004 and .001
    median = coverage.filter(kind="quantile", level=0.5)["score"][0]
    assert median == pytest.approx(0.5 * np.mean([0.01, 0.001, 0.001, 0.008]))
    scores = scores_table(forecasts, quantiles)
    assert scores["score"].to_list() == ["crps", "rearranged", "wis"]
    wis = scores.filter(score="wis")["value"][0]
    assert wis == pytest.approx(2 * coverage.filter(kind="quantile")["score"].mean(), rel=1e-12)
    assert scores.filter(score="rearranged")["value"][0] == 0.0


def test_the_interval_of_a_share_is_the_engines_and_null_where_undefined(make_forecasts):
    forecasts = make_forecasts((), ("EURUSD",), n=300)
    coverage = coverage_table(forecasts, quantiles_of(forecasts), 0.9)
    for row in coverage.filter(kind="interval", level=0.8).iter_rows(named=True):
        y = forecasts.filter(horizon=row["horizon"]).sort("cutoff")["y_true"].to_numpy()
        misses = covers(y, np.full(300, -0.006), np.full(300, 0.007), 0.8)
        engine = long_run(misses, horizon=row["horizon"], level=0.9, most=4)
        assert (row["low"], row["high"]) == pytest.approx((0.8 + engine.low, 0.8 + engine.high), rel=1e-9)
        assert row["low"] < row["share"] < row["high"]
    short = coverage_table(forecasts.head(3), quantiles_of(forecasts.head(3)), 0.9)
    assert short["low"].null_count() == short["high"].null_count() == len(short) == 7


def test_skill_is_against_the_random_walk_of_the_series(make_forecasts):
    forecasts = make_forecasts(("noisy",), n=60)
    wild = pl.col("forecaster") == "noisy"
    quantiles = pl.concat([quantiles_of(forecasts.filter(~wild)), quantiles_of(forecasts.filter(wild), 3.0)])
    scores = scores_table(forecasts, quantiles).filter(score="crps")
    key = ["pair", "horizon"]
    both = scores.filter(wild).join(scores.filter(~wild), on=key, suffix="_walk")
    assert both.height == 12
    assert both["skill"].to_numpy() == pytest.approx((1 - both["value"] / both["value_walk"]).to_numpy())
    assert (scores.filter(~wild)["skill"] == 0).all()


def test_sql_agrees_infinite_bounds_and_all(make_forecasts, loaded):
    forecasts = make_forecasts(("noisy", "steady"), n=120)
    quantiles = quantiles_of(forecasts).with_columns(
        pl.when((pl.col("forecaster") == "steady") & (pl.col("level") == 0.9))
        .then(float("inf")).otherwise("value").alias("value")
    )  # fmt: skip
    warehouse = loaded(forecasts, quantiles)
    found, examined = coverage_unlike_sql(warehouse, "made")
    assert found == []
    trials = 4 * (1 + 3 + 1)  # series × seeds of walk, noisy, steady
    assert examined == trials * (5 + 2 + 3)  # quantiles, intervals, scores
    assert quantiles_that_cross(warehouse, "made") == ([], quantiles.height)
    steady = coverage_table(forecasts, quantiles, 0.95).filter(pl.col("forecaster") == "steady")
    assert steady.filter(kind="interval", level=0.8)["width"].null_count() == 4
    assert set(steady.filter(kind="interval", level=0.8)["infinite"]) == {120}
    scores = scores_table(forecasts, quantiles).filter(pl.col("score") != "rearranged", forecaster="steady")
    assert scores["value"].null_count() == scores["skill"].null_count() == len(scores) == 8


@pytest.mark.parametrize("column", ["share", "width", "score", "n", "infinite"])
def test_sql_finds_a_number_that_is_off(make_forecasts, loaded, column):
    forecasts = make_forecasts((), ("EURUSD",), (1,), n=50)
    quantiles = quantiles_of(forecasts)
    coverage = coverage_table(forecasts, quantiles, 0.95)
    wrong = pl.when(kind="interval", level=0.8).then(pl.col(column) + (1 if column in ("n", "infinite") else 1e-9))
    found, _ = coverage_unlike_sql(loaded(forecasts, quantiles, coverage.with_columns(wrong.otherwise(column))), "made")
    assert found == ["('random_walk', 'EURUSD', 1, 0, 'interval', 0.8): SQL finds another share, width or score"]


@pytest.mark.parametrize("column", ["share", "width", "score"])
@pytest.mark.parametrize("value", [float("inf"), float("-inf"), float("nan")])
def test_sql_finds_what_is_no_number(make_forecasts, loaded, column, value):
    forecasts = make_forecasts((), ("EURUSD",), (1,), n=50)
    quantiles = quantiles_of(forecasts)
    coverage = coverage_table(forecasts, quantiles, 0.95)
    wrong = pl.when(kind="interval", level=0.8).then(pl.lit(value)).otherwise(column).alias(column)
    found, _ = coverage_unlike_sql(loaded(forecasts, quantiles, coverage.with_columns(wrong)), "made")
    assert found == ["('random_walk', 'EURUSD', 1, 0, 'interval', 0.8): SQL finds another share, width or score"]


WRONG = [(name, off) for name in ("value", "skill") for off in (2.0, 1 + 1e-9, float("inf"), float("nan"), None)]


@pytest.mark.parametrize("score", ["crps", "wis", "rearranged"])
@pytest.mark.parametrize(("column", "off"), [*WRONG, ("n", 2), ("infinite", 2)])
def test_sql_finds_a_score_that_is_off(make_forecasts, loaded, score, column, off):
    """A doubled CRPS among them, which a mean of pinball losses cannot see where levels are uneven."""
    forecasts = make_forecasts(("noisy",), ("EURUSD",), (1,), n=50)
    wild = pl.col("forecaster") == "noisy"
    crossed = quantiles_of(forecasts.filter(wild), 3.0).with_columns(rearranged=pl.col("cutoff").dt.day() % 3 == 0)
    quantiles = pl.concat([quantiles_of(forecasts.filter(~wild)), crossed])
    scores = scores_table(forecasts, quantiles)
    at = {"forecaster": "noisy", "seed": 1, "score": score}
    changed = pl.col(column) + 1 if column in ("n", "infinite") else pl.lit(off, pl.Float64) * pl.col(column)
    wrong = scores.with_columns(pl.when(**at).then(changed).otherwise(column).alias(column))
    if wrong.equals(scores):
        assert (score, column) == ("rearranged", "skill")  # the random walk's share is 0, so there is none
        return
    found, _ = coverage_unlike_sql(loaded(forecasts, quantiles, scores=wrong), "made")
    assert found == [f"('noisy', 'EURUSD', 1, 1): the score {score} is another in SQL"]


def test_sql_finds_scores_that_are_missing_and_those_of_no_quantiles(make_forecasts, loaded):
    forecasts = make_forecasts((), ("EURUSD",), n=50)
    quantiles = quantiles_of(forecasts)
    scores = scores_table(forecasts, quantiles)
    found, _ = coverage_unlike_sql(loaded(forecasts, quantiles, scores=scores.clear()), "made")
    names = ("crps", "rearranged", "wis")
    assert found == [
        f"('random_walk', 'EURUSD', {h}, 0): the score {name} is missing" for h in (1, 5) for name in names
    ]
    fewer = quantiles.filter(horizon=1)
    found, _ = coverage_unlike_sql(loaded(forecasts, fewer, scores=scores), "made")
    assert found == [f"('random_walk', 'EURUSD', 5, 0): the score {name} is of no quantiles" for name in names]


def test_sql_finds_rows_that_are_missing_and_a_wrong_weighted_score(make_forecasts, loaded):
    forecasts = make_forecasts((), ("EURUSD",), (1,), n=50)
    quantiles = quantiles_of(forecasts)
    coverage = coverage_table(forecasts, quantiles, 0.95).filter(pl.col("kind") != "interval")
    scores = scores_table(forecasts, quantiles).with_columns(pl.col("value") * (1 + 1e-9))
    found, _ = coverage_unlike_sql(loaded(forecasts, quantiles, coverage, scores), "made")
    scored = [f"('random_walk', 'EURUSD', 1, 0): the score {name} is another in SQL" for name in ("crps", "wis")]
    assert len(found) == 4
    assert found[2:] == scored


def test_crossing_quantiles_are_found(make_forecasts, loaded):
    forecasts = make_forecasts((), ("EURUSD",), (1,), n=50)
    quantiles = quantiles_of(forecasts)
    lower = pl.when(level=0.75).then(pl.col("value") - 0.005).otherwise("value")
    crossing = quantiles.with_columns(value=lower)
    warehouse = loaded(
        forecasts, crossing, *(coverage_table(forecasts, quantiles, 0.95), scores_table(forecasts, quantiles))
    )
    found, examined = quantiles_that_cross(warehouse, "made")
    assert found == ["50 quantiles of random_walk on EURUSD_h1 lie below one of a lower level"]
    assert examined == 250


def test_without_quantiles_the_tables_are_empty(make_forecasts):
    forecasts = make_forecasts(n=10)
    assert coverage_table(forecasts, QUANTILES.empty(), 0.95).is_empty()
    assert scores_table(forecasts, QUANTILES.empty()).is_empty()
