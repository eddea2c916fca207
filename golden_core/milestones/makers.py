"""How each milestone's deliverables are made: one function per milestone, listed at the end."""

from __future__ import annotations

import datetime
import json
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from golden_core.checks import all_checks
from golden_core.legacy.audit.auditing import audit_markdown, audit_record
from golden_core.legacy.flow.graph import flow_source
from golden_core.legacy.flow.picture import flow_svg
from golden_core.legacy.flow.protocol import PARTS
from golden_core.legacy.frozen import frozen_checksums, frozen_inventory, verify_tree
from golden_core.legacy.inventory import Imports, Inventory
from golden_core.legacy.inventory_pages import inventory_pages
from golden_core.legacy.reproduction.errors import rows_unlike_the_random_walk
from golden_core.legacy.reproduction.pages import record_files
from golden_core.legacy.reproduction.published import published_audit
from golden_core.legacy.reproduction.running import Request, carry_out
from golden_core.legacy.risks import differences_csv, open_questions_markdown
from golden_core.legacy.scanning import scan_tree
from golden_core.milestones import designs, explanations, loader, migration, protocols, suite
from golden_core.milestones.evidence import Result, Written, write_evidence
from golden_core.milestones.place import Place
from golden_core.milestones.records import EvidenceError, Value
from golden_core.milestones.registry import Milestone, Registry, load_registry
from golden_core.milestones.requirements import requirements_pages
from golden_core.models.architecture import VARIANTS
from golden_core.preparation.catalogue import load_study
from golden_core.retrials.table import retrials, retrials_page, retrials_table
from golden_core.store.lake import Home

COMMAND_SECONDS = 900.0
Made = tuple[Mapping[str, str | bytes], Sequence[Result]]  # deliverables by name, what was found for machine criteria


@dataclass(frozen=True)
class Given:
    """What a person has and the project does not: files that some milestones are made from."""

    tree: Path | None = None  # a legacy tree
    request: Request | None = None  # bars to align with the record
    parity: Path | None = None  # Keras checkpoints and what Keras computed with them
    workers: int = 1

    @property
    def arguments(self) -> list[str]:
        """The options of `golden milestones write` that give the same."""
        asked = self.request
        pairs: list[tuple[str, object]] = [("--tree", self.tree), ("--parity", self.parity)]
        if asked:
            pairs += [("--bars", asked.bars), ("--earlier", asked.earlier)]
            pairs += [("--set", override) for override in asked.overrides]
            pairs += [("--experiment", plan) for plan in asked.experiments]
        return [str(part) for option, value in pairs if value is not None for part in (option, value)]


def makable(milestone: Milestone, given: Given) -> bool:
    """Whether the deliverables of a milestone can be made from what the project and the user have."""
    if milestone.id == "P5.M2":
        return suite.experiment_ran(Home.from_environment(), load_study(suite.STUDY))
    if milestone.id in {"P6.M2", "P6.M3"}:
        return suite.suite_ran(Home.from_environment(), suite.suite(Home.from_environment()))
    return milestone.id != "P6.M1" or given.request is not None


def make_evidence(
    place: Place, milestone: Milestone, *, given: Given, now: datetime.datetime, run_commands: bool
) -> Written:
    """Make the deliverables of a milestone, evaluate its machine criteria, and write its evidence.

    Without ``run_commands``, criteria that a command decides are recorded as unmeasured.
    """
    deliverables, found = MAKERS[milestone.id](place, given)
    results = list(found)
    for criterion in milestone.criteria:
        if run_commands and criterion.command is not None:
            try:
                status: Value = place.run(criterion.command, timeout_s=COMMAND_SECONDS)[0]
            except subprocess.TimeoutExpired:
                status = f"longer than {COMMAND_SECONDS:g} s"
            results.append(Result(criterion.id, status, "exit status 0", status == 0))
    command = ["golden", "milestones", "write", milestone.id, "--no-commands", *given.arguments]
    inputs = _inputs(place, milestone, given)
    return write_evidence(place, milestone, deliverables, inputs=inputs, command=command, results=results, now=now)


