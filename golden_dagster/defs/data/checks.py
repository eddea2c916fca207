"""Checks on rates, bars and folds. Each is a claim that can fail; what is computed lives in golden_core."""

from collections.abc import Iterator
from typing import cast

import dagster as dg
import polars as pl

from golden_core.bars import verification
from golden_core.inputs.features import build_features
from golden_core.inputs.windows import TargetName
from golden_core.leakage.inputs import bars_of
from golden_core.leakage.report import Report, sentence
from golden_core.leakage.sampling import sampled, structures
from golden_core.leakage.screening import screened_features
from golden_core.splits import verification as splits
from golden_core.splits.scaling import scaler_mismatches
from golden_core.splits.tables import read_folds
from golden_core.study import Study
from golden_core.trials import all_series, series_inputs
from golden_dagster.lib.checks import verdict
from golden_dagster.lib.metadata import findings_value, table_value
from golden_dagster.resources import StudyResource, WorkersResource


def data_checks(study: Study) -> list[dg.AssetChecksDefinition]:
    """Return every check on the shared inputs of a study."""
    checks = [_prices(), _timestamps(), _labels(), _embargo(), _scalers(), _structure(), _screen(), _sample()]
    return [_ecb_dates(), *checks] if study.data.source == "ecb" else checks


def _ecb_dates() -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset="clean_bars",
        name="ecb_dates_explained",
        description="Every weekday without a fixing is a holiday of the European Central Bank.",
    )
    def ecb_dates_explained(study: StudyResource) -> dg.AssetCheckResult:
        loaded = study.load()
        folder = study.home.study(loaded.name)
        days, found = 0, []
        for pair in loaded.data.pairs:
            calendar = pl.read_parquet(folder.table("calendar", pair))
            days += pl.read_parquet(folder.table("bars", pair)).height + calendar.height
            found += verification.unexplained_days(calendar)
        return verdict(found, examined=days, unit="weekdays")

    return ecb_dates_explained


def _prices() -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset="clean_bars",
        name="prices_positive_and_plausible",
        blocking=True,
        description="Every price is a positive finite number, and no one-bar return exceeds the study's bound.",
    )
    def prices_positive_and_plausible(study: StudyResource) -> dg.AssetCheckResult:
        loaded = study.load()
        frames = _bars(study, loaded)
        found = [f for bars in frames for f in verification.implausible_prices(bars, loaded.checks.max_abs_log_return)]
        return verdict(found, examined=sum(bars.height for bars in frames), unit="bars")

    return prices_positive_and_plausible


def _timestamps() -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset="clean_bars",
        name="timestamps_unique_and_increasing",
        blocking=True,
        description="Within a pair every bar is later than the one before, and known only after it opened.",
    )
    def timestamps_unique_and_increasing(study: StudyResource) -> dg.AssetCheckResult:
        frames = _bars(study, study.load())
        found = [finding for bars in frames for finding in verification.disordered_timestamps(bars)]
        return verdict(found, examined=sum(bars.height for bars in frames), unit="bars")

    return timestamps_unique_and_increasing


def _labels() -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset="folds",
        name="no_label_overlap",
        blocking=True,
        description="No training label touches the labels of validation or test, no validation label those of test, "
        "and every row is tested once, or in a combinatorial study equally often.",
    )
    def no_label_overlap(study: StudyResource) -> dg.AssetCheckResult:
        loaded = study.load()
        table = _folds(study, loaded)
        found = [*splits.foreign_schemes(table, loaded.splits.scheme), *splits.label_overlaps(table)]
        found += splits.reused_test_rows(table)
        return verdict(found, examined=table.height, unit="fold parts")

    return no_label_overlap


def _embargo() -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset="folds",
        name="embargo_kept",
        blocking=True,
        description="At least the study's embargo, in rows, lies between the labels of a part and those held out from "
        "it; and the kept and dropped rows of every part are the rows that were laid for it.",
    )
    def embargo_kept(study: StudyResource) -> dg.AssetCheckResult:
        loaded = study.load()
        table = _folds(study, loaded)
        found = [*splits.embargo_violations(table, loaded.splits.embargo), *splits.unaccounted_rows(table)]
        return verdict(found, examined=table.height, unit="fold parts")

    return embargo_kept


