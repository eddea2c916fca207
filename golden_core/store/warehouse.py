"""The warehouse: one DuckDB file with the tables of every study, loaded whole, read by query. No science here."""

from __future__ import annotations

import dataclasses
import os
import re
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from golden_core.store.health import REMEDY, set_aside, telling_of
from golden_core.store.lake import LAYOUT, refuse_newer
from golden_core.store.schema import BENCHMARKS, TRIALS, UTC_TIME, WAREHOUSE_TABLES
from golden_core.store.table import SchemaError, Table

_TYPES = {
    pl.String: "VARCHAR",
    pl.Boolean: "BOOLEAN",
    pl.Int32: "INTEGER",
    pl.Int64: "BIGINT",
    pl.Float64: "DOUBLE",
    pl.Date: "DATE",
    UTC_TIME: "TIMESTAMP WITH TIME ZONE",
}

# What DuckDB says of a file that was cut off or written over, for every block has a checksum; of what is no file; and
# of a log that is another moment's, as of a home that was copied while it was written to.
_DAMAGE = (
    "Corrupt database file", "Could not read enough bytes", "not a valid DuckDB database", "deserialize",
    "Is a directory", "levels of symbolic links", "replaying WAL", "WAL was created",
)  # fmt: skip

_WRITING = threading.Lock()  # DuckDB's lock keeps other processes out; this one, other threads


class WarehouseError(RuntimeError):
    """The warehouse cannot be opened, or is not what this version of golden writes."""


class DamagedWarehouseError(WarehouseError):
    """The file is not whole, or laid out otherwise. Its tables are derived: a study can be loaded into a new one."""


def _stored(table: Table) -> Table:
    """Return the table as the warehouse holds it: rows of every table belong to a study."""
    if "study" in table.dtypes:
        return table
    return dataclasses.replace(table, columns=(TRIALS.columns[0], *table.columns), key=("study", *table.key))


_TABLES = {table.name: _stored(table) for table in WAREHOUSE_TABLES}


