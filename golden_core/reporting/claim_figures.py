"""Who is better than whom: effects on series and of claims, pairs of forecasters, average ranks. One query each.

What decides a claim stands in claims/; ranks and pairs describe.
"""

from __future__ import annotations

import math
from functools import partial

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, MaxNLocator, NullFormatter

from golden_core.evaluation.inputs import BENCHMARK
from golden_core.reporting.exhibits import Answer, Cell, Row, ask
from golden_core.reporting.figures import Plot, extent
from golden_core.reporting.formats import ABSENT, count, decimals, level, percent, probability
from golden_core.reporting.grids import RELATIVE, Grids, cross, tone
from golden_core.reporting.svg import BLUE, INK, MUTED, RED, RULE, Panel, panel, panels
from golden_core.statistics.groups import friedman, nemenyi_difference
from golden_core.store.warehouse import Warehouse
from golden_core.study import Study
from golden_core.study.faults import plural

# One effect can have two claims: that it is above zero, and that it lies within the margin.
EFFECTS = """
SELECT forecaster,
       CASE kind WHEN 'predicts' THEN 'covariance' WHEN 'covers' THEN 'coverage − level'
                 WHEN 'profitable' THEN 'net return a year' ELSE 'loss removed' END AS measure,
       CASE WHEN scope = 'pooled' THEN 'all pairs' ELSE pair END || '_h' || horizon AS label,
       max(effect) AS effect, max(low) AS low, max(high) AS high,
       max(margin) FILTER (kind IN ('equivalent', 'covers')) AS margin,
       coalesce(bool_or(claimed) FILTER (kind IN ('equivalent', 'covers')), false) AS within,
       coalesce(bool_or(claimed) FILTER (kind NOT IN ('equivalent', 'covers')), false) AS above
FROM claims WHERE study = $1 AND effect IS NOT NULL
GROUP BY forecaster, measure, scope, pair, horizon ORDER BY measure, forecaster, scope, pair, horizon
"""

PAIRWISE = """
WITH errors AS (
    SELECT forecaster, pair, horizon, mean AS rmse FROM summary
    WHERE study = $1 AND scope = 'series' AND metric = 'rmse' AND mean IS NOT NULL
)
SELECT one.forecaster, other.forecaster AS other, count(*) AS series,
       count(*) FILTER (one.rmse < other.rmse) AS lower,
       median(one.rmse / nullif(other.rmse, 0) - 1) FILTER (one.forecaster <> other.forecaster) AS typical
FROM errors AS one JOIN errors AS other USING (pair, horizon)
GROUP BY one.forecaster, other.forecaster ORDER BY one.forecaster, other.forecaster
"""

# Equal errors share the mean of their ranks. A forecaster without some series has no place among the others.
RANKS = """
WITH errors AS (
    SELECT forecaster, pair || '_h' || horizon AS series, mean AS rmse,
           count(*) OVER (PARTITION BY forecaster) AS held
    FROM summary WHERE study = $1 AND scope = 'series' AND metric = 'rmse' AND mean IS NOT NULL
), whole AS (
    SELECT * FROM errors WHERE held = (SELECT max(held) FROM errors)
)
SELECT forecaster, series, rmse,
       rank() OVER (PARTITION BY series ORDER BY rmse) + (count(*) OVER (PARTITION BY series, rmse) - 1) / 2 AS place
FROM whole ORDER BY series, forecaster
"""

_LINEAR_TO = 0.01  # the least and the greatest effect of the linear part of an axis
_AXIS = f"linear within ±{level(_LINEAR_TO)} and logarithmic beyond"


