"""The sections themselves: no defaults, frozen, strict, and rules that hold without a file."""

import copy
import pickle
from typing import get_args

import pytest
from pydantic import ValidationError

from golden_core.study import DataSection, Section, Study, WalkForwardSection, describe
from golden_core.study.anatomy import sections
from golden_core.study.section import Rule, broken
from golden_core.study.sections import SeedsSection
from golden_core.study.values import FrozenDict, freeze

SPLITS = {"scheme": "walk_forward", "window": "rolling", "train": 9, "validation": 5, "test": 5, "step": 5}
SPLITS |= {"embargo": 0, "closures": "keep"}


def all_sections(model):
    yield model
    for field in model.model_fields.values():
        for annotation in (field.annotation, *get_args(field.annotation)):
            for section in sections(annotation):
                yield from all_sections(section)


def every_model(vocabulary):
    roots = [Study, *vocabulary.sources.values(), *vocabulary.forecasters.values()]
    return {section for root in roots for variant in sections(root) for section in all_sections(variant)}


def test_nothing_here_has_a_default(vocabulary):
    models = every_model(vocabulary)
    assert {"Study", "Plateau", "EarlyStopping", "LegacySettings", "Columns"} <= {model.__name__ for model in models}
    with_default = [f"{m.__name__}.{name}" for m in models for name, f in m.model_fields.items() if not f.is_required()]
    sections = ("quantiles", "protocol", "economics", "placebo", "explanations")
    none_at_all = {*(f"Study.{name}" for name in sections), "ProtocolSection.coverage", "DataSection.price"}
    no_choice_before = {"TrainingSection.device", "TrainingSection.kernels"}
    assert set(with_default) == none_at_all | no_choice_before


QUANTILES = "quantiles={levels: [0.1, 0.5, 0.9], calibration: {method: split, share: 0.5}}"


def test_a_study_without_quantiles_is_what_it_was_before_there_were_any(read, valid_text):
    """Not a word of the absent section, and so no other hash; with the section it is another study."""
    without, with_them = read(valid_text), read(valid_text, [QUANTILES])
    assert "quantiles" not in without.model_dump() | without.model_dump(mode="json")
    assert "quantiles" not in without.canonical()
    assert read(valid_text, ["quantiles=null"]).hash() == without.hash() != with_them.hash()
    assert describe(with_them).endswith("  levels: [0.1, 0.5, 0.9]\n  calibration: {method: split, share: 0.5}\n")
    assert Study.model_validate(with_them.model_dump()) == with_them


@pytest.mark.parametrize("device", ["cuda", "auto"])
def test_portable_kernels_are_those_of_a_processor(faults, valid_text, device):
    assert faults(valid_text, [f"training.device={device}", "training.kernels=portable"]) == [
        f"--set training.kernels: must be native where device is {device}: portable kernels are those of a processor"
    ]


@pytest.mark.parametrize("levels", [[0.1, 0.5], [0.1, 0.5, 0.8], [0.1, 0.2, 0.8, 0.9], [0.9, 0.5, 0.1], [0.5] * 3])
def test_levels_are_the_ends_of_central_intervals(faults, valid_text, levels):
    (found,) = faults(valid_text, [QUANTILES, f"quantiles.levels={levels}"])
    assert "quantiles.levels: must" in found


def test_adaptive_calibration_says_its_step_and_split_has_none(faults, valid_text):
    for override, said in {"method=adaptive": "is required", "step=0.1": "unknown key"}.items():
        (found,) = faults(valid_text, [QUANTILES, f"quantiles.calibration.{override}"])
        assert found.startswith(f"--set quantiles.calibration.step: {said}")


def test_every_section_is_frozen_closed_strict_and_finite(vocabulary):
    wanted = {"frozen": True, "extra": "forbid", "strict": True, "allow_inf_nan": False}
    for model in every_model(vocabulary):
        assert issubclass(model, Section), model
        assert model.model_config.items() >= wanted.items(), model


def test_every_setting_of_the_study_is_described(vocabulary):
    models = {model for model in every_model(vocabulary) if model.__module__.startswith("golden_core.study")}
    bare = [
        f"{model.__name__}.{name}"
        for model in models
        for name, field in model.model_fields.items()
        if not field.description and not sections(field.annotation)
    ]
    assert bare == []


def test_no_setting_can_be_changed(read, valid_text):
    study = read(valid_text)
    for section in (study, study.data, study.splits, study.seeds, study.training, study.training.plateau):
        assert section is not None
        for name in type(section).model_fields:
            with pytest.raises(ValidationError, match="frozen"):
                setattr(section, name, 1)
    with pytest.raises(ValidationError):
        study.extra = 1


