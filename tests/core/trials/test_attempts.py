"""A trial that fails is tried a few times and then left, with what to do about it; a change tries it again."""

from golden_core.preparation import prepare_pair, prepare_raw, prepare_series
from golden_core.preparation.catalogue import load_study
from golden_core.store.lake import Home
from golden_core.trials import Trial, campaign, run_trials
from golden_core.trials.campaign import ATTEMPTS, fingerprinted
from golden_core.trials.run import TrialError


def test_a_failing_trial_is_left_after_some_attempts_until_something_changes(monkeypatch):
    home, study = Home.from_environment(), load_study("smoke", ["forecasters={random_walk: {}, drift: {}}"])
    prepare_raw(home, study)
    prepare_pair(home, study, "EURUSD")
    prepare_series(home, study, "EURUSD", 1)
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
