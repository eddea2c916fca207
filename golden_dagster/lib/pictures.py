"""Small pictures for the web UI, as PNG inside Markdown."""

from __future__ import annotations

import io

import dagster as dg
import matplotlib as mpl
import polars as pl
from matplotlib.figure import Figure

from golden_dagster.lib.metadata import picture_value

mpl.use("agg")


def closes_picture(bars: pl.DataFrame, pair: str) -> dg.MarkdownMetadataValue:
    """Return the closes of one pair over time."""
    figure = Figure(figsize=(8, 2.6), dpi=90, layout="constrained")
    axes = figure.add_subplot()
    axes.plot(bars["timestamp"].dt.replace_time_zone(None).to_numpy(), bars["close"].to_numpy(), linewidth=0.8)
    axes.set_ylabel(pair)
    axes.spines[["top", "right"]].set_visible(False)
    stream = io.BytesIO()
    figure.savefig(stream, format="png")
    return picture_value(stream.getvalue(), f"Closes of {pair}")
