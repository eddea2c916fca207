"""The gate's exit status: 0 when everything holds, 1 on a fault or a silence, 2 on bad usage."""

import re
from functools import partial
from types import SimpleNamespace
from xml.etree import ElementTree

import dagster as dg
import pytest
from support import leaks
from support.campaigns import OVERRIDES, SETTINGS, opened
from support.commands import golden

from golden_core.checks import all_checks
from golden_core.checks.explanations import SANITY_CHECKS
from golden_core.checks.platform import PLATFORM_CHECKS
from golden_core.inputs.features import FEATURES, Feature
from golden_core.preparation.catalogue import load_study
from golden_dagster.campaign import Campaign, Stage
from golden_dagster.gate import run_gate, write_junit
from golden_dagster.lib.failures import failure_messages

gate = partial(golden, "gate", "--backend", "sequential")


def test_a_sound_study_passes(broken):
    """With every claim: a check that examined nothing, or was not evaluated, would have closed the gate."""
    result = gate("--study", "smoke", *SETTINGS)
    assert result.exit_code == 0, result.output
    suite = ElementTree.parse(broken.report("smoke") / "gate.xml").getroot()
    assert suite.get("failures") == suite.get("errors") == "0"
    platform = {*PLATFORM_CHECKS, *SANITY_CHECKS}
    ours = {check.name for check in all_checks(load_study("smoke", OVERRIDES)) if check not in platform}
    assert ours <= {case.get("name") for case in suite if not len(case)}  # not even warned of
    assert all(float(case.get("time")) >= 0 for case in suite)
    shown = " ".join(result.output.split())
    total = r"(\d+) (?:checks|that are no study's, shown by --all): (\d+) passed, 0 failed, (\d+) warned, 0 not run"
    own, others = ([int(count) for count in counts] for counts in re.findall(total, shown))
    assert own[0] + others[0] == len(suite)
    assert own[2] == shown.count("│ warned │")  # what nobody asks of a study is counted apart
    assert others[2] > 0
    assert "milestones/" not in shown


def test_a_planted_leak_closes_the_gate_and_is_named(monkeypatch):
    leaks.leaking_feature(monkeypatch)
    result = gate("--study", "smoke", "--set", "forecasters={random_walk: {}}", "--set", "data.pairs=[EURUSD]")
    assert result.exit_code == 1
    said = result.output.split("running every check …")[1].strip()
    assert said.startswith("cause ")
    cause = said.splitlines()[0].removeprefix("cause ")
    assert said.splitlines()[-1].startswith(f"FAILED: {cause}; JUnit XML: ")
    assert "'volatility_20'" in said.splitlines()[0]  # one true cause, in its own words and before anything else
    assert re.search(r"^\d+ checks could not run, or had nothing to look at, because of it: see --all$", said, re.M)
    assert "not run" not in said.split("checks: ")[0]
    assert "metrics" not in said.split("checks: ")[0]
    assert "FileNotFoundError" not in said


def test_what_was_found_is_shown_though_there_is_no_place_for_the_file(monkeypatch, tmp_path):
    """Minutes of checks are not lost to a mistyped folder."""
    leaks.leaking_feature(monkeypatch)
    (tmp_path / "file").touch()
    small = ("--set", "forecasters={random_walk: {}}", "--set", "data.pairs=[EURUSD]")
    result = gate("smoke", *small, "--junit", tmp_path / "file" / "gate.xml")
    assert result.exit_code == 2
    assert "Gate of study smoke" in result.output
    assert result.output.rstrip().endswith(f"{tmp_path / 'file'}: File exists; name another place, mend its rights, "
                                           "or move away what is there")  # fmt: skip


@pytest.mark.parametrize("arguments", [["--study", "nowhere"], ["--set", "training.epoch=1"], ["--backend", "magic"]])
def test_bad_usage(arguments):
    result = gate(*arguments)
    assert result.exit_code == 2
    assert "Traceback" not in result.output


def campaign_of(check, instance):
    @dg.asset
    def thing() -> None: ...

    definitions = dg.Definitions(assets=[thing], asset_checks=[check(thing)])
    return Campaign(SimpleNamespace(), SimpleNamespace(name="toy"), instance, definitions)


