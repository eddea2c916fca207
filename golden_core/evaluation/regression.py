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
KEY = ["level", "forecaster", "pair", "horizon", "seed"]
_NUMBERS = ("mean_difference", "statistic", "p_value", "hln_statistic", "hln_p_value", "p_holm")


def comparison_differences(warehouse: Warehouse, study: str) -> pl.DataFrame:
    """Compare the stored tests of a study with the same tests by SciPy's cosine transform and statsmodels.

    Returns
    -------
    polars.DataFrame
        :data:`KEY`, and for every number of a test by how much the two differ, the worst test first: statistics and
        p-values relative to 1 at least, mean differences relative to the mean size of a difference. Infinite where
        one side lacks the test, alone holds null, or counts other forecasts.

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
    again = pl.DataFrame(tests, schema=schema).with_columns(
        p_holm=pl.col("p_value").map_batches(_holm, return_dtype=pl.Float64).over("level")
    )
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
    if df < 4 or (np.abs(losses) <= 1e-10 * np.maximum(larger, np.median(larger))).all():
        return None, None
    mirrored = np.abs(np.fft.rfft(np.concatenate([losses, losses[::-1]])))[1 : df + 1]  # 2 |Σ losses · cosine|
    variance = np.square(mirrored).mean() / (2 * n)
    statistic = float(losses.mean() / np.sqrt(variance / n))
    return statistic, float(2 * stats.t.sf(abs(statistic), df))


def _rectangular(losses: FloatArray, horizon: int) -> tuple[float | None, float | None]:
    """Regress loss differences [T] on a constant alone: its kernel variance with equal weights, and the correction."""
    n = len(losses)
    if n <= horizon or np.ptp(losses) == 0:
        return None, None
    fit = OLS(losses, np.ones(n)).fit(cov_type="HAC", cov_kwds={"maxlags": horizon - 1, "kernel": "uniform"})
    variance = float(fit.cov_params()[0, 0])
    if variance <= 0:
        return None, None
    statistic = losses.mean() / np.sqrt(variance) * np.sqrt((n + 1 - 2 * horizon + horizon * (horizon - 1) / n) / n)
    return float(statistic), float(2 * stats.t.sf(abs(statistic), df=n - 1))


def _holm(p_values: pl.Series) -> pl.Series:
    adjusted = p_values.to_numpy()
    undefined = np.isnan(adjusted)
    found = multipletests(np.where(undefined, 1.0, adjusted), method="holm")[1]
    return pl.Series(np.where(undefined, np.nan, found)).fill_nan(None)


def _difference(name: str, floor: pl.Expr) -> pl.Expr:
    counted = pl.col("n").eq_missing(pl.col("n_again"))
    return difference(pl.col(name), pl.col(f"{name}_again"), counted, floor).alias(name)
