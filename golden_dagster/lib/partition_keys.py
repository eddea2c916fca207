"""The partition keys of a run, checked against the study of the run."""

from __future__ import annotations

from collections.abc import Sequence

import dagster as dg

from golden_core.study import Study


def known_keys(context: dg.AssetExecutionContext, study: Study, known: Sequence[str]) -> list[str]:
    """Return the run's partition keys, refusing those the run's study does not have.

    Raises
    ------
    dagster.Failure
        When the code location was loaded for another study than the run asks for.
    """
    keys = [str(key) for key in context.partition_keys]
    unknown = sorted(set(keys) - set(known))
    if unknown:
        raise dg.Failure(
            f"study {study.name!r} has no partition {', '.join(unknown[:5])}; it has {', '.join(list(known)[:5])}, … "
            f"The web UI shows the partitions of GOLDEN_STUDY: start it with `golden ui --study {study.name}`.",
            allow_retries=False,
        )
    return keys