def outcome(check):
    with dg.DagsterInstance.ephemeral() as instance:
        return run_gate(campaign_of(check, instance))


def reporting(passed, severity):
    def make(thing):
        @dg.asset_check(asset=thing)
        def claim() -> dg.AssetCheckResult:
            return dg.AssetCheckResult(passed=passed, severity=severity)

        return claim

    return make


def raising(thing):
    @dg.asset_check(asset=thing)
    def claim() -> dg.AssetCheckResult:
        raise RuntimeError("could \x1b[31mnot\x1b[0m look\x00")  # as a library colours its errors

    return claim


@pytest.mark.parametrize(
    "check, passes, verdict",
    [
        (reporting(True, dg.AssetCheckSeverity.ERROR), True, "passed"),
        (reporting(False, dg.AssetCheckSeverity.WARN), True, "warned"),
        (reporting(False, dg.AssetCheckSeverity.ERROR), False, "failed"),
        (raising, False, "not run"),
    ],
)
def test_what_closes_the_gate(check, passes, verdict, tmp_path):
    result = outcome(check)
    assert result.passed is passes
    assert [row.verdict for row in result.rows] == [verdict]
    write_junit(result, "toy", tmp_path / "gate.xml")
    suite = ElementTree.parse(tmp_path / "gate.xml").getroot()
    assert (suite.get("failures") != "0" or suite.get("errors") != "0") is not passes


def test_what_only_follows_is_told_from_what_speaks_for_itself():
    """Above: made, then failed; below it nothing could be made, beside it another check fails by itself."""
    with dg.DagsterInstance.ephemeral() as instance:

        @dg.asset
        def above() -> None: ...

        @dg.asset(deps=[above])
        def below() -> None: ...

        @dg.asset
        def beside() -> None: ...

        checks = [reporting(False, dg.AssetCheckSeverity.ERROR)(asset) for asset in (beside, below)] + [raising(above)]
        definitions = dg.Definitions(assets=[above, below, beside], asset_checks=checks)
        campaign = Campaign(SimpleNamespace(), SimpleNamespace(name="toy"), instance, definitions)
        campaign.failures.append("above: the disk is upside down")
        campaign.stopped = Stage("above", [dg.AssetKey("above")])
        result = run_gate(campaign)
    assert result.cause == "above: the disk is upside down"
    assert {row.asset: row.follows for row in result.rows} == {"above": True, "below": True, "beside": False}
    assert not result.passed


def test_a_leak_planted_later_stops_the_campaign_before_training(broken, monkeypatch):
    """Folds that are up to date are checked again: their own run was before the leak."""
    honest = FEATURES["volatility_20"]
    after_the_last_label = Feature(
        honest.description,
        honest.unit,
        honest.warm_up,
        honest.needs,
        lambda bars: honest.compute(bars) + bars["close"].reverse().cum_sum().reverse() * 0,
    )
    monkeypatch.setitem(FEATURES, "volatility_20", after_the_last_label)
    with opened([*OVERRIDES, "training.epochs=2"]) as campaign:
        stage = next(campaign.stages())
        assert stage.name == "input checks"
        assert not campaign.execute(stage)  # where `golden run` and `golden gate` stop
        assert any("'volatility_20'" in failure for failure in campaign.failures)


@pytest.mark.parametrize(("asset", "tags"), [("metrics", {}), ("models/ar", {"dagster/partition": "s00|EURUSD_h1"})])
def test_who_builds_on_inputs_that_leak_refuses_them(asset, tags, broken, monkeypatch):
    """Blocking checks hold within their own run only, and this is another one."""
    leaks.leaking_feature(monkeypatch)
    with opened() as campaign:
        selection = dg.AssetSelection.assets(dg.AssetKey(asset.split("/"))).without_checks()
        result = campaign.run_selection("another", selection, tags)
        assert not result.success
        said = [message for message in failure_messages(result.all_events) if "'volatility_20'" in message]
        assert said
        assert asset == "metrics" or "`golden run smoke" in said[0]
