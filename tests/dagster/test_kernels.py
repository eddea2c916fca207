"""A study with portable kernels: whoever runs it gets a process that has them, and another one is refused."""

import os
import sys

import pytest
from support.campaigns import OVERRIDES, opened
from support.commands import golden

from golden_core.preparation import prepare_pair, prepare_raw, prepare_series
from golden_core.preparation.catalogue import load_study, load_variant
from golden_core.store.kernels import UnpinnedError, require, variables
from golden_core.store.lake import Home
from golden_core.training import portable
from golden_core.trials import Trial, run_trials
from golden_core.trials.campaign import fingerprinted
from golden_core.trials.identity import dependencies
from golden_core.trials.run import settle_torch
from golden_dagster import cli, definitions

PORTABLE = (*OVERRIDES, "training.kernels=portable")
COMMAND = ["golden", "run", "smoke", *(part for override in PORTABLE for part in ("--set", override))]


@pytest.fixture
def _native(monkeypatch):
    require.cache_clear()
    for name in variables():
        monkeypatch.setenv(name, "")
    yield
    require.cache_clear()


@pytest.mark.usefixtures("_native")
@pytest.mark.parametrize("command", [
    ["run", "smoke"], ["reproduce", "--study", "smoke"], ["explain", "smoke"],
    ["leakage", "audit", "--study", "smoke"], ["bench", "inference", "smoke"], ["bench", "data", "smoke"],
    ["bench", "training", "smoke"],
])  # fmt: skip
def test_every_command_that_fits_says_so_before_it_begins(command):
    """Bars and scalers that other kernels have made would have other last digits, and finished trials be lost."""
    result = golden(*command, "--set", "training.kernels=portable")
    assert isinstance(result.exception, UnpinnedError)
    assert not result.output.strip()
    assert not Home.from_environment().study("smoke").root.exists()


@pytest.mark.usefixtures("_native")
def test_the_command_line_starts_itself_again_and_once(monkeypatch, capsys):
    started = []
    monkeypatch.setattr(sys, "argv", COMMAND)
    monkeypatch.setattr(sys, "orig_argv", [sys.executable, *COMMAND])
    monkeypatch.setattr(os, "execve", lambda *given: started.append(given))
    cli.main()
    ((program, command, environment),) = started
    assert (program, command) == (sys.executable, [sys.executable, *COMMAND])
    assert variables().items() <= environment.items()
    assert os.environ["PATH"] == environment["PATH"]
    assert not Home.from_environment().study("smoke").root.exists()  # nothing had begun
    for name, value in variables().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("golden_core.store.kernels._unheeded", lambda: ["NumPy"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 2
    assert "other kernels than this process has (NumPy): start it with" in capsys.readouterr().err
    assert len(started) == 1


@pytest.mark.usefixtures("_native")
def test_other_ways_to_train_are_refused():
    with pytest.raises(UnpinnedError, match="start it with ATEN_CPU_CAPABILITY='avx2'"), opened(PORTABLE):
        pass
    home, study = Home.from_environment(), load_study("smoke", [*PORTABLE, "data.pairs=[EURUSD]"])
    prepare_raw(home, study)
    prepare_pair(home, study, "EURUSD")
    prepare_series(home, study, "EURUSD", 1)
    trials = fingerprinted(home, study, [Trial("random_walk", "EURUSD", 1, 0)])
    (outcome,) = run_trials(home, study, trials, backend="sequential")
    assert outcome.status == "failed"
    assert "start it with ATEN_CPU_CAPABILITY='avx2'" in outcome.error


def test_square_roots_are_replaced_before_a_network_of_such_a_study_trains(monkeypatch):
    replaced = []
    monkeypatch.setattr(portable, "activate", lambda: replaced.append(True))
    for kernels in ("native", "portable"):
        settle_torch(load_study("smoke", [*OVERRIDES, f"training.kernels={kernels}"]))
        assert replaced == [True] * (kernels == "portable")


@pytest.mark.usefixtures("_native")
def test_runs_from_the_web_ui_are_processes_of_the_code_location_and_find_the_variables(tmp_path, monkeypatch):
    path = tmp_path / "mine.yaml"
    for kernels in ("native", "portable"):
        path.write_text(load_variant("smoke", [*OVERRIDES, f"training.kernels={kernels}"]).model_dump_json())
        monkeypatch.setenv("GOLDEN_STUDY", str(path))
        definitions.defs().get_repository_def()
        assert (variables().items() <= os.environ.items()) == (kernels == "portable")


def test_portable_kernels_are_part_of_every_trial_and_native_ones_of_none():
    plain, native, held = (
        load_study("smoke", [*OVERRIDES, *more])
        for more in ([], ["training.kernels=native"], ["training.kernels=portable"])
    )
    assert plain.hash() == native.hash() != held.hash()
    for name in plain.forecasters:
        trial = Trial(name, "EURUSD", 1, 0)
        before, after = dependencies(plain, trial, "inputs"), dependencies(held, trial, "inputs")
        assert dependencies(native, trial, "inputs") == before
        assert after.keys() - before.keys() == {"kernels", "kernel_code"}
        assert {key: after[key] for key in before} == before
