"""Size and power of the tests, measured in simulated worlds; it depends on no study."""

import dagster as dg

from golden_core.store.lake import Home
from golden_dagster.lib.metadata import OWNERS, picture_value, table_value
from golden_dagster.lib.versions import code_version
from golden_dagster.resources import WorkersResource

CALIBRATION = dg.AssetKey(["statistics", "calibration"])


class CalibrationConfig(dg.Config):
    """How much is simulated."""

    simulations: int = 10_000


@dg.asset(
    key=CALIBRATION,
    group_name="statistics",
    owners=OWNERS,
    kinds={"python"},
    code_version=code_version("golden_core.evaluation.calibrated"),
    description=(
        "How often every test that a claim may use rejects a true null hypothesis, and finds what is there, in worlds "
        "where the truth is known. Minutes of computing."
    ),
)
def statistics_calibration(config: CalibrationConfig, workers: WorkersResource) -> dg.MaterializeResult:  # type: ignore[type-arg]
    """Simulate everything and file the table."""
    from golden_core.evaluation.calibrated import measure_calibration
    from golden_core.reporting.calibration_figure import calibration_figure

    table, folder = measure_calibration(Home.from_environment(), config.simulations, jobs=workers.count)
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": table.height,
            "simulations": config.simulations,
            "folder": dg.MetadataValue.path(folder),
            "sizes": picture_value(calibration_figure(table), "Sizes of all tests at a nominal 5 %"),
            "calibration": table_value(table, rows=table.height),
        }
    )
