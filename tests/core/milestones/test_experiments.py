"""The evidence of P5.M2 from a small experiment: every criterion holds, and each can fail."""

import shutil

import pytest
from support.campaigns import run_on_one_pair

from golden_core.milestones import suite
from golden_core.milestones.place import Place
from golden_core.milestones.records import EvidenceError
from golden_core.milestones.registry import load_registry, matches
from golden_core.milestones.suite import experiment_pages, experiment_ran
from golden_core.preparation.catalogue import load_study
from golden_core.store.lake import PROJECT_ROOT, Home
from golden_core.store.warehouse import Warehouse

STUDY = load_study(
    "smoke",
    [
        "name=small",
        "data.pairs=[EURUSD]",
        "seeds.count=5",
        "forecasters={random_walk: {}, v08: {gate: linear, initialisers: keras_3.8}}",
        "protocol={kinds: [more_accurate, equivalent], scopes: [series], loss: squared, margin: 0.05, family: kind, "
        "alpha: 0.05, power: 0.8}",
    ],
)
PLACE = Place(PROJECT_ROOT, PROJECT_ROOT / "docs" / "golden")


@pytest.fixture(scope="module")
def experiment(tmp_path_factory):
    return run_on_one_pair(tmp_path_factory.mktemp("experiment"), STUDY)


@pytest.fixture
def own(experiment, tmp_path):
    """A copy to break."""
    shutil.copytree(experiment.root.parent, tmp_path / "own")
    return Home(tmp_path / "own" / "home", tmp_path / "own" / "reports")


def test_an_experiment_gives_its_report_and_satisfies_the_plan(experiment):
    pages, results = experiment_pages(PLACE, experiment, STUDY)
    milestone = load_registry().milestone("P5.M2")
    assert {result.criterion for result in results} == {c.id for c in milestone.criteria if c.check}
    assert [result for result in results if not result.passed] == []
    values = {result.criterion: result.value for result in results}
    assert values["v08_reproduced"].startswith("5 runs at least on 1 series; 5 of 5 as recorded; parameter_counts pass")
    assert values["intervals_automatic"].startswith("2 of 2 claims, ")
    assert values["reports_recorded"].startswith("0 of ")
    assert all(any(matches(name, pattern) for pattern in milestone.patterns) for name in pages)
    assert {"reports/index.html", "reports/claims.tex", "reports/strata.csv", "reports/written.json"} <= pages.keys()
    assert "reports/metrics.csv" not in pages
    assert experiment_ran(experiment, STUDY)
    assert not experiment_ran(experiment, load_study("demo"))


def test_every_criterion_can_fail(own, monkeypatch):
    (weights, *_) = own.study("small").root.glob("trials/v08/EURUSD_h1/*/weights.safetensors")
    weights.write_bytes(b"other")
    page = own.report("small") / "claims.csv"
    page.write_text(page.read_text(encoding="utf-8").replace("0.", "1.", 1), encoding="utf-8")
    monkeypatch.setattr(suite, "_INTERVALS", suite._INTERVALS.replace("low IS NOT NULL", "low > high", 1))
    _, (reproduced, intervals, recorded) = experiment_pages(PLACE, own, STUDY)
    assert "4 of 5 as recorded" in reproduced.value
    assert intervals.value.startswith("0 of 2 claims")
    assert recorded.value.startswith("1 of ")
    assert not any(result.passed for result in (reproduced, intervals, recorded))


def test_without_a_legacy_record_nothing_agrees_with_it(experiment, tmp_path):
    result = suite._reproduced(Place(PROJECT_ROOT, tmp_path), experiment, STUDY, Warehouse(experiment.warehouse))
    assert not result.passed
    assert result.value.endswith("parameter_counts unmeasured; output_parity unmeasured")


def test_another_experiment_is_refused(experiment):
    with pytest.raises(EvidenceError, match="lacks forecaster v08 or a protocol"):
        experiment_pages(PLACE, experiment, load_study("smoke"))
