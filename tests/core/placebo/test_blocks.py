"""Blocks: whole or not there, found again, and anew where a setting or a statement is another; and the tables."""

import dataclasses
import os
import signal

import pytest

from golden_core.checks.universes import GATE
from golden_core.placebo import blocks as module
from golden_core.placebo.blocks import block_file, block_rows, blocks, placebo_arms, power_arms, run_blocks
from golden_core.placebo.filed import count_universes
from golden_core.placebo.universe import PLANTED, PlaceboError
from golden_core.preparation.catalogue import load_study
from golden_core.reporting.pictures import PICTURES, as_png, as_svg
from golden_core.store.lake import Home
from golden_core.study import StudyError
from golden_core.trials import identity
from golden_core.trials.code import source_files
from golden_core.trials.workers import stop_workers

# What the probes of code find is tested elsewhere, and takes seconds.
QUICK = dataclasses.replace(GATE, inputs=lambda home, study, _thorough: GATE.inputs(home, study, False))


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return Home(tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("reports"))


def test_a_killed_run_loses_one_block_and_the_next_goes_on(home, tiny, monkeypatch):
    arms, honest = placebo_arms(tiny), module.universe_rows
    asked = []

    def killed(study, arm, number, gate, *, thorough):
        asked.append(number)
        if number == 3:
            raise KeyboardInterrupt
        return honest(study, arm, number, gate, thorough=thorough)

    monkeypatch.setattr(module, "universe_rows", killed)
    with pytest.raises(KeyboardInterrupt):
        list(run_blocks(home, tiny, arms, QUICK))
    assert set(block_rows(home, tiny, arms, QUICK)["universe"]) == {0, 1}
    monkeypatch.setattr(module, "universe_rows", lambda *given, **how: asked.append(given[2]) or honest(*given, **how))
    assert list(run_blocks(home, tiny, arms, QUICK)) == [(1, 2), (2, 2)]
    assert asked == [0, 1, 2, 3, 2, 3]
    rows = block_rows(home, tiny, arms, QUICK)
    assert set(rows["universe"]) == {0, 1, 2, 3}
    assert list(run_blocks(home, tiny, arms, QUICK)) == [(2, 2)]
    table = count_universes(home, tiny, "placebo", QUICK)
    assert table["universes"].to_list() == [4] * table.height
    assert as_png(PICTURES["placebo"](table)).startswith(b"\x89PNG")


def test_a_worker_that_dies_costs_its_block_a_restart_and_who_always_dies_is_named(home, tiny, monkeypatch, tmp_path):
    arms, asked, died = placebo_arms(tiny), blocks(tiny, placebo_arms(tiny)), tmp_path / "died"

    def deadly(home, study, block, gate):
        if block.index == 1 and not died.exists():  # before the other is done, or after it
            died.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return block_file(home, study, block, gate)

    monkeypatch.setattr(module, "run_block", deadly)
    fresh = Home(tmp_path / "home", tmp_path / "reports")
    assert list(run_blocks(fresh, tiny, arms, QUICK, workers=2))[-1] == (len(asked), len(asked)) == (2, 2)
    assert died.exists()
    monkeypatch.setattr(module, "run_block", lambda *given: os.kill(os.getpid(), signal.SIGKILL))
    with pytest.raises(
        PlaceboError, match=r"a worker process died \(SIGKILL.*\) while nothing got done, near cheap_000"
    ):
        list(run_blocks(fresh, tiny, arms, QUICK, workers=2))
    stop_workers()


def test_a_larger_number_of_universes_begins_with_the_blocks_of_a_smaller_one(home, tiny):
    few, many = (blocks(tiny, placebo_arms(tiny, count)) for count in (4, 5))
    files = [[block_file(home, tiny, block, QUICK) for block in some] for some in (few, many)]
    assert files[1][:2] == files[0]
    assert [(block.first, block.stop) for block in many] == [(0, 2), (2, 4), (4, 5)]


