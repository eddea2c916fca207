"""What all tests share: a home of their own, and no setting of the developer's."""

import os

import pytest
from hypothesis import settings

pytest_plugins = ["support.fixtures"]

# A busy machine is no failure of a property, and one commit gives one verdict: examples are drawn from the test's code.
# `pytest --hypothesis-profile search` draws others every time, and many more.
settings.register_profile("golden", deadline=None, derandomize=True, max_examples=25)
settings.register_profile("search", deadline=None, print_blob=True, max_examples=1000)
settings.load_profile("golden")


@pytest.fixture(autouse=True)
def _own_home(tmp_path_factory, monkeypatch):
    """Keep generated files out of the checkout, whatever a test runs."""
    monkeypatch.setenv("GOLDEN_HOME", str(tmp_path_factory.mktemp("home")))
    monkeypatch.delenv("GOLDEN_STUDY", raising=False)
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        monkeypatch.setenv(name, os.environ.get(name, "1"))
