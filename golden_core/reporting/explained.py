"""The picture of an explanation: how much each method says that a network looks at each feature, bar by bar."""

from __future__ import annotations

import io

import polars as pl
from matplotlib.figure import Figure


def importance_figure(shares: pl.DataFrame) -> bytes:
    """Return a PNG with one heat map per method, features by lags: mean share over series and seeds."""
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
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=100, metadata={"Software": None})
    return stream.getvalue()
