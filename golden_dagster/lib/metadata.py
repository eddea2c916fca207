"""Metadata that a researcher wants to see in the web UI: column schemas, small tables, small pictures."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import dagster as dg
import polars as pl

from golden_core.store.table import Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MAX_ROWS = 50  # a table in the UI is for looking at; the whole of it is a query away


def spec_metadata(table: Table) -> dict[str, Any]:
    """Return the metadata of an asset whose content is one table: type, description and unit of its columns.

    Columns of the key are not nullable.
    """
    columns = [
        dg.TableColumn(
            column.name,
            str(column.dtype) if not isinstance(column.dtype, type) else column.dtype.__name__,
            description=f"{column.description} [{column.unit}]" if column.unit else column.description,
            constraints=dg.TableColumnConstraints(nullable=column.name not in table.key),
        )
        for column in table.columns
    ]
    return {"dagster/column_schema": dg.TableSchema(columns=columns)}


def table_value(frame: pl.DataFrame, *, digits: int = 6, rows: int = MAX_ROWS) -> dg.TableMetadataValue:
    """Return the first rows of a small table to so many significant digits: the UI prints floats as they are."""
    shown = frame.head(rows).with_columns(
        pl.col(pl.Float64).round_sig_figs(digits), pl.col(pl.Datetime, pl.Date).cast(pl.String)
    )
    plain = str | int | float | bool | None
    rowwise = shown.iter_rows(named=True)
    records = [dg.TableRecord({k: v if isinstance(v, plain) else str(v) for k, v in row.items()}) for row in rowwise]
    columns = [dg.TableColumn(name, str(dtype)) for name, dtype in frame.schema.items()]
    return dg.MetadataValue.table(records, schema=dg.TableSchema(columns=columns))


def findings_value(findings: Sequence[str], *, title: str = "finding") -> dg.TableMetadataValue:
    """Return sentences as a one-column table."""
    return table_value(pl.DataFrame({title: list(findings)}, schema={title: pl.String}))


def picture_value(png: bytes, caption: str) -> dg.MarkdownMetadataValue:
    """Return a picture that the UI shows inside a Markdown cell."""
    encoded = base64.b64encode(png).decode()
    return dg.MetadataValue.md(f"{caption}\n\n![{caption}](data:image/png;base64,{encoded})")


def flat(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values as metadata, null ones left out."""
    return {name: value for name, value in values.items() if value is not None}


def closes_picture(bars: pl.DataFrame, pair: str) -> dg.MarkdownMetadataValue:
    """Return the closes of one pair over time."""
    figure = _figure(2.6)
    axes = figure.add_subplot()
    axes.plot(bars["timestamp"].dt.replace_time_zone(None).to_numpy(), bars["close"].to_numpy(), linewidth=0.8)
    axes.set_ylabel(pair)
    axes.spines[["top", "right"]].set_visible(False)
    return _png(figure, f"Closes of {pair}")


def quality_picture(months: pl.DataFrame) -> dg.MarkdownMetadataValue:
    """Return one row of cells per pair, one cell per month: the share of bars that are missing or not as they came."""
    faults = pl.sum_horizontal("missing", "repaired", pl.col("quarantined") - pl.col("filled").fill_null(0))
    whole = pl.max_horizontal("expected", pl.sum_horizontal("kept", "repaired", "quarantined"), pl.lit(1))
    grid = months.with_columns(share=faults / whole).pivot("month", index="pair", values="share", sort_columns=True)
    names, dates = grid["pair"].to_list(), grid.columns[1:]
    figure = _figure(1.0 + 0.28 * len(names))
    axes = figure.add_subplot()
    cells = axes.imshow(grid.drop("pair").to_numpy(), aspect="auto", cmap="magma_r", vmin=0.0, vmax=0.05)
    axes.set_yticks(range(len(names)), names)
    ticks = range(0, len(dates), max(1, len(dates) // 8))
    axes.set_xticks(ticks, [dates[place][:7] for place in ticks])
    figure.colorbar(cells, ax=axes, extend="max")
    return _png(figure, "Share of bars missing, repaired or quarantined, by pair and month")


def _figure(height: float) -> Figure:
    from matplotlib.figure import Figure

    return Figure(figsize=(8, height), dpi=90, layout="constrained")


def learning_curve_picture(history: pl.DataFrame) -> dg.MarkdownMetadataValue | None:
    """Return the losses of one trial by epoch, a pair of lines per fold; nothing for what does not learn by epochs."""
    if history.is_empty():
        return None
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    figure = Figure(figsize=(5, 2.2), dpi=72)
    axes = figure.add_axes((0.13, 0.2, 0.84, 0.76))
    for number, (_, fold) in enumerate(history.group_by("fold", maintain_order=True)):
        for name, colour, dash in (("train", "0.55", "--"), ("validation", "tab:blue", "-")):
            label = None if number else name  # one entry of the legend for all folds
            marker = "o" if fold.height == 1 else ""
            axes.plot(fold["epoch"], fold[f"{name}_loss"], dash, color=colour, label=label, marker=marker, linewidth=1)
    axes.set_xlabel("epoch")
    axes.set_ylabel("loss")
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True, min_n_ticks=1))
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    return _png(figure, "Learning curve: mean squared error of the scaled target, one pair of lines per fold")


def _png(figure: Figure, caption: str) -> dg.MarkdownMetadataValue:
    stream = io.BytesIO()
    figure.savefig(stream, format="png")
    return picture_value(stream.getvalue(), caption)
