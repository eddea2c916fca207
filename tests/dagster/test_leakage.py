"""A planted leak closes the gate before anything is trained, wherever it is, and the audit names its place."""

import dataclasses

import dagster as dg
import polars as pl
import pytest
from support import leaks
from support.campaigns import home_at, opened
from support.commands import golden as called
from support.verdicts import decided, repeated_faults

from golden_core.checks import inputs, sampled_checks, verified_input_faults
from golden_core.checks.inputs import SAMPLED, repeated_checks
from golden_core.preparation import prepare_pair, prepare_raw, prepare_series
from golden_core.preparation.catalogue import load_study
from golden_core.store.lake import Home, write_parquet
from golden_dagster.lib import checks
from golden_dagster.lib.checks import verdict

PLANTED = leaks.forecasters("planted")
ONE_PAIR = "data.pairs=[EURUSD]"
SMALL = ("--set", leaks.forecasters("drift"), "--set", ONE_PAIR)


def golden(*arguments):
    result = called(*arguments, "--backend", "sequential")
    return result.exit_code, " ".join(result.output.split())


@pytest.mark.parametrize(
    ("plant", "asset", "column"),
    [
        (leaks.leaking_cleaning, "bars", "(row)"),
        (lambda patch: leaks.register(patch, leaks.CentresItsBatch), "forecasts", "planted"),
    ],
)
def test_the_gate_closes_before_training_and_names_the_place(monkeypatch, plant, asset, column):
    leaks.register(monkeypatch, leaks.Honest)
    plant(monkeypatch)
    probed = []
    monkeypatch.setattr(checks, "sampled_checks", lambda *a, **k: probed.append(a) or sampled_checks(*a, **k))
    status, output = golden("gate", "--study", "smoke", "--set", PLANTED, "--set", ONE_PAIR)
    assert status == 1
    assert len(probed) == 1, "what fits forecasters is not done again for the list of all checks"
    assert f"{asset}, column '{column}' from " in output
    assert "materialising folds" in output
    assert "materialising models" not in output
    told = called("status", "smoke", "--set", PLANTED, "--set", ONE_PAIR)
    assert f"stopped by nothing_sees_the_future of folds: {asset}, column '{column}' from " in told.output


def test_a_forecaster_that_is_added_to_folds_that_are_up_to_date(broken, monkeypatch):
    """What the gate says of a stage that fails is shown above."""
    leaks.register(monkeypatch, leaks.StopsOnTest)
    added = "forecasters={random_walk: {}, ar: {max_order: 2}, planted: {}}"
    with opened(["name=smoke", added]) as campaign:
        stage = next(campaign.stages())
        assert stage.name == "input checks"
        assert not campaign.execute(stage)  # where `golden run` and `golden gate` stop
        assert any("weights, column 'planted' from " in failure for failure in campaign.failures)


def prepared():
    """Make bars and folds; return where, and the study."""
    home, study = Home.from_environment(), load_study("smoke", (PLANTED, ONE_PAIR))
    prepare_raw(home, study)
    prepare_pair(home, study, "EURUSD")
    prepare_series(home, study, "EURUSD", 1)
    return home, study


@pytest.mark.parametrize(
    ("name", "plant", "start", "cheap"),
    [
        (
            "fits_touch_only_their_rows",
            lambda patch: leaks.register(patch, leaks.FitsOnTheLake),
            "weights, column 'planted'",
            False,
        ),
        ("fits_touch_only_their_rows", leaks.leaking_scalers, "scalers, column 'scale:", True),
        ("nothing_sees_the_future", leaks.month_end_feature, "features, column 'volatility_20'", True),
        ("parts_kept_apart", leaks.unpurged_folds, "folds, column 'part'", True),
        ("scaler_fitted_on_train_only", leaks.leaking_scalers, "smoke EURUSD_h1 ", True),
    ],
)
def test_the_checks_fail_on_what_they_claim_to_see(monkeypatch, name, plant, start, cheap):
    """And `metrics`, which repeats what is cheap of them, would not be made."""
    leaks.register(monkeypatch, leaks.Honest)
    plant(monkeypatch)
    evaluation = decided(*prepared(), name)
    assert not evaluation.passed
    assert evaluation.severity == dg.AssetCheckSeverity.ERROR
    assert evaluation.description.startswith(start)
    faults = repeated_faults(Home.from_environment(), load_study("smoke", (PLANTED, ONE_PAIR)), name)
    assert [fault.startswith(start) for fault in faults[:1]] == [True] * cheap


