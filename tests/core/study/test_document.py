"""Text to plain values: YAML 1.2 scalars, places of keys, aliases and merge keys."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from golden_core.study.document import NOWHERE, compose, read_document

# YAML 1.2.2, section 10.3: the core schema, its example 10.9 and the traps of YAML 1.1.
SCALARS = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None, "true": True, "True": True, "TRUE": True,
    "false": False, "False": False, "FALSE": False, "0": 0, "0o7": 7, "0x3A": 58, "-19": -19, "+12": 12, "010": 10,
    "0.": 0.0, "-0.0": 0.0, ".5": 0.5, "+12e03": 12000.0, "-2E+05": -200000.0, "1e-3": 0.001, "1.0e-03": 0.001,
    "1.": 1.0, ".5e1": 5.0, "-.5E2": -50.0, "'.5e1'": ".5e1",
    "NO": "NO", "no": "no", "yes": "yes", "on": "on", "off": "off", "y": "y", "22:30": "22:30", "1_000": "1_000",
    "0b1": "0b1", "2008-01-01": "2008-01-01", "2008-01-01T00:00:00Z": "2008-01-01T00:00:00Z", "1e": "1e", ".": ".",
    "'1'": "1", '"true"': "true", "''": "", "!!str 1": "1", "1 2": "1 2", "null x": "null x", "tRUE": "tRUE", "=": "=",
}  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), SCALARS.items())
def test_scalar(text, expected):
    document = read_document(compose(f"key: {text}"))
    assert document.faults == []
    assert document.values == {"key": expected}
    assert type(document.values["key"]) is type(expected)


def test_signed_zero_has_one_spelling():
    value = read_document(compose("key: -0.0")).values["key"]
    assert math.copysign(1, value) == 1


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ('"\\ud83d\\ude00": "\\ud83d\\ude00"', {"😀": "😀"}),  # a pair of surrogates is one character
        ("a: &x 1\nb: &x 2\nc: *x\n", {"a": 1, "b": 2, "c": 2}),  # the later anchor of a name counts
    ],
)
def test_values(text, values):
    assert read_document(compose(text)).values == values


@pytest.mark.parametrize("text", ['"\\ud83d": 1', 'a: "\\ude00"', "1: a", "null: a", "[a]: b", "{a: b}: c"])
def test_key_or_text_that_cannot_be_stored(text):
    document = read_document(compose(text))
    assert len(document.faults) == 1
    assert document.values in ({}, {"a": None})


@pytest.mark.parametrize("text", [".inf", "-.Inf", "+.INF", ".nan", ".NaN", "1e999", "-1e999", "9" * 101, str(2**63)])
def test_number_that_is_not_one(text):
    document = read_document(compose(f"key: {text}"))
    assert [path for path, _ in document.faults] == [("key",)]


def test_places_are_those_of_keys_and_entries():
    text = "a:\n  b: 1\n  c: [x, {d: 2}]\n'e f': &anchor\n- y\n-   z\ng: *anchor\n"
    assert read_document(compose(text)).places == {
        (): (1, 1), ("a",): (1, 1), ("a", "b"): (2, 3), ("a", "c"): (3, 3), ("a", "c", 0): (3, 7),
        ("a", "c", 1): (3, 10), ("a", "c", 1, "d"): (3, 11), ("e f",): (4, 1), ("e f", 0): (5, 3),
        ("e f", 1): (6, 5), ("g",): (7, 1), ("g", 0): (5, 3), ("g", 1): (6, 5),
    }  # fmt: skip


def test_place_of_what_does_not_exist_is_that_of_its_section():
    document = read_document(compose("a:\n  b: 1\n"))
    assert document.place(("a", "c", "d")) == (1, 1)
    assert document.place(("x",)) == (1, 1)
    assert NOWHERE not in document.places.values()


def test_own_keys_win_over_merged_ones_and_the_first_source_wins():
    text = "p: &p {a: 1, b: 1, c: 1}\nq: &q {b: 2, c: 2, d: 2}\nr: {c: 3, <<: [*p, *q]}\n"
    document = read_document(compose(text))
    assert document.values["r"] == {"a": 1, "b": 1, "c": 3, "d": 2}
    assert document.places["r", "a"] == (1, 8)
    assert document.places["r", "c"] == (3, 5)


NAME = st.from_regex(r"[a-z]{1,5}", fullmatch=True)
TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]))
NUMBER = st.integers(-(2**63) + 1, 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
PLAIN = st.recursive(
    st.none() | st.booleans() | NUMBER | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAME, inner, max_size=3),
    max_leaves=15,
)


@given(tree=st.dictionaries(NAME, PLAIN, min_size=1, max_size=4))
def test_agrees_with_an_ordinary_yaml_reader(tree):
    text = json.dumps(tree, ensure_ascii=False)  # JSON is YAML 1.2
    ours = read_document(compose(text))
    assert ours.faults == []
    assert ours.values == tree
    reader = YAML(typ="safe", pure=True)
    assert reader.load(text) == tree
