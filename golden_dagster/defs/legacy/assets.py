"""Assets about the legacy experiments; none of them depends on a study."""

import dagster as dg
import polars as pl

from golden_core.models.architecture import VARIANTS
from golden_core.store.lake import Home, write_json, write_text
from golden_dagster.lib.metadata import OWNERS, findings_value, spec_metadata, table_value
from golden_dagster.lib.versions import code_version
from golden_dagster.resources import LegacyResource, WorkersResource

SNAPSHOT = dg.AssetKey(["legacy", "snapshot"])


@dg.asset(
    key=SNAPSHOT,
    code_version=code_version("golden_core.legacy.scanning"),
    group_name="legacy",
    owners=OWNERS,
    kinds={"python"},
    description=(
        "Every file of the ten legacy versions with SHA-256, size and lines, and what their code does: read as text, "
        "never imported. From the tree that GOLDEN_LEGACY_TREE names, or from the frozen facts."
    ),
)
def legacy_snapshot(legacy: LegacyResource) -> dg.MaterializeResult:  # type: ignore[type-arg]
    """Record all versions; partitions would be what "Materialize all" asks about first."""
    inventory = legacy.inventory()
    files = pl.DataFrame(
        [(f.version, f.path, f.kind, f.bytes, f.lines, f.sha256) for f in inventory.files],
        schema=["version", "path", "kind", "bytes", "lines", "sha256"],
        orient="row",
    )
    versions = files.group_by("version", maintain_order=True).agg(
        pl.len().alias("files"), pl.col("bytes", "lines").sum()
    )
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": files.height,
            "source": inventory.source,
            "versions": table_value(versions),
            "files": table_value(files, rows=files.height),
        }
    )


@dg.asset(
    key=["legacy", "published_audit"],
    code_version=code_version("golden_core.legacy.reproduction.published", "golden_core.legacy.audit.auditing"),
    group_name="legacy",
    owners=OWNERS,
    kinds={"python"},
    description="Identities that any published error table must satisfy, held against the legacy paper's own table.",
)
def published_audit() -> dg.MaterializeResult:  # type: ignore[type-arg]
    """Audit the published table, its headline claims and the splits of its rows."""
    from golden_core.legacy.audit.auditing import audit_markdown, audit_record
    from golden_core.legacy.reproduction.published import published_audit as audited

    audit = audited()
    folder = Home.from_environment().root / "legacy"
    write_json(audit_record(audit), folder / "published_audit.json")
    write_text(audit_markdown(audit), folder / "published_audit.md")
    rulings = pl.DataFrame(
        [(ruling.claim.text, "falls" if ruling.falls else "not refuted", ruling.sentence) for ruling in audit.rulings],
        schema=["claim", "verdict", "why"],
        orient="row",
    )
    return dg.MaterializeResult(
        metadata={
            "certainly_wrong": len(audit.found("certainly_wrong")),
            "different_test_sets": len(audit.found("different_test_sets")),
            "splits": audit.explanation.sentence if audit.explanation else "",
            "claims": table_value(rulings),
            "audit": dg.MetadataValue.md(audit_markdown(audit)),
        }
    )


@dg.asset(
    key=["legacy", "forensics"],
    code_version=code_version("golden_core.legacy.flow.picture", "golden_core.legacy.risks"),
    group_name="legacy",
    owners=OWNERS,
    kinds={"python"},
    description="The leakage register, every risk shown on data by its probe, and a data-flow picture per version.",
)
def forensics() -> dg.MaterializeResult:  # type: ignore[type-arg]
    """Run every probe and draw every version."""
    from golden_core.legacy.flow.graph import flow_source
    from golden_core.legacy.flow.picture import flow_svg
    from golden_core.legacy.forensics.register import leakage_register_csv

    folder = Home.from_environment().root / "legacy"
    register = leakage_register_csv()
    write_text(register, folder / "leakage_register.csv")
    for variant in VARIANTS:
        write_text(flow_svg(variant), folder / "flow" / f"{variant}.svg")
        write_text(flow_source(variant), folder / "flow" / f"{variant}.dot")
    table = pl.read_csv(register.encode(), infer_schema=False)
    return dg.MaterializeResult(metadata={"dagster/row_count": table.height, "register": table_value(table)})


ALIGNMENT_KEY = dg.AssetKey(["legacy", "alignment"])


@dg.asset(
    key=ALIGNMENT_KEY,
    code_version=code_version("golden_core.legacy.reproduction.running"),
    group_name="legacy",
    owners=OWNERS,
    kinds={"torch", "polars"},
    description=(
        "Published against ours per variant, on the bars that GOLDEN_LEGACY_BARS names: mean and spread over seeds, "
        "verdict, the category of a deviation with the experiment that supports it, and the random walk on the same "
        "rows. Ten variants and five seeds: data/studies/legacy.yaml says what settings cost."
    ),
)
def alignment(
    context: dg.AssetExecutionContext, legacy: LegacyResource, workers: WorkersResource
) -> dg.MaterializeResult:  # type: ignore[type-arg]
    """Run what is missing, and hold the record against it."""
    from golden_core.legacy.reproduction.alignment import ALIGNMENT
    from golden_core.legacy.reproduction.pages import store_validation, what_follows
    from golden_core.legacy.reproduction.running import carry_out

    if legacy.request is None:
        raise dg.Failure(
            "there are no bars to align with the record: set GOLDEN_LEGACY_BARS, or the resource's `bars`, to a file "
            "of hourly EURUSD bid bars",
            allow_retries=False,
        )
    home = Home.from_environment()
    found = carry_out(
        home,
        legacy.request,
        backend=workers.backend,
        workers=workers.count,
        on_outcome=lambda outcome: context.log.info(f"{outcome.trial}: {outcome.status}"),
    )
    store_validation(found, home.root / "legacy" / "alignment")
    failures = [failure for run in found.runs for failure in run.failures]
    shown = found.alignment.table.filter(pl.col("metric") == "rmse").drop("metric", "targets", "variance")
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": found.alignment.table.height,
            **spec_metadata(ALIGNMENT),
            "window": found.window.verdict,
            "failed_trials": findings_value(failures, title="failed trial"),
            "rmse": table_value(shown),
            "what_follows": dg.MetadataValue.md("\n".join(f"- {s}" for s in what_follows(found.alignment))),
        }
    )
