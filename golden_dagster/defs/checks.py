"""Every check of the registry. Those that need a legacy tree are in legacy.py, the plan's in milestones.py."""

import dagster as dg

from golden_core.checks import all_checks
from golden_core.checks.inputs import SAMPLED
from golden_core.study import Study
from golden_dagster.lib.checks import asset_check, sampled_asset_checks


def definitions(study: Study) -> dg.Definitions:
    """Return the checks of a study and of the platform."""
    alone = [asset_check(check) for check in all_checks(study) if check not in SAMPLED]
    return dg.Definitions(asset_checks=[*alone, sampled_asset_checks(SAMPLED)])
