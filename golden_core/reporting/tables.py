"""Tables of results: scores and their comparison with the random walk. Each is one query, whose text stands here."""

from __future__ import annotations

import polars as pl

from golden_core.evaluation.inputs import BENCHMARK
from golden_core.reporting.exhibits import Answer, Column, Exhibit, Row, ask, field, interval
from golden_core.reporting.formats import ABSENT, count, decimals, level, percent, plain, probability
from golden_core.store.warehouse import Warehouse
from golden_core.study import Study

# A deterministic forecaster has no spread over seeds, whatever the summary says: the query itself withholds it.
LEADERBOARD = """
WITH nature AS (
    SELECT forecaster, bool_and(deterministic) AS deterministic FROM trials WHERE study = $1 GROUP BY forecaster
), scores AS (
    SELECT forecaster,
           max(seeds) FILTER (metric = 'r2_oos') AS seeds,
           max(mean) FILTER (metric = 'r2_oos') AS r2_oos,
           max(t_low) FILTER (metric = 'r2_oos') AS t_low,
           max(t_high) FILTER (metric = 'r2_oos') AS t_high,
           max(bootstrap_low) FILTER (metric = 'r2_oos') AS bootstrap_low,
           max(bootstrap_high) FILTER (metric = 'r2_oos') AS bootstrap_high,
           max(mean) FILTER (metric = 'mase') AS mase,
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
       CASE WHEN NOT deterministic THEN t_low END AS r2_oos_low,
       CASE WHEN NOT deterministic THEN t_high END AS r2_oos_high,
       CASE WHEN NOT deterministic THEN bootstrap_low END AS r2_oos_bootstrap_low,
       CASE WHEN NOT deterministic THEN bootstrap_high END AS r2_oos_bootstrap_high,
       mase, rmse_bp, directional_accuracy, seeds, tested, better, worse,
       coalesce(series, 0) AS series, coalesce(forecasts, 0) AS forecasts
FROM nature
FULL JOIN scores USING (forecaster)
FULL JOIN tests USING (forecaster)
FULL JOIN sizes USING (forecaster)
ORDER BY rank NULLS LAST, forecaster
"""

