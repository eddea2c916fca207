"""What runs by itself: the daily refresh, and the backfill of trials that were never run."""

import dagster as dg
import pytest
from support.campaigns import OVERRIDES, opened

from golden_core.preparation.catalogue import load_study
from golden_dagster.definitions import definitions_for
from golden_dagster.resources import StudyResource

FOLDS = dg.AssetKey("folds")


def definitions():
    study = load_study("smoke", OVERRIDES)
    return definitions_for(study, StudyResource(study="smoke"))


def requested(instance, definitions):
    """Return the partitions that the automation conditions ask for at one tick."""
    result = dg.evaluate_automation_conditions(definitions, instance)
    return {
        key: result.get_requested_partitions(dg.AssetKey(["models", key])) for key in ("random_walk", "ar", "dlinear")
    }


def test_the_daily_refresh_comes_after_the_publication():
    schedule = definitions().resolve_schedule_def("daily_ecb_refresh")
    # Published around 16:00 in Frankfurt, on working days, in summer and in winter.
    assert (schedule.cron_schedule, schedule.execution_timezone) == ("30 16 * * 1-5", "Europe/Berlin")


def test_the_refresh_job_asks_the_source():
    job = definitions().resolve_job_def("refresh_ecb_rates")
    assert {key.to_user_string() for key in job.asset_layer.executable_asset_keys} == {"ecb_rates"}


def test_nothing_is_asked_for_when_all_is_there(finished):
    with opened() as campaign:
        assert requested(campaign.instance, campaign.definitions) == {
            "random_walk": set(),
            "ar": set(),
            "dlinear": set(),
        }


def test_trials_that_were_never_run_are_asked_for(broken):
    with opened() as campaign:
        campaign.instance.wipe_assets([dg.AssetKey(["models", "ar"])])
        keys = {f"s0{seed}|{pair}_h1" for seed in (0, 1) for pair in ("EURUSD", "USDJPY")}
        assert requested(campaign.instance, campaign.definitions) == {
            "random_walk": set(),
            "ar": keys,
            "dlinear": set(),
        }


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
        assert requested(instance, located) == {"random_walk": set(), "ar": set(), "dlinear": set()}
        judge(instance, graph, passed=lambda _: True)
        assert {len(keys) for keys in requested(instance, located).values()} == {4}


def test_trials_wait_for_their_folds():
    with dg.DagsterInstance.ephemeral() as instance:
        assert requested(instance, definitions()) == {"random_walk": set(), "ar": set(), "dlinear": set()}


def test_a_trial_whose_run_failed_is_not_asked_for_again(broken):
    overrides = [*OVERRIDES, "training.learning_rate=1e30", "training.epochs=3", "training.gradient_clip=null"]
    with opened(overrides) as campaign:
        campaign.instance.wipe_assets([dg.AssetKey(["models", "dlinear"])])
        assert len(requested(campaign.instance, campaign.definitions)["dlinear"]) == 4
        (models,) = (stage for stage in campaign.stages() if stage.name == "models")
        campaign.execute(models)
        assert any("dlinear" in failure for failure in campaign.failures)
        assert requested(campaign.instance, campaign.definitions)["dlinear"] == set()
