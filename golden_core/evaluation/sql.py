"""Metrics, coverage and simple scores a second time, in plain SQL: a check on point.py and distributions.py."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import polars as pl

from golden_core.evaluation.inputs import difference
from golden_core.evaluation.point import METRICS
from golden_core.store.schema import METRICS as METRICS_TABLE
from golden_core.store.warehouse import Warehouse

# Parameter: $study. Sums are compensated (fsum), the variance of closes takes two passes.
METRICS_SQL = """
WITH benchmark AS (
    SELECT pair, horizon, cutoff, arg_min(y_pred - y_true, seed) AS benchmark_error
    FROM forecasts WHERE study = $study AND forecaster = 'random_walk'
    GROUP BY pair, horizon, cutoff
),
ranked AS (
    SELECT pair, horizon, cutoff,
           row_number() OVER (PARTITION BY pair, horizon ORDER BY volatility, cutoff) - 1 AS place,
           count(*) OVER (PARTITION BY pair, horizon) AS cutoffs
    FROM (SELECT DISTINCT pair, horizon, cutoff, volatility FROM forecasts WHERE study = $study)
),
instants AS (
    SELECT DISTINCT cutoff,
           dayofweek((cutoff AT TIME ZONE 'America/New_York') + INTERVAL 7 HOUR) BETWEEN 1 AND 5 AS week
    FROM forecasts WHERE study = $study
),
sessions AS (
    SELECT cutoff, coalesce(string_agg(centre, ' + ' ORDER BY place)
               FILTER (week AND dayofweek(clock) BETWEEN 1 AND 5
                       AND CAST(clock AS TIME) >= opens AND CAST(clock AS TIME) < closes), 'none') AS session
    FROM instants CROSS JOIN LATERAL (VALUES
        (1, 'sydney', cutoff AT TIME ZONE 'Australia/Sydney', TIME '07:00', TIME '16:00'),
        (2, 'tokyo', cutoff AT TIME ZONE 'Asia/Tokyo', TIME '09:00', TIME '18:00'),
        (3, 'london', cutoff AT TIME ZONE 'Europe/London', TIME '08:00', TIME '17:00'),
        (4, 'new_york', cutoff AT TIME ZONE 'America/New_York', TIME '08:00', TIME '17:00')
    ) AS centres(place, centre, clock, opens, closes)
    GROUP BY cutoff
),
placed AS (
    SELECT f.*, b.benchmark_error, o.session,
           CASE r.place * 3 // r.cutoffs WHEN 0 THEN 'low' WHEN 1 THEN 'middle' ELSE 'high' END AS tercile
    FROM forecasts f
    LEFT JOIN benchmark b USING (pair, horizon, cutoff)
    JOIN ranked r USING (pair, horizon, cutoff)
    JOIN sessions o USING (cutoff)
    WHERE f.study = $study
),
members AS (
    SELECT p.*, s.stratum_kind, s.stratum
    FROM placed p CROSS JOIN LATERAL (VALUES
        ('all', 'all'),
        ('year', CAST(year(p.cutoff) AS VARCHAR)),
        ('volatility_tercile', p.tercile),
        ('session', p.session),
        ('weekday', dayname(p.cutoff))
    ) AS s(stratum_kind, stratum)
),
means AS (
    SELECT study, forecaster, pair, horizon, seed, stratum_kind, stratum, favg(true_close) AS mean_close
    FROM members GROUP BY ALL
),
wide AS (
    SELECT study, forecaster, pair, horizon, seed, stratum_kind, stratum,
           count(*) AS forecasts,
           count(*) FILTER (y_pred <> 0 AND y_true <> 0) AS signed,
           fsum(abs(y_pred - y_true)) / count(*) AS mae,
           sqrt(fsum((y_pred - y_true) ** 2) / count(*)) AS rmse,
           fsum(abs(pred_close - true_close)) / count(*) AS mae_price,
           sqrt(fsum((pred_close - true_close) ** 2) / count(*)) AS rmse_price,
           CASE WHEN min(true_close) < max(true_close)
                THEN 1 - fsum((pred_close - true_close) ** 2) / fsum((true_close - mean_close) ** 2) END AS r2_levels,
           CASE WHEN count(benchmark_error) = count(*)
                THEN 1 - fsum((y_pred - y_true) ** 2) / nullif(fsum(benchmark_error ** 2), 0) END AS r2_oos,
           CASE WHEN min(scale) > 0
                THEN fsum(abs(y_pred - y_true) / scale) / count(*) END AS mase,
           count(*) FILTER (y_pred <> 0 AND y_true <> 0 AND sign(y_pred) = sign(y_true)) / nullif(signed, 0)
               AS directional_accuracy
    FROM members JOIN means USING (study, forecaster, pair, horizon, seed, stratum_kind, stratum)
    GROUP BY ALL
)
SELECT study, forecaster, pair, horizon, seed, stratum_kind, stratum, metric, value,
       CASE metric WHEN 'directional_accuracy' THEN signed ELSE forecasts END AS n
