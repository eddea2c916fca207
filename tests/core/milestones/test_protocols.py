"""The pages of P3.M2 and P4.M2: every kind of claim and scenario is explained, what a form lacks is seen."""

from typing import get_args

import polars as pl
import pytest

from golden_core.benchmarking.measurement import SCENARIOS
from golden_core.milestones import protocols
from golden_core.milestones.makers import MAKERS
from golden_core.milestones.protocols import KINDS, benchmark_pages, protocol_pages
from golden_core.placebo.filed import Filed
from golden_core.store.lake import Home
from golden_core.study import ProtocolSection


@pytest.fixture
def home(tmp_path):
    return Home(tmp_path / "home", tmp_path / "reports")


def test_every_kind_of_claim_has_its_question_and_test():
    (kinds, _) = get_args(ProtocolSection.model_fields["kinds"].annotation)
    assert set(get_args(kinds)) == set(KINDS)


def test_what_was_not_measured_is_said(home):
    pages, (averages,) = protocol_pages(home)
    assert "Unmeasured for this code" in pages["statistical_protocol.md"]
    assert "calibration.csv" not in pages
    assert averages.passed
    assert "templates/claims.md" in pages
    assert "Unmeasured here: `golden placebo placebo`" in pages["statistical_protocol.md"]
    assert "placebo.csv" not in pages


def test_what_universes_came_to_is_shown_with_the_code_it_is_of(home, monkeypatch):
    def counted(home, study, name, gate):
        facts = {"universes": [500], "found": [3], "seconds": [1.7]}
        if name == "power":
            curve = {"kind": ["predicts"], "forecaster": ["planted"], "r2": [0.0005], "low": [0.1], "high": [0.3]}
            return Filed(pl.DataFrame({**facts, **curve, "share": [0.2], "promised": [0.21]}), {}, True, "c0ffee")
        said = {"arm": ["cheap"], "claims": ["any skill"], "adjustment": ["Holm by kind"], "stopped": [2]}
        table = pl.DataFrame({**facts, **said, "share": [0.006], "allowed": [16], "verdict": ["at most 5 %"]})
        return Filed(table, {}, False, "c0ffee")

    monkeypatch.setattr(protocols, "filed_count", counted)
    pages, _ = protocol_pages(home)
    page = pages["statistical_protocol.md"]
    assert "| cheap | any skill | Holm by kind | 500 | 2 | 3 | 16 | at most 5 % | 1.7 |" in page
    assert "| planted | 0.0005 |" in page  # no digit of a small R² is lost
    assert page.count("Counted at commit c0ffee; the code has changed since") == 1
    assert pages["placebo.csv"].startswith("universes,found")
    assert all("<svg" in pages[f"{name}.svg"] for name in ("placebo", "power"))


@pytest.mark.parametrize(("lost", "left"), [("averages", "over series, by stratum"), ("leaderboard", None)])
def test_a_report_without_an_average_fails_its_criterion(home, monkeypatch, lost, left):
    honest = protocols.declared
    monkeypatch.setattr(protocols, "declared", lambda: {k: v for k, v in honest().items() if k != lost})
    _, (averages,) = protocol_pages(home)
    assert averages.passed == (left is None)
    assert left is None or averages.value == left


def test_the_plan_is_what_is_carried_out():
    pages, (complete,) = benchmark_pages()
    plan = pages["benchmark_plan.md"]
    assert all(f"| {name} |" in plan for name in SCENARIOS)
    assert "270,336" in plan
    assert "`energy_j`" in plan
    assert complete.passed
    assert "P4.M2" in MAKERS
    assert set(pages) == {"benchmark_plan.md", "templates/benchmarks.md", "templates/machines.md"}


@pytest.mark.parametrize("lost", ["energy_j", "p99_ms", "sd_ms"])
def test_a_form_without_what_is_asked_for_fails_its_criterion(lost, monkeypatch):
    honest = protocols.declared()
    form = dict(honest["benchmarks"])
    form["columns"] = [column for column in form["columns"] if lost not in column["show"]]
    monkeypatch.setattr(protocols, "declared", lambda: honest | {"benchmarks": form})
    _, (complete,) = benchmark_pages()
    assert not complete.passed
