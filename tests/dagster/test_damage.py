"""Files that are not whole: found, told in one line each, and made again from what they were derived from."""

import os
import re
import shutil
from pathlib import Path

import dagster as dg
import duckdb
import pytest
from joblib.externals.loky.process_executor import _RemoteTraceback
from support.campaigns import OVERRIDES, SETTINGS, finish, opened
from support.commands import golden as called
from support.damage import cut_off, emptied, written_over

from golden_core.evaluation.campaign import evaluate
from golden_core.preparation.catalogue import load_variant
from golden_core.reporting.tables import leaderboard
from golden_core.store.warehouse import Warehouse
from golden_core.trials import outputs
from golden_core.trials.outputs import AlteredError, damaged_trials
from golden_core.trials.stored import IncompleteError, shown_completeness, stored_faults, tables_fault
from golden_dagster.lib.failures import failure_messages
from golden_dagster.lib.published import published_path

STUDY = load_variant("smoke", OVERRIDES)


def golden(*arguments):
    return called(*arguments, "smoke", *SETTINGS)


def of_another_release(path):
    """Give a table a column more than this release knows."""
    with duckdb.connect(str(path)) as connection:
        connection.execute("ALTER TABLE metrics ADD COLUMN older DOUBLE")


def replaced_by_a_folder(path):
    path.unlink()
    path.mkdir()


def leading_to_itself(path):
    path.unlink()
    path.symlink_to(path.name)


NO_FILE = [replaced_by_a_folder, leading_to_itself]


@pytest.mark.parametrize("harm", [cut_off, written_over, emptied, os.unlink, of_another_release, *NO_FILE])
def test_a_damaged_warehouse_is_said_and_made_again(broken, harm):
    board = leaderboard(Warehouse(broken.warehouse), "smoke", significance=0.05).frame
    harm(broken.warehouse)
    fault = tables_fault(broken, STUDY)
    assert fault.startswith(("warehouse ", "there is no warehouse "))
    with pytest.raises(IncompleteError, match=r"warehouse\.duckdb"):
        shown_completeness(broken, STUDY)
    evaluate(broken, STUDY)
    assert tables_fault(broken, STUDY) is None
    assert leaderboard(Warehouse(broken.warehouse), "smoke", significance=0.05).frame.equals(board)


def test_rows_of_an_earlier_day_are_no_tables_of_this_study(broken):
    frames = {"metrics": Warehouse(broken.warehouse).query("SELECT * FROM metrics").head(1)}
    Warehouse(broken.warehouse).load("smoke", frames)
    assert "holds other rows of study 'smoke' than were loaded, in metrics" in tables_fault(broken, STUDY)


def test_status_and_leaderboard_say_it_in_one_line(broken):
    folder = broken.study("smoke")
    cut_off(folder.table("bars", "EURUSD"))
    emptied(folder.raw)
    written_over(folder.table("folds", "USDJPY_h1"))
    written_over(broken.warehouse)
    said = [line for line in golden("status").output.splitlines() if line.startswith("damaged")]
    assert len(said) == 4
    for line, name in zip(
        said, ("EURUSD.parquet", "USDJPY_h1.parquet", "raw.parquet", "warehouse.duckdb"), strict=True
    ):
        assert name in line
        assert "golden run STUDY" in line
    shown = golden("leaderboard")
    assert shown.exit_code == 2
    assert len(shown.output.splitlines()) == 1
    assert "is damaged" in shown.output


def test_a_data_card_that_is_no_text_is_written_again(broken):
    card = broken.study("smoke").card
    whole = card.read_bytes()
    written_over(card)
    with opened() as campaign:
        assert finish(campaign) == ["data quality"]
    assert card.read_bytes() == whole


def test_trials_that_count_no_longer_are_told_from_a_home_without_the_study(broken):
    for trial in list(broken.study("smoke").root.glob("trials/*/*/*")):
        trial.rename(trial.with_name(trial.name[::-1]))
    said = " ".join(golden("status").stdout.split())
    assert f"only trials of former settings, data or code are in {broken.root}: `golden run smoke" in said


@pytest.mark.parametrize(("name", "harm"), [("leaderboard", written_over), ("comparisons", Path.unlink)])
def test_a_published_table_that_is_no_longer_what_was_written_is_made_again(broken, name, harm):
    path = published_path("smoke", dg.AssetKey(name))
    whole, said = path.read_bytes(), []
    harm(path)
    with opened(say=said.append) as campaign:
        assert finish(campaign) == ["metrics and report"]
    assert f"{path} is not what was published; it is made again" in said
    assert path.read_bytes() == whole


