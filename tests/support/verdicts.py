"""A check of the registry, decided as Dagster's asset checks decide it, but without a run of Dagster's."""

from golden_core.checks import all_checks, sampled_checks
from golden_core.checks.inputs import SAMPLED, repeated_checks
from golden_dagster.lib.checks import verdict


def decided(home, study, name):
    """Return a check's result; of several of one name (forecasters have one each) the failing one counts."""
    checks = [check for check in all_checks(study) if check.name == name]
    found = sampled_checks(home, study) if name in {check.name for check in SAMPLED} else {}
    results = [verdict(found.get(name) or c.decide(home, study), c.unit, c.severity) for c in checks]
    return min(results, key=lambda result: result.passed)


def repeated_faults(home, study, name):
    """Return what `metrics` would find by its own check of that name."""
    return [fault for check in repeated_checks(study) if check.name == name for fault in check.faults(home, study)]
