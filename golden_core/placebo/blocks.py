"""Universes in blocks: one file each, whole or not there, named after everything that it depends on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl
from joblib import delayed
from joblib.externals.loky.process_executor import TerminatedWorkerError

from golden_core.placebo.universe import ROWS, Arm, Gate, PlaceboError, required_protocol, universe, universe_rows
from golden_core.sources import SOURCES
from golden_core.store.lake import Home, StoredTableError, hash_bytes, read_table, write_parquet
from golden_core.store.provenance import library_versions
from golden_core.study import PlaceboSection, Study
from golden_core.study.sections import canonical_json
from golden_core.trials.code import code_hash, own_hash
from golden_core.trials.identity import Trial, dependencies
from golden_core.trials.workers import died, worker_pool

# What a universe runs, beside its trials and the gate.
_CODE = (
    "golden_core.bars.cleaning", "golden_core.claims.decisions", "golden_core.economics.strategies",
    "golden_core.placebo.universe", "golden_core.sources.synthetic", "golden_core.sources.synthetic_hours",
    "golden_core.splits.folds", "golden_core.splits.tables", "golden_core.splits.walk_forward",
)  # fmt: skip
_STEPS = ("golden_core.preparation.steps",)  # a trial knows what they made; here nobody has seen it


@dataclass(frozen=True)
class Block:
    """Some universes of an arm, from ``first`` to before ``stop``."""

    arm: Arm
    index: int
    first: int
    stop: int

    @property
    def key(self) -> str:
        """``cheap_007``, which is also its partition in Dagster."""
        return f"{self.arm.name}_{self.index:03d}"


def required_section(study: Study) -> PlaceboSection:
    """Return the section ``placebo`` of a study.

    Raises
    ------
    PlaceboError
        If it, or the protocol that would be put to the test, is missing.
    """
    if study.placebo is None:
        raise PlaceboError(f"study {study.name!r} has no section `placebo`; data/studies/placebo.yaml shows one")
    required_protocol(study)
    return study.placebo


def placebo_arms(study: Study, universes: int | None = None) -> tuple[Arm, ...]:
    """Return the arms without skill, the cheap one with so many universes where a number is given."""
    section = required_section(study)
    cheap = Arm("cheap", section.cheap.forecasters, universes or section.cheap.universes)
    network = section.network
    return (cheap, Arm("network", network.forecasters, network.universes)) if network else (cheap,)


def power_arms(study: Study, universes: int | None = None) -> tuple[Arm, ...]:
    """Return an arm for every planted R²."""
    power = required_section(study).power
    count = universes or power.universes
    return tuple(Arm(f"power_{r2!r}", power.forecasters, count, r2) for r2 in power.r2)


def blocks(study: Study, arms: Sequence[Arm]) -> list[Block]:
    """Return the blocks of some arms; a larger number of universes begins with the blocks of a smaller one."""
    size = required_section(study).block
    return [
        Block(arm, index, first, min(first + size, arm.universes))
        for arm in arms
        for index, first in enumerate(range(0, arm.universes, size))
    ]


def block_file(home: Home, study: Study, block: Block, gate: Gate) -> Path:
    """Return the file of a block, whether or not it is there; another setting or statement gives it another name."""
    own = universe(study, block.arm, block.first)
    others = {kind.__module__ for name, kind in SOURCES.items() if name != own.data.source}  # among them all importers
    pair, horizon = own.data.pairs[0], own.horizons[0]
    depends_on = {
        "study": own.hash(),
        "universes": [block.first, block.stop],
        "r2": block.arm.r2,
        "trials": [dependencies(own, Trial(name, pair, horizon, 0), "") for name in own.forecasters],
        "code": [code_hash((*_CODE, gate.module), tuple(sorted(others))), own_hash(_STEPS)],
        "libraries": library_versions(("numpy", "polars", "scipy")),
    }
    name = f"{block.key}-{hash_bytes(canonical_json(depends_on).encode())[:16]}.parquet"
    return home.study(study.name).root / "placebo" / name


def run_block(home: Home, study: Study, block: Block, gate: Gate) -> Path:
    """Run the universes of a block unless that was done, and return its file.

    The first universe of an arm is put before the gate's probes of code as well: they would find the same in all.
    """
    path = block_file(home, study, block, gate)
    if _stored(path) is None:
        numbers = range(block.first, block.stop)
        rows = [universe_rows(study, block.arm, n, gate, thorough=n == 0) for n in numbers]
        write_parquet(pl.concat(rows), path)
    return path


def run_blocks(
    home: Home, study: Study, arms: Sequence[Arm], gate: Gate, *, workers: int = 1
) -> Iterator[tuple[int, int]]:
    """Run what is missing of some arms, and yield how many blocks are done, and how many there are."""
    asked = blocks(study, arms)
    missing = [block for block in asked if _stored(block_file(home, study, block, gate)) is None]
    done = len(asked) - len(missing)
    yield done, len(asked)
    paths = in_workers(home, study, missing, gate, "sequential" if workers == 1 else "loky", workers)
    for number, _ in enumerate(paths, start=1):
        yield done + number, len(asked)


def in_workers(
    home: Home, study: Study, asked: Sequence[Block], gate: Gate, backend: str, workers: int
) -> Iterator[Path]:
    """Run blocks in worker processes and yield their files as they come; a worker that dies costs its block a restart.

    Raises
    ------
    PlaceboError
        If workers die twice in a row and nothing gets done: of those that run at once, one takes all along.
    """
    left, barren = {block_file(home, study, block, gate): block for block in asked}, 0
    while left:
        before = len(left)
        tasks = [delayed(run_block)(home, study, block, gate) for block in left.values()]
        try:
            for path in worker_pool(study, backend, workers)(tasks):
                del left[path]
                yield path
        except TerminatedWorkerError as error:
            barren = barren + 1 if len(left) == before else 0
            if barren == 2:
                keys = ", ".join(block.key for block in list(left.values())[:workers])
                raise PlaceboError(f"a worker process {died(error)} while nothing got done, near {keys}") from None


def block_rows(home: Home, study: Study, arms: Sequence[Arm], gate: Gate) -> pl.DataFrame:
    """Return the rows of every block that is there, each with its arm."""
    parts = [pl.DataFrame(schema={"arm": pl.String, **ROWS})]
    for block in blocks(study, arms):
        if (rows := _stored(block_file(home, study, block, gate))) is not None:
            parts.append(rows.select(pl.lit(block.arm.name).alias("arm"), *ROWS))
    return pl.concat(parts)


def _stored(path: Path) -> pl.DataFrame | None:
    """Return the rows of a block's file; None where it is missing or damaged, so that it is made again."""
    try:
        return read_table(path)
    except StoredTableError:
        return None
