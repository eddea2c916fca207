"""The fan-in: every trial of a study into DuckDB, in one transaction by one writer; it depends on every model."""

import dagster as dg

from golden_core.store.schema import METRICS
from golden_core.study import Study
from golden_dagster.lib.assets import asset
from golden_dagster.lib.automation import gather_current
from golden_dagster.lib.checks import require_inputs
from golden_dagster.lib.metadata import flat, spec_metadata, table_value
from golden_dagster.lib.published import located, metrics_origin
from golden_dagster.resources import StudyResource


def definitions(study: Study) -> dg.Definitions:
    """Return the asset ``metrics`` of a study, the only writer of the warehouse."""

    @asset(
        "metrics",
        "Trials, folds, forecasts, metrics, summary and comparisons of the study, loaded into the warehouse in one "
        "transaction. Verifies folds and forecasts itself, and reports how many of the study's trials it found.",
        "golden_core.evaluation.campaign",
        kinds=("duckdb", "polars"),
        deps=[
            *(dg.AssetKey(["models", name]) for name in sorted(study.forecasters)),
            *(["explanations"] if study.explanations else []),
        ],
        pool="duckdb",
        automation_condition=gather_current(),
        metadata=spec_metadata(METRICS),
        settings=study.hash(),
    )
    def metrics(study: StudyResource) -> dg.MaterializeResult[None]:
        from golden_core.evaluation.campaign import evaluate

        loaded = study.load()
        require_inputs(study.home, loaded, f"study {loaded.name!r} is not evaluated")
        evaluated = evaluate(study.home, loaded)
        return dg.MaterializeResult(
            data_version=dg.DataVersion(evaluated.identity),
            metadata=flat(
                {
                    "dagster/row_count": evaluated.rows["metrics"],
                    "trials": f"{evaluated.present} of {evaluated.expected}",
                    "coverage": round(evaluated.present / evaluated.expected, 4),
                    "failed": evaluated.failed,
                    "rows": evaluated.rows,
                    "skill_against_the_random_walk": table_value(evaluated.skill),
                    "warehouse": dg.MetadataValue.path(str(study.home.warehouse)),
                    **located("warehouse.main.metrics", study.home.warehouse, metrics_origin(loaded)),
                }
            ),
        )

    return dg.Definitions(assets=[metrics])
