"""Configurations against the code of their version."""

import pytest
from support.trees import scan

from golden_core.legacy.inventory import Contradiction

SECTIONS = "a: {x: 1}\nb: 3\n"


def scanned(root, settings, source="", name="c.yaml"):
    (configuration,) = scan(root, {f"v/{name}": settings, "v/Run.py": source}).configurations
    return configuration


CONFIGURATION = """{"seed": 42, "callbacks": {"early_stopping": {"patience": 60}},
    "model": {"units": 200, "rate": 0.01, "blocks": [{"filters": 8, "pool": null}]}}"""
VALUES = {"model.units": "200", "model.rate": "0.01", "model.blocks[0].filters": "8", "model.blocks[0].pool": "null"}


def test_a_file_of_json_called_yaml_is_read(tmp_path):
    assert scanned(tmp_path, CONFIGURATION).settings == VALUES | {
        "callbacks.early_stopping.patience": "60",
        "seed": "42",
    }


@pytest.mark.parametrize(("name", "content"), [
    ("c.yaml", "a: {b: 1}\nc: [1, x]\n"), ("c.yml", "{a: {b: 1}, c: [1, x]}"),
    ("c.json", '\ufeff{"a": {"b": 1}, "c": [1, "x"]}'),
])  # fmt: skip
def test_formats(tmp_path, name, content):
    assert scanned(tmp_path, content, name=name).settings == {"a.b": "1", "c": '[1, "x"]'}


SUBSCRIPTS = """
import json
with open("default_config.yaml") as stream:
    config = json.load(stream)
units = config["model"]["units"]
for block in config["model"]["blocks"]:
    print(block["filters"])
early = config.get("callbacks", {}).get("early_stopping", {})
patience = early.get("patience", 20)
config["seed"]
"""
ATTRIBUTES = """
cfg = OmegaConf.load("default_config.yaml")
a = cfg.model.units
def build(seed, pool): ...
build(**cfg)
build(patience=1)
"""
NEVER_OPENED = "def main(hyperparameters):\n    return hyperparameters['units'], hyperparameters['seed']\n"


@pytest.mark.parametrize(("source", "opened_at", "unused"), [
    pytest.param(SUBSCRIPTS, ("v/Run.py:3",), ("model.rate", "model.blocks[0].pool"), id="subscripts"),
    pytest.param(ATTRIBUTES, ("v/Run.py:2",), ("model.rate", "model.blocks[0].filters"), id="attributes and keywords"),
    pytest.param(NEVER_OPENED, (), tuple({"seed", "callbacks.early_stopping.patience"} | VALUES.keys()), id="no file"),
])  # fmt: skip
def test_keys_that_code_reads_and_leaves_unused(tmp_path, source, opened_at, unused):
    found = scanned(tmp_path, CONFIGURATION, source, "default_config.yaml")
    assert (found.opened_at, sorted(found.unused)) == (opened_at, sorted(unused))


def test_code_of_another_version_reads_nothing(tmp_path):
    source = "import json\nconfig = json.load(open('c.json'))\nprint(config['seed'])\n"
    inventory = scan(tmp_path, {"v_01/c.json": '{"seed": 1}', "v_02/c.json": '{"seed": 1}', "v_02/Run.py": source})
    first, second = inventory.configurations
    assert (first.unused, second.unused) == (("seed",), ())


def test_contradictions_with_every_form_of_default(tmp_path):
    source = """
import argparse
from dataclasses import dataclass
EPOCHS = 60
DEFAULTS = {"loss": {"delta": 1.0}, "computed": f()}
def train(rate=0.01, early_stopping_patience=30, *, same=5, nothing=None): ...
@dataclass
class Settings:
    units: int = 200
    flag: bool = True
p = argparse.ArgumentParser()
p.add_argument("--batch-size", default=5000)
p.add_argument("-k", "--heads", dest="attention_heads", default=6)
momentum = args.momentum or 0.9
config.get("dropout", 0.5)
"""
    settings = """{"epochs": 61, "loss": {"delta": 2}, "rate": 0.02, "callbacks": {"early_stopping": {"patience": 60}},
        "same": 5.0, "nothing": 1, "units": 100, "flag": 1, "batch_size": 4000, "attention": {"heads": 4},
        "momentum": 0, "dropout": null, "name": "x"}"""
    expected = """epochs 61 60 4, loss.delta 2 1.0 5, rate 0.02 0.01 6, callbacks.early_stopping.patience 60 30 6,
        units 100 200 9, flag 1 true 10, batch_size 4000 5000 12, attention.heads 4 6 13, momentum 0 0.9 14,
        dropout null 0.5 15"""  # key, configured, default and line of the script
    rows = [row.split() for row in expected.split(",")]
    found = scanned(tmp_path, settings, source, "c.json").contradictions
    assert set(found) == {Contradiction(*values, (f"v/Run.py:{line}",)) for *values, line in rows}


def test_a_load_of_the_file_that_code_names_does_not_open_another(tmp_path):
    source = "import json\nconfig = json.load(open('used.json'))\nprint(config['seed'])\n"
    files = {"v/used.json": '{"seed": 1}', "v/old.json": '{"seed": 2}', "v/Run.py": source}
    opened = {one.path: (one.opened_at, one.unused) for one in scan(tmp_path, files).configurations}
    assert opened == {"v/used.json": (("v/Run.py:2",), ()), "v/old.json": ((), ("seed",))}


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
    found = scanned(tmp_path, SECTIONS, f"open('c.yaml')\n{source}")
    assert found.unused == ("a.x", "b")


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
    assert scanned(tmp_path, SECTIONS, f"import json\n{source}").opened_at == ()


@pytest.mark.parametrize("source", [
    "def main(args):\n    default_epochs = 50\n", "def main(args):\n    default_epochs: int = 50\n",
    "DEFAULT_EPOCHS = 50\n", "EPOCHS_DEFAULT = 50\n", "epochs = args.epochs if args.epochs is not None else 50\n",
    "epochs = args.epochs if args.epochs else 50\n", "epochs = 50 if epochs is None else epochs\n",
    "epochs = cfg['epochs'] if 'epochs' in cfg else 50\n", "epochs = cfg.get('epochs') or 50\n",
    "epochs = getattr(cfg, 'epochs', 50)\n",
])  # fmt: skip
def test_a_default_in_a_script_contradicts_the_configuration(tmp_path, source):
    (found,) = scanned(tmp_path, "epochs: 60\n", source).contradictions
    assert (found.key, found.configured, found.default) == ("epochs", "60", "50")


@pytest.mark.parametrize("source", [
    "rate = rate if training else 0.0\n", "default_rate = 0.1\n", "default_rate = compute()\n",
    "rate = args.rate if args.rate is not None else default_rate\n", "def main():\n    rate = 0.5\n",
])  # fmt: skip
def test_what_is_no_other_default(tmp_path, source):
    assert scanned(tmp_path, "rate: 0.1\n", source).contradictions == ()


@pytest.mark.parametrize(("settings", "source", "default"), [
    ('{"default_pair": "EURUSD"}', "def f(default_pair='GBPUSD'): ...\n", '"GBPUSD"'),
    ('{"optimizer": {"name": "rms"}}', "def f(name='adam', optimizer_name='sgd'): ...\n", '"sgd"'),
], ids=["called a default", "generic name"])  # fmt: skip
def test_names_of_settings_that_mislead(tmp_path, settings, source, default):
    """A setting may itself be called a default; a generic last name needs its section to match."""
    assert [one.default for one in scanned(tmp_path, settings, source).contradictions] == [default]
