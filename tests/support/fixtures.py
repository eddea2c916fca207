"""A finished smoke campaign, made once: tests look at it, or break a copy of it."""

import shutil

import pytest

from golden_core.lake import Home
from support.campaigns import finish, home_at, opened


@pytest.fixture(scope="session")
def _finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("finished") / "home"
    with home_at(folder), opened() as campaign:
        finish(campaign)
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
