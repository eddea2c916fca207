"""What a larger campaign would take: costs per trial and cell as measured here, times their number, over workers."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import polars as pl
from rich.table import Table

from golden_core.evaluation.point import metrics_table
from golden_core.store.lake import Home, series_name
from golden_core.study import Study
from golden_core.trials import read_outputs, trials_table
from golden_core.trials.stored import IncompleteError
from golden_dagster.benchmarks.orchestration import measure
from golden_dagster.cli.options import table


@dataclass(frozen=True)
class Size:
    """A campaign to plan: how many of everything."""

    pairs: int
    horizons: int
    seeds: int
    forecasters: int

    @property
    def cells(self) -> int:
        """Partitions over all forecasters: what Dagster records."""
        return self.pairs * self.horizons * self.seeds * self.forecasters


@dataclass(frozen=True)
class Costs:
    """What a study of this home has cost: forecasters in the proportion it has them, on series as long as its own."""

    study: str
    trials_per_series: tuple[int, int]  # forecasters whose trials are one for all seeds, and one per seed
    training: tuple[float, float]  # processor seconds per trial of either kind
    evaluation: float  # processor seconds per trial: reading it back, and its metrics
    recording: float  # processor seconds per cell of the one process that records, its start included
    megabytes: float  # per trial on disk
    memory: float  # megabytes of a trial's forecasts, which the fan-in holds all at once

    def trials(self, size: Size) -> tuple[int, int]:
        """Return how many trials there are without and with seeds: deterministic ones are trained once per series."""
        series, (fixed, seeded) = size.pairs * size.horizons, self.trials_per_series
        share = fixed / (fixed + seeded)
        return round(series * size.forecasters * share), round(series * size.forecasters * (1 - share) * size.seeds)


def costs(home: Home, study: Study, workers: int, note: Callable[[str], None]) -> Costs:
    """Return what the finished trials of a study have cost, and measure what evaluating and recording them does.

    Raises
    ------
    IncompleteError
        If no trial of the study is done.
    """
    done = trials_table(home, study).filter(pl.col("status") == "done")
    if done.is_empty():
        raise IncompleteError(f"no trial of study {study.name!r} is done: there is nothing to extrapolate from")
    kinds = [done.filter(pl.col("deterministic") == fixed) for fixed in (True, False)]
    started = time.process_time()
    forecasts, _ = read_outputs(home, study, done)
    metrics_table(forecasts, study.evaluation.strata)
    evaluation = (time.process_time() - started) / done.height
    folder = home.study(study.name)
    stored = [
        sum(file.stat().st_size for file in folder.trial(name, series_name(pair, horizon), print_).iterdir())
        for name, pair, horizon, print_ in done.select("forecaster", "pair", "horizon", "fingerprint").iter_rows()
    ]
    note("what Dagster adds to a cell, by 60 partitions of a trivial campaign …")
    return Costs(
        study=study.name,
        trials_per_series=(kinds[0]["forecaster"].n_unique(), kinds[1]["forecaster"].n_unique()),
        training=tuple(float(kind["cpu_seconds"].sum()) / max(kind.height, 1) for kind in kinds),  # type: ignore[arg-type]
        evaluation=evaluation,
        recording=measure([60], workers, note, ["trivial"])[0].recording,
        megabytes=sum(stored) / done.height / 1e6,
        memory=forecasts.estimated_size("mb") / done.height,
    )


def plan(found: Costs, size: Size, workers: Sequence[int]) -> Table:
    """Return hours per number of workers, and what takes longest with so many."""
    fixed, seeded = found.trials(size)
    total = fixed + seeded
    training = fixed * found.training[0] + seeded * found.training[1]
    title = f"{size.cells:,} cells, {total:,} trials, at the costs of study {found.study}"
    measured = (
        f"per trial: training {found.training[0]:.2f} s without and {found.training[1]:.2f} s with seeds, evaluation "
        f"{found.evaluation:.4f} s, {found.megabytes:.2f} MB; per cell: recording {found.recording:.4f} s. "
        f"Disk {total * found.megabytes / 1e3:,.0f} GB; memory of the fan-in {total * found.memory / 1e3:,.0f} GB."
    )
    heads, rows = ("workers", "training h", "recording h", "evaluation h", "in all h", "bottleneck"), []
    for count in workers:
        hours = {
            "training": training / count / 3600,
            "recording": size.cells * found.recording / 3600,
            "evaluation": total * found.evaluation / 3600,
        }
        cells = (f"{value:,.1f}" for value in (*hours.values(), sum(hours.values())))
        rows.append((count, *cells, max(hours, key=lambda part: hours[part])))
    return table(heads, rows, title=title, caption=measured)
