"""Trials whose networks train together: their files, what a kill leaves, and what ends one of them or all."""

import shutil

import numpy as np
import polars as pl
import pytest
import torch
from support.campaigns import OVERRIDES
from torch import nn

from golden_core.checks.results import result_checks
from golden_core.forecasters.neural import DLinearForecaster
from golden_core.models.linear import DLinear
from golden_core.preparation.catalogue import load_variant
from golden_core.store.lake import Home, hash_file, read_json
from golden_core.training import device, functional, substitute, trainer
from golden_core.trials import Trial, all_trials, cohorts, run_trials
from golden_core.trials.campaign import fingerprinted, require_device
from golden_core.trials.identity import dependencies, fingerprint, series_inputs
from golden_core.trials.ledger import _settings
from golden_core.trials.outputs import OUTPUTS, finished_trials
from golden_core.trials.reproduction import reproduce_last
from golden_core.trials.rows import cut_folds
from golden_core.trials.run import TrialError, run_trial

STUDY = load_variant("smoke", OVERRIDES)
NETWORKS = [trial for trial in all_trials(STUDY) if trial.forecaster == "dlinear"]  # two series, two seeds; two folds
SECOND = NETWORKS[1]


@pytest.fixture
def home(broken):
    """Bars, folds and the trials of everything but networks."""
    shutil.rmtree(broken.study("smoke").root / "trials" / "dlinear")
    return broken


@pytest.fixture
def sizes(monkeypatch):
    """Note how many networks each cohort has."""
    seen, train = [], cohorts.train_cohort

    def noted(members, *arguments, **options):
        seen.append(len(members))
        return train(members, *arguments, **options)

    monkeypatch.setattr(cohorts, "train_cohort", noted)
    return seen


def run(home, trials=NETWORKS, study=STUDY, notes=None):
    note = (lambda text, lasting: notes.append((text, lasting))) if notes is not None else (lambda *_: None)
    return run_trials(home, study, fingerprinted(home, study, trials), backend="cohort", workers=1, note=note)


def folders(home):
    return finished_trials(home, STUDY, NETWORKS)


def forecasts_of(home):
    return {trial: hash_file(folder / "forecasts.parquet") for trial, folder in folders(home).items()}


def company_of(folder):
    return read_json(folder / "provenance.json")["company"]


def test_trials_have_the_identity_and_the_forecasts_that_they_have_alone(home, finished, sizes):
    notes = []
    alone = folders(finished)
    found = list(run(home, all_trials(STUDY), notes=notes))
    assert {one.status for one in found} == {"done", "shared"}
    assert sizes == [8]
    together = folders(home)
    assert [folder.name for folder in together.values()] == [folder.name for folder in alone.values()]
    for trial, folder in together.items():
        ours, theirs = (pl.read_parquet(one / "forecasts.parquet")["y_pred"] for one in (folder, alone[trial]))
        assert np.abs(ours - theirs).max() <= 1e-6 * np.ptp(theirs.to_numpy())
        record = read_json(folder / "provenance.json")
        assert record["device"] == {"kind": "cpu", "card": None}
        assert record["company"] == [
            [one.pair, one.seed, series_inputs(home, STUDY, one.pair, one.horizon).hash] for one in NETWORKS
        ]
        assert company_of(alone[trial]) is None
    text, lasting = notes[0]
    assert text.startswith("dlinear, horizon 1: epoch 1, 8 of 8 networks training, ")
    assert text.endswith(" windows/s")
    assert not lasting


def test_a_killed_cohort_leaves_finished_trials_and_the_next_trains_the_missing_only(home, sizes):
    begun = run(home)
    done = next(begun).trial
    begun.close()  # as where a signal ends it
    assert list(folders(home)) == [done]
    assert {one.status for one in run(home)} == {"done"}
    assert sizes == [8, 6]
    companies = {trial: company_of(folder) for trial, folder in folders(home).items()}
    assert len(companies.pop(done)) == 4
    assert {len(company) for company in companies.values()} == {3}


def test_a_trial_comes_out_again_in_the_company_that_it_had(home, sizes, tmp_path):
    list(run(home))
    cohorts.run_again(home, STUDY, SECOND, tmp_path / "again")
    assert sizes == [8, 8]
    stored = folders(home)[SECOND]
    assert [hash_file(stored / name) == hash_file(tmp_path / "again" / name) for name in OUTPUTS] == [True] * 3
    assert company_of(tmp_path / "again") == company_of(stored)


