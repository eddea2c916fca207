"""What runs by itself: the refresh, the night, what keeps a study current, and who hears of failures."""

import signal
import subprocess
import sys
from random import Random

import dagster as dg
import pytest
from support.campaigns import OVERRIDES, opened

from golden_core.preparation.catalogue import load_study
from golden_core.trials import series_inputs
from golden_dagster.dead_runs import PROCESS_TAG, process_tag
from golden_dagster.definitions import definitions_for
from golden_dagster.defs import automation
from golden_dagster.defs.automation import GOLDEN, failed_runs
from golden_dagster.lib import automation as conditions
from golden_dagster.lib.automation import RANGE
from golden_dagster.lib.failures import failure_messages
from golden_dagster.resources import StudyResource

FOLDS = dg.AssetKey("folds")
NOTHING = {"random_walk": set(), "ar": set(), "dlinear": set()}


def definitions():
    study = load_study("smoke", OVERRIDES)
    return definitions_for(study, StudyResource(study="smoke"))


def requested(instance, definitions):
    """Return the partitions that the automation conditions ask for at one tick."""
    result = dg.evaluate_automation_conditions(definitions, instance)
    return {key: result.get_requested_partitions(dg.AssetKey(["models", key])) for key in NOTHING}


def test_the_refresh_job_asks_the_source():
    job = definitions().resolve_job_def("refresh_ecb_rates")
    assert {key.to_user_string() for key in job.asset_layer.executable_asset_keys} == {"ecb_rates"}


def test_nothing_is_asked_for_when_all_is_there(finished):
    with opened() as campaign:
        assert dg.evaluate_automation_conditions(campaign.definitions, campaign.instance).total_requested == 0


def test_trials_that_were_never_run_are_asked_for(broken):
    with opened() as campaign:
        campaign.instance.wipe_assets([dg.AssetKey(["models", "ar"])])
        keys = {f"s0{seed}|{pair}_h1" for seed in (0, 1) for pair in ("EURUSD", "USDJPY")}
        assert requested(campaign.instance, campaign.definitions) == NOTHING | {"ar": keys}


@pytest.fixture
def gaps(monkeypatch):
    """A study of 200 trials over two forecasters, every inputs' check passed, one in ten trials missing at random."""
    kinds = "forecasters={random_walk: {}, drift: {}}"
    overrides = ["name=smoke_gaps", kinds, "seeds.count=10", "horizons=[1,2,3,4,5]"]
    located = definitions_for(load_study("smoke", overrides), StudyResource(study="smoke"))
    graph = located.resolve_asset_graph()
    missing, random = {}, Random(1)
    with dg.DagsterInstance.ephemeral() as instance:
        instance.report_runless_asset_event(dg.AssetMaterialization("ecb_rates"))
        for asset in (*(["models", name] for name in ("random_walk", "drift")), ["clean_bars"], ["folds"]):
            key = dg.AssetKey(asset)
            partitions = graph.get(key).partitions_def.get_partition_keys()
            left_out = set(random.sample(sorted(map(str, partitions)), 10)) if asset[0] == "models" else set()
            for partition in set(map(str, partitions)) - left_out:
                instance.report_runless_asset_event(dg.AssetMaterialization(key, partition=partition))
            if left_out:
                missing[key] = left_out
        judge(instance, graph, passed=lambda _: True)
        yield located, instance, missing


def tick(located, instance, cursor=None):
    """Evaluate the sensor; return its cursor, and the partitions that each run of each asset covers."""
    context = dg.build_sensor_context(instance, cursor=cursor, repository_def=located.get_repository_def())
    data = located.get_repository_def().get_sensor_def("keep_current").evaluate_tick(context)
    graph, found = located.resolve_asset_graph(), {}
    for request in data.run_requests:
        (asset,) = request.asset_selection
        definition = graph.get(asset).partitions_def
        block = definition and dg.PartitionKeyRange(*(request.tags[tag] for tag in RANGE))
        covered = set(map(str, definition.get_partition_keys_in_range(block))) if definition else {None}
        found.setdefault(asset, []).append(covered)
    return data.cursor, found


def test_an_empty_home_begins_with_the_table_of_its_source():
    with dg.DagsterInstance.ephemeral() as instance:
        assert tick(definitions(), instance)[1] == {dg.AssetKey("ecb_rates"): [{None}]}


def test_scattered_gaps_are_one_run_per_asset(gaps):
    located, instance, missing = gaps
    _, found = tick(located, instance)
    assert found.keys() == missing.keys()
    for asset, wanted in missing.items():
        (covered,) = found[asset]
        assert wanted <= covered
        definition = located.resolve_asset_graph().get(asset).partitions_def
        subset = definition.subset_with_partition_keys(wanted)
        assert len(subset.get_partition_key_ranges(definition)) > 5  # each of them a run of a backfill


