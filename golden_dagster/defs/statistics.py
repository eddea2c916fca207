"""Size and power of the tests, measured in simulated worlds; it depends on no study."""

import dagster as dg

from golden_core.store.lake import Home
from golden_core.study import Study
from golden_dagster.lib.assets import asset
from golden_dagster.lib.metadata import picture_value, table_value
from golden_dagster.resources import WorkersResource


class CalibrationConfig(dg.Config):
    """How much is simulated."""

    simulations: int = 10_000


@asset(
    "statistics/calibration",
    "How often every test that a claim may use rejects a true null hypothesis, and finds what is there, in worlds "
    "where the truth is known. Minutes of computing.",
    "golden_core.evaluation.calibrated",
)
def statistics_calibration(config: CalibrationConfig, workers: WorkersResource) -> dg.MaterializeResult[None]:
    """Simulate everything and file the table."""
    from golden_core.evaluation.calibrated import measure_calibration
    from golden_core.reporting.pictures import as_png, calibration_figure

    table, folder = measure_calibration(Home.from_environment(), config.simulations, jobs=workers.count)
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": table.height,
            "simulations": config.simulations,
            "folder": dg.MetadataValue.path(folder),
            "sizes": picture_value(as_png(calibration_figure(table)), "Sizes of all tests at a nominal 5 %"),
            "calibration": table_value(table, rows=table.height),
        }
    )


def definitions(_study: Study) -> dg.Definitions:
    """Return the calibration of the tests; the same for every study."""
    return dg.Definitions(assets=[statistics_calibration])
