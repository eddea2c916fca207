"""From source to folds: the shared inputs of all trials. Each step writes only what changed."""

from __future__ import annotations

import datetime
import itertools
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import polars as pl

from golden_core.bars.cleaning import clean
from golden_core.inputs.features import FEATURES, build_features
from golden_core.inputs.windows import TargetName
from golden_core.sources import dated, source
from golden_core.splits.folds import row_clock, usable_rows
from golden_core.splits.scaling import fit_scalers
from golden_core.splits.tables import folds_table
from golden_core.splits.walk_forward import walk_forward
from golden_core.store.lake import (
    Home,
    StoredTableError,
    StudyFolder,
    hash_frame,
    read_table,
    series_name,
    stored_json,
    write_json,
    write_parquet,
)
from golden_core.study import Study
from golden_core.study.values import NEWEST


class PreparationError(ValueError):
    """The data cannot carry the study: too few bars, a constant series, a feature its bars cannot give."""


@dataclass(frozen=True, eq=False)
class Prepared:
    """What one step produced: its main table, the identity of everything it wrote, and whether that is new."""

    table: pl.DataFrame
    hash: str
    changed: bool
    notes: dict[str, Any]


def prepare_raw(home: Home, study: Study, *, write: bool = True) -> Prepared:
    """Read the source of a study; ``write=False`` only tells whether the stored copy is out of date."""
    folder, kind = home.study(study.name), source(study.data.source)
    data = dated(study.data, study.seeds.root, home.root)
    description = dict(kind.describe(data, home.root))
    if study.data.end == NEWEST:
        description["end"] = str(data.end)
    raw = kind.read(data, study.seeds.root, home.root)
    changed = store({folder.raw: raw}, write=write)
    described = stored_json(folder.source) == json.loads(json.dumps(description))
    if write and not described:
        write_json(description, folder.source)
    return Prepared(raw, hash_frame(raw), changed or not described, description)


def dated_study(home: Home, study: Study) -> Study:
    """Return a study that says ``end: latest`` with the last day of its stored raw table; any other as it is.

    Raises
    ------
    PreparationError
        If no raw table has been stored.
    """
    if study.data.end != NEWEST:
        return study
    source_file = home.study(study.name).source
    end = stored_json(source_file).get("end")
    if end is None:
        raise PreparationError(f"{source_file} does not say which day is the latest: materialise the raw table first")
    data = study.data.model_copy(update={"end": datetime.date.fromisoformat(str(end))})
    return study.model_copy(update={"data": data})


def bars_of_pairs(study: Study, table: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Return the bars of every pair as the source's table gives them."""
    kind = source(study.data.source)
    return {pair: kind.bars(table, study.data, pair) for pair in study.data.pairs}


def prepare_pair(
    home: Home, study: Study, pair: str, *, given: Mapping[str, pl.DataFrame] | None = None, write: bool = True
) -> Prepared:
    """Build and clean the bars of one pair from those of all pairs: ``given``, or from the stored source table."""
    folder = home.study(study.name)
    raw = given or bars_of_pairs(study, read_table(folder.raw))
    others = [bars for name, bars in raw.items() if name != pair]
    data = dated_study(home, study).data
    cleaned = clean(raw[pair], data, max_abs_log_return=study.checks.max_abs_log_return, others=others)
    if cleaned.bars.is_empty():
        took = cleaned.account.filter(pl.col("rows") > 0).sort("rows", descending=True)
        rules = ", ".join(f"{rule} took {rows}" for rule, rows in took.select("rule", "rows").iter_rows())
        message = f"no bar is left between {data.start} and {data.end} of {raw[pair].height} raw rows"
        raise PreparationError(f"{pair}: {message}{rules and ': ' + rules}")
    changed = store(
        {
            folder.table("bars", pair): cleaned.bars,
            folder.table("cleaning", pair): cleaned.account,
            folder.table("ledger", pair): cleaned.ledger,
            folder.table("calendar", pair): cleaned.calendar,
        },
        write=write,
    )
    notes = {"account": cleaned.account, "calendar": cleaned.calendar, "ledger": cleaned.ledger}
    return Prepared(cleaned.bars, hash_frame(cleaned.bars), changed, notes)


def prepare_series(home: Home, study: Study, pair: str, horizon: int, *, write: bool = True) -> Prepared:
    """Cut the folds of one series and fit their scalers on the training rows alone.

    Raises
    ------
    PreparationError
        Naming the series, what it lacks and the fix.
    """
    folder, series = home.study(study.name), series_name(pair, horizon)
    bars = stored_table(folder, "bars", pair)
    # The trailing volatility of a forecast needs its own past, whatever the features need.
    warm_up = max([study.evaluation.volatility_window, *(FEATURES[name].warm_up for name in study.features)])
    length = study.context_length
    usable = usable_rows(bars.height, warm_up=warm_up, context_length=length, horizon=horizon)
    clock = row_clock(bars, study.data.bar, context_length=length, horizon=horizon)
    try:
        features = build_features(study.features, bars)
        laid = walk_forward(usable, study.splits, clock)
        scalers = fit_scalers(study.name, pair, horizon, laid.folds, features, bars, cast(TargetName, study.target))
    except ValueError as error:  # a FeatureError is one
        raise PreparationError(f"{series}: {error}") from None
    scheme = study.splits.scheme
    folds = folds_table(study.name, pair, horizon, laid.folds, bars, scheme=scheme, context_length=length)
    changed = store({folder.table("folds", series): folds, folder.table("scalers", series): scalers}, write=write)
    identity = hash_frame(folds) + hash_frame(scalers)
    return Prepared(folds, identity, changed, {"scalers": scalers, "unused_rows": laid.unused_rows})


def prepare_all(home: Home, study: Study, series: Iterable[tuple[str, int]] = ()) -> None:
    """Make the inputs of some pairs × horizons of a study, of all where none is named."""
    asked = dict.fromkeys(series or itertools.product(study.data.pairs, study.horizons))
    prepare_raw(home, study)
    for pair in dict.fromkeys(pair for pair, _ in asked):
        prepare_pair(home, study, pair)
    for pair, horizon in asked:
        prepare_series(home, study, pair, horizon)


def stored_table(folder: StudyFolder, kind: str, pair: str) -> pl.DataFrame:
    """Read a table that ``clean_bars`` writes.

    Raises
    ------
    PreparationError
        If it is missing or damaged; says what to make.
    """
    path = folder.table(kind, pair)
    try:
        return read_table(path)
    except StoredTableError:
        state = "is damaged" if path.exists() else "does not exist yet"
        raise PreparationError(f"{path} {state}: materialise clean_bars of {pair} first") from None


def store(tables: dict[Path, pl.DataFrame], *, write: bool) -> bool:
    """Write the tables whose content differs from the stored one; return whether any did."""
    changed = {path: table for path, table in tables.items() if not _same(path, table)}
    if write:
        for path, table in changed.items():
            write_parquet(table, path)
    return bool(changed)


def _same(path: Path, table: pl.DataFrame) -> bool:
    try:
        stored = read_table(path)
    except StoredTableError:
        return False  # an unreadable copy is rebuilt from its source
    return stored.schema == table.schema and hash_frame(stored) == hash_frame(table)