def test_a_tick_asks_for_no_more_than_it_may_and_the_next_ones_for_the_rest(gaps, monkeypatch):
    located, instance, missing = gaps
    monkeypatch.setattr(conditions, "PER_TICK", 4)
    cursor, ticks = None, 0
    while any(missing.values()):
        cursor, found = tick(located, instance, cursor)
        for asset, runs in found.items():
            (covered,) = runs
            due = covered & missing[asset]
            assert 0 < len(due) <= 4
            for partition in due:
                instance.report_runless_asset_event(dg.AssetMaterialization(asset, partition=partition))
            missing[asset] -= due
        ticks += 1
    assert 3 <= ticks <= 6
    assert tick(located, instance, cursor)[1] == {}


def judge(instance, graph, *, passed, without=()):
    """Report an evaluation of every blocking check of the folds."""
    for key in graph.get_check_keys_for_assets({FOLDS}):
        if graph.get_check_spec(key).blocking and key.name not in without:
            evaluation = dg.AssetCheckEvaluation(asset_key=FOLDS, check_name=key.name, passed=passed(key.name))
            instance.report_runless_asset_event(evaluation)


@pytest.mark.parametrize("fault", ["failed", "never evaluated"])
def test_trials_wait_until_every_blocking_check_of_their_folds_has_passed(fault):
    located = definitions()
    graph, name = located.resolve_asset_graph(), "no_label_overlap"
    with dg.DagsterInstance.ephemeral() as instance:
        for partition in graph.get(FOLDS).partitions_def.get_partition_keys():
            instance.report_runless_asset_event(dg.AssetMaterialization(FOLDS, partition=partition))
        if fault == "failed":
            judge(instance, graph, passed=lambda check: check != name)
        else:
            judge(instance, graph, passed=lambda _: True, without=[name])
        assert requested(instance, located) == NOTHING
        judge(instance, graph, passed=lambda _: True)
        assert {len(keys) for keys in requested(instance, located).values()} == {4}


def test_trials_wait_for_their_folds():
    with dg.DagsterInstance.ephemeral() as instance:
        assert requested(instance, definitions()) == NOTHING


def test_a_trial_whose_run_failed_is_not_asked_for_again(broken):
    overrides = [*OVERRIDES, "training.learning_rate=1e30", "training.epochs=3", "training.gradient_clip=null"]
    with opened(overrides) as campaign:
        campaign.instance.wipe_assets([dg.AssetKey(["models", "dlinear"])])
        assert len(requested(campaign.instance, campaign.definitions)["dlinear"]) == 4
        (models,) = (stage for stage in campaign.stages() if stage.name == "models")
        campaign.execute(models)
        assert any("dlinear" in failure for failure in campaign.failures)
        assert requested(campaign.instance, campaign.definitions)["dlinear"] == set()


def test_the_version_of_folds_is_that_of_all_their_trials_read(finished):
    """Bars grow every night and leave most folds as they are; the trials are stale all the same."""
    with opened() as campaign:
        versions = campaign.instance.fetch_materializations(FOLDS, limit=2).records
        found = {record.partition_key: record.asset_materialization.tags["dagster/data_version"] for record in versions}
        pairs = ("EURUSD", "USDJPY")
        assert found == {f"{pair}_h1": series_inputs(finished, campaign.study, pair, 1).hash for pair in pairs}


def test_failures_are_handed_to_a_command(tmp_path, monkeypatch):
    told = tmp_path / "told.txt"
    monkeypatch.setenv("GOLDEN_ON_FAILURE", f"tee {told}")

    @dg.op
    def breaks():
        raise dg.Failure("no rates in caf\udce9.csv")  # the name of a file that is no text

    @dg.job
    def night():
        breaks()

    with dg.DagsterInstance.ephemeral() as instance:
        tags = {}, {PROCESS_TAG: process_tag()}  # of a command line, which tells whoever gave it
        runs = [night.execute_in_process(instance=instance, raise_on_error=False, tags=own) for own in tags]
        for run in runs:
            event = run.get_run_failure_event()
            context = dg.build_run_status_sensor_context("failed_runs", event, instance, run.dagster_run)
            failed_runs(load_study("smoke"))(context.for_run_failure())
    assert told.read_text() == f"study smoke: run {runs[0].run_id} of night failed\nbreaks: no rates in caf\\udce9.csv"


@pytest.mark.parametrize("workers", [-1, 100_000])
def test_a_number_of_workers_that_is_none_is_told(workers, tmp_path, monkeypatch):
    """The launchpad takes any whole number, and the run ends before its first step."""
    monkeypatch.setenv("GOLDEN_ON_FAILURE", f"tee {tmp_path / 'told'}")
    job = definitions().resolve_job_def("stage_input_checks")
    config = {"resources": {"workers": {"config": {"workers": workers}}}}
    with dg.DagsterInstance.ephemeral() as instance:
        result = job.execute_in_process(instance=instance, run_config=config, raise_on_error=False)
        event = result.get_run_failure_event()
        context = dg.build_run_status_sensor_context("failed_runs", event, instance, result.dagster_run)
        failed_runs(load_study("smoke"))(context.for_run_failure())
    assert "WorkersResource workers Input should be" in (tmp_path / "told").read_text()