def _inputs(place: Place, milestone: Milestone, given: Given) -> list[Path]:
    """Return what a milestone is made from beside its declared inputs."""
    bars = given.request.files if given.request else ()
    words = [place.repository / name for name in suite.READ]
    read: dict[str, list[Path | None]] = {"P0.M1": [given.tree], "P6.M1": [*bars, given.parity], "P6.M3": [*words]}
    return [path for path in read.get(milestone.id, []) if path is not None]


def _inventory(_place: Place, given: Given) -> Made:
    tree = given.tree
    inventory = scan_tree(tree) if tree else frozen_inventory()
    deliverables = inventory_pages(inventory)
    versions = inventory.versions
    documented = sum(_documented(inventory, version) for version in versions)
    results = [_all("every_version_documented", documented, len(versions))]
    if tree is None:  # the other criterion is about a tree, and nobody has looked at one
        return deliverables, results
    found = verify_tree(inventory, frozen_checksums())
    different = len(found.changed) + len(found.missing) + len(found.extra)
    results.append(Result("tree_equals_frozen_checksums", different, "0 files differ", found.exact))
    return deliverables, results


def _documented(inventory: Inventory, version: str) -> bool:
    """Whether the scripts of a version have a way to start and known imports."""
    scripts = [script for script in inventory.scripts if script.path.startswith(f"{version}/")]
    return any(script.entry_points for script in scripts) and any(script.imports != Imports() for script in scripts)


def _forensics(_place: Place, _given: Given) -> Made:
    from golden_core.legacy.forensics.register import leakage_register_csv  # noqa: PLC0415  imports torch

    audit = published_audit()
    register = leakage_register_csv()
    sources = {variant: flow_source(variant) for variant in VARIANTS}
    bounded = sum(all(f"cluster_{part}" in source for part in PARTS) for source in sources.values())
    return (
        {
            **{f"data_flow_diagrams/{variant}.svg": flow_svg(variant) for variant in VARIANTS},
            **{f"data_flow_diagrams/{variant}.dot": source for variant, source in sources.items()},
            "leakage_register.csv": register,
            "open_questions.md": open_questions_markdown(),
            "paper_versus_code.csv": differences_csv(),
            "published_audit.md": audit_markdown(audit),
            "published_audit.json": json.dumps(audit_record(audit), indent=2, ensure_ascii=False) + "\n",
        },
        (
            _all("every_version_has_a_diagram", bounded, len(VARIANTS)),
            *_register_results(pl.read_csv(register.encode(), infer_schema=False)),
        ),
    )


def _register_results(register: pl.DataFrame) -> tuple[Result, ...]:
    sound = pl.col("status") == "sound"
    # A practice recorded as sound shows nothing, every other one shows its risk.
    behaving = register.filter((pl.col("shown") == "yes") != sound).height
    annotated = register.filter(pl.col("severity").str.len_chars() > 0, sound | (pl.col("mitigation") != "")).height
    return (
        _all("risks_annotated", annotated, register.height),
        _all("every_probe_shows_its_risk", behaving, register.height),
    )


def _all(criterion: str, count: int, total: int) -> Result:
    """Report a count that is to be everything; nothing is not everything."""
    return Result(criterion, f"{count} of {total}", "all", 0 < count == total)


def known_checks(registry: Registry) -> frozenset[str]:
    """Return ``asset:check`` of every check: of the platform, of the demo, of the plan's own criteria."""
    checks = {f"{one.asset}:{one.name}" for one in all_checks(load_study("demo"))}
    return frozenset(checks | {c.check for m in registry.milestones for c in m.criteria if c.check})


def _migration(place: Place, _given: Given) -> Made:
    plan, checksums = migration.load_plan(), frozen_checksums()
    named = [name for package in plan.packages for name in package.parity_tests]
    tests = loader.existing_tests(place.repository, named)
    return migration.migration_deliverables(plan, checksums), migration.plan_results(plan, checksums, tests)


