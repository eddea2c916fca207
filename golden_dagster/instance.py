"""Dagster's instance of one study: the settings of the project's dagster.yaml, with a storage of its own."""

from __future__ import annotations

import io
import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

import dagster as dg
from dagster._core.instance.ref import InstanceRef
from dagster._serdes import ConfigurableClassData
from ruamel.yaml import YAML
from sqlalchemy.exc import DBAPIError

from golden_core.preparation.catalogue import load_study
from golden_core.store.health import StorageError, disk_is_full, free_bytes, full_disk, readable, set_aside
from golden_core.store.lake import Home, write_text
from golden_dagster.postgres import on_server, server_storage
from golden_dagster.resources import study_from_environment

_SETTINGS = Path(__file__).with_name("dagster.yaml")  # a link to the project's own, which travels in a wheel

_PAGE = 4096  # bytes: what SQLite writes at least; with less, it speaks of an I/O error
_CAPTURED = {"module": "dagster._core.storage.local_compute_log_manager", "class": "LocalComputeLogManager"}
_UNCAPTURED = {
    "module": "dagster._core.storage.noop_compute_log_manager",
    "class": "NoOpComputeLogManager",
    "config": {},
}


def instance_folder(home: Home, study: str) -> Path:
    """Write the instance settings of a study under the home and return the folder to use as DAGSTER_HOME.

    Studies have the same asset keys, so each has its own record of what was materialised.
    """
    folder = home.instance(study)
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False  # what Dagster reads it with takes no "?" in another
    settings = yaml.load(_SETTINGS.read_text(encoding="utf-8"))
    del settings["instance_class"]  # which leads here
    local = {"sqlite": {"base_dir": str(folder / "storage")}}
    settings["storage"] = server_storage(study) if on_server() else local
    settings["compute_logs"] = {**_CAPTURED, "config": {"base_dir": str(folder / "logs")}}
    stream = io.StringIO()
    yaml.dump(settings, stream)
    path = folder / "dagster.yaml"
    if not path.exists() or path.read_bytes() != stream.getvalue().encode():
        write_text(stream.getvalue(), path)
    return folder


@contextmanager
def study_instance(
    home: Home, study: str, *, captured: bool = True, say: Callable[[str], None] = lambda _message: None
) -> Iterator[dg.DagsterInstance]:
    """Open the instance of a study; a damaged storage is set aside first, and made again.

    Without ``captured``, what steps print goes to the terminal alone: Dagster captures it by two processes per step,
    which take Ctrl-C as well and die with a traceback each.

    Raises
    ------
    StorageError
        Here or within the block, if the storage cannot be used.
    FullDiskError
        If there is no room for it.
    """
    overrides = {} if captured else {"compute_logs": _UNCAPTURED}
    folder = instance_folder(home, study)
    storage = folder / "storage"
    with _explaining(storage):
        if fault := storage_fault(storage):
            aside = set_aside(storage)
            say(f"{fault}; all of it is now {aside}, and what is stored is recorded anew: nothing is trained again")
        with dg.DagsterInstance.from_ref(InstanceRef.from_dir(str(folder), overrides=overrides)) as instance:
            yield instance


def storage_fault(storage: Path) -> str | None:
    """Return what is wrong with the SQLite files of a storage, the first of them; reads every page."""
    for path in (*storage.glob("*/*.db"), *storage.glob("history/runs/index.db")):
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
            try:
                found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
            except sqlite3.OperationalError:
                return None  # locked, or not ours to read, which whoever opens it will tell
            except sqlite3.DatabaseError as error:
                found = str(error)
        if found != "ok":
            return f"{path} is damaged ({found.splitlines()[0]})"
    return None


@contextmanager
def _explaining(storage: Path) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        # dagster-postgres gives up with an error of its own, raised from SQLAlchemy's.
        cause = error.__cause__ if isinstance(error.__cause__, DBAPIError) else error
        if not isinstance(cause, (sqlite3.Error, DBAPIError)):
            raise
        said, again = str(getattr(cause, "orig", cause)), "give the same command again: what is finished is kept"
        if on_server():
            raise StorageError(f"PostgreSQL fails as Dagster's storage: {said.splitlines()[0]}; {again}") from error
        if disk_is_full(error) or free_bytes(storage) < _PAGE:
            raise full_disk(storage) from error
        raise StorageError(
            f"Dagster's storage {storage} cannot be used: {said}; {readable(free_bytes(storage))} are free there. "
            f"Make room or mend its rights, and {again}, and a damaged storage is then made anew"
        ) from error


class StudyInstance(dg.DagsterInstance):
    """What DAGSTER_HOME opens when it is the project's folder: the instance of the study that GOLDEN_STUDY names."""

    @staticmethod
    def config_schema() -> dict[str, dg.Field]:
        """Return what dagster.yaml may say beyond Dagster's own settings: nothing."""
        return {}

    @staticmethod
    def config_defaults(base_dir: str) -> Mapping[str, ConfigurableClassData | None]:
        """Return the storage of the study in place of Dagster's defaults.

        Raises
        ------
        dagster.DagsterInvariantViolationError
            Where a home other than the one beside dagster.yaml would be begun.
        """
        home = Home.from_environment()
        if not os.environ.get("GOLDEN_HOME") and home.root.parent != Path(base_dir).resolve():
            raise dg.DagsterInvariantViolationError(
                f"DAGSTER_HOME is {base_dir}, but from {Path.cwd()} the results would lie in {home.root}: "
                f"start this in {base_dir}, or set GOLDEN_HOME"
            )
        own = InstanceRef.from_dir(str(instance_folder(home, load_study(study_from_environment()).name)))
        return {
            **InstanceRef.config_defaults(base_dir),
            "storage": own.storage_data,
            "local_artifact_storage": own.local_artifact_storage_data,
            "compute_logs": own.compute_logs_data,
        }
