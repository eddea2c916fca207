"""Overrides: what can be set from outside the file, and what a wrong one is told."""

import datetime

import pytest


@pytest.mark.parametrize(("override", "path", "expected"), [
    ("training.epochs=2", "training.epochs", 2),
    (" training.epochs = 2 ", "training.epochs", 2),
    ("training.learning_rate=1e-2", "training.learning_rate", 0.01),
    ("training.learning_rate=1", "training.learning_rate", 1.0),
    ("training.shuffle=false", "training.shuffle", False),
    ("training.gradient_clip=null", "training.gradient_clip", None),
    ("training.gradient_clip=", "training.gradient_clip", None),
    ("training.plateau=null", "training.plateau", None),
    ("description=NO", "description", "NO"),
    ("description=22:30", "description", "22:30"),
    ("description=a=b", "description", "a=b"),
    ("description='1'", "description", "1"),
    ("data.start=2010-01-31", "data.start", datetime.date(2010, 1, 31)),
    ("data.settings.path=C:\\rates.csv", "data.settings", {"path": "C:\\rates.csv"}),
    ("horizons=[2, 3]", "horizons", (2, 3)),
    ("horizons[0]=3", "horizons", (3, 5)),
    ("horizons.1=3", "horizons", (1, 3)),
    ("splits={scheme: walk_forward, window: expanding, train: 9, validation: 9, test: 9, step: 9, embargo: 0, "
     "closures: keep}", "splits.embargo", 0),
])  # fmt: skip
def test_text_override(override, path, expected, read, valid_text):
    found = read(valid_text, [override])
    for part in path.split("."):
        found = getattr(found, part)
    assert found == expected
    assert type(found) is type(expected) or isinstance(expected, dict)


STOPPING = (("patience", "9"), ("min_delta", "0"), ("restore_best", "true"))


@pytest.mark.parametrize(("given", "same"), [
    (["training.epochs=6"], []),  # what the file says already
    (["training.epochs=2", "training.epochs=3"], ["training.epochs=3"]),  # the later one wins
    # a section that is null is made where all of it is given
    (["training.early_stopping=null", *(f"training.early_stopping.{key}={value}" for key, value in STOPPING)],
     ["training.early_stopping={patience: 9, min_delta: 0, restore_best: true}"]),
])  # fmt: skip
def test_overrides_that_say_the_same(given, same, read, valid_text):
    one, other = read(valid_text, given), read(valid_text, same)
    assert one == other
    assert one.hash() == other.hash()


def test_forecaster_can_be_added(read, valid_text):
    study = read(valid_text, ["forecasters.v01.gate=softmax", "forecasters.v01.initialisers=keras_3.15"])
    assert study.forecasters["v01"] == {"gate": "softmax", "initialisers": "keras_3.15"}


def test_override_repairs_a_faulty_value(read, valid_text):
    text = valid_text.replace("epochs: 6", "epochs: .nan").replace("validation: 250", "validation: !secret 1")
    assert read(text, ["training.epochs=2", "splits.validation=100"]).splits.validation == 100


@pytest.mark.parametrize(("override", "expected"), [
    ("training.epoch=2", "--set training.epoch: unknown key; did you mean 'epochs'?"),
    ("trainin.epochs=2", "--set trainin: unknown key; did you mean 'training'?"),
    ("training.plateu.factor=0.5", "--set training.plateu: unknown key; did you mean 'plateau'?"),
    ("training.plateau.facto=0.5", "--set training.plateau.facto: unknown key; did you mean 'factor'?"),
    ("training.epochs=0", "--set training.epochs: must be ≥ 1, got 0"),
    ("training.epochs='2'", "--set training.epochs: must be an integer, got '2'; remove the quotes"),
    ("training.epochs=", "--set training.epochs: must be an integer, got nothing"),
    ("seeds.count=3", "--set seeds.count: must be ≥ 5 in a study that is not called smoke or smoke_…, got 3"),
    ("data.source=ebc", "--set data.source: no source is called 'ebc'; did you mean 'ecb'?"),
    ("forecasters.v8={}", "--set forecasters.v8: no forecaster is called 'v8'; did you mean 'v08'?"),
    ("forecasters.ar.max_ordr=3", "--set forecasters.ar.max_ordr: unknown key; did you mean 'max_order'?"),
    ("forecasters.drift.x=3", "--set forecasters.drift.x: unknown key; nothing can be set here"),
    ("features[1]=momentum", "--set features[1]: no feature is called 'momentum'; did you mean 'momentum_20'?"),
    ("horizons[1]=1", "--set horizons: names 1 twice"),
    ("horizons[2]=9", "--set horizons: is a list of 2; its entries are numbered from 0, and none is '2'"),
    ("horizons.first=9", "--set horizons: is a list of 2; its entries are numbered from 0, and none is 'first'"),
    ("training.epochs.x=1", "--set training.epochs: is 6, not a section, so 'x' cannot be set in it"),
    ("training.epochs", "--set: 'training.epochs' must look like section.key=value"),
    ("=2", "--set: '' must look like section.key, such as training.epochs"),
    ("training..epochs=2", "--set: 'training..epochs' must look like section.key, such as training.epochs"),
    ("training epochs=2", "--set: 'training epochs' must look like section.key, such as training.epochs"),
    ("horizons=[1", "--set horizons: the value '[1' is not valid YAML: while parsing a flow sequence: "
                    "expected ',' or ']', but got '<stream end>'"),
    ("seeds.root=.nan", "--set seeds.root: must be a finite number of at most 64 bits, got nan"),
    ("seeds.root=!!python/name:os.system", "--set seeds.root: has the tag '!!python/name:os.system'; a study holds "
                                           "text, numbers, true, false and null"),
])  # fmt: skip
def test_wrong_override(override, expected, faults, valid_text):
    assert faults(valid_text, [override]) == [expected]


def test_a_key_deeper_than_a_study_can_be_is_one_fault(faults, valid_text):
    (found,) = faults(valid_text, ["a" + ".a" * 2000 + "=1"])
    assert found.startswith("--set: 'a.a.a.") and found.endswith("is nested more than 20 deep")  # noqa: PT018


def test_every_wrong_override_and_every_fault_of_the_file_at_once(faults, valid_text):
    text = valid_text.replace("embargo: 5 ", "embargo: -3 ")
    line = text[: text.index("  embargo")].count("\n") + 1
    assert faults(text, ["training.epochs", "training.epoch=2", "horizons[7]=1"]) == [
        "--set: 'training.epochs' must look like section.key=value",
        "--set horizons: is a list of 2; its entries are numbered from 0, and none is '7'",
        "--set training.epoch: unknown key; did you mean 'epochs'?",
        f"study.yaml:{line}:3 splits.embargo: must be ≥ 0, got -3",
    ]
