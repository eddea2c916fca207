"""Benchmarks as assets: each measures now and files its run; the table gathers the last run of every one."""

import dagster as dg
import polars as pl

from golden_core.store.schema import BENCHMARKS
from golden_core.study import Study
from golden_dagster.lib.assets import asset
from golden_dagster.lib.metadata import spec_metadata, table_value
from golden_dagster.resources import StudyResource

KINDS = {
    "inference": "Forecasts of every forecaster of the study: one window, batches, all at once, cold and warm starts.",
    "training": "Whole fits of every forecaster of the study, with its own budget. As long as three trials of each.",
    "data": "The way from the source's table to the windows of the first series.",
    "statistics": "The tests that decide claims, on losses of ten forecasters.",
}
SHOWN = ("benchmark", "subject", "scenario", "batch", "samples", "steady", "mean_ms", "p50_ms", "throughput")


class EffortConfig(dg.Config):
    """How much is measured."""

    seconds: float = 2.0
    samples: int = 0  # calls at least; 0 for the number that the plan declares
    threads: int = 1


def benchmark(name: str, says: str) -> dg.AssetsDefinition:
    """Return the asset of one kind of measurement."""
    code, said = "golden_core.benchmarking.platform", f"{says} Measure on a machine that does nothing else."

    @asset(f"benchmarks/{name}", said, code)
    def measured(config: EffortConfig, study: StudyResource) -> dg.MaterializeResult[None]:
        from golden_core.benchmarking import forecasters, platform
        from golden_core.benchmarking.records import file_run
        from golden_core.reporting.verification import renew_reports

        home, loaded = study.home, study.load()
        effort = forecasters.Effort(config.seconds, config.samples or None, threads=config.threads)
        if name == "statistics":
            run = file_run(home, name, "", platform.statistics_parts(effort, _silent))
            renew_reports(home)  # all of them list it
        elif name == "data":
            run = file_run(home, name, loaded.name, platform.data_parts(home, loaded, effort, _silent))
        else:
            asked = {"inference": forecasters.inference, "training": forecasters.fits}[name]
            found, left_out = asked(home, loaded, (), effort, _silent)
            for one in left_out:
                dg.get_dagster_logger().error(one)
            run = file_run(home, name, loaded.name, found)
        return dg.MaterializeResult(
            metadata={
                "dagster/row_count": run.rows.height,
                "folder": dg.MetadataValue.path(run.folder),
                "machine": run.rows["machine"][0],
                "load_per_core": run.rows["load"][0],
                "measured": table_value(run.rows.select(SHOWN)),
            }
        )

    return measured


@asset(
    "benchmarks/table",
    "The last run of every benchmark in the warehouse, and the study's page of them.",
    "golden_core.reporting.benchmarks",
    kinds=("duckdb", "html"),
    deps=[["benchmarks", name] for name in KINDS],
    metadata=spec_metadata(BENCHMARKS),
)
def benchmarks_table(study: StudyResource) -> dg.MaterializeResult[None]:
    """Load what the command line measured too, and write the page."""
    from golden_core.benchmarking.records import last_runs
    from golden_core.reporting.benchmarks import write_benchmarks
    from golden_core.reporting.verification import renew_report
    from golden_core.store.warehouse import Warehouse

    loaded = study.load()
    page = write_benchmarks(study.home, loaded)
    renew_report(Warehouse(study.home.warehouse), loaded, study.home.report(loaded.name))
    rows = pl.concat([BENCHMARKS.empty(), *(run.rows for run in last_runs(study.home))])
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": rows.height,
            "page": dg.MetadataValue.path(page),
            "table": table_value(rows.select(SHOWN)),
        }
    )


def _silent(_text: str) -> None:
    pass


def definitions(_study: Study) -> dg.Definitions:
    """Return the measurements and their table; none belongs to a campaign."""
    return dg.Definitions(assets=[*(benchmark(name, says) for name, says in KINDS.items()), benchmarks_table])
