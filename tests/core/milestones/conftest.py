"""A checkout of the small project of :mod:`support.milestones`, clean or waiting for signatures."""

import os

import pytest
from support.milestones import make_project

from golden_core.milestones.loader import belongs, existing_tests, load_test_plan
from golden_core.milestones.migration import load_plan
from golden_core.milestones.registry import load_registry
from golden_core.store.lake import PROJECT_ROOT


@pytest.fixture(autouse=True)
def _no_settings_of_the_developer(monkeypatch):
    """Neither git's settings nor a moved evidence folder of whoever runs the tests."""
    for name in ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM"):
        monkeypatch.setenv(name, os.devnull)
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GOLDEN_EVIDENCE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def project(tmp_path):
    """A clean checkout without evidence."""
    return make_project(tmp_path / "project")


@pytest.fixture
def reviewed(project):
    """Evidence is written, committed and waits for signatures."""
    project.own()
    project.write()
    project.commit()
    return project


@pytest.fixture(scope="session")
def named_tests():
    """Every test that data/ names, by who names it."""
    commands = [c.command for milestone in load_registry().milestones for c in milestone.criteria if c.command]
    return {
        "plan": {argument for command in commands for argument in command if argument.startswith("tests/")},
        "loader": {planned.test for planned in load_test_plan().tests},
        "migration": {name for package in load_plan().packages for name in package.parity_tests},
    }


@pytest.fixture(scope="session")
def existing(named_tests, request):
    """Those of them that pytest collects. A session of the whole suite has; elsewhere another pytest is asked."""
    names = set.union(*named_tests.values())
    asked, option = request.config.invocation_params.args, request.config.option
    fewer = option.markexpr not in request.config.getini("addopts")  # than the suite leaves out by itself
    if option.keyword or fewer or any("::" in str(argument) for argument in asked):
        return existing_tests(PROJECT_ROOT, names)
    cases = {item.nodeid for item in request.session.items}
    here = {case.partition("::")[0] for case in cases}
    if not {name.partition("::")[0] for name in names if (PROJECT_ROOT / name.partition("::")[0]).is_file()} <= here:
        return existing_tests(PROJECT_ROOT, names)
    return frozenset(name for name in names if any(belongs(case, name) for case in cases))
