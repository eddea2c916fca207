"""The figure of what forecasts earn: equity net of costs, one panel per series."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import polars as pl
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.ticker import MaxNLocator

from golden_core.evaluation.inputs import BENCHMARK
from golden_core.reporting.exhibits import ask
from golden_core.reporting.figures import LINES, Line, Plot
from golden_core.reporting.formats import percent
from golden_core.reporting.svg import INK, RULE, legend_key, panel
from golden_core.store.warehouse import Warehouse
from golden_core.study import Study

# Who never traded has no line.
EQUITY = """
SELECT forecaster, pair, horizon, pair || '_h' || horizon AS series, timestamp, equity.net
FROM equity JOIN economics USING (study, forecaster, pair, horizon)
WHERE study = $1 AND economics.turnover > 0
ORDER BY pair, horizon, forecaster, timestamp
"""


def equity(warehouse: Warehouse, study: Study, ranked: list[str]) -> Plot:
    """Plot equity net of costs at month ends, the best of the leaderboard in colour."""
    answer = ask(warehouse, EQUITY, study.name)
    traders = set(answer.frame["forecaster"])
    named = (name for name in ranked if name != BENCHMARK and name in traders)
    lines = dict(zip(named, LINES, strict=False))
    panels = []
    for (series,), part in answer.frame.group_by("series", maintain_order=True):
        final = part.group_by("forecaster", maintain_order=True).last()
        ends = ", ".join(f"{row['forecaster']} {percent(row['net'])} %" for row in final.iter_rows(named=True))
        description = f"{series}: equity net of costs at the end: {ends}"
        panels.append(panel("equity", str(series), description, partial(_equity, part, lines)))
    rest = " The others are grey." if len(traders) > len(lines) else ""
    return Plot(
        "equity",
        "When is money made and lost? Running sum of net returns in percent of the capital, at the last price of every "
        f"month, seeds sharing the capital evenly. In colour: the best {len(lines)} on the leaderboard that trade at "
        f"all.{rest} The axes differ between panels.",
        tuple(panels),
        tuple(legend_key("equity", name, colour, dash) for name, (colour, dash) in lines.items()),
        answer,
    )


def _equity(part: pl.DataFrame, lines: Mapping[str, Line], axes: Axes) -> None:
    axes.axhline(0, color=INK, linewidth=0.75)
    for (name,), line in part.group_by("forecaster", maintain_order=True):
        colour, dash = lines.get(str(name), (RULE, "-"))
        front = 2 if name in lines else 1
        axes.plot(line["timestamp"], 100 * line["net"], color=colour, linestyle=dash, zorder=front)
    locator = AutoDateLocator(minticks=3, maxticks=5)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
    axes.yaxis.set_major_locator(MaxNLocator(4))
    axes.ticklabel_format(axis="y", style="plain", useOffset=False)
    axes.set_ylabel("equity, %")
