"""Checks on what the warehouse holds: complete, finite, as in the lake, recomputable, never without the benchmark."""

import dagster as dg

from golden_core.evaluation import verification
from golden_core.leakage.inputs import bars_of
from golden_core.leakage.report import sentence
from golden_core.leakage.screening import screened_forecasts
from golden_core.store.randomness import Stream
from golden_core.store.warehouse import Warehouse
from golden_core.study import Study
from golden_core.trials import AlteredError, Trial, reproduce
from golden_dagster.lib.checks import verdict
from golden_dagster.resources import StudyResource


def metrics_checks() -> list[dg.AssetChecksDefinition]:
    """Return every check on the asset ``metrics``."""
    return [_losses(), _trials(), _lake(), _walk(), _sql(), _screen(), _bitwise()]


def _losses() -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset="metrics",
        name="losses_finite",
        description="Every loss of every learning curve and every forecast is a finite number.",
    )
    def losses_finite(study: StudyResource) -> dg.AssetCheckResult:
        loaded, warehouse = study.load(), Warehouse(study.home.warehouse)
        found = verification.nonfinite_values(warehouse, loaded.name)
        return verdict(found, examined=verification.count_forecasts(warehouse, loaded.name), unit="forecasts")

    return losses_finite


def _trials() -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset="metrics",
        name="all_trials_present",
        description="Every trial that the study asks for is in the warehouse, and none failed.",
    )
    def all_trials_present(study: StudyResource) -> dg.AssetCheckResult:
        loaded = study.load()
        found = verification.absent_trials(Warehouse(study.home.warehouse), study.home, loaded)
        expected = len(loaded.forecasters) * len(loaded.data.pairs) * len(loaded.horizons) * loaded.seeds.count
        return verdict(found, examined=expected, unit="trials")

    return all_trials_present


def _lake() -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset="metrics",
        name="forecasts_equal_lake",
        description="Forecasts and learning curves of the warehouse are, value for value, what the trials wrote.",
    )
    def forecasts_equal_lake(study: StudyResource) -> dg.AssetCheckResult:
        loaded, warehouse = study.load(), Warehouse(study.home.warehouse)
        try:
            found, examined = verification.trials_unlike_lake(warehouse, study.home, loaded)
        except AlteredError as error:
            found, examined = [str(error)], 1
        return verdict(found, examined=examined, unit="trials")

    return forecasts_equal_lake


def _walk() -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset="metrics",
        name="random_walk_present",
        description="Wherever a forecaster has a forecast, the random walk has one for the same cutoff.",
    )
    def random_walk_present(study: StudyResource) -> dg.AssetCheckResult:
        loaded, warehouse = study.load(), Warehouse(study.home.warehouse)
        found = verification.cutoffs_without_benchmark(warehouse, loaded.name)
        return verdict(found, examined=verification.count_forecasts(warehouse, loaded.name), unit="forecasts")

    return random_walk_present


def _sql() -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset="metrics",
        name="metrics_equal_sql",
        description="Every metric equals, to 1e-12, its recomputation in plain SQL from the table of forecasts.",
    )
    def metrics_equal_sql(study: StudyResource) -> dg.AssetCheckResult:
        loaded, warehouse = study.load(), Warehouse(study.home.warehouse)
        found, examined = verification.metrics_unlike_sql(warehouse, loaded.name)
        return verdict(found, examined=examined, unit="metrics")

    return metrics_equal_sql


def _screen() -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset="metrics",
        name="no_forecast_too_good",
        description="No forecaster beats no change beyond the study's `checks.max_foresight` and what a martingale "
        "allows by chance: one that does has seen the future somewhere, or the tolerance must be argued for.",
    )
    def no_forecast_too_good(study: StudyResource) -> dg.AssetCheckResult:
        loaded = study.load()
        table = Warehouse(study.home.warehouse).query("SELECT * FROM forecasts WHERE study = ?", [loaded.name])
        report = screened_forecasts(loaded, bars_of(study.home, loaded), table)
        return verdict([sentence(finding) for finding in report.findings], examined=table.height, unit="forecasts")

    return no_forecast_too_good


def _bitwise() -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset="metrics",
        name="forecasts_reproduce_bitwise",
        description="A sampled trial, retrained in a fresh process, writes the same bytes: forecasts, learning curve "
        "and weights.",
    )
    def forecasts_reproduce_bitwise(study: StudyResource) -> dg.AssetCheckResult:
        loaded = study.load()
        results = [reproduce(study.home, loaded, trial) for trial in sampled_trials(study, loaded)]
        found = [
            f"{r.trial}: {r.error or 'not the same bytes again: ' + ', '.join(r.differing)}"
            for r in results
            if not r.identical
        ]
        return verdict(found, examined=len(results), unit="trials")

    return forecasts_reproduce_bitwise


def sampled_trials(resource: StudyResource, study: Study) -> list[Trial]:
    """Return the trials that the reproduction check retrains: a fixed draw from the finished ones of this study.

    Forecasters that depend on a seed are drawn first, since they have more ways to differ.
    """
    done = Warehouse(resource.home.warehouse).query(
        "SELECT forecaster, pair, horizon, seed, deterministic FROM trials WHERE study = ? AND status = 'done' "
        "ORDER BY forecaster, pair, horizon, seed",
        [study.name],
    )
    order = Stream(study.seeds.root).child("reproduction").generator().permutation(done.height)
    drawn = done[order].sort("deterministic", maintain_order=True).head(study.checks.reproduced_trials)
    return [Trial(*row) for row in drawn.select("forecaster", "pair", "horizon", "seed").iter_rows()]
