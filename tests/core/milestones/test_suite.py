"""The evidence of P5.M2, P6.M2 and P6.M3 from a small campaign: every criterion holds, and each can fail."""

import shutil

import duckdb
import numpy as np
import polars as pl
import pytest
from support.campaigns import OVERRIDES, run_on_one_pair

from golden_core.benchmarking.measurement import Condition, Measurement
from golden_core.benchmarking.records import file_run
from golden_core.benchmarking.sampling import Sample
from golden_core.evaluation.campaign import evaluate
from golden_core.interpretability.explain import explain_study
from golden_core.milestones import suite
from golden_core.milestones.makers import MAKERS
from golden_core.milestones.place import Place
from golden_core.milestones.records import EvidenceError
from golden_core.milestones.registry import load_registry, matches
from golden_core.milestones.suite import publication_pages, suite_ran
from golden_core.placebo.filed import Filed
from golden_core.placebo.verdict import SHOWN
from golden_core.preparation.catalogue import load_study, load_variant
from golden_core.reporting.benchmarks import write_benchmarks
from golden_core.store.lake import PROJECT_ROOT, Home, workplace
from golden_core.store.warehouse import Warehouse
from golden_core.trials import stored
from golden_core.trials.stored import IncompleteError

PLACE = Place(PROJECT_ROOT, PROJECT_ROOT / "docs" / "golden")
STUDY = load_study(
    "smoke",
    [
        "name=small",
        "data.pairs=[EURUSD]",
        "seeds.count=5",
        "forecasters={random_walk: {}, dlinear: {moving_average: 3, epochs: 2}, "
        "v08: {gate: linear, initialisers: keras_3.8}}",
        "protocol={kinds: [more_accurate, equivalent], scopes: [series], loss: squared, margin: 0.05, family: kind, "
        "alpha: 0.05, power: 0.8}",
        "explanations={forecasters: [dlinear], series: [EURUSD_h1], seeds: 2, rows: 8, methods: [occlusion]}",
    ],
)


@pytest.fixture(scope="module")
def campaign(tmp_path_factory):
    def explain_and_time(home):
        explain_study(home, STUDY)
        sample = Sample(1e-3 * (1 + np.arange(100) / 100), 20, True)
        file_run(home, "inference", "small", [Measurement("dlinear", "single", "window", Condition(batch=1), sample)])

    home = run_on_one_pair(tmp_path_factory.mktemp("suite"), STUDY, explain_and_time)
    write_benchmarks(home, STUDY)
    return home


@pytest.fixture
def own(campaign, tmp_path):
    """A copy to break."""
    shutil.copytree(campaign.root.parent, tmp_path / "own")
    return Home(tmp_path / "own" / "home", tmp_path / "own" / "reports")


def test_a_campaign_gives_report_figures_and_appendices_and_satisfies_the_plan(campaign):
    pages, results = suite.suite_pages(PLACE, campaign, STUDY)
    milestone = load_registry().milestone("P6.M2")
    ours = {result.criterion for result in results} | {"placebo_silent"}  # of another study
    assert ours == {c.id for c in milestone.criteria if c.check}
    assert [result for result in results if not result.passed] == []
    assert all(any(matches(name, pattern) for pattern in milestone.patterns) for name in pages)
    names = {"reports/golden_suite/index.html", "appendices/benchmarks.tex", "appendices/alignment.tex"}
    names |= {"appendices/claims.tex", "appendices/appendices.tex"}
    assert names | {f"reports/golden_suite/figures/effects.{kind}" for kind in ("pdf", "svg")} <= pages.keys()
    assert pages["reports/golden_suite/figures/effects.pdf"].startswith(b"%PDF")
    assert b"<svg" in pages["reports/golden_suite/figures/effects.svg"]
    book = pages["appendices/appendices.tex"]
    taken = {
        line.removeprefix(r"\input{").removesuffix("}") for line in book.splitlines() if line.startswith(r"\input")
    }
    assert taken == {name.split("/")[1].removesuffix(".tex") for name in pages if name.startswith("appendices/")} - {
        "appendices"
    }
    assert "This study has no such table." in book  # it trades nothing
    assert suite.suite_pages(PLACE, campaign, STUDY) == (pages, results)