def test_another_setting_and_another_statement_make_other_blocks(home, tiny, monkeypatch):
    (block, _) = blocks(tiny, placebo_arms(tiny))
    before = block_file(home, tiny, block, QUICK)
    embargo = tiny.splits.model_copy(update={"embargo": 6})
    assert block_file(home, tiny.model_copy(update={"splits": embargo}), block, QUICK) != before
    said = tiny.placebo.model_copy(update={"power": tiny.placebo.power.model_copy(update={"universes": 9})})
    assert block_file(home, tiny.model_copy(update={"placebo": said}), block, QUICK) == before
    for holder, name in ((module, "code_hash"), (module, "own_hash"), (identity, "own_hash")):  # rows and labels, too
        with monkeypatch.context() as patched:
            patched.setattr(holder, name, lambda *_modules: "other")
            assert block_file(home, tiny, block, QUICK) != before


def test_the_code_of_a_block_has_its_source_and_gate_and_no_importer(home, tiny, monkeypatch):
    asked = []
    monkeypatch.setattr(module, "code_hash", lambda *modules: asked.append(modules) or "some")
    block_file(home, tiny, blocks(tiny, placebo_arms(tiny, 1))[0], QUICK)
    names = set(source_files(*asked[0]))
    assert {"golden_core.sources.synthetic", "golden_core.checks.inputs", "golden_core.leakage.audit"} <= names
    assert not [name for name in names if name.startswith(("golden_core.vendors", "golden_core.sources.files"))]
    assert "golden_core.vendors" in set(source_files(asked[0][0]))  # through the registry of sources


def test_a_damaged_block_is_made_again(home, tiny):
    (block,) = blocks(tiny, placebo_arms(tiny, 1))
    path = block_file(home, tiny, block, QUICK)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"PAR1")
    assert block_rows(home, tiny, (block.arm,), QUICK).is_empty()
    assert list(run_blocks(home, tiny, (block.arm,), QUICK)) == [(0, 1), (1, 1)]
    assert set(block_rows(home, tiny, (block.arm,), QUICK)["universe"]) == {0}


def test_arms_of_almost_the_same_skill_are_two(tiny):
    power = tiny.placebo.power.model_copy(update={"r2": (0.1, 0.1000000001)})
    other = tiny.model_copy(update={"placebo": tiny.placebo.model_copy(update={"power": power})})
    assert len({arm.name for arm in power_arms(other)}) == 2


def test_planted_skill_is_found_where_it_is_large_and_the_picture_is_the_same_twice(home, tiny):
    list(run_blocks(home, tiny, power_arms(tiny), QUICK))
    table = count_universes(home, tiny, "power", QUICK)
    assert table.select("r2", "forecaster", "kind").rows() == [
        (r2, name, kind) for kind in ("more_accurate", "predicts") for name in (PLANTED, "ar") for r2 in (0.001, 0.2)
    ]
    large = table.filter(r2=0.2, forecaster=PLANTED)
    assert large["found"].to_list() == large["universes"].to_list() == [2, 2]
    assert (large["promised"] > 0.99).all()
    small = table.filter(r2=0.001, forecaster=PLANTED)
    assert (small["promised"] < 0.3).all()
    assert as_svg(PICTURES["power"](table), "placebo") == as_svg(PICTURES["power"](table), "placebo")


def test_a_study_that_cannot_be_put_to_it_is_told_why(home, tiny):
    with pytest.raises(PlaceboError, match="no section `placebo`"):
        placebo_arms(load_study("smoke"))
    with pytest.raises(PlaceboError, match="no section `protocol`"):
        placebo_arms(tiny.model_copy(update={"protocol": None}))
    with pytest.raises(PlaceboError, match="no block of them is done"):
        count_universes(home, tiny.model_copy(update={"name": "another"}), "placebo", QUICK)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("data.settings={process: ar, initial_price: 1.1, volatility: 0.006, r2: 0.01}", "nobody can forecast"),
        ("placebo.cheap.forecasters=[drift, v08]", "placebo.cheap.forecasters: must be of the section .*got v08"),
        ("placebo.power.forecasters=[random_walk]", "without random_walk"),
        ("placebo.power.r2=[0]", "greater than 0|must be > 0"),
    ],
)
def test_a_section_that_makes_no_sense_is_refused_with_its_place(change, message):
    with pytest.raises(StudyError, match=message):
        load_study("placebo", [change])
