"""Dagster's instance of one study: the settings of the project's dagster.yaml, with a storage of its own."""

from __future__ import annotations

import importlib.util
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
from dagster._core.instance.ref import InstanceRef
from ruamel.yaml import YAML

from golden_core.store.lake import Home, write_text

_SETTINGS = Path(__file__).with_name("dagster.yaml")  # a link to the project's own, which travels in a wheel

_POSTGRES = Path(__file__).with_name("dagster_postgres.yaml")
STORAGE = "GOLDEN_STORAGE"  # sqlite, or postgres
_SERVER = ("PGHOST", "PGPORT", "PGUSER", "PGPASSWORD", "PGDATABASE")

_UNCAPTURED = {
    "module": "dagster._core.storage.noop_compute_log_manager",
    "class": "NoOpComputeLogManager",
    "config": {},
}


class StorageError(RuntimeError):
    """The storage that is asked for cannot be used; the message says what to do."""


def instance_folder(home: Home, study: str) -> Path:
    """Write the instance settings of a study under the home and return the folder to use as DAGSTER_HOME.

    Studies have the same asset keys, so each has its own record of what was materialised. For the demo study under
    the default home it is the storage that the project's own dagster.yaml names.

    Raises
    ------
    StorageError
        If GOLDEN_STORAGE names another storage than ``sqlite`` and ``postgres``, or no server answers.
    """
    folder = home.instance(study)
    yaml = YAML(typ="safe", pure=True)
    settings = yaml.load(_SETTINGS.read_text(encoding="utf-8"))
    if (kind := os.environ.get(STORAGE) or "sqlite") == "postgres":
        settings |= yaml.load(_POSTGRES.read_text(encoding="utf-8"))
        settings["storage"]["postgres"]["postgres_db"]["params"] = {"options": f"-csearch_path={study}"}
        _make_schema(study)
    elif kind == "sqlite":
        settings["storage"]["sqlite"]["base_dir"] = str(folder / "storage")
    else:
        raise StorageError(f"{STORAGE}={kind}: there is sqlite, the default, and postgres")
    settings["local_artifact_storage"]["config"]["base_dir"] = str(folder)
    settings["compute_logs"]["config"]["base_dir"] = str(folder / "logs")
    stream = io.StringIO()
    yaml.dump(settings, stream)
    path = folder / "dagster.yaml"
    if not path.exists() or path.read_text(encoding="utf-8") != stream.getvalue():
        write_text(stream.getvalue(), path)
    return folder


@contextmanager
def study_instance(home: Home, study: str, *, captured: bool = True) -> Iterator[dg.DagsterInstance]:
    """Open the instance of a study.

    Without ``captured``, what steps print goes to the terminal alone: Dagster captures it by two processes per step,
    which take Ctrl-C as well and die with a traceback each.
    """
    overrides = {} if captured else {"compute_logs": _UNCAPTURED}
    reference = InstanceRef.from_dir(str(instance_folder(home, study)), overrides=overrides)
    with dg.DagsterInstance.from_ref(reference) as instance:
        yield instance


def _make_schema(study: str) -> None:
    """Make the schema of a study on the server that libpq's variables name, unless it is there."""
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
