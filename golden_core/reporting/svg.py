"""Small plots as inline SVG: one style, the same bytes for the same data. What is plotted stands in figures.py."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import matplotlib.style
import polars as pl
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import LogFormatter, MaxNLocator

Dashes = str | tuple[int, tuple[int, ...]]
INK, MUTED, RULE, BLUE, RED = "#1d2733", "#5a6572", "#d5dae0", "#1f5f8b", "#a6411f"
STYLE = {
    "font.size": 8.25,
    "font.family": "DejaVu Sans",
    "text.parse_math": False,
    "text.color": INK,
    "axes.edgecolor": RULE,
    "axes.labelcolor": MUTED,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.75,
    "axes.unicode_minus": True,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.major.size": 3,
    "ytick.major.size": 0,
    "xtick.minor.size": 0,
    "svg.fonttype": "none",
    "figure.constrained_layout.use": True,
    "lines.linewidth": 1.25,
}
_SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
WIDTH = 3.5  # inches: 336 CSS pixels, the width of a phone's text column


@dataclass(frozen=True)
class Panel:
    """One small plot with its title. A screen reader hears the description inside the SVG instead."""

    title: str
    svg: Markup
    draw: Callable[[Axes], None] = field(compare=False)  # for whoever wants it elsewhere than in a page
    height: float  # inches


@dataclass(frozen=True)
class Key(Panel):
    """The short line that stands for a name in a legend."""

    colour: str
    dashes: Dashes


def panel(plot: str, title: str, description: str, draw: Callable[[Axes], None], height: float = 2.1) -> Panel:
    """Draw one panel of a plot, as wide as a phone and ``height`` inches high."""

    def drawn(axes: Axes) -> None:
        draw(axes)
        for axis, decades in ((axes.xaxis, 1), (axes.yaxis, 2)):  # up to so many, what lies between has labels
            if axis.get_scale() == "log":  # matplotlib's labels are mathematical markup, which STYLE leaves text
                axis.set_major_formatter(_PlainLog(minor_thresholds=(decades, 0.5)))
                axis.set_minor_formatter(_PlainLog(minor_thresholds=(decades, 0.5)))

    return Panel(title, _svg(f"{plot}-{title}", description, drawn, height, WIDTH), drawn, height)


def panels(
    plot: str,
    frame: pl.DataFrame,
    by: str,
    told: Callable[[pl.DataFrame], str],
    draw: Callable[..., None],
    *more: Any,
    height: Callable[[pl.DataFrame], float] = lambda _: 2.1,
) -> tuple[Panel, ...]:
    """Draw a panel of each group of rows by ``draw(rows, *more, axes)``; ``told`` describes it behind its name."""
    return tuple(
        panel(plot, str(name), f"{name}: {told(rows)}", partial(draw, rows, *more), height(rows))
        for (name,), rows in frame.group_by(by, maintain_order=True)
    )


def legend_key(plot: str, name: str, colour: str, dashes: Dashes) -> Key:
    """Draw the short line that stands for a name in a legend."""

    def draw(axes: Axes) -> None:
        axes.set_axis_off()
        axes.plot([0, 1], [0, 0], color=colour, linestyle=dashes, linewidth=1.5)

    return Key(name, _svg(f"{plot}-key-{name}", "", draw, 0.12, 0.32), draw, 0.12, colour, dashes)


def dated(axes: Axes, most: int) -> None:
    """Give axes a few dates below, written short, and a few numbers beside."""
    locator = AutoDateLocator(minticks=2, maxticks=most)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
    axes.yaxis.set_major_locator(MaxNLocator(4))


class _PlainLog(LogFormatter):
    """Labels where a logarithmic axis has them, written as people write numbers: 0.6, not 6e−01; 10⁶ where long."""

    def __call__(self, x: float, pos: int | None = None) -> str:
        """Return the label of a tick, or nothing where there is none."""
        if not super().__call__(x, pos):
            return ""
        plain = f"{x:.10f}".rstrip("0").rstrip(".")
        return f"10{str(len(plain) - 1).translate(_SUPERSCRIPTS)}" if re.fullmatch("10{4,}", plain) else plain


def _settle(figure: Figure, axes: Axes) -> None:
    """Lay a figure out and round where its axes stand.

    The layout follows the labels, so that a last bit of a value would move the axes by a last bit: invisible, but the
    ids of clip paths are hashes of it, and the bytes of a page would differ where no number does.
    """
    ConstrainedLayoutEngine().execute(figure)
    axes.set_position([round(place, 5) for place in axes.get_position().bounds])  # type: ignore[arg-type]


def _svg(identity: str, description: str, draw: Callable[[Axes], None], height: float, width: float) -> Markup:
    """Return an ``<svg>`` element whose ids no other figure of the page has."""
    # From matplotlib's own defaults: the user's matplotlibrc must not change a report.
    # Laid out below: a figure that lays itself out is drawn twice to be saved once.
    own = {"figure.constrained_layout.use": False, "svg.hashsalt": identity}
    with matplotlib.style.context(["default", {**STYLE, **own}]):
        figure = Figure(figsize=(width, height))
        axes = figure.add_subplot()
        draw(axes)
        _settle(figure, axes)
        buffer = io.StringIO()
        nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        figure.savefig(buffer, format="svg", transparent=True, metadata=nothing)
    element = buffer.getvalue()
    element = element[element.index("<svg") :]
    # matplotlib's style sheet applies to every element of the page it stands in: ours says the same for plots alone.
    element = re.sub(r"\s*<metadata>.*?</metadata>|\s*<style.*?</style>", "", element, flags=re.DOTALL)
    prefix = re.sub(r"[^a-zA-Z0-9]+", "-", identity)
    element = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{prefix}-", element)
    label = Markup('role="img" aria-label="{}"').format(description) if description else Markup('aria-hidden="true"')
    return Markup(element.replace("<svg ", f"<svg {label} ", 1))
