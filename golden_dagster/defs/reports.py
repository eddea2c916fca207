"""What people read: leaderboard, comparisons and the report, all of them queries of the warehouse."""

from typing import Any

import dagster as dg
import pandas as pd
import polars as pl

from golden_core.store.schema import COMPARISONS
from golden_core.store.warehouse import Warehouse
from golden_core.study import Study
from golden_dagster.lib.assets import asset
from golden_dagster.lib.automation import WORKING_DAYS, keep_current
from golden_dagster.lib.checks import recorded_verdicts
from golden_dagster.lib.metadata import spec_metadata, table_value
from golden_dagster.lib.published import (
    ComparisonsFrame,
    LeaderboardFrame,
    comparisons_origin,
    leaderboard_origin,
    located,
    published_frame,
    published_path,
)
from golden_dagster.resources import StudyResource


def definitions(study: Study) -> dg.Definitions:
    """Return the published tables and the report of a study."""
    return dg.Definitions(assets=[_leaderboard(study), _comparisons(study), _report()])


def _leaderboard(study: Study) -> dg.AssetsDefinition:
    @asset(
        "leaderboard",
        "One row per forecaster, averaged over series: skill against the random walk with its interval.",
        "golden_core.reporting.tables",
        group="reports",
        kinds=("duckdb", "pandas"),
        deps=["metrics"],
        automation_condition=keep_current(),
        dagster_type=LeaderboardFrame,
        metadata={"study": study.name},
    )
    def leaderboard(study: StudyResource) -> dg.Output[pd.DataFrame]:
        from golden_core.reporting import leaderboard as scores

        loaded = study.load()
        table = scores(Warehouse(study.home.warehouse), loaded.name, significance=loaded.evaluation.significance).frame
        shown = table_value(table)
        path = published_path(loaded.name, dg.AssetKey("leaderboard"))
        metadata: dict[str, Any] = {
            "study": loaded.name,
            "dagster/row_count": table.height,
            "dagster/column_schema": shown.schema,
            "leaderboard": shown,
            **located("published.leaderboard", path, leaderboard_origin(table.columns)),
        }
        return dg.Output(published_frame(table), metadata=metadata)

    return leaderboard


def _comparisons(study: Study) -> dg.AssetsDefinition:
    @asset(
        "comparisons",
        "Diebold–Mariano tests of every forecaster against the random walk, Holm-adjusted within a level.",
        "golden_core.evaluation.comparisons",
        group="reports",
        kinds=("duckdb", "pandas"),
        deps=["metrics"],
        automation_condition=keep_current(),
        dagster_type=ComparisonsFrame,
        metadata={"study": study.name, **spec_metadata(COMPARISONS)},
    )
    def comparisons(study: StudyResource) -> dg.Output[pd.DataFrame]:
        loaded = study.load()
        table = Warehouse(study.home.warehouse).query(
            "SELECT * FROM comparisons WHERE study = ? ORDER BY level, forecaster, pair, horizon, seed", [loaded.name]
        )
        ensemble = table.filter(pl.col("level") == "ensemble").drop("study", "benchmark", "level", "seed")
        metadata: dict[str, Any] = {
            "study": loaded.name,
            "dagster/row_count": table.height,
            "ensembles": table_value(ensemble),
            **located("warehouse.main.comparisons", study.home.warehouse, comparisons_origin(loaded)),
        }
        return dg.Output(published_frame(table), metadata=metadata)

    return comparisons


def _report() -> dg.AssetsDefinition:
    @asset(
        "report",
        "One self-contained page, with its tables as LaTeX and CSV beside it, the leaderboard as Markdown too.",
        "golden_core.reporting.pages",
        group="reports",
        kinds=("html",),
        deps=["leaderboard", "comparisons"],
        op_tags={"dagster/priority": "-1"},  # after the checks of the same run: the page shows what they said
        automation_condition=keep_current(),
        freshness_policy=WORKING_DAYS,
    )
    def report(context: dg.AssetExecutionContext, study: StudyResource) -> dg.MaterializeResult[None]:
        from golden_core.benchmarking.records import last_runs
        from golden_core.evaluation.campaign import report_provenance
        from golden_core.reporting import write_report
        from golden_core.reporting.benchmarks import write_benchmarks

        loaded = study.load()
        warehouse = Warehouse(study.home.warehouse)
        folder = study.home.report(loaded.name)
        judged = recorded_verdicts(context.instance, loaded)
        # First: the report lists what was timed, a new warehouse has forgotten it.
        if last_runs(study.home, loaded.name):
            write_benchmarks(study.home, loaded)
        written = write_report(warehouse, loaded, folder, report_provenance(study.home, loaded), judged)
        return dg.MaterializeResult(
            metadata={
                "headline": written.headline,
                "checks": str(judged),
                "page": dg.MetadataValue.path(str(folder / "index.html")),
                "files": [str(path) for path in written.files],
            }
        )

    return report