@dataclass(frozen=True)
class Warehouse:
    """A DuckDB file with the tables of :data:`~golden_core.store.schema.WAREHOUSE_TABLES`.

    Tables whose schema has no study (``cleaning``, ``calendar``) get the column ``study`` in front. Connections are
    short; their session is in UTC whatever the machine's zone, and single-threaded, so that sums of floating-point
    numbers always add up in the same order.

    ``patience`` is in seconds: how long to wait while another process or thread holds the file.
    """

    path: Path
    patience: float = 60.0

    def load(self, study: str, tables: Mapping[str, pl.DataFrame]) -> None:
        """Replace the study's rows of the given tables, all in one transaction.

        Loading twice is loading once. After an error or a kill the file holds what it held before. Tables not given
        and other studies stay as they are.

        Raises
        ------
        SchemaError
            Naming the table that has other columns, rows of another study or two rows of one key.
        WarehouseError
            If the file stays locked, or was written with another schema.
        """
        frames = {name: _conform(name, study, frame) for name, frame in tables.items()}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with _WRITING, self._connection(read_only=False) as connection:
            stamp = _layout(connection)
            connection.begin()
            _create_tables(connection, self.path)
            if stamp != LAYOUT:
                connection.execute(f"CREATE OR REPLACE TABLE layout AS SELECT {LAYOUT} AS version")
            for name, frame in frames.items():
                _replace_rows(connection, name, study, frame)
            connection.commit()  # left early, the connection closes and its transaction never happened

    def query(self, sql: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> pl.DataFrame:
        """Run one SELECT on a short-lived read-only connection.

        Values go in as ``?`` or ``$name``, never as text.

        Raises
        ------
        WarehouseError
            If there is no file, or it stays locked.
        duckdb.Error
            If the query is at fault.
        """
        with self._connection(read_only=True) as connection:
            relation = connection.sql(sql, params=parameters or None)
            if relation is None:
                raise WarehouseError(f"a query returns rows, this one does not: {sql.strip()[:80]}")
            frame = pl.from_arrow(relation.to_arrow_table())
        assert isinstance(frame, pl.DataFrame)
        return frame

    @contextmanager
    def kept_open(self) -> Iterator[None]:
        """Keep the file open for reading, so that queries within need not open it again: most of what small ones cost.

        Raises
        ------
        WarehouseError
            As :meth:`query`.
        """
        with self._connection(read_only=True):
            yield

    def digests(self, study: str) -> dict[str, str]:
        """Return number and hash of a study's rows by table, whatever their order; reads every one of them.

        What was timed is left out: to measure again changes no result of a study.

        Raises
        ------
        DamagedWarehouseError
            If one cannot be read.
        """
        rows = " UNION ALL ".join(
            f"SELECT '{name}', count(*) || '-' || coalesce(bit_xor(hash({name})), 0) FROM {name} WHERE study = $1"
            for name in _TABLES
            if name != BENCHMARKS.name
        )
        try:
            return dict(self.query(rows, [study]).iter_rows())
        except duckdb.CatalogException as error:
            raise WarehouseError(f"warehouse {self.path} lacks a table: {str(error).splitlines()[0]}") from error

    def set_aside(self) -> Path:
        """Give a damaged file, and what belongs to it, another name; return that name."""
        log = self.path.with_name(f"{self.path.name}.wal")
        if log.exists():
            set_aside(log)
        return set_aside(self.path)

    @contextmanager
    def _connection(self, *, read_only: bool) -> Iterator[duckdb.DuckDBPyConnection]:
        if read_only and not self.path.exists():
            raise WarehouseError(f"there is no warehouse at {self.path}: `golden run STUDY` makes it")
        with telling_of(self.path):
            connection = self._wait(read_only)
            try:
                connection.execute("SET TimeZone = 'UTC'")
                refuse_newer(_layout(connection), self.path)
                yield connection
            except duckdb.Error as error:
                explained = self._explained(error)
                if explained is error:
                    raise
                raise explained from error
            finally:
                connection.close()

    def _explained(self, error: duckdb.Error) -> Exception:
        """Return the error to raise: of a damaged file what to do, of anything else itself."""
        if any(words in str(error) for words in _DAMAGE) or isinstance(error, duckdb.FatalException):
            return DamagedWarehouseError(
                f"warehouse {self.path} is damaged ({str(error).splitlines()[0]}): it holds nothing that the lake does "
                "not, and `golden run STUDY` sets it aside and makes the study's tables again"
            )
        return error

    def _wait(self, read_only: bool) -> duckdb.DuckDBPyConnection:
        """Open the file, trying again with growing pauses while someone else holds it."""
        deadline = time.monotonic() + self.patience
        pause = 0.01
        while True:
            try:
                return duckdb.connect(str(self.path), read_only, {"threads": 1})
            except duckdb.Error as error:
                if not (holder := _holder(error)):
                    if isinstance(explained := self._explained(error), WarehouseError):
                        raise explained from error
                    raise WarehouseError(f"warehouse {self.path} cannot be opened ({error}): {REMEDY}") from error
                if time.monotonic() + pause > deadline:
                    raise WarehouseError(
                        f"warehouse {self.path} is still held by {holder} after {self.patience:g} s: "
                        f"let it finish or end it, then try again"
                    ) from error
            time.sleep(pause)
            pause = min(2 * pause, 1.0)


def _layout(connection: duckdb.DuckDBPyConnection) -> int | None:
    """Return the stamp of the file; nothing where it was written before there were stamps."""
    try:
        ((version,),) = connection.execute("SELECT version FROM layout").fetchall()
    except duckdb.CatalogException:  # which would end a transaction; to look for the table first takes far longer
        return None
    return int(version)


def _holder(error: duckdb.Error) -> str:
    """Return who holds the file, or nothing if the error is of another kind."""
    if "Could not set lock" in str(error):
        found = re.search(r"PID \d+", str(error))
        return f"another process ({found.group()})" if found else "another process"
    # Two threads that open the file at once meet the second of these, one that opens it while another reads the first.
    if "different configuration" in str(error) or "Unique file handle conflict" in str(error):
        return f"another connection of this process (PID {os.getpid()})"
    return ""


def _conform(name: str, study: str, frame: pl.DataFrame) -> pl.DataFrame:
    """Return the rows as the warehouse will hold them, sorted by key, or refuse them whole."""
    if name not in _TABLES:
        raise SchemaError(f"no table of the warehouse is called {name!r}; there are {', '.join(_TABLES)}")
    table = _TABLES[name]
    frame = table.conform(frame if "study" in frame.columns else frame.with_columns(study=pl.lit(study)))
    strangers = frame.filter(pl.col("study") != study)["study"].unique().sort().to_list()
    if strangers:
        raise SchemaError(f"table {name}: rows of study {', '.join(strangers)} in a load of {study!r}")
    twice = frame.select(table.key).is_duplicated()
    if twice.any():
        raise SchemaError(f"table {name}: {twice.sum()} rows share a key, one {frame.filter(twice).row(0, named=True)}")
    return frame.sort(table.key)


def _create_tables(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    found: dict[str, list[tuple[str, str]]] = {}
    columns = "SELECT table_name, column_name, data_type FROM duckdb_columns() WHERE NOT internal ORDER BY column_index"
    for name, column, kind in connection.execute(columns).fetchall():
        found.setdefault(name, []).append((column, kind))
    for table in _TABLES.values():
        expected = [(column.name, _TYPES[column.dtype]) for column in table.columns]
        if table.name not in found:
            _create_table(connection, table)
        elif found[table.name] != expected:
            raise DamagedWarehouseError(
                f"table {table.name} of {path} was written with another schema: move the file away and load again"
            )


def _create_table(connection: duckdb.DuckDBPyConnection, table: Table) -> None:
    """Create a table with its descriptions. Keys are checked at load: an index would cost more than the rows."""
    columns = ", ".join(
        f'"{column.name}" {_TYPES[column.dtype]}' + (" NOT NULL" if column.name in table.key else "")
        for column in table.columns
    )
    connection.execute(f"CREATE TABLE {table.name} ({columns})")
    connection.execute(f"COMMENT ON TABLE {table.name} IS {_quoted(table.description)}")
    for column in table.columns:
        text = f"{column.description} [{column.unit}]" if column.unit else column.description
        connection.execute(f'COMMENT ON COLUMN {table.name}."{column.name}" IS {_quoted(text)}')


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _replace_rows(connection: duckdb.DuckDBPyConnection, name: str, study: str, frame: pl.DataFrame) -> None:
    connection.execute(f"DELETE FROM {name} WHERE study = ?", [study])
    connection.register("loaded", frame.to_arrow())
    connection.execute(f"INSERT INTO {name} BY NAME SELECT * FROM loaded")
    connection.unregister("loaded")
