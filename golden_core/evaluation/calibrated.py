"""The calibration of the tests that was last measured in a home, and what speaks against it. Measuring is elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl
from scipy import stats

from golden_core.statistics.calibration import calibrate
from golden_core.store.lake import Home, hash_bytes, recorded_csv, write_json, write_text
from golden_core.store.randomness import Stream
from golden_core.trials.code import code_hash

LEAST_SIMULATIONS = 10_000
_CODE = ("golden_core.statistics.calibration",)
_STREAM = Stream(20261127, ("statistics", "calibration"))
_KEY = ["test", "world", "n", "horizon", "measure"]
_FALSE_ALARM = 1e-3  # of the repetition as a whole


@dataclass(frozen=True, eq=False)
class Calibrated:
    """A calibration that was measured earlier."""

    table: pl.DataFrame  # as from :func:`golden_core.statistics.calibration.calibrate`
    simulations: int
    current: bool  # whether tests and worlds are still those it was measured on


def measure_calibration(home: Home, simulations: int, *, jobs: int = 1) -> tuple[pl.DataFrame, Path]:
    """Measure size and power of every test in its worlds, and file table, code and size; return table and folder."""
    table = calibrate(_STREAM, simulations=simulations, jobs=jobs)
    text, folder = table.write_csv(), _folder(home)
    write_text(text, folder / "calibration.csv")
    record = {"simulations": simulations, "code": code_hash(_CODE), "table": hash_bytes(text.encode())}
    write_json(record, folder / "calibration.json")  # last: what it describes is there by then
    return table, folder


def filed_calibration(home: Home) -> Calibrated | None:
    """Return the calibration of a home; None if there is none, or its table is not the one that was measured."""
    record, content = recorded_csv(_folder(home), "calibration")
    if not record:
        return None
    table = pl.read_csv(content, schema_overrides=dict.fromkeys(("rate", "low", "high"), pl.Float64))
    return Calibrated(table, record["simulations"], record["code"] == code_hash(_CODE))


def off_size(table: pl.DataFrame) -> list[str]:
    """Return a sentence for every measure that lies beyond what it has to keep."""
    bad = table.filter(pl.col("verdict").is_in(["too large", "too small"]))
    return [
        f"{row['test']} in {row['world']}, n {row['n']}, horizon {row['horizon']}: {row['measure']} {row['rate']:.4f}, "
        f"[{row['low']}, {row['high']}] expected"
        for row in bad.iter_rows(named=True)
    ]


def repetition_differences(filed: pl.DataFrame, simulations: int) -> tuple[list[str], int]:
    """Measure again with simulations of other chance; return rates beyond chance of those filed, and how many."""
    again = calibrate(_STREAM.child("again"), simulations=simulations, jobs=2)
    both = filed.join(again, on=_KEY, suffix="_again").drop_nulls(["rate", "rate_again"])
    pooled = (pl.col("rate") * pl.col("simulations") + pl.col("rate_again") * pl.col("simulations_again")) / (
        pl.col("simulations") + pl.col("simulations_again")
    )
    spread = (pooled * (1 - pooled) * (1 / pl.col("simulations") + 1 / pl.col("simulations_again"))).sqrt()
    limit = float(stats.norm.isf(_FALSE_ALARM / 2 / max(both.height, 1)))
    # Half a simulation more, since a rate of few simulations is no normal variable near 0 and 1.
    slack = 0.5 / pl.col("simulations_again")
    beyond = (pl.col("rate") - pl.col("rate_again")).abs() > limit * spread + slack
    found = [
        f"{' '.join(map(str, row[:5]))}: filed {row[5]:.4f}, measured again {row[6]:.4f}"
        for row in both.filter(beyond).select(*_KEY, "rate", "rate_again").iter_rows()
    ]
    missing = filed.filter(pl.col("rate").is_not_null()).join(both, on=_KEY, how="anti").height
    return [
        *found,
        *([f"{missing} measures of the filed table were not measured again"] if missing else []),
    ], both.height


def size_points(table: pl.DataFrame) -> pl.DataFrame:
    """Return the sizes of all cells that were measured, with the half-width of their 95 % interval."""
    sizes = table.filter(pl.col("measure").str.starts_with("size"), pl.col("rate").is_not_null())
    half = 1.96 * (pl.col("rate") * (1 - pl.col("rate")) / pl.col("simulations")).sqrt()
    return sizes.with_columns(half=half)


def _folder(home: Home) -> Path:
    return home.root / "statistics"
