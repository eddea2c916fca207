"""Figures of a report as files of their own, for manuscripts: the panels of one caption in a grid, with its legend."""

from __future__ import annotations

import io
from collections.abc import Iterable

import matplotlib.style
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from golden_core.reporting.figures import Plot
from golden_core.reporting.svg import STYLE, WIDTH

FORMATS = ("pdf", "svg")
_COLUMNS = 3
_LEGEND = 0.4  # inches
# What would say when a file was made, and by which release: equal data give equal bytes.
_NOTHING = {"pdf": ("CreationDate", "Creator", "Producer"), "svg": ("Date", "Creator", "Format", "Type")}


def figure_files(plots: Iterable[Plot]) -> dict[str, bytes]:
    """Return every figure that has a panel as PDF and SVG, by name of the file; equal plots give equal bytes."""
    return {f"{plot.name}.{kind}": _drawn(plot, kind) for plot in plots if plot.panels for kind in FORMATS}


def _drawn(plot: Plot, kind: str) -> bytes:
    rows = [plot.panels[first : first + _COLUMNS] for first in range(0, len(plot.panels), _COLUMNS)]
    heights = [max(panel.height for panel in row) for row in rows]
    columns = len(rows[0])
    with matplotlib.style.context(["default", {**STYLE, "svg.hashsalt": plot.name, "pdf.fonttype": 42}]):
        figure = Figure(figsize=(WIDTH * columns, sum(heights) + _LEGEND * bool(plot.legend)))
        grid = figure.add_gridspec(len(rows), columns, height_ratios=heights)
        for number, panel in enumerate(plot.panels):
            axes = figure.add_subplot(grid[divmod(number, columns)])
            panel.draw(axes)
            axes.set_title(panel.title, loc="left", fontsize=9)
        if plot.legend:
            styles = [{"color": key.colour, "linestyle": key.dashes, "label": key.title} for key in plot.legend]
            lines = [Line2D([], [], **style) for style in styles]  # type: ignore[arg-type]  # stubs know no dashes
            figure.legend(handles=lines, loc="outside lower left", ncols=6, frameon=False)
        buffer = io.BytesIO()
        figure.savefig(buffer, format=kind, metadata=dict.fromkeys(_NOTHING[kind]))
    return buffer.getvalue()
