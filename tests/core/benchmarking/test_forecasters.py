"""Every kind of forecaster is asked the same; a network's work is counted; a cold start restores what was fitted."""

import pytest
import torch

from golden_core.benchmarking import forecasters
from golden_core.benchmarking.cold import first_forecast, prepare_cold
from golden_core.benchmarking.forecasters import Effort, first_fold, fits, inference
from golden_core.forecasters.statistical import AutoRegression
from golden_core.preparation.catalogue import load_study
from golden_core.store.randomness import Stream
from golden_core.study.values import freeze
from golden_core.trials.identity import Trial
from golden_core.trials.rows import new_forecaster

NAMES = ("random_walk", "ar", "dlinear")
BRIEF = Effort(seconds=1e-9, samples=1, batches=(8, 10_000))


@pytest.fixture
def study(monkeypatch):
    """The smoke study; peaks are not measured and cold starts not made."""
    monkeypatch.setattr(forecasters, "matrix_peak", lambda *_: 1e12)
    monkeypatch.setattr(forecasters, "bandwidth_peak", lambda *_: 1e12)
    monkeypatch.setattr(forecasters.cold, "start", lambda _: None)
    return load_study("smoke")


def test_all_are_asked_the_same(home, study):
    said = []
    found, _ = inference(home, study, NAMES, BRIEF, note=said.append)
    asked = {}
    for one in found:
        asked.setdefault(one.subject, []).append((one.scenario, one.condition.batch))
    # A batch larger than the test part is not asked for: there are not so many windows. Nor is that passed over.
    assert said[-1] == "batches of 10000 windows are left out: the test part has 100"
    expected = [("single", 1), ("batch", 8), ("offline", 100), ("warm", 1), ("cold", 1)]
    assert asked == {name: expected for name in NAMES}  # noqa: C420
    formats = {"random_walk": "float64", "ar": "float64", "dlinear": "float32"}
    assert {one.subject: one.condition.precision for one in found} == formats
    counted = {(one.subject, one.scenario): one.operations for one in found}
    assert counted["dlinear", "offline"] == 100 * counted["dlinear", "single"]
    assert counted["ar", "offline"] is None
    assert all("not counted" in " ".join(one.missing) for one in found[:3])


def test_fits_count_windows_and_epochs(home, study):
    found = {one.subject: one for one in fits(home, study, NAMES, BRIEF, note=lambda _: None).found}
    rows = len(first_fold(home, study).train)
    assert found["ar"].condition.batch == rows
    assert found["dlinear"].condition.batch == rows  # one epoch
    longer = study.model_copy(update={"training": study.training.model_copy(update={"epochs": 2})})
    (twice,), _ = fits(home, longer, ["dlinear"], BRIEF, note=lambda _: None)
    assert twice.condition.batch == 2 * rows
    assert twice.operations == 2 * found["dlinear"].operations


@pytest.mark.parametrize("raised", [KeyError("cache"), SystemExit("no licence")])
@pytest.mark.parametrize("measure", [inference, fits])
def test_a_forecaster_that_fails_is_named_and_loses_no_other_its_measurements(
    home, study, monkeypatch, raised, measure
):
    def refuse(*_):
        raise raised

    monkeypatch.setattr(AutoRegression, "fit", refuse)
    said = []
    found, left_out = measure(home, study, NAMES, BRIEF, note=said.append)
    assert {one.subject for one in found} == {"random_walk", "dlinear"}
    assert left_out == [f"ar is left out: {type(raised).__name__}: {raised}"]
    assert left_out[0] in said
    with pytest.raises(ValueError, match=f"^ar is left out: {type(raised).__name__}"):
        measure(home, study, ["ar"], BRIEF, note=said.append)


def test_what_a_forecaster_gave_before_it_failed_is_no_row(home, study, monkeypatch):
    calls, predict = [], AutoRegression.predict

    def tires(self, windows):
        calls.append(len(windows))
        if len(windows) > 1:
            raise ValueError("too many")
        return predict(self, windows)

    monkeypatch.setattr(AutoRegression, "predict", tires)
    found, _ = inference(home, study, ["ar", "random_walk"], BRIEF, note=lambda _: None)
    assert set(calls) == {1, 8}
    assert {one.subject for one in found} == {"random_walk"}


def test_another_number_format_is_for_networks(home, study):
    found, _ = inference(home, study, NAMES, Effort(1e-9, 1, (), precision="bfloat16"), note=lambda _: None)
    assert {one.subject for one in found} == {"dlinear"}
    asked = {(one.scenario, one.condition.precision) for one in found}
    assert asked == {("single", "bfloat16"), ("offline", "bfloat16")}


def test_a_share_of_the_peak_is_of_the_peak_in_its_own_number_format(home, study, monkeypatch):
    """In TF32 a card does many times as much as in float32, so that a share of that would be above one."""
    allowed = []
    monkeypatch.setattr(forecasters, "refusal", lambda *_: None)  # as on a card

    def peak(*_):
        allowed.append(torch.backends.cuda.matmul.allow_tf32)
        return 1.0

    monkeypatch.setattr(forecasters, "matrix_peak", peak)
    inference(home, study, ["ar"], Effort(1e-9, 1, (), precision="tf32"), note=lambda _: None)
    assert allowed == [True]


@pytest.mark.parametrize(
    ("names", "effort", "words"),
    [
        (("v11",), BRIEF, "study smoke has no forecaster 'v11'"),
        (NAMES, Effort(precision="tf32"), "tf32 on cpu is unmeasured"),
    ],
)
def test_what_cannot_be_measured_is_refused(home, study, names, effort, words):
    with pytest.raises(ValueError, match=words):
        inference(home, study, names, effort, note=lambda _: None)


@pytest.mark.parametrize(
    ("name", "quantiles"), [("ar", None), ("dlinear", None), ("dlinear", "demo"), ("lightgbm", None)]
)
def test_a_cold_start_gives_the_forecast_of_what_was_fitted(home, study, tmp_path, name, quantiles):
    known = {**load_study("golden").forecasters, **study.forecasters}  # lightgbm has settings that are lists
    changes = {"quantiles": quantiles and load_study(quantiles).quantiles, "forecasters": freeze(known)}
    study = study.model_copy(update=changes)
    fold, trial = first_fold(home, study), Trial(name, "EURUSD", 1, 0)
    forecaster = new_forecaster(study, trial)
    forecaster.fit(fold.train, fold.validation, Stream(1))
    first = forecasters._some(fold.test, 1)
    command = prepare_cold(tmp_path, study, trial, forecaster.state(), first)
    assert command[1:] == ["-m", "golden_core.benchmarking.cold", str(tmp_path)]
    assert first_forecast(tmp_path) == forecaster.predict(first)[0]
