"""The scorecard as files of a home: all rows, a table by kind, what they were measured on. Nothing is examined."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from golden_core.leakage.rates import by_kind, faults, rates
from golden_core.leakage.scorecard import Scale
from golden_core.store.lake import (
    Home,
    hash_bytes,
    hash_file,
    read_json,
    shipped,
    write_json,
    write_parquet,
    write_text,
)
from golden_core.trials.code import source_files

# What is measured: these and all they import. The probes of a user's study are not among them.
_CODE = tuple(f"golden_core.leakage.{name}" for name in ("scorecard", "corpus", "workshop"))


@dataclass(frozen=True, eq=False)
class Filed:
    """A scorecard that was measured earlier.

    Parameters
    ----------
    rows : DataFrame
        As from :func:`golden_core.leakage.scorecard.scorecard`.
    scale : {"full", "quick"}
    current : bool
        Whether probes and corpus are still those it was measured on.
    """

    rows: pl.DataFrame
    scale: Scale
    current: bool

    def faults(self, kind: str) -> list[str]:
        """Return what speaks against the claim about one kind, its size counted only at full scale."""
        return faults(self.rows, kind, complete=self.scale == "full")


def file_scorecard(home: Home, rows: pl.DataFrame, scale: Scale) -> Path:
    """Write a scorecard and return its folder."""
    folder = _folder(home)
    kinds = by_kind(rows)
    write_parquet(rows, folder / "scorecard.parquet")
    write_text(rows.drop("cpu_seconds").write_csv(), folder / "scorecard.csv")
    write_text(kinds.write_csv(), folder / "scorecard_by_kind.csv")
    summary = {
        "scale": scale,
        "code": code_hash(),
        "cpu_seconds": round(float(rows["cpu_seconds"].sum()), 1),
        "rates": {name: str(rate) for name, rate in rates(rows).items()},
    }
    write_json(summary, folder / "scorecard.json")  # last: what it describes is there by then
    return folder


def filed_scorecard(home: Home) -> Filed | None:
    """Return the scorecard of a home, if there is one."""
    folder = _folder(home)
    if not (folder / "scorecard.json").is_file():
        return None
    summary = read_json(folder / "scorecard.json")
    return Filed(pl.read_parquet(folder / "scorecard.parquet"), summary["scale"], summary["code"] == code_hash())


def code_hash() -> str:
    """Return one hash of the probes, the workshop and the corpus."""
    files = source_files(_CODE) | {path.name: path for path in shipped("leakage").glob("*.yaml")}
    return hash_bytes("\n".join(f"{name} {hash_file(path)}" for name, path in sorted(files.items())).encode())


def _folder(home: Home) -> Path:
    return home.root / "leakage"
