"""The ledger: every opening is a line, none can be changed, and a protocol is registered only if it was there first."""

import errno
import os
import sys

import polars as pl
import pytest
from support.campaigns import OVERRIDES
from support.folds import folds_of_years
from support.money import section

from golden_core.forecasters import custom
from golden_core.preparation.catalogue import load_study, load_variant
from golden_core.store.health import FullDiskError
from golden_core.store.lake import Home, write_json, write_parquet
from golden_core.study.sections import canonical_json
from golden_core.trials import Trial
from golden_core.trials.code import code_hash
from golden_core.trials.ledger import (
    LedgerError,
    last_line,
    ledger_path,
    look_again,
    open_test_parts,
    read_ledger,
    standing,
)
from golden_core.trials.registration import Standing
from golden_core.trials.standing import taken_in
from golden_core.trials.stored import evaluation_record

PROTOCOL = (
    "protocol={kinds: [predicts], scopes: [series], loss: squared, margin: 0.01, family: kind, alpha: 0.05, power: 0.8}"
)
FIRST, CHANGED = (load_variant("smoke", [*OVERRIDES, PROTOCOL, *more]) for more in ((), ("protocol.alpha=0.1",)))
DONE = [("ar", "EURUSD"), ("random_walk", "EURUSD")]
TRIALS = [Trial(name, "EURUSD", 1, seed) for name in ("ar", "random_walk") for seed in (0, 1)]


@pytest.fixture
def home(tmp_path):
    place = Home(tmp_path / "home", tmp_path / "reports")
    rates(place, "EURUSD", 1.1)
    rates(place, "USDJPY", 150.0)
    return place


@pytest.fixture
def opened(home):
    open_test_parts(home, FIRST, TRIALS)
    return home


def rates(home, pair, close, *, study="smoke", first=2020, last=2022, horizon=1):
    """Write bars, and folds whose test parts span some years after one of training."""
    folder = home.study(study)
    write_parquet(pl.DataFrame({"close": [close]}), folder.table("bars", pair))
    write_parquet(folds_of_years(first, last), folder.table("folds", f"{pair}_h{horizon}"))


def again(home, *changes, trials=None):
    """Open test parts under changed settings, and return how much was tried in the eyes of the first study."""
    open_test_parts(home, load_variant("smoke", [*OVERRIDES, PROTOCOL, *changes]), trials or TRIALS)
    return standing(home, FIRST, DONE)


def entries(home):
    return [entry for entry, _ in read_ledger(home)]


def test_nothing_tried_is_nothing_registered(home):
    assert vars(standing(home, FIRST, DONE)) == {"registered": False, "tried": 0}
    open_test_parts(home, FIRST, [])
    assert not ledger_path(home).exists()


def test_a_protocol_that_was_there_first_is_registered(opened):
    open_test_parts(opened, CHANGED, TRIALS)
    assert vars(standing(opened, FIRST, DONE)) == {"registered": True, "tried": 2}
    assert vars(standing(opened, CHANGED, DONE)) == {"registered": False, "tried": 2}
    assert [entry["protocol"] for entry in entries(opened)] == [FIRST.protocol_hash(), CHANGED.protocol_hash()]
    assert len(entries(opened)[0]["opened"]) == 2  # seeds share their test part
    assert entries(opened)[0]["rates"]["EURUSD"].items() >= {"first": "2020-01-01", "last": "2022-12-31"}.items()


@pytest.mark.parametrize(
    "left_out", ["forecasters={random_walk: {}, ar: {max_order: 2}}", "data.pairs=[EURUSD]", "horizons=[1]"]
)
def test_who_leaves_out_what_was_looked_at_is_not_registered(home, left_out):
    """The family of what is left is smaller, and every p-value with it: the protocol was made for the larger one."""
    rates(home, "EURUSD", 1.1, horizon=5)
    wide = load_variant("smoke", [*OVERRIDES, PROTOCOL, "horizons=[1, 5]"])
    assert {*wide.forecasters} > {"random_walk", "ar"}
    assert len(wide.data.pairs) == 2
    open_test_parts(home, wide, TRIALS)
    assert standing(home, wide, DONE).registered
    narrow = load_variant("smoke", [*OVERRIDES, PROTOCOL, "horizons=[1, 5]", left_out])
    assert narrow.protocol_hash() == wide.protocol_hash()
    open_test_parts(home, narrow, TRIALS)
    assert not standing(home, narrow, DONE).registered
    assert standing(home, wide, DONE).registered


