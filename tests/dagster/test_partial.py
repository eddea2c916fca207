"""Partition by partition on a fresh home: what a person does who clicks one cell of the grid."""

import json
import shutil

import dagster as dg
import polars as pl
import pytest
from support.campaigns import OVERRIDES, opened
from support.damage import cut_off

from golden_core.evaluation.campaign import evaluate, evaluation_is_current
from golden_core.preparation import prepare_pair, prepare_quality, prepare_raw
from golden_core.preparation.catalogue import load_variant
from golden_core.preparation.steps import PreparationError
from golden_core.store.lake import read_json
from golden_core.trials import all_trials, run_trials, trial_status
from golden_core.trials.campaign import fingerprinted
from golden_core.trials.stored import IncompleteError, evaluation_record, shown_completeness, stored_faults
from golden_dagster.lib.failures import failure_messages

PARTITION = "dagster/partition"


def made(campaign, asset, partition=None):
    """Materialise one asset with its checks; return the run's result."""
    selection = dg.AssetSelection.assets(dg.AssetKey(asset.split("/")))
    result = campaign.run_selection("one", selection, {PARTITION: partition} if partition else {})
    return result.success, {e.check_name: e.description for e in result.get_asset_check_evaluations() if not e.passed}


def test_one_pair_then_one_series_then_one_trial(tmp_path, monkeypatch):
    monkeypatch.setenv("GOLDEN_HOME", str(tmp_path))
    with opened() as campaign:
        assert made(campaign, "ecb_rates") == (True, {})
        assert made(campaign, "clean_bars", "EURUSD") == (True, {})
        assert made(campaign, "folds", "EURUSD_h1") == (True, {})
        assert made(campaign, "models/ar", "s00|EURUSD_h1") == (True, {})
        # What rests on a pair that is not there says so in one sentence.
        with pytest.raises(PreparationError, match=r"USDJPY\.parquet does not exist yet: materialise clean_bars"):
            prepare_quality(campaign.home, campaign.study)


def test_a_trial_that_is_asked_for_first_names_what_it_lacks(tmp_path, monkeypatch):
    monkeypatch.setenv("GOLDEN_HOME", str(tmp_path))
    with opened() as campaign:
        selection = dg.AssetSelection.assets(dg.AssetKey(["models", "ar"]))
        (message, *_) = failure_messages(
            campaign.run_selection("one", selection, {PARTITION: "s00|EURUSD_h1"}).all_events
        )
    assert message.endswith("EURUSD.parquet does not exist yet: materialise bars and folds of EURUSD_h1 first")


def test_what_can_be_made_again_is_made_again(broken):
    """Files cut off in the middle: nothing ends in a traceback, and the next run makes them again."""
    folder = broken.study("smoke")
    bars = folder.table("bars", "EURUSD").read_bytes()
    for path in (folder.table("bars", "EURUSD"), folder.source, folder.root / "evaluated.json"):
        cut_off(path)
    study = load_variant("smoke", OVERRIDES)
    status = trial_status(broken, study, all_trials(study))
    assert status.group_by("pair").agg(pl.col("status").unique().first()).sort("pair").rows() == [
        ("EURUSD", "missing"),
        ("USDJPY", "done"),
    ]
    assert not evaluation_is_current(broken, study)
    with pytest.raises(IncompleteError, match="is not in the warehouse yet"):
        shown_completeness(broken, study)
    assert prepare_raw(broken, study).changed
    assert prepare_pair(broken, study, "EURUSD").changed
    assert folder.table("bars", "EURUSD").read_bytes() == bars
    assert not prepare_raw(broken, study).changed
    evaluate(broken, study)
    assert evaluation_is_current(broken, study)


@pytest.mark.parametrize("record", [[1], {}, {"tables": [1]}, {"present": None}])
def test_a_record_of_another_shape_is_made_again(broken, record):
    """JSON, but not what was written: it counts as damaged, and costs one evaluation."""
    study, folder = load_variant("smoke", OVERRIDES), broken.study("smoke")
    path = evaluation_record(broken, study)
    path.write_text(json.dumps({**read_json(path), **record} if record and isinstance(record, dict) else record))
    (folder.root / "input_hashes.json").write_text('{"EURUSD_h1": [1]}')
    assert stored_faults(broken, study) == []
    assert not evaluation_is_current(broken, study)
    with pytest.raises(IncompleteError, match="is not in the warehouse yet"):
        shown_completeness(broken, study)
    evaluate(broken, study)
    assert shown_completeness(broken, study) == (12, 12)


@pytest.mark.parametrize("text", ["", "[1]", '{"error": "lost", "attempts": "many"}'])
def test_the_record_of_a_failure_that_says_nothing_counts_as_none(broken, text):
    study = load_variant("smoke", OVERRIDES)
    (trial,) = broken.study("smoke").root.glob("trials/ar/EURUSD_h1/*")
    failure = broken.study("smoke").failure("ar", "EURUSD_h1", trial.name)
    failure.parent.mkdir(parents=True)
    failure.write_text(text)
    shutil.rmtree(trial)
    found = trial_status(broken, study, all_trials(study)).filter(fingerprint=pl.lit("")).height
    assert found == 0
    assert {
        outcome.status for outcome in run_trials(broken, study, fingerprinted(broken, study, all_trials(study)))
    } == {"done", "shared"}
    assert not failure.exists()
