"""A trial that fails is tried a few times and then left, with what to do about it; a change tries it again."""

import shutil

import pytest
from support.campaigns import OVERRIDES

from golden_core.preparation import prepare_all
from golden_core.preparation.catalogue import load_study
from golden_core.store.lake import Home, write_json
from golden_core.trials import Trial, all_trials, campaign, cohorts, run_trials
from golden_core.trials.campaign import ATTEMPTS, fingerprinted
from golden_core.trials.run import TrialError


def test_a_failing_trial_is_left_after_some_attempts_until_something_changes(monkeypatch):
    home, study = Home.from_environment(), load_study("smoke", ["forecasters={random_walk: {}, drift: {}}"])
    prepare_all(home, study, [("EURUSD", 1)])
    tried = []

    def fails(home, study, trial, company=None):
        tried.append(trial)
        raise TrialError("no luck")

    monkeypatch.setattr(campaign, "run_trial", fails)
    jobs = fingerprinted(home, study, [Trial("drift", "EURUSD", 1, 0)])
    errors = [next(run_trials(home, study, jobs)).error for _ in range(ATTEMPTS + 2)]
    failure = home.study("smoke").failure("drift", "EURUSD_h1", jobs[0][1])
    assert len(tried) == ATTEMPTS
    assert errors[:ATTEMPTS] == ["no luck"] * ATTEMPTS
    left = f"no luck (left after {ATTEMPTS} attempts: delete {failure} to have it tried again)"
    assert errors[ATTEMPTS:] == [left, left]
    failure.unlink()
    assert next(run_trials(home, study, jobs)).error == "no luck"
    other = load_study("smoke", ["forecasters={random_walk: {}, drift: {}}", "context_length=4"])
    assert next(run_trials(home, other, fingerprinted(home, other, [jobs[0][0]]))).error == "no luck"
    assert len(tried) == ATTEMPTS + 2


@pytest.mark.parametrize("backend", ["sequential", "loky", "cohort"])
def test_what_is_done_or_left_is_looked_at_without_a_worker(backend, broken, monkeypatch):
    study = load_study("smoke", OVERRIDES)
    jobs = fingerprinted(broken, study, all_trials(study))
    left, print_ = next(job for job in jobs if job[0].forecaster == "dlinear")
    failure = broken.study("smoke").failure(left.forecaster, left.series, print_)
    place = broken.study("smoke").trial(left.forecaster, left.series, print_)
    shutil.rmtree(place)
    write_json({"error": "no luck", "attempts": ATTEMPTS}, failure)

    def none(*_, **__):
        raise AssertionError("a worker was asked for, or a trial run")

    for module, name in ((campaign, "worker_pool"), (campaign, "run_trial"), (cohorts, "join_cohorts")):
        monkeypatch.setattr(module, name, none)
    found = list(run_trials(broken, study, jobs, backend=backend, workers=2))
    assert {one.trial for one in found} == {trial for trial, _ in jobs}
    assert [(one.trial, one.status) for one in found if one.error] == [(left, "failed")]


def test_a_failure_of_what_has_been_done_since_is_deleted(broken):
    study = load_study("smoke", OVERRIDES)
    [(trial, print_)] = fingerprinted(broken, study, [Trial("ar", "EURUSD", 1, 0)])
    failure = broken.study("smoke").failure("ar", "EURUSD_h1", print_)
    write_json({"error": "no luck", "attempts": ATTEMPTS}, failure)
    assert [one.status for one in run_trials(broken, study, [(trial, print_)])] == ["done"]
    assert not failure.exists()