def _alignment(_place: Place, given: Given) -> Made:
    if given.request is None:
        raise EvidenceError(
            "P6.M1 holds the record against bars of yours: name a file of hourly EURUSD bid bars, --bars"
        )
    validation = carry_out(Home.from_environment(), given.request, backend="loky", workers=given.workers)
    forecasts = pl.concat([run.forecasts for run in validation.runs])
    apart, window = rows_unlike_the_random_walk(forecasts), validation.window
    variance = next(split.variance for split in window.splits if split.of.shares == "96/2/2")
    results = [
        Result("published_window_recovered", variance, "within what the published rows allow", window.recovered),
        Result("random_walk_on_the_same_rows", len(apart), "0 trials on other rows", not apart),
        _speed(),
    ]
    deliverables = record_files(validation)
    compared_variants = set(validation.alignment.table["variant"]) & set(VARIANTS)
    results.append(_all("every_model_validated", len(compared_variants), len(VARIANTS)))
    if given.parity is not None:  # else nobody has compared anything with Keras, and the criteria stay unmeasured
        table, compared = _parity(given.parity)
        deliverables["parity.csv"] = table.write_csv()
        results += compared
    return deliverables, results


def _parity(folder: Path) -> tuple[pl.DataFrame, list[Result]]:
    """Report every claim of a criterion by its largest difference; variants that nobody compared are named by count."""
    from golden_core.legacy.parity import AFTER_STEPS, LIMITS, LOSSES, OUTPUTS, parity  # noqa: PLC0415  imports torch

    table = parity(folder)
    compared = {"output_parity": [OUTPUTS], "training_parity": [LOSSES, AFTER_STEPS]}
    return table, [
        _largest(table, criterion, {claim: LIMITS[claim] for claim in claims}) for criterion, claims in compared.items()
    ]


def _largest(table: pl.DataFrame, criterion: str, limits: dict[str, float]) -> Result:
    rows = table.filter(pl.col("claim").is_in(list(limits)))
    worst = rows.group_by("claim", maintain_order=True).agg(pl.col("difference").max())
    value = "; ".join(f"{claim} {difference:.2e}" for claim, difference in worst.rows())
    threshold = "; ".join(f"{claim} {limit:g}" for claim, limit in limits.items())
    shown = f"{value or 'nothing compared'} ({rows['variant'].n_unique()} of {len(VARIANTS)} variants)"
    return Result(criterion, shown, threshold, rows.height > 0 and bool(rows["met"].all()))


def _speed() -> Result:
    from golden_core.benchmarking import training  # noqa: PLC0415  imports torch

    found = training.measure("v08", batch_size=5000, threads=[1, 2], steps=9, note=lambda _: None)
    slowest = min(one.ratio for one in found)
    return Result("training_speed", round(slowest, 2), f"{training.REQUIRED:g} at least", slowest >= training.REQUIRED)


def _suite(place: Place, _given: Given) -> Made:
    """Return the suite's report and appendices, its placebo, and the retrials, which are studies of their own."""
    home = Home.from_environment()
    pages, results = suite.suite_pages(place, home, suite.suite(home))
    found = retrials_table(home, retrials())
    retried = {"retrials.csv": found.write_csv(), "retrials.md": retrials_page(found)}
    silent, counted = suite.placebo_pages(home)
    return {**pages, **silent, **retried}, (*results, *counted)


MAKERS: dict[str, Callable[[Place, Given], Made]] = {
    "P0.M1": _inventory,
    "P0.M2": _forensics,
    "P1.M1": lambda place, _: requirements_pages(load_registry(), known_checks(load_registry()), place),
    "P1.M2": _migration,
    "P2.M1": lambda *_: designs.configuration_pages(),
    "P2.M2": lambda place, given: loader.loader_pages(place, given.workers),
    "P3.M1": lambda *_: designs.orchestrator_pages(),
    "P3.M2": lambda *_: protocols.protocol_pages(Home.from_environment()),
    "P4.M1": lambda *_: explanations.specification_pages(Home.from_environment()),
    "P4.M2": lambda *_: protocols.benchmark_pages(),
    "P5.M1": lambda place, _: designs.usage_page(place),
    "P5.M2": lambda place, _: suite.experiment_pages(place, Home.from_environment(), load_study(suite.STUDY)),
    "P5.M3": lambda *_: explanations.sample_pages(Home.from_environment()),
    "P6.M1": _alignment,
    "P6.M2": _suite,
    "P6.M3": lambda place, _: (suite.publication_pages(place, home := Home.from_environment(), suite.suite(home)), ()),
}
