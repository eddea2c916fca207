"""A checkout of the small project of :mod:`support.milestones`, clean or waiting for signatures."""

import os

import pytest
from support.milestones import Project, make_project


@pytest.fixture(autouse=True)
def _no_settings_of_the_developer(monkeypatch):
    """Neither git's settings nor a moved evidence folder of whoever runs the tests."""
    for name in ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM"):
        monkeypatch.setenv(name, os.devnull)
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GOLDEN_EVIDENCE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def project(tmp_path) -> Project:
    """A clean checkout without evidence."""
    return make_project(tmp_path / "project")


@pytest.fixture
def reviewed(project) -> Project:
    """Evidence is written, committed and waits for signatures."""
    project.own()
    project.write()
    project.commit()
    return project
