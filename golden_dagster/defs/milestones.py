"""The plan: an asset per milestone and per exit gate, with their checks, and the requirements; the same for all."""

import datetime
from collections.abc import Iterator

import dagster as dg
import polars as pl

from golden_core.milestones.place import Place
from golden_core.milestones.registry import Milestone, Phase, load_registry
from golden_core.milestones.requirements import COLUMNS, load_requirements, requirement_faults, requirement_rows
from golden_core.milestones.state import CriterionStanding, GateStanding, Standing, gate_standing, standing
from golden_core.store.lake import shipped_hashes, workplace
from golden_core.study import Study
from golden_dagster.lib.assets import asset
from golden_dagster.lib.metadata import findings_value, table_value
from golden_dagster.resources import LegacyResource


def definitions(_study: Study) -> dg.Definitions:
    """Return one asset per milestone and one per exit gate, with their checks."""
    phases = load_registry().phases
    milestones = [milestone for phase in phases for milestone in phase.milestones]
    checks = [check for milestone in milestones for check in milestone_checks(milestone)]
    return dg.Definitions(
        assets=[requirements, *map(milestone_asset, milestones), *map(gate_asset, phases)],
        asset_checks=[*checks, *map(gate_check, phases)],
    )


def milestone_key(identity: str) -> dg.AssetKey:
    """Return the key of a milestone or a gate: ``milestones/P0_M1``, ``milestones/P0``."""
    return dg.AssetKey(["milestones", identity.replace(".", "_")])


def milestone_asset(milestone: Milestone) -> dg.AssetsDefinition:
    """Return the asset of a milestone: it writes the evidence where it knows how to, and says where it stands."""

    @asset(
        milestone_key(milestone.id).to_user_string(),
        f"{milestone.id} {milestone.title}. {_described(milestone)}",
        standing,
        kinds=("markdown",),
        deps=_judged_assets(milestone),
    )
    def evidence(legacy: LegacyResource) -> dg.MaterializeResult[None]:
        from golden_core.milestones.makers import makable, make_evidence

        place = Place.of_checkout(workplace())
        if makable(milestone, legacy.given):
            now = datetime.datetime.now(datetime.UTC)
            make_evidence(place, milestone, given=legacy.given, now=now, run_commands=True)
        found = standing(place, milestone)
        criteria = pl.DataFrame(
            [(c.id, c.claim, c.decided_by, c.verdict, str(c.value or "")) for c in found.criteria],
            schema=["criterion", "claim", "decided_by", "verdict", "value"],
            orient="row",
        )
        return dg.MaterializeResult(
            metadata={
                "state": found.state,
                "owner": found.owner or "none yet",
                "criteria": table_value(criteria),
                "criteria_met": found.count("pass"),
                "waits_for": findings_value(list(found.waits_for())),
                "findings": findings_value(list(map(str, found.findings))),
            }
        )

    return evidence


