"""The factories that make one asset per milestone and one per exit gate of the plan."""

import datetime

import dagster as dg
import polars as pl

from golden_core.lake import PROJECT_ROOT
from golden_core.milestones.makers import makable, make_evidence
from golden_core.milestones.place import Place
from golden_core.milestones.registry import Milestone, Phase, load_registry
from golden_core.milestones.state import gates, standing
from golden_dagster.lib.metadata import OWNERS, table_value
from golden_dagster.resources import LegacyResource


def milestone_key(identity: str) -> dg.AssetKey:
    """Return the key of a milestone or a gate: ``milestones/P0_M1``, ``milestones/P0``."""
    return dg.AssetKey(["milestones", identity.replace(".", "_")])


def milestone_asset(milestone: Milestone) -> dg.AssetsDefinition:
    """Return the asset of a milestone: it writes the evidence where it knows how to, and says where it stands."""
    key = milestone_key(milestone.id)

    @dg.asset(
        key=key,
        group_name="milestones",
        owners=OWNERS,
        kinds={"markdown"},
        description=f"{milestone.id} {milestone.title}. {_roles(milestone)}",
    )
    def evidence(legacy: LegacyResource) -> dg.MaterializeResult:  # type: ignore[type-arg]
        place = Place.from_environment(PROJECT_ROOT)
        if makable(milestone, legacy.given):
            now = datetime.datetime.now(datetime.UTC)
            make_evidence(place, milestone, given=legacy.given, now=now, run_commands=False)
        found = standing(place, milestone)
        criteria = pl.DataFrame(
            [(c.id, c.claim, c.decided_by, c.verdict, str(c.value or "")) for c in found.criteria],
            schema=["criterion", "claim", "decided_by", "verdict", "value"],
            orient="row",
        )
        return dg.MaterializeResult(
            metadata={"state": found.state, "owner": found.owner or "none yet", "criteria": table_value(criteria)}
        )

    return evidence


def milestone_checks(milestone: Milestone) -> list[dg.AssetChecksDefinition]:
    """Return a check for every criterion that the plan leaves to the milestone's own asset."""
    own = f"{milestone_key(milestone.id).to_user_string()}:"
    checks = {c.id: c.check for c in milestone.criteria if c.check and c.check.startswith(own)}
    return [_recorded(milestone, criterion, check.removeprefix(own)) for criterion, check in checks.items()]


def _recorded(milestone: Milestone, criterion: str, name: str) -> dg.AssetChecksDefinition:
    claim = milestone.criterion(criterion).claim

    @dg.asset_check(asset=milestone_key(milestone.id), name=name, description=claim)
    def recorded() -> dg.AssetCheckResult:
        found = next(c for c in standing(Place.from_environment(PROJECT_ROOT), milestone).criteria if c.id == criterion)
        measured = "" if found.value is None else f"{found.value}, expected {found.threshold}"
        said = {"pass": measured or "pass", "fail": f"fails: {measured}"}.get(found.verdict, found.verdict)
        # Where the project stands does not say whether a study may be trusted: it closes the gate of its phase, and
        # only warns at the gate of a study. What nobody has measured yet is no failure, and no success either.
        return dg.AssetCheckResult(
            passed=found.verdict == "pass", severity=dg.AssetCheckSeverity.WARN, description=said
        )

    return recorded


def gate_asset(phase: Phase) -> dg.AssetsDefinition:
    """Return the asset of an exit gate: met when every milestone of its phase is accepted."""

    @dg.asset(
        key=milestone_key(phase.id),
        deps=[milestone_key(milestone.id) for milestone in phase.milestones],
        group_name="milestones",
        owners=OWNERS,
        kinds={"markdown"},
        description=f"Exit gate of {phase.id}, {phase.title}: met when all its milestones are accepted.",
    )
    def gate() -> dg.MaterializeResult:  # type: ignore[type-arg]
        place = Place.from_environment(PROJECT_ROOT)
        found = next(g for g in gates(place, load_registry()) if g.phase.id == phase.id)
        return dg.MaterializeResult(
            metadata={"met": found.met, "accepted": len(found.accepted), "open": list(found.open)}
        )

    return gate


def _roles(milestone: Milestone) -> str:
    if milestone.specification is None:
        return "Its criteria are not yet set."
    return f"Accountable: {milestone.specification.accountable.replace('_', ' ')}."
