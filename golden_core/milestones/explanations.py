"""The pages of P4.M1, from the methods, gates and checks, and the samples of P5.M3, from what a home has explained."""

from __future__ import annotations

import json

import polars as pl

from golden_core.benchmarking.sampling import full_size
from golden_core.checks.explanations import SANITY_CHECKS, explanation_checks
from golden_core.interpretability.filing import DOCUMENT, altered_explanations, filed_matrix, identities, place
from golden_core.milestones.evidence import Result, render
from golden_core.milestones.records import EvidenceError
from golden_core.preparation.catalogue import load_study, recorded_study
from golden_core.reporting.pictures import as_png, importance_figure
from golden_core.store.lake import Home, hash_bytes, read_json, read_table, shipped
from golden_core.store.markdown import markdown_table
from golden_core.store.schema import ATTRIBUTIONS
from golden_core.store.warehouse import Warehouse

FOLDER = shipped("interpretability")
SCHEMA = FOLDER / "explanation.schema.json"
ONE_OF_LEGACY = (
    "explanations={forecasters: [v08], series: [EURUSD_h1], seeds: 1, rows: 12, "
    "methods: [integrated_gradients, shap, occlusion, attention]}"
)
# In a home as somebody ran them: a legacy study's bars are the user's, and so is what of its training they can afford.
SAMPLED = {
    "demo": ("golden run demo",),
    "legacy": (
        f"golden run legacy --as legacy --set data.settings.paths.EURUSD=FILE --set '{ONE_OF_LEGACY}'",
        f"golden bench inference legacy --forecaster v08 --samples {full_size(0.99)} (the same --as and --set)",
    ),
}
_LATENCIES = """
SELECT study, subject, device, "precision", threads, samples, mean_ms, sd_ms, p50_ms,
       coalesce(p90_ms, p90_bound_ms) AS p90_ms, coalesce(p99_ms, p99_bound_ms) AS p99_ms,
       p99_ms IS NULL AS bounded, machine, "commit"
FROM benchmarks WHERE study = $1 AND scenario = 'single' ORDER BY subject, device, "precision", threads
"""


def specification_pages(home: Home) -> tuple[dict[str, str], tuple[Result, ...]]:
    """Return the deliverables of P4.M1, and what is found for its criteria; a matrix is measured unless it was."""
    from golden_core.interpretability.attribution import BASELINE, METHODS  # noqa: PLC0415  imports torch
    from golden_core.interpretability.testbed import extracted, measure_sanity  # noqa: PLC0415

    filed = filed_matrix(home)
    matrix = filed[0] if filed and filed[1] else measure_sanity(home)[0]
    gates = matrix.filter("decides").unique(["gate"], keep="first", maintain_order=True)
    document = read_json(SCHEMA)["properties"]
    checks = (*explanation_checks(load_study("demo")), *SANITY_CHECKS)
    methods = ((f"`{name}`", (m.__doc__ or "").splitlines()[0].removeprefix("Return ")) for name, m in METHODS.items())
    facts = {
        "methods": markdown_table(("method", "what it gives"), methods),
        "baseline": BASELINE,
        "gates": markdown_table(
            ("gate", "passed if", "control, which fails"), gates.select("gate", "threshold", "control").iter_rows()
        ),
        "checks": markdown_table(("check", "what it says"), ((f"`{c.asset}: {c.name}`", c.says) for c in checks)),
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


def sample_pages(home: Home) -> tuple[dict[str, bytes | str], tuple[Result, ...]]:
    """Return the samples of P5.M3: a document and a picture of every first seed, and what a forecast takes.

    Of bars that are shipped, tables by window too. EvidenceError if this home has no explanation of one of the studies.
    """
    pages: dict[str, bytes | str] = {}
    faults, missing, timed = list[str](), list[str](), list[pl.DataFrame]()
    for name, commands in SAMPLED.items():
        study = recorded_study(home, name)
        found = {t: place(home, study, t, i) for t, (_, i) in identities(home, study).items() if t.seed == 0}
        done = {trial: folder for trial, folder in found.items() if folder.is_dir()}
        if not done:
            missing += commands
            continue
        faults += altered_explanations(home, study)[0]
        timed.append(Warehouse(home.warehouse).query(_LATENCIES, [name]))
        for trial, folder in done.items():
            stem = f"samples/{name}_{trial.forecaster}_{trial.series}"
            pages[f"{stem}.json"] = (folder / DOCUMENT).read_text(encoding="utf-8")
            # What is said of a window adds up to its forecast, and stays with bars that are the user's own.
            if study.data.source != "files":
                pages |= {f"{stem}_{path.name}": path.read_bytes() for path in sorted(folder.glob("*.parquet"))}
            shares = read_table(home.study(name).explained("importances.parquet"))
            looked = importance_figure(shares.filter(pl.col("forecaster") == trial.forecaster))
            pages[f"{stem}.png"] = as_png(looked, 100)
            faults += [
                f"{trial}, {method}: reported, with a test that fails"
                for method, said in read_json(folder / DOCUMENT)["methods"].items()
                if said["reported"] and said["reason"]
            ]
    if missing:
        raise EvidenceError(f"P5.M3: this home lacks what these make: {'; '.join(missing)}")
    latencies = pl.concat(timed)
    pages["samples/latencies.csv"] = latencies.write_csv()
    said = "; ".join(faults) or f"{len(pages)} files as written"
    passed = Result("perturbations_passed", said, "as written, nothing reported that fails", not faults)
    return pages, (passed, _latencies(latencies))


def _latencies(timed: pl.DataFrame) -> Result:
    """Report how many things have every figure; a percentile may be the bound that its sample carries."""
    wanted = ("mean_ms", "sd_ms", "p50_ms", "p90_ms", "p99_ms")
    whole = timed.drop_nulls(wanted)
    value = f"{len(whole)} of {len(timed)} forecasters, {whole.filter('bounded').height} of them with bounds"
    threshold = "all, with mean, deviation, 50th, 90th and 99th percentile or its 99 % bound"
    return Result("latencies_reported", value, threshold, 0 < len(timed) == len(whole))