FROM wide UNPIVOT INCLUDE NULLS (value FOR metric IN (
    mae, rmse, mae_price, rmse_price, r2_levels, r2_oos, mase, directional_accuracy
))
"""


def metric_differences(warehouse: Warehouse, study: str, strata: Iterable[str]) -> pl.DataFrame:
    """Compare the stored metrics of a study with the same metrics computed in SQL, over all and by ``strata``.

    Key of the metrics table, ``polars``, ``sql`` and ``difference``, the largest first. The difference is relative to
    the larger magnitude, and for the two R² to 1 at least: their rounding is that of a ratio near 1. It is infinite
    where one side lacks the row, alone holds null, or counts other forecasts. Strata that the study did not ask for are
    computed nowhere, and infinite where they are stored.
    """
    stored = warehouse.query("SELECT * FROM metrics WHERE study = $study", {"study": study})
    key = list(METRICS_TABLE.key)
    again = warehouse.query(METRICS_SQL, {"study": study}).filter(pl.col("stratum_kind").is_in(["all", *strata]))
    both = stored.rename({"value": "polars"}).join(
        again.rename({"value": "sql", "n": "n_sql"}), on=key, how="full", coalesce=True
    )
    magnitudes = {name: metric.magnitude for name, metric in METRICS.items()}
    floor = pl.col("metric").replace_strict(magnitudes, default=0.0, return_dtype=pl.Float64)
    same = pl.col("n").eq_missing(pl.col("n_sql"))
    return (
        both.with_columns(difference=difference(pl.col("polars"), pl.col("sql"), same, floor))
        .sort(pl.col("difference"), *key, descending=[True] + [False] * len(key))
        .select(*key, "polars", "sql", "difference")
    )


_COVERED = ("forecaster", "pair", "horizon", "seed", "kind", "level")
_SCORED = ("forecaster", "pair", "horizon", "seed", "score")
TOLERANCE = 1e-12  # relative; sums of SQL are compensated, numpy's are pairwise

# Parameter: $study.
COVERAGE_SQL = """
WITH told AS (
    SELECT q.*, f.y_true,
           CASE WHEN isinf(value) THEN 'Infinity'::DOUBLE
                WHEN y_true >= value THEN q.level * (y_true - value)
                ELSE (1 - q.level) * (value - y_true) END AS pinball
    FROM quantiles q JOIN forecasts f USING (study, forecaster, pair, horizon, seed, cutoff) WHERE study = $study
), central AS (
    SELECT low.study, low.forecaster, low.pair, low.horizon, low.seed, low.y_true,
           round(high.level - low.level, 12) AS level, low.value AS low, high.value AS high,
           isinf(low.value) OR isinf(high.value) AS infinite
    FROM told low JOIN told high USING (study, forecaster, pair, horizon, seed, cutoff)
    WHERE low.level < high.level AND abs(low.level + high.level - 1) < 1e-9
), missed AS (
    SELECT *, CASE WHEN infinite THEN 'Infinity'::DOUBLE ELSE high - low END AS width,
           2 / (1 - level) * (greatest(low - y_true, 0) + greatest(y_true - high, 0)) AS penalty
    FROM central
)
SELECT forecaster, pair, horizon, seed, 'quantile' AS kind, level, count(*) AS n,
       count(*) FILTER (y_true <= value) / count(*) AS share, count(*) FILTER (isinf(value)) AS infinite,
       NULL::DOUBLE AS width,
       CASE WHEN count(*) FILTER (isinf(value)) = 0 THEN fsum(pinball) / count(*) END AS score
FROM told GROUP BY ALL
UNION ALL
SELECT forecaster, pair, horizon, seed, 'interval', level, count(*),
       count(*) FILTER (y_true BETWEEN low AND high) / count(*), count(*) FILTER (infinite),
       CASE WHEN NOT bool_or(infinite) THEN fsum(width) / count(*) END,
       CASE WHEN NOT bool_or(infinite) THEN fsum(width + penalty) / count(*) END
