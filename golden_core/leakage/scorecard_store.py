"""What a scorecard says, in rates with exact intervals and faults against the claims, and its files in a home."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl
from scipy import stats

from golden_core.leakage.scorecard import CLEAN
from golden_core.store.lake import Home, hash_bytes, read_json, shipped_hashes, write_json, write_parquet, write_text
from golden_core.study.sections import canonical_json
from golden_core.trials.code import code_hash

CONFIDENCE = 0.95

# What is claimed. A deterministic leak shows or it does not; a statistical one has a power and a size.
LEAST_CAUGHT = {"deterministic": 1.0, "statistical": 0.95}
MOST_FALSE = {"deterministic": 0.0, "statistical": 0.01}
LEAST_CLEAN = {"deterministic": 300, "statistical": 1000}
LEAST_PLACED = 0.90


@dataclass(frozen=True)
class Rate:
    """Successes among trials."""

    successes: int
    trials: int

    @property
    def value(self) -> float:
        """The share; NaN of nothing."""
        return self.successes / self.trials if self.trials else float("nan")

    @property
    def interval(self) -> tuple[float, float]:
        """Exact interval (Clopper & Pearson 1934) at ``CONFIDENCE``."""
        if not self.trials:
            return 0.0, 1.0
        found = stats.binomtest(self.successes, self.trials).proportion_ci(CONFIDENCE, method="exact")
        return float(found.low), float(found.high)

    def __str__(self) -> str:
        low, high = self.interval
        return (
            f"{self.successes} of {self.trials} = {self.value:.1%} ({CONFIDENCE:.0%} interval {low:.1%} – {high:.1%})"
        )


def by_kind(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the table of the scorecard: a row per kind of leak, those not caught everywhere first."""
    return (
        rows.filter(pl.col("id") != CLEAN)
        .group_by("id", "leak_class", "kind", "held_out", "expected_probe", maintain_order=True)
        .agg(
            pl.col("site").n_unique().alias("sites"),
            pl.len().alias("pipelines"),
            pl.col("caught").sum(),
            pl.col("place_right").fill_null(False).sum().alias("placed"),
            pl.col("probes").filter("caught").unique().sort().str.join(" | ").alias("caught_by"),
            pl.concat_str("asset", pl.lit("."), "column")
            .filter(pl.col("caught"))
            .unique()
            .sort()
            .str.join(" | ")
            .alias("places"),
        )
        .sort(
            pl.col("caught") < pl.col("pipelines"),
            pl.col("placed") < pl.col("pipelines"),
            descending=True,
            maintain_order=True,
        )
    )


def rates(rows: pl.DataFrame) -> dict[str, Rate]:
    """Return every rate of a scorecard by name."""
    found = {}
    for kind in LEAST_CAUGHT:
        leaks = rows.filter(pl.col("id") != CLEAN, pl.col("kind") == kind)
        for held_out, name in ((False, ""), (True, ", held out")):
            some = leaks.filter(held_out=held_out)
            found[f"{kind} leaks caught{name}"] = Rate(int(some["caught"].sum()), some.height)
            caught = some.filter("caught")
            found[f"{kind} leaks placed{name}"] = Rate(int(caught["place_right"].sum()), caught.height)
        honest = rows.filter(pl.col("id") == CLEAN, pl.col("kind") == kind)
        found[f"{kind} false alarms"] = Rate(int(honest["caught"].sum()), honest.height)
    return found


def faults(rows: pl.DataFrame, kind: str) -> list[str]:
    """Return a sentence for everything that speaks against the claim about one kind of leaks."""
    leaks = rows.filter(pl.col("id") != CLEAN, pl.col("kind") == kind)
    honest = rows.filter(pl.col("id") == CLEAN, pl.col("kind") == kind)
    caught = Rate(int(leaks["caught"].sum()), leaks.height)
    placed = Rate(int(leaks["place_right"].fill_null(False).sum()), leaks.height)
    false = Rate(int(honest["caught"].sum()), honest.height)
    missed = leaks.filter(~pl.col("caught")).select("id", "site", "replicate")
    found = []
    if caught.trials == 0 or caught.value < LEAST_CAUGHT[kind]:
        names = [f"{name} (site {site}, replicate {replicate})" for name, site, replicate in missed.iter_rows()]
        least = f"at least {LEAST_CAUGHT[kind]:.0%} expected"
        found.append(f"{kind} leaks caught: {caught}, {least}; missed: {', '.join(names)}")
    if placed.trials == 0 or placed.value < LEAST_PLACED:
        found.append(f"{kind} leaks placed: {placed}, at least {LEAST_PLACED:.0%} expected")
    if false.trials and false.value > MOST_FALSE[kind]:
        first = honest.filter("caught").row(0, named=True)
        found.append(
            f"false alarms of {kind} probes: {false}, at most {MOST_FALSE[kind]:.0%} expected; the first on honest "
            f"pipeline {first['replicate']}: {first['asset']}.{first['column']}, {first['detail']}"
        )
    if false.trials < LEAST_CLEAN[kind]:
        found.append(f"{false.trials} honest pipelines were examined, {LEAST_CLEAN[kind]} are needed for the claim")
    return found


# What is measured: these and all they import. The probes of a user's study are not among them.
_CODE = tuple(f"golden_core.leakage.{name}" for name in ("scorecard", "corpus", "testbed"))


@dataclass(frozen=True, eq=False)
class Filed:
    """A scorecard that was measured earlier."""

    rows: pl.DataFrame  # as from :func:`golden_core.leakage.scorecard.scorecard`
    current: bool  # whether probes and corpus are still those it was measured on


def file_scorecard(home: Home, rows: pl.DataFrame, made_by: str) -> Path:
    """Write a scorecard and return its folder; ``made_by`` is :func:`probes_and_leaks` of before it was measured."""
    folder = _folder(home)
    kinds = by_kind(rows)
    write_parquet(rows, folder / "scorecard.parquet")
    write_text(rows.drop("cpu_seconds").write_csv(), folder / "scorecard.csv")
    write_text(kinds.write_csv(), folder / "scorecard_by_kind.csv")
    summary = {
        "code": made_by,
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
    return Filed(pl.read_parquet(folder / "scorecard.parquet"), summary["code"] == probes_and_leaks())


def probes_and_leaks() -> str:
    """Return one hash of what the probes, the testbed and the corpus do, and of the corpus' tables."""
    return hash_bytes(canonical_json([code_hash(_CODE), shipped_hashes("leakage")]).encode())


def _folder(home: Home) -> Path:
    return home.root / "leakage"
