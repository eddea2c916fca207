"""The pages of P4.M1, from the methods, gates and checks, and the samples of P5.M3, from what a home has explained."""

from __future__ import annotations

import json

import polars as pl

from golden_core.checks.check import Check
from golden_core.checks.explanations import SANITY_CHECKS, explanation_checks
from golden_core.interpretability.filing import DOCUMENT, altered_explanations, filed_matrix, identities, place
from golden_core.milestones.documents import render
from golden_core.milestones.evidence import Result
from golden_core.milestones.records import EvidenceError
from golden_core.preparation.catalogue import load_study
from golden_core.reporting.explained import importance_figure
from golden_core.store.lake import Home, hash_bytes, read_json, read_table, shipped
from golden_core.store.markdown import markdown_table
from golden_core.store.schema import ATTRIBUTIONS

FOLDER = shipped("interpretability")
SCHEMA = FOLDER / "explanation.schema.json"
ONE_OF_LEGACY = (
    "explanations={forecasters: [v08], series: [EURUSD_h1], seeds: 1, rows: 12, "
    "methods: [integrated_gradients, shap, occlusion, attention]}"
)
# Of a legacy study, whose bars are the user's, `golden explain legacy --as legacy --set …` makes them.
SAMPLED: dict[str, tuple[str, ...]] = {"demo": (), "legacy": (ONE_OF_LEGACY,)}


def specification_pages(home: Home) -> tuple[dict[str, str], tuple[Result, ...]]:
    """Return the deliverables of P4.M1, and what is found for its criteria; a matrix is measured unless it was."""
    from golden_core.interpretability.attribution import BASELINE, METHODS  # noqa: PLC0415  imports torch
    from golden_core.interpretability.testbed import extracted, measure_sanity  # noqa: PLC0415

    filed = filed_matrix(home)
    matrix = filed[0] if filed and filed[1] else measure_sanity(home)[0]
    gates = matrix.filter("decides").unique(["gate"], keep="first", maintain_order=True)
    document = read_json(SCHEMA)["properties"]
    methods = ((f"`{name}`", (m.__doc__ or "").splitlines()[0].removeprefix("Return ")) for name, m in METHODS.items())
    facts = {
        "methods": markdown_table(("method", "what it gives"), methods),
        "baseline": BASELINE,
        "gates": markdown_table(
            ("gate", "passed if", "control, which fails"), gates.select("gate", "threshold", "control").iter_rows()
        ),
        "checks": markdown_table(("check", "what it says"), map(_said, (*_study_checks(), *SANITY_CHECKS))),
        "attributions": markdown_table(
            ("column", "type", "what it is"),
            ((f"`{c.name}`", str(c.dtype), c.description) for c in ATTRIBUTIONS.columns),
        ),
        "document": markdown_table(
            ("field", "what it is"), ((f"`{name}`", said["description"]) for name, said in document.items())
        ),
    }  # fmt: skip
    pages = {
        "interpretability_spec.md": render(FOLDER / "specification.md.jinja", facts),
        "sanity_matrix.csv": matrix.write_csv(),
    }
    digests = {hash_bytes(extracted()) for _ in range(2)}
    entropy = "entropy" in json.dumps(document["gating"]["items"]["else"])
    return pages, (
        Result("extraction_reproducible", f"{len(digests)} of 2 different", "1", len(digests) == 1),
        Result("artifacts_have_a_schema", f"{len(document)} fields", "with the entropy of gates", entropy),
    )


def sample_pages(home: Home) -> tuple[dict[str, bytes | str], Result]:
    """Return the samples of P5.M3: a document, a table and a picture of every first seed, and whether all is sound.

    Raises
    ------
    EvidenceError
        If this home has no explanation of one of the studies.
    """
    pages: dict[str, bytes | str] = {}
    faults, missing = list[str](), list[str]()
    for name, overrides in SAMPLED.items():
        study = load_study(name, overrides)
        found = {t: place(home, study, t, i) for t, (_, i) in identities(home, study).items() if t.seed == 0}
        done = {trial: folder for trial, folder in found.items() if folder.is_dir()}
        missing += [] if done else [name]
        faults += altered_explanations(home, study)[0] if done else []
        for trial, folder in done.items():
            stem = f"samples/{name}_{trial.forecaster}_{trial.series}"
            pages[f"{stem}.json"] = (folder / DOCUMENT).read_text(encoding="utf-8")
            for path in sorted(folder.glob("*.parquet")):
                pages[f"{stem}_{path.name}"] = path.read_bytes()
            shares = read_table(home.study(name).explained("importances.parquet"))
            pages[f"{stem}.png"] = importance_figure(shares.filter(pl.col("forecaster") == trial.forecaster))
            faults += [
                f"{trial}, {method}: reported, with a test that fails"
                for method, said in read_json(folder / DOCUMENT)["methods"].items()
                if said["reported"] and said["reason"]
            ]
    if missing:
        commands = ["golden run demo", f"golden explain legacy --as legacy --set '{ONE_OF_LEGACY}'"]
        raise EvidenceError(
            f"P5.M3: nothing of {', '.join(missing)} is explained in this home; after `golden run legacy` on bars of "
            f"yours, these do it: {'; '.join(commands)}"
        )
    said = "; ".join(faults) or f"{len(pages)} files as written"
    return pages, Result("perturbations_passed", said, "as written, nothing reported that fails", not faults)


def _study_checks() -> tuple[Check, ...]:
    return explanation_checks(load_study("demo"))


def _said(check: Check) -> tuple[str, str]:
    return f"`{check.asset}: {check.name}`", check.says
