"""The pages of P4.M2: every scenario is in the plan, and a form without what is asked for is seen."""

import pytest

from golden_core.benchmarking.measurement import SCENARIOS
from golden_core.milestones import benchmark_plan
from golden_core.milestones.benchmark_plan import benchmark_pages
from golden_core.milestones.makers import MAKERS


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
    honest = benchmark_plan.declared()
    form = dict(honest["benchmarks"])
    form["columns"] = [column for column in form["columns"] if lost not in column["show"]]
    monkeypatch.setattr(benchmark_plan, "declared", lambda: honest | {"benchmarks": form})
    _, (complete,) = benchmark_pages()
    assert not complete.passed
