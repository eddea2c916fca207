"""The picture of a calibration: the size of every test in every cell, and the band where it has to lie."""

from __future__ import annotations

import io

import polars as pl
from matplotlib import rc_context
from matplotlib.figure import Figure

from golden_core.evaluation.calibrated import size_points
from golden_core.statistics.calibration import ALPHA, BAND, LENGTHS


def calibration_figure(table: pl.DataFrame) -> bytes:
    """Return a PNG with one panel per number of times: rejection rates at a nominal 5 %, with their 95 % intervals."""
    stream = io.BytesIO()
    _drawn(table).savefig(stream, format="png", dpi=110, metadata={"Software": None})
    return stream.getvalue()


def calibration_svg(table: pl.DataFrame) -> str:
    """Return the same as SVG; equal tables give equal text."""
    stream = io.StringIO()
    with rc_context({"svg.hashsalt": "calibration", "svg.fonttype": "none"}):
        _drawn(table).savefig(stream, format="svg", metadata={"Date": None})
    return stream.getvalue()


def _drawn(table: pl.DataFrame) -> Figure:
    points = size_points(table)
    figure = Figure(figsize=(10, 8), layout="constrained")
    panels = figure.subplots(1, len(LENGTHS))
    tests = points["test"].unique(maintain_order=True).to_list()
    for panel, n in zip(panels, LENGTHS, strict=True):
        panel.axvspan(*BAND, color="#dfe8dc", label=f"within {BAND[0]} – {BAND[1]}")
        panel.axvline(ALPHA, color="#7a8a75", linewidth=0.8)
        labels: list[str] = []
        for test in tests:
            for row in points.filter(test=test, n=n).iter_rows(named=True):
                tone = "#b04a3a" if row["verdict"] == "too large" else ("#9a9a9a" if row["low"] is None else "#28536b")
                panel.errorbar(row["rate"], len(labels), xerr=row["half"], fmt="o", color=tone, markersize=4)
                side = row["measure"].partition("too ")[2]
                labels.append(f"{test}  {row['world']}  h{row['horizon']}  {side}".rstrip())
        panel.set_yticks(range(len(labels)), labels, fontsize=6)
        panel.invert_yaxis()
        panel.set_title(f"{n} times", fontsize=10)
        panel.set_xlabel("share of true nulls rejected at 5 %", fontsize=9)
    figure.suptitle("Which tests keep their size? Grey is beyond their design, or decides nothing.", fontsize=11)
    return figure