def milestone_checks(milestone: Milestone) -> list[dg.AssetChecksDefinition]:
    """Return a check for every criterion, except those that a check of another asset decides; all in one step.

    Where a milestone stands is found once for all of them, and a step of Dagster's costs more than to look.
    """
    key = milestone_key(milestone.id)
    own = f"{key.to_user_string()}:"
    names = {c.id: (c.check or f"{own}{c.id}") for c in milestone.criteria}
    names = {criterion: name.removeprefix(own) for criterion, name in names.items() if name.startswith(own)}
    if not names:
        return []

    @dg.multi_asset_check(
        name=f"{key.path[-1]}_criteria",
        specs=[
            dg.AssetCheckSpec(name, asset=key, description=milestone.criterion(criterion).claim)
            for criterion, name in names.items()
        ],
        can_subset=True,
    )
    def recorded(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
        where = standing(Place.from_environment(workplace()), milestone)
        selected = {check.name for check in context.selected_asset_check_keys}
        for criterion in where.criteria:
            if names.get(criterion.id) in selected:
                yield _said(where, criterion)._replace(check_name=names[criterion.id])

    return [recorded]


def _said(where: Standing, found: CriterionStanding) -> dg.AssetCheckResult:
    measured = "" if found.value is None else f"{found.value}, expected {found.threshold}"
    why = f": {where.findings[0]}" if where.findings else ""
    said = {"pass": measured or "pass", "fail": f"fails: {measured}"}.get(found.verdict, f"{found.verdict}{why}")
    # Where the project stands does not say whether a study may be trusted: it closes the gate of its phase, and
    # only warns at the gate of a study. What nobody has measured yet is no failure, and no success either.
    return _warning(said, passed=found.verdict == "pass")


def gate_check(phase: Phase) -> dg.AssetChecksDefinition:
    """Return the check that an exit gate is met."""

    @dg.asset_check(
        asset=milestone_key(phase.id),
        name="all_milestones_accepted",
        description=f"Every milestone of {phase.id} is accepted, and what its gate asks for is met.",
    )
    def accepted() -> dg.AssetCheckResult:
        found = _standing_of(phase)
        return _warning("met" if found.met else f"open: {', '.join(found.waits_for())}", passed=found.met)

    return accepted


def _warning(said: str, *, passed: bool) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=passed, severity=dg.AssetCheckSeverity.WARN, description=said)


def gate_asset(phase: Phase) -> dg.AssetsDefinition:
    """Return the asset of an exit gate: met when every milestone of its phase is accepted."""

    @asset(
        milestone_key(phase.id).to_user_string(),
        f"Exit gate of {phase.id}, {phase.title}: met when its milestones are accepted, and "
        f"{'; '.join(c.claim for c in phase.criteria)}",
        gate_standing,
        kinds=("markdown",),
        deps=[milestone_key(milestone.id) for milestone in phase.milestones],
    )
    def gate() -> dg.MaterializeResult[None]:
        found = _standing_of(phase)
        return dg.MaterializeResult(metadata={"met": found.met, "waits_for": list(found.waits_for())})

    return gate


@asset(
    "milestones/requirements",
    "What the golden standard requires: artefact, measure, threshold and what decides, row by row.",
    requirement_rows,
    kinds=("yaml",),
    settings=[shipped_hashes("requirements.yaml"), shipped_hashes("milestones")],
)
def requirements() -> dg.MaterializeResult[None]:
    """Show the matrix as a table, and what is not mapped yet."""
    from golden_core.milestones.makers import known_checks

    registry, place, rows = load_registry(), Place.from_environment(workplace()), load_requirements()
    faults = requirement_faults(rows, registry, known_checks(registry), place)
    matrix = pl.DataFrame(requirement_rows(rows, registry), schema=list(COLUMNS), orient="row")
    return dg.MaterializeResult(
        metadata={"requirements": table_value(matrix), "rows": len(rows), "unmapped": findings_value(faults)}
    )


def _standing_of(phase: Phase) -> GateStanding:
    return gate_standing(Place.from_environment(workplace()), load_registry(), phase)


def _judged_assets(milestone: Milestone) -> list[dg.AssetKey]:
    """Return the assets whose checks decide criteria of a milestone."""
    decided = {c.check.partition(":")[0] for c in milestone.criteria if c.check}
    keys = {dg.AssetKey(name.split("/")) for name in decided} - {milestone_key(milestone.id)}
    return sorted(keys)


def _described(milestone: Milestone) -> str:
    supporting = ", ".join(milestone.supporting) or "nobody"
    takes = ", ".join(source.title for source in milestone.inputs)
    gives = ", ".join(deliverable.name for deliverable in milestone.deliverables)
    claims = "\n".join(f"- {c.claim} ({c.decided_by})" for c in milestone.criteria)
    return (
        f"Accountable: {', '.join(milestone.accountable)}; supporting: {supporting}.\n\n"
        f"Takes {takes}; gives {gives}.\n\nAccepted when\n\n{claims}"
    )
