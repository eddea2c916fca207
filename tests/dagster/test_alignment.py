"""The alignment from the command line, as an asset and as evidence, on invented bars and two small variants."""

import json
import shutil

import dagster as dg
import polars as pl
import pytest
from support.campaigns import home_at
from support.commands import golden
from support.record import hourly_bars

from golden_core.benchmarking import training
from golden_core.checks.platform import PLATFORM_CHECKS
from golden_core.legacy.reproduction import running
from golden_core.preparation.catalogue import load_study
from golden_core.store.lake import Home
from golden_core.trials import run_trials
from golden_dagster.definitions import resources
from golden_dagster.defs.legacy import alignment
from golden_dagster.lib.checks import asset_check, verdict
from golden_dagster.resources import LegacyResource, WorkersResource

SETTINGS = (
    "name=smoke_aligned",
    "seeds.count=2",
    "training.epochs=1",
    "training.batch_size=500",
    "forecasters={random_walk: {}, v02: {gate: linear, initialisers: keras_3.8}}",
)
CHECKS = [check for check in PLATFORM_CHECKS if check.asset == "legacy/alignment"]
PLAN = "wide:initialisation:forecasters.v02.initialisers=keras_3.15"


@pytest.fixture(scope="module")
def bars(tmp_path_factory):
    path = tmp_path_factory.mktemp("record") / "bars.parquet"
    hourly_bars(6000).write_parquet(path)
    return path


def options(bars):
    return ["--bars", str(bars), *(part for setting in SETTINGS for part in ("--set", setting))]


def judged(name):
    (check,) = [check for check in CHECKS if check.name == name]
    found = check.decide(Home.from_environment(), load_study("smoke"))
    return verdict(found, check.unit, check.severity)


def materialise(**legacy):
    with dg.DagsterInstance.ephemeral() as instance:
        given = {
            **resources(workers=WorkersResource(backend="sequential", workers=1)),
            "legacy": LegacyResource(**legacy),
        }
        assets = [alignment, *map(asset_check, CHECKS)]
        return dg.materialize(assets, resources=given, instance=instance, raise_on_error=False)


def test_the_command_prints_the_table_writes_the_report_and_says_that_the_window_is_not_there(bars, tmp_path):
    out = tmp_path / "out"
    asked = ["legacy", "align", *options(bars), "--backend", "sequential", "--experiment", PLAN, "--out", str(out)]
    result = golden(*asked)
    assert result.exit_code == 1, result.output
    assert "smoke_aligned" in result.output
    assert "This is a smoke run" in result.output
    assert "not recovered: up to the bar of 2025-02-18 23:00 UTC" in result.output
    assert {"alignment.csv", "alignment.md", "validation_report.md"} < {path.name for path in out.iterdir()}
    assert "| wide | initialisation | forecasters.v02.initialisers=keras_3.15 |" in (out / "alignment.md").read_text()


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--experiment", "wide"], "an experiment is ID:CATEGORY:KEY=VALUE"),
        (["--set", "splits.test=5"], "splits.test cannot be set here"),
        (["--earlier", "nowhere.parquet"], "there is no file"),
    ],
)
def test_a_wrong_request_is_bad_usage(bars, more, message):
    result = golden("legacy", "align", *options(bars), *more)
    assert result.exit_code == 2
    assert message in result.output


@pytest.fixture(scope="module")
def aligned(bars, tmp_path_factory):
    """A home with the alignment in it, and the run that made it."""
    with home_at(tmp_path_factory.mktemp("aligned")):
        return Home.from_environment(), materialise(bars=str(bars), overrides=list(SETTINGS))


def test_the_asset_names_the_random_walk_and_fails_the_check_of_the_window(aligned):
    home, result = aligned
    assert result.success
    found = {e.check_name: e for e in result.get_asset_check_evaluations()}
    assert found["random_walk_on_the_same_rows"].passed
    assert not found["published_window_recovered"].passed
    metadata = result.asset_materializations_for_node("legacy__alignment")[0].metadata
    assert metadata["dagster/row_count"].value == 4
    assert "This is a smoke run" in metadata["what_follows"].value
    assert (home.root / "legacy" / "alignment" / "validation_report.md").is_file()


def test_a_trial_on_other_rows_fails_the_check(aligned):
    shutil.copytree(aligned[0].root, Home.from_environment().root, dirs_exist_ok=True)
    assert judged("random_walk_on_the_same_rows").passed
    path = Home.from_environment().root / "legacy" / "alignment" / "forecasts.parquet"
    forecasts = pl.read_parquet(path)
    forecasts.filter((pl.col("forecaster") != "v02") | (pl.col("cutoff") > forecasts["cutoff"].min())).write_parquet(
        path
    )
    result = judged("random_walk_on_the_same_rows")
    assert not result.passed
    assert result.severity == dg.AssetCheckSeverity.ERROR
    assert "v02, seed 0, of smoke_aligned: 1 rows are not shared" in result.description


@pytest.mark.parametrize("name", ["published_window_recovered", "random_walk_on_the_same_rows"])
def test_where_nothing_was_aligned_the_checks_only_warn(name):
    result = judged(name)
    assert not result.passed
    assert result.severity == dg.AssetCheckSeverity.WARN
    assert "unmeasured" in result.description


def test_without_bars_the_asset_says_what_to_set():
    result = materialise(bars="")
    assert not result.success
    [event] = result.get_step_failure_events()
    assert "set GOLDEN_LEGACY_BARS" in str(event.step_failure_data)


def test_the_evidence_holds_tables_and_what_was_measured(bars, tmp_path, monkeypatch):
    monkeypatch.setenv("GOLDEN_EVIDENCE", str(tmp_path / "evidence"))
    quick = training.Comparison("v08", 5000, 1, (3.0,), (2.5,), 0.0)
    monkeypatch.setattr(training, "measure", lambda *_, **__: [quick])
    in_this_process = {"backend": "sequential"}  # workers take seconds to start
    monkeypatch.setattr(running, "run_trials", lambda *given, **how: run_trials(*given, **how | in_this_process))
    asked = ["milestones", "write", "P6.M1", "--no-commands", *options(bars), "--workers", "1"]
    result = golden(*asked)
    assert result.exit_code == 0, result.output
    metadata = json.loads((tmp_path / "evidence" / "P6.M1" / "metadata.json").read_text())
    assert {record["path"] for record in metadata["outputs"]} == {
        "alignment.csv",
        "alignment.md",
        "validation_report.md",
    }
    assert metadata["command"][:6] == ["golden", "milestones", "write", "P6.M1", "--no-commands", "--bars"]
    verdicts = {criterion["id"]: criterion["verdict"] for criterion in metadata["criteria"]}
    assert verdicts["published_window_recovered"] == "fail"
    assert verdicts["random_walk_on_the_same_rows"] == "pass"
    assert verdicts["training_speed"] == "fail"
    assert verdicts["output_parity"] == verdicts["training_parity"] == "unmeasured"
    assert verdicts["report_approved"] == "open"


def test_the_evidence_needs_bars(tmp_path, monkeypatch):
    monkeypatch.setenv("GOLDEN_EVIDENCE", str(tmp_path))
    result = golden("milestones", "write", "P6.M1")
    assert result.exit_code == 2
    assert "name a file of hourly EURUSD bid bars" in result.output