SERIES = """
WITH nature AS (
    SELECT forecaster, bool_and(deterministic) AS deterministic FROM trials WHERE study = $1 GROUP BY forecaster
), scores AS (
    SELECT forecaster, pair, horizon,
           max(seeds) FILTER (metric = 'r2_oos') AS seeds,
           max(mean) FILTER (metric = 'r2_oos') AS r2_oos,
           max(t_low) FILTER (metric = 'r2_oos') AS t_low,
           max(t_high) FILTER (metric = 'r2_oos') AS t_high,
           max(bootstrap_low) FILTER (metric = 'r2_oos') AS bootstrap_low,
           max(bootstrap_high) FILTER (metric = 'r2_oos') AS bootstrap_high,
           max(mean) FILTER (metric = 'mase') AS mase,
           max(mean) FILTER (metric = 'rmse') AS rmse,
           max(mean) FILTER (metric = 'directional_accuracy') AS directional_accuracy
    FROM summary WHERE study = $1 AND scope = 'series' GROUP BY forecaster, pair, horizon
), benchmark AS (
    SELECT pair, horizon, rmse AS benchmark_rmse FROM scores WHERE forecaster = 'random_walk'
), places AS (
    SELECT forecaster, mean AS macro FROM summary
    WHERE study = $1 AND scope = 'macro' AND pair = 'all' AND horizon = 0 AND metric = 'r2_oos'
), tests AS (
    SELECT * FROM comparisons
    WHERE study = $1 AND benchmark = 'random_walk' AND forecaster <> 'random_walk' AND level = 'ensemble'
)
SELECT forecaster, pair, horizon, pair || '_h' || horizon AS series, deterministic, scores.seeds, r2_oos,
       CASE WHEN NOT deterministic THEN t_low END AS r2_oos_low,
       CASE WHEN NOT deterministic THEN t_high END AS r2_oos_high,
       CASE WHEN NOT deterministic THEN bootstrap_low END AS r2_oos_bootstrap_low,
       CASE WHEN NOT deterministic THEN bootstrap_high END AS r2_oos_bootstrap_high,
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


def leaderboard(warehouse: Warehouse, study_name: str, *, significance: float) -> pl.DataFrame:
    """Return one row per forecaster, best first: means over series, and counts of significant differences.

    Returns
    -------
    DataFrame
        ``rank, forecaster, deterministic, r2_oos`` with Student t and bootstrap limits over seeds (null for a
        deterministic forecaster), ``mase, rmse_bp`` (1e-4 log return), ``directional_accuracy`` (fraction),
        ``seeds``, then the series ``tested`` and how many are significantly ``better`` and ``worse`` than the
        random walk (ensemble level), the ``series`` covered and the number of ``forecasts``. A forecaster all of
        whose trials failed has a row too, without numbers.
    """
    return ask(warehouse, LEADERBOARD, study_name, significance).frame


def series_table(warehouse: Warehouse, study_name: str, *, significance: float) -> pl.DataFrame:
    """Return one row per forecaster and series: scores over seeds, and the test of the seed average.

    ``n, ensemble_r2_oos, statistic, p_value, p_holm, verdict`` belong to the average of the forecasts of all seeds;
    the other scores are means over seeds. ``relative_rmse`` is RMSE / RMSE of the random walk − 1.
    Parameters are those of :func:`leaderboard`.
    """
    return ask(warehouse, SERIES, study_name, significance).frame


def leaderboard_exhibit(warehouse: Warehouse, study: Study) -> Exhibit:
    """Return the leaderboard with its caption: what it says, n, units and how the interval is formed."""
    answer = ask(warehouse, LEADERBOARD, study.name, study.evaluation.significance)
    confidence, alpha = level(study.evaluation.confidence), level(study.evaluation.significance)
    return Exhibit(
        "leaderboard",
        f"Forecasters by out-of-sample R² against the random walk, mean over {_series_count(answer)} series. "
        "R² is the share of the random walk’s squared error that a forecaster removes; negative means it adds error. "
        f"The interval is the {confidence} Student t interval of the mean over seeds: it shows what retraining "
        "changes, not what another period would change. RMSE in basis points (1e-4 log return). Better and worse: "
        "series on which the seed-averaged forecast differs significantly from the random walk (Diebold–Mariano "
        f"with the Harvey–Leybourne–Newbold correction, two-sided, Holm-adjusted, {alpha}), of those tested.",
        (
            field("Rank", "rank", count),
            field("Forecaster", "forecaster", plain, kind="heading"),
            field("R²\u00a0out of\u00a0sample", "r2_oos", percent(2), unit="%"),
            interval(f"{confidence} interval", "r2_oos_low", "r2_oos_high", percent(2), unit="%"),
            field("MASE", "mase", decimals(3)),
            field("RMSE", "rmse_bp", decimals(2), unit="bp"),
            field("Right direction", "directional_accuracy", percent(1), unit="%"),
            field("Seeds", "seeds", count),
            Column("Better", lambda row: _of_tested(row, "better"), tone=lambda row: "better" if row["better"] else ""),
            Column("Worse", lambda row: _of_tested(row, "worse"), tone=lambda row: "worse" if row["worse"] else ""),
            field("Series", "series", count),
            field("Forecasts", "forecasts", count),
        ),
        answer,
        notes=(
            f"{ABSENT} in the interval: a deterministic forecaster gives the same forecasts whatever the seed, so "
            f"there is no spread to show; with a single seed there is none either. {ABSENT} elsewhere: not defined "
            "(the random walk forecasts no direction and is not tested against itself), or no forecast exists. Means "
            "are over seeds that have every series of the study; where no seed has, the forecaster is not ranked.",
        ),
        row_tone=benchmark_tone,
    )


def series_exhibit(answer: Answer, study: Study) -> Exhibit:
    """Return the table of every forecaster on every series."""
    confidence, alpha = level(study.evaluation.confidence), level(study.evaluation.significance)
    return Exhibit(
        "series",
        "Every forecaster on every series. Left: scores of single forecasters, mean over seeds, with the "
        f"{confidence} Student t interval over seeds. Right, from “n” on: the seed average, which is an ensemble and "
        "can be better than every one of its members, tested against the random walk (Diebold–Mariano statistic "
        "with the Harvey–Leybourne–Newbold correction; negative favours the forecaster; two-sided p, and p after "
        f"Holm over all tests at this level). Verdict at {alpha}. n counts forecasts; RMSE in basis points.",
        (
            field("Forecaster", "forecaster", plain, kind="heading"),
            field("Series", "series", plain, kind="heading"),
            field("Seeds", "seeds", count),
            field("R²\u00a0out of\u00a0sample", "r2_oos", percent(2), unit="%"),
            interval(f"{confidence} interval", "r2_oos_low", "r2_oos_high", percent(2), unit="%"),
            field("MASE", "mase", decimals(3)),
            field("RMSE", "rmse_bp", decimals(2), unit="bp"),
            field("Right direction", "directional_accuracy", percent(1), unit="%"),
            field("n", "n", count),
            field("R²\u00a0of the\u00a0average", "ensemble_r2_oos", percent(2), unit="%"),
            field("DM", "statistic", decimals(2)),
            field("p", "p_value", probability),
            field("p,\u00a0Holm", "p_holm", probability),
            Column("Verdict", lambda row: plain(row["verdict"]), kind="text", tone=_verdict_tone),
        ),
        answer,
        notes=(
            f"{ABSENT}: no interval for a deterministic forecaster or a single seed; no test for the random walk "
            "itself, nor for forecasts identical to it.",
        ),
        row_tone=benchmark_tone,
    )


def _of_tested(row: Row, name: str) -> str:
    return f"{row[name]} of {row['tested']}" if row["tested"] else ABSENT


def _series_count(answer: Answer) -> str:
    most = answer.frame["series"].max()
    return count(most) if answer.frame["series"].n_unique() == 1 else f"up to {count(most)}"


def benchmark_tone(row: Row) -> str:
    """Return the tone of a row: the random walk’s is set apart."""
    return "benchmark" if row["forecaster"] == BENCHMARK else ""


def _verdict_tone(row: Row) -> str:
    return row["verdict"] if row["verdict"] in ("better", "worse") else ""