def test_a_trial_whose_company_has_other_data_now_is_not_trained_again(home):
    """Its last digits depend on the company: other ones would be no fault of it."""
    list(run(home))
    folds = home.study("smoke").table("folds", "USDJPY_h1")
    shorter = pl.when(part="train").then(pl.col("row_stop") - 7).otherwise("row_stop")
    pl.read_parquet(folds).with_columns(row_stop=shorter).write_parquet(folds)
    found, strangers = reproduce_last(home, STUDY, 1)
    assert {one.trial.forecaster for one in found if one.identical} == {"random_walk", "ar"}
    assert strangers == {"dlinear": "other data of USDJPY in its company"}


def test_a_fit_that_asks_for_another_budget_trains_alone_with_it(home, sizes, monkeypatch, tmp_path):
    fit = DLinearForecaster.fit

    def faster_later(self, train, validation, stream):
        rate = 1e-3 * (1 + int(train.windows.cutoffs[0] > earliest))
        monkeypatch.setattr(self, "budget", lambda: STUDY.training.model_copy(update={"learning_rate": rate}))
        return fit(self, train, validation, stream)

    inputs = series_inputs(home, STUDY, SECOND.pair, SECOND.horizon)
    earliest = next(cut_folds(STUDY, SECOND.horizon, inputs)).train.windows.cutoffs[0]
    monkeypatch.setattr(DLinearForecaster, "fit", faster_later)
    assert {one.status for one in run(home)} == {"done"}
    assert sizes == [4]  # the first fold of every trial
    alone = run_trial(home, STUDY, SECOND, into=tmp_path / "alone")
    rates = pl.read_parquet(folders(home)[SECOND] / "history.parquet")["learning_rate"].unique().sort()
    assert rates.to_list() == [1e-3, 2e-3]
    ours, theirs = (pl.read_parquet(one / "forecasts.parquet")["y_pred"] for one in (folders(home)[SECOND], alone))
    assert np.abs(ours - theirs).max() <= 1e-6 * np.ptp(theirs.to_numpy())


@pytest.fixture
def refining(monkeypatch):
    """Have the forecaster train its network again, at another learning rate, as somebody's class may."""
    fit, slower = DLinearForecaster.fit, STUDY.training.model_copy(update={"learning_rate": 1e-4})

    def refined(self, train, validation, stream):
        curve = fit(self, train, validation, stream)
        return curve + trainer.train(self._module, train, validation, slower, stream, self.objective())

    monkeypatch.setattr(DLinearForecaster, "fit", refined)


@pytest.mark.usefixtures("refining")
def test_a_fit_that_trains_again_from_the_same_stream_is_not_given_the_first_answer_twice(home, tmp_path):
    assert {one.status for one in run(home, [SECOND])} == {"done"}
    alone, ours = run_trial(home, STUDY, SECOND, into=tmp_path / "alone"), folders(home)[SECOND]
    curves = [pl.read_parquet(folder / "history.parquet") for folder in (ours, alone)]
    assert [curve["learning_rate"].unique().sort().to_list() for curve in curves] == [[1e-4, 1e-3]] * 2
    first, again = (pl.read_parquet(folder / "forecasts.parquet")["y_pred"] for folder in (ours, alone))
    assert np.abs(first - again).max() <= 1e-6 * np.ptp(again.to_numpy())


def test_a_network_that_diverges_ends_its_trial_and_no_other(home, monkeypatch):
    made, network = [], DLinearForecaster.network

    def network_or_nan(self, generator):
        module = network(self, generator)
        made.append(module)
        if len(made) == 4:  # the first is looked at for its size; of this one the second trial has its first fold
            nn.init.constant_(module.trend.weight, torch.nan)
        return module

    monkeypatch.setattr(DLinearForecaster, "network", network_or_nan)
    found = {one.trial: one.error for one in run(home)}
    error = found.pop(SECOND)
    assert error.startswith(f"{SECOND}, fold 0: the training loss is nan in epoch 1, at learning rate 0.001: lower")
    assert set(found.values()) == {None}
    monkeypatch.undo()
    assert [one.status for one in run(home)] == ["done"] * 4


