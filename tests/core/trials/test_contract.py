"""What a forecaster returns against its contract is one sentence with trial, fold and fix, and no trial."""

import os
import signal
import sys
import warnings
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from golden_core.forecasters import custom
from golden_core.forecasters.base import Epoch
from golden_core.forecasters.naive import Drift
from golden_core.preparation import prepare_all
from golden_core.preparation.catalogue import load_study
from golden_core.store.lake import Home
from golden_core.store.randomness import Stream
from golden_core.trials import Trial, run, run_trials
from golden_core.trials.campaign import fingerprinted

EPOCHS = "fit must return a list of Epoch, empty where nothing is learned so, got "
NUMBERS = "fit must return a list of Epoch, each of numbers, got "
ARRAYS = "state must give arrays of numbers or booleans under names, got "
REALS = "predict must return real numbers, an array of shape (100,), got "


@pytest.mark.parametrize(
    ("method", "returned", "said"),
    [
        ("fit", None, EPOCHS + "None"),
        ("fit", [1.0, 0.5], EPOCHS + "[1.0, 0.5]"),
        ("fit", [Epoch("one", 1.0, 1.0, 1.0)], NUMBERS + "Epoch(epoch='one'"),
        ("fit", [Epoch(1, None, 1.0, 1.0)], NUMBERS + "Epoch(epoch=1, train"),
        ("state", None, "state must return a dictionary of named arrays, got NoneType"),
        ("state", {"w": None}, ARRAYS + "'w': NoneType"),
        ("state", {"w": [[1.0], [1.0, 2.0]]}, ARRAYS + "'w': list"),
        ("state", {"w": np.array(["a"])}, ARRAYS + "'w': ndarray"),
        ("state", {"w": torch.ones(1, requires_grad=True)}, "under names, got 'w': Tensor"),
        ("state", {1: np.zeros(1)}, ARRAYS + "1: ndarray"),
        ("predict", ["up"] * 100, REALS + "list"),
        ("predict", (0.0 for _ in range(100)), REALS + "generator"),
        ("predict", np.zeros(100) + 1j, REALS + "ndarray"),
        ("predict", ValueError, "fold 0: ValueError"),
        ("predict", np.full(100, np.nan), "100 forecasts are not finite"),
        ("predict", np.ma.masked_equal([0.0] * 99 + [1.0], 1.0), "1 forecasts are not finite"),
        ("predict", None, "predict returned shape (), expected (100,)"),
        ("predict", np.full(100, 1e4), "100 forecasts are not finite as log returns or as prices, the first at cutoff"),
        ("predict", np.full(100, 1.1), "forecasts are prices, 1.1 where the last close is 1."),
        ("predict", sys.exit, "SystemExit: 3"),
        ("predict", KeyboardInterrupt("mine"), "KeyboardInterrupt: mine"),
        ("predict", RuntimeError("\udcff"), r"\udcff"),
        ("predict", np.zeros(100) > 0, REALS + "ndarray bool"),
        ("predict", np.zeros(100).astype(str), REALS + "ndarray <U32"),
        ("predict", np.zeros(100, "M8[s]"), REALS + "ndarray datetime"),
        ("predict", np.zeros((100, 1)), "predict returned shape (100, 1), expected (100,)"),
    ],
)
def test_what_breaks_the_contract_is_told_with_its_place(monkeypatch, method, returned, said):
    """A price beyond all floats would be written, and the evaluation of the whole study would stumble over it."""
    home, study = Home.from_environment(), load_study("smoke", ["forecasters={random_walk: {}, drift: {}}"])
    prepare_all(home, study, [("EURUSD", 1)])
    sound = getattr(Drift, method)

    def broken(*given):
        sound(*given)
        if returned is ValueError or isinstance(returned, BaseException):
            raise returned
        return returned if returned is not sys.exit else sys.exit(3)

    monkeypatch.setattr(Drift, method, broken)
    monkeypatch.setattr(run.signal, "getsignal", lambda _: signal.SIG_IGN)  # as in a worker
    (outcome,) = run_trials(home, study, fingerprinted(home, study, [Trial("drift", "EURUSD", 1, 0)]))
    assert outcome.status == "failed"
    assert outcome.error.startswith("drift on EURUSD_h1, seed 0, fold 0: ")
    assert said in outcome.error


def test_what_a_forecaster_leaves_behind_reaches_no_other(monkeypatch):
    """A child that it forks and lets go on would be a second campaign; NumPy would raise in whatever fits next."""
    home, study = Home.from_environment(), load_study("smoke", ["forecasters={random_walk: {}, drift: {}}"])
    prepare_all(home, study, [("EURUSD", 1)])
    children, process = [], os.getpid()

    def spoils(*_):
        np.seterr(all="raise")
        warnings.simplefilter("error")
        children.append(os.fork())
        return []

    monkeypatch.setattr(Drift, "fit", spoils)
    before = np.geterr(), warnings.filters[:]
    try:
        (outcome,) = run_trials(home, study, fingerprinted(home, study, [Trial("drift", "EURUSD", 1, 0)]))
    finally:
        if os.getpid() != process:
            os._exit(9)
    assert outcome.status == "failed"  # of what fit should have learned there is nothing
    assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children] == [0]
    assert (np.geterr(), warnings.filters[:]) == before


@pytest.mark.parametrize("spread", [0.05, 0.002])
def test_a_level_far_off_is_no_price(spread):
    """A price of 0.57 that is said to go back to 1: the log return asked for is 0.56, and by chance the price."""

    class Closes:
        last_close = 0.567 * np.exp(spread * Stream(9).generator().standard_normal(100))
        cutoffs = np.arange(100)

        def __len__(self):
            return 100

    def forecast(values):
        return run._predict(SimpleNamespace(predict=lambda windows: values), Closes())

    forecast(np.log(1 / Closes.last_close))
    noise = 0.02 * Stream(8).generator().standard_normal(100)
    near = (0.99 * Closes.last_close, np.full(100, 0.567), Closes.last_close + noise)
    for price in near:  # nearer to it than to any level
        with pytest.raises(ValueError, match=r"forecasts are prices, 0\.5"):
            forecast(price)


@pytest.mark.parametrize("line", ["windows.X[:] = 0", "raise KeyError('w')", "return np.linalg.inv(np.zeros((2, 2)))"])
def test_what_breaks_in_a_class_of_ones_own_is_told_with_its_line(tmp_path, monkeypatch, line):
    """NumPy says that a matrix is singular, or an array read-only, and not in which line of whose file."""
    mine = tmp_path / "mine_that_breaks.py"
    head = "import numpy as np\nfrom golden_core.forecasters.naive import Drift\nclass Mine(Drift):\n"
    mine.write_text(f"{head}    def predict(self, windows):\n        {line}\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    custom._imported.clear()
    sys.modules.pop(mine.stem, None)
    home = Home.from_environment()
    study = load_study("smoke", [f"forecasters={{random_walk: {{}}, mine: {{custom: '{mine.stem}:Mine'}}}}"])
    prepare_all(home, study, [("EURUSD", 1)])
    (outcome,) = run_trials(home, study, fingerprinted(home, study, [Trial("mine", "EURUSD", 1, 0)]))
    assert outcome.error.endswith(" (mine_that_breaks.py, line 5)")
