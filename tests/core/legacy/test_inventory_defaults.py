"""Sections that are read as a whole, and defaults as research scripts spell them."""

import json
from pathlib import Path

import pytest
from support.trees import scan

from golden_core.legacy.inventory import Configuration

LOADED = "import yaml\ncfg = yaml.safe_load(open('c.yaml'))\n"


def scanned(root: Path, settings: str, source: str) -> Configuration:
    (configuration,) = scan(root, {"v/c.yaml": settings, "v/Run.py": source}).configurations
    return configuration


@pytest.mark.parametrize(
    ("source", "unused"),
    [
        ("print(cfg['a']['x'])", ("a.y", "b")),
        ("for name, value in cfg.items(): setattr(args, name, value)", ()),
        ("for name, value in cfg['a'].items(): print(name)", ("b",)),
        ("list(cfg.a.values())", ("b",)),
        ("cfg.keys()", ("a.x", "a.y", "b")),
        ("optimizer = Adam(**cfg['a'])", ("b",)),
        ("settings = SimpleNamespace(**cfg)", ()),
        ("settings = SimpleNamespace(**yaml.safe_load(open('c.yaml')))", ()),
        ("build(**cfg['a'])\ndef build(x): ...", ("a.y", "b")),
        ("vars(args).update(cfg)", ()),
        ("self.__dict__.update(cfg['a'])", ("b",)),
        ("other.update(cfg['a'])", ("a.x", "a.y", "b")),
        ("for name in names: print(cfg['a'][name])", ("b",)),
        ("for name in names: cfg['a'][name] = 1", ("a.x", "a.y", "b")),
        ("print(getattr(cfg, 'b', 7))", ("a.x", "a.y")),
        ("print(getattr(cfg.a, name))", ("b",)),
        ("print(rows[i].items(), frame[column])", ("a.x", "a.y", "b")),
    ],
)
def test_a_key_that_may_be_read_is_not_called_unused(tmp_path, source, unused):
    assert scanned(tmp_path, "a: {x: 1, y: 2}\nb: 3\n", LOADED + source + "\n").unused == unused


@pytest.mark.parametrize(
    "source",
    [
        "def main(args):\n    default_epochs = 50\n",
        "def main(args):\n    default_epochs: int = 50\n",
        "DEFAULT_EPOCHS = 50\n",
        "EPOCHS_DEFAULT = 50\n",
        "epochs = args.epochs if args.epochs is not None else 50\n",
        "epochs = args.epochs if args.epochs else 50\n",
        "epochs = 50 if epochs is None else epochs\n",
        "epochs = cfg['epochs'] if 'epochs' in cfg else 50\n",
        "epochs = cfg.get('epochs') or 50\n",
        "epochs = getattr(cfg, 'epochs', 50)\n",
    ],
)
def test_a_default_in_a_script_contradicts_the_configuration(tmp_path, source):
    (found,) = scanned(tmp_path, "epochs: 60\n", source).contradictions
    assert (found.key, found.configured, found.default) == ("epochs", "60", "50")


@pytest.mark.parametrize(
    "source",
    [
        "rate = rate if training else 0.0\n",
        "default_rate = 0.1\n",
        "rate = args.rate if args.rate is not None else default_rate\n",
        "default_rate = compute()\n",
        "def main():\n    rate = 0.5\n",
    ],
)
def test_what_is_no_other_default(tmp_path, source):
    assert scanned(tmp_path, "rate: 0.1\n", source).contradictions == ()


def test_a_setting_may_itself_be_called_a_default(tmp_path):
    found = scanned(tmp_path, json.dumps({"default_pair": "EURUSD"}), "def f(default_pair='GBPUSD'): ...\n")
    assert [one.default for one in found.contradictions] == ['"GBPUSD"']


def test_truth_values_are_those_of_pyyaml(tmp_path):
    settings = "shuffle: yes\nworkers: Off\nquoted: 'no'\ny: n\nrate: 1e-3\n"
    found = scanned(tmp_path, settings, "def f(shuffle=True, workers=False, rate=0.001): ...\n")
    assert found.settings == {"shuffle": "true", "workers": "false", "quoted": '"no"', "y": '"n"', "rate": "0.001"}
    assert found.contradictions == ()


def test_a_warning_that_would_quote_the_file_is_not_given(tmp_path):
    assert scanned(tmp_path, "%YAML 1.1\n---\nrate: 1e-3\n", "").settings == {"rate": "0.001"}
