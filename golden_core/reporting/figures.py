"""Figures as inline SVG, one small panel per forecaster or series so that they reflow on a phone. One query each.

Those of effects, ranks and claims stand in claim_figures.py, those of distributions in uncertainty_figures.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from golden_core.evaluation.inputs import BENCHMARK
from golden_core.reporting.exhibits import Answer, ask
from golden_core.reporting.formats import decimals, percent
from golden_core.reporting.svg import BLUE, INK, MUTED, RED, RULE, Dashes, Key, Panel, dated, legend_key, panels
from golden_core.store.warehouse import Warehouse
from golden_core.study import Study
from golden_core.study.faults import plural

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
       list_sum(gained[:month]) / nullif(walk_error, 0) AS gain
FROM lines, unnest(range(1, len(days) + 1)) AS step(month)
ORDER BY pair, horizon, forecaster, day
"""

# Who never traded has no line.
EQUITY = """
SELECT forecaster, pair, horizon, pair || '_h' || horizon AS series, timestamp, equity.net
FROM equity JOIN economics USING (study, forecaster, pair, horizon)
WHERE study = $1 AND economics.turnover > 0
ORDER BY pair, horizon, forecaster, timestamp
"""

Line = tuple[str, Dashes]
LINES: tuple[Line, ...] = (
    (BLUE, "-"),
    (RED, "--"),
    ("#3d7a5a", "-."),
    ("#8a6a12", (0, (1, 1))),
    ("#6d4a86", (0, (5, 1, 1, 1))),
)


@dataclass(frozen=True)
class Plot:
    """A figure: panels under one caption, a legend of line and name, and the query behind it."""

    name: str
    caption: str
    panels: tuple[Panel, ...]
    answer: Answer
    legend: tuple[Key, ...] = ()


def learning_curves(warehouse: Warehouse, study: Study) -> Plot:
    """Plot training and validation loss per epoch, one panel per forecaster that trains by gradient descent."""

    def told(part: pl.DataFrame) -> str:
        first, last = (decimals(part["validation"][place], 3) for place in (0, -1))
        epochs, runs = plural(len(part), "epoch"), plural(part["runs"][0], "run")
        return f"losses over {epochs}; median validation loss from {first} to {last}, {runs}"

    answer = ask(warehouse, CURVES, study.name)
    return Plot(
        "curves",
        "Did training converge? Mean squared error of the scaled target by epoch. Lines are medians and bands the full "
        "range over series, seeds and folds. Runs stop early: an epoch covers the runs still training, and a line is "
        "thin where fewer than half are left.",
        panels("curves", answer.frame, "forecaster", told, _curves),
        answer,
        (legend_key("curves", "validation", BLUE, "-"), legend_key("curves", "training", MUTED, "--")),
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

    def told(part: pl.DataFrame) -> str:
        shown = part.filter(pl.col("forecaster").is_in(list(lines)))
        return f"cumulative gain over the random walk at the end: {_ends(shown, 'gain')}"

    rest = " The others are grey and may leave the frame." if len(ranked) - 1 > len(lines) else ""
    return Plot(
        "gain",
        "When does skill arise? The running sum of the random walk’s squared errors minus the forecaster’s, in percent "
        "of the random walk’s total (Goyal & Welch 2008), at month ends, for seed-averaged forecasts. A rising line "
        f"gains on the random walk; the last value is the R² of the average. In colour: the best {len(lines)} on the "
        f"leaderboard whose forecasts are not the random walk’s own.{rest} The axes differ between panels.",
        panels("gain", answer.frame, "series", told, _gain, lines),
        answer,
        tuple(legend_key("gain", name, *line) for name, line in lines.items()),
    )


def equity(warehouse: Warehouse, study: Study, ranked: list[str]) -> Plot:
    """Plot equity net of costs at month ends, the best of the leaderboard in colour."""
    answer = ask(warehouse, EQUITY, study.name)
    traders = set(answer.frame["forecaster"])
    named = (name for name in ranked if name != BENCHMARK and name in traders)
    lines = dict(zip(named, LINES, strict=False))

    def told(part: pl.DataFrame) -> str:
        return f"equity net of costs at the end: {_ends(part, 'net')}"

    rest = " The others are grey." if len(traders) > len(lines) else ""
    return Plot(
        "equity",
        "When is money made and lost? Running sum of net returns in percent of the capital, at the last price of every "
        f"month, seeds sharing the capital evenly. In colour: the best {len(lines)} on the leaderboard that trade at "
        f"all.{rest} The axes differ between panels.",
        panels("equity", answer.frame, "series", told, _equity, lines),
        answer,
        tuple(legend_key("equity", name, *line) for name, line in lines.items()),
    )


def _ends(lines: pl.DataFrame, value: str) -> str:
    """Return where the lines of a panel end, in words."""
    final = lines.group_by("forecaster", maintain_order=True).last().select("forecaster", value)
    return ", ".join(f"{name} {percent(last)} %" for name, last in final.iter_rows())


def extent(frame: pl.DataFrame, *columns: str) -> tuple[float, float]:
    """Return the least and the greatest value of some columns, zero counted in."""
    values = frame.select(columns).fill_null(0.0).to_numpy()
    return float(values.min(initial=0.0)), float(values.max(initial=0.0))


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
    low, high = extent(coloured, "gain")
    margin = 0.06 * (high - low) or 0.01
    axes.set_ylim(100 * (low - margin), 100 * (high + margin))
    dated(axes, 5)
    axes.ticklabel_format(axis="y", style="plain", useOffset=False)  # no "1e−5" above the axis
    axes.set_ylabel("gain, %")


def _equity(part: pl.DataFrame, lines: Mapping[str, Line], axes: Axes) -> None:
    axes.axhline(0, color=INK, linewidth=0.75)
    for (name,), line in part.group_by("forecaster", maintain_order=True):
        colour, dash = lines.get(str(name), (RULE, "-"))
        front = 2 if name in lines else 1
        axes.plot(line["timestamp"], 100 * line["net"], color=colour, linestyle=dash, zorder=front)
    dated(axes, 5)
    axes.ticklabel_format(axis="y", style="plain", useOffset=False)
    axes.set_ylabel("equity, %")