FROM missed GROUP BY ALL
"""
# Parameter: $study. The CRPS as the area of the squared difference of distribution function and step at the truth:
# the function rises evenly from quantile to quantile, and by what is left at the outer two.
SCORES_SQL = """
WITH told AS (
    SELECT q.*, y_true AS y, level * greatest(y - value, 0) + (1 - level) * greatest(value - y, 0) AS pinball,
           lag(level) OVER ascending IS NULL AS first,
           lead(level) OVER ascending AS upper, lead(value) OVER ascending AS higher,
           greatest(value, least(y, higher)) AS turn,
           level + (upper - level) * coalesce((turn - value) / nullif(higher - value, 0), 0) AS there
    FROM quantiles q JOIN forecasts f USING (study, forecaster, pair, horizon, seed, cutoff) WHERE study = $study
    WINDOW ascending AS (PARTITION BY forecaster, pair, horizon, seed, cutoff ORDER BY level)
), each AS (
    SELECT forecaster, pair, horizon, seed, cutoff, bool_or(isinf(value)) AS endless,
           CAST(bool_or(rearranged) AS DOUBLE) AS rearranged, 2 * avg(pinball) AS wis,
           fsum(CASE WHEN first THEN greatest(value - y, 0) ELSE 0 END
              + CASE WHEN upper IS NULL THEN greatest(y - value, 0)
                     ELSE (turn - value) * (level ** 2 + level * there + there ** 2) / 3 + (higher - turn)
                        * ((1 - there) ** 2 + (1 - there) * (1 - upper) + (1 - upper) ** 2) / 3 END) AS crps
    FROM told GROUP BY ALL
), wide AS (
    SELECT forecaster, pair, horizon, seed, count(*) AS n, count(*) FILTER (endless) AS endless,
           fsum(CASE WHEN endless THEN 0 ELSE crps END) / n AS crps,
           fsum(CASE WHEN endless THEN 0 ELSE wis END) / n AS wis, fsum(rearranged) / n AS rearranged
    FROM each GROUP BY ALL
), long AS (
    SELECT forecaster, pair, horizon, seed, score, n,
           CASE score WHEN 'rearranged' THEN 0 ELSE endless END AS infinite,
           CASE WHEN infinite = 0 THEN one END AS value
    FROM wide UNPIVOT (one FOR score IN (crps, wis, rearranged))
)
SELECT long.*, 1 - long.value / nullif(walk.value, 0) AS skill
FROM long LEFT JOIN long walk
    ON walk.forecaster = 'random_walk' AND walk.seed = 0
   AND (walk.pair, walk.horizon, walk.score) = (long.pair, long.horizon, long.score)
"""
_CROSSED_SQL = """
SELECT forecaster, pair, horizon, count(*) AS crossed FROM (
    SELECT *, lag(value) OVER (PARTITION BY study, forecaster, pair, horizon, seed, cutoff ORDER BY level) AS before
    FROM quantiles WHERE study = $study
) WHERE before > value OR isnan(value) GROUP BY ALL ORDER BY ALL
"""


def quantiles_that_cross(warehouse: Warehouse, study: str) -> tuple[list[str], int]:
    """Return what speaks against quantiles that rise with their level, and how many were looked at."""
    crossed = warehouse.query(_CROSSED_SQL, {"study": study})
    count = warehouse.query("SELECT count(*) AS n FROM quantiles WHERE study = $study", {"study": study})["n"][0]
    rows = crossed.iter_rows()
    return [
        f"{n} quantiles of {name} on {pair}_h{h} lie below one of a lower level" for name, pair, h, n in rows
    ], count


def coverage_unlike_sql(warehouse: Warehouse, study: str) -> tuple[list[str], int]:
    """Return rows of coverage and of scores that SQL does not confirm, and how many were compared.

    Scores of every kind are missed where there are quantiles, and found where there are none.
    """
    coverage, examined = _beside(warehouse, study, "coverage", COVERAGE_SQL, _COVERED, ("share", "width", "score"))
    found = [f"{row}: SQL finds another share, width or score" for row in coverage.select(_COVERED).iter_rows()]
    scores, more = _beside(warehouse, study, "scores", SCORES_SQL, _SCORED, ("value", "skill"))
    for *trial, score, stored, again in scores.select(*_SCORED, "n", "n_sql").iter_rows():
        fault = "is missing" if stored is None else "is of no quantiles" if again is None else "is another in SQL"
        found.append(f"{tuple(trial)}: the score {score} {fault}")
    return found, examined + more


def _beside(
    warehouse: Warehouse, study: str, table: str, sql: str, key: Sequence[str], numbers: Sequence[str]
) -> tuple[pl.DataFrame, int]:
    """Return the rows of a table that its recomputation has otherwise, or that one of them lacks; and how many are."""
    stored = warehouse.query(f"SELECT * FROM {table} WHERE study = $study", {"study": study})
    again = warehouse.query(sql, {"study": study})
    both = stored.join(again, on=key, how="full", coalesce=True, suffix="_sql", nulls_equal=True)
    counts = pl.all_horizontal(pl.col(n).eq_missing(pl.col(f"{n}_sql")) for n in ("n", "infinite"))
    sound = pl.all_horizontal(counts, *(_equal(name, f"{name}_sql") for name in numbers))
    return both.filter(~sound).sort(key), both.height


def _equal(one: str, other: str) -> pl.Expr:
    """Whether two columns are near; a skill, which is what is left of a ratio near 1, as near as that ratio."""
    size = pl.max_horizontal(pl.col(one).abs(), pl.col(other).abs(), pl.lit(1.0 if one == "skill" else 0.0))
    near = (pl.col(one) - pl.col(other)).abs() <= TOLERANCE * size
    finite = pl.col(one).is_finite() & pl.col(other).is_finite()  # everything is near to an infinity
    return pl.col(one).eq_missing(pl.col(other)) | (near & finite).fill_null(False)
