"""What every asset says of itself, and the versions of code and data from which the web UI tells what is stale."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import dagster as dg

from golden_core.store.lake import hash_bytes
from golden_core.study.sections import canonical_json
from golden_core.trials.code import code_hash

# What Dagster's own observable sources put on an output whose events they have logged themselves; it has no public
# name. In a release without it, every partition would get a second, empty event.
_LOGGED = "__source_asset_observation__"

OWNERS = ["team:golden"]
Code = Callable[..., Any] | str  # a function, or the name of a module that takes seconds to import
Decorator = Callable[[Callable[..., Any]], dg.AssetsDefinition]


def asset(key: str, says: str, made_by: Code | tuple[Code, ...], **more: Any) -> Decorator:
    """Return the decorator that makes the asset ``group/name`` of some code; ``more`` is for :func:`_facts`."""
    made: Decorator = dg.asset(key=key.split("/"), **_facts(key, says, made_by, **more))
    return made


def partitioned(
    cut: dg.PartitionsDefinition[Any],
    key: str,
    says: str,
    made_by: Code | tuple[Code, ...],
    pool: str | None = None,
    **more: Any,
) -> Decorator:
    """Make an asset of a function that logs its partitions itself, any number of them in one run."""
    spec = dg.AssetSpec(key.split("/"), **_facts(key, says, made_by, **more))
    return dg.multi_asset(
        name=spec.key.to_python_identifier(),
        specs=[spec],
        partitions_def=cut,
        backfill_policy=dg.BackfillPolicy.single_run(),
        pool=pool,
    )


def _facts(
    key: str,
    says: str,
    made_by: Code | tuple[Code, ...],
    group: str = "",
    kinds: Iterable[str] = ("python",),
    settings: Any = None,
    **more: Any,
) -> dict[str, Any]:
    """Return what every asset says of itself; its group is the first part of its key, if it is not told.

    ``settings`` is what of a study decides its content, beside its inputs: other settings are another version.
    """
    version = code_version(*(made_by if isinstance(made_by, tuple) else (made_by,)))
    if settings is not None:
        version = hash_bytes(f"{version} {canonical_json(settings)}".encode())[:16]
    return {
        "group_name": group or key.partition("/")[0],
        "owners": OWNERS,
        "kinds": set(kinds),
        "code_version": version,
        "description": says,
        **more,
    }


def code_version(*made_by: Code) -> str:
    """Return the version of the code behind an asset: modules and all they import, without comments."""
    return code_hash(tuple(sorted({by if isinstance(by, str) else by.__module__ for by in made_by})))[:16]


class PartitionLog:
    """Logs one materialisation per partition of a run, each with its own data version.

    A run over a range of partitions gives all of them one data version, and none of them an event before the last is
    done; logged one by one they also survive a run that fails half-way.
    """

    def __init__(self, context: dg.AssetExecutionContext) -> None:
        (spec,) = context.assets_def.specs
        self._context, self._key = context, spec.key
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
