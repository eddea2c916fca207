"""A study that was run again, held against its archive: tables by hash, verdicts one by one, and likely causes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from golden_core.publication.integrity import results
from golden_core.publication.tables import described, published_tables, verdicts
from golden_core.store.lake import Home, hash_frame, read_table, stored_json
from golden_core.store.provenance import git_state, library_versions, machine, same_processor
from golden_core.store.warehouse import Warehouse
from golden_core.study import Study


@dataclass(frozen=True)
class Comparison:
    """How many tables and verdicts there are, and which of them came out otherwise."""

    tables: int
    other_tables: tuple[str, ...]
    verdicts: int
    other_verdicts: tuple[str, ...]
    causes: tuple[str, ...]

    @property
    def reproduced(self) -> bool:
        """Whether every verdict is the archived one, and every table too unless the machine explains that it is not."""
        return not self.other_verdicts and (not self.other_tables or bool(self.causes))

    @property
    def lines(self) -> list[str]:
        """A line for each thing that differs."""
        return [
            *(f"cause     {text}" for text in self.causes),
            *(f"table     {name} has another hash" for name in self.other_tables),
            *(f"verdict   {text}" for text in self.other_verdicts),
        ]

    @property
    def summary(self) -> str:
        """One line that says it all."""
        word = "reproduced" if self.reproduced else "NOT REPRODUCED"
        tables = f"{self.tables - len(self.other_tables)} of {self.tables} tables have the archived hash"
        same = self.verdicts - len(self.other_verdicts)
        return f"{word}: {tables}; {same} of {self.verdicts} verdicts are the archived ones"


def compared(home: Home, study: Study, folder: Path) -> Comparison:
    """Compare the tables of a study in a home with those of an archive."""
    archived, warehouse = results(folder), Warehouse(home.warehouse)
    now = {**published_tables(warehouse, study), "verdicts": verdicts(warehouse, study)}
    hashes = described(now)
    names = sorted(archived["tables"].keys() | hashes.keys())
    recorded = pl.read_parquet(folder / "data" / "tables" / "verdicts.parquet", glob=False)
    key = [name for name in recorded.columns if name != "verdict"]
    both = recorded.join(now["verdicts"], on=key, how="full", coalesce=True, suffix="_now", nulls_equal=True)
    other = [
        f"{', '.join(str(part) for part in row[:6])}: {row[6]}, now {row[7]}"
        for row in both.filter(pl.col("verdict").ne_missing(pl.col("verdict_now"))).sort(key).iter_rows()
    ]
    return Comparison(
        tables=len(names),
        other_tables=tuple(name for name in names if archived["tables"].get(name) != hashes.get(name)),
        verdicts=both.height,
        other_verdicts=tuple(other),
        causes=tuple(_causes(archived, home, study, folder / "data")),
    )


def _causes(archived: Mapping[str, Any], home: Home, study: Study, payload: Path) -> Iterator[str]:
    """Yield what is otherwise here than where the archived trials ran; without such a thing every byte must agree."""
    stored, raw = home.study(study.name), payload / "inputs" / "raw.parquet"
    # A newer file may hold the same rates for the study's days: then it is the cause of nothing.
    same_raw = raw.is_file() and hash_frame(read_table(raw)) == hash_frame(read_table(stored.raw))
    if not same_raw and archived["source"] != stored_json(stored.source):
        yield "the source's file is not the archived one: see manifests/source.json"
    if (commit := git_state()["commit"]) and commit != archived["git"].get("commit"):
        yield f"the code is that of commit {commit}, not of {archived['git'].get('commit') or 'none'}"
    files = sorted((payload / "manifests" / "trials").rglob("*.json"))
    # One that is damaged excuses nothing.
    trials = [said for path in files if (said := stored_json(path, machine=dict, libraries=dict))]
    ran, cpu = {str(trial["machine"].get("cpu")) for trial in trials}, machine()["cpu"]
    if others := sorted(one for one in ran if not same_processor(one, cpu)):
        yield f"trials ran on {', '.join(others)}, here is {cpu}"
    used = {(name, version) for trial in trials for name, version in trial["libraries"].items()}
    here = library_versions(tuple(sorted({name for name, _ in used})))
    if other := [f"{name} {version} (here {here[name]})" for name, version in sorted(used) if here[name] != version]:
        yield f"trials ran with {', '.join(other)}"