def test_who_asks_more_than_before_is_registered(home):
    narrow = load_variant("smoke", [*OVERRIDES, PROTOCOL, "forecasters={random_walk: {}, ar: {max_order: 2}}"])
    open_test_parts(home, narrow, TRIALS)
    open_test_parts(home, FIRST, TRIALS)
    assert standing(home, FIRST, DONE).registered


def test_a_pair_whose_currencies_are_not_in_the_order_of_the_alphabet_is_registered_too(home):
    open_test_parts(home, FIRST, [Trial("ar", "USDJPY", 1, 0)])
    assert standing(home, FIRST, [("ar", "USDJPY")]) == Standing(registered=True, tried=1)


def test_what_was_opened_before_there_was_a_ledger_is_not_registered(opened):
    assert not standing(opened, FIRST, [*DONE, ("ar", "USDJPY")]).registered


def test_other_settings_count_as_tried_under_whatever_name(opened):
    for change in ("forecasters.ar.max_order=1", "context_length=4"):
        open_test_parts(opened, load_variant("smoke", [*OVERRIDES, PROTOCOL, change]), TRIALS[:1])
    assert standing(opened, FIRST, DONE).tried == 4


@pytest.mark.parametrize("change", [
    "splits.test=99", "splits.train=180", "data.start=2023-01-03", "data.end=2024-12-30", "data.end=latest",
    "quantiles={levels: [0.1, 0.5, 0.9], calibration: {method: split, share: 0.4}}",
])  # fmt: skip
def test_other_folds_days_and_quantiles_are_another_try_of_each(opened, change):
    assert again(opened, change) == Standing(registered=True, tried=4)
    assert again(opened, change).tried == 4  # once


def test_the_training_section_is_told_only_to_what_trains(home):
    """A trial that trains nothing is not run again when it changes: evaluated under it, it came from nowhere else."""
    open_test_parts(home, FIRST, [*TRIALS, Trial("dlinear", "EURUSD", 1, 0)])
    longer = load_variant("smoke", [*OVERRIDES, PROTOCOL, "training.epochs=7"])
    open_test_parts(home, longer, [Trial("dlinear", "EURUSD", 1, 0)])
    done = [*DONE, ("dlinear", "EURUSD")]
    look_again(home, longer, [(name, pair, 1) for name, pair in done])
    assert [entry["protocol"] for entry in entries(home)] == [FIRST.protocol_hash()] * 2
    assert standing(home, longer, done) == Standing(registered=True, tried=4)


@pytest.mark.parametrize("change", ["seeds.root=2", "seeds.count=3"])
def test_other_seeds_are_another_try_of_what_draws(home, change):
    open_test_parts(home, FIRST, [*TRIALS, Trial("dlinear", "EURUSD", 1, 0)])
    assert standing(home, FIRST, DONE).tried == 3
    assert again(home, change, trials=[*TRIALS, Trial("dlinear", "EURUSD", 1, 0)]).tried == 4


def test_another_horizon_is_another_try(opened):
    for pair in ("EURUSD", "USDJPY"):
        rates(opened, pair, 1.1, horizon=5)
    assert again(opened, "horizons=[5]", trials=[Trial("ar", "EURUSD", 5, 0)]).tried == 3


def test_the_same_years_of_a_pair_are_the_same_rates(opened):
    """Another vendor, hours for days, a later end: whoever looked at them has seen what the test part holds."""
    for pair in ("EURUSD", "USDJPY"):
        rates(opened, pair, 2.0, first=2022, last=2030)
    assert standing(opened, FIRST, DONE) == Standing(registered=True, tried=2)
    assert not standing(opened, CHANGED, DONE).registered


@pytest.mark.parametrize("change", [{"source": "files"}, {"settings": {"path": "other"}}, {"time_zone": "UTC"}])
def test_another_vendor_or_clock_is_another_try(opened, change):
    """Whoever tries vendors until a claim appears; to judge the same trials where a file was moved is none."""
    other = FIRST.model_copy(update={"data": FIRST.data.model_copy(update=change)})
    look_again(opened, other, [(name, pair, 1) for name, pair in DONE])
    assert standing(opened, FIRST, DONE).tried == 2
    open_test_parts(opened, other, TRIALS)
    assert standing(opened, FIRST, DONE) == Standing(registered=True, tried=4)


