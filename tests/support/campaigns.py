"""A small smoke campaign and ways to run it."""

import os
import sys
from contextlib import contextmanager

from golden_core.evaluation.campaign import evaluate, report_provenance
from golden_core.preparation import prepare_all
from golden_core.reporting.pages import write_report
from golden_core.store.lake import Home
from golden_core.store.warehouse import Warehouse
from golden_core.trials import all_trials, run_trials
from golden_core.trials.campaign import fingerprinted
from golden_dagster.campaign import open_campaign
from golden_dagster.cli import main
from golden_dagster.resources import WorkersResource

# Small enough for seconds; the last one trains, so that there are losses, weights and seeds.
OVERRIDES = (
    "name=smoke",
    "forecasters={random_walk: {}, ar: {max_order: 2}, dlinear: {moving_average: 3, epochs: null}}",
)
SETTINGS = [part for override in OVERRIDES for part in ("--set", override)]  # as the command line has them


@contextmanager
def home_at(folder):
    """Use another home for a while."""
    before = os.environ.get("GOLDEN_HOME")
    os.environ["GOLDEN_HOME"] = str(folder)
    try:
        yield
    finally:
        os.environ.pop("GOLDEN_HOME")
        if before is not None:
            os.environ["GOLDEN_HOME"] = before


@contextmanager
def opened(overrides=OVERRIDES, **options):
    """Open the smoke campaign of the tests with trials one after another."""
    with open_campaign("smoke", overrides, workers=WorkersResource(backend="sequential"), **options) as campaign:
        yield campaign


def finish(campaign):
    """Run every stage that is out of date; return their names."""
    done = []
    for stage in campaign.stages():
        assert campaign.execute(stage), campaign.failures
        done.append(stage.name)
    return done


def run_on_one_pair(folder, study, before_report=lambda _home: None):
    """Run a study of EURUSD at one bar without Dagster, and return its home below ``folder``."""
    home = Home(folder / "home", folder / "reports")
    prepare_all(home, study, [("EURUSD", 1)])
    list(run_trials(home, study, fingerprinted(home, study, all_trials(study))))
    before_report(home)
    evaluate(home, study)
    write_report(Warehouse(home.warehouse), study, home.report(study.name), report_provenance(home, study))
    return home


def run_in_group(home, log, backend):
    """Run the small campaign as `golden run` does, in a process group of its own; for a process to start with."""
    os.setsid()
    with log.open("wb") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    os.environ["GOLDEN_HOME"] = str(home)
    sys.argv = ["golden", "run", "smoke", "--backend", backend, *SETTINGS]
    main()