def test_a_run_finds_a_warehouse_written_over(broken):
    """What is up to date says so of the files that it read, and not of those that it wrote."""
    written_over(broken.warehouse)
    said = []
    with opened(say=said.append) as campaign:
        assert [next(campaign.stages()).name] == ["metrics and report"]
    assert len(said) == 1
    assert said[0].endswith("its tables are made again from the lake")
    assert stored_faults(broken, STUDY) == [tables_fault(broken, STUDY)]


@pytest.mark.parametrize("harm", [cut_off, written_over])
def test_a_damaged_forecast_file_is_said_and_its_trial_made_again(broken, harm):
    path = min(broken.study("smoke").root.glob("trials/ar/EURUSD_h1/*/forecasts.parquet"))
    whole = path.read_bytes()
    assert "damaged" not in golden("status").stdout
    harm(path)
    said = "ar on EURUSD_h1, seed 0: forecasts.parquet is not what the trial wrote"
    assert golden("status").stdout.count(f"damaged {said}") == 1
    told = []
    with opened(say=told.append) as campaign:
        (models,) = (stage for stage in campaign.stages() if stage.name == "models")
        assert models.assets == [dg.AssetKey(["models", "ar"])]
        assert campaign.execute(models)
    assert f"{said}; it is made again" in told
    assert path.read_bytes() == whole
    assert damaged_trials(broken, STUDY) == {}


def test_a_damaged_trial_that_is_recorded_from_the_web_ui_is_named_with_its_remedy(broken):
    """There nobody has looked for damage before the step."""
    path = min(broken.study("smoke").root.glob("trials/ar/EURUSD_h1/*/forecasts.parquet"))
    emptied(path)
    with opened() as campaign:
        tags = {"dagster/partition": "s00|EURUSD_h1"}
        result = campaign.run_selection("one", dg.AssetSelection.assets(["models", "ar"]).without_checks(), tags)
    assert [
        f"models__ar: {path} is damaged" in one and "golden run" in one for one in failure_messages(result.all_events)
    ] == [True]


def test_a_file_in_the_place_of_a_trial_is_said_and_made_way_for(broken):
    (trial,) = broken.study("smoke").root.glob("trials/ar/EURUSD_h1/*")
    shutil.rmtree(trial)
    trial.write_text("")
    assert "damaged ar on EURUSD_h1, seed 0: provenance.json does not say what was written" in golden("status").stdout
    with opened() as campaign:
        assert "models" in [stage.name for stage in campaign.stages()]
    assert not trial.exists()


def test_what_lies_beside_the_files_of_a_trial_stops_a_run_that_would_delete_it(broken):
    (folder,) = broken.study("smoke").root.glob("trials/ar/EURUSD_h1/*")
    note = folder / "notes.txt"
    note.write_text("somebody's own")
    said = f"ar on EURUSD_h1, seed 0: notes.txt was not written by the trial, move it elsewhere ({folder})"
    assert f"damaged {said}" in golden("status").stdout
    with opened() as campaign, pytest.raises(AlteredError, match=re.escape(said)):
        next(campaign.stages())
    note.unlink()
    assert damaged_trials(broken, STUDY) == {}


def test_a_trial_under_the_name_of_another_is_said_and_made_again(broken):
    (other,) = broken.study("smoke").root.glob("trials/random_walk/EURUSD_h1/*")
    (folder,) = broken.study("smoke").root.glob("trials/ar/EURUSD_h1/*")
    shutil.rmtree(folder)
    shutil.copytree(other, folder)
    said = f"ar on EURUSD_h1, seed 0: provenance.json is that of another trial, {other.name}"
    assert damaged_trials(broken, STUDY) == {folder: said}
    with pytest.raises(AlteredError, match=f"{folder.name}: provenance.json is that of another trial"):
        evaluate(broken, STUDY)
    with opened() as campaign:
        next(campaign.stages())
    assert not folder.exists()


def test_what_a_worker_raised_is_told_without_its_traceback():
    @dg.asset
    def made():
        raise ZeroDivisionError("division by zero") from _RemoteTraceback('"""\nTraceback (most recent call last)\n"""')

    result = dg.materialize([made], raise_on_error=False)
    assert failure_messages(result.all_events) == ["made: ZeroDivisionError: division by zero"]


def test_whole_trials_are_hashed_once(broken, monkeypatch):
    damaged_trials(broken, STUDY)
    hashed = []
    monkeypatch.setattr(outputs, "altered_files", lambda folder: hashed.append(folder.parent.name) or [])
    assert damaged_trials(broken, STUDY) == {}
    assert hashed == []
    os.utime(min(broken.study("smoke").root.glob("trials/ar/USDJPY_h1/*/forecasts.parquet")), (1, 1))
    assert damaged_trials(broken, STUDY) == {}
    assert hashed == ["USDJPY_h1"]
