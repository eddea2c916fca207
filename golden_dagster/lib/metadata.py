"""Metadata that a researcher wants to see in the web UI: column schemas, small tables, plots."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg
import polars as pl

from golden_core.store.table import Table

MAX_ROWS = 50  # a table in the UI is for looking at; the whole of it is a query away

OWNERS = ["team:golden"]


def column_schema(table: Table) -> dg.TableSchema:
    """Return a table's schema as Dagster shows it: type, description, unit, key columns not nullable."""
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                column.name,
                str(column.dtype) if not isinstance(column.dtype, type) else column.dtype.__name__,
                description=f"{column.description} [{column.unit}]" if column.unit else column.description,
                constraints=dg.TableColumnConstraints(nullable=column.name not in table.key),
            )
            for column in table.columns
        ]
    )


def spec_metadata(table: Table) -> dict[str, Any]:
    """Return the metadata of an asset whose content is one table."""
    return {"dagster/column_schema": column_schema(table)}


def table_value(frame: pl.DataFrame, *, digits: int = 6, rows: int = MAX_ROWS) -> dg.TableMetadataValue:
    """Return the first rows of a small table to so many significant digits: the UI prints floats as they are."""
    shown = frame.head(rows).with_columns(
        pl.col(pl.Float64).round_sig_figs(digits), pl.col(pl.Datetime, pl.Date).cast(pl.String)
    )
    records = [dg.TableRecord({k: _plain(v) for k, v in row.items()}) for row in shown.iter_rows(named=True)]
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


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)
