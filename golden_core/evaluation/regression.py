"""The comparisons a second time: by cosine transform, and as regressions of statsmodels. A check, never a source."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
from scipy import stats
from statsmodels.regression.linear_model import OLS
from statsmodels.stats.multitest import multipletests

from golden_core.evaluation.inputs import difference
from golden_core.inputs.windows import FloatArray
from golden_core.statistics.long_run import ROUNDING
from golden_core.store.warehouse import Warehouse

# Parameter: $study. Lists of losses, the forecaster's and the benchmark's, in time order, for every test.
DIFFERENCES_SQL = """
WITH benchmark AS (
    SELECT pair, horizon, cutoff, arg_min(y_pred - y_true, seed) AS benchmark_error
    FROM forecasts WHERE study = $study AND forecaster = 'random_walk' GROUP BY ALL
),
errors AS (
    SELECT 'seed' AS level, forecaster, pair, horizon, seed, cutoff, y_pred - y_true AS error
    FROM forecasts WHERE study = $study AND forecaster <> 'random_walk'
    UNION ALL
    SELECT 'ensemble', forecaster, pair, horizon, -1, cutoff, fsum(y_pred) / count(*) - any_value(y_true)
    FROM forecasts WHERE study = $study AND forecaster <> 'random_walk' GROUP BY forecaster, pair, horizon, cutoff
)
SELECT level, forecaster, pair, horizon, seed,
       list(error * error ORDER BY cutoff) AS losses,
       list(benchmark_error * benchmark_error ORDER BY cutoff) AS benchmark_losses
FROM errors JOIN benchmark USING (pair, horizon, cutoff) GROUP BY ALL ORDER BY ALL
"""
# Parameter: $study. How many tests the trials ask for, whether they were run or not; seeds of one trial are one test.
ASKED_SQL = """
SELECT 'ensemble' AS level, count(DISTINCT (forecaster, pair, horizon)) AS asked
FROM trials WHERE study = $study AND forecaster <> 'random_walk'
UNION ALL
SELECT 'seed', count(DISTINCT (forecaster, pair, horizon, CASE WHEN deterministic THEN 0 ELSE seed END))
FROM trials WHERE study = $study AND forecaster <> 'random_walk'
"""
KEY = ["level", "forecaster", "pair", "horizon", "seed"]
_NUMBERS = ("mean_difference", "statistic", "p_value", "hln_statistic", "hln_p_value", "p_holm")


def comparison_differences(warehouse: Warehouse, study: str) -> pl.DataFrame:
    """Compare the stored tests of a study with the same tests by SciPy's cosine transform and statsmodels.

    :data:`KEY`, and for every number of a test by how much the two differ, the worst test first: statistics and
    p-values relative to 1 at least, mean differences relative to the mean size of a difference. Infinite where one side
    lacks the test, alone holds null, or counts other forecasts.

    References
    ----------
    Lazarus et al. (2018); Diebold & Mariano (1995); Harvey, Leybourne & Newbold (1997); Holm (1979).
    """
    stored = warehouse.query("SELECT * FROM comparisons WHERE study = $study", {"study": study})
    lists = warehouse.query(DIFFERENCES_SQL, {"study": study})
    tests = [
        {**dict(zip(KEY, key, strict=True)), **_test(np.array(ours), np.array(theirs), key[KEY.index("horizon")])}
        for *key, ours, theirs in lists.rows()
    ]
    schema = {**{name: stored.schema[name] for name in (*KEY, "n", *_NUMBERS[:-1])}, "size": pl.Float64()}
    asked = dict(warehouse.query(ASKED_SQL, {"study": study}).rows())
    every = pl.DataFrame(tests, schema=schema)
    levels = [every.filter(level=level).with_columns(p_holm=_holm("p_value", asked[level])) for level in asked]
    again = pl.concat(levels)
    both = stored.join(again, on=KEY, how="full", coalesce=True, suffix="_again")
    floors = {"mean_difference": pl.col("size")}
    compared = both.select(*KEY, *(_difference(name, floors.get(name, pl.lit(1.0))) for name in _NUMBERS))
    return compared.sort(pl.max_horizontal(_NUMBERS), *KEY, descending=[True, *[False] * len(KEY)])


def _test(ours: FloatArray, theirs: FloatArray, horizon: int) -> dict[str, Any]:
    """Test two series of losses [T]: both statistics with their p-values."""
    losses = ours - theirs
    found = {"n": len(losses), "mean_difference": losses.mean(), "size": np.abs(losses).mean()}
    cosines, rectangular = _cosines(ours, theirs, horizon), _rectangular(losses, horizon)
    named = zip(("statistic", "p_value", "hln_statistic", "hln_p_value"), (*cosines, *rectangular), strict=True)
    return {**found, **dict(named)}


def _cosines(ours: FloatArray, theirs: FloatArray, horizon: int) -> tuple[float | None, float | None]:
    """Return statistic and p-value from the lowest frequencies of the losses followed by their mirror image."""
    n, losses = len(ours), ours - theirs
    df = min(int(0.4 * round(n ** (2 / 3), 9)), n // (2 * horizon))  # a power of 1000 is a little less than 100
    larger = np.maximum(ours, theirs)
    if df < 4 or (np.abs(losses) <= 1e-10 * np.maximum(larger, np.median(larger))).all() or _is_constant(losses):
        return None, None
    mirrored = np.abs(np.fft.rfft(np.concatenate([losses, losses[::-1]])))[1 : df + 1]  # 2 |Σ losses · cosine|
    variance = np.square(mirrored).mean() / (2 * n)
    statistic = float(losses.mean() / np.sqrt(variance / n))
    return statistic, float(2 * stats.t.sf(abs(statistic), df))


def _is_constant(losses: FloatArray) -> bool:
    return bool(np.ptp(losses) <= ROUNDING * np.abs(losses).max())


def _rectangular(losses: FloatArray, horizon: int) -> tuple[float | None, float | None]:
    """Regress loss differences [T] on a constant alone: its kernel variance with equal weights, and the correction."""
    n = len(losses)
    if n <= horizon or _is_constant(losses):
        return None, None
    fit = OLS(losses, np.ones(n)).fit(cov_type="HAC", cov_kwds={"maxlags": horizon - 1, "kernel": "uniform"})
    variance = float(fit.cov_params()[0, 0])
    if variance <= 0:
        return None, None
    statistic = losses.mean() / np.sqrt(variance) * np.sqrt((n + 1 - 2 * horizon + horizon * (horizon - 1) / n) / n)
    return float(statistic), float(2 * stats.t.sf(abs(statistic), df=n - 1))


def _holm(name: str, asked: int) -> pl.Expr:
    """Adjust p-values among as many tests as were asked for; those that were not made count as p = 1."""

    def adjust(given: pl.Series) -> pl.Series:
        p_values = given.to_numpy()
        undefined, absent = np.isnan(p_values), np.ones(max(0, asked - len(p_values)))
        every = np.append(np.where(undefined, 1.0, p_values), absent)
        found = multipletests(every, method="holm")[1][: len(p_values)] if len(p_values) else p_values
        return pl.Series(np.where(undefined, np.nan, found), dtype=pl.Float64).fill_nan(None)

    return pl.col(name).map_batches(adjust, return_dtype=pl.Float64)


def _difference(name: str, floor: pl.Expr) -> pl.Expr:
    counted = pl.col("n").eq_missing(pl.col("n_again"))
    return difference(pl.col(name), pl.col(f"{name}_again"), counted, floor).alias(name)
