"""What people read: leaderboard, comparisons and the report, all of them queries of the warehouse."""

from collections.abc import Callable
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
    board = _published(
        study,
        "leaderboard",
        "One row per forecaster, means over series: out-of-sample R² against the random walk, its Student t and "
        "bootstrap limits over seeds, MASE, RMSE in basis points, right directions; series tested, better, worse.",
        "golden_core.reporting.tables",
        LeaderboardFrame,
        _leaderboard,
    )
    tests = _published(
        study,
        "comparisons",
        "Diebold–Mariano tests of every forecaster against the random walk, Holm-adjusted within a level.",
        "golden_core.evaluation.comparisons",
        ComparisonsFrame,
        _comparisons,
        **spec_metadata(COMPARISONS),
    )
    return dg.Definitions(assets=[board, tests, _report()])


def _published(
    study: Study,
    name: str,
    says: str,
    code: str,
    frame: dg.DagsterType,
    made: Callable[[Warehouse, Study], tuple[pl.DataFrame, dict[str, Any]]],
    **described: Any,
) -> dg.AssetsDefinition:
    @asset(
        name,
        says,
        code,
        group="reports",
        kinds=("duckdb", "pandas"),
        deps=["metrics"],
        automation_condition=keep_current(),
        dagster_type=frame,
        metadata={"study": study.name, **described},
    )
    def published(study: StudyResource) -> dg.Output[pd.DataFrame]:
        loaded = study.load()
        table, shown = made(Warehouse(study.home.warehouse), loaded)
        metadata = {"study": loaded.name, "dagster/row_count": table.height, **shown}
        return dg.Output(published_frame(table), metadata=metadata)

    return published


def _leaderboard(warehouse: Warehouse, study: Study) -> tuple[pl.DataFrame, dict[str, Any]]:
    from golden_core.reporting.tables import leaderboard

    table = leaderboard(warehouse, study.name, significance=study.evaluation.significance).frame
    shown, path = table_value(table), published_path(study.name, dg.AssetKey("leaderboard"))
    origin = located("published.leaderboard", path, leaderboard_origin(table.columns))
    return table, {"dagster/column_schema": shown.schema, "leaderboard": shown, **origin}


def _comparisons(warehouse: Warehouse, study: Study) -> tuple[pl.DataFrame, dict[str, Any]]:
    sql = "SELECT * FROM comparisons WHERE study = ? ORDER BY level, forecaster, pair, horizon, seed"
    table = warehouse.query(sql, [study.name])
    ensemble = table.filter(pl.col("level") == "ensemble").drop("study", "benchmark", "level", "seed")
    origin = located("warehouse.main.comparisons", warehouse.path, comparisons_origin(study))
    return table, {"ensembles": table_value(ensemble), **origin}


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
        from golden_core.reporting.benchmarks import write_benchmarks
        from golden_core.reporting.pages import write_report

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
