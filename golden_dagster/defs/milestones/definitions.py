"""Milestones and exit gates; the same for every study."""

import dagster as dg

from golden_core.milestones.registry import load_registry
from golden_core.study import Study
from golden_dagster.lib.milestones import (
    gate_asset,
    gate_check,
    milestone_asset,
    milestone_checks,
    requirements_asset,
)


def definitions(_study: Study) -> dg.Definitions:
    """Return one asset per milestone and one per exit gate, with their checks."""
    phases = load_registry().phases
    milestones = [milestone_asset(milestone) for phase in phases for milestone in phase.milestones]
    checks = [check for phase in phases for milestone in phase.milestones for check in milestone_checks(milestone)]
    gates = [gate_asset(phase) for phase in phases]
    return dg.Definitions(
        assets=[requirements_asset(), *milestones, *gates], asset_checks=[*checks, *map(gate_check, phases)]
    )
