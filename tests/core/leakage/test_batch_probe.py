"""A forecaster that reads rows of its batch, or what other fits have seen, is found at any row; causal ones are not."""

import datetime as dt
import threading
from typing import ClassVar

import numpy as np
import polars as pl
import pytest
from support.leaks import CentresItsBatch, Honest, LooksAtTheNextWindow

from golden_core.forecasters import FORECASTERS
from golden_core.leakage.batch_probe import LAKE, MEMORY, NEIGHBOURS, batch_findings, files_read, lake_files, lake_read
from golden_core.preparation import prepare_all
from golden_core.preparation.catalogue import load_study
from golden_core.store.lake import Home
from golden_core.trials import Trial, series_inputs
from golden_core.trials.rows import cut_folds, new_forecaster
from golden_core.trials.run import fit_fold


@pytest.fixture(scope="module")
def study():
    return load_study("smoke")


@pytest.fixture(scope="module")
def fold(study):
    home = Home.from_environment()
    prepare_all(home, study, [("EURUSD", 1)])
    return next(cut_folds(study, 1, series_inputs(home, study, "EURUSD", 1)))


class OnlyInTheLastRows(Honest):
    def predict(self, windows):
        forecast = super().predict(windows)
        forecast[-5:] = LooksAtTheNextWindow.predict(self, windows)[-5:]
        return forecast


class OnlyAfterLargeMoves(Honest):
    def predict(self, windows):
        moves = np.abs(self.returns(windows))
        ahead = LooksAtTheNextWindow.predict(self, windows)
        return np.where(moves > 2.5 * 0.004, ahead, super().predict(windows))


class AnswersFromATable(Honest):
    known: ClassVar = {}

    def predict(self, windows):
        key = windows.cutoffs.tobytes()
        if key not in self.known:
            forecast = super().predict(windows)
            self.known[key] = forecast - forecast.mean()
        return self.known[key]


class RemembersOtherFits(Honest):
    seen: ClassVar = {}

    def fit(self, train, validation, stream):
        self.seen.update(zip(train.windows.cutoffs.tolist(), train.y, strict=True))
        return super().fit(train, validation, stream)

    def predict(self, windows):
        forecast = super().predict(windows)
        return np.array([self.seen.get(at, y) for at, y in zip(windows.cutoffs.tolist(), forecast, strict=True)])


class LearnsOnline(Honest):
    """Update the slope after every row, from rows before it alone."""

    def predict(self, windows):
        closes, x, out = windows.last_close, self.returns(windows), []
        slope = self.slope
        for i in range(len(x)):
            if i:
                slope += 0.1 * (np.log(closes[i] / closes[i - 1]) - slope * x[i - 1]) * x[i - 1]
            out.append(slope * x[i])
        return np.array(out)


class DrawsNoise(Honest):
    """Forecasts with noise from a stream of its own."""

    def fit(self, train, validation, stream):
        self.noise = stream.child("noise").generator()
        return super().fit(train, validation, stream)

    def predict(self, windows):
        return super().predict(windows) + 1e-5 * self.noise.normal(size=len(windows))


class CannotBeCopied(Honest):
    def __deepcopy__(self, memo):
        raise TypeError("holds a handle")


class HoldsALockAndLeaks(OnlyAfterLargeMoves):
    """Neither a copy nor the poison of half a test part shows it; another one with its state does."""

    def __init__(self, settings, context):
        super().__init__(settings, context)
        self.lock = threading.Lock()


class NeitherCopiedNorRestored(HoldsALockAndLeaks):
    def restore(self, state):
        raise NotImplementedError("later")


def asked(kind, fold, stream):
    """Fit one of a kind, let it forecast, and ask it."""
    one = kind({}, None)
    one.fit(fold.train, fold.validation, stream)
    one.predict(fold.test)
    return batch_findings(one, lambda: kind({}, None), fold.test, "planted", stream)


def probes_of(kind, fold, stream):
    return [finding.probe for finding in asked(kind, fold, stream)[0]]


@pytest.mark.parametrize(("kind", "probe"), [
    (CentresItsBatch, NEIGHBOURS), (LooksAtTheNextWindow, NEIGHBOURS), (OnlyInTheLastRows, NEIGHBOURS),
    (OnlyAfterLargeMoves, NEIGHBOURS), (AnswersFromATable, NEIGHBOURS), (RemembersOtherFits, MEMORY),
    (HoldsALockAndLeaks, NEIGHBOURS),
])  # fmt: skip
def test_a_leak_within_a_batch_or_between_fits(fold, stream, kind, probe):
    assert probes_of(kind, fold, stream) == [probe]