def test_where_memory_runs_out_the_cohort_is_halved_and_says_so(home, monkeypatch):
    train, fits = cohorts.train_cohort, [4]

    def too_small(members, *arguments, **options):
        if len(members) > fits[0]:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return train(members, *arguments, **options)

    monkeypatch.setattr(cohorts, "train_cohort", too_small)
    notes = []
    assert {one.status for one in run(home, notes=notes)} == {"done"}
    said = "memory ran out with 4 trials of dlinear in one cohort: going on with 2 and 2"
    assert [text for text, lasting in notes if lasting] == [said]
    assert {len(company_of(folder)) for folder in folders(home).values()} == {2}
    shutil.rmtree(home.study("smoke").root / "trials" / "dlinear")
    fits[0] = 0
    errors = {one.error for one in run(home)}
    assert f"{SECOND}: memory ran out while its networks trained alone; lower training.batch_size" in errors
    assert len(errors) == 4


def test_a_cohort_is_cut_to_what_memory_holds_before_it_begins(home, monkeypatch, sizes):
    monkeypatch.setattr(cohorts, "bytes_of_member", lambda member, batch_size: 100)
    monkeypatch.setattr(device, "budget", lambda kind: 600)
    notes = []
    assert {one.status for one in run(home, notes=notes)} == {"done"}
    assert sizes == [4, 4]
    assert notes[0][0].startswith("4 trials of dlinear need about ")
    assert notes[0][0].endswith(" may be taken: 2 cohorts")


def test_networks_that_cannot_train_together_train_alone_and_it_is_said(home, monkeypatch, sizes):
    monkeypatch.setattr(functional, "refusal", lambda module: "it is odd")
    notes = []
    assert {one.status for one in run(home, notes=notes)} == {"done"}
    assert sizes == []
    assert notes == [("DLinear cannot train in a cohort: it is odd; its trials train alone", True)]
    assert {company_of(folder) for folder in folders(home).values()} == {None}


@pytest.mark.parametrize("when", ["size", "training"])
def test_a_network_that_asks_for_one_number_of_a_batch_trains_alone_and_ends_nothing(home, monkeypatch, when):
    """Of somebody's own class nothing is known beforehand: torch finds out at the first pass, here or there."""

    def branching(module, x):
        if not (when == "training" and looked_at) and bool(x.sum() > 1e9):
            return -forward(module, x)
        return forward(module, x)

    forward, looked_at, size = DLinear.forward, [], cohorts.bytes_of_member

    def sized(*given):
        looked_at.append(1)
        try:
            return size(*given)
        finally:
            looked_at.clear()

    monkeypatch.setattr(cohorts, "bytes_of_member", sized)
    monkeypatch.setattr(DLinear, "forward", branching)
    notes = []
    assert {one.status for one in run(home, notes=notes)} == {"done"}
    ((said, _),) = [note for note in notes if note[1]]
    assert said.startswith("networks of dlinear cannot train in a cohort: RuntimeError: vmap: It looks like")
    assert said.endswith("its trials train alone")
    assert {company_of(folder) for folder in folders(home).values()} == {None}


@pytest.mark.parametrize("backend", ["sequential", "cohort"])
@pytest.mark.parametrize(
    ("tell", "said"),
    [
        (torch.set_default_dtype, torch.float64),
        (torch.set_grad_enabled, False),
        (torch.set_default_device, "meta"),
        (torch.set_float32_matmul_precision, "medium"),
    ],
)
def test_what_somebodys_class_tells_all_of_torch_changes_no_other_trial(home, finished, tell, said, backend):
    """Lightning's documentation says such a line; in one process every network after it would be another."""
    if backend == "cohort":
        assert {one.error for one in run(home)} == {None}
    before = forecasts_of(home if backend == "cohort" else finished)
    shutil.rmtree(home.study("smoke").root / "trials" / "dlinear", ignore_errors=True)
    tell(said)
    jobs = fingerprinted(home, STUDY, NETWORKS)
    assert {one.error for one in run_trials(home, STUDY, jobs, backend=backend)} == {None}
    assert forecasts_of(home) == before
    assert torch.get_float32_matmul_precision() == "highest"


def test_what_cannot_be_fitted_fails_with_the_words_that_it_has_alone(home, monkeypatch, sizes):
    def refuse(self):
        raise ValueError("no budget")

    monkeypatch.setattr(DLinearForecaster, "budget", refuse)
    assert {one.error for one in run(home, NETWORKS[:1])} == {f"{NETWORKS[0]}, fold 0: no budget"}
    assert sizes == []


def told(study):
    return dependencies(study, SECOND, "inputs")


