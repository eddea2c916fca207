"""The tables of a study as they are archived: sorted, and hashed without what a clock or a home decides."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from golden_core.store.lake import hash_frame
from golden_core.store.schema import BENCHMARKS, WAREHOUSE_TABLES
from golden_core.store.warehouse import Warehouse
from golden_core.study import Study

# What a second run of the same study on the same machine need not repeat: times, and what else its home has seen.
UNREPEATABLE: Mapping[str, tuple[str, ...]] = {
    "trials": ("wall_seconds", "cpu_seconds", "peak_memory_mb"),
    "claims": ("tried", "registered"),
    "economics": ("tried", "deflated"),
}

PUBLIC = ("ecb", "synthetic", "synthetic_hours")  # sources whose bars anybody may pass on
OF_BARS = ("forecasts", "quantiles")  # tables that hold a source's prices, or forecasts of them

# What the study decided, and nothing else: the words of it survive another processor's last digit.
_VERDICTS = """
SELECT 'claim' AS what, forecaster, kind, scope, pair, horizon, CASE WHEN claimed THEN 'claimed' ELSE 'not claimed' END
    AS verdict FROM claims WHERE study = $study
UNION ALL
SELECT 'comparison', forecaster, benchmark, level, pair, horizon,
    CASE WHEN p_holm IS NULL THEN 'undefined' WHEN p_holm > $significance THEN 'no difference'
    WHEN mean_difference < 0 THEN 'better' ELSE 'worse' END
FROM comparisons WHERE study = $study AND level = 'ensemble'
ORDER BY ALL
"""


def published_tables(warehouse: Warehouse, study: Study) -> dict[str, pl.DataFrame]:
    """Return a study's rows of every table of the warehouse, sorted by key, as far as anybody may have them.

    What was timed is left out, and of sources that are not public whatever holds prices or forecasts of them.
    """
    left_out = {BENCHMARKS.name, *(() if study.data.source in PUBLIC else OF_BARS)}
    with warehouse.kept_open():
        return {
            table.name: warehouse.query(
                f"SELECT * FROM {table.name} WHERE study = ? ORDER BY " + ", ".join(f'"{name}"' for name in table.key),
                [study.name],
            )
            for table in WAREHOUSE_TABLES
            if table.name not in left_out
        }


def verdicts(warehouse: Warehouse, study: Study) -> pl.DataFrame:
    """Return ``what, forecaster, kind, scope, pair, horizon, verdict`` of every claim and comparison of a study."""
    given = {"study": study.name, "significance": study.evaluation.significance}
    return warehouse.query(_VERDICTS, given)


def table_hash(name: str, frame: pl.DataFrame) -> str:
    """Return the SHA-256 of a table's columns and values, those left out that no second run repeats."""
    return hash_frame(frame.drop(UNREPEATABLE.get(name, ()), strict=False).rechunk())


def described(tables: Mapping[str, pl.DataFrame]) -> dict[str, dict[str, str | int]]:
    """Return rows and hash of every table."""
    return {name: {"rows": frame.height, "sha256": table_hash(name, frame)} for name, frame in tables.items()}
