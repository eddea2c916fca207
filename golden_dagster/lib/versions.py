"""Versions of code and data, from which the web UI tells what is stale."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import dagster as dg

from golden_core.trials.code import code_hash

# What Dagster's own observable sources put on an output whose events they have logged themselves; it has no public
# name. In a release without it, every partition would get a second, empty event.
_LOGGED = "__source_asset_observation__"


def code_version(*made_by: Callable[..., Any] | str) -> str:
    """Return the version of the code behind some functions: their modules and all they import, without comments.

    What takes seconds to import is given as the name of its module.
    """
    return code_hash(tuple(sorted({by if isinstance(by, str) else by.__module__ for by in made_by})))[:16]


class PartitionLog:
    """Logs one materialisation per partition of a run, each with its own data version.

    A run over a range of partitions gives all of them one data version, and none of them an event before the last is
    done; logged one by one they also survive a run that fails half-way.
    """

    def __init__(self, context: dg.AssetExecutionContext, key: dg.AssetKey) -> None:
        self._context, self._key = context, key
        spec = context.assets_def.get_asset_spec(key)
        self._tags = {"dagster/code_version": str(spec.code_version), "dagster/data_version_is_user_provided": "true"}
        for dep in spec.deps:
            name = dep.asset_key.to_user_string()
            for record in context.instance.fetch_materializations(dep.asset_key, limit=1).records:
                version = (record.event_log_entry.tags or {}).get("dagster/data_version", "INITIAL")
                self._tags[f"dagster/input_data_version/{name}"] = version
                self._tags[f"dagster/input_event_pointer/{name}"] = str(record.storage_id)

    def add(self, partition: str, version: str, metadata: Mapping[str, Any]) -> None:
        """Log one partition with the version of its content."""
        tags = {**self._tags, "dagster/data_version": version}
        self._context.log_event(
            dg.AssetMaterialization(self._key, partition=partition, metadata=dict(metadata), tags=tags)
        )

    def done(self) -> dg.MaterializeResult[None]:
        """Return the step's output: what follows in the same run may start, and nothing is logged again."""
        return dg.MaterializeResult(asset_key=self._key, metadata={_LOGGED: True})
