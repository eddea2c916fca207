"""What orchestration costs: the same trials run bare, through joblib, and as Dagster assets, in one session."""

from __future__ import annotations

import json
import resource
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.table import Table

from golden_core.benchmarking.measurement import Measurement as Timed
from golden_core.benchmarking.measurement import timed
from golden_core.preparation import prepare_all
from golden_core.preparation.catalogue import load_study
from golden_core.store.lake import Home, temporary_home
from golden_core.study import Study
from golden_core.trials import all_trials, run_trials
from golden_core.trials.campaign import fingerprinted
from golden_core.trials.workers import stop_workers
from golden_dagster.campaign import open_campaign
from golden_dagster.cli.options import table
from golden_dagster.resources import WorkersResource, available_cores

_MAJORS = ("EURUSD", "USDJPY", "GBPUSD", "USDCHF", "AUDUSD", "USDCAD", "NZDUSD")
SIZES = {  # partitions → pairs, horizons, seeds
    60: (_MAJORS[:3], (1, 5), 10),
    210: (_MAJORS, (1, 5, 20), 10),
    2400: (_MAJORS[:2], (1, 5), 600),
    24000: (_MAJORS[:6], (1, 5, 10, 20), 1000),  # no study has more seeds
}
LARGE = 1000  # from here on trivial trials only: what is asked then is what recording them costs
KINDS: dict[str, dict[str, dict[str, object]]] = {
    "trivial": {},  # the random walk: nothing to fit, and its seeds are shared
    "real": {"dlinear": {"moving_average": 3, "epochs": 20}},
}


@dataclass(frozen=True)
class Measurement:
    """Seconds for one set of trials, three ways. ``trials`` counts partitions over all model assets."""

    kind: str
    partitions: int
    trials: int
    bare: float
    joblib: float
    dagster: float
    workers: int
    recording: float  # processor seconds of the process that records, per partition of an asset
    memory_gb: float  # the most that this process has had

    @property
    def overhead(self) -> float:
        """Seconds that Dagster adds to each partition of each asset."""
        return (self.dagster - self.joblib) / self.trials

    @property
    def ratio(self) -> float:
        """Dagster campaign over joblib campaign."""
        return self.dagster / self.joblib

    def measurements(self) -> list[Timed]:
        """Return the three ways as rows of the table of benchmarks, each of one duration."""
        ways = {"bare": (self.bare, 1), "joblib": (self.joblib, self.workers), "Dagster": (self.dagster, self.workers)}
        return [
            timed(f"{self.kind} trials, {way}", "campaign", "trial", [seconds], self.trials, threads=threads)
            for way, (seconds, threads) in ways.items()
        ]


def measure(
    sizes: Sequence[int], workers: int, note: Callable[[str], None], kinds: Sequence[str] = tuple(KINDS)
) -> list[Measurement]:
    """Measure every kind and size of campaign; each starts from an empty home.

    Raises
    ------
    ValueError
        For another size than those of ``SIZES``.
    """
    unknown = sorted(set(sizes) - set(SIZES))
    if unknown:
        raise ValueError(f"there is no campaign of {unknown[0]} partitions; known: {', '.join(map(str, SIZES))}")
    count = workers or available_cores()
    found = []
    for kind in kinds:
        for size in (size for size in sizes if size < LARGE or kind == "trivial"):
            note(f"{kind}, {size} partitions …")
            with temporary_home() as home:
                found.append(_measure_one(home, kind, size, count))
    stop_workers()
    return found


def view(rows: Sequence[Measurement]) -> Table:
    """Return the measurements as a table."""
    heads = (
        "kind", "partitions", "trials", "bare s", "joblib s", "Dagster s", "s per trial", "its CPU s per trial",
        "Dagster / joblib", "peak GB",
    )  # fmt: skip
    cells = (
        (
            row.kind, row.partitions, row.trials, f"{row.bare:.2f}", f"{row.joblib:.2f}", f"{row.dagster:.2f}",
            f"{row.overhead:.3f}", f"{row.recording:.4f}", f"{row.ratio:.2f}", f"{row.memory_gb:.2f}",
        )
        for row in rows
    )  # fmt: skip
    return table(heads, cells, title=f"Cost of orchestration, {rows[0].workers} workers")


def _measure_one(home: Home, kind: str, size: int, workers: int) -> Measurement:
    overrides = _overrides(kind, size)
    study = load_study("smoke", overrides)
    prepare_all(home, study)
    bare, _ = _run(home, study, "sequential", 1)
    _run(home, study, "loky", workers)  # starts the workers and imports what they need
    _, joblib = _run(home, study, "loky", workers)
    shutil.rmtree(home.study(study.name).root / "trials")
    pool = WorkersResource(backend="loky", workers=workers)
    with open_campaign("smoke", overrides, workers=pool) as campaign:
        seconds = recording = 0.0
        for stage in campaign.stages():
            started, used = time.perf_counter(), time.process_time()
            if not campaign.execute(stage):
                raise RuntimeError(f"stage {stage.name} failed: {campaign.failures[0]}")
            if stage.name == "models":
                seconds = time.perf_counter() - started
                recording = (time.process_time() - used) / len(all_trials(study))
                break
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return Measurement(kind, size, len(all_trials(study)), bare, joblib, seconds, workers, recording, memory)


def _run(home: Home, study: Study, backend: str, workers: int) -> tuple[float, float]:
    """Run all trials from nothing; return the seconds inside trials and the seconds in all."""
    shutil.rmtree(home.study(study.name).root / "trials", ignore_errors=True)
    started = time.perf_counter()
    jobs = fingerprinted(home, study, all_trials(study))
    outcomes = list(run_trials(home, study, jobs, backend=backend, workers=workers))
    failed = [outcome.error for outcome in outcomes if outcome.error]
    if failed:
        raise RuntimeError(f"a trial of the benchmark failed: {failed[0]}")
    return sum(outcome.seconds for outcome in outcomes), time.perf_counter() - started


def _overrides(kind: str, size: int) -> list[str]:
    pairs, horizons, seeds = SIZES[size]
    forecasters = {"random_walk": {}, **KINDS[kind]}
    return [
        f"data.pairs=[{', '.join(pairs)}]",
        f"horizons={list(horizons)}",
        f"seeds.count={seeds}",
        f"forecasters={json.dumps(forecasters)}",
    ]
