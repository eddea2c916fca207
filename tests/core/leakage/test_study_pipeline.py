"""A study's own pipeline: sound as it is, and every leak planted in its real code is found and named."""

import datetime as dt
import os

import numpy as np
import polars as pl
import pytest
from support import leaks

from golden_core import trials
from golden_core.leakage import audit
from golden_core.leakage import study_pipeline as study_pipeline_module
from golden_core.leakage.audit import OF_CLEANING, audit_steps, sampled, structures
from golden_core.leakage.probes import (
    Fits,
    Subject,
    clean_bars_report,
    clean_bars_times,
    poisoned_cleaning,
    poisoned_features,
    poisoned_inputs,
    replayed_scalers,
    shortened_source,
    structure,
)
from golden_core.leakage.report import Report, merged
from golden_core.leakage.study_pipeline import Scope, as_bars, as_table, raw_bars, study_pipeline
from golden_core.preparation import prepare_pair, prepare_raw, prepare_series
from golden_core.preparation.catalogue import load_study
from golden_core.store.lake import Home
from golden_core.trials import Trial, series_inputs
from golden_core.trials.run import run_trial

SERIES = ("EURUSD", 1)
NOTHING = Report((), (), ())
TEST_OF_ALL_THE_REST = ("splits.test=128", "splits.step=128")
BASE = ("data.pairs=[EURUSD, USDJPY]", leaks.forecasters("drift"))


@pytest.fixture(scope="module")
def study():
    return load_study("smoke", BASE)


@pytest.fixture(scope="module")
def subject(study):
    return Subject.of(study, Home.from_environment())


@pytest.fixture
def fresh(study):
    """Return the subject with what a test has planted."""
    return lambda: Subject.of(study, Home.from_environment())


def places(report):
    return list(dict.fromkeys((one.asset, one.column) for one in report.findings if one.follows is None))


def test_it_makes_what_a_campaign_makes(study):
    home = Home.from_environment()
    prepare_raw(home, study)
    for pair in study.data.pairs:
        prepare_pair(home, study, pair)
    prepare_series(home, study, *SERIES)
    trial = Trial("drift", *SERIES, 0)
    forecasts = pl.read_parquet(run_trial(home, study, trial) / "forecasts.parquet")
    run = study_pipeline(study, Scope(fits=((trial, 0), (trial, 1)))).run(raw_bars(study, home))
    own = run.artefacts["forecasts"]
    assert own["drift"].equals(forecasts["y_pred"].alias("drift"))
    assert own["stamp"].to_list() == forecasts["cutoff"].to_list()
    inputs = series_inputs(home, study, *SERIES)
    assert run.artefacts["bars"].filter(key="EURUSD")["close"].equals(inputs.bars["close"])
    mean = inputs.scalers.filter(fold=1, column="log_return")["mean"].item()
    assert run.artefacts["scalers"].filter(key="EURUSD_h1/1")["mean:log_return"].item() == mean
    assert {(fit.asset, fit.purpose) for fit in run.fits} == {
        ("scalers", "scale"),
        ("weights", "train"),
        ("weights", "stop_early"),
    }


def test_a_run_leaves_the_home_alone(subject):
    home = Home.from_environment()
    before = sorted(home.root.rglob("*"))
    poisoned_inputs(subject, subject.times(1)[0], ("nan",))
    assert os.environ["GOLDEN_HOME"] == str(home.root)
    assert sorted(home.root.rglob("*")) == before


def test_rates_survive_the_way_there_and_back(study):
    home = Home.from_environment()
    rates = prepare_raw(home, study).table
    assert as_table(study, as_bars(rates)).equals(rates)


def test_a_sound_study_passes_all_that_a_run_samples(study):
    home = Home.from_environment()
    future, record = sampled(study, home, backend="sequential", workers=1)
    assert (future.findings, future.refused) == ((), ())
    assert (record.findings, record.refused) == ((), ())
    assert {cell.asset for cell in future.cells if cell.rows} >= {
        "source", "raw", "bars", "features", "targets", "folds", "scalers", "windows", "weights", "forecasts",
    }  # fmt: skip
    assert {cell.asset for cell in record.cells if cell.rows} == {"scalers", "weights"}
    assert structures(study, home).findings == ()


@pytest.mark.parametrize("times", [1, 2, 5])
def test_every_poison_and_bad_bar_is_dealt_out_once(times, monkeypatch):
    dealt, planted = [], []
    monkeypatch.setattr(audit, "poisoned_inputs", lambda subject, time, names: dealt.extend(names) or NOTHING)
    monkeypatch.setattr(audit, "poisoned_cleaning", lambda subject, time, turn, names: planted.append(turn) or NOTHING)
    several = load_study("smoke", (*BASE, f"checks.poisoned_times={times}"))
    sampled(several, Home.from_environment(), backend="sequential", workers=1)
    assert sorted(dealt) == sorted([*audit.DEALT, *[audit.ALWAYS] * times])
    assert planted
    assert len(planted) == len(set(planted))


