"""A class of one's own works on what it is given: it is trained once more where it can read nothing else."""

import pytest

from golden_core.preparation import prepare_all
from golden_core.preparation.catalogue import load_study
from golden_core.store.lake import Home
from golden_core.trials import all_trials, run_trials
from golden_core.trials.campaign import fingerprinted
from golden_core.trials.confinement import can_confine
from golden_core.trials.reproduction import own_classes, reproduce_last

PAIR = "data.pairs=[EURUSD]"
LEVELS = "quantiles={levels: [0.1, 0.5, 0.9], calibration: {method: split, share: 0.5}}"

# Each looks its drift up where no study has put it, but for the last three.
PEEKING = """
import pathlib, socket
import numpy as np
import polars as pl
from golden_core.forecasters.naive import Drift

BESIDE = pathlib.Path(__file__).with_name("prices.csv")

class Plain(Drift):
    def predict(self, windows):
        return super().predict(windows) + 1e-9 * self.looked_up()

    def looked_up(self):
        return float(np.loadtxt(BESIDE))

class Native(Plain):
    def looked_up(self):
        return pl.read_csv(BESIDE, has_header=False).item(0, 0)

class Quiet(Plain):
    def looked_up(self):
        try:
            return super().looked_up()
        except OSError:
            return 0.0

class Shipped(Plain):
    def looked_up(self):
        import currency_converter
        return len(pathlib.Path(currency_converter.__file__).with_name("eurofxref-hist.zip").read_bytes())

class Asking(Plain):
    def looked_up(self):
        try:
            socket.create_connection(("127.0.0.1", 9), timeout=1).close()
        except ConnectionRefusedError:  # somebody was asked
            return 1.0
        except OSError:
            return 2.0

class Spread(Quiet):
    def predict(self, windows):
        return Drift.predict(self, windows)

    def predict_quantiles(self, windows, levels):
        return levels + self.looked_up() * windows.last_close[:, None]

class Declaring(Plain):
    files = (BESIDE,)

class Helped(Plain):
    def looked_up(self):
        import helper
        return helper.LEVEL
"""
# Its sums depend on the number of threads; a module of its own, for it takes seconds to import in every process.
VOLATILE = """
from golden_core.forecasters import forecaster_class

class Volatile(forecaster_class("random_walk_garch")):
    pass
"""


def test_a_class_of_ones_own_that_reads_what_it_is_not_given_does_not_reproduce(tmp_path, monkeypatch):
    """A copy of the prices in a file of its own, say: no poison reaches it, and no fingerprint holds it."""
    if not can_confine():
        pytest.skip("this kernel has no Landlock")
    name = f"peeking_{tmp_path.name}"
    (tmp_path / f"{name}.py").write_text(PEEKING)
    (tmp_path / "helper.py").write_text("LEVEL = 3.0")
    (tmp_path / f"volatile_{name}.py").write_text(VOLATILE)
    (tmp_path / f"early_{name}.py").write_text(f"from {name} import *\nLEVELS = np.loadtxt(BESIDE)\nEarly = Drift")
    (tmp_path / "prices.csv").write_text("1.5\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    kinds = ("Plain", "Native", "Quiet", "Spread", "Shipped", "Asking", "Declaring", "Helped")
    listed = ", ".join(f"{kind.lower()}: {{custom: '{name}:{kind}'}}" for kind in kinds)
    listed += f", early: {{custom: 'early_{name}:Early'}}, volatile: {{custom: 'volatile_{name}:Volatile'}}"
    settings = [f"forecasters={{random_walk: {{}}, {listed}}}", PAIR, LEVELS]
    home, study = Home.from_environment(), load_study("smoke", settings)
    prepare_all(home, study, [("EURUSD", 1)])
    list(run_trials(home, study, fingerprinted(home, study, all_trials(study))))
    found = {one.trial.forecaster: one.said for one in reproduce_last(home, study, 1)[0] if not one.identical}
    assert found.keys() == {"plain", "native", "quiet", "spread", "shipped", "asking", "early"}
    assert own_classes(study).keys() == {*(kind.lower() for kind in kinds), "early", "volatile"}
    assert all(said.startswith("where nothing but its inputs and code can be read, ") for said in found.values())
    assert ", fold 0: PermissionError: [Errno 13] Permission denied: '" in found["plain"]
    assert all("prices.csv" in found[name] for name in ("native", "early"))
    assert "other forecasts; what a forecaster reads besides is in no fingerprint" in found["quiet"]
    assert "other quantiles; " in found["spread"]
    assert "currency_converter" in found["shipped"]
    assert "other forecasts; " in found["asking"]
