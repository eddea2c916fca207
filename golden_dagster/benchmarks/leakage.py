"""What the leakage checks of a run cost, in processor time, beside the campaign they belong to."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from rich.table import Table

from golden_core.benchmarking.measurement import Measurement, timed
from golden_core.checks.inputs import FITS, FUTURE, input_checks, sampled_checks, verified_input_faults
from golden_core.checks.results import result_checks
from golden_core.store.lake import temporary_home
from golden_dagster.campaign import Campaign, open_campaign
from golden_dagster.cli.options import table
from golden_dagster.resources import WorkersResource

ALLOWED = 0.10  # of the campaign without them
LEAKAGE = {FUTURE, FITS, "parts_kept_apart", "no_feature_too_good", "no_forecast_too_good"}  # which checks these are


@dataclass(frozen=True)
class Cost:
    """Processor seconds of a campaign, its leakage checks included, and of the checks by themselves."""

    study: str
    campaign: float
    probes: dict[str, float]

    @property
    def share(self) -> float:
        """Leakage checks over the rest of the campaign."""
        spent = sum(self.probes.values())
        return spent / (self.campaign - spent)

    def measurements(self) -> list[Measurement]:
        """Return checks and campaign as rows of the table of benchmarks, each of one duration."""
        parts = {"campaign, leakage checks included": self.campaign, **self.probes}
        return [timed(name, "campaign", "run", [seconds], 1) for name, seconds in parts.items()]


def measure(name: str, overrides: Sequence[str], note: Callable[[str], None]) -> Cost:
    """Run a study from nothing in this process, then its leakage checks once more by themselves.

    Raises
    ------
    RuntimeError
        If a stage of the campaign fails.
    """
    one = WorkersResource(backend="sequential", workers=1)
    with temporary_home(), open_campaign(name, list(overrides), workers=one) as campaign:
        started = time.process_time()
        for stage in campaign.stages():
            note(f"{stage.name} …")
            if not campaign.execute(stage):
                raise RuntimeError(f"stage {stage.name} failed: {campaign.failures[0]}")
        spent = time.process_time() - started
        note("leakage checks alone …")
        return Cost(campaign.study.name, spent, _probes(campaign))


def view(cost: Cost) -> Table:
    """Return the measurement as a table."""
    spent = sum(cost.probes.values())
    rest = cost.campaign - spent
    parts = {**cost.probes, "all leakage checks": spent}
    rows = [(label, f"{seconds:.2f}", f"{seconds / rest:.1%}") for label, seconds in parts.items()]
    rows.append(("the rest of the campaign", f"{rest:.2f}", ""))
    return table(("", "processor s", "of the rest"), rows, title=f"Leakage checks of study {cost.study}")


def _probes(campaign: Campaign) -> dict[str, float]:
    """Return the seconds of every check that looks for leaks, as often as a run decides it."""
    study, home = campaign.study, campaign.home
    once = [check for check in (*input_checks(study), *result_checks(study)) if check.name in LEAKAGE and check.cheap]

    def again() -> None:  # in the process of the campaign, which has seen them hold
        for _ in range(2):
            verified_input_faults(home, study)

    return {
        "future poison, replayed fits": _timed(lambda: sampled_checks(home, study)),
        **{check.name: _timed(partial(check.decide, home, study)) for check in once},
        "looked up before training and before metrics": _timed(again),
    }


def _timed(task: Callable[[], object]) -> float:
    started = time.process_time()
    task()
    return time.process_time() - started
