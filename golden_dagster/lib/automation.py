"""When an asset asks to be made again by itself: conditions for the automation sensor, one per kind of asset."""

from typing import Any

import dagster as dg

from golden_dagster.lib.ticks import CappedCondition

Condition = dg.AutomationCondition[Any]


def keep_current() -> Condition:
    """Ask for what was never made, or was made from other data or by other code than there is now.

    Inputs must be there, checked and at rest. Blocking checks hold within their own run only, so they are asked for
    here once more; a check that was never evaluated has not passed. What failed waits for a change.
    """
    never_made = dg.AutomationCondition.missing() & ~dg.AutomationCondition.execution_failed()
    wanted = (never_made | _changed()) & ~dg.AutomationCondition.any_deps_missing() & _at_rest()
    return CappedCondition(wanted)


def gather_current() -> Condition:
    """Ask for what gathers all partitions of its inputs, once they have changed and rest.

    One failed trial leaves a partition missing for ever: whoever gathers reports what is there and names the rest.
    """
    return _changed() & _at_rest()


def _changed() -> Condition:
    data = dg.AutomationCondition.any_deps_match(dg.AutomationCondition.data_version_changed())
    changed: Condition = data | dg.AutomationCondition.code_version_changed()
    return changed.since_last_handled()


def _at_rest() -> Condition:
    return (
        dg.AutomationCondition.all_deps_blocking_checks_passed()
        & ~dg.AutomationCondition.any_deps_in_progress()
        & ~dg.AutomationCondition.in_progress()
    )
