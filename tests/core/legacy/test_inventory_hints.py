"""What only looks as if code read or opened a configuration: hints of types, names that hold such a word."""

from pathlib import Path

import pytest
from support.trees import scan

from golden_core.legacy.facts.keys import is_configuration_name
from golden_core.legacy.inventory import Configuration


def scanned(root: Path, source: str) -> Configuration:
    (configuration,) = scan(root, {"v_01/c.yaml": "a: {x: 1}\nb: 3\n", "v_01/Run.py": source}).configurations
    return configuration


@pytest.mark.parametrize(
    "source",
    [
        "def f(path: Optional[str] = None) -> Optional[Path]: ...\n",
        "class A:\n    path: Optional[str] = None\n",
        "MaybePath = Optional[Path]\n",
        "def f(path: typing.Optional[Path]) -> OptionsOf[Path]: ...\n",
        "def f(model: Params[Model]):\n    kept: Config[Model] = model\n",
    ],
)
def test_a_hint_reads_no_key(tmp_path, source):
    found = scanned(tmp_path, f"open('c.yaml')\n{source}")
    assert (found.read, found.unused) == ((), ("a.x", "b"))


@pytest.mark.parametrize(
    "source",
    [
        "def history(path: Optional[str] = None):\n    with open(path) as f:\n        return json.load(f)\n",
        "def history(path: Config) -> Settings:\n    return json.load(open(path))\n",
        "def build(config):\n    units = config['a']\n    history = json.load(open('h.json'))\n",
        "def load_params_history(path):\n    return json.load(open(path))\n",
        "history = json.load(open('history.json'))\n",
    ],
)
def test_a_load_of_something_else_opens_no_configuration(tmp_path, source):
    assert scanned(tmp_path, f"import json\n{source}").opened_at == ()


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("def load_config_from_json(path):\n    return json.load(open(path))\n", 3),
        ("def load_config(path):\n    return json.load(open(path))\n", 3),
        ("def load(config_path):\n    with open(config_path) as f:\n        return json.load(f)\n", 4),
        ("def load(path):\n    with open(path) as f:\n        self.config = json.load(f)\n", 4),
        ("with open(args.config) as f:\n    data = json.load(f)\n", 3),
        ("data = json.load(open(CONFIG_FILE))\n", 2),
        ("def load(path):\n    cfg: dict = json.load(open(path))\n", 3),
    ],
)
def test_a_load_of_a_configuration_opens_it(tmp_path, source, line):
    assert scanned(tmp_path, f"import json\n{source}").opened_at == (f"v_01/Run.py:{line}",)


HOLD_SETTINGS = (
    *("config", "cfg", "CFG", "trainConfig", "myconfig", "config_dict", "configs_by_name", "config_v2"),
    *("hyperparameters", "opts", "options"),
)
HOLD_NONE = (
    *("Optional", "configure", "option_chain", "config_path", "params_history", "from_config", "adopted", "parameters"),
)


@pytest.mark.parametrize("name", [*HOLD_SETTINGS, *HOLD_NONE])
def test_names_of_configurations(name):
    assert is_configuration_name(name) == (name in HOLD_SETTINGS)
