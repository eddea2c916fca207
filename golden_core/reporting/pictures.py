"""Pictures that stand beside reports: sizes of the tests, what networks look at, the campaign against ourselves."""

from __future__ import annotations

import io
from collections.abc import Callable

import polars as pl
from matplotlib import style
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from golden_core.evaluation.calibrated import size_points
from golden_core.placebo.universe import PLANTED
from golden_core.placebo.verdict import RATE
from golden_core.statistics.calibration import ALPHA, BAND, LENGTHS

_alike = style.context("default")  # whatever the user's matplotlibrc says
_KNOWS, _OTHER, _SILENT = "#28536b", "#b04a3a", "#9a9a9a"


@_alike
def calibration_figure(table: pl.DataFrame) -> Figure:
    """Return one panel per number of times: rejection rates at a nominal 5 %, with their 95 % intervals."""
    points = size_points(table).with_columns(panel=pl.when(pl.col("n").is_in(LENGTHS)).then("n").otherwise(LENGTHS[-1]))
    most = max([20, *(part.height for part in points.partition_by("panel"))])
    figure = Figure(figsize=(10, 1 + 0.13 * most), layout="constrained")
    panels = figure.subplots(1, len(LENGTHS))
    tests = points["test"].unique(maintain_order=True).to_list()
    for panel, n in zip(panels, LENGTHS, strict=True):
        panel.axvspan(*BAND, color="#dfe8dc", label=f"within {BAND[0]} – {BAND[1]}")
        panel.axvline(ALPHA, color="#7a8a75", linewidth=0.8)
        labels: list[str] = []
        for test in tests:
            for row in points.filter(test=test, panel=n).iter_rows(named=True):
                tone = _OTHER if row["verdict"] == "too large" else (_SILENT if row["low"] is None else _KNOWS)
                panel.errorbar(row["rate"], len(labels), xerr=row["half"], fmt="o", color=tone, markersize=4)
                side = row["measure"].partition("too ")[2]
                times = "" if row["n"] == n else f"n{row['n']}"
                labels.append("  ".join(filter(None, (test, row["world"], f"h{row['horizon']}", side, times))))
        panel.set_yticks(range(len(labels)), labels, fontsize=6)
        panel.invert_yaxis()
        panel.set_title(f"{n} times", fontsize=10)
        panel.set_xlabel("share of true nulls rejected at 5 %", fontsize=9)
    figure.suptitle("Which tests keep their size? Grey is beyond their design, or decides nothing.", fontsize=11)
    return figure


@_alike
def importance_figure(shares: pl.DataFrame) -> Figure:
    """Return one heat map per method, features by lags: mean share over series and seeds."""
    cells = shares.group_by("method", "feature", "lag", maintain_order=True).agg(pl.col("share").mean())
    methods = cells["method"].unique(maintain_order=True).to_list()
    top = float(cells["share"].max() or 1.0)  # type: ignore[arg-type]
    figure = Figure(figsize=(2.6 * len(methods) + 1.2, 2.4), layout="constrained")
    panels = figure.subplots(1, len(methods), squeeze=False)[0]
    for panel, method in zip(panels, methods, strict=True):
        grid = cells.filter(method=method).sort("lag", descending=True).pivot("lag", index="feature", values="share")
        drawn = panel.imshow(grid.drop("feature").to_numpy(), vmin=0, vmax=top, cmap="Blues", aspect="auto")
        panel.set_yticks(range(grid.height), grid["feature"].to_list() if panel is panels[0] else [], fontsize=7)
        panel.set_xticks(range(grid.width - 1), grid.columns[1:], fontsize=7)
        panel.set_title(method.replace("_", " "), fontsize=9)
        panel.set_xlabel("bars before the cutoff", fontsize=8)
    figure.colorbar(drawn, ax=list(panels), label="share")
    return figure


@_alike
def power_figure(table: pl.DataFrame) -> Figure:
    """Return one panel per kind of claim: the share of universes with the claim, found and promised, by planted R²."""
    figure = Figure(figsize=(10, 4.2), layout="constrained")
    kinds = table["kind"].unique(maintain_order=True).to_list()
    panels = figure.subplots(1, len(kinds), sharey=True, squeeze=False)[0]
    for panel, kind in zip(panels, kinds, strict=True):
        for (name,), points in table.filter(kind=kind).group_by("forecaster", maintain_order=True):
            colour, who = (_KNOWS, "who knows the slope") if name == PLANTED else (_OTHER, str(name))
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


@_alike
def placebo_figure(table: pl.DataFrame) -> Figure:
    """Return the share of universes with a false claim of skill, by arm and adjustment, beside the rate to be kept."""
    skill = table.filter(claims="any skill")
    figure = Figure(figsize=(7, 0.9 + 0.3 * skill.height), layout="constrained")
    panel = figure.subplots()
    labels = [f"{row['arm']} ({row['universes']}), {row['adjustment']}" for row in skill.iter_rows(named=True)]
    tones = [_KNOWS if decides else _SILENT for decides in skill["allowed"].is_not_null()]
    panel.barh(range(len(labels)), 100 * skill["share"].to_numpy(), color=tones, height=0.6)
    panel.axvline(100 * RATE, color=_OTHER, linewidth=1)
    panel.set_yticks(range(len(labels)), labels, fontsize=8)
    panel.invert_yaxis()
    panel.set_xlabel("universes in which a skill is claimed, %", fontsize=9)
    panel.set_title("How often is a skill claimed where there is none? Grey decides nothing.", fontsize=10)
    return figure


PICTURES: dict[str, Callable[[pl.DataFrame], Figure]] = {"placebo": placebo_figure, "power": power_figure}


def as_svg(figure: Figure, salt: str) -> str:
    """Return a figure as SVG; equal tables and ``salt`` give equal text."""
    stream = io.StringIO()
    with style.context(["default", {"svg.hashsalt": salt, "svg.fonttype": "none"}]):
        figure.savefig(stream, format="svg", metadata={"Date": None})
    return stream.getvalue()


@_alike
def as_png(figure: Figure, dpi: int = 110) -> bytes:
    """Return a figure as PNG."""
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=dpi, metadata={"Software": None})
    return stream.getvalue()
