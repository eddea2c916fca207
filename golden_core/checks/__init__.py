"""Every check of the platform as data: what it says, of which asset, how it is decided. Nothing here runs by itself."""

from golden_core.checks.check import Check as Check
from golden_core.checks.check import Examined as Examined
from golden_core.checks.explanations import SANITY_CHECKS, explanation_checks
from golden_core.checks.inputs import input_checks
from golden_core.checks.inputs import sampled_checks as sampled_checks
from golden_core.checks.inputs import verified_input_faults as verified_input_faults
from golden_core.checks.platform import PLATFORM_CHECKS
from golden_core.checks.results import result_checks
from golden_core.study import Study


def all_checks(study: Study) -> tuple[Check, ...]:
    """Return every check that holds without a legacy tree: on a study's inputs and results, and on the platform."""
    return (*input_checks(study), *result_checks(study), *explanation_checks(study), *PLATFORM_CHECKS, *SANITY_CHECKS)