def test_a_memory_between_fits_is_found_at_a_long_horizon_too(study, stream):
    """A quarter of days: as many as other fits are shown at shorter ones."""
    home = Home.from_environment()
    long = load_study(
        "smoke", ("horizons=[63]", "splits.train=150", "splits.validation=100", "splits.test=150", "splits.step=150")
    )
    prepare_all(home, long, [("EURUSD", 63)])
    fold = next(cut_folds(long, 63, series_inputs(home, long, "EURUSD", 63)))
    assert probes_of(RemembersOtherFits, fold, stream) == [MEMORY]


def test_the_row_that_leaks_is_named(fold, stream):
    ((finding,), _) = asked(OnlyInTheLastRows, fold, stream)
    assert finding.column == "planted"
    assert np.datetime64(finding.timestamp.replace(tzinfo=None)) in fold.test.cutoffs[-6:-1]


class RefusesStrangePrices(Honest):
    def predict(self, windows):
        if np.abs(np.diff(np.log(windows.last_close))).max() > 0.03:
            raise ValueError("prices like these do not exist")
        return super().predict(windows)


class AnswersShort(Honest):
    def predict(self, windows):
        return super().predict(windows)[1:]


class IsMoody(Honest):
    moods: ClassVar = iter(range(99))

    def predict(self, windows):
        return super().predict(windows) + 1e-5 * next(self.moods)


@pytest.mark.parametrize("kind", [Honest, LearnsOnline, DrawsNoise, CannotBeCopied, RefusesStrangePrices])
def test_a_causal_forecaster_is_not_accused(fold, stream, kind):
    assert probes_of(kind, fold, stream) == []


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        (NeitherCopiedNorRestored, "NotImplementedError: later"),
        (RefusesStrangePrices, "ValueError: prices like these do not exist"),
        (AnswersShort, "windows gave forecasts of shape ("),
        (IsMoody, "equal copies answer differently"),
        (Honest, ""),
    ],
)
def test_what_could_not_be_asked_is_said(fold, stream, kind, why):
    found, said = asked(kind, fold, stream)
    assert found == []
    assert why in said
    assert bool(said) == bool(why)


@pytest.mark.parametrize("name", ["random_walk", "drift", "ar", "ets", "dlinear", "v08"])
def test_no_forecaster_of_the_smoke_study_is_accused(study, fold, stream, name):
    assert name in FORECASTERS
    trial = Trial(name, "EURUSD", 1, 0)
    forecaster = fit_fold(study, trial, fold).forecaster
    assert batch_findings(forecaster, lambda: new_forecaster(study, trial), fold.test, name, stream)[0] == []


STAMP = dt.datetime(2020, 1, 2, tzinfo=dt.UTC)


@pytest.fixture
def bars(tmp_path):
    path = tmp_path / "EURUSD.parquet"
    pl.DataFrame({"close": [1.1, 1.2]}).write_parquet(path)
    if files_read([path], path.read_bytes)[1] != [path]:
        pytest.skip("this file system keeps no access times")
    return path


def test_who_reads_every_time_is_found(bars):
    made, (finding,) = lake_read([bars], lambda: pl.read_parquet(bars)["close"].sum(), "features", "close", STAMP)
    assert made == pytest.approx(2.3)
    assert (finding.probe, finding.asset, finding.column, finding.timestamp) == (LAKE, "features", "close", STAMP)
    assert str(bars) in finding.detail


def test_a_read_by_another_program_is_not_held_against_the_code(bars):
    others = iter([bars.read_bytes])
    assert lake_read([bars], lambda: [read() for read in others], "features", "close", STAMP)[1] == []


def test_a_read_is_seen_though_another_worker_begins_to_watch_meanwhile(bars):
    def act():
        bars.read_bytes()
        files_read([bars], lambda: None)

    assert files_read([bars], act)[1] == [bars]
    assert files_read([bars], lambda: files_read([bars], lambda: None))[1] == []


def test_who_reads_nothing_is_not_asked_again(bars):
    calls = []
    assert lake_read([bars], lambda: calls.append(1), "features", "close", STAMP) == (None, [])
    assert calls == [1]


def test_a_watched_file_looks_no_older_than_it_is(bars):
    """What deletes files that nobody has read for long would take a lake whose files were last read in 2001."""
    files_read([bars], lambda: None)
    assert bars.stat().st_mtime - bars.stat().st_atime == pytest.approx(1)


def test_what_tells_prices_is_watched_wherever_it_lies(tmp_path):
    """The vendor's file that the source reads, and forecasts beside their outcomes, as well as bars."""
    home = Home(tmp_path, tmp_path / "reports")
    given = tmp_path / "prices.csv", tmp_path / "studies/smoke/trials/drift/EURUSD_h1/0f/forecasts.parquet"
    for path in given:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    paths = "data.settings={format: auto, columns: null, paths: {EURUSD: prices.csv}}"
    study = load_study("smoke", ("data.source=files", paths, "data.pairs=[EURUSD]", "data.bar=1h"))
    assert set(given) <= set(lake_files(home, study))
