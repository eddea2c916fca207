"""The pictures of the campaign against ourselves: the curve of power beside what was promised, and false claims."""

from __future__ import annotations

import io
from collections.abc import Callable

import polars as pl
from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from golden_core.placebo.universe import PLANTED
from golden_core.placebo.verdict import RATE

Picture = Callable[[pl.DataFrame], Figure]
_COLOURS = {PLANTED: "#28536b"}
_OTHER = "#b04a3a"


def power_figure(table: pl.DataFrame) -> Figure:
    """Return one panel per kind of claim: the share of universes with the claim, found and promised, by planted R²."""
    figure = Figure(figsize=(10, 4.2), layout="constrained")
    kinds = table["kind"].unique(maintain_order=True).to_list()
    panels = figure.subplots(1, len(kinds), sharey=True, squeeze=False)[0]
    for panel, kind in zip(panels, kinds, strict=True):
        for (name,), points in table.filter(kind=kind).group_by("forecaster", maintain_order=True):
            colour, who = _COLOURS.get(str(name), _OTHER), "who knows the slope" if name == PLANTED else str(name)
            x, share = 100 * points["r2"].to_numpy(), points["share"].to_numpy()
            beyond = [share - points["low"].to_numpy(), points["high"].to_numpy() - share]
            panel.errorbar(x, share, yerr=beyond, fmt="o", color=colour, markersize=4, label=f"{who}: found")
            panel.plot(x, points["promised"].to_numpy(), "--", color=colour, linewidth=1, label=f"{who}: promised")
        panel.set_xscale("log")
        panel.set_xticks(100 * table["r2"].unique().sort().to_numpy(), minor=False)
        panel.xaxis.set_major_formatter("{x:g}")
        panel.xaxis.set_minor_locator(NullLocator())
        panel.set_ylim(-0.03, 1.03)
        panel.set_xlabel("planted R² of the next bar, %", fontsize=9)
        panel.set_title(kind, fontsize=10)
    panels[0].set_ylabel("share of universes with the claim", fontsize=9)
    panels[0].legend(fontsize=8, frameon=False)
    figure.suptitle("Is a planted skill found as often as promised?", fontsize=11)
    return figure


def placebo_figure(table: pl.DataFrame) -> Figure:
    """Return the share of universes with a false claim of skill, by arm and adjustment, beside the rate to be kept."""
    skill = table.filter(claims="any skill")
    figure = Figure(figsize=(7, 0.9 + 0.3 * skill.height), layout="constrained")
    panel = figure.subplots()
    labels = [f"{row['arm']} ({row['universes']}), {row['adjustment']}" for row in skill.iter_rows(named=True)]
    tones = ["#28536b" if decides else "#9a9a9a" for decides in skill["allowed"].is_not_null()]
    panel.barh(range(len(labels)), 100 * skill["share"].to_numpy(), color=tones, height=0.6)
    panel.axvline(100 * RATE, color=_OTHER, linewidth=1)
    panel.set_yticks(range(len(labels)), labels, fontsize=8)
    panel.invert_yaxis()
    panel.set_xlabel("universes in which a skill is claimed, %", fontsize=9)
    panel.set_title("How often is a skill claimed where there is none? Grey decides nothing.", fontsize=10)
    return figure


PICTURES: dict[str, Picture] = {"placebo": placebo_figure, "power": power_figure}


def as_svg(figure: Figure) -> str:
    """Return a figure as SVG; equal tables give equal text."""
    stream = io.StringIO()
    with rc_context({"svg.hashsalt": "placebo", "svg.fonttype": "none"}):
        figure.savefig(stream, format="svg", metadata={"Date": None})
    return stream.getvalue()


def as_png(figure: Figure) -> bytes:
    """Return a figure as PNG."""
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=110, metadata={"Software": None})
    return stream.getvalue()
