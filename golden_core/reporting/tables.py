"""Tables of results that are published by themselves: scores, and their comparison with the random walk."""

from __future__ import annotations

from golden_core.reporting.exhibits import Answer, ask
from golden_core.store.warehouse import Warehouse

_NATURE = """\
WITH nature AS (
    SELECT forecaster, bool_and(deterministic) AS deterministic FROM trials WHERE study = $1 GROUP BY forecaster
), scores AS ("""
_SCORES = """\
           max(seeds) FILTER (metric = 'r2_oos') AS seeds,
           max(mean) FILTER (metric = 'r2_oos') AS r2_oos,
           max(t_low) FILTER (metric = 'r2_oos') AS t_low,
           max(t_high) FILTER (metric = 'r2_oos') AS t_high,
           max(bootstrap_low) FILTER (metric = 'r2_oos') AS bootstrap_low,
           max(bootstrap_high) FILTER (metric = 'r2_oos') AS bootstrap_high,
           max(mean) FILTER (metric = 'mase') AS mase,"""
# A deterministic forecaster has no spread over seeds, whatever the summary says: the query itself withholds it.
_SPREAD = """\
       CASE WHEN NOT deterministic THEN t_low END AS r2_oos_low,
       CASE WHEN NOT deterministic THEN t_high END AS r2_oos_high,
       CASE WHEN NOT deterministic THEN bootstrap_low END AS r2_oos_bootstrap_low,
       CASE WHEN NOT deterministic THEN bootstrap_high END AS r2_oos_bootstrap_high,"""

LEADERBOARD = f"""
{_NATURE}
    SELECT forecaster,
{_SCORES}
           max(mean) FILTER (metric = 'rmse') * 1e4 AS rmse_bp,
           max(mean) FILTER (metric = 'directional_accuracy') AS directional_accuracy
    FROM summary WHERE study = $1 AND scope = 'macro' AND pair = 'all' AND horizon = 0 GROUP BY forecaster
), tests AS (
    SELECT forecaster,
           count(p_holm) AS tested,
           count(*) FILTER (p_holm <= $2 AND mean_difference < 0) AS better,
           count(*) FILTER (p_holm <= $2 AND mean_difference > 0) AS worse
    FROM comparisons
    WHERE study = $1 AND benchmark = 'random_walk' AND forecaster <> 'random_walk' AND level = 'ensemble'
    GROUP BY forecaster
), sizes AS (
    SELECT forecaster, count(DISTINCT (pair, horizon)) AS series, count(*) AS forecasts
    FROM forecasts WHERE study = $1 GROUP BY forecaster
)
SELECT CASE WHEN r2_oos IS NOT NULL THEN rank() OVER (ORDER BY r2_oos DESC NULLS LAST) END AS rank,
       forecaster, deterministic, r2_oos,
{_SPREAD}
       mase, rmse_bp, directional_accuracy, seeds, tested, better, worse,
       coalesce(series, 0) AS series, coalesce(forecasts, 0) AS forecasts
FROM nature
FULL JOIN scores USING (forecaster)
FULL JOIN tests USING (forecaster)
FULL JOIN sizes USING (forecaster)
ORDER BY rank NULLS LAST, forecaster
"""

SERIES = f"""
{_NATURE}
    SELECT forecaster, pair, horizon,
{_SCORES}
           max(mean) FILTER (metric = 'rmse') AS rmse,
           max(mean) FILTER (metric = 'directional_accuracy') AS directional_accuracy
    FROM summary WHERE study = $1 AND scope = 'series' GROUP BY forecaster, pair, horizon
), benchmark AS (
    SELECT pair, horizon, nullif(rmse, 0) AS benchmark_rmse FROM scores WHERE forecaster = 'random_walk'
), places AS (
    SELECT forecaster, mean AS macro FROM summary
    WHERE study = $1 AND scope = 'macro' AND pair = 'all' AND horizon = 0 AND metric = 'r2_oos'
), tests AS (
    SELECT * FROM comparisons
    WHERE study = $1 AND benchmark = 'random_walk' AND forecaster <> 'random_walk' AND level = 'ensemble'
)
SELECT forecaster, pair, horizon, pair || '_h' || horizon AS series, deterministic, scores.seeds, r2_oos,
{_SPREAD}
       mase, rmse * 1e4 AS rmse_bp, rmse / benchmark_rmse - 1 AS relative_rmse, directional_accuracy,
       tests.n, -mean_difference / benchmark_rmse ** 2 AS ensemble_r2_oos, statistic, p_value, p_holm,
       CASE WHEN p_holm IS NULL THEN NULL
            WHEN p_holm <= $2 AND mean_difference < 0 THEN 'better'
            WHEN p_holm <= $2 AND mean_difference > 0 THEN 'worse'
            ELSE 'no difference' END AS verdict
FROM scores
LEFT JOIN nature USING (forecaster)
LEFT JOIN benchmark USING (pair, horizon)
LEFT JOIN places USING (forecaster)
LEFT JOIN tests USING (forecaster, pair, horizon)
ORDER BY macro DESC NULLS LAST, forecaster, pair, horizon
"""


def leaderboard(warehouse: Warehouse, study_name: str, *, significance: float) -> Answer:
    """Return one row per forecaster, best first: means over series, and counts of significant differences.

    ``rank, forecaster, deterministic, r2_oos`` with Student t and bootstrap limits over seeds (null for a
    deterministic forecaster), ``mase, rmse_bp`` (1e-4 log return), ``directional_accuracy`` (fraction), ``seeds``, then
    the series ``tested`` and how many are significantly ``better`` and ``worse`` than the random walk (ensemble level),
    the ``series`` covered and the number of ``forecasts``. A forecaster all of whose trials failed has a row too,
    without numbers.
    """
    return ask(warehouse, LEADERBOARD, study_name, significance)


def series_table(warehouse: Warehouse, study_name: str, *, significance: float) -> Answer:
    """Return one row per forecaster and series: scores over seeds, and the test of the seed average.

    ``n, ensemble_r2_oos, statistic, p_value, p_holm, verdict`` belong to the average of the forecasts of all seeds;
    the other scores are means over seeds. ``relative_rmse`` is RMSE / RMSE of the random walk − 1.
    Parameters are those of :func:`leaderboard`.
    """
    return ask(warehouse, SERIES, study_name, significance)