@pytest.mark.parametrize("status", [0, 2])
def test_the_night_is_refresh_and_gate(status, monkeypatch):
    """Without an answer from the bank the gate still runs, and the night still fails."""
    commands = []

    def ran(command):
        commands.append(command[len(GOLDEN) :])
        return (status, "no answer\n") if "refresh" in command else (0, "a table\npassed\n")

    monkeypatch.setattr(automation, "passed_on", ran)
    resource = StudyResource(study="smoke", overrides={"training.epochs": 2})
    with dg.DagsterInstance.ephemeral() as instance:
        job = definitions_for(load_study("smoke"), resource).resolve_job_def("study")
        result = job.execute_in_process(instance=instance, raise_on_error=False)
    assert result.success is (status == 0)
    gate = "golden gate --study smoke --set training.epochs=2 ended with 0: passed"
    found = [f"bring_up_to_date: golden data refresh ended with {status}: no answer; {gate}"]
    assert failure_messages(result.all_events) == found * (status != 0)
    assert commands == [["data", "refresh"], ["gate", "--study", "smoke", "--set", "training.epochs=2"]]


@pytest.mark.parametrize("status", [0, 2])
def test_the_week_ends_with_the_deletion_of_superseded_trials(status, monkeypatch):
    """Refused while a run is under way, say: then it fails, and `failed_runs` tells."""
    commands = []

    def ran(command):
        commands.append(command[len(GOLDEN) :])
        return status, "under way"

    monkeypatch.setattr(automation, "passed_on", ran)
    assert definitions().resolve_schedule_def("weekly_clean").job_name == "clean"
    resource = StudyResource(study="smoke", overrides={"training.epochs": 2})
    with dg.DagsterInstance.ephemeral() as instance:
        job = definitions_for(load_study("smoke"), resource).resolve_job_def("clean")
        assert job.execute_in_process(instance=instance, raise_on_error=False).success is (status == 0)
    assert commands == [["clean", "smoke", "--set", "training.epochs=2", "--yes"]]


def test_a_night_that_prints_no_text_is_a_night(monkeypatch):
    """Of a forecaster, say, that prints bytes."""
    monkeypatch.setattr(automation, "GOLDEN", [sys.executable, "-c", r"import os; os.write(1, b'\xff\n')"])
    with dg.DagsterInstance.ephemeral() as instance:
        job = definitions_for(load_study("smoke"), StudyResource(study="smoke")).resolve_job_def("study")
        assert job.execute_in_process(instance=instance, raise_on_error=False).success


@pytest.mark.timeout(60)
def test_what_a_night_says_is_seen_while_it_lasts_and_it_ends_with_its_run(tmp_path):
    """It may wait for another campaign, for hours."""
    told = tmp_path / "told"
    ends = f"signal.signal(signal.SIGTERM, lambda *_: sys.exit(pathlib.Path({str(told)!r}).touch()))"
    says = f"import pathlib, signal, sys; {ends}; print('waiting for it', flush=True); signal.pause()"
    night = f"from golden_dagster.defs.automation import passed_on; passed_on({[sys.executable, '-c', says]!r})"
    with subprocess.Popen([sys.executable, "-c", night], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        try:
            assert process.stdout.readline() == b"waiting for it\n"
            process.send_signal(signal.SIGINT)
            process.wait(20)
        finally:
            process.kill()
    assert told.exists()


@pytest.mark.parametrize("status", [0, 3])
def test_of_a_night_that_prints_without_end_the_end_is_kept(monkeypatch, capfd, status):
    text = f"import sys; print('begin' + 30_000_000 * 'x'); print('fault', file=sys.stderr); sys.exit({status})"
    monkeypatch.setattr(automation, "GOLDEN", [sys.executable, "-c", text])
    with dg.DagsterInstance.ephemeral() as instance:
        job = definitions_for(load_study("smoke"), StudyResource(study="smoke")).resolve_job_def("study")
        result = job.execute_in_process(instance=instance, raise_on_error=False)
        logged = [record.user_message for record in instance.all_logs(result.run_id)]
    (said,) = {text for text in logged if text.endswith("xxx\nfault\n")}
    assert len(said) == automation.SHOWN
    assert "begin" in (shown := capfd.readouterr().out)
    assert shown.count("x") <= 2 * automation.SHOWN * 1.1  # of refresh and gate
    assert result.success is (status == 0)
    if status:
        (failure,) = (e for e in result.all_events if e.is_step_failure)
        assert failure.step_failure_data.user_failure_data.description.endswith("ended with 3: fault")
