"""The JSON schema and the resolved YAML: they say the same as the validation."""

import copy

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from golden_core.store.lake import shipped
from golden_core.study import describe, read_study, study_schema
from golden_core.study.document import compose, read_document


@pytest.fixture(scope="module")
def schema(vocabulary):
    return study_schema(vocabulary)


@pytest.fixture(scope="module")
def values(valid_text):
    return read_document(compose(valid_text)).values


def conforms(values, schema):
    return bool(jsonschema.Draft202012Validator(schema).is_valid(values))


def test_schema_is_a_schema(schema):
    jsonschema.Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize("path", sorted(shipped("studies").glob("*.yaml")), ids=lambda path: path.stem)
def test_shipped_studies_conform(path, schema):
    assert conforms(read_document(compose(path.read_text(encoding="utf-8"))).values, schema)


def test_schema_names_settings_by_source_and_forecaster(schema, vocabulary):
    assert set(schema["properties"]["forecasters"]["properties"]) == set(vocabulary.forecasters)
    assert schema["$defs"]["DataSection"]["properties"]["source"]["enum"] == sorted(vocabulary.sources)


@pytest.mark.parametrize(("section", "change"), [
    ((), {"nonsense": 1}), ((), {"target": "open"}), ((), {"features": ["rsi"]}), ((), {"features": []}),
    ((), {"name": "Demo"}), (("data",), {"source": "ebc"}), (("data",), {"source": "files"}),
    (("data",), {"settings": {"pth": None}}), (("data", "settings"), {"path": 3}), (("data",), {"pairs": ["eur"]}),
    (("splits",), {"embargo": -1}), (("training",), {"epochs": 1.5}), (("training",), {"plateau": {}}),
    (("forecasters",), {"prophet": {}}), (("forecasters",), {"ar": {}}), (("forecasters", "drift"), {"x": 1}),
    (("forecasters", "v08"), {"gate": "x"}), (("evaluation",), {"confidence": 1}),
])  # fmt: skip
def test_schema_refuses(section, change, schema, values):
    wrong = copy.deepcopy(values)
    target = wrong
    for part in section:
        target = target[part]
    target.update(change)
    assert conforms(values, schema)
    assert not conforms(wrong, schema)


def test_schema_wants_the_benchmark(schema, values):
    wrong = copy.deepcopy(values)
    del wrong["forecasters"]["random_walk"]
    assert not conforms(wrong, schema)


@pytest.mark.parametrize("path", sorted(shipped("studies").glob("*.yaml")), ids=lambda path: path.stem)
def test_description_reads_back_as_the_same_study(path, vocabulary, read):
    study = read_study(path, vocabulary)
    text = describe(study)
    assert text.startswith(f"# sha256 {study.hash()}\nname: {path.stem}\n")
    assert read(text) == study
    assert read(text).hash() == study.hash()
    assert all(line == line.rstrip() for line in text.splitlines())


def test_description_shows_overrides(read, valid_text):
    assert "\n  epochs: 77\n" in describe(read(valid_text, ["training.epochs=77"]))


ODD = ["NO", "1e-3", ".5e3", "22:30", "2020-01-01", "~", "null", " x ", "a\n\nb\n", "- a", "#x", "<<", "="]


@given(text=st.text(st.characters(codec="utf-8"), min_size=1, max_size=200) | st.sampled_from(ODD))
def test_any_description_survives(text, read, valid_text):
    study = read(valid_text, {"description": text, "data.settings.path": text})
    assert read(describe(study)) == study


@given(value=st.floats(min_value=0, exclude_min=True, allow_nan=False, allow_infinity=False))
def test_any_float_survives(value, read, valid_text):
    study = read(valid_text, {"training.weight_decay": value})
    assert study.training.weight_decay == value
    assert read(describe(study)).hash() == study.hash()