def test_forecasters_that_draw_are_dealt_out_and_fitted_while_their_inputs_are_poisoned(monkeypatch):
    order, shares = [], []

    def pool(_study, _backend, workers):
        def run(tasks):
            shares.extend(arguments[0] for _, arguments, _ in tasks)
            order.append(workers)
            yield NOTHING, NOTHING

        return lambda tasks: iter(list(run(tasks)))

    monkeypatch.setattr(audit, "worker_pool", pool)
    monkeypatch.setattr(audit, "poisoned_inputs", lambda subject, time, names: order.append("poisoned") or NOTHING)
    networks = "dlinear: {moving_average: 3, epochs: 1}, v02: {gate: linear, initialisers: keras_3.8}"
    kinds = f"{{random_walk: {{}}, ar: {{max_order: 1}}, {networks}}}"
    several = load_study("smoke", (BASE[0], f"forecasters={kinds}"))
    sampled(several, Home.from_environment(), backend="loky", workers=2)
    assert sorted(name for share in shares for name in share) == sorted(several.forecasters)
    drawing = [{"dlinear", "v02"} & set(share) for share in shares]
    assert [len(some) for some in drawing] == [1, 1]
    assert order[0] == 2
    assert "poisoned" in order[1:]


@pytest.mark.slow
def test_a_sound_study_passes_a_full_audit():
    """Of one pair; what goes over pairs is in what a run samples, above."""
    one = load_study("smoke", ("data.pairs=[EURUSD]", *BASE[1:]))
    steps = list(audit_steps(one, Home.from_environment(), 2, all_fits=True))
    report = merged(step() for step in steps)
    assert report.findings == ()
    assert {cell.poison for cell in report.cells} >= {"nan", "huge", "removed", "reshuffled", "reversed", "mirrored"}


def test_a_leaking_feature(fresh, monkeypatch):
    leaks.leaking_feature(monkeypatch)
    planted = fresh()
    report = poisoned_inputs(planted, planted.times(1)[0], ("reversed",))
    assert places(report) == [("features", "volatility_20")]
    assert {finding.asset for finding in report.findings} >= {"features", "windows"}
    assert places(poisoned_features(planted, planted.times(1)[0])) == [("features", "volatility_20")]


def test_a_leaking_feature_on_clean_bars_alone(study, subject, monkeypatch):
    bars = subject.honest.artefacts["bars"].rename({"key": "pair", "stamp": "available_at"}).filter(pair="USDJPY")
    times = clean_bars_times(study, bars)
    assert clean_bars_report(study, bars, times).findings == ()
    leaks.leaking_feature(monkeypatch, "log_return")
    assert places(clean_bars_report(study, bars, times)) == [("features", "log_return")]


def test_a_leaking_source(fresh, monkeypatch):
    leaks.leaking_source(monkeypatch)
    planted = fresh()
    assert places(poisoned_inputs(planted, planted.times(1)[0], ("reversed",))) == [("raw", "close")]


def test_a_leaking_reader(fresh, subject, monkeypatch):
    time = subject.times(1)[0]
    assert shortened_source(subject, time).findings == ()
    leaks.leaking_reader(monkeypatch)
    assert places(shortened_source(fresh(), time)) == [("source", "close")]


def test_a_leaking_cleaning_rule_that_needs_a_bad_bar_to_act(subject, fresh, monkeypatch):
    time = subject.times(1)[0]

    def report(planted):
        return merged(poisoned_cleaning(planted, time, turn, OF_CLEANING) for turn in planted.turns)

    assert report(subject).findings == ()
    leaks.leaking_cleaning(monkeypatch)
    assert places(report(fresh())) == [("bars", "(row)")]


def test_leaking_scalers(fresh, monkeypatch):
    leaks.leaking_scalers(monkeypatch)
    planted = fresh()
    columns = {("scalers", "scale:log_return"), ("scalers", "scale:volatility_20")}
    assert set(places(poisoned_inputs(planted, planted.times(1)[0], ("reversed",)))) == columns
    assert set(places(replayed_scalers(planted, SERIES, [0], ("mirrored",)))) == columns


def test_a_feature_of_reference_rates_that_is_stamped_early(study, subject, monkeypatch):
    assert structure(study, subject.raw, SERIES).findings == ()
    honest = study_pipeline_module.feature_rows
    early = pl.col("stamp") - pl.duration(days=1)
    monkeypatch.setattr(study_pipeline_module, "feature_rows", lambda *given: honest(*given).with_columns(stamp=early))
    assert places(structure(study, subject.raw, SERIES)) == [("features", "stamp")]