def forest(answer: Answer, study: Study) -> Plot:
    """Plot out-of-sample R² with its interval on every series, one panel per forecaster, on one common axis."""
    frame = answer.frame.filter((pl.col("forecaster") != BENCHMARK) & pl.col("r2_oos").is_not_null()).select(
        "forecaster",
        label="series",
        effect="r2_oos",
        low="r2_oos_low",
        high="r2_oos_high",
        tone=pl.col("verdict").replace_strict({"better": BLUE, "worse": RED}, default=None),
        margin=pl.lit(None, pl.Float64),
    )

    def told(part: pl.DataFrame) -> str:
        least, most = percent(part["effect"].min()), percent(part["effect"].max())
        return f"out-of-sample R² on {len(part)} series, from {least} % to {most} %"

    limits, height = _limits(frame), lambda part: _height(len(part))
    confidence, alpha = level(study.evaluation.confidence), level(study.evaluation.significance)
    return Plot(
        "forest",
        "On which series is there skill? Out-of-sample R² against the random walk in percent, mean over seeds. The "
        f"upright line is the random walk. Bars are {confidence} Student t intervals over seeds; a deterministic "
        f"forecaster has none. Filled: the seed average differs significantly from the random walk at {alpha} after "
        f"Holm, better (blue) or worse (red); hollow: no significant difference. The axis is common to all panels, "
        f"{_AXIS}.",
        panels("forest", frame, "forecaster", told, _effects, limits, "R², %", height=height),
        answer,
    )


def claim_forest(warehouse: Warehouse, study: Study) -> Plot:
    """Plot the effect of every claim asked about with its interval, and the margin within which it counts as none."""
    answer = ask(warehouse, EFFECTS, study.name)
    carried = pl.when("above").then(pl.lit(BLUE)).when("within").then(pl.lit(INK))
    frame = answer.frame.with_columns(tone=carried)
    found = []
    for (measure,), every in frame.group_by("measure", maintain_order=True):
        limits = _limits(every)
        for (name,), part in every.group_by("forecaster", maintain_order=True):
            least, most = percent(part["effect"].min()), percent(part["effect"].max())
            told = f"{name}, {measure}: {plural(len(part), 'effect')} from {least} % to {most} %"
            draw = partial(_effects, part, limits, f"{measure}, %")
            found.append(panel("effects", f"{name}: {measure}", told, draw, _height(len(part))))
    confidence = level(study.evaluation.confidence)
    return Plot(
        "effects",
        "How large are the effects that claims are about, and how well are they known? In percent of the random "
        f"walk’s mean loss, for coverage of the forecasts, for money of the capital; with the {confidence} interval of "
        "the test’s own engine. Grey is the margin within which a difference counts as none. Filled: carried, above "
        "zero (blue) or within the margin (black); hollow: neither. The axis is common to all panels of a measure, "
        f"{_AXIS}.",
        tuple(found),
        answer,
    )


def pairwise_grids(warehouse: Warehouse, study: Study) -> Grids:
    """Return the grid forecaster × forecaster of how RMSE compares, typically and by number of series."""
    answer = ask(warehouse, PAIRWISE, study.name)
    grid = (cross(answer.frame, "forecaster", "other", _compared, title="", corner="Forecaster"),)
    return Grids(
        "pairwise",
        "Who is more accurate than whom? RMSE of the row relative to that of the column in percent, median over "
        "series, and on how many of the common series it is lower; mean over seeds. It describes: what is "
        "significant against the random walk stands with the claims.",
        grid if answer.frame.height else (),
        RELATIVE,
        answer,
    )


def critical_difference(warehouse: Warehouse, study: Study) -> Plot:
    """Plot average ranks over series with the critical difference of Nemenyi; nothing below three forecasters.

    References
    ----------
    Demšar (2006), Journal of Machine Learning Research 7, section 3.2.2.
    """
    answer, alpha = ask(warehouse, RANKS, study.name), study.evaluation.significance
    ranks = answer.frame.group_by("forecaster").agg(rank=pl.col("place").mean()).sort("rank", "forecaster")
    series = answer.frame["series"].n_unique()
    dollar = all("USD" in pair for pair in study.data.pairs)
    shared = "the dollar and the period" if dollar else "the period, and often a currency"
    found: tuple[Panel, ...] = ()
    said = "There are too few forecasters or series to say."
    if ranks.height > 2 and series > 1:
        wide = answer.frame.pivot("forecaster", index="series", values="rmse").drop("series").to_numpy()
        apart, tested = nemenyi_difference(ranks.height, series, alpha), friedman(np.asarray(wide))
        ends = f"from {decimals(ranks['rank'][0], 2)} to {decimals(ranks['rank'][-1], 2)}"
        told = f"average ranks of {ranks.height} forecasters on {series} series, {ends}"
        draw = partial(_ranks, ranks, apart)
        found = (panel("ranks", "All forecasters", told, draw, _height(ranks.height)),)
        said = (
            f"Two differ by more than the critical difference of {decimals(apart, 2)} where their bars do not meet "
            f"(Nemenyi, {level(alpha)}). Friedman’s test that all rank alike: χ² {decimals(tested.statistic, 2)}, "
            f"p {probability(tested.p_value)}."
        )
    return Plot(
        "ranks",
        f"Whose ranks differ? Average rank by RMSE, mean over seeds, on {count(series)} series; 1 is the best. {said} "
        f"It describes and never decides: series share {shared}, and both tests take them for "
        "independent.",
        found,
        answer,
    )


