"""How each milestone's deliverables are made: one function per milestone, listed at the end."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from golden_core.lake import PROJECT_ROOT
from golden_core.legacy.audit import (
    SplitHypothesis,
    audit_markdown,
    audit_record,
    audit_table,
    read_claims,
)
from golden_core.legacy.flow import flow_source, flow_svg
from golden_core.legacy.forensics.differences import differences_csv
from golden_core.legacy.forensics.questions import open_questions_markdown
from golden_core.legacy.forensics.register import leakage_register_csv
from golden_core.legacy.frozen import frozen_checksums, frozen_inventory
from golden_core.legacy.inventory_pages import inventory_json, inventory_markdown, sha256sums
from golden_core.legacy.scanning import scan_tree
from golden_core.legacy.verification import verify_tree
from golden_core.milestones.commands import run_command
from golden_core.milestones.evidence import Result, Written, declared_inputs, write_evidence
from golden_core.milestones.migration import load_plan, plan_results
from golden_core.milestones.migration_pages import migration_deliverables
from golden_core.milestones.place import Place
from golden_core.milestones.records import EvidenceError
from golden_core.milestones.registry import Milestone
from golden_core.models.legacy import VARIANTS

FACTS = PROJECT_ROOT / "data" / "legacy"
COMMAND_SECONDS = 900.0

# The two protocols of the legacy code: shares per version, rows of its file, and the window's first rows.
SPLITS = SplitHypothesis(default="96/2/2", rows={"v_01": "94/3/3"}, n_rows=94_390, lost_rows=3)


@dataclass(frozen=True)
class Made:
    """Deliverables by name, what was found for machine criteria, and inputs beside the declared ones."""

    deliverables: dict[str, str]
    results: tuple[Result, ...]
    inputs: tuple[Path, ...] = ()


def make_evidence(
    place: Place, milestone: Milestone, *, tree: Path | None, now: datetime.datetime, run_commands: bool
) -> Written:
    """Make the deliverables of a milestone, evaluate its machine criteria, and write its evidence.

    Parameters
    ----------
    place : Place
    milestone : Milestone
    tree : Path or None
        A legacy tree, for the milestones that take stock of one.
    now : datetime
        With a time zone.
    run_commands : bool
        Run the commands that decide criteria; without them those criteria are recorded as unmeasured.

    Raises
    ------
    EvidenceError
        If this milestone has no maker yet.
    """
    if milestone.id not in MAKERS:
        raise EvidenceError(f"{milestone.id} has no evidence to write yet; there is some for {', '.join(MAKERS)}")
    made = MAKERS[milestone.id](place, tree)
    results = [*made.results, *(_commands(place, milestone) if run_commands else ())]
    command = ["golden", "milestones", "write", milestone.id, "--no-commands"]
    if tree is not None:
        command += ["--tree", str(tree)]
    inputs = [*declared_inputs(place, milestone), *made.inputs]
    return write_evidence(place, milestone, made.deliverables, inputs=inputs, command=command, results=results, now=now)


def _commands(place: Place, milestone: Milestone) -> Sequence[Result]:
    asked = [criterion for criterion in milestone.criteria if criterion.command is not None]
    return [run_command(criterion, place.repository, timeout_s=COMMAND_SECONDS) for criterion in asked]


def _inventory(_place: Place, tree: Path | None) -> Made:
    inventory = scan_tree(tree) if tree else frozen_inventory()
    deliverables = {
        "legacy_inventory.md": inventory_markdown(inventory),
        "legacy_inventory.json": inventory_json(inventory),
        "checksums.csv": sha256sums(inventory),
    }
    if tree is None:  # the criterion is about a tree, and nobody has looked at one
        return Made(deliverables, ())
    found = verify_tree(inventory, frozen_checksums())
    different = len(found.changed) + len(found.missing) + len(found.extra)
    result = Result("tree_equals_frozen_checksums", different, "0 files differ", found.exact)
    return Made(deliverables, (result,), (tree,))


def _forensics(_place: Place, _tree: Path | None) -> Made:
    audit = audit_table(
        FACTS / "published_results.csv", claims=read_claims(FACTS / "published_claims.csv"), splits=SPLITS
    )
    register = leakage_register_csv()
    probed = pl.read_csv(register.encode(), infer_schema=False)
    # A practice recorded as sound shows nothing, every other one shows its risk.
    behaving = probed.filter((pl.col("shown") == "yes") == (pl.col("status") != "sound")).height
    return Made(
        {
            **{f"data_flow/{variant}.svg": flow_svg(variant) for variant in VARIANTS},
            **{f"data_flow/{variant}.dot": flow_source(variant) for variant in VARIANTS},
            "leakage_register.csv": register,
            "open_questions.md": open_questions_markdown(),
            "paper_versus_code.csv": differences_csv(),
            "published_audit.md": audit_markdown(audit),
            "published_audit.json": json.dumps(audit_record(audit), indent=2, ensure_ascii=False) + "\n",
        },
        (Result("every_probe_shows_its_risk", f"{behaving} of {probed.height}", "all", behaving == probed.height),),
    )


def _migration(place: Place, _tree: Path | None) -> Made:
    plan, checksums = load_plan(), frozen_checksums()
    deliverables = migration_deliverables(plan, checksums, place.repository)
    return Made(deliverables, plan_results(plan, checksums, place.repository))


MAKERS: dict[str, Callable[[Place, Path | None], Made]] = {
    "P0.M1": _inventory,
    "P0.M2": _forensics,
    "P1.M2": _migration,
}
