"""Pages of the backbone follow the code."""

import json
import sys

import jsonschema
import pytest
from ruamel.yaml import YAML

from golden_core.milestones import designs
from golden_core.milestones.interfaces import interfaces
from golden_core.milestones.makers import MAKERS, Given
from golden_core.milestones.place import Place
from golden_core.milestones.records import EvidenceError
from golden_core.milestones.registry import load_registry, matches
from golden_core.preparation.catalogue import load_study, study_names, vocabulary
from golden_core.store.lake import PROJECT_ROOT, shipped
from golden_core.study import Rule, TrainingSection, study_schema


class TestConfiguration:
    def test_the_schema_is_the_one_that_studies_are_read_with(self):
        schema = YAML(typ="safe", pure=True).load(designs.config_schema())
        assert schema == study_schema(vocabulary())
        for path in shipped("studies").glob("*.yaml"):
            study = YAML(typ="safe", pure=True).load(path.read_bytes())
            jsonschema.validate(json.loads(json.dumps(study, default=str)), schema)  # a day is text in JSON

    def test_every_rule_is_on_the_page_with_what_it_reads(self):
        pages, (result,) = designs.configuration_pages()
        rules = len(dict(designs._rules()))
        assert rules > 20
        assert (result.value, result.passed) == (f"{rules} of {rules}", True)
        assert "| `WalkForwardSection.step` | At least as long as the test part" in pages["validation_rules.md"]
        assert "| `GarchSettings._stationary` | `alpha` and `beta` are less than 1" in pages["validation_rules.md"]
        assert "| demo | 20080915 | 5 | 5 |" in pages["reproducibility_checklist.md"]

    def test_a_rule_without_words_fails_and_there_are_no_words_without_a_rule(self, monkeypatch):
        rules = len(dict(designs._rules()))
        assert len(designs._yaml("rules.yaml")) == rules
        monkeypatch.setattr(TrainingSection, "RULES", (*TrainingSection.RULES, Rule(("epochs",), lambda epochs: None)))
        pages, (result,) = designs.configuration_pages()
        assert (result.value, result.passed) == (f"{rules} of {rules + 1}", False)
        assert "| `TrainingSection.epochs` | not documented |" in pages["validation_rules.md"]


class TestOrchestrator:
    def test_the_pages_hold_contracts_identity_and_tables(self):
        pages, results = designs.orchestrator_pages()
        assert all(result.passed for result in results)
        page = pages["orchestrator_design.md"]
        assert "| `fit` | `(train: Examples, validation: Examples, stream: Stream) -> list[Epoch]` |" in page
        assert all(f"`{name}`" in page for name in ("root_seed", "bootstrap_low", "machine.gpu"))
        assert pages == designs.orchestrator_pages()[0]

    def test_arrows_are_what_annotations_name(self):
        uses = {one.name: set(one.uses) for one in interfaces()}
        assert uses["Forecaster"] == {"Context", "Examples", "Windows", "Stream"}
        assert uses["Examples"] == {"Windows"}
        assert uses["Windows"] == set()

    def test_the_metadata_specification_is_what_a_trial_records(self, finished):
        path = next(finished.root.glob("studies/*/trials/*/*/*/provenance.json"))
        recorded = json.loads(path.read_text(encoding="utf-8"))
        nested = {f"{part}.{name}" for part in ("git", "machine") for name in recorded.pop(part)}
        assert set(designs._yaml("provenance.yaml")) == recorded.keys() | nested

    def test_too_few_seeds_fail(self, monkeypatch):
        small = load_study("demo").model_copy(update={"seeds": load_study("smoke").seeds})
        assert not designs._seeds_result([small]).passed


def test_the_usage_has_every_command():
    pages, (result,) = designs.usage_page(Place.from_environment(PROJECT_ROOT))
    assert result.passed
    assert "### `golden milestones status`" in pages["usage.md"]
    assert all(f"`{name}`" in pages["usage.md"] for name in study_names())


def test_a_program_that_does_not_answer_is_said(monkeypatch):
    monkeypatch.setattr(designs, "PROGRAM", (sys.executable, "-c", "raise SystemExit('no program')"))
    with pytest.raises(EvidenceError, match="no program"):
        designs.usage_page(Place.from_environment(PROJECT_ROOT))


@pytest.mark.parametrize("identity", ["P2.M1", "P3.M1", "P4.M2", "P5.M1"])
def test_makers_give_what_the_plan_asks_for(identity):
    milestone = load_registry().milestone(identity)
    pages, results = MAKERS[identity](Place.from_environment(PROJECT_ROOT), Given())
    assert all(any(matches(name, pattern) for pattern in milestone.patterns) for name in pages)
    assert all(any(matches(name, pattern) for name in pages) for pattern in milestone.patterns)
    assert {result.criterion for result in results} == {c.id for c in milestone.criteria if c.check}
