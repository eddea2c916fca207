"""Whether networks differ by more than retraining changes: variance between and within them. It describes.

All seeds are judged on the same test rows: what is said here holds for those rows and is evidence for no claim.
"""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import polars as pl

from golden_core.reporting.exhibits import Answer, ask
from golden_core.statistics.groups import anova, eta_squared, hedges_g, pairwise
from golden_core.statistics.long_run import FloatArray
from golden_core.store.warehouse import Warehouse
from golden_core.study import Study

ALL = "all series"

# Of the mean over series, seeds that have each of them: another mean would be one over other series.
VALUES = f"""
WITH nature AS (
    SELECT forecaster, bool_and(deterministic) AS deterministic FROM trials WHERE study = $1 GROUP BY forecaster
), single AS (
    SELECT forecaster, pair, horizon, pair || '_h' || horizon AS series, seed, value
    FROM metrics JOIN nature USING (forecaster)
    WHERE study = $1 AND stratum_kind = 'all' AND metric = 'r2_oos' AND value IS NOT NULL AND NOT deterministic
), whole AS (
    SELECT forecaster, '' AS pair, 0 AS horizon, '{ALL}' AS series, seed, avg(value ORDER BY pair, horizon) AS value
    FROM single GROUP BY forecaster, seed
    HAVING count(*) = (SELECT count(DISTINCT series) FROM single)
)
SELECT forecaster, series, seed, value FROM (SELECT * FROM single UNION ALL SELECT * FROM whole)
ORDER BY pair, horizon, forecaster, seed
"""

_GROUPS = {
    "series": pl.String, "forecasters": pl.Int64, "seeds": pl.Int64, "statistic": pl.Float64, "p_value": pl.Float64,
    "share": pl.Float64, "low": pl.Float64, "high": pl.Float64,
}  # fmt: skip
_PAIRS = {
    "forecaster": pl.String, "other": pl.String, "difference": pl.Float64, "p_value": pl.Float64, "g": pl.Float64,
    "low": pl.Float64, "high": pl.Float64,
}  # fmt: skip


def seed_groups(warehouse: Warehouse, study: Study) -> dict[str, Answer]:
    """Return two tables on the out-of-sample R² of single seeds, of forecasters whose seeds differ.

    ``groups``: of every series and of the mean over them, Welch's test of one mean for all and η². ``pairs_of_seeds``:
    of the mean over series, the difference of every two with Games and Howell's p and Hedges' g.
    """
    values = ask(warehouse, VALUES, study.name)
    by_series: dict[str, dict[str, FloatArray]] = {}
    for (series, name), part in values.frame.group_by("series", "forecaster", maintain_order=True):
        by_series.setdefault(str(series), {})[str(name)] = part["value"].to_numpy()
    level = study.evaluation.confidence
    groups = [_one_mean(series, found, level) for series, found in by_series.items() if len(found) > 1]
    pairs = _differences(by_series.get(ALL, {}), level)
    return {
        name: Answer(pl.DataFrame(rows, schema=schema, orient="row").fill_nan(None), values.sql)
        for name, rows, schema in (("groups", groups, _GROUPS), ("pairs_of_seeds", pairs, _PAIRS))
    }


def _one_mean(series: str, found: dict[str, FloatArray], level: float) -> tuple[Any, ...]:
    groups = list(found.values())
    test, share = anova(groups, equal_variances=False), eta_squared(groups, level=level)
    fewest = min(map(len, groups))
    return series, len(groups), fewest, test.statistic, test.p_value, share.value, share.low, share.high


def _differences(found: dict[str, FloatArray], level: float) -> list[tuple[Any, ...]]:
    """Return a row for every two forecasters, the better one first."""
    ranked = sorted(found, key=lambda name: (-float(np.mean(found[name])), name))
    if len(ranked) < 2:
        return []
    p_values = pairwise([found[name] for name in ranked], equal_variances=False)
    rows = []
    for (i, one), (j, other) in combinations(enumerate(ranked), 2):
        effect = hedges_g(found[one], found[other], level=level)
        difference = float(np.mean(found[one]) - np.mean(found[other]))
        rows.append((one, other, difference, float(p_values[i, j]), effect.value, effect.low, effect.high))
    return rows