def test_a_pair_upside_down_is_the_same_rates(opened):
    upside_down = load_variant("smoke", [*OVERRIDES, PROTOCOL, "protocol.alpha=0.1", "data.pairs=[USDEUR]"])
    rates(opened, "USDEUR", 0.9)
    open_test_parts(opened, upside_down, [Trial(name, "USDEUR", 1, 0) for name, _ in DONE])
    done = [(name, "USDEUR") for name, _ in DONE]
    assert standing(opened, upside_down, done) == Standing(registered=False, tried=2)


@pytest.mark.parametrize("years", [(2023, 2030), (2010, 2019)])
def test_other_years_of_a_pair_are_other_rates(opened, years):
    for pair in ("EURUSD", "USDJPY"):
        rates(opened, pair, 1.1, first=years[0], last=years[1])
    assert standing(opened, FIRST, DONE) == Standing(registered=False, tried=0)


@pytest.mark.parametrize(("later", "seen"), [(0, 2), (1, 0)])
@pytest.mark.parametrize("first", [True, False])
def test_one_day_that_both_test_parts_have_is_enough(opened, later, seen, first):
    """Years 2020 to 2022 were opened; others end on the first of these days, or begin on the last, or just beyond."""
    folds = opened.study("smoke").table("folds", "EURUSD_h1")
    moved = pl.duration(days=-(366 + 2 * 365 - 1) - later if first else 366 + 2 * 365 - 1 + later)
    test = pl.when(pl.col("part") == "test")
    days = [
        test.then(pl.col(name) + moved).otherwise(name).alias(name) for name in ("first_timestamp", "last_timestamp")
    ]
    write_parquet(pl.read_parquet(folds).with_columns(days), folds)
    assert standing(opened, FIRST, DONE).tried == seen


def test_what_was_tried_on_other_pairs_does_not_count(opened):
    other = load_variant("smoke", [*OVERRIDES, PROTOCOL, "data.pairs=[USDJPY]"])
    assert standing(opened, other, []).tried == 0


@pytest.mark.parametrize("name", ["placebo", "placebo_hours"])
def test_rates_that_a_seed_makes_are_the_same_only_bar_by_bar(home, name):
    made = load_study(name).data.model_copy(update={"pairs": FIRST.data.pairs})
    garch = FIRST.model_copy(update={"data": made})
    open_test_parts(home, FIRST, TRIALS)
    assert standing(home, garch, DONE).tried == 0
    open_test_parts(home, garch, TRIALS)
    assert standing(home, garch, DONE) == Standing(registered=True, tried=2)
    assert standing(home, FIRST, DONE).tried == 2
    rates(home, "EURUSD", 2.0)
    assert standing(home, garch, DONE) == Standing(registered=False, tried=0)


def test_other_costs_are_another_try_though_nothing_is_trained(home):
    looked = [(name, pair, 1) for name, pair in DONE]
    open_test_parts(home, FIRST, TRIALS)
    look_again(home, FIRST, looked)
    assert len(entries(home)) == 1
    dearer = FIRST.model_copy(update={"economics": section()})
    for _ in range(2):
        look_again(home, dearer, looked)
    assert standing(home, FIRST, DONE) == Standing(registered=True, tried=4)
    look_again(home, CHANGED, looked)
    assert not standing(home, CHANGED, DONE).registered
    assert [entry["protocol"] for entry in entries(home)] == [FIRST.protocol_hash()] * 2 + [CHANGED.protocol_hash()]


def test_what_came_from_elsewhere_is_written_down_under_no_protocol(home):
    open_test_parts(home, FIRST, TRIALS[:2])
    look_again(home, FIRST, [(name, pair, 1) for name, pair in DONE])
    assert [(entry["protocol"], [one["forecaster"] for one in entry["opened"]]) for entry in entries(home)] == [
        (FIRST.protocol_hash(), ["ar"]),
        (None, ["random_walk"]),
    ]
    open_test_parts(home, FIRST, TRIALS)  # too late
    assert standing(home, FIRST, DONE) == Standing(registered=False, tried=2)


