"""Runs in the lake: what is filed follows from its samples, baselines are accepted by machine, slower is seen."""

import json
import shutil
import time
from concurrent.futures import ThreadPoolExecutor

import polars as pl
import pytest

from golden_core.benchmarking import records
from golden_core.benchmarking.energy import UNMEASURED
from golden_core.benchmarking.measurement import Peaks, timed
from golden_core.benchmarking.records import (
    BenchmarkError,
    accept,
    file_run,
    last_runs,
    machine_class,
    regressions,
    unfaithful,
)
from golden_core.benchmarking.sampling import Paired
from golden_core.checks.platform import PLATFORM_CHECKS
from golden_core.preparation.catalogue import load_study
from golden_core.store.lake import StoredTableError
from golden_core.store.warehouse import Warehouse


def table(home, study="demo"):
    return Warehouse(home.warehouse).query("SELECT * FROM benchmarks WHERE study = ? ORDER BY ALL", [study])


def test_a_row_says_how_it_was_measured_and_on_what(home, measured):
    facts = {"operations": 4e6, "bytes": 1e6, "peaks": Peaks(8e9, 4e9), "missing": (UNMEASURED,)}
    pair = Paired(2.0, 1.9, 2.1, 0.001)
    run = file_run(home, "inference", "demo", [measured(against="port", paired=pair, **facts)])
    (row,) = table(home).to_dicts()
    assert (row["machine"], row["samples"], row["warm_up"], row["run"]) == (machine_class(), 100, 20, run.folder.name)
    assert row["peak_share"] == pytest.approx(0.5, rel=0.01)
    assert row["bandwidth_share"] == pytest.approx(0.25, rel=0.01)
    assert (row["ratio"], row["ratio_low"], row["p_value"]) == (2.0, 1.9, 0.001)
    assert row["p90_ms"] is None
    assert row["p90_bound_ms"] >= row["p50_ms"] > 1.0
    assert row["energy_j"] is None
    assert row["undefined"].endswith(UNMEASURED)
    assert "torch" in row["versions"]
    assert (run.folder / "provenance.json").is_file()


def test_the_warehouse_holds_the_last_run_of_every_benchmark(home, measured):
    file_run(home, "inference", "demo", [measured(), measured("ar")])
    file_run(home, "training", "", [measured(scenario="step")])
    file_run(home, "inference", "demo", [measured()])
    assert table(home)["subject"].to_list() == ["v08"]
    assert table(home, "")["scenario"].to_list() == ["step"]
    assert len(last_runs(home)) == 2


def test_what_a_killed_process_was_writing_is_no_run(home, measured):
    run = file_run(home, "inference", "demo", [measured()])
    half = run.folder.parent.parent / "-" / f".{run.folder.name}.123-abc.tmp"
    half.mkdir(parents=True)
    run.rows.write_parquet(half / "rows.parquet")
    assert [one.folder for one in last_runs(home)] == [run.folder]


@pytest.mark.parametrize("name", ["rows", "samples"])
def test_a_damaged_run_is_named_with_what_cures_it(home, measured, name):
    first = file_run(home, "inference", "demo", [measured()])
    run = file_run(home, "inference", "demo", [measured("ar")])
    path = run.folder / f"{name}.parquet"
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(
        StoredTableError, match=rf"{name}.parquet is damaged .*: bring it back, or delete {run.folder}$"
    ):
        last_runs(home)
    shutil.rmtree(run.folder)
    assert [one.folder for one in last_runs(home)] == [first.folder]


def test_measuring_again_changes_no_result_of_a_study(home, measured):
    file_run(home, "inference", "demo", [measured()])
    before = Warehouse(home.warehouse).digests("demo")
    file_run(home, "inference", "demo", [measured(seconds=2.0)])
    assert Warehouse(home.warehouse).digests("demo") == before


def test_rows_follow_from_their_samples(home, measured):
    run = file_run(home, "inference", "demo", [measured()])
    assert unfaithful(home) == ([], 1)
    rows = run.rows.with_columns(p99_ms=pl.lit(1.0))
    rows.write_parquet(run.folder / "rows.parquet")
    (fault,), _ = unfaithful(home)
    assert fault == "inference v08 single cpu float32 1 1: p99_ms is not what the samples give"
    run.samples.collect().clear().write_parquet(run.folder / "samples.parquet")
    (fault,), _ = unfaithful(home)
    assert "samples is not what the samples give" in fault


@pytest.mark.parametrize(("factor", "slower"), [(1.0, False), (1.05, False), (1.3, True), (0.5, False)])
def test_slower_than_what_was_accepted_is_seen(home, measured, factor, slower):
    first = file_run(home, "inference", "demo", [measured()])
    assert regressions(home) == ([], 0)
    assert accept(home, "inference") == [first.folder.name]
    assert regressions(home) == ([], 0)  # nothing is compared with itself
    file_run(home, "inference", "demo", [measured(seconds=factor * 1e-3)])
    found, compared = regressions(home)
    assert compared == 1
    assert len(found) == slower
    assert not slower or "1.30 times the median of the accepted run" in found[0]


