"""The published table, as numbers by variant. Whether its numbers agree with each other is the audit's question."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import polars as pl

from golden_core.legacy.frozen import FACTS


def published_errors(metric: Literal["mae", "mse", "rmse", "r2"], folder: Path = FACTS) -> dict[str, float]:
    """Return one published test metric by variant, ``v01`` … ``v10``."""
    table = pl.read_csv(folder / "published_results.csv")
    names = table["variant"].str.replace("_", "").to_list()
    return dict(zip(names, table[metric].cast(pl.Float64).to_list(), strict=True))
