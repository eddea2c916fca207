"""Explanations of the networks that a study names, and the sanity matrix of the methods, which depends on no study."""

import dagster as dg
import polars as pl

from golden_core.store.lake import Home
from golden_core.store.schema import EXPLANATIONS
from golden_core.study import Study
from golden_dagster.lib.metadata import OWNERS, picture_value, spec_metadata, table_value
from golden_dagster.lib.versions import code_version
from golden_dagster.resources import StudyResource, WorkersResource

SANITY = dg.AssetKey(["interpretability", "sanity"])


def explanations_asset(study: Study) -> dg.AssetsDefinition:
    """Return the asset ``explanations``: what the named networks look at, put to its tests."""
    asked = study.explanations
    assert asked is not None

    @dg.asset(
        name="explanations",
        group_name="interpretability",
        owners=OWNERS,
        kinds={"torch"},
        deps=[dg.AssetKey(["models", name]) for name in sorted(asked.forecasters)],
        code_version=code_version("golden_core.interpretability.explain"),
        metadata=spec_metadata(EXPLANATIONS),
        description=(
            "Attention, gates and attributions of the networks that the study names, from their checkpoints, with "
            "what the sanity checks say of every method. A method that fails them is kept from the report."
        ),
    )
    def explanations(study: StudyResource, workers: WorkersResource) -> dg.MaterializeResult[None]:
        from golden_core.interpretability.explain import explain_study
        from golden_core.reporting.explained import importance_figure

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
                        importance_figure(shares.filter(forecaster=name)), f"What {name} looks at, by method"
                    )
                    for name in shares["forecaster"].unique().sort()
                },
            }
        )

    return explanations


@dg.asset(
    key=SANITY,
    group_name="interpretability",
    owners=OWNERS,
    kinds={"torch"},
    code_version=code_version("golden_core.interpretability.testbed"),
    description=(
        "Every method of explanation before every gate, in worlds where the truth is known, each with a control in "
        "which the gate has to fail. A minute of computing."
    ),
)
def interpretability_sanity() -> dg.MaterializeResult:  # type: ignore[type-arg]
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
