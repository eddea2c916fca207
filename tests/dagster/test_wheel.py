"""The wheel knows its studies, and what it generates stays where one stands."""

import os
import shutil
import subprocess
import sys

import pytest

from golden_core.store.lake import PROJECT_ROOT

SOURCES = ("golden_core", "golden_dagster", "data", "pyproject.toml", "README.md", "LICENSE", "dagster.yaml")
FORECASTERS = "forecasters={random_walk: {}, ar: {max_order: 2}}"


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """Build a wheel from a copy of the checkout and unpack it into a folder, which is what installing it does."""
    checkout, target = tmp_path_factory.mktemp("checkout"), tmp_path_factory.mktemp("installed")
    for name in SOURCES:
        source = PROJECT_ROOT / name
        if source.is_dir():
            shutil.copytree(source, checkout / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, checkout / name)
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    alone = ["--no-deps", "--no-index", "--no-build-isolation"]
    subprocess.run([*pip, "wheel", *alone, "--wheel-dir", checkout / "dist", checkout], check=True)
    (wheel,) = (checkout / "dist").glob("*.whl")
    shutil.unpack_archive(wheel, target, "zip")
    shutil.rmtree(checkout)
    return target


def golden(installed, folder, *arguments):
    environment = {**os.environ, "PYTHONPATH": str(installed), "COLUMNS": "120"}
    environment.pop("GOLDEN_HOME")
    code = "import sys, golden_dagster.cli as cli; print(cli.__file__, file=sys.stderr); cli.main()"
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=folder, env=environment, capture_output=True, text=True
    )


@pytest.mark.endurance
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["study", "validate", "smoke"], "smoke: valid, "),
        (
            ["run", "smoke", "--backend", "sequential", "--set", "data.pairs=[EURUSD]", "--set", FORECASTERS],
            "random_walk",
        ),
    ],
)
def test_a_study_of_the_wheel_works_from_elsewhere(installed, tmp_path, arguments, said):
    before = {path.name for path in installed.rglob("*") if "__pycache__" not in path.parts}
    result = golden(installed, tmp_path, *arguments)
    assert str(installed) in result.stderr
    assert (result.returncode, said in result.stdout) == (0, True), result.stdout + result.stderr
    assert {path.name for path in installed.rglob("*") if "__pycache__" not in path.parts} == before
    assert {path.name for path in tmp_path.iterdir()} <= {".golden", "reports"}
