"""Partition definitions of a study: pair, series (pair × horizon), and seed × series. Keys only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import dagster as dg

from golden_core.store.lake import parse_series, series_name
from golden_core.study import Study
from golden_core.trials import Trial


def pair_partitions(study: Study) -> dg.StaticPartitionsDefinition:
    """One partition per currency pair: ``EURUSD``."""
    return dg.StaticPartitionsDefinition(list(study.data.pairs))


def series_partitions(study: Study) -> dg.StaticPartitionsDefinition:
    """One partition per pair and horizon: ``EURUSD_h1``."""
    return dg.StaticPartitionsDefinition([series_name(p, h) for p in study.data.pairs for h in study.horizons])


def seed_key(seed: int) -> str:
    """Return the key of a seed: ``s03``. Zero-padded, so that keys sort as numbers do."""
    return f"s{seed:03d}" if seed > 99 else f"s{seed:02d}"


def trial_partitions(study: Study) -> dg.MultiPartitionsDefinition:
    """One partition per seed and series: ``s03|EURUSD_h1``. Dagster sorts the two dimensions by name."""
    seeds = dg.StaticPartitionsDefinition([seed_key(seed) for seed in range(study.seeds.count)])
    return dg.MultiPartitionsDefinition({"seed": seeds, "series": series_partitions(study)})


def pair_to_series(study: Study) -> dg.StaticPartitionMapping:
    """Map each pair to all its series."""
    return dg.StaticPartitionMapping(
        {pair: [series_name(pair, horizon) for horizon in study.horizons] for pair in study.data.pairs}
    )


def series_to_trials() -> dg.MultiToSingleDimensionPartitionMapping:
    """Map each series to its trials of all seeds."""
    return dg.MultiToSingleDimensionPartitionMapping("series")


def trial_of(forecaster: str, key: str) -> Trial:
    """Return the trial of a partition key ``s03|EURUSD_h1``."""
    seed, _, series = key.partition("|")
    pair, horizon = parse_series(series)
    return Trial(forecaster, pair, horizon, int(seed.removeprefix("s")))


def trial_key(trial: Trial) -> str:
    """Return the partition key of a trial."""
    return f"{seed_key(trial.seed)}|{trial.series}"


def enclosing(definition: dg.PartitionsDefinition[Any], keys: Sequence[str]) -> tuple[str, str]:
    """Return first and last key of the smallest block that holds some keys: a range of each dimension."""
    if not isinstance(definition, dg.MultiPartitionsDefinition):
        order = definition.get_partition_keys()
        places = [order.index(key) for key in keys]
        return order[min(places)], order[max(places)]
    parts = [definition.get_partition_key_from_str(str(key)).keys_by_dimension for key in keys]
    corners = {
        one.name: enclosing(one.partitions_def, [part[one.name] for part in parts])
        for one in definition.partitions_defs
    }
    first, last = (dg.MultiPartitionKey({name: ends[end] for name, ends in corners.items()}) for end in (0, 1))
    return str(first), str(last)


def known_keys(context: dg.AssetExecutionContext, study: Study, known: Sequence[str]) -> list[str]:
    """Return the run's partition keys, refusing those the run's study does not have.

    Raises
    ------
    dagster.Failure
        When the study was edited after the code location was loaded.
    """
    keys = [str(key) for key in context.partition_keys]
    unknown = sorted(set(keys) - set(known))
    if unknown:
        raise dg.Failure(
            f"study {study.name!r} has no partition {', '.join(unknown[:5])}; it has {', '.join(list(known)[:5])}, … "
            "The web UI shows those that it had: reload the code location under Deployment.",
            allow_retries=False,
        )
    return keys
