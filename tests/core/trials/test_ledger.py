"""The ledger: every opening is a line, none can be changed, and a protocol is registered only if it was there first."""

import sys

import polars as pl
import pytest
from support.campaigns import OVERRIDES

from golden_core.forecasters import custom
from golden_core.preparation.catalogue import load_study, load_variant
from golden_core.store.lake import Home, write_parquet
from golden_core.trials import Trial
from golden_core.trials.code import code_hash
from golden_core.trials.ledger import LedgerError, ledger_path, open_test_parts, read_ledger, standing

PROTOCOL = (
    "protocol={kinds: [predicts], scopes: [series], loss: squared, margin: 0.01, family: kind, alpha: 0.05, power: 0.8}"
)
FIRST, CHANGED = (load_variant("smoke", [*OVERRIDES, PROTOCOL, *more]) for more in ((), ("protocol.alpha=0.1",)))
DONE = [("ar", "EURUSD"), ("random_walk", "EURUSD")]
TRIALS = [Trial(name, "EURUSD", 1, seed) for name in ("ar", "random_walk") for seed in (0, 1)]


@pytest.fixture
def home(tmp_path):
    place = Home(tmp_path / "home", tmp_path / "reports")
    bars(place, "EURUSD", 1.1)
    bars(place, "USDJPY", 150.0)
    return place


def bars(home, pair, close):
    write_parquet(pl.DataFrame({"close": [close]}), home.study("smoke").table("bars", pair))


def entries(home):
    return [entry for entry, _ in read_ledger(ledger_path(home))]


def test_nothing_tried_is_nothing_registered(home):
    assert vars(standing(home, FIRST, DONE)) == {"registered": False, "tried": 0}
    open_test_parts(home, FIRST, [])
    assert not ledger_path(home).exists()


def test_a_protocol_that_was_there_first_is_registered(home):
    open_test_parts(home, FIRST, TRIALS)
    open_test_parts(home, CHANGED, TRIALS)
    assert vars(standing(home, FIRST, DONE)) == {"registered": True, "tried": 2}
    assert vars(standing(home, CHANGED, DONE)) == {"registered": False, "tried": 2}
    assert [entry["protocol"] for entry in entries(home)] == [FIRST.protocol_hash(), CHANGED.protocol_hash()]
    assert len(entries(home)[0]["opened"]) == 2  # seeds share their test part


def test_what_was_opened_before_there_was_a_ledger_is_not_registered(home):
    open_test_parts(home, FIRST, TRIALS)
    assert not standing(home, FIRST, [*DONE, ("ar", "USDJPY")]).registered


def test_other_settings_count_as_tried_under_whatever_name_and_other_bars_do_not(home):
    open_test_parts(home, FIRST, TRIALS)
    for change in ("forecasters.ar.max_order=1", "context_length=4"):
        open_test_parts(home, load_variant("smoke", [*OVERRIDES, PROTOCOL, change]), TRIALS[:1])
    assert standing(home, FIRST, DONE).tried == 4
    for pair in ("EURUSD", "USDJPY"):
        bars(home, pair, 2.0)
    assert vars(standing(home, FIRST, DONE)) == {"registered": False, "tried": 0}


def test_a_class_of_ones_own_that_is_rewritten_is_tried_again(home, tmp_path, monkeypatch):
    """Its settings stay the same however often it changes; a comment is no other way to forecast."""
    mine = tmp_path / "mine_of_the_ledger.py"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    for line in ("", "SPAN = 20", "SPAN = 21", "SPAN = 21  # a better one"):
        mine.write_text(f"from golden_core.forecasters.naive import Drift\n{line}\nclass Mine(Drift): ...\n")
        code_hash.cache_clear()  # as a new process finds it
        custom._imported.clear()
        sys.modules.pop(mine.stem, None)
        named = f"forecasters={{random_walk: {{}}, mine: {{custom: '{mine.stem}:Mine'}}}}"
        open_test_parts(home, load_study("smoke", [named, PROTOCOL]), [Trial("mine", "EURUSD", 1, 0)])
    assert standing(home, FIRST, []).tried == 3


def test_a_changed_or_missing_line_is_named(home):
    for study in (FIRST, CHANGED, FIRST):
        open_test_parts(home, study, TRIALS)
    path = ledger_path(home)
    lines = path.read_bytes().splitlines(keepends=True)
    for kept in ([lines[0].replace(b"ar", b"xx"), *lines[1:]], [lines[0], lines[2]]):
        path.write_bytes(b"".join(kept))
        with pytest.raises(LedgerError, match="line 2: does not follow"):
            open_test_parts(home, FIRST, TRIALS)
    path.write_bytes(b"no json\n")
    with pytest.raises(LedgerError, match="line 1"):
        standing(home, FIRST, DONE)


def test_a_line_that_a_killed_process_left_unfinished_is_none(home):
    open_test_parts(home, FIRST, TRIALS)
    path = ledger_path(home)
    with path.open("ab") as file:
        file.write(b'{"at": "2026-')
    assert len(entries(home)) == 1
    open_test_parts(home, FIRST, TRIALS)
    assert len(entries(home)) == 2
    assert path.read_bytes().endswith(b"}\n")
