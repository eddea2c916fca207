"""The page of benchmarks: every row is there with what it does not know, and equal runs give equal bytes."""

import re

import numpy as np
import polars as pl
import pytest
from markupsafe import Markup

from golden_core.benchmarking.measurement import Condition, Measurement
from golden_core.benchmarking.records import BenchmarkError, file_run, last_runs
from golden_core.benchmarking.sampling import ALPHA, Paired, Sample
from golden_core.reporting import svg
from golden_core.reporting.benchmarks import write_benchmarks
from golden_core.reporting.exhibits import declared
from golden_core.reporting.pages import write_report
from golden_core.reporting.verification import renew_report, verify_report
from golden_core.store.lake import Home
from golden_core.store.warehouse import Warehouse


def measured(subject, scenario, batch, calls=100, **facts):
    seconds = 1e-3 * batch**0.5 * (1 + np.arange(calls) / calls)
    return Measurement(subject, scenario, "window", Condition(batch=batch), Sample(seconds, 20, True), **facts)


@pytest.fixture
def home(study, tables):
    home = Home.from_environment()
    Warehouse(home.warehouse).load(study.name, tables)
    return home


@pytest.fixture
def runs(home, study):
    names, sizes = ("ar", "dlinear"), {"single": 1, "batch": 8, "offline": 100}
    found = [measured(name, scenario, batch) for name in names for scenario, batch in sizes.items()]
    file_run(home, "inference", study.name, found)
    file_run(home, "training", study.name, [measured(name, "fit", 1000, 3) for name in names])
    pair = Paired(2.0, 1.9, 2.1, 0.001)
    file_run(home, "training", "", [measured("v08", "step", 5000, 9, against="port", paired=pair)])
    return home


@pytest.fixture
def _spoken(monkeypatch):
    """Leave figures empty but for what a screen reader hears of them."""
    monkeypatch.setattr(svg, "_svg", lambda _, said, *__: Markup('<svg role="img" aria-label="{}"></svg>').format(said))


def test_the_page_has_every_row_and_three_plots(runs, study, builders):
    page = builders.Page(write_benchmarks(runs, study).read_text(encoding="utf-8"))
    head, *rows = page.cells["benchmarks"]
    assert len(rows) == 2 * 4 + 1
    found = {f"{row[0]} {row[2]}": dict(zip(head, row, strict=True)) for row in rows}
    ar = next(cells for name, cells in found.items() if name.startswith("ar single"))
    place = next(label for label in ar if label.startswith("p90"))
    assert ar[place].startswith("≤ ")  # a hundred calls bound it, and do not carry it
    assert ar[next(label for label in ar if label.startswith("p99"))] == "—"
    assert ar[next(label for label in ar if label.startswith("Energy"))] == "unmeasured"
    assert "p99 needs 270,336 samples, its bound 662" in ar["Undefined"]
    (step,) = (cells for name, cells in found.items() if name.startswith("v08"))
    assert step["Times as fast"] == "2.00"
    assert [one["id"] for tag, one in page.elements if tag == "figure"] == [
        "benchmarks", "latency", "throughput", "cost", "machines",
    ]  # fmt: skip
    assert "ar: 100 calls, half of them within 1.5 ms" in page.html
    assert len(page.cells["machines"]) == 1 + 3


def test_logarithmic_axes_are_labelled_as_people_write_numbers(runs, study):
    """Mathematical markup is left text, so that no name is read as such: labels that need it would be read as it."""
    page = write_benchmarks(runs, study).read_text(encoding="utf-8")
    labels = set(re.findall(r"<text[^>]*>([^<]*)</text>", page))
    assert not [label for label in labels if "$" in label]
    assert {"1", "10", "100", "1000"} <= labels  # windows in a call, and windows per second


def test_equal_runs_give_equal_bytes(runs, study):
    assert write_benchmarks(runs, study).read_bytes() == write_benchmarks(runs, study).read_bytes()


@pytest.mark.usefixtures("_spoken")
def test_without_a_fit_there_is_no_plot_of_cost(home, study):
    file_run(home, "inference", study.name, [measured("ar", "single", 1)])
    assert 'id="cost"' not in write_benchmarks(home, study).read_text(encoding="utf-8")


def test_a_study_that_nobody_measured_says_what_to_run(home, study):
    with pytest.raises(BenchmarkError, match="run `golden bench inference synthetic`"):
        write_benchmarks(home, study)


def test_the_limit_in_the_query_is_that_of_the_comparison():
    assert f"p_value <= {ALPHA} AS different" in declared()["benchmarks"]["query"]


@pytest.mark.usefixtures("_spoken")
def test_the_page_is_verified_with_its_report(runs, study, builders):
    folder, warehouse = runs.report(study.name), Warehouse(runs.warehouse)
    write_report(warehouse, study, folder, builders.PROVENANCE)
    file_run(runs, "inference", study.name, [measured("ar", "single", 1)])  # after the report, which lists it
    page, filed = write_benchmarks(runs, study), last_runs(runs, study.name)
    assert {one.file for one in verify_report(warehouse, study, folder, runs=filed)[0]} > {"benchmarks.csv"}
    assert renew_report(warehouse, study, folder)
    assert verify_report(warehouse, study, folder, runs=filed)[0] == []
    text = page.read_text(encoding="utf-8")
    page.write_text(text.replace("1.5 ms", "1.4 ms", 1), encoding="utf-8")
    (found,), _ = verify_report(warehouse, study, folder, runs=filed)
    assert (found.file, found.exhibit) == ("benchmarks.html", "latency")
    page.unlink()
    (lost,), _ = verify_report(warehouse, study, folder, runs=filed)
    assert (lost.file, lost.found) == ("benchmarks.html", "nothing")


@pytest.mark.usefixtures("_spoken")
def test_a_report_that_waits_for_its_run_is_left_alone(runs, study, builders, tables):
    folder, warehouse = runs.report(study.name), Warehouse(runs.warehouse)
    assert not renew_report(warehouse, study, folder)
    write_report(warehouse, study, folder, builders.PROVENANCE)
    before = (folder / "index.html").read_bytes()
    warehouse.load(study.name, {"summary": tables["summary"].with_columns(pl.col("mean") + 1)})
    assert not renew_report(warehouse, study, folder)
    assert (folder / "index.html").read_bytes() == before
