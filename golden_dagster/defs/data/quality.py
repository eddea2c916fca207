"""Asset and checks of data quality: tables, picture and data card of all pairs; what is measured is in golden_core."""

import dagster as dg
import polars as pl

from golden_core.bars.card import data_card
from golden_core.bars.cleaning.account import unaccounted
from golden_core.bars.crosschecks import parity
from golden_core.bars.quality import bounds, parity_faults, quality_table, share_faults, summarise
from golden_core.preparation import prepare_quality
from golden_core.store.schema import QUALITY
from golden_core.study import Study
from golden_dagster.lib.checks import verdict
from golden_dagster.lib.metadata import OWNERS, spec_metadata, table_value
from golden_dagster.lib.pictures import quality_picture
from golden_dagster.lib.versions import code_version
from golden_dagster.resources import StudyResource

CLAIMS = {
    "missing": "no_bars_missing",
    "quarantined": "few_rows_quarantined",
    "repaired": "few_rows_repaired",
    "flat": "few_bars_flat",
}


def quality_assets() -> list[dg.AssetsDefinition]:
    """Return the asset `data_quality`."""
    return [_data_quality()]


def quality_checks() -> list[dg.AssetChecksDefinition]:
    """Return the checks of its tables against the study's thresholds."""
    return [*(_share(kind) for kind in CLAIMS), _parity(), _accounted()]


def _data_quality() -> dg.AssetsDefinition:
    @dg.asset(
        name="data_quality",
        group_name="data",
        owners=OWNERS,
        kinds={"polars", "markdown"},
        deps=["clean_bars"],
        metadata=spec_metadata(QUALITY),
        code_version=code_version(quality_table, parity, data_card),
        description=(
            "What the bars are worth, by pair and month: expected, missing, repaired, quarantined and flat ones, the "
            "longest gap; triangular parity between pairs; and the data card."
        ),
    )
    def data_quality(study: StudyResource) -> dg.MaterializeResult[None]:
        loaded = study.load()
        found = prepare_quality(study.home, loaded)
        failed = [judged.claim for judged in found.verdicts if judged.passed is False]
        faulty = found.months.filter(pl.sum_horizontal("missing", "repaired", "quarantined") > 0)
        return dg.MaterializeResult(
            data_version=dg.DataVersion(found.hash),
            metadata={
                "dagster/row_count": found.months.height,
                "verdict": "fails: " + ", ".join(failed) if failed else "passes",
                "pairs": table_value(found.summary),
                "months_with_a_fault": table_value(faulty),
                "gaps": table_value(found.gaps.sort("bars", descending=True)),
                "parity": table_value(found.parity.table, digits=9),
                "picture": quality_picture(found.months),
                "card": dg.MetadataValue.md(found.card),
                "card_file": dg.MetadataValue.path(str(study.home.study(loaded.name).card)),
            },
        )

    return data_quality


def _share(kind: str) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset="data_quality",
        name=CLAIMS[kind],
        description=f"In no pair is the share of {kind} rows above the study's `checks.max_{kind}_share`.",
    )
    def share(study: StudyResource) -> dg.AssetCheckResult:
        loaded = study.load()
        summary = summarise(_table(study, loaded, "quality"))
        found = share_faults(summary, kind, bounds(loaded.checks)[kind])
        return verdict(found, examined=summary.height, unit="pairs")

    return share


def _parity() -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset="data_quality",
        name="triangles_agree",
        description="In no triangle of pairs are more bars off parity than the study's `checks.max_parity_share`.",
    )
    def triangles_agree(study: StudyResource) -> dg.AssetCheckResult:
        loaded = study.load()
        table = _table(study, loaded, "parity")
        found = parity_faults(table, loaded.checks)
        # Where no three pairs form a triangle, that is what was established.
        return verdict(found, examined=max(table.height, 1), unit="triangles" if table.height else "list of pairs")

    return triangles_agree


def _accounted() -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset="data_quality",
        name="every_row_accounted_for",
        blocking=True,
        description="Clean bars are the kept and repaired rows of the account, and the ledger lists the remarked.",
    )
    def every_row_accounted_for(study: StudyResource) -> dg.AssetCheckResult:
        loaded = study.load()
        folder = study.home.study(loaded.name)
        found, rows = [], 0
        for pair in loaded.data.pairs:
            account, bars, ledger = (
                pl.read_parquet(folder.table(kind, pair)) for kind in ("cleaning", "bars", "ledger")
            )
            found += unaccounted(account, bars, ledger)
            rows += int(account["rows"].sum())
        return verdict(found, examined=rows, unit="raw rows")

    return every_row_accounted_for


def _table(resource: StudyResource, study: Study, name: str) -> pl.DataFrame:
    return pl.read_parquet(resource.home.study(study.name).root / f"{name}.parquet")
