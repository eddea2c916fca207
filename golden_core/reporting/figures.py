"""Figures as inline SVG, one small panel per forecaster or series so that they reflow on a phone. One query each."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import polars as pl
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.ticker import FixedLocator, MaxNLocator, NullFormatter

from golden_core.evaluation.inputs import BENCHMARK
from golden_core.reporting.exhibits import Answer, ask
from golden_core.reporting.formats import decimals, level, percent
from golden_core.reporting.svg import BLUE, INK, MUTED, RED, RULE, Dashes, Key, Panel, legend_key, panel
from golden_core.store.warehouse import Warehouse
from golden_core.study import Study

# Median and range over everything still training at that epoch: runs stop early, so their number falls.
CURVES = """
SELECT forecaster, epoch, count(*) AS runs,
       median(train_loss) AS train, min(train_loss) AS train_low, max(train_loss) AS train_high,
       median(validation_loss) AS validation, min(validation_loss) AS validation_low,
       max(validation_loss) AS validation_high
FROM history WHERE study = $1
GROUP BY forecaster, epoch ORDER BY forecaster, epoch
"""

# Sums are ordered: floating-point addition in whatever order threads finish would change the last digits. A running
# sum as a window function has none: a smaller memory_limit gave other last digits (measured). Lists are summed instead.
CUMULATIVE = """
WITH ensemble AS (
    SELECT forecaster, pair, horizon, cutoff, any_value(y_true) AS y_true, avg(y_pred ORDER BY seed) AS y_pred
    FROM forecasts WHERE study = $1 GROUP BY forecaster, pair, horizon, cutoff
), months AS (
    SELECT model.forecaster, pair, horizon, CAST(max(cutoff) AT TIME ZONE 'UTC' AS DATE) AS day,
           sum((walk.y_true - walk.y_pred) ** 2 ORDER BY cutoff) AS walk_error,
           sum((walk.y_true - walk.y_pred) ** 2 - (model.y_true - model.y_pred) ** 2 ORDER BY cutoff) AS gained
    FROM ensemble AS model JOIN ensemble AS walk USING (pair, horizon, cutoff)
    WHERE walk.forecaster = 'random_walk' AND model.forecaster <> 'random_walk'
    GROUP BY model.forecaster, pair, horizon, date_trunc('month', cutoff AT TIME ZONE 'UTC')
), lines AS (
    SELECT forecaster, pair, horizon, sum(walk_error ORDER BY day) AS walk_error,
           list(day ORDER BY day) AS days, list(gained ORDER BY day) AS gained
    FROM months GROUP BY forecaster, pair, horizon
)
SELECT forecaster, pair, horizon, pair || '_h' || horizon AS series, days[month] AS day,
       list_sum(gained[:month]) / walk_error AS gain