def test_the_device_enters_the_identity_of_networks_and_cpu_changes_nothing(monkeypatch):
    walk = Trial("random_walk", "EURUSD", 1, 0)
    cpu, auto, cuda = (
        load_variant("smoke", (*OVERRIDES, f"training.device={name}")) for name in ("cpu", "auto", "cuda")
    )
    assert cpu.hash() == STUDY.hash()
    assert cuda.hash() != auto.hash() != STUDY.hash()
    monkeypatch.setattr(device, "best_kind", lambda: "cpu")
    assert told(cpu) == told(auto) == told(STUDY)
    assert "device" not in told(cpu)["training"]
    assert told(cuda)["training"] == told(cpu)["training"] | {"device": "cuda"}
    assert told(cuda)["code"] != told(cpu)["code"]
    assert fingerprint(cuda, walk, "inputs") == fingerprint(STUDY, walk, "inputs")
    monkeypatch.setattr(device, "best_kind", lambda: "cuda")
    assert told(auto) == told(cuda)
    assert _settings(cuda, "dlinear") == _settings(STUDY, "dlinear")  # where is no other way to forecast


def test_a_study_for_a_card_is_refused_where_there_is_none(home, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    study = load_variant("smoke", (*OVERRIDES, "training.device=cuda"))
    with pytest.raises(TrialError, match=r"study 'smoke': training\.device is cuda, and this machine or this build"):
        next(run(home, study=study))
    with pytest.raises(TrialError, match=r"fold 0: training\.device is cuda"):
        run_trial(home, study, SECOND)


def pretend(monkeypatch):
    """Take the processor for a card."""
    monkeypatch.setattr(device, "require", lambda kind: None)
    monkeypatch.setattr(torch, "device", lambda kind: torch.zeros(1).device)
    monkeypatch.setattr(device, "card", lambda kind: "a card")
    monkeypatch.setattr(device, "budget", lambda kind: 10**9)


@pytest.fixture
def pretended(monkeypatch):
    pretend(monkeypatch)


def test_what_a_card_trained_needs_none_afterwards(home, sizes):
    study = load_variant("smoke", (*OVERRIDES, "training.device=cuda"))
    trials = fingerprinted(home, study, NETWORKS)
    with pytest.MonkeyPatch.context() as patch:
        pretend(patch)
        assert {one.status for one in run_trials(home, study, trials, backend="sequential")} == {"done"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.cuda, "is_available", lambda: False)
        require_device(home, study)  # nobody knows yet whether something is left to train
        with pytest.raises(TrialError, match=r"training\.device is cuda"):
            require_device(Home(home.root / "fresh", home.reports), study)
        assert {one.status for one in run_trials(home, study, trials)} == {"done"}
        assert sizes == [8]
        found, strangers = reproduce_last(home, study, 1)
        assert {one.trial.forecaster for one in found if one.identical} == {"random_walk", "ar"}
        assert strangers == {"dlinear": "a card"}
        (check,) = (check for check in result_checks(study) if check.name == "forecasts_reproduce_bitwise")
        examined = check.decide(home, study)
        assert examined.severity == "warn"
        assert examined.findings[0].startswith("unmeasured: all trials of dlinear were trained on a card, which is not")
        missing = home.study("smoke").trial("dlinear", trials[0][0].series, trials[0][1])
        shutil.rmtree(missing)
        with pytest.raises(TrialError, match=r"training\.device is cuda"):
            list(run_trials(home, study, trials))


@pytest.mark.usefixtures("pretended")
def test_on_a_card_networks_train_in_cohorts_whatever_the_backend_and_alone_as_one(home, sizes, tmp_path):
    study = load_variant("smoke", (*OVERRIDES, "training.device=cuda"))
    trials = fingerprinted(home, study, NETWORKS)
    assert {one.status for one in run_trials(home, study, trials, backend="sequential")} == {"done"}
    assert sizes == [8]
    folder = run_trial(home, study, SECOND, into=tmp_path / "alone")
    assert sizes == [8]
    record = read_json(folder / "provenance.json")
    assert record["device"] == {"kind": "cuda", "card": "a card"}
    assert record["company"] is None


@pytest.mark.usefixtures("pretended", "refining")
def test_on_a_card_what_the_company_has_not_trained_trains_there_too(home, sizes, monkeypatch):
    alone, train = [], substitute.train_cohort
    monkeypatch.setattr(
        substitute, "train_cohort", lambda *given, **options: alone.append(1) or train(*given, **options)
    )
    study = load_variant("smoke", (*OVERRIDES, "training.device=cuda"))
    assert {one.status for one in run_trials(home, study, fingerprinted(home, study, [SECOND]))} == {"done"}
    assert (sizes, len(alone)) == ([2], 2)  # two folds, each trained again
