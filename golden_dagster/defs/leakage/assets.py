"""The scorecard of the leakage probes; it depends on no study."""

import dagster as dg
import polars as pl

from golden_core.store.lake import Home
from golden_dagster.lib.metadata import OWNERS, table_value
from golden_dagster.lib.versions import code_version
from golden_dagster.resources import WorkersResource

SCORECARD = dg.AssetKey(["leakage", "scorecard"])


class ScorecardConfig(dg.Config):
    """How much is examined."""

    scale: str = "full"


@dg.asset(
    key=SCORECARD,
    group_name="leakage",
    owners=OWNERS,
    kinds={"python"},
    code_version=code_version("golden_core.leakage.scorecard"),
    description=(
        "Every planted leak of the corpus before the probes, with who caught it and whether its place was named, and "
        "the false alarms on honest pipelines. Minutes of computing at full scale."
    ),
)
def leakage_scorecard(config: ScorecardConfig, workers: WorkersResource) -> dg.MaterializeResult:  # type: ignore[type-arg]
    """Examine everything and file the result."""
    from golden_core.leakage.scorecard import Scale, read_settings, scorecard
    from golden_core.leakage.scorecard_store import by_kind, file_scorecard, rates

    scale: Scale = "quick" if config.scale == "quick" else "full"
    rows = scorecard(read_settings(scale), backend=workers.local, workers=workers.count)
    folder = file_scorecard(Home.from_environment(), rows, scale)
    kinds = by_kind(rows)
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": rows.height,
            "scale": scale,
            "folder": dg.MetadataValue.path(folder),
            "cpu_seconds": round(float(rows["cpu_seconds"].sum()), 1),
            "rates": table_value(pl.DataFrame([{"of": name, "rate": str(rate)} for name, rate in rates(rows).items()])),
            "scorecard": table_value(kinds, rows=kinds.height),
        }
    )
