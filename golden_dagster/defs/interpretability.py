"""Explanations of the networks that a study names, and the sanity matrix of the methods, which depends on no study."""

import dagster as dg
import polars as pl

from golden_core.store.lake import Home
from golden_core.store.schema import EXPLANATIONS
from golden_core.study import Study
from golden_core.study.sections import ExplanationsSection
from golden_dagster.lib.assets import asset
from golden_dagster.lib.metadata import picture_value, spec_metadata, table_value
from golden_dagster.resources import StudyResource, WorkersResource


def definitions(study: Study) -> dg.Definitions:
    """Return the sanity matrix, and the explanations of a study that names some."""
    asked = [_explanations(study.explanations)] if study.explanations else []
    return dg.Definitions(assets=[interpretability_sanity, *asked])


def _explanations(asked: ExplanationsSection) -> dg.AssetsDefinition:
    @asset(
        "explanations",
        "Attention, gates and attributions of the networks that the study names, from their checkpoints, with "
        "what the sanity checks say of every method. A method that fails them is kept from the report.",
        "golden_core.interpretability.explain",
        group="interpretability",
        kinds=("torch",),
        deps=[dg.AssetKey(["models", name]) for name in sorted(asked.forecasters)],
        metadata=spec_metadata(EXPLANATIONS),
        settings=asked.model_dump(mode="json"),
    )
    def explanations(study: StudyResource, workers: WorkersResource) -> dg.MaterializeResult[None]:
        from golden_core.interpretability.explain import explain_study
        from golden_core.reporting.pictures import as_png, importance_figure

        loaded = study.load()
        count = 1 if workers.backend == "sequential" else workers.count
        verdicts, shares = explain_study(study.home, loaded, workers=count)
        return dg.MaterializeResult(
            metadata={
                "dagster/row_count": verdicts.height,
                "reported": f"{verdicts['reported'].sum()} of {verdicts.height}",
                "verdicts": table_value(verdicts.drop("study")),
                "folder": dg.MetadataValue.path(str(study.home.study(loaded.name).explained())),
                **{
                    f"looks_at_{name}": picture_value(
                        as_png(importance_figure(shares.filter(forecaster=name)), 100),
                        f"What {name} looks at, by method",
                    )
                    for name in shares["forecaster"].unique().sort()
                },
            }
        )

    return explanations


@asset(
    "interpretability/sanity",
    "Every method of explanation before every gate, in worlds where the truth is known, each with a control in "
    "which the gate has to fail. A minute of computing.",
    "golden_core.interpretability.testbed",
    kinds=("torch",),
)
def interpretability_sanity() -> dg.MaterializeResult[None]:
    """Measure everything and file the table."""
    from golden_core.interpretability.testbed import measure_sanity

    table, folder = measure_sanity(Home.from_environment())
    failed = table.filter("decides", ~pl.col("passes") | ~pl.col("control_fails"))
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": table.height,
            "failed": failed.height,
            "folder": dg.MetadataValue.path(folder),
            "sanity": table_value(table, rows=table.height),
        }
    )
