"""A class that a study names: as the tutorial says, refused in one sentence, known by its source."""

import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

from golden_core.forecasters import forecaster_class, forecaster_facts
from golden_core.forecasters.custom import CustomForecasterError, custom_class, own_settings
from golden_core.preparation.catalogue import load_study
from golden_core.study import StudyError, describe
from golden_core.trials.code import code_hash, source_files
from golden_core.trials.identity import Trial, dependencies
from golden_core.trials.rows import new_forecaster

ROOT = Path(__file__).parents[3]
TUTORIAL = (ROOT / "docs/tutorials/your_forecaster.md").read_text(encoding="utf-8")
[CODE] = re.findall(r"```python\n(.*?)```", TUTORIAL, re.DOTALL)
GOOD = """
from golden_core.forecasters.base import Forecaster
from golden_core.forecasters.settings import NoSettings
class Good(Forecaster):
    Settings = NoSettings
    def __init__(self, settings, context): self.settings = settings
    def fit(self, train, validation, stream): return []
    def predict(self, windows): return windows.last_close * 0
    def state(self): return {}
    def restore(self, state): ...
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Stand in a folder of one's own; return how to write a module there, under a name that no other test has."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    suffix = re.sub(r"\W", "_", tmp_path.name)

    def write(source=GOOD, name="mine"):
        (tmp_path / f"{name}_{suffix}.py").write_text(source)
        return f"{name}_{suffix}"

    return write


def load(named, *, name="mine", settings=""):
    return load_study("smoke", [f"forecasters={{random_walk: {{}}, {name}: {{custom: '{named}'{settings}}}}}"])


def test_the_tutorial_adds_one_in_fifteen_lines(folder, momentum, stream):
    assert len([line for line in CODE.splitlines() if line.strip()]) <= 15
    named = f"{folder(CODE)}:Momentum"
    study = load(named, name="momentum", settings=", bars: 20")
    assert study.forecasters["momentum"] == {"custom": named, "bars": 20}
    market = momentum(360)
    forecaster = new_forecaster(study, Trial("momentum", "EURUSD", 1, 0))
    assert forecaster.fit(market.examples(range(40, 240)), market.examples(range(245, 285)), stream) == []
    found = forecaster.predict(market.windows(range(300, 310)))
    expected = [np.log(market.closes[row] / market.closes[row - 20]) / 20 for row in range(300, 310)]
    assert found == pytest.approx(expected)


def test_the_command_of_the_tutorial_runs_as_it_stands(tmp_path):
    [command] = re.findall(r"^    golden run (smoke .*)", TUTORIAL, re.MULTILINE)
    (tmp_path / "my_forecaster.py").write_text(CODE)
    code = "from golden_dagster.cli import main; main()"
    asked = f'"$PYTHON" -c "{code}" study show {command}'
    environment = {**os.environ, "PYTHON": sys.executable, "PYTHONPATH": str(ROOT), "GOLDEN_HOME": str(tmp_path)}
    shown = subprocess.run(
        asked, shell=True, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert shown.returncode == 0, shown.stderr
    assert 'custom: "my_forecaster:Momentum"' in shown.stdout


def test_a_study_that_names_one_survives_its_own_description(folder, tmp_path):
    study = load(f"{folder()}:Good")
    (tmp_path / "again.yaml").write_text(describe(study))
    assert load_study(str(tmp_path / "again.yaml")).hash() == study.hash()


def test_the_settings_handed_over_are_its_own(folder):
    study = load(f"{folder()}:Good")
    assert new_forecaster(study, Trial("mine", "EURUSD", 1, 0)).settings == {}
    assert own_settings({"custom": "a:B", "bars": 3}) == {"bars": 3}


@pytest.mark.parametrize(("named", "source", "says"), [
    ("not_there:Good", GOOD, r"there is no module 'not_there' in .*: run golden where not_there\.py lies$"),
    ("no.such.module:Good", GOOD, r"there is no module 'no' in .*: run golden where no/such/module\.py lies$"),
    ("{}", GOOD, r"must name a class as package\.module:Class, got '"),
    ("{}:Good()", GOOD, r"must name a class as package\.module:Class, got '"),
    ("__import__('os'):system", GOOD, r"must name a class as package\.module:Class"),
    ("__main__:Good", GOOD, r"notebook's cell .* write it to a file \(%%writefile my_forecaster\.py\)"),
    ("{}:Goood", GOOD, r"has no class 'Goood'.*Good"),
    ("{}:Good", "import a_module_that_is_not_there", r"raised ModuleNotFoundError: No module named 'a_mod"),
    ("{}:Good", "import sys; sys.exit(3)", r"importing .* raised SystemExit: 3$"),
    ("{}:Good", "raise RuntimeError('no GPU here')", r"importing .* raised RuntimeError: no GPU here$"),
    ("{}:Good", "def Good(settings, context): ...", r"cannot be used: it must be a class, got function$"),
    ("{}:Good", "class Good: ...", r"its class needs an attribute Settings, a pydantic model$"),
    ("{}:Good", GOOD.replace("def predict", "def foretell"), r"its class lacks predict; inherit from Forecaster"),
    ("{}:Good", GOOD.replace("(self, settings, context)", "(self, span)"),
     r"its constructor must take \(settings, context\), it takes \(span\)$"),
    ("sys:version", GOOD, r"sys has no source file, by which"),
])  # fmt: skip
def test_a_class_that_cannot_be_used_is_refused_in_one_sentence(folder, named, source, says):
    module = folder(source)
    with pytest.raises(CustomForecasterError, match=says) as caught:
        custom_class(named.format(module))
    assert "\n" not in str(caught.value)


def test_faults_stand_at_their_place_in_the_study(folder):
    module = folder()
    for given, path, says in (
        ({"named": "nowhere:Good"}, "forecasters.mine.custom", "there is no module 'nowhere'"),
        ({"name": "ar"}, "forecasters.ar", "there is a forecaster ar already"),
        ({"name": "My-own"}, "forecasters.My-own", r"must match \[a-z\]"),
        ({"name": "long" * 11}, f"forecasters.{'long' * 11}", "the name becomes a folder"),
        ({"settings": ", bars: 3"}, "forecasters.mine.bars", "no such setting|unknown|is no"),
    ):
        with pytest.raises(StudyError) as refused:
            load(**{"named": f"{module}:Good"} | given)
        [fault] = refused.value.faults
        assert fault.path == path
        assert re.search(says, fault.message), fault.message


def test_its_source_and_what_lies_beside_it_identify_its_trials(folder, tmp_path):
    helper = folder("SPAN = 3\n", "helper")
    module = folder(f"from {helper} import SPAN\nimport numpy\n" + GOOD)
    study, trial = load(f"{module}:Good"), Trial("mine", "EURUSD", 1, 0)
    assert forecaster_facts("mine", study.forecasters["mine"]).module == module
    assert {module, helper} <= set(source_files((module,)))
    assert not any(name.startswith(("numpy", "golden")) for name in source_files((module,)))
    before = dependencies(study, trial, "inputs")["code"]
    for changed, other in (("SPAN = 4\n", True), ("SPAN = 3  # bars\n", False)):
        (tmp_path / f"{helper}.py").write_text(changed)
        code_hash.cache_clear()
        assert (dependencies(study, trial, "inputs")["code"] != before) is other


def test_a_module_that_changed_under_a_running_process_is_refused(folder, tmp_path):
    module = folder()
    assert custom_class(f"{module}:Good")
    (tmp_path / f"{module}.py").write_text(GOOD + "\nSPAN = 3\n")
    with pytest.raises(CustomForecasterError, match="has changed since this process imported it: start Python anew"):
        forecaster_class("mine", {"custom": f"{module}:Good"})


def test_a_name_is_looked_up_only_where_a_study_asks(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "touched.py").write_text(textwrap.dedent("raise RuntimeError('imported')"))
    load_study("smoke")
    assert "touched" not in sys.modules