FROM lines, unnest(range(1, len(days) + 1)) AS step(month)
ORDER BY pair, horizon, forecaster, day
"""

Line = tuple[str, Dashes]
LINES: tuple[Line, ...] = (
    (BLUE, "-"),
    (RED, "--"),
    ("#3d7a5a", "-."),
    ("#8a6a12", (0, (1, 1))),
    ("#6d4a86", (0, (5, 1, 1, 1))),
)
_LINEAR_TO = 0.01  # the least and the greatest effect of the linear part of an axis
AXIS = f"linear within ±{level(_LINEAR_TO)} and logarithmic beyond"


@dataclass(frozen=True)
class Plot:
    """A figure: panels under one caption, a legend of line and name, and the query behind it."""

    name: str
    caption: str
    panels: tuple[Panel, ...]
    legend: tuple[Key, ...]
    answer: Answer


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
    limits, panels = effect_limits(frame), []
    for (name,), part in frame.group_by("forecaster", maintain_order=True):
        description = (
            f"{name}: out-of-sample R² on {len(part)} series, "
            f"from {percent(part['effect'].min())} % to {percent(part['effect'].max())} %"
        )
        draw = partial(effects, part, limits, "R², %")
        panels.append(panel("forest", str(name), description, draw, effect_height(len(part))))
    confidence, alpha = level(study.evaluation.confidence), level(study.evaluation.significance)
    return Plot(
        "forest",
        "On which series is there skill? Out-of-sample R² against the random walk in percent, mean over seeds. The "
        f"upright line is the random walk. Bars are {confidence} Student t intervals over seeds; a deterministic "
        f"forecaster has none. Filled: the seed average differs significantly from the random walk at {alpha} after "
        f"Holm, better (blue) or worse (red); hollow: no significant difference. The axis is common to all panels, "
        f"{AXIS}.",
        tuple(panels),
        (),
        answer,
    )


def learning_curves(warehouse: Warehouse, study: Study) -> Plot:
    """Plot training and validation loss per epoch, one panel per forecaster that trains by gradient descent."""
    answer = ask(warehouse, CURVES, study.name)
    panels = []
    for (name,), part in answer.frame.group_by("forecaster", maintain_order=True):
        description = (
            f"{name}: losses over {len(part)} epochs; median validation loss from "
            f"{decimals(part['validation'][0], 3)} to {decimals(part['validation'][-1], 3)}, {part['runs'][0]} runs"
        )
        panels.append(panel("curves", str(name), description, partial(_curves, part)))
    return Plot(
        "curves",
        "Did training converge? Mean squared error of the scaled target by epoch. Lines are medians and bands the full "
        "range over series, seeds and folds. Runs stop early: an epoch covers the runs still training, and a line is "
        "thin where fewer than half are left.",
        tuple(panels),
        (legend_key("curves", "validation", BLUE, "-"), legend_key("curves", "training", MUTED, "--")),
        answer,
    )


def cumulative_gain(warehouse: Warehouse, study: Study, ranked: list[str]) -> Plot:
    """Plot when skill arises: the running difference in squared error, one panel per series.

    References
    ----------
    Goyal & Welch (2008), "A comprehensive look at the empirical performance of equity premium prediction", figure 1.
    """
    answer = ask(warehouse, CUMULATIVE, study.name)
    # A forecaster with the random walk's own forecasts is the line of zero, and a colour for it would be lost.
    moves = pl.col("gain").ne(0).any().over("forecaster")
    still = {BENCHMARK, *answer.frame.filter(~moves)["forecaster"]}
    lines = dict(zip((name for name in ranked if name not in still), LINES, strict=False))
    panels = []
    for (series,), part in answer.frame.group_by("series", maintain_order=True):
        final = part.group_by("forecaster", maintain_order=True).last().filter(pl.col("forecaster").is_in(list(lines)))
        ends = ", ".join(f"{row['forecaster']} {percent(row['gain'])} %" for row in final.iter_rows(named=True))
        description = f"{series}: cumulative gain over the random walk at the end: {ends}"
        panels.append(panel("gain", str(series), description, partial(_gain, part, lines)))
    rest = " The others are grey and may leave the frame." if len(ranked) - 1 > len(lines) else ""
    return Plot(
        "gain",
        "When does skill arise? The running sum of the random walk’s squared errors minus the forecaster’s, in percent "
        "of the random walk’s total (Goyal & Welch 2008), at month ends, for seed-averaged forecasts. A rising line "
        f"gains on the random walk; the last value is the R² of the average. In colour: the best {len(lines)} on the "
        f"leaderboard whose forecasts are not the random walk’s own.{rest} The axes differ between panels.",
        tuple(panels),
        tuple(legend_key("gain", name, colour, dash) for name, (colour, dash) in lines.items()),
        answer,
    )


def effects(part: pl.DataFrame, limits: tuple[float, float], name: str, axes: Axes) -> None:
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
    shown = _thinned([tick for tick in sorted(ticks) if limits[0] <= tick <= limits[1]])
    axes.xaxis.set_major_locator(FixedLocator(shown))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xticklabels([decimals(tick, 0, factor=100) for tick in shown])
    axes.set_yticks(part["place"], part["label"].to_list())
    axes.set_ylim(len(part) - 0.4, -0.6)
    axes.set_xlabel(name)


def effect_limits(frame: pl.DataFrame) -> tuple[float, float]:
    """Return an axis that holds every ``effect``, ``low`` and ``high``, and the linear part about zero."""
    low, high = _extent(frame, "effect", "low", "high")
    return min(low, -_LINEAR_TO) * 1.3, max(high, _LINEAR_TO) * 1.3


def effect_height(rows: int) -> float:
    """Return the height in inches of a panel with so many effects."""
    return 0.55 + 0.19 * rows


def _extent(frame: pl.DataFrame, *columns: str) -> tuple[float, float]:
    """Return the least and the greatest value of some columns, zero counted in."""
    values = frame.select(columns).fill_null(0.0).to_numpy()
    return float(values.min(initial=0.0)), float(values.max(initial=0.0))


def _thinned(ticks: list[float]) -> list[float]:
    """Keep zero and every second power of ten when there are too many labels for a narrow panel."""
    if len(ticks) <= 6:
        return ticks
    return [tick for tick in ticks if tick == 0 or round(math.log10(abs(tick))) % 2 == 0]


def _curves(part: pl.DataFrame, axes: Axes) -> None:
    alive = part.filter(pl.col("runs") * 2 >= pl.col("runs").max())
    for name, colour, dash in (("train", MUTED, "--"), ("validation", BLUE, "-")):
        low, high = part[f"{name}_low"], part[f"{name}_high"]
        axes.fill_between(part["epoch"], low, high, color=colour, alpha=0.15, linewidth=0)
        marker = "o" if len(part) == 1 else ""  # a line of one epoch would not be seen
        axes.plot(part["epoch"], part[name], color=colour, linestyle=dash, linewidth=0.5, marker=marker, markersize=4)
        axes.plot(alive["epoch"], alive[name], color=colour, linestyle=dash)
    losses = part.select(pl.selectors.matches("^(train|validation)")).to_numpy()
    if losses.max() > 10 * losses.min() > 0:
        axes.set_yscale("log")
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True, min_n_ticks=1))
    axes.set_xlabel("epoch")
    axes.set_ylabel("loss")


def _gain(part: pl.DataFrame, lines: Mapping[str, Line], axes: Axes) -> None:
    axes.axhline(0, color=INK, linewidth=0.75)
    for (name,), line in part.group_by("forecaster", maintain_order=True):
        if name not in lines:
            axes.plot(line["day"], 100 * line["gain"], color=RULE, linewidth=0.75, zorder=1)
    coloured = part.filter(pl.col("forecaster").is_in(list(lines)))
    for (name,), line in coloured.group_by("forecaster", maintain_order=True):
        colour, dash = lines[str(name)]
        axes.plot(line["day"], 100 * line["gain"], color=colour, linestyle=dash)
    low, high = _extent(coloured, "gain")
    margin = 0.06 * (high - low) or 0.01
    axes.set_ylim(100 * (low - margin), 100 * (high + margin))
    locator = AutoDateLocator(minticks=3, maxticks=5)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
    axes.yaxis.set_major_locator(MaxNLocator(4))
    axes.ticklabel_format(axis="y", style="plain", useOffset=False)  # no "1e−5" above the axis
    axes.set_ylabel("gain, %")
