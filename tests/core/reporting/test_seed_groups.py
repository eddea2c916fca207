"""Seeds as groups: by another implementation, over the rows that count, and with nothing where nothing can be said."""

import numpy as np
import polars as pl
import pytest
from statsmodels.stats.oneway import anova_oneway

from golden_core.reporting.exhibits import exhibit
from golden_core.reporting.seed_groups import ALL, seed_groups
from golden_core.store import schema
from golden_core.store.warehouse import Warehouse

SERIES = (("EURUSD", 1), ("USDJPY", 5))
# R² of five seeds in percent, on each series; the random walk has one, and stands by itself.
SEEDS = {
    "v08": [(-0.2, -0.4), (-0.1, -0.6), (-0.3, -0.5), (-0.2, -0.3), (-0.4, -0.5)],
    "dlinear": [(-3.0, -2.0), (-3.2, -2.6), (-2.9, -2.2), (-3.1, -2.4), (-3.3, -2.1)],
    "moe": [(-0.3, -0.4), (-0.2, -0.5), (-0.5, -0.3), (-0.1, -0.2), (-0.2, -0.6)],
    "ar": [(0.0, 0.0)] * 5,
}


def answers(tmp_path, study, seeds):
    """Return a warehouse of these scores, beside others that must not enter, and what is said of them."""
    rows = [
        {"study": study.name, "forecaster": name, "pair": pair, "horizon": horizon, "seed": seed, "value": value / 100}
        for name, found in seeds.items()
        for seed, values in enumerate(found)
        for (pair, horizon), value in zip(SERIES, values, strict=True)
        if value is not None
    ]
    scores = pl.DataFrame(rows).with_columns(
        stratum_kind=pl.lit("all"), stratum=pl.lit("all"), metric=pl.lit("r2_oos"), n=pl.lit(100)
    )
    errors = scores.with_columns(metric=pl.lit("rmse"), value=pl.lit(1.0))
    year = scores.with_columns(stratum_kind=pl.lit("year"), stratum=pl.lit("2020"), value=pl.lit(1.0))
    trials = scores.with_columns(deterministic=pl.col("forecaster") == "ar")
    warehouse = Warehouse(tmp_path / "warehouse.duckdb")
    metrics = pl.concat([scores, errors, year])
    warehouse.load(study.name, {"metrics": filled(metrics, schema.METRICS), "trials": filled(trials, schema.TRIALS)})
    return warehouse, seed_groups(warehouse, study)


def filled(frame, table):
    absent = {name: pl.lit(None) for name in table.dtypes if name not in frame.columns}
    return frame.with_columns(**absent).select(pl.col(name).cast(kind) for name, kind in table.dtypes.items())


def test_groups_are_those_of_another_implementation(tmp_path, study):
    _, found = answers(tmp_path, study, SEEDS)
    frame = found["groups"].frame
    assert frame["series"].to_list() == [ALL, "EURUSD_h1", "USDJPY_h5"]
    assert frame["forecasters"].to_list() == [3, 3, 3]  # a deterministic one has no seeds to differ
    values = {name: np.array(seeds) / 100 for name, seeds in SEEDS.items() if name != "ar"}
    for row, groups in zip(
        frame.iter_rows(named=True),
        ([v.mean(axis=1) for v in values.values()], *([v[:, k] for v in values.values()] for k in range(2))),
        strict=True,
    ):
        welch = anova_oneway(groups, use_var="unequal", welch_correction=True)
        assert row["statistic"] == pytest.approx(welch.statistic, rel=1e-9)
        assert row["p_value"] == pytest.approx(welch.pvalue, rel=1e-6)
        together = np.concatenate(groups)
        between = sum(len(g) * (g.mean() - together.mean()) ** 2 for g in groups)
        assert row["share"] == pytest.approx(between / ((together - together.mean()) ** 2).sum(), rel=1e-9)
        assert row["low"] < row["share"] < row["high"]


def test_pairs_begin_with_the_better_and_are_told_apart_where_seeds_do(tmp_path, study):
    warehouse, found = answers(tmp_path, study, SEEDS)
    frame = found["pairs_of_seeds"].frame
    means = {name: np.mean(seeds) / 100 for name, seeds in SEEDS.items()}
    assert frame.select("forecaster", "other").rows() == [("moe", "v08"), ("moe", "dlinear"), ("v08", "dlinear")]
    for one, other, difference, *_ in frame.iter_rows():
        assert difference == pytest.approx(means[one] - means[other])
    assert (frame["p_value"] < 0.001).to_list() == [False, True, True]
    assert ((frame["low"] > 0) | (frame["high"] < 0)).to_list() == [False, True, True]
    for name, answer in found.items():
        rows = exhibit(name, warehouse, study, answer).rows
        assert len(rows) == answer.frame.height
        assert not any("nan" in cell.text for _, cells in rows for cell in cells)


@pytest.mark.parametrize(
    ("changed", "groups", "pairs"),
    [
        ({"v08": [(-0.2, -0.4)] * 5}, [3, 3, 3], 3),  # nothing but its mean: no test, and a dash
        ({"v08": SEEDS["v08"][:1]}, [3, 3, 3], 3),
        ({"v08": [(-0.2, None)] * 5}, [2, 3, 2], 1),  # no seed has every series
        ({"v08": [], "moe": []}, [], 0),
        ({"v08": [], "moe": [], "dlinear": []}, [], 0),
    ],
)
def test_what_cannot_be_said_is_left_out(tmp_path, study, changed, groups, pairs):
    warehouse, found = answers(tmp_path, study, SEEDS | changed)
    assert found["groups"].frame["forecasters"].to_list() == groups
    assert found["pairs_of_seeds"].frame.height == pairs
    if groups == [3, 3, 3]:
        assert found["groups"].frame["p_value"].null_count() == 3
        cells = exhibit("pairs_of_seeds", warehouse, study, found["pairs_of_seeds"]).rows[0][1]
        assert cells[3].text == "—"
