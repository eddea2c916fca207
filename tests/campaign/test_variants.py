"""A study with settings changed is another study: it overwrites nothing, and nothing is shown for it but its own."""

import shutil

import dagster as dg
import polars as pl
import pytest
from support.campaigns import OVERRIDES, SETTINGS, opened
from support.commands import golden

from golden_core.evaluation.campaign import evaluate, report_provenance
from golden_core.preparation.catalogue import load_study, load_variant, run_command, study_path
from golden_core.store.lake import read_json, write_json
from golden_core.study import StudyError
from golden_core.trials.stored import evaluation_record
from golden_dagster.campaign import open_campaign
from golden_dagster.lib.failures import failure_messages
from golden_dagster.resources import StudyResource


def leaderboard(*arguments):
    result = golden("leaderboard", "smoke", *arguments)
    return result.exit_code, " ".join(result.output.split())


def test_a_variant_has_a_name_of_its_own():
    variant = load_variant("smoke", ["training.epochs=3", "context_length=7"])
    assert variant.name.startswith("smoke_")
    assert variant == load_variant("smoke", ["context_length=7", "training.epochs=3"])
    names = {load_variant("smoke", [f"training.epochs={epochs}"]).name for epochs in range(1, 20)}
    assert len(names) == 19
    assert load_variant("smoke", ["training.epochs=3", "name=smoke_mine"]).name == "smoke_mine"
    assert load_variant("smoke") == load_study("smoke")


def test_no_table_is_shown_for_other_settings(finished):
    status, said = leaderboard(*SETTINGS)
    assert status == 0
    assert "incomplete" not in said
    assert "its numbers carry no claim" in said
    status, said = leaderboard("--set", "training.epochs=7")
    assert status == 2
    assert said.endswith("is not in the warehouse yet; run: golden run smoke --set training.epochs=7")
    status, said = leaderboard(*SETTINGS, "--set", "training.epochs=7")
    assert status == 2
    assert "what the warehouse holds of study 'smoke' was made with other settings; run: golden run smoke" in said


def test_an_incomplete_table_says_so(broken):
    shutil.rmtree(next((broken.study("smoke").root / "trials" / "dlinear").rglob("forecasts.parquet")).parent)
    evaluate(broken, load_variant("smoke", OVERRIDES))
    status, said = leaderboard(*SETTINGS)
    assert status == 0
    assert "incomplete: 11 of 12 trials" in said


def test_a_table_that_other_code_evaluated_says_so(broken):
    """After an upgrade nothing is decided again by itself, and old verdicts look like new ones."""
    study = load_variant("smoke", OVERRIDES)
    evaluate(broken, study)
    assert "stale" not in leaderboard(*SETTINGS)[1]
    record = evaluation_record(broken, study)
    for code in ("another", None):
        write_json({**read_json(record), "code": code}, record)
        assert "stale: evaluated by other code than this; golden run smoke" in leaderboard(*SETTINGS)[1]


def test_the_page_names_the_command_that_was_run(finished):
    command = report_provenance(finished, load_variant("smoke", OVERRIDES))["command"]
    assert command == run_command("smoke", OVERRIDES)
    assert command.startswith("golden run smoke --set name=smoke --set 'forecasters={")


def test_two_files_of_one_name(broken, tmp_path):
    copy = tmp_path / "mine.yaml"
    shutil.copy(study_path("smoke"), copy)
    before = read_json(broken.study("smoke").origin)
    refused = pytest.raises(StudyError, match="'smoke' that was made from smoke; two studies of one name")
    with refused as found, open_campaign(str(copy)):
        pass
    assert "--as NAME" in str(found.value)
    assert read_json(broken.study("smoke").origin) == before
    with open_campaign(str(copy), ["name=smoke_mine"]) as campaign:
        assert campaign.study.name == "smoke_mine"
    resource = StudyResource(study=str(copy))
    with pytest.raises(dg.Failure, match="two studies of one name"):
        resource.load()  # what a run from the web UI does
    assert golden("ui", "--study", str(copy)).exit_code == 2
    with opened():
        pass  # the first keeps its name


def test_a_variant_from_the_web_ui_names_its_command(broken):
    variant = StudyResource(study="smoke", overrides={"training.epochs": 2}).load()
    assert report_provenance(broken, variant)["command"] == "golden run smoke --set training.epochs=2"


def test_one_forecaster_without_results_costs_nobody_the_report(broken):
    """Its trials are gone, as if all had failed: it keeps its row, without a rank, and the page says so."""
    shutil.rmtree(broken.study("smoke").root / "trials" / "dlinear")
    evaluate(broken, load_variant("smoke", OVERRIDES))
    (broken.report("smoke") / "index.html").unlink()
    published = [dg.AssetKey(name) for name in ("leaderboard", "comparisons", "report")]
    with opened() as campaign:
        result = campaign.run_selection("published", dg.AssetSelection.assets(*published).without_checks(), {})
        assert failure_messages(result.all_events) == []
    board = pl.read_parquet(broken.study("smoke").table("published", "leaderboard"))
    assert board.filter(pl.col("forecaster") == "dlinear")["rank"].to_list() == [None]
    assert board["rank"].drop_nulls().to_list() == [1, 2]
    page = (broken.report("smoke") / "index.html").read_text()
    assert "rests on 8 of 12 trials" in page


def test_a_run_ends_with_the_study_it_began_with(tmp_path):
    """Its file may be edited while it runs: half of one study and half of another would be published."""
    path = tmp_path / "mine.yaml"
    path.write_text(study_path("smoke").read_text(encoding="utf-8").replace("name: smoke", "name: smoke_mine"))
    with open_campaign(str(path)) as campaign:
        path.write_text(path.read_text(encoding="utf-8").replace("horizons: [1]", "horizons: [1, 5]"))
        assert campaign.definitions.resources["study"].load() == campaign.study
