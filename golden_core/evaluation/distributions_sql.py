"""Coverage and simple scores of quantiles a second time, in plain SQL. A check on distributions.py, no more."""

from __future__ import annotations

import polars as pl

from golden_core.store.warehouse import Warehouse

_KEY = ("forecaster", "pair", "horizon", "seed", "kind", "level")
_NUMBERS = ("share", "width", "score")
TOLERANCE = 1e-12  # relative; sums of SQL are compensated, numpy's are pairwise

# Parameter: $study. The weighted interval score is twice the mean pinball loss: one number from two definitions.
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
_WIS_SQL = """
SELECT s.forecaster, s.pair, s.horizon, s.seed, s.value, 2 * avg(c.score) AS sql, count(c.score) = count(*) AS finite
FROM scores s JOIN coverage c USING (study, forecaster, pair, horizon, seed)
WHERE study = $study AND s.score = 'wis' AND c.kind = 'quantile' GROUP BY ALL
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
    """Return rows of coverage, and weighted interval scores, that SQL does not confirm, and how many were compared."""
    stored = warehouse.query("SELECT * FROM coverage WHERE study = $study", {"study": study})
    again = warehouse.query(COVERAGE_SQL, {"study": study})
    both = stored.join(again, on=_KEY, how="full", coalesce=True, suffix="_sql", nulls_equal=True)
    counts = pl.all_horizontal(pl.col(n).eq_missing(pl.col(f"{n}_sql")) for n in ("n", "infinite"))
    sound = pl.all_horizontal(counts, *(_equal(name, f"{name}_sql") for name in _NUMBERS))
    found = [f"{row}: SQL finds another share, width or score" for row in both.filter(~sound).select(_KEY).iter_rows()]
    wis = warehouse.query(_WIS_SQL, {"study": study})
    alike = pl.when("finite").then(_equal("value", "sql")).otherwise(pl.col("value").is_null())
    bad = wis.filter(~alike).select("forecaster", "pair", "horizon", "seed")
    found += [f"{row}: the weighted interval score is not twice the mean pinball loss" for row in bad.iter_rows()]
    return found, both.height + wis.height


def _equal(one: str, other: str) -> pl.Expr:
    near = (pl.col(one) - pl.col(other)).abs() <= TOLERANCE * pl.max_horizontal(pl.col(one).abs(), pl.col(other).abs())
    return pl.col(one).eq_missing(pl.col(other)) | near.fill_null(False)