def test_a_class_of_ones_own_that_is_rewritten_is_tried_again(home, tmp_path, monkeypatch):
    """Its settings stay the same however often it changes, or what it reads; a comment is no other way to forecast."""
    mine, table = tmp_path / "mine_of_the_ledger.py", tmp_path / "table.txt"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    head = "from pathlib import Path\nfrom golden_core.forecasters.naive import Drift\n"
    bodies = ["...", "span = 20", "span = 21", "span = 21  # a better one", *["files = (Path('table.txt'),)"] * 2]
    for number, body in enumerate(bodies):
        mine.write_text(f"{head}class Mine(Drift): {body}\n")
        table.write_text(str(number))
        code_hash.cache_clear()  # as a new process finds it
        custom._imported.clear()
        sys.modules.pop(mine.stem, None)
        named = f"forecasters={{random_walk: {{}}, mine: {{custom: '{mine.stem}:Mine'}}}}"
        study = load_study("smoke", [named, PROTOCOL])
        open_test_parts(home, study, [Trial("mine", "EURUSD", 1, 0)])
    assert standing(home, FIRST, []).tried == 5
    taken = taken_in(home, study, "golden run smoke")
    table.write_text("another")
    assert taken_in(home, study, "golden run smoke") != taken, "what it reads is taken in, too"


def test_a_changed_or_missing_line_is_named(home):
    for study in (FIRST, CHANGED, FIRST):
        open_test_parts(home, study, TRIALS)
    path = ledger_path(home)
    lines = path.read_bytes().splitlines(keepends=True)
    for kept in ([lines[0].replace(b'"ar"', b'"xx"'), *lines[1:]], [lines[0], lines[2]]):
        path.write_bytes(b"".join(kept))
        with pytest.raises(LedgerError, match="line 2: does not follow"):
            open_test_parts(home, FIRST, TRIALS)
    path.write_bytes(b"no json\n")
    with pytest.raises(LedgerError, match="line 1"):
        standing(home, FIRST, DONE)


@pytest.mark.parametrize("told", [{}, {"rates": {}}, {"opened": 3}, {"rates": [], "opened": [{}]}])
def test_a_line_that_cannot_be_read_is_named(home, told):
    line = canonical_json({"protocol": None, **told, "previous": "0" * 64})
    ledger_path(home).write_text(line + "\n")
    with pytest.raises(LedgerError, match="line 1"):
        standing(home, FIRST, DONE)


def test_a_line_is_on_the_disk_before_anything_rests_on_it(home, monkeypatch):
    """Else a power failure could leave the record of an evaluation without the line that it knew of."""
    found = []
    monkeypatch.setattr(os, "fsync", lambda _number: found.append(len(entries(home))))
    open_test_parts(home, FIRST, TRIALS)
    assert found == [1]


def test_a_line_that_finds_no_room_names_its_file(home, monkeypatch):
    def full(_number):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(FullDiskError, match=r"ledger\.jsonl: the disk is full.*give the same command again"):
        open_test_parts(home, FIRST, TRIALS)


def test_an_end_that_is_cut_off_is_noticed_where_a_study_was_evaluated_on_it(home):
    for study in (FIRST, CHANGED):
        open_test_parts(home, study, TRIALS)
    path, whole = ledger_path(home), ledger_path(home).read_bytes()
    record = evaluation_record(home, FIRST)
    write_json({"ledger": last_line(home)}, record)
    open_test_parts(home, load_variant("smoke", [*OVERRIDES, PROTOCOL, "seeds.root=2"]), TRIALS)
    assert standing(home, FIRST, DONE).tried == 2  # what came later may come and go
    path.write_bytes(whole)
    assert standing(home, FIRST, DONE).tried == 2
    for left in (whole.splitlines(keepends=True)[0], b""):
        path.write_bytes(left)
        for read in (lambda: standing(home, FIRST, DONE), lambda: open_test_parts(home, FIRST, TRIALS)):
            with pytest.raises(LedgerError, match="study 'smoke' was evaluated has gone"):
                read()
        assert path.read_bytes() == left
    for known_of in ({}, {"ledger": None}):  # what an earlier release wrote
        write_json(known_of, record)
        assert standing(home, FIRST, DONE).tried == 0


def test_what_others_write_and_evaluate_on_while_it_is_read_is_no_lost_end(opened):
    reading = read_ledger(opened)
    next(reading)
    open_test_parts(opened, CHANGED, TRIALS)
    write_json({"ledger": last_line(opened)}, evaluation_record(opened, CHANGED))
    assert list(reading) == []


def test_a_line_that_a_killed_process_left_unfinished_is_none(opened):
    path = ledger_path(opened)
    with path.open("ab") as file:
        file.write(b'{"at": "2026-')
    assert len(entries(opened)) == 1
    open_test_parts(opened, FIRST, TRIALS)
    assert len(entries(opened)) == 2
    assert path.read_bytes().endswith(b"}\n")