@pytest.fixture
def _undrawn(monkeypatch):
    """Leave the files of figures out: they cost more than the pages, and no criterion looks at them."""
    monkeypatch.setattr(suite, "figures_apart", lambda *_, **__: {})


@pytest.mark.usefixtures("_undrawn")
def test_every_criterion_can_fail(own):
    page = own.report("small") / "claims.csv"
    page.write_text(page.read_text(encoding="utf-8").replace("0.", "1.", 1), encoding="utf-8")
    next(own.study("small").explained().rglob("attributions.parquet")).write_bytes(b"other")
    _, (complete, _, archived) = suite.suite_pages(PLACE, own, STUDY)
    assert "1 of " in complete.value
    assert "attributions is not what was written" in archived.value
    assert not any(result.passed for result in (complete, archived))
    # Below the pages, which refuse a warehouse that somebody has written to.
    silent = "smallest_effect = NULL, margin_reached = NULL, claimed = (kind = 'equivalent'), low = NULL"
    with duckdb.connect(own.warehouse) as warehouse:
        warehouse.execute(f"UPDATE claims SET {silent}")
    documented = suite._documented(STUDY, Warehouse(own.warehouse))
    assert documented.value.startswith("0 of 2 claims carried, of 4 asked")
    assert documented.value.endswith("2 not carried without the effect or margin that would have been")
    assert not documented.passed


@pytest.mark.usefixtures("_undrawn")
def test_without_a_benchmark_or_a_trial_it_is_not_the_suite(own):
    shutil.rmtree(own.root / "benchmarks")
    _, (*_, archived) = suite.suite_pages(PLACE, own, STUDY)
    assert archived.value.endswith("; 0 benchmarks of the study filed")
    assert not archived.passed
    shutil.rmtree(own.study("small").root / "trials" / "dlinear")
    evaluate(own, STUDY)
    assert not suite.suite_ran(own, STUDY)
    with pytest.raises(IncompleteError):
        suite.suite_pages(PLACE, own, STUDY)


def test_the_full_size_comes_first_and_none_is_said_to_be_there(campaign, monkeypatch):
    assert suite.suite(campaign).name == "golden"
    assert not suite.suite_ran(campaign, suite.suite(campaign))
    monkeypatch.setattr(suite, "load_study", lambda name: STUDY if name == "golden_two_cores" else load_study(name))
    assert suite.suite(campaign) == STUDY


@pytest.mark.parametrize(
    ("universes", "found", "verdict", "current", "passed"),
    [
        (500, 16, SHOWN, True, True),
        (500, 17, "open", True, False),
        (500, 16, SHOWN, False, False),
        (59, 0, SHOWN, True, False),  # as few as show the rate, and not those that were declared
    ],
)
def test_the_placebo_counts_where_it_is_of_todays_code_and_claims_little_enough(
    monkeypatch, universes, found, verdict, current, passed
):
    row = {"arm": "cheap", "found": found, "universes": universes, "allowed": 16, "verdict": verdict}
    network = {"arm": "network", "found": 0, "universes": 60, "allowed": 0, "verdict": SHOWN}
    filed = Filed(pl.DataFrame([row, network]), {"cheap": universes, "network": 60}, current, "abc")
    monkeypatch.setattr(suite, "filed_count", lambda *_: filed)
    pages, (result,) = suite.placebo_pages(PLACE)
    assert "cheap" in pages["placebo.csv"]
    assert result.passed == passed
    assert str(result.value).startswith(f"{found} of {universes} universes claim a skill")
    assert ("59 of 500 universes of arm cheap are done" in str(result.value)) is (universes == 59)


def test_a_placebo_that_nobody_counted_is_unmeasured(tmp_path):
    assert suite.placebo_pages(Home(tmp_path, tmp_path)) == ({}, ())


def test_every_milestone_of_the_plan_has_a_maker():
    assert MAKERS.keys() == {milestone.id for milestone in load_registry().milestones}