@pytest.mark.parametrize(("before", "after", "compared"), [(3, 3, 0), (4, 5, 0), (5, 5, 1), (3, 20, 1)])
def test_samples_of_which_nothing_can_be_told_are_not_said_to_be_no_slower(home, measured, before, after, compared):
    file_run(home, "inference", "demo", [measured(scenario="cold", samples=before)])
    accept(home, "inference")
    file_run(home, "inference", "demo", [measured(scenario="cold", seconds=1.0, samples=after)])
    found, examined = regressions(home)
    assert (len(found), examined) == (compared, compared)


def test_another_kind_of_machine_is_not_compared(home, measured, monkeypatch):
    file_run(home, "inference", "demo", [measured()])
    accept(home, "inference")
    monkeypatch.setattr(records, "machine_class", lambda: "another")
    file_run(home, "inference", "demo", [measured(seconds=1.0)])
    assert regressions(home) == ([], 0)


def test_a_later_run_elsewhere_hides_none_from_here(home, measured, monkeypatch):
    first = file_run(home, "inference", "demo", [measured()])
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(records, "machine_class", lambda: "another")
        file_run(home, "inference", "demo", [measured(seconds=1.0)])
    assert accept(home, "inference") == [first.folder.name]
    slower = file_run(home, "inference", "demo", [measured(seconds=1.0)])
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(records, "machine_class", lambda: "another")
        file_run(home, "inference", "demo", [measured()])
    assert [len(regressions(home)[0]), regressions(home)[1]] == [1, 1], slower


def test_of_two_accepted_at_once_both_are_kept(home, measured, monkeypatch):
    for benchmark in ("inference", "training"):
        file_run(home, benchmark, "demo", [measured()])

    def slowly(home, read=records._baselines):
        found = read(home)
        time.sleep(0.2)
        return found

    monkeypatch.setattr(records, "_baselines", slowly)
    with ThreadPoolExecutor(2) as threads:
        list(threads.map(lambda benchmark: accept(home, benchmark), ("inference", "training")))
    kept = json.loads((home.root / "benchmarks" / "accepted.json").read_text(encoding="utf-8"))
    assert set(kept[machine_class()]) == {"inference/demo", "training/demo"}


def test_a_baseline_that_is_gone_and_a_record_that_is_damaged_are_said(home, measured):
    first = file_run(home, "inference", "demo", [measured()])
    accept(home, "inference")
    file_run(home, "inference", "demo", [measured()])
    shutil.rmtree(first.folder)
    assert "is gone: bring it back, or accept another" in regressions(home)[0][0]
    (record,) = home.root.glob("benchmarks/accepted.json")
    record.write_text("{")
    assert "mend or delete it" in regressions(home)[0][0]
    with pytest.raises(BenchmarkError, match="names the accepted runs of every machine"):
        accept(home, "inference")
    assert record.read_text() == "{"


def test_nothing_to_accept_says_what_to_run(home):
    with pytest.raises(BenchmarkError, match="run `golden bench inference` first"):
        accept(home, "inference")


def test_what_was_timed_elsewhere_is_no_steady_sample(home):
    run = file_run(home, "orchestration", "", [timed("trivial, joblib", "campaign", "trial", [2.0], 60)])
    (row,) = run.rows.to_dicts()
    assert (row["mean_ms"], row["sd_ms"], row["throughput"]) == (2000.0, None, 30.0)
    assert "p50 needs 11 samples" in row["undefined"]
    assert records.unsteady(home) == ([], 0)


CHECKS = {check.name: check for check in PLATFORM_CHECKS if check.asset == "benchmarks/table"}


def judged(home, name):
    check = CHECKS[name]
    found = check.decide(home, load_study("smoke"))
    return found.faults(check.unit), found.severity or check.severity


def test_checks_of_what_nobody_measured_warn(home):
    for name in CHECKS:
        (fault,), severity = judged(home, name)
        assert severity == "warn"
        assert "golden bench" in fault


def test_every_check_fails_where_its_claim_does(home, measured):
    first = file_run(home, "inference", "demo", [measured()])
    accept(home, "inference")
    assert judged(home, "results_follow_from_samples") == ([], "error")
    assert judged(home, "warm_up_settled") == ([], "warn")
    run = file_run(home, "inference", "demo", [measured(seconds=2e-3, steady=False)])
    (slower,), _ = judged(home, "no_slower_than_accepted")
    assert f"2.00 times the median of the accepted run {first.folder.name}" in slower
    assert judged(home, "warm_up_settled")[0] == ["inference v08 single cpu float32 1 1: never steady"]
    run.samples.collect().head(99).write_parquet(run.folder / "samples.parquet")
    faults, severity = judged(home, "results_follow_from_samples")
    assert severity == "error"
    assert "samples is not what the samples give" in faults[0] or "mean_ms is not" in faults[0]
