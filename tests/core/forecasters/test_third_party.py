"""A forecaster from an installed package joins the registry, or is refused with one sentence that names it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support.packages import install

from golden_core.forecasters import (
    ForecasterPackageError,
    UnknownForecasterError,
    forecaster_class,
    forecaster_settings,
)

ROOT = Path(__file__).parents[3]
TOY = ROOT / "tests/fixtures/toy_forecaster"

FIT = """
from golden_core.forecasters.base import Forecaster
from golden_core.forecasters.settings import NoSettings
class Good(Forecaster):
    Settings = NoSettings
    def __init__(self, settings, context): ...
    def fit(self, train, validation, stream): return []
    def predict(self, windows): return windows.last_close
    def state(self): return {}
    def restore(self, state): ...
"""


def run(*arguments, path):
    """Run Python in the project with one more folder to import from."""
    environment = {**os.environ, "PYTHONPATH": str(path), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300
    )


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """Return a folder into which pip has installed the toy package, as a user would."""
    source, target = tmp_path_factory.mktemp("toy") / "source", tmp_path_factory.mktemp("site")
    shutil.copytree(TOY, source)  # building writes next to the source
    pip = ["-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--no-build-isolation"]
    result = run(*pip, "--target", str(target), str(source), path="")
    assert result.returncode == 0, result.stderr
    return target


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Write an installed package in miniature: one module and its metadata."""

    def write(entry_points, source=FIT, name="stranger"):
        module = f"{name}_{tmp_path.name.replace('-', '_')}"
        install(monkeypatch, tmp_path, module, source, entry_points, name=name)

    return write


def test_an_installed_package_adds_its_forecaster_without_a_change_to_the_project(installed):
    code = (
        "from golden_core.forecasters import forecaster_class, forecaster_settings;"
        "kind = forecaster_class('toy_momentum');"
        "assert forecaster_settings()['toy_momentum'] is kind.Settings;"
        "print(kind.__module__, kind.__name__)"
    )
    result = run("-W", "error", "-c", code, path=installed)
    assert (result.returncode, result.stdout.split()) == (0, ["toy_forecaster", "Momentum"]), result.stderr
    without = run("-W", "error", "-c", code, path="")
    assert "no forecaster is called 'toy_momentum'; known: ar, d" in without.stderr


def test_an_installed_package_passes_the_contract_tests(installed):
    contract = Path(__file__).with_name("test_contract.py")
    result = run("-m", "pytest", "-q", "-k", "toy_momentum", str(contract), path=installed)
    assert result.returncode == 0, result.stdout


def test_a_well_formed_package_is_found(package):
    package({"stranger": "Good"})
    assert forecaster_class("stranger").__name__ == "Good"
    assert "stranger" in forecaster_settings()


def test_naming_a_built_in_forecaster_does_not_load_other_packages(package):
    package({"stranger": "Good"}, "raise RuntimeError('loaded')")
    assert forecaster_class("drift").__name__ == "Drift"


@pytest.mark.parametrize(("entry_points", "source", "reason"), [
    pytest.param({"stranger": "Good"}, "raise RuntimeError('no GPU here')",
                 r"loading it raised RuntimeError: no GPU here$", id="raises"),
    pytest.param({"stranger": "Good"}, "import sys; sys.exit(3)",
                 r"loading it raised SystemExit: 3$", id="ends the process"),
    pytest.param({"stranger": "Good"}, "import a_module_that_is_not_there",
                 r"loading it raised ModuleNotFoundError: No module named 'a_module", id="misses a dependency"),
    pytest.param({"stranger": "Better"}, FIT,
                 r"loading it raised AttributeError: .* has no attribute 'Better'$", id="names nothing"),
    pytest.param({"stranger": "Good"}, "def Good(settings, context): ...",
                 r"it must be a class, got function$", id="is a function"),
    pytest.param({"stranger": "Good"}, FIT.replace("Settings = NoSettings", "pass"),
                 r"its class needs an attribute Settings, a pydantic model$", id="has no Settings"),
    pytest.param({"stranger": "Good"}, FIT.replace("Settings = NoSettings", "Settings = {'span': 3}"),
                 r"its class needs an attribute Settings, a pydantic model$", id="has Settings of another kind"),
    pytest.param({"stranger": "Good"}, FIT.replace("def predict", "def foretell").replace("def state", "def keep"),
                 r"its class lacks predict, state; inherit from Forecaster and define them$", id="has stubs"),
    pytest.param({"stranger": "Good"}, FIT.replace("(Forecaster)", ""),
                 r"its class lacks deterministic, trained, libraries; inherit from", id="does not inherit"),
    pytest.param({"Stranger/1": "Good"}, FIT,
                 r"a name must match .* for it becomes a folder and a key$", id="has a name unfit for a folder"),
    pytest.param({"ar": "Good"}, FIT,
                 r"that name is built in; choose another$", id="takes a built-in name"),
])  # fmt: skip
def test_a_package_that_cannot_be_used_is_refused_in_one_sentence(package, entry_points, source, reason):
    package(entry_points, source)
    name, attribute = next(iter(entry_points.items()))
    with pytest.raises(ForecasterPackageError, match=reason) as caught:
        forecaster_settings()
    message = str(caught.value)
    assert message.startswith(f"forecaster {name!r} of package 'stranger' (stranger_")
    assert f":{attribute}) cannot be used: " in message
    assert "\n" not in message


def test_two_packages_cannot_share_a_name(package):
    package({"stranger": "Good"}, name="alpha")
    package({"stranger": "Good"}, name="beta")
    with pytest.raises(ForecasterPackageError, match=r"package '(alpha|beta)' .* has the same name; uninstall one"):
        forecaster_class("stranger")


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(UnknownForecasterError, match=r"no forecaster is called 'arr'; known: ar, d"):
        forecaster_class("arr")
