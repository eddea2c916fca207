"""Every trial of the smoke study without Dagster, in this process or, run as a module, in one of its own."""

import sys

from golden_core.preparation import prepare_all
from golden_core.preparation.catalogue import load_study
from golden_core.store.lake import Home
from golden_core.trials import all_trials, run_trials
from golden_core.trials.campaign import fingerprinted
from golden_core.trials.workers import stop_workers


def run(backend, order):
    """Bring the inputs up to date and run the trials, forwards or backwards."""
    home, study = Home.from_environment(), load_study("smoke")
    prepare_all(home, study)
    trials = all_trials(study)
    jobs = fingerprinted(home, study, trials[::-1] if order == "backwards" else trials)
    outcomes = list(run_trials(home, study, jobs, backend=backend, workers=2))
    assert not [outcome.error for outcome in outcomes if outcome.error]
    stop_workers()


if __name__ == "__main__":
    run(*sys.argv[1:])
