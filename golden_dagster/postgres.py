"""Dagster's storage on PostgreSQL: what GOLDEN_STORAGE=postgres asks for, a schema per study."""

from __future__ import annotations

import importlib.util
import os
from contextlib import closing
from typing import Any

from golden_core.store.health import StorageError

STORAGE = "GOLDEN_STORAGE"  # sqlite, or postgres
# psycopg2 is what dagster-postgres brings along. What the address does not say, libpq takes from its own variables.
_ADDRESS = "postgresql+psycopg2://?options=-csearch_path%3D"


def on_server() -> bool:
    """Return whether the storage is PostgreSQL.

    Raises
    ------
    StorageError
        If GOLDEN_STORAGE names neither ``sqlite`` nor ``postgres``.
    """
    kind = os.environ.get(STORAGE) or "sqlite"
    if kind not in {"sqlite", "postgres"}:
        raise StorageError(f"{STORAGE}={kind}: there is sqlite, the default, and postgres")
    return kind == "postgres"


def server_storage(study: str) -> dict[str, Any]:
    """Return the setting ``storage`` of a study, and make its schema on the server that libpq's variables name.

    Raises
    ------
    StorageError
        If a package is missing, no server answers, or it refuses the schema.
    """
    if not importlib.util.find_spec("dagster_postgres"):
        raise StorageError(f"{STORAGE}=postgres needs dagster-postgres: pip install '.[postgres]'")
    import psycopg2  # noqa: PLC0415  an extra

    try:
        with (
            closing(psycopg2.connect("", connect_timeout=10)) as connection,
            connection,
            connection.cursor() as cursor,
        ):
            cursor.execute(f'CREATE SCHEMA IF NOT EXISTS "{study}"')
    except psycopg2.Error as error:
        said = str(error).strip().splitlines()[0]
        raise StorageError(f"no PostgreSQL for {STORAGE}=postgres: {said}; see docs/storage.md") from None
    return {"postgres": {"postgres_url": f"{_ADDRESS}{study}"}}
