"""The campaign against ourselves: universes in blocks, a partition each, and two tables that are counted of them."""

from typing import TYPE_CHECKING

import dagster as dg

from golden_core.study import Study
from golden_dagster.lib.assets import PartitionLog, asset, partitioned
from golden_dagster.lib.metadata import picture_value, table_value
from golden_dagster.partitions import known_keys
from golden_dagster.resources import StudyResource, WorkersResource

if TYPE_CHECKING:
    from golden_core.placebo.blocks import Block
    from golden_core.placebo.filed import Name

UNIVERSES = dg.AssetKey(["placebo", "universes"])


def definitions(study: Study) -> dg.Definitions:
    """Return the universes of a study and what is counted of them; nothing of a study without the section."""
    if not study.placebo:
        return dg.Definitions()
    claims = _count(
        study, "placebo", "false_claims", "How often the pipeline claims a skill on bars that nobody can forecast."
    )
    power = _count(study, "power", "power", "How often it finds a planted skill, beside the power that was promised.")
    return dg.Definitions(assets=[_universes(study), claims, power])


def blocks_by_key(study: Study) -> "dict[str, Block]":
    """Return every block of universes of a study by its key: ``cheap_007``."""
    from golden_core.placebo.blocks import blocks, placebo_arms, power_arms

    return {block.key: block for block in blocks(study, (*placebo_arms(study), *power_arms(study)))}


def _universes(study: Study) -> dg.AssetsDefinition:
    @partitioned(
        dg.StaticPartitionsDefinition(list(blocks_by_key(study))),
        "placebo/universes",
        "Claims of whole studies on bars whose truth is known, a block of universes each: from the source "
        "through the gate. Seconds of computing per universe.",
        ("golden_core.placebo.blocks", "golden_core.checks.universes"),
        pool="train",
        settings=study.hash(),
    )
    def universes(
        context: dg.AssetExecutionContext, study: StudyResource, workers: WorkersResource
    ) -> dg.MaterializeResult[None]:
        from golden_core.checks.universes import GATE
        from golden_core.placebo.blocks import in_workers

        loaded, log = study.load(), PartitionLog(context)
        by_key = blocks_by_key(loaded)
        asked = [by_key[key] for key in known_keys(context, loaded, list(by_key))]
        backend = "sequential" if workers.count == 1 else workers.local
        for path in in_workers(study.home, loaded, asked, GATE, backend, workers.count):
            key, _, print_ = path.stem.rpartition("-")
            log.add(key, print_, {"file": dg.MetadataValue.path(path)})
        return log.done()

    return universes


def _count(study: Study, name: "Name", table: str, says: str) -> dg.AssetsDefinition:
    every = dg.AssetDep(UNIVERSES, partition_mapping=dg.AllPartitionMapping())

    @asset(f"placebo/{table}", says, "golden_core.placebo.filed", deps=[every], settings=study.hash())
    def count(study: StudyResource) -> dg.MaterializeResult[None]:
        from golden_core.checks.universes import GATE
        from golden_core.placebo.filed import count_universes
        from golden_core.placebo.universe import PlaceboError
        from golden_core.reporting.pictures import PICTURES, as_png

        try:
            found = count_universes(study.home, study.load(), name, GATE)
        except PlaceboError as error:
            raise dg.Failure(str(error), allow_retries=False) from None
        return dg.MaterializeResult(
            metadata={
                "dagster/row_count": found.height,
                "picture": picture_value(as_png(PICTURES[name](found)), says),
                "table": table_value(found, rows=found.height),
            }
        )

    return count
