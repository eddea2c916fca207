"""The probes put to the proof: every planted leak, honest pipelines beside them. What rates must be is not here."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import polars as pl
from joblib import Parallel, delayed
from ruamel.yaml import YAML

from golden_core.leakage.artefacts import Finding
from golden_core.leakage.corpus.entries import (
    CORPUS,
    FOLDER,
    HELD_OUT,
    Entry,
    Specimen,
    clean_specimen,
    planted_specimen,
    read_entries,
)
from golden_core.leakage.corpus.planting import Site
from golden_core.leakage.examination import Effort, deterministic
from golden_core.leakage.statistical import Screen, statistical
from golden_core.store.randomness import Stream

SETTINGS = FOLDER / "scorecard.yaml"
Kind = Literal["deterministic", "statistical"]
KINDS: tuple[Kind, ...] = ("deterministic", "statistical")
CLEAN = "clean"
Rows = Iterable[dict[str, Any]]

ROWS = {
    "id": pl.String,
    "leak_class": pl.String,
    "kind": pl.String,
    "held_out": pl.Boolean,
    "site": pl.Int64,
    "replicate": pl.Int64,
    "caught": pl.Boolean,
    "place_right": pl.Boolean,
    "expected_probe": pl.String,
    "probes": pl.String,
    "asset": pl.String,
    "column": pl.String,
    "detail": pl.String,
    "cpu_seconds": pl.Float64,
}


@dataclass(frozen=True)
class Settings:
    """How much is examined and how strictly; read from ``data/leakage/scorecard.yaml``."""

    root: int  # root of all random streams
    level: float  # this, ``tolerated`` and ``permutations`` as in :class:`golden_core.leakage.statistical.Screen`
    tolerated: float
    permutations: int
    effort: Effort
    clean_deterministic: int  # honest pipelines for either kind of probe
    clean_statistical: int
    replicates: int  # random plans and bars per site of a statistical kind


@dataclass(frozen=True)
class Job:
    """One pipeline to examine: a planted one, or an honest one where ``entry`` is None."""

    kind: Kind
    entry: Entry | None
    held_out: bool
    site: int
    replicate: int


def read_settings() -> Settings:
    """Return the settings that ship."""
    record: Mapping[str, Any] = YAML(typ="safe").load(SETTINGS)
    return Settings(**{**record, "effort": Effort(**record["effort"])})


def jobs(settings: Settings) -> Iterator[Job]:
    """Yield every pipeline of a scorecard: the leaks first, then the honest ones."""
    for path, held_out in ((CORPUS, False), (HELD_OUT, True)):
        for entry in read_entries(path):
            count = settings.replicates if entry.kind == "statistical" else 1
            for site in range(len(entry.sites)):
                yield from (Job(entry.kind, entry, held_out, site, replicate) for replicate in range(count))
    counts = {"deterministic": settings.clean_deterministic, "statistical": settings.clean_statistical}
    for kind in KINDS:
        yield from (Job(kind, None, False, 0, replicate) for replicate in range(counts[kind]))


def examine(job: Job, settings: Settings) -> dict[str, Any]:
    """Make the pipeline of a job, put it before the probes of its kind, and return a row of the scorecard."""
    begun = time.process_time()
    site = job.entry.sites[job.site] if job.entry else Site()
    stream = Stream(settings.root).child(job.kind, job.entry.id if job.entry else CLEAN, job.site, job.replicate)
    specimen = planted_specimen(job.entry, site, stream) if job.entry else clean_specimen(stream)
    found = _found(job.kind, specimen, settings, stream)
    first = found[0] if found else None
    return {
        "id": job.entry.id if job.entry else CLEAN,
        "leak_class": job.entry.leak_class if job.entry else None,
        "kind": job.kind,
        "held_out": job.held_out,
        "site": job.site,
        "replicate": job.replicate,
        "caught": first is not None,
        "place_right": job.entry.names(first, site) if job.entry and first else None,
        "expected_probe": job.entry.probe if job.entry else None,
        "probes": ", ".join(dict.fromkeys(finding.probe for finding in found)),
        "asset": first.asset if first else None,
        "column": first.column if first else None,
        "detail": first.detail if first else None,
        "cpu_seconds": time.process_time() - begun,
    }


def scorecard(
    settings: Settings, *, backend: str, workers: int, watched: Callable[[Rows, int], Rows] = lambda rows, _all: rows
) -> pl.DataFrame:
    """Examine everything and return a row per pipeline, columns as in ``ROWS``, in the order of :func:`jobs`.

    ``workers`` are processes of a joblib ``backend``; ``watched`` passes on the rows, of which it is told the number.
    """
    todo = list(jobs(settings))
    parallel = Parallel(n_jobs=workers, backend=backend, return_as="generator")
    return pl.DataFrame(
        list(watched(parallel(delayed(examine)(job, settings) for job in todo), len(todo))), schema=ROWS
    )


def _found(kind: Kind, specimen: Specimen, settings: Settings, stream: Stream) -> list[Finding]:
    if kind == "deterministic":
        return deterministic(
            specimen.pipeline, specimen.raw, settings.effort, stream.child("probe"), embargo=specimen.plan.embargo
        )
    screen = Screen(settings.level, settings.tolerated, specimen.plan.horizons, settings.permutations)
    return statistical(specimen.pipeline, specimen.raw, screen, stream.child("probe"))
