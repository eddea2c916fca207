"""`golden bench` and the assets of benchmarks on a study too small to mean anything: what is filed, how it ends."""

import sys
from functools import partial

import dagster as dg
import pytest
from support.commands import golden, said

from golden_core.benchmarking import forecasters, sampling
from golden_core.benchmarking.forecasters import Effort
from golden_core.benchmarking.records import last_runs
from golden_core.forecasters.statistical import AutoRegression
from golden_core.preparation.catalogue import load_study
from golden_core.store.lake import Home
from golden_core.trials import all_series
from golden_dagster.benchmarks import orchestration, startup
from golden_dagster.benchmarks.startup import starts
from golden_dagster.definitions import resources
from golden_dagster.defs.benchmarks import KINDS, benchmark, benchmarks_table
from golden_dagster.resources import StudyResource

bench = partial(golden, "bench")
BRIEF = ("--seconds", "0", "--samples", "1")


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    """Peaks are not measured and cold starts not made."""
    monkeypatch.setattr(forecasters, "matrix_peak", lambda *_: 1e12)
    monkeypatch.setattr(forecasters, "bandwidth_peak", lambda *_: 1e12)
    monkeypatch.setattr(forecasters.cold, "start", lambda _: None)


def test_inference_is_filed_shown_and_accepted():
    result = bench("inference", "smoke", "--forecaster", "ar", "--batch", "8", *BRIEF)
    assert result.exit_code == 0, result.output
    assert "single cpu float64 × 1" in result.output
    (run,) = last_runs(Home.from_environment())
    assert f"filed: {run.folder}" in result.output.replace("\n", "")
    assert run.rows["study"].to_list() == ["smoke"] * 5
    assert (Home.from_environment().report("smoke") / "benchmarks.html").is_file()
    assert bench("accept", "inference").output.strip() == f"accepted: inference, run {run.folder.name}"
    assert bench("show", "smoke").exit_code == 0


def test_a_forecaster_that_fails_is_named_last_and_in_the_exit_status(monkeypatch):
    def refuse(*_):
        raise ValueError("no fit today")

    monkeypatch.setattr(AutoRegression, "fit", refuse)
    result = bench("training", "smoke", "--forecaster", "ar", "--forecaster", "random_walk", *BRIEF)
    assert result.exit_code == 1, result.output
    assert result.output.splitlines()[-1] == "ar is left out: ValueError: no fit today"
    (run,) = last_runs(Home.from_environment())
    assert run.rows["subject"].to_list() == ["random_walk"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("inference", "smoke", "--forecaster", "v11", *BRIEF), "study smoke has no forecaster 'v11'"),
        (("training", "smoke", "--forecaster", "ar", "--precision", "bfloat16", *BRIEF), "none of these forecasters"),
        (("inference", "smoke", "--precision", "tf32", *BRIEF), "tf32 on cpu is unmeasured"),
        (("accept", "cohort"), "run `golden bench cohort` first"),
        (("show", "smoke"), "nothing was measured for study 'smoke'"),
    ],
)
def test_what_cannot_be_done_is_bad_usage(arguments, words):
    result = bench(*arguments)
    assert result.exit_code == 2
    assert words in said(result)
    assert last_runs(Home.from_environment()) == []


def test_a_start_that_fails_ends_in_a_sentence(monkeypatch):
    def failed(_):
        raise RuntimeError("a cold start ended with exit status 1: no such file")

    monkeypatch.setattr(forecasters.cold, "start", failed)
    result = bench("inference", "smoke", "--forecaster", "random_walk", *BRIEF)
    assert (result.exit_code, last_runs(Home.from_environment())) == (2, [])
    assert "a cold start ended with exit status 1: no such file" in said(result)


def test_starts_are_those_of_new_processes_and_one_that_fails_is_no_measurement(monkeypatch):
    taken = []
    monkeypatch.setattr(sampling, "MOST_BLOCKS", 1)  # no repetition until it settles
    found = starts("smoke", Effort(seconds=0.0, samples=1), taken.append)
    assert [one.subject for one in found] == [
        "python alone", "import golden_core", "golden --help", "definitions of smoke",
    ]  # fmt: skip
    assert [f"{one.subject} …" for one in found] == taken
    alone, *_, loaded = (one.sample.seconds.min() for one in found)
    assert loaded > alone, "the definitions are made in the process"
    assert {one.memory_mb for one in found} == {None}
    with pytest.raises(RuntimeError, match=r"exit status 1: .*no study"):
        startup.start([sys.executable, "-c", startup.LOADED, "no_such_study"])
    startup.start([sys.executable, "-c", "import os; os.write(2, 'é'.encode('latin-1'))"])


@pytest.mark.parametrize("size", orchestration.SIZES)
def test_every_size_of_a_campaign_is_a_study_of_so_many_partitions(size):
    study = load_study("smoke", orchestration._overrides("trivial", size))
    assert len(all_series(study)) * study.seeds.count == size


def test_the_assets_file_their_runs_and_the_table_gathers_them(monkeypatch):
    renewed = []
    monkeypatch.setattr("golden_core.reporting.verification.renew_reports", renewed.append)
    config = {"config": {"seconds": 0.0, "samples": 1}}
    study = StudyResource(study="smoke", overrides={"forecasters": {"random_walk": {}}, "name": "smoke"})
    assets = [*(benchmark(name, says) for name, says in KINDS.items()), benchmarks_table]
    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize(
            assets,
            instance=instance,
            resources={**resources(), "study": study},
            run_config={"ops": {f"benchmarks__{name}": config for name in KINDS}},
        )
    assert result.success
    runs = last_runs(Home.from_environment())
    assert {run.rows["benchmark"][0] for run in runs} == set(KINDS)
    assert renewed == [Home.from_environment()], "one kind is of the machine alone, and every report lists it"
    metadata = result.asset_materializations_for_node("benchmarks__table")[0].metadata
    assert metadata["dagster/row_count"].value == sum(run.rows.height for run in runs)