def _scalers() -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset="folds",
        name="scaler_fitted_on_train_only",
        blocking=True,
        description="Mean and scale of every column equal a second computation from the training rows alone.",
    )
    def scaler_fitted_on_train_only(study: StudyResource) -> dg.AssetCheckResult:
        loaded = study.load()
        found, examined = [], 0
        for pair, horizon in all_series(loaded):
            inputs = series_inputs(study.home, loaded, pair, horizon)
            features = build_features(loaded.features, inputs.bars)
            found += scaler_mismatches(
                inputs.scalers, read_folds(inputs.folds), features, inputs.bars, cast(TargetName, loaded.target)
            )
            examined += inputs.scalers.height
        return verdict(found, examined=examined, unit="scaler rows")

    return scaler_fitted_on_train_only


def _sample() -> dg.AssetChecksDefinition:
    # Two checks of one step: both start from the same honest fits, and fits are what probing costs.
    @dg.multi_asset_check(
        specs=[
            dg.AssetCheckSpec(
                name="nothing_sees_the_future",
                asset="folds",
                blocking=True,
                description="When everything after a time t is replaced and the pipeline is run again, whatever is "
                "stamped at or before t keeps its exact bits: bars, features, folds, scalers and windows of all "
                "series, weights and forecasts of every forecaster on a sampled fold.",
            ),
            dg.AssetCheckSpec(
                name="fits_touch_only_their_rows",
                asset="folds",
                blocking=True,
                description="When every bar is replaced that a fit does not declare to read, what it fitted keeps its "
                "exact bits: the scalers of a sampled fold and the weights of every forecaster on it.",
            ),
        ],
        can_subset=True,
    )
    def future_and_fits(
        context: dg.AssetCheckExecutionContext, study: StudyResource, workers: WorkersResource
    ) -> Iterator[dg.AssetCheckResult]:
        loaded = study.load()
        if loaded.splits.scheme == "walk_forward":
            future, record = sampled(loaded, study.home, backend=workers.backend, workers=workers.count)
            results = {"nothing_sees_the_future": _probed(future), "fits_touch_only_their_rows": _probed(record)}
        else:
            results = dict.fromkeys(
                ("nothing_sees_the_future", "fits_touch_only_their_rows"), _knows_the_future(loaded)
            )
        for key in sorted(context.selected_asset_check_keys):
            yield results[key.name]._replace(check_name=key.name)

    return future_and_fits


def _structure() -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset="folds",
        name="parts_kept_apart",
        blocking=True,
        description="No row may be used before its bar is known, no label touches a held-out part, no row or copy of "
        "one stands in two parts, and no fit declares a test row.",
    )
    def parts_kept_apart(study: StudyResource) -> dg.AssetCheckResult:
        loaded = study.load()
        if loaded.splits.scheme != "walk_forward":
            return _knows_the_future(loaded)
        return _probed(structures(loaded, study.home))

    return parts_kept_apart


def _screen() -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset="folds",
        name="no_feature_too_good",
        blocking=True,
        description="No feature goes with the returns that follow, at its own time or a bar or two later, beyond the "
        "study's `checks.max_foresight` and what a martingale allows by chance; no pair's bars go one way.",
    )
    def no_feature_too_good(study: StudyResource) -> dg.AssetCheckResult:
        loaded = study.load()
        return _probed(screened_features(loaded, bars_of(study.home, loaded)))

    return no_feature_too_good


def _knows_the_future(study: Study) -> dg.AssetCheckResult:
    """Warn that no claim about the order of time is made: such folds break it by design, and no trial runs on them."""
    finding = f"not claimed: folds of splits.scheme {study.splits.scheme} train on rows behind those they test"
    return verdict([finding], examined=0, unit="folds", severity=dg.AssetCheckSeverity.WARN)


def _probed(report: Report) -> dg.AssetCheckResult:
    """Return what a probe found, with what it covered."""
    result = verdict([sentence(finding) for finding in report.findings], examined=report.rows, unit="rows")
    covered = [{"asset": cell.asset, "poison": cell.poison, "rows": cell.rows} for cell in report.cells]
    refused = {"refused": findings_value(report.refused, title="refused")} if report.refused else {}
    metadata = {**(result.metadata or {}), "coverage": table_value(pl.DataFrame(covered)), **refused}
    return result._replace(metadata=metadata)


def _bars(resource: StudyResource, study: Study) -> list[pl.DataFrame]:
    folder = resource.home.study(study.name)
    return [pl.read_parquet(folder.table("bars", pair)) for pair in study.data.pairs]


def _folds(resource: StudyResource, study: Study) -> pl.DataFrame:
    folder = resource.home.study(study.name)
    return pl.concat([pl.read_parquet(folder.table("folds", f"{pair}_h{h}")) for pair, h in all_series(study)])
