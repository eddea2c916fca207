"""Figures of forecast distributions: coverage by level, PIT histogram, fan chart. One query each."""

from __future__ import annotations

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from golden_core.reporting.exhibits import ask
from golden_core.reporting.figures import Plot
from golden_core.reporting.formats import count, decimals, level
from golden_core.reporting.svg import BLUE, INK, MUTED, RED, RULE, dated, panels
from golden_core.store.warehouse import Warehouse
from golden_core.study import Study

COVERAGE = """
SELECT forecaster, pair || '_h' || horizon AS series, seed, level, share - level AS off, low - level AS low,
       high - level AS high
FROM coverage WHERE study = $1 AND kind = 'interval' ORDER BY forecaster, level, pair, horizon, seed
"""

# The bin of a forecast counts the quantiles below the truth; bins that nothing fell into have their place too.
PIT = """
WITH fallen AS (
    SELECT forecaster, pair, horizon, seed, cutoff, count(*) FILTER (value < y_true) AS bin
    FROM quantiles JOIN forecasts USING (study, forecaster, pair, horizon, seed, cutoff)
    WHERE study = $1 GROUP BY forecaster, pair, horizon, seed, cutoff
), levels AS (
    SELECT row_number() OVER (ORDER BY level) AS bin, level
    FROM (SELECT DISTINCT level FROM quantiles WHERE study = $1)
), bins AS (
    SELECT 0 AS bin, 0.0 AS low UNION ALL SELECT bin, level FROM levels
), edges AS (
    SELECT bin, low, lead(low, 1, 1.0) OVER (ORDER BY bin) AS high FROM bins
), counted AS (
    SELECT forecaster, bin, count(*) AS forecasts FROM fallen GROUP BY forecaster, bin
), every AS (
    SELECT forecaster, sum(forecasts) AS total FROM counted GROUP BY forecaster
)
SELECT forecaster, low, high, coalesce(forecasts, 0) AS forecasts,
       coalesce(forecasts, 0) / total / (high - low) AS density
FROM every CROSS JOIN edges LEFT JOIN counted USING (forecaster, bin) ORDER BY forecaster, low
"""

FAN = """
WITH shown AS (
    SELECT pair, horizon FROM quantiles WHERE study = $1 ORDER BY pair, horizon LIMIT 1
), latest AS (
    SELECT DISTINCT cutoff FROM quantiles JOIN shown USING (pair, horizon)
    WHERE study = $1 ORDER BY cutoff DESC LIMIT CAST($2 AS INTEGER)
)
SELECT forecaster, pair || '_h' || horizon AS series, target_at, level,
       CASE WHEN isfinite(value) THEN 1e4 * value END AS value_bp, 1e4 * y_true AS truth_bp
FROM quantiles JOIN shown USING (pair, horizon) JOIN latest USING (cutoff)
JOIN forecasts USING (study, forecaster, pair, horizon, seed, cutoff)
WHERE study = $1 AND seed = 0 ORDER BY forecaster, target_at, level
"""

_FAN = 60  # cutoffs: more of them and the bands cannot be told apart


def coverage_by_level(warehouse: Warehouse, study: Study) -> Plot:
    """Plot how far the share within each central interval is from its level, with the engine's interval."""

    def told(part: pl.DataFrame) -> str:
        least, most = (decimals(end, 1, factor=100) for end in (part["off"].min(), part["off"].max()))
        return f"shares within lie from {least} to {most} percentage points of their level"

    answer = ask(warehouse, COVERAGE, study.name)
    limit = 110 * float(np.abs(answer.frame.select("off", "low", "high").fill_null(0.0).to_numpy()).max(initial=0.01))
    confidence = level(study.evaluation.confidence)
    return Plot(
        "calibration",
        "At which levels do intervals cover too little or too much? The share of true values within a central "
        "interval minus its level, in percentage points, one mark per series and seed, set side by side. Bars are "
        f"{confidence} intervals of that share that allow for misses which come together for months. Red: the bar "
        "leaves zero out.",
        panels("calibration", answer.frame, "forecaster", told, _coverage, limit),
        answer,
    )


