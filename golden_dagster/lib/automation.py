"""When an asset asks to be made again by itself, how much of it at one tick, and by which runs."""

import datetime
from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg
from dagster._core.definitions.sensor_definition import SensorExecutionData
from dagster_shared.record import replace

from golden_dagster.partitions import enclosing

PER_TICK = 200  # partitions of one asset

Condition = dg.AutomationCondition[Any]

# Schedules ask every weekday; from Friday to Monday are three days.
WORKING_DAYS = dg.FreshnessPolicy.time_window(
    fail_window=datetime.timedelta(days=5), warn_window=datetime.timedelta(days=4)
)

RANGE = ("dagster/asset_partition_range_start", "dagster/asset_partition_range_end")


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


class CappedCondition(Condition):
    """What another condition asks for, but no more than fits into one tick; the rest stays asked for.

    Cut off in the order of partitions, so that the block around them, which is what one run can cover, holds no more.
    """

    def __init__(self, operand: Condition) -> None:
        self.operand = operand

    @property
    def name(self) -> str:
        """Name in the tree of conditions."""
        return "CAPPED_PER_TICK"

    @property
    def children(self) -> Sequence[Condition]:
        """The condition that is capped."""
        return [self.operand]

    async def evaluate(self, context: Any) -> dg.AutomationResult[Any]:  # type: ignore[override]
        """Evaluate the condition on every candidate and keep what fits."""
        child = await context.for_child_condition(
            self.operand, child_indices=[0], candidate_subset=context.candidate_subset
        ).evaluate_async()
        wanted = child.true_subset
        if wanted.size > PER_TICK:
            kept = _fitting(context.partitions_def, wanted.expensively_compute_partition_keys(), PER_TICK)
            wanted = context.asset_graph_view.get_subset_from_partition_keys(context.key, context.partitions_def, kept)
        return dg.AutomationResult(context, wanted, child_results=[child])


def _fitting(definition: dg.PartitionsDefinition[Any], wanted: set[str], limit: int) -> set[str]:
    """Return the first wanted partitions whose enclosing block holds at most so many wanted ones."""
    kept: set[str] = set()
    chosen: list[str] = []
    for key in definition.get_partition_keys():
        if key in wanted and key not in kept:
            chosen.append(key)
            block = dg.PartitionKeyRange(*enclosing(definition, chosen))
            inside = wanted.intersection(definition.get_partition_keys_in_range(block))
            if len(inside) > limit:
                break
            kept = inside
    return kept


class OneRunPerAsset(dg.AutomationConditionSensorDefinition):
    """Asks for one run per asset and tick: a run over the block that encloses what is wanted.

    Dagster's own backfills make a run of every unbroken range, hundreds where gaps are scattered. A partition in the
    block that is done already costs a look-up and an event.
    """

    def __init__(self, name: str, **options: Any) -> None:
        super().__init__(name, **{**options, "emit_backfills": False, "use_user_code_server": True})

    def with_attributes(self, **changes: Any) -> "OneRunPerAsset":
        """Return a copy of this sensor, as its class would else return one of its parent's."""
        return OneRunPerAsset(
            self.name,
            target=self.asset_selection,
            minimum_interval_seconds=self.minimum_interval_seconds,
            default_status=self.default_status,
            description=self.description,
            metadata=changes.get("metadata", self.metadata),
        )

    def evaluate_tick(self, context: dg.SensorEvaluationContext) -> SensorExecutionData:
        """Evaluate every condition, and gather the requests of an asset's partitions in one."""
        found = super().evaluate_tick(context)
        graph = context.repository_def.asset_graph  # type: ignore[union-attr]
        whole = [request for request in found.run_requests or () if request.partition_key is None]
        keys: dict[dg.AssetKey, list[str]] = {}
        for request in found.run_requests or ():
            for asset in request.asset_selection or ():
                if request.partition_key is not None:
                    keys.setdefault(asset, []).append(request.partition_key)
        ranged = [_over_block(asset, graph.get(asset).partitions_def, wanted) for asset, wanted in keys.items()]
        return replace(found, run_requests=[*whole, *ranged])


def _over_block(asset: dg.AssetKey, definition: Any, wanted: Sequence[str]) -> dg.RunRequest:
    tags: Mapping[str, str] = dict(zip(RANGE, enclosing(definition, wanted), strict=True))
    return dg.RunRequest(asset_selection=[asset], tags=dict(tags))
