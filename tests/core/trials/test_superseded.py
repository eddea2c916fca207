"""What `golden clean` takes for old, and what it leaves alone."""

import shutil

import pytest
from support.campaigns import OVERRIDES, SETTINGS
from support.commands import golden

from golden_core.preparation.catalogue import load_variant
from golden_core.trials import all_trials, trial_status

STUDY = load_variant("smoke", OVERRIDES)


def clean(*arguments):
    result = golden("clean", "smoke", *SETTINGS, *arguments)
    return result.exit_code, " ".join(result.output.split())


def done(home):
    return trial_status(home, STUDY, all_trials(STUDY))["status"].to_list().count("done")


@pytest.fixture
def old(broken):
    """A trial of yesterday beside one of today, and a failure of yesterday."""
    root = broken.study("smoke").root
    today = next((root / "trials" / "dlinear" / "EURUSD_h1").iterdir())
    trial = shutil.copytree(today, today.with_name("0123456789abcdef"))
    failure = root / "failures" / "dlinear" / "EURUSD_h1" / "fedcba9876543210.json"
    failure.parent.mkdir(parents=True, exist_ok=True)
    failure.write_text('{"error": "it was too hot"}')
    return trial, failure


def test_nothing_is_old_after_a_campaign(broken):
    assert clean("--yes") == (0, "0 superseded trials of study smoke, 0.0 MB deleted")
    assert done(broken) == 12


def test_what_is_old_is_listed_and_deleted_only_when_told(broken, old):
    status, said = clean()
    assert status == 0
    assert "0123456789abcdef" in said
    assert said.endswith("MB to delete with --yes")
    assert "2 superseded trials" in said
    assert all(path.exists() for path in old)
    notes = [old[0].with_name("notes.txt"), old[1].with_name("why.json")]
    for one in notes:
        one.write_text("mine")
    status, said = clean("--yes")
    assert status == 0
    assert said.endswith("MB deleted")
    assert not any(path.exists() for path in old)
    assert all(one.exists() for one in notes), "what somebody put there is nobody else's to delete"
    assert done(broken) == 12
    assert not list(broken.study("smoke").root.rglob("*.tmp"))


def test_without_folds_nothing_can_be_told_and_nothing_is_deleted(broken, old):
    broken.study("smoke").table("folds", "USDJPY_h1").unlink()
    status, said = clean("--yes")
    assert status == 2
    assert "lacks bars or folds" in said
    assert all(path.exists() for path in old)
