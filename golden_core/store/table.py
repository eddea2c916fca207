"""What a table is: columns with dtype, meaning and unit, and a key. Which tables there are stands in schema.py."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl


class SchemaError(ValueError):
    """A table does not have the columns or dtypes that its schema promises."""


@dataclass(frozen=True)
class Column:
    """One column: its dtype, what it means, and its unit where it has one."""

    name: str
    dtype: pl.DataType | type[pl.DataType]
    description: str
    unit: str = ""
    optional: bool = False


@dataclass(frozen=True)
class Table:
    """A named table: its columns in order and the columns that identify a row."""

    name: str
    description: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]

    @property
    def dtypes(self) -> dict[str, pl.DataType | type[pl.DataType]]:
        """Column name → dtype, the optional columns included."""
        return {column.name: column.dtype for column in self.columns}

    def empty(self) -> pl.DataFrame:
        """Return the table with no rows (optional columns left out)."""
        return pl.DataFrame(schema={c.name: c.dtype for c in self.columns if not c.optional})

    def conform(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Order the columns as declared and verify names, dtypes and nulls in the key.

        Raises
        ------
        SchemaError
            Naming the table and every missing, unknown or wrongly typed column.
        """
        faults, schema, declared = [], frame.schema, self.dtypes
        for column in self.columns:
            if column.name not in schema:
                if not column.optional:
                    faults.append(f"missing column {column.name!r}")
            elif schema[column.name] != column.dtype:
                faults.append(f"{column.name!r} is {schema[column.name]}, expected {column.dtype}")
        faults += [f"unknown column {name!r}" for name in schema if name not in declared]
        faults += [
            f"{frame[name].null_count()} nulls in key column {name!r}"
            for name in self.key
            if name in schema and frame[name].null_count()
        ]
        if faults:
            raise SchemaError(f"table {self.name}: " + "; ".join(faults))
        return frame.select([name for name in declared if name in schema])
