"""The asset of the scorecard, its two checks, and the command."""

import dagster as dg
import polars as pl
import pytest
import typer
from typer.testing import CliRunner

from golden_core.checks.platform import PLATFORM_CHECKS
from golden_core.leakage.scorecard import ROWS
from golden_core.leakage.scorecard_store import file_scorecard, filed_scorecard, probes_and_leaks
from golden_core.preparation.catalogue import load_study
from golden_core.store.lake import Home
from golden_dagster.cli import leakage as command
from golden_dagster.definitions import resources
from golden_dagster.defs.leakage import leakage_scorecard
from golden_dagster.lib.checks import asset_check, verdict

CHECKS = [check for check in PLATFORM_CHECKS if check.asset == "leakage/scorecard"]


def table(*, caught=True, alarms=0):
    """Return a scorecard of full size: ten leaks of either kind, all caught or none."""
    record = dict.fromkeys(ROWS) | {"held_out": False, "site": 0, "probes": "", "cpu_seconds": 0.1, "asset": "bars"}
    made = []
    for kind, count in (("deterministic", 300), ("statistical", 1000)):
        leak = record | {"id": "leak", "leak_class": "L2", "kind": kind, "caught": caught, "place_right": caught}
        made += [leak | {"replicate": n} for n in range(10)]
        made += [record | {"id": "clean", "kind": kind, "replicate": n, "caught": n < alarms} for n in range(count)]
    return pl.DataFrame(made, schema=ROWS)


def run(*definitions):
    with dg.DagsterInstance.ephemeral() as instance:
        return dg.materialize(list(definitions), resources=resources(), instance=instance, raise_on_error=False)


def judged():
    home, study = Home.from_environment(), load_study("smoke")
    return [verdict(check.decide(home, study), check.unit, check.severity) for check in CHECKS]


def test_the_asset_files_its_table_and_shows_it(monkeypatch):
    monkeypatch.setattr("golden_core.leakage.scorecard.scorecard", lambda *_, **__: table())
    result = run(leakage_scorecard, *map(asset_check, CHECKS))
    assert result.success
    metadata = result.asset_materializations_for_node("leakage__scorecard")[0].metadata
    assert metadata["dagster/row_count"].value == 1320
    shown = {record.data["of"]: record.data["rate"] for record in metadata["rates"].records}
    assert "0 of 1000" in shown["statistical false alarms"]
    assert (Home.from_environment().root / "leakage" / "scorecard_by_kind.csv").is_file()
    assert all(evaluation.passed for evaluation in result.get_asset_check_evaluations())


def test_what_changed_while_it_was_measured_is_not_what_it_was_measured_on(monkeypatch):
    code = ["before"]
    monkeypatch.setattr("golden_core.leakage.scorecard_store.code_hash", lambda _: code[-1])
    monkeypatch.setattr("golden_core.leakage.scorecard.scorecard", lambda *_, **__: code.append("after") or table())
    assert run(leakage_scorecard).success
    assert not filed_scorecard(Home.from_environment()).current


def test_what_was_not_measured_is_a_warning():
    found = judged()
    assert not any(result.passed for result in found)
    assert {result.severity for result in found} == {dg.AssetCheckSeverity.WARN}


@pytest.mark.parametrize(("options", "words"), [({"caught": False}, "leaks caught"), ({"alarms": 11}, "false alarms")])
def test_a_broken_claim_is_an_error(options, words):
    file_scorecard(Home.from_environment(), table(**options), probes_and_leaks())
    for result in judged():
        assert not result.passed
        assert result.severity == dg.AssetCheckSeverity.ERROR
        assert words in result.description


@pytest.mark.parametrize(
    ("caught", "severity"), [(True, dg.AssetCheckSeverity.WARN), (False, dg.AssetCheckSeverity.ERROR)]
)
def test_a_scorecard_of_other_probes_is_to_be_measured_again(caught, severity):
    file_scorecard(Home.from_environment(), table(caught=caught), "other probes")
    found = judged()
    assert not any(result.passed for result in found)
    assert {result.severity for result in found} == {severity}


@pytest.mark.parametrize(("caught", "status"), [(True, 0), (False, 1)])
def test_the_command_prints_the_table_and_fails_on_a_miss(monkeypatch, caught, status):
    monkeypatch.setattr(command, "_examined", lambda *_: table(caught=caught))
    app = typer.Typer()
    app.command()(command.scorecard)
    result = CliRunner().invoke(app, [])
    assert result.exit_code == status
    assert "deterministic leaks caught" in result.output
    assert ("failed" in result.output) == (not caught)
