"""Dagster's storage on PostgreSQL: the profile that GOLDEN_STORAGE=postgres asks for, a schema per study."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from golden_core.store.health import StorageError

STORAGE = "GOLDEN_STORAGE"  # sqlite, or postgres
_PROFILE = Path(__file__).with_name("dagster_postgres.yaml")
_SERVER = ("PGHOST", "PGPORT", "PGUSER", "PGPASSWORD", "PGDATABASE")


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
        If a variable or a package is missing, or no server answers.
    """
    if missing := [name for name in _SERVER if not os.environ.get(name)]:
        raise StorageError(f"{STORAGE}=postgres needs {', '.join(missing)} in the environment: see docs/storage.md")
    if not importlib.util.find_spec("dagster_postgres"):
        raise StorageError(f"{STORAGE}=postgres needs dagster-postgres: pip install '.[postgres]'")
    import psycopg2  # noqa: PLC0415  an extra

    try:
        with psycopg2.connect("", connect_timeout=10) as connection, connection.cursor() as cursor:
            cursor.execute(f'CREATE SCHEMA IF NOT EXISTS "{study}"')
        connection.close()
    except psycopg2.OperationalError as error:
        where = f"{os.environ['PGHOST']}:{os.environ['PGPORT']}"
        said = str(error).strip().splitlines()[0]
        raise StorageError(f"no PostgreSQL at {where} for {STORAGE}=postgres: {said}") from None
    storage: dict[str, Any] = YAML(typ="safe", pure=True).load(_PROFILE.read_text(encoding="utf-8"))["storage"]
    storage["postgres"]["postgres_db"]["params"] = {"options": f"-csearch_path={study}"}
    return storage
