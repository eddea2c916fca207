"""Tables of results seen closer: by pair and horizon, by single seed, and on price levels as the literature has it."""

from __future__ import annotations

import polars as pl

from golden_core.evaluation.inputs import BENCHMARK
from golden_core.reporting.exhibits import Answer, Cell, Exhibit, Grids, Row, ask, cross, field
from golden_core.reporting.formats import ABSENT, count, decimals, level, percent, plain, probability
from golden_core.reporting.tables import benchmark_tone
from golden_core.store.warehouse import Warehouse
from golden_core.study import Study

SEEDS = """
WITH nature AS (
    SELECT forecaster, bool_and(deterministic) AS deterministic FROM trials WHERE study = $1 GROUP BY forecaster
)
SELECT forecaster, pair, horizon, pair || '_h' || horizon AS series, count(*) AS seeds,
       count(*) FILTER (p_holm <= $2 AND mean_difference < 0) AS better,
       count(*) FILTER (p_holm <= $2 AND mean_difference > 0) AS worse,
       min(statistic) AS lowest, median(statistic) AS middle, max(statistic) AS highest, min(p_holm) AS smallest_p
FROM comparisons JOIN nature USING (forecaster)
WHERE study = $1 AND benchmark = 'random_walk' AND level = 'seed' AND NOT deterministic
GROUP BY forecaster, pair, horizon
ORDER BY forecaster, pair, horizon
"""

LEVELS = """
SELECT forecaster, mean AS r2_levels, seeds
FROM summary WHERE study = $1 AND scope = 'macro' AND pair = 'all' AND horizon = 0 AND metric = 'r2_levels'
ORDER BY r2_levels DESC NULLS LAST, forecaster
"""

_STEPS = ((0.0005, "even"), (0.005, "1"), (0.02, "2"))  # |relative RMSE| below which a cell is tinted so


def seeds_exhibit(warehouse: Warehouse, study: Study) -> Exhibit:
    """Return the table of the tests of single seeds; deterministic forecasters are not in it."""
    alpha = level(study.evaluation.significance)
    return Exhibit(
        "seeds",
        "Single seeds against the random walk: each seed’s own forecasts tested, no averaging. Seeds that are "
        f"significantly better or worse at {alpha} after Holm over all tests of single seeds, and the range of their "
        "Diebold–Mariano statistics; negative favours the forecaster. Every single test is in comparisons.csv.",
        (
            field("Forecaster", "forecaster", plain, kind="heading"),
            field("Series", "series", plain, kind="heading"),
            field("Seeds", "seeds", count),
            field("Better", "better", count),
            field("Worse", "worse", count),
            field("Lowest DM", "lowest", decimals(2)),
            field("Median DM", "middle", decimals(2)),
            field("Highest DM", "highest", decimals(2)),
            field("Smallest p, Holm", "smallest_p", probability),
        ),
        ask(warehouse, SEEDS, study.name, study.evaluation.significance),
        notes=("Deterministic forecasters have one result per series and are not listed.",),
    )


def levels_exhibit(warehouse: Warehouse, study: Study) -> Exhibit:
    """Return R² on price levels: shown once, because the literature reports it."""
    return Exhibit(
        "levels",
        "R² on price levels, mean over series and seeds. Of no use for judging a forecast: see the text.",
        (
            field("Forecaster", "forecaster", plain, kind="heading"),
            field("R² on levels", "r2_levels", decimals(4)),
            field("Seeds", "seeds", count),
        ),
        ask(warehouse, LEVELS, study.name),
        row_tone=benchmark_tone,
    )


def relative_error_grids(answer: Answer) -> Grids:
    """Return one grid per forecaster, pair × horizon: RMSE relative to the random walk."""
    others = answer.frame.filter(pl.col("forecaster") != BENCHMARK).with_columns(
        pl.format("h{}", "horizon").alias("column")
    )
    names = others["forecaster"].unique(maintain_order=True).to_list()
    grids = [
        cross(others.filter(pl.col("forecaster") == name), "pair", "column", _relative, title=name, corner="Pair")
        for name in names
    ]
    legend = (
        Cell("more than 2 % lower", "lower-3"), Cell("0.5–2 % lower", "lower-2"), Cell("0.05–0.5 % lower", "lower-1"),
        Cell("within 0.05 %", "even"),
        Cell("0.05–0.5 % higher", "higher-1"), Cell("0.5–2 % higher", "higher-2"),
        Cell("more than 2 % higher", "higher-3"),
    )  # fmt: skip
    return Grids(
        "relative-error",
        "RMSE relative to the random walk’s, in percent, by pair and horizon in bars; mean over seeds. Negative is "
        "better than the random walk. One grid per forecaster, in the order of the leaderboard.",
        tuple(grids),
        legend,
        answer,
    )


def _relative(row: Row) -> Cell:
    value = row["relative_rmse"]
    if value is None:
        return Cell(ABSENT)
    step = next((name for bound, name in _STEPS if abs(value) < bound), "3")
    tone = step if step == "even" else f"{'lower' if value < 0 else 'higher'}-{step}"
    return Cell(percent(2)(value), tone)
