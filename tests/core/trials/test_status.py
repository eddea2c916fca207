"""What has been done is told without reading again what did not change, and never from memory where it did."""

import os

import polars as pl
import pytest
from support.campaigns import OVERRIDES

from golden_core.preparation.catalogue import load_variant
from golden_core.store.lake import write_parquet
from golden_core.trials import all_trials, identity, trial_status

STUDY = load_variant("smoke", OVERRIDES)


@pytest.fixture
def read(monkeypatch):
    """The series whose inputs were read."""
    found, honest = [], identity.series_inputs

    def noted(home, study, pair, horizon):
        found.append(pair)
        return honest(home, study, pair, horizon)

    monkeypatch.setattr(identity, "series_inputs", noted)
    return found


def status(home):
    table = trial_status(home, STUDY, all_trials(STUDY))
    return {pair: set(rows["status"]) for (pair,), rows in table.group_by("pair")}


def test_inputs_are_read_once(broken, read):
    (broken.study("smoke").root / "input_hashes.json").unlink(missing_ok=True)
    assert status(broken) == status(broken) == {"EURUSD": {"done"}, "USDJPY": {"done"}}
    assert sorted(read) == ["EURUSD", "USDJPY"]


def test_a_changed_file_is_read_again(broken, read):
    status(broken)
    read.clear()
    path = broken.study("smoke").table("bars", "EURUSD")
    write_parquet(pl.read_parquet(path).with_columns(pl.col("close") * 1.5), path)
    assert status(broken) == {"EURUSD": {"missing"}, "USDJPY": {"done"}}
    assert read == ["EURUSD"]


def test_a_file_of_another_time_is_read_and_found_the_same(broken, read):
    status(broken)
    read.clear()
    os.utime(broken.study("smoke").table("folds", "USDJPY_h1"), (1, 1))
    assert status(broken)["USDJPY"] == {"done"}
    assert read == ["USDJPY"]


def test_a_lost_file_and_a_damaged_memory(broken, read):
    status(broken)
    broken.study("smoke").table("scalers", "EURUSD_h1").unlink()
    assert status(broken) == {"EURUSD": {"missing"}, "USDJPY": {"done"}}
    (broken.study("smoke").root / "input_hashes.json").write_text("{")
    assert status(broken) == {"EURUSD": {"missing"}, "USDJPY": {"done"}}
