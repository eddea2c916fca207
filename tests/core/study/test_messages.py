"""Messages about settings of other people's sources and forecasters: unions, mappings, validators of their own."""

from __future__ import annotations

import dataclasses
import json
from typing import Annotated, ClassVar, Literal

import pytest
from pydantic import BaseModel, Field, RootModel, field_validator, model_validator

from golden_core.study import Rule, Section, StudyError, read_study
from golden_core.study.faults import Fault, closest, dotted, nearest, show
from golden_core.study.values import Pair


class Inner(Section):
    kind: Literal["inner"]
    depth: int = Field(ge=1, description="levels")
    low: float
    high: float

    RULES: ClassVar = (Rule(("high", "low"), lambda high, low: None if high > low else f"must be > low ({low})"),)


class Other(Section):
    kind: Literal["other"]
    width: int = Field(ge=1)


class Variants(RootModel[Annotated[Inner | Other, Field(discriminator="kind")]]):
    """Settings that are one of two."""


class Rich(BaseModel):
    """Settings of a third party that is neither strict nor frozen."""

    model_config: ClassVar = {"extra": "forbid"}

    files: dict[Pair, str]
    number: int | str
    layers: list[Inner] = Field(min_length=2)
    odd: int
    optional: Inner | None = None

    @field_validator("odd")
    @classmethod
    def _odd(cls, value):
        if value % 2 == 0:
            raise ValueError("must be odd,\n  as a window has a middle")
        return value

    @model_validator(mode="after")
    def _whole(self):
        if self.number == 13:
            raise ValueError("thirteen is not a number of layers")
        return self


INNER = {"kind": "inner", "depth": 1, "low": 0.0, "high": 1.0}
RICH = {"files": {"EURUSD": "x"}, "number": 1, "layers": [INNER, INNER], "odd": 3}


@pytest.fixture
def lines(vocabulary, valid):
    """Return what is said about settings of the forecasters `variants` and `rich`, without the path before them."""
    known = {**vocabulary.forecasters, "variants": Variants, "rich": Rich}
    extended = dataclasses.replace(vocabulary, forecasters=known)

    def said(name, settings):
        try:
            study = read_study(valid, extended, [f"forecasters.{name}={json.dumps(settings)}"])
        except StudyError as error:
            return [str(fault).removeprefix(f"--set forecasters.{name}") for fault in error.faults]
        assert study.forecasters[name]
        return []

    return said


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (INNER, []),
        ({"kind": "other", "width": 2}, []),
        ({}, [".kind: is required"]),
        ({"kind": "iner"}, [".kind: must be 'inner' or 'other', got 'iner'; did you mean 'inner'?"]),
        ({"kind": 3}, [".kind: must be 'inner' or 'other', got 3"]),
        (INNER | {"depth": 0}, [".depth: must be ≥ 1, got 0"]),
        (INNER | {"high": -1.0}, [".high: must be > low (0.0)"]),
        (INNER | {"high": -1.0, "depth": 0}, [".depth: must be ≥ 1, got 0", ".high: must be > low (0.0)"]),
        ({"kind": "inner", "dept": 1, "low": 0, "high": 1}, [".dept: unknown key; did you mean 'depth'?"]),
        ({"kind": "other", "widht": 1}, [".widht: unknown key; did you mean 'width'?"]),
        ({"kind": "other", "width": 1, "colour": 1}, [".colour: unknown key; known: kind, width"]),
        ({"kind": "inner", "low": 0, "high": 1}, [".depth: is required: levels"]),
    ],
)
def test_settings_that_are_one_of_several(settings, expected, lines):
    assert lines("variants", settings) == expected


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, []),
        ({"files": {"eurusd": "x"}}, [".files.eurusd: must match ^[A-Z]{6}$, got 'eurusd'"]),
        ({"files": {"EURUSD": 3}}, [".files.EURUSD: must be text, got 3"]),
        ({"files": {"EUREUR": "x"}}, [".files.EUREUR: must be two different currencies, got 'EUREUR'"]),
        ({"number": 1.5}, [".number: must be an integer, got 1.5", ".number: must be text, got 1.5"]),
        ({"number": 13}, [": thirteen is not a number of layers"]),
        ({"odd": 2}, [".odd: must be odd, as a window has a middle, got 2"]),
        ({"layers": [INNER]}, [".layers: must have at least 2 entries"]),
        ({"layers": [INNER, INNER | {"depth": 0}]}, [".layers[1].depth: must be ≥ 1, got 0"]),
        ({"layers": [INNER, INNER | {"dpth": 0}]}, [".layers[1].dpth: unknown key; did you mean 'depth'?"]),
        ({"optional": INNER | {"dpeth": 0}}, [".optional.dpeth: unknown key; did you mean 'depth'?"]),
        ({"optional": 3}, [".optional: must be a mapping, got 3"]),
        ({"optional": INNER | {"high": -1.0}}, [".optional.high: must be > low (0.0)"]),
    ],
)
def test_settings_of_a_third_party(change, expected, lines):
    assert lines("rich", RICH | change) == expected


def test_paths_are_spelt_as_overrides_take_them():
    assert dotted(("splits", "embargo")) == "splits.embargo"
    assert dotted(("horizons", 1)) == "horizons[1]"
    assert dotted(("a", 0, "b", 1, 2)) == "a[0].b[1][2]"
    assert dotted(("a\nb", "")) == "'a\\nb'.''"
    assert dotted(()) == ""


@pytest.mark.parametrize(
    ("value", "shown"),
    [(None, "nothing"), (True, "true"), ({"a": 1}, "a mapping"), ([1], "a list"), ("x", "'x'"), ("a\nb", "'a\\nb'"),
     ("x" * 99, "'" + "x" * 58 + "…"), (1e-5, "1e-05"), ("\u202e", "'\\u202e'")],
)  # fmt: skip
def test_values_are_shown_short_and_printable(value, shown):
    assert show(value) == shown


def test_suggestions():
    known = ["epochs", "batch_size", "Europe/Berlin"]
    assert nearest("epoch", known) == "epochs"
    assert nearest("EPOCHS", known) == "epochs"
    assert nearest("europe/berlin", known) == "Europe/Berlin"
    assert nearest("zzz", known) is None
    assert closest("batchsize", known) == "; did you mean 'batch_size'?"
    assert closest("zzz", known) == ""


def test_faults_are_sorted_as_the_file_is_read():
    later, earlier = Fault("a.yaml", 10, 1, "x", "m"), Fault("a.yaml", 9, 5, "y", "m")
    assert StudyError([later, earlier, later]).faults == [earlier, later]
    assert str(StudyError([later, earlier])) == "a.yaml:9:5 y: m\na.yaml:10:1 x: m"
    assert str(Fault("--set", 0, 0, "a.b", "m")) == "--set a.b: m"
    assert str(Fault("a.yaml", 0, 0, "", "is empty")) == "a.yaml: is empty"
