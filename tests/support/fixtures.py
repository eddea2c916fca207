"""A finished smoke campaign, made once: tests look at it, or break a copy of it."""

import fcntl
import functools
import os
import shutil
from contextlib import contextmanager

import pytest
import sqlalchemy
from alembic.script import ScriptDirectory
from dagster._core.storage.event_log.sqlite import sqlite_event_log
from dagster._core.storage.runs.sqlite import sqlite_run_storage
from dagster._core.storage.schedules.sqlite import sqlite_schedule_storage

from golden_core.store.lake import Home
from golden_dagster import campaign
from golden_dagster.instance import instance_folder, study_instance
from support.campaigns import finish, home_at, opened


@functools.lru_cache
def _engine(url):
    """Return the one engine of a file of Dagster's storage, which does not wait until the disk has what it writes."""
    engine = sqlalchemy.create_engine(url, poolclass=sqlalchemy.NullPool, connect_args={"timeout": 30})
    sqlalchemy.event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous=OFF"))
    return engine


@pytest.fixture(scope="session", autouse=True)
def _quick_storage():
    """In this process Dagster makes an engine per file: one per statement is half the time of a small campaign."""
    with pytest.MonkeyPatch.context() as patch:
        for storage in (sqlite_event_log, sqlite_run_storage, sqlite_schedule_storage):
            patch.setattr(storage, "create_engine", lambda url, **_: _engine(url))
        yield


@pytest.fixture(scope="session", autouse=True)
def _known_revisions():
    """Read the revisions of Dagster's storage once: it reads them all for each of three storages of an instance."""
    read, known = ScriptDirectory.from_config, {}

    def of(config):
        place = config.get_main_option("script_location")
        if place not in known:
            known[place] = read(config)
        return known[place]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ScriptDirectory, "from_config", of)
        yield


@pytest.fixture(scope="session", autouse=True)
def _begun_storage(tmp_path_factory):
    """Begin every campaign's Dagster storage with a copy of an empty one: to make one anew takes seconds."""
    empty = Home(tmp_path_factory.mktemp("storage"), tmp_path_factory.getbasetemp())

    @contextmanager
    def begun(home, study, **options):
        made = instance_folder(empty, "smoke") / "storage"
        wanted = instance_folder(home, study) / "storage"
        if not wanted.exists():
            if not made.exists():
                with study_instance(empty, "smoke"):
                    pass
            shutil.copytree(made, wanted)
        with study_instance(home, study, **options) as instance:
            yield instance

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(campaign, "study_instance", begun)
        yield


@pytest.fixture(scope="session")
def _finished(tmp_path_factory):
    """A copy for each worker of what the first of them to ask has made."""
    own = tmp_path_factory.getbasetemp()
    shared = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    made, done = shared / "finished", shared / "finished.done"
    with (shared / "finished.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            shutil.rmtree(made, ignore_errors=True)  # of a worker that failed
            with home_at(made), opened() as campaign:
                finish(campaign)
            done.touch()
    folder = tmp_path_factory.mktemp("finished") / "home"
    shutil.copytree(made, folder)
    return folder


@pytest.fixture
def finished(_finished, monkeypatch):
    """The home of the finished campaign; not to be changed."""
    monkeypatch.setenv("GOLDEN_HOME", str(_finished))
    return Home.from_environment()


@pytest.fixture
def broken(_finished, tmp_path, monkeypatch):
    """A copy of the finished campaign's home, to be broken."""
    shutil.copytree(_finished, tmp_path / "home")
    monkeypatch.setenv("GOLDEN_HOME", str(tmp_path / "home"))
    return Home.from_environment()
