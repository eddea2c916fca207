"""What all tests share: a home of their own, and no setting of the developer's."""

import gc
import itertools
import os

import pytest
from hypothesis import settings
from hypothesis.internal.conjecture import providers

pytest_plugins = ["support.fixtures"]

# A busy machine is no failure of a property, and one commit gives one verdict: examples are drawn from the test's code.
# `pytest --hypothesis-profile search` draws others every time, and many more.
settings.register_profile("golden", deadline=None, derandomize=True, max_examples=25)
settings.register_profile("search", deadline=None, print_blob=True, max_examples=1000)
settings.load_profile("golden")


def pytest_configure(config):
    """Let hypothesis try no constants that it reads in loaded modules, unless it searches.

    Which are loaded depends on the tests that a worker happened to have before; reading them takes it many seconds.
    """
    if config.getoption("--hypothesis-profile", None) != "search":
        providers._get_local_constants = providers.Constants


def pytest_collection_modifyitems(items):
    """Begin with the browser: it waits more than it computes, and whoever comes last is waited for by all."""
    items.sort(key=lambda item: "ui" not in item.path.parts)


def pytest_collection_finish():
    """Spare the collector of garbage what stays to the end: some libraries call it, for every table of p-values."""
    gc.collect()
    gc.freeze()


def pytest_sessionfinish():
    gc.unfreeze()


@pytest.fixture(scope="session")
def _homes(tmp_path_factory):
    """Give out folders by counting: pytest's own way lists thousands of them for every new one."""
    folder = tmp_path_factory.mktemp("homes")
    return (folder / str(number) for number in itertools.count())


@pytest.fixture(scope="session", autouse=True)
def _home_of_wider_fixtures(_homes):
    """Give what is made once for a module or a session a home too: the next fixture comes after those."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GOLDEN_HOME", str(next(_homes)))
        yield


@pytest.fixture(autouse=True)
def _own_home(_homes, monkeypatch):
    """Keep generated files out of the checkout, whatever a test runs."""
    home = next(_homes)
    home.mkdir()
    monkeypatch.setenv("GOLDEN_HOME", str(home))
    monkeypatch.delenv("GOLDEN_STUDY", raising=False)
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        monkeypatch.setenv(name, os.environ.get(name, "1"))