def test_no_settings_of_sources_and_forecasters_can_be_changed(read, valid_text):
    study = read(valid_text)
    before = study.hash()
    for settings in (study.forecasters, study.forecasters["ar"], study.data.settings):
        changes = [
            lambda d: d.__setitem__("x", 1), lambda d: d.__delitem__(next(iter(d))), lambda d: d.update(x=1),
            lambda d: d.pop(next(iter(d))), lambda d: d.popitem(), lambda d: d.clear(), lambda d: d.setdefault("x", 1),
            lambda d: d.__ior__({"x": 1}),
        ]  # fmt: skip
        for change in changes:
            with pytest.raises(TypeError, match="frozen"):
                change(settings)
    assert study.hash() == before


def test_study_survives_pickling_and_copying(read, valid_text):
    study = read(valid_text)
    for twin in (pickle.loads(pickle.dumps(study)), copy.deepcopy(study), copy.copy(study)):
        assert twin == study
        assert isinstance(twin.forecasters["ar"], FrozenDict)


def test_freeze_goes_all_the_way_down():
    frozen = freeze({"a": [{"b": 1}], "c": {"d": [1, [2]]}})
    assert frozen == {"a": ({"b": 1},), "c": {"d": (1, (2,))}}
    with pytest.raises(TypeError):
        frozen["a"][0]["b"] = 2
    with pytest.raises(TypeError):
        frozen["c"]["d"] = 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"step": 4}, "step: must be ≥ test"),
        ({"train": "9"}, "train"),
        ({"extra": 1}, "extra"),
        ({"train": True}, "train"),
    ],
)
def test_sections_made_in_python_are_held_to_the_same(change, message):
    WalkForwardSection(**SPLITS)
    with pytest.raises(ValidationError, match=message):
        WalkForwardSection(**SPLITS | change)


def test_splits_without_a_scheme(faults, valid_text):
    without = {key: value for key, value in SPLITS.items() if key != "scheme"} | {"validation": 30}
    found = faults(valid_text, {"splits": without})
    assert found == ["--set splits.scheme: is required: how folds are laid: always in the order of time"]


def test_rules_hold_for_a_copy_made_from_a_dump(read, valid_text):
    values = read(valid_text).model_dump()
    assert Study.model_validate(values) == read(valid_text)
    values["seeds"]["count"] = 4
    with pytest.raises(ValidationError, match=r"seeds\.count: must be ≥ 5"):
        Study.model_validate(values)


@pytest.mark.parametrize(("name", "smoke"), [("smoke", True), ("smoke_gpu", True), ("smokey", False), ("demo", False)])
def test_only_a_smoke_study_may_have_few_seeds(name, smoke, read, faults, valid_text):
    overrides = [f"name={name}", "seeds.count=1"]
    if smoke:
        assert read(valid_text, overrides).is_smoke
    else:
        assert faults(valid_text, overrides) == [
            "--set seeds.count: must be ≥ 5 in a study that is not called smoke or smoke_…, got 1"
        ]


def test_seeds_are_bounded_by_64_bits():
    assert SeedsSection(root=2**63 - 1, count=5).root == 2**63 - 1
    with pytest.raises(ValidationError):
        SeedsSection(root=2**63, count=5)


def test_day_is_a_day(read, valid_text):
    values = read(valid_text).data.model_dump()
    assert DataSection.model_validate(values).start == values["start"]
    for wrong in (1199145600, 1199145600.0, "1199145600", "20080101"):
        with pytest.raises(ValidationError, match="must be a day like"):
            DataSection.model_validate(values | {"start": wrong})


def test_rule_waits_for_the_fields_it_reads():
    rule = Rule(("a.b", "c"), lambda b, c: "no" if b > c else None)
    assert broken([rule], {"a": {"b": 2}, "c": 1}) == [(("a", "b"), "no")]
    assert broken([rule], {"a": {"b": 1}, "c": 1}) == []
    for values in ({"a": None, "c": 1}, {"c": 1}, {"a": {}, "c": 1}, {"a": {"b": 2}, "c": None}, {"a": 3, "c": 1}):
        assert broken([rule], values) == []
    for faulty in (("a",), ("a", "b"), ("c",), ("a", "b", 0), ()):
        assert broken([rule], {"a": {"b": 2}, "c": 1}, [faulty]) == []
    assert broken([rule], {"a": {"b": 2}, "c": 1}, [("a", "x"), ("d",)]) == [(("a", "b"), "no")]


def test_rule_about_keys_does_not_mind_faulty_values():
    rule = Rule(("a",), lambda a: None if "x" in a else "lacks x", keys_only=True)
    assert broken([rule], {"a": {"y": 1}}, [("a", "y")]) == [(("a",), "lacks x")]
    assert broken([rule], {"a": 1}, [("a",)]) == []
