"""What was last counted of a study's universes, filed beside their blocks, and whether it was of the code of today."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import polars as pl

from golden_core.placebo.blocks import block_file, block_rows, blocks, placebo_arms, power_arms, required_section
from golden_core.placebo.universe import Arm, Gate, PlaceboError, required_protocol
from golden_core.placebo.verdict import false_claims, found_skill
from golden_core.store.lake import Home, hash_bytes, recorded_csv, write_json, write_text
from golden_core.store.provenance import git_state
from golden_core.study import Study

Name = Literal["placebo", "power"]


@dataclass(frozen=True, eq=False)
class Filed:
    """A table that was counted earlier."""

    table: pl.DataFrame  # as from verdict.py
    universes: dict[str, int]  # by arm, that are in it
    current: bool  # whether another run would be of the same code, settings and libraries
    commit: str | None  # of the code that counted, where there is git


def arms_of(study: Study, name: Name, universes: int | None = None) -> tuple[Arm, ...]:
    """Return the arms behind a table."""
    return placebo_arms(study, universes) if name == "placebo" else power_arms(study, universes)


def count_universes(home: Home, study: Study, name: Name, gate: Gate, universes: int | None = None) -> pl.DataFrame:
    """Count the blocks that are there, and file the table.

    Raises
    ------
    PlaceboError
        If none is.
    """
    arms, protocol = arms_of(study, name, universes), required_protocol(study)
    rows = block_rows(home, study, arms, gate)
    if rows.is_empty():
        raise PlaceboError(f"no universe of study {study.name!r} came to a claim: no block of them is done")
    each = rows.group_by("arm", maintain_order=True).agg(pl.col("kind").count(), pl.col("fault").first())
    silent = each.filter(kind=0)
    if len(silent) == len(each) or (name == "power" and len(silent)):  # whose curve would be a point short
        arm, _, fault = silent.row(0)
        raise PlaceboError(f"no universe of arm {arm} of {study.name!r} came to a claim, all were stopped: {fault}")
    planted = {arm.name: arm.r2 for arm in arms if arm.r2 is not None}
    table = false_claims(rows, protocol) if name == "placebo" else found_skill(rows, planted, protocol)
    done = dict(rows.group_by("arm", maintain_order=True).agg(pl.col("universe").n_unique()).iter_rows())
    text, folder = table.write_csv(), home.study(study.name).root / "placebo"
    write_text(text, folder / f"{name}.csv")
    # Last: what it describes is there by then.
    record = {"universes": done, "asked": universes, "table": hash_bytes(text.encode()), **git_state()}
    write_json({**record, "identity": _identity(home, study, arms, gate)}, folder / f"{name}.json")
    return table


def filed_count(home: Home, study: Study, name: Name, gate: Gate) -> Filed | None:
    """Return the table that was filed; None if there is none, or it is not the one that was counted."""
    record, content = recorded_csv(home.study(study.name).root / "placebo", name)
    if not record:
        return None
    identity = _identity(home, study, arms_of(study, name, record["asked"]), gate)
    table = pl.read_csv(content, infer_schema_length=None)
    return Filed(table, record["universes"], record["identity"] == identity, record["commit"])


def declared(study: Study, name: Name) -> dict[str, int]:
    """Return how many universes each arm of a table has to have."""
    required_section(study)
    return {arm.name: arm.universes for arm in arms_of(study, name)}


def _identity(home: Home, study: Study, arms: Sequence[Arm], gate: Gate) -> str:
    names = [block_file(home, study, block, gate).name for block in blocks(study, arms)]
    return hash_bytes("\n".join(names).encode())