def test_an_experiment_gives_its_report_and_satisfies_the_plan(campaign):
    pages, results = suite.experiment_pages(PLACE, campaign, STUDY)
    milestone = load_registry().milestone("P5.M2")
    assert {result.criterion for result in results} == {c.id for c in milestone.criteria if c.check}
    assert [result for result in results if not result.passed] == []
    values = {result.criterion: result.value for result in results}
    assert values["v08_reproduced"].startswith("5 runs at least on 1 series; 5 of 5 as recorded; parameter_counts pass")
    assert values["intervals_automatic"].startswith("4 of 4 claims, ")
    assert values["reports_recorded"].startswith("0 of ")
    assert all(any(matches(name, pattern) for pattern in milestone.patterns) for name in pages)
    assert {"reports/index.html", "reports/claims.tex", "reports/strata.csv", "reports/written.json"} <= pages.keys()
    assert "reports/metrics.csv" not in pages
    assert suite.experiment_ran(campaign, STUDY)
    assert not suite.experiment_ran(campaign, load_study("demo"))


def test_every_criterion_of_an_experiment_can_fail(own, monkeypatch):
    (weights, *_) = own.study("small").root.glob("trials/v08/EURUSD_h1/*/weights.safetensors")
    weights.write_bytes(b"other")
    page = own.report("small") / "claims.csv"
    page.write_text(page.read_text(encoding="utf-8").replace("0.", "1.", 1), encoding="utf-8")
    monkeypatch.setattr(suite, "_INTERVALS", suite._INTERVALS.replace("low IS NOT NULL", "low > high", 1))
    _, (reproduced, intervals, recorded) = suite.experiment_pages(PLACE, own, STUDY)
    assert "4 of 5 as recorded" in reproduced.value
    assert intervals.value.startswith("0 of 4 claims")
    assert recorded.value.startswith("1 of ")
    assert not any(result.passed for result in (reproduced, intervals, recorded))


def test_without_a_legacy_record_nothing_agrees_with_it(campaign, tmp_path):
    result = suite._reproduced(Place(PROJECT_ROOT, tmp_path), campaign, STUDY, Warehouse(campaign.warehouse))
    assert not result.passed
    assert result.value.endswith("parameter_counts unmeasured; output_parity unmeasured")


def test_no_evidence_of_what_other_code_has_evaluated(campaign, monkeypatch):
    monkeypatch.setattr(stored, "evaluation_code", lambda: "another")
    for pages in (suite.suite_pages, suite.experiment_pages):
        with pytest.raises(
            IncompleteError, match=f"was evaluated by other code than this; run: golden run.* {STUDY.name}"
        ):
            pages(PLACE, campaign, STUDY)


def test_another_experiment_is_refused(campaign):
    with pytest.raises(EvidenceError, match="lacks forecaster v08 or a protocol"):
        suite.experiment_pages(PLACE, campaign, load_study("smoke"))


def test_the_deliverables_are_those_of_the_plan_and_come_out_again(finished):
    study, place = load_variant("smoke", OVERRIDES), Place.from_environment(workplace())
    pages = publication_pages(place, finished, study)
    declared = load_registry().milestone("P6.M3").patterns
    assert all(any(matches(name, pattern) for pattern in declared) for name in pages)
    assert all(any(matches(name, pattern) for name in pages) for pattern in declared)
    listed = pages["bundle.csv"].splitlines()
    assert listed[0] == "path,bytes,sha256"
    assert sum(line.startswith("tables/forecasts.parquet,") for line in listed) == 1
    assert publication_pages(place, finished, study) == pages


def test_the_papers_for_people_are_open(finished):
    study, place = load_variant("smoke", OVERRIDES), Place.from_environment(workplace())
    pages = publication_pages(place, finished, study)
    assert "Open: nobody has gone through it." in pages["external_review.md"]
    assert "Reviewer: ______" in pages["external_review.md"]
    assert "Open: to be filled in by people" in pages["post_mortem.md"]
    assert "The tag `v1.0-golden` is set by people" in pages["release.md"]
    assert "swh:1:rev:COMMIT" in pages["persistent_identifiers.md"]  # the next commit changes no evidence
    assert load_registry().milestone("P6.M3").criterion("external_review").human


def test_nothing_without_the_suite():
    home, study = Home.from_environment(), load_study("golden")
    assert not suite_ran(home, study)
    with pytest.raises(IncompleteError, match="not in the warehouse yet"):
        publication_pages(Place.from_environment(workplace()), home, study)
