"""The scorecard of the leakage probes; it depends on no study."""

import dagster as dg
import polars as pl

from golden_core.store.lake import Home, shipped_hashes
from golden_core.study import Study
from golden_dagster.lib.assets import asset
from golden_dagster.lib.metadata import table_value
from golden_dagster.resources import WorkersResource


@asset(
    "leakage/scorecard",
    "Every planted leak of the corpus before the probes, with who caught it and whether its place was named, and "
    "the false alarms on honest pipelines. Minutes of computing.",
    "golden_core.leakage.scorecard",
    settings=shipped_hashes("leakage"),
)
def leakage_scorecard(workers: WorkersResource) -> dg.MaterializeResult[None]:
    """Examine everything and file the result."""
    from golden_core.leakage.scorecard import read_settings, scorecard
    from golden_core.leakage.scorecard_store import by_kind, file_scorecard, probes_and_leaks, rates

    made_by = probes_and_leaks()
    rows = scorecard(read_settings(), backend=workers.local, workers=workers.count)
    folder = file_scorecard(Home.from_environment(), rows, made_by)
    kinds = by_kind(rows)
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": rows.height,
            "folder": dg.MetadataValue.path(folder),
            "cpu_seconds": round(float(rows["cpu_seconds"].sum()), 1),
            "rates": table_value(pl.DataFrame([{"of": name, "rate": str(rate)} for name, rate in rates(rows).items()])),
            "scorecard": table_value(kinds, rows=kinds.height),
        }
    )


def definitions(_study: Study) -> dg.Definitions:
    """Return the scorecard; the same for every study."""
    return dg.Definitions(assets=[leakage_scorecard])