@pytest.fixture
def counted(monkeypatch):
    """Names of the checks that are decided, in their order, of those that `models` and `metrics` repeat."""
    asked = []

    def counting(check):
        return dataclasses.replace(check, decide=lambda *a: asked.append(check.name) or check.decide(*a))

    monkeypatch.setattr(inputs, "repeated_checks", lambda study: [*map(counting, repeated_checks(study))])
    monkeypatch.setattr(inputs, "_SOUND", {})
    return asked


def test_a_process_decides_a_check_again_only_when_a_file_has_changed(monkeypatch, counted):
    leaks.register(monkeypatch, leaks.Honest)
    home, study = prepared()
    assert not verified_input_faults(home, study)
    once = [check.name for check in repeated_checks(study)]
    assert counted == once
    assert not verified_input_faults(home, study)
    assert counted == once

    path = home.study("smoke").table("folds", "EURUSD_h1")
    table = pl.read_parquet(path)
    folder = home.study("smoke")
    for times, there in enumerate((path, folder.table("calendar", "EURUSD"), folder.raw), start=2):
        there.write_bytes(there.read_bytes())  # the same bytes, in their place
        assert not verified_input_faults(home, study)
        assert counted == times * once

    write_parquet(table.with_columns(row_stop=pl.col("row_stop") - 1), path)
    faults = verified_input_faults(home, study)
    assert faults
    assert verified_input_faults(home, study) == faults, "what failed is not kept in mind"
    write_parquet(table, path)
    assert not verified_input_faults(home, study)


def test_every_table_of_the_shared_inputs_is_watched(monkeypatch):
    leaks.register(monkeypatch, leaks.Honest)
    home, study = prepared()
    tables = sorted(home.study("smoke").root.rglob("*.parquet"))
    assert {path.parent.name for path in tables} >= {"bars", "calendar", "cleaning", "ledger", "folds", "scalers"}
    for path in tables:
        before = inputs._state(home, study)
        path.write_bytes(path.read_bytes())
        assert inputs._state(home, study) != before, path
    assert inputs._state(home, study.model_copy(update={"context_length": 4})) != inputs._state(home, study)


def test_what_the_checks_of_a_run_saw_hold_is_not_decided_again_by_what_builds_on_it(monkeypatch, counted):
    leaks.register(monkeypatch, leaks.Honest)
    home, study = prepared()
    sampled_checks(home, study)
    structure = next(check for check in inputs.input_checks(study) if check.name == "parts_kept_apart")
    inputs.decided(structure, home, study)
    assert not verified_input_faults(home, study)
    assert set(counted) == {c.name for c in repeated_checks(study)} - {structure.name, *(c.name for c in SAMPLED)}


@pytest.fixture(scope="module")
def honest(tmp_path_factory):
    """What the checks say of a study without a leak."""
    with pytest.MonkeyPatch.context() as patch, home_at(tmp_path_factory.mktemp("honest")):
        leaks.register(patch, leaks.Honest)
        home, study = prepared()
        found = sampled_checks(home, study)
        return {check.name: verdict(found[check.name], check.unit) for check in SAMPLED} | {
            "parts_kept_apart": decided(home, study, "parts_kept_apart")
        }


@pytest.mark.parametrize("name", ["nothing_sees_the_future", "fits_touch_only_their_rows", "parts_kept_apart"])
def test_the_checks_say_what_they_covered(honest, name):
    evaluation = honest[name]
    assert evaluation.passed
    assets = {record.data["asset"] for record in evaluation.metadata["coverage"].records}
    assert assets >= {"scalers", *(["weights"] if name != "parts_kept_apart" else ["windows"])}
    assert "refused" not in evaluation.metadata


def test_an_audit_without_a_leak(monkeypatch):
    status, output = golden("leakage", "audit", "--study", "smoke", "--times", "1", *SMALL)
    assert status == 0, output
    assert "no leak; " in output
    assert "reshuffled" in output


def test_an_audit_names_asset_column_and_time(monkeypatch):
    leaks.leaking_feature(monkeypatch)
    status, output = golden("leakage", "audit", "--study", "smoke", *SMALL)
    assert status == 1
    assert "leak: features, column 'volatility_20' from 20" in output
    assert "(perhaps only because features.volatility_20 does)" in output


def test_an_audit_of_no_study():
    status, output = golden("leakage", "audit", "--study", "nowhere")
    assert status == 2
    assert "no study is called 'nowhere'" in output