def pit_histogram(warehouse: Warehouse, study: Study) -> Plot:
    """Plot where truths fall between the quantiles, as a density over levels.

    References
    ----------
    Diebold, Gunther & Tay (1998), International Economic Review 39(4), section 3.
    """

    def told(part: pl.DataFrame) -> str:
        least, most = decimals(part["density"].min(), 2), decimals(part["density"].max(), 2)
        return f"densities of {len(part)} bins from {least} to {most}"

    answer = ask(warehouse, PIT, study.name)
    highest = float(answer.frame["density"].max() or 1.0) * 1.1  # type: ignore[arg-type]
    return Plot(
        "pit",
        "Do truths fall where the quantiles say? Density of the probability integral transform over all series and "
        "seeds, in bins between the levels of the study. A calibrated forecaster has density 1 everywhere (the line); "
        "high ends are distributions that are too narrow, a hump ones that are too wide, a slope a bias. A truth that "
        "equals a quantile counts below it.",
        panels("pit", answer.frame, "forecaster", told, _histogram, highest),
        answer,
    )


def fan_chart(warehouse: Warehouse, study: Study) -> Plot:
    """Plot the central intervals of the last cutoffs of the first series, and what came true."""

    def told(part: pl.DataFrame) -> str:
        return f"central intervals and outcomes at {part['target_at'].n_unique()} times"

    answer = ask(warehouse, FAN, study.name, _FAN)
    series, times = str(answer.frame["series"].first()), answer.frame["target_at"].n_unique()
    lows = answer.frame.filter(pl.col("level") < 0.5)["level"].unique().sort(descending=True)
    bands = ", ".join(level(1 - 2 * low) for low in lows)
    return Plot(
        "fan",
        f"What do the intervals look like? Central intervals of the log return in basis points on {series}, the first "
        f"series, at its last {count(times)} cutoffs, by the time at which the outcome (line) is known; first seed. "
        f"Bands from dark to light: {bands}. Where an end is infinite there is none. The axes differ between panels.",
        panels("fan", answer.frame, "forecaster", told, _fan),
        answer,
    )


def _coverage(part: pl.DataFrame, limit: float, axes: Axes) -> None:
    axes.axhline(0, color=INK, linewidth=0.75, zorder=1)
    gap = 0.8 / max(part.group_by("level").len()["len"].to_list())
    levels = part["level"].unique().sort().to_list()
    for place, nominal in enumerate(levels):
        for shift, row in enumerate(part.filter(level=nominal).iter_rows(named=True)):
            at, known = place - 0.4 + (shift + 0.5) * gap, row["low"] is not None
            colour = RED if known and not row["low"] <= 0 <= row["high"] else BLUE if known else MUTED
            if known:
                axes.vlines(at, 100 * row["low"], 100 * row["high"], color=colour, linewidth=min(1.0, 20 * gap))
            axes.plot(at, 100 * row["off"], "o", color=colour, markersize=min(2.5, 40 * gap))
    axes.set_xticks(range(len(levels)), [f"{100 * nominal:.10g}" for nominal in levels])
    axes.set_ylim(-limit, limit)
    axes.yaxis.set_major_locator(MaxNLocator(5))
    axes.set_xlabel("level, %")
    axes.set_ylabel("within − level, points")


def _histogram(part: pl.DataFrame, highest: float, axes: Axes) -> None:
    width = part["high"] - part["low"]
    axes.bar(part["low"], part["density"], width=width, align="edge", color=BLUE, alpha=0.35, edgecolor="white")
    axes.axhline(1, color=INK, linewidth=0.75)
    axes.set_xlim(0, 1)
    axes.set_ylim(0, highest)
    axes.yaxis.set_major_locator(MaxNLocator(4))
    axes.set_xlabel("level")
    axes.set_ylabel("density")


def _fan(part: pl.DataFrame, axes: Axes) -> None:
    levels = part["level"].unique().sort().to_list()
    for low, high in zip(levels, reversed(levels), strict=True):
        if low < high:
            ends = part.filter(level=low), part.filter(level=high)["value_bp"]
            axes.fill_between(ends[0]["target_at"], ends[0]["value_bp"], ends[1], color=BLUE, alpha=0.18, linewidth=0)
    outcome = part.filter(level=levels[0])
    axes.axhline(0, color=RULE, linewidth=0.75)
    axes.plot(outcome["target_at"], outcome["truth_bp"], color=INK, linewidth=0.9)
    dated(axes, 4)
    axes.set_ylabel("bp")
