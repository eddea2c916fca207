"""Requirements are mapped or named: every criterion of the plan has one, and a row that lost something is seen."""

import io
import zipfile

import pytest
from ruamel.yaml import YAML

from golden_core.milestones.makers import known_checks
from golden_core.milestones.place import Place
from golden_core.milestones.records import EvidenceError
from golden_core.milestones.registry import load_registry
from golden_core.milestones.requirements import (
    COLUMNS,
    REQUIREMENTS,
    letters,
    load_requirements,
    mapped,
    requirement_faults,
    requirement_rows,
    responsibility_page,
    workbook,
)
from golden_core.store.lake import PROJECT_ROOT

REGISTRY = load_registry()
PLACE = Place(PROJECT_ROOT, PROJECT_ROOT / "docs/golden")


@pytest.fixture(scope="module")
def checks():
    return known_checks(REGISTRY)


def faults_of(path, checks):
    return requirement_faults(load_requirements(path), REGISTRY, checks, PLACE)


@pytest.fixture
def changed(tmp_path):
    """Return a function that writes the requirements with one row changed, or none of that name."""

    def write(name, **values):
        content = YAML(typ="safe").load(REQUIREMENTS.read_text(encoding="utf-8"))
        row = next(row for row in content["requirements"] if row["id"] == name)
        row.update(values)
        for key in [key for key, value in values.items() if value is None]:
            del row[key]
        if not row:
            content["requirements"].remove(row)
        path = tmp_path / "requirements.yaml"
        YAML().dump(content, path)
        return path

    return write


def test_only_what_is_not_written_yet_is_unmapped(checks):
    """Artefacts of later milestones are the only ones that may be missing, and each is named."""
    faults = faults_of(REQUIREMENTS, checks)
    assert all(fault.endswith("is not there") for fault in faults)
    assert all("docs/golden/" in fault or "golden_core/interpretability" in fault for fault in faults)


def test_every_criterion_of_the_plan_is_covered(checks):
    assert not [fault for fault in faults_of(REQUIREMENTS, checks) if "no requirement covers" in fault]


@pytest.mark.parametrize(
    ("name", "values", "said"),
    [
        ("labels_purged", {"artefacts": ["golden_core/splits/purge.py"]}, "purge.py is not there"),
        ("labels_purged", {"check": "folds:no_overlap"}, "there is no check folds:no_overlap"),
        ("labels_purged", {"milestone": "P2.M9"}, "the plan has no milestone P2.M9"),
        ("gate_green", {"covers": ["ci_passed"]}, "P5.M1 has no criterion ci_passed"),
        ("gate_green", {"covers": ["infrastructure_approved"]}, "no requirement covers the criterion ci_passes"),
    ],
)
def test_a_row_that_points_nowhere_is_named(changed, checks, name, values, said):
    path = changed(name, **values)
    new = set(faults_of(path, checks)) - set(faults_of(REQUIREMENTS, checks))
    assert any(said in fault for fault in new)
    assert not mapped(load_requirements(path), sorted(new)).passed


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"equals": None}, "exactly one of equals, at_least, at_most; it has 0"),
        ({"at_most": 1.0}, "exactly one of equals, at_least, at_most; it has 2"),
        ({"equals": "none"}, "equals"),
        ({"covers": None}, "nothing decides it"),
        ({"artefacts": []}, "artefacts"),
        ({"artefacts": ["../outside"]}, "plain relative path"),
        ({"measures": ""}, "measures"),
        ({"id": "labels_purged"}, "labels_purged stands there twice"),
    ],
)
def test_a_row_that_cannot_be_measured_is_refused(changed, values, said):
    with pytest.raises(EvidenceError, match=said):
        load_requirements(changed("gate_green", **values))


def test_the_workbook_holds_every_row_and_is_the_same_on_every_day(monkeypatch):
    rows = requirement_rows(load_requirements(), REGISTRY)
    assert len(rows) == len(load_requirements())
    assert all(len(row) == len(COLUMNS) and all(row[:-1]) for row in rows)
    first = workbook(rows)
    monkeypatch.setattr("time.time", lambda: 2e9)
    assert workbook(rows) == first
    text = zipfile.ZipFile(io.BytesIO(first)).read("xl/sharedStrings.xml").decode()
    assert all(row[0] in text for row in rows)


def test_one_role_answers_for_each_milestone():
    page, result = responsibility_page(REGISTRY)
    assert result.passed, result
    assert all(milestone.id in page for milestone in REGISTRY.milestones)
    chart = letters(REGISTRY.milestone("P0.M1"), list(REGISTRY.roles))
    assert chart == {"TL": "A", "RL": "R", "DL": "R", "QL": "I", "IE": "I", "IS": "I"}


def test_a_role_without_work_is_named():
    plan = load_registry()
    idle = type(plan)({**plan.roles, "XX": "nobody's work"}, plan.phases)
    assert not responsibility_page(idle)[1].passed