@pytest.mark.parametrize(
    ("kind", "future", "record"),
    [
        (leaks.Honest, [], []),
        (leaks.CentresItsBatch, [("forecasts", "planted")], []),
        (leaks.LooksAtTheNextWindow, [("forecasts", "planted")], []),
        (leaks.ReadsTheLake, [("forecasts", "planted")], []),
        (leaks.FitsOnTheLake, [("weights", "planted")], [("weights", "planted")]),
        (leaks.StopsOnTest, [("weights", "planted")], [("weights", "planted")]),
    ],
)
def test_forecasters(study, subject, monkeypatch, kind, future, record):
    leaks.register(monkeypatch, kind)
    planted = load_study("smoke", (*BASE[:1], leaks.forecasters("planted")))
    fits = Fits.of(planted, subject.raw, SERIES, 0, ("planted", "random_walk"))
    assert places(fits.poisoned()) == future
    assert places(fits.replayed()) == record


def test_quantiles_whose_calibration_is_a_label_ahead(subject, monkeypatch):
    quantiles = "quantiles={levels: [0.1, 0.5, 0.9], calibration: {method: adaptive, share: 0.5, step: 0.05}}"
    study = load_study("smoke", (*BASE, quantiles))
    honest = Fits.of(study, subject.raw, SERIES, 0, ("drift", "random_walk")).poisoned()
    assert honest.findings == ()
    assert {cell.asset for cell in honest.cells if cell.rows} >= {"calibration", "forecasts"}

    def ahead(windows, known_labels=trials.quantiles.known_labels):
        labels, known = known_labels(windows)
        return np.append(labels[1:-1], [0.0, 0.0]), known

    monkeypatch.setattr(trials.quantiles, "known_labels", ahead)
    report = Fits.of(study, subject.raw, SERIES, 0, ("drift",)).poisoned()
    assert {asset for asset, _ in places(report)} == {"calibration"}


def test_a_forecaster_that_fails_is_not_a_leak_and_not_hidden(subject, monkeypatch):
    leaks.register(monkeypatch, leaks.RaisesAlways)
    planted = load_study("smoke", (*BASE[:1], leaks.forecasters("planted")))
    report = Fits.of(planted, subject.raw, SERIES, 0, ("planted", "random_walk")).poisoned()
    assert report.findings == ()
    assert report.rows
    assert any("this one never works" in refusal for refusal in report.refused)
    alone = Fits.of(planted, subject.raw, SERIES, 0, ("planted",)).replayed()
    assert (alone.findings, alone.rows) == ((), 0)


@pytest.mark.parametrize(("of_all", "places_found"), [(True, [("forecasts", "planted")]), (False, [])])
def test_a_forecaster_that_refuses_implausible_prices_is_no_leak_unless_it_refuses_all(
    subject, monkeypatch, of_all, places_found
):
    """Where everything later is reversed, prices jump; mirrored, they move as they did."""
    met = []

    class Refuses(leaks.Honest):
        def predict(self, windows):
            met.append(windows.last_close)
            others = of_all and not np.array_equal(met[0], met[-1])
            if others or np.abs(np.diff(np.log(met[-1]))).max() > 1.2 * np.abs(np.diff(np.log(met[0]))).max():
                raise ValueError("a move like this is no market")
            return super().predict(windows)

    leaks.register(monkeypatch, Refuses)
    planted = load_study("smoke", (*BASE[:1], leaks.forecasters("planted")))
    raw = jumping(subject.raw)
    report = Fits.of(planted, raw, SERIES, 0, ("planted", "random_walk")).poisoned(("reversed",))
    assert places(report) == places_found
    assert any("a move like this is no market" in refusal for refusal in report.refused)
    met.clear()
    assert places(Fits.of(planted, raw, SERIES, 0, ("planted",)).replayed(("mirrored",))) == places_found


def jumping(raw):
    """Return rates that double in the last month, which reversed come as one jump."""
    late = pl.col("timestamp") > raw["timestamp"].max() - dt.timedelta(days=30)
    return raw.with_columns(close=pl.when(late).then(pl.col("close") * 1.05).otherwise("close"))


def test_times_lie_between_the_first_folds_and_the_last_bar(subject):
    folds, bars = (subject.honest.artefacts[name] for name in ("folds", "bars"))
    complete = folds.group_by(pl.col("key").str.ends_with("/0")).agg(pl.col("complete_at").max())
    first = complete.filter(pl.col("key"))["complete_at"].item()
    times = subject.times(5)
    assert times == sorted(set(times))
    assert len(times) == 5
    assert all(first <= time < bars["stamp"].max() for time in times)


def test_folds_that_need_every_bar_are_still_probed_after_every_time():
    """As in the legacy protocol: one fold that ends with the bars. Poison that cleaning removes leaves too few."""
    tight = load_study("smoke", (*BASE, "checks.poisoned_times=3", "splits.train=300", *TEST_OF_ALL_THE_REST))
    future, record = sampled(tight, Home.from_environment(), backend="sequential", workers=1)
    assert (future.findings, record.findings) == ((), ())
    assert all("one fold needs 488 usable rows" in refusal for refusal in future.refused)
    assert len(future.refused) == len(audit.DEALT)
    full = merged(step() for step in audit_steps(tight, Home.from_environment(), 1, all_fits=False))
    assert full.findings == ()
    assert full.refused
