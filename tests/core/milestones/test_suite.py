"""The evidence of P6.M2 from a small campaign: every criterion holds, and each can fail."""

import shutil

import duckdb
import numpy as np
import polars as pl
import pytest
from support.campaigns import run_on_one_pair

from golden_core.benchmarking.measurement import Condition, Measurement
from golden_core.benchmarking.records import file_run
from golden_core.benchmarking.sampling import Sample
from golden_core.evaluation.campaign import evaluate
from golden_core.interpretability.explain import explain_study
from golden_core.milestones import suite
from golden_core.milestones.makers import MAKERS
from golden_core.milestones.place import Place
from golden_core.milestones.registry import load_registry, matches
from golden_core.placebo.filed import Filed
from golden_core.placebo.verdict import SHOWN
from golden_core.preparation.catalogue import load_study
from golden_core.reporting.benchmarks import write_benchmarks
from golden_core.store.lake import PROJECT_ROOT, Home
from golden_core.store.warehouse import Warehouse
from golden_core.trials.stored import IncompleteError

PLACE = Place(PROJECT_ROOT, PROJECT_ROOT / "docs" / "golden")
STUDY = load_study(
    "smoke",
    [
        "name=small",
        "data.pairs=[EURUSD]",
        "seeds.count=5",
        "forecasters={random_walk: {}, dlinear: {moving_average: 3, epochs: 2}}",
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
    assert documented.value.startswith("0 of 1 claims carried, of 2 asked")
    assert documented.value.endswith("1 not carried without the effect or margin that would have been")
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


@pytest.mark.parametrize(("found", "verdict", "current"), [(1, SHOWN, True), (2, "open", True), (1, SHOWN, False)])
def test_the_placebo_counts_where_it_is_of_todays_code_and_claims_little_enough(monkeypatch, found, verdict, current):
    row = {"arm": "cheap", "found": found, "universes": 100, "allowed": 1, "verdict": verdict}
    filed = Filed(pl.DataFrame([row]), {"cheap": 100}, current, "abc")
    monkeypatch.setattr(suite, "filed_count", lambda *_: filed)
    pages, (result,) = suite.placebo_pages(PLACE)
    assert "cheap" in pages["placebo.csv"]
    assert result.passed == (found == 1 and current)
    assert str(result.value).startswith(f"{found} of 100 universes claim a skill")


def test_a_placebo_that_nobody_counted_is_unmeasured(tmp_path):
    assert suite.placebo_pages(Home(tmp_path, tmp_path)) == ({}, ())


def test_every_milestone_of_the_plan_has_a_maker():
    assert MAKERS.keys() == {milestone.id for milestone in load_registry().milestones}
