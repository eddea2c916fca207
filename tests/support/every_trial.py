"""Every trial of the smoke study without Dagster, in this process or, run as a module, in one of its own."""

import sys

from golden_core.preparation import prepare_pair, prepare_raw, prepare_series
from golden_core.preparation.catalogue import load_study
from golden_core.store.lake import Home
from golden_core.trials import all_series, all_trials, run_trials
from golden_core.trials.campaign import fingerprinted, stop_workers


def run(backend, order):
    """Bring the inputs up to date and run the trials, forwards or backwards."""
    home, study = Home.from_environment(), load_study("smoke")
    prepare_raw(home, study)
    for pair in study.data.pairs:
        prepare_pair(home, study, pair)
    for pair, horizon in all_series(study):
        prepare_series(home, study, pair, horizon)
    trials = all_trials(study)
    jobs = fingerprinted(home, study, trials[::-1] if order == "backwards" else trials)
    outcomes = list(run_trials(home, study, jobs, backend=backend, workers=2))
    assert not [outcome.error for outcome in outcomes if outcome.error]
    stop_workers()


if __name__ == "__main__":
    run(*sys.argv[1:])
