"""Asset of data quality: tables, picture and data card of all pairs; what is measured is in golden_core."""

import dagster as dg
import polars as pl

from golden_core.bars.card import data_card
from golden_core.bars.crosschecks import parity
from golden_core.bars.quality import quality_table
from golden_core.preparation import prepare_quality
from golden_core.store.schema import QUALITY
from golden_dagster.lib.automation import keep_current
from golden_dagster.lib.metadata import OWNERS, spec_metadata, table_value
from golden_dagster.lib.pictures import quality_picture
from golden_dagster.lib.versions import code_version
from golden_dagster.resources import StudyResource


@dg.asset(
    name="data_quality",
    group_name="data",
    owners=OWNERS,
    kinds={"polars", "markdown"},
    deps=["clean_bars"],
    automation_condition=keep_current(),
    metadata=spec_metadata(QUALITY),
    code_version=code_version(quality_table, parity, data_card),
    description=(
        "What the bars are worth, by pair and month: expected, missing, repaired, quarantined and flat ones, the "
        "longest gap; triangular parity between pairs; and the data card."
    ),
)
def data_quality(study: StudyResource) -> dg.MaterializeResult[None]:
    """Measure the clean bars of every pair."""
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