def _compared(row: Row) -> Cell:
    if row["typical"] is None:
        return Cell(ABSENT)
    return Cell(f"{percent(row['typical'])} ({row['lower']} of {row['series']})", tone(row["typical"]))


def _ranks(ranks: pl.DataFrame, apart: float, axes: Axes) -> None:
    places = range(ranks.height)
    axes.hlines(places, ranks["rank"] - apart / 2, ranks["rank"] + apart / 2, colors=INK, linewidth=1.5)
    axes.scatter(ranks["rank"], places, s=16, color=INK, zorder=3)
    axes.set_yticks(places, ranks["forecaster"].to_list())
    axes.set_ylim(ranks.height - 0.4, -0.6)
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.set_xlabel("average rank")


def _effects(part: pl.DataFrame, limits: tuple[float, float], name: str, axes: Axes) -> None:
    """Draw effects with their intervals, one row each: ``label``, ``effect``, ``low``, ``high``, ``tone``, ``margin``.

    A tone fills its mark; without one the mark is hollow. A margin shades what counts as no difference. The axis is
    linear about zero and logarithmic beyond.
    """
    part = part.with_columns(
        place=pl.int_range(pl.len()), colour=pl.col("tone").fill_null(MUTED), face=pl.col("tone").fill_null("white")
    )
    spread = part.drop_nulls("low")
    for margin in part["margin"].drop_nulls().unique():
        axes.axvspan(-margin, margin, color=RULE, alpha=0.5, linewidth=0, zorder=0)
    axes.axvline(0, color=INK, linewidth=0.75, zorder=1)
    axes.hlines(spread["place"], spread["low"], spread["high"], colors=spread["colour"].to_list(), linewidth=1.5)
    faces, edges = part["face"].to_list(), part["colour"].to_list()
    axes.scatter(part["effect"], part["place"], s=16, facecolors=faces, edgecolors=edges, linewidths=1, zorder=3)
    axes.set_xscale("symlog", linthresh=_LINEAR_TO)
    axes.set_xlim(*limits)
    ticks = [0.0] + [sign * 10.0**power for power in range(-2, 9) for sign in (-1, 1)]
    shown = [tick for tick in sorted(ticks) if limits[0] <= tick <= limits[1]]
    if len(shown) > 6:  # labels in a narrow panel: zero and every second power of ten
        shown = [tick for tick in shown if tick == 0 or round(math.log10(abs(tick))) % 2 == 0]
    axes.xaxis.set_major_locator(FixedLocator(shown))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xticklabels([decimals(tick, 0, factor=100) for tick in shown])
    axes.set_yticks(part["place"], part["label"].to_list())
    axes.set_ylim(len(part) - 0.4, -0.6)
    axes.set_xlabel(name)


def _limits(frame: pl.DataFrame) -> tuple[float, float]:
    """Return an axis that holds every ``effect``, ``low`` and ``high``, and the linear part about zero."""
    low, high = extent(frame, "effect", "low", "high")
    return min(low, -_LINEAR_TO) * 1.3, max(high, _LINEAR_TO) * 1.3


def _height(rows: int) -> float:
    """Return the height in inches of a panel with so many effects."""
    return 0.55 + 0.19 * rows
