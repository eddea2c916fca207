"""Runs of benchmarks in the lake, whole or not at all: raw samples, rows, provenance; and baselines once accepted."""

from __future__ import annotations

import datetime
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from scipy import special, stats

from golden_core.benchmarking.sampling import ALPHA, summarise
from golden_core.store.lake import Home, new_folder, read_table, stored_json, write_json, write_parquet
from golden_core.store.locking import only_one
from golden_core.store.provenance import describe_environment, machine
from golden_core.store.schema import BENCHMARKS
from golden_core.store.warehouse import Warehouse

if TYPE_CHECKING:  # it knows networks, and whoever reads a run need not wait for torch
    from golden_core.benchmarking.measurement import Measurement

KEY = ("subject", "scenario", "device", "precision", "threads", "batch")
SLOWER = 1.10  # a median so many times that of the accepted baseline is a regression
_STAMP = "%Y%m%dT%H%M%S%fZ"


class BenchmarkError(LookupError):
    """There is no run to accept or to show; the message says what to do."""


@dataclass(frozen=True, eq=False)
class Run:
    """A run of one benchmark, as it was filed."""

    folder: Path
    rows: pl.DataFrame  # schema.BENCHMARKS

    @property
    def samples(self) -> pl.LazyFrame:
        """KEY and seconds of every duration, which may be millions: read as far as somebody asks for them."""
        return pl.scan_parquet(self.folder / "samples.parquet", glob=False)

    def seconds(self, key: Sequence[Any]) -> np.ndarray[Any, np.dtype[np.float64]]:
        """Return the durations [N] behind a row."""
        wanted = self.samples.filter(**dict(zip(KEY, key, strict=True))).select("seconds")
        return wanted.collect()["seconds"].to_numpy()


def machine_class() -> str:
    """Return what two machines share whose times may be compared: processor, cores, and the accelerator."""
    found = machine()
    cards = "".join(f" + {card['name']}" for card in found["gpu"] or ())
    return f"{found['cpu']} × {found['cores']}{cards}"


def file_run(home: Home, benchmark: str, study: str, found: Sequence[Measurement]) -> Run:
    """File a run and put the last runs of its study into the warehouse; ``study`` is empty for what belongs to none."""
    now, facts = datetime.datetime.now(datetime.UTC), describe_environment()
    name = now.strftime(_STAMP)
    shared = {
        "study": study,
        "benchmark": benchmark,
        "run": name,
        "measured_at": now,
        "machine": machine_class(),
        "load": os.getloadavg()[0] / facts["machine"]["cores"],
        **facts["git"],
        "versions": json.dumps({"python": facts["machine"]["python"], **facts["libraries"]}),
    }
    rows = pl.DataFrame([{**shared, **one.row()} for one in found], schema=BENCHMARKS.dtypes)
    samples = pl.concat(_samples(one) for one in found)
    folder = home.root / "benchmarks" / benchmark / (study or "-") / name
    with new_folder(folder, same=False) as temporary:
        write_parquet(BENCHMARKS.conform(rows), temporary / "rows.parquet")
        write_parquet(samples, temporary / "samples.parquet")
        write_json(facts, temporary / "provenance.json")
    load_benchmarks(home, study)
    return read_run(folder)


def read_run(folder: Path) -> Run:
    """Read a run back; StoredTableError where it is damaged."""
    read = partial(read_table, fix=f"bring it back, or delete {folder}")
    read(folder / "samples.parquet", rows=0)
    return Run(folder, BENCHMARKS.conform(read(folder / "rows.parquet")))


def last_runs(home: Home, study: str | None = None, *, on: str | None = None) -> list[Run]:
    """Return the last run of every benchmark, of one study or of all and of none, on one machine class or on any."""
    # A point begins the name of what a killed process was writing.
    folders = {path.parent.parent for path in (home.root / "benchmarks").glob("*/*/[!.]*/rows.parquet")}
    latest_first = (sorted(folder.glob("[!.]*/rows.parquet"), reverse=True) for folder in sorted(folders))
    runs = ((read_run(path.parent) for path in paths) for paths in latest_first)
    last = [next((run for run in some if on in (None, run.rows["machine"][0])), None) for some in runs]
    return [run for run in last if run and (study is None or run.rows["study"][0] == study)]


def load_benchmarks(home: Home, study: str) -> None:
    """Put the last runs of a study into the warehouse."""
    rows = [run.rows for run in last_runs(home, study)]
    Warehouse(home.warehouse).load(study, {BENCHMARKS.name: pl.concat([BENCHMARKS.empty(), *rows])})


def accept(home: Home, benchmark: str) -> list[str]:
    """Make the last runs of a benchmark the baselines of this machine class; return their folders' names.

    Raises
    ------
    BenchmarkError
        If there is none from such a machine, or what was accepted before cannot be read.
    """
    here = machine_class()
    runs = [run for run in last_runs(home, on=here) if run.rows["benchmark"][0] == benchmark]
    if not runs:
        raise BenchmarkError(f"no run of {benchmark!r} was filed on {here}: run `golden bench {benchmark}` first")
    named = {_place(run): run.folder.name for run in runs}
    with only_one(home.root / "benchmarks" / "lock.json", "what was accepted of benchmarks"):
        before = _baselines(home)
        write_json({**before, here: {**before.get(here, {}), **named}}, _accepted(home))
    return list(named.values())


def regressions(home: Home) -> tuple[list[str], int]:
    """Return what has become slower than the accepted baseline of its machine class, and how many rows were compared.

    Slower means a median of more than 1.1 times, and p ≤ 1 % by Mann & Whitney (1947): sessions apart cannot be paired.
    Samples so small that nothing could ever be told of them, as three cold starts and three, are not compared. The last
    runs of every machine are: of one home several may have written.
    """
    found, compared = list[str](), 0
    try:
        accepted = _baselines(home)
    except BenchmarkError as error:
        return [str(error)], 0
    machines = {run.rows["machine"][0] for run in last_runs(home)} | set(accepted)
    for run in (run for one in sorted(machines) for run in last_runs(home, on=one)):
        here = run.rows["machine"][0]
        name = accepted.get(here, {}).get(_place(run))
        folder = run.folder.with_name(str(name))
        if name in (None, run.folder.name):
            continue
        if not folder.is_dir():
            found.append(f"{_place(run)}: the accepted run {name} of {here} is gone: bring it back, or accept another")
            continue
        baseline = read_run(folder)
        common = run.rows.join(baseline.rows, on=KEY, how="semi")
        for key in common.select(KEY).iter_rows():
            new, old = len(run.seconds(key)), len(baseline.seconds(key))
            # The least p there can be: every one of the new takes longer than all of the old.
            if 2 / special.comb(new + old, new) <= ALPHA:
                compared += 1
                found += _slower(run, baseline, key)
    return found, compared


def unfaithful(home: Home) -> tuple[list[str], int]:
    """Return rows that do not follow from their raw samples, percentiles refused included, and how many there are."""
    found, examined = [], 0
    for run in last_runs(home):
        for row in run.rows.iter_rows(named=True):
            examined += 1
            key = [row[name] for name in KEY]
            seconds = run.seconds(key)
            again = summarise(seconds, row["batch"]) if len(seconds) else {"samples": 0}
            reason = again.pop("undefined", "")
            wrong = [name for name, value in again.items() if row[name] != value]
            wrong += [] if row["undefined"].startswith(reason) else ["undefined"]
            found += [f"{_label(run, key)}: {name} is not what the samples give" for name in wrong]
    return found, examined


def unsteady(home: Home) -> tuple[list[str], int]:
    """Return the rows whose warm-up did not settle by its rule, and how many there are."""
    rows = pl.concat([BENCHMARKS.empty(), *(run.rows for run in last_runs(home))])
    repeated = rows.filter(pl.col("warm_up") > 0)
    names = repeated.filter(~pl.col("steady")).select("benchmark", *KEY).iter_rows()
    return [f"{' '.join(map(str, name))}: never steady" for name in names], repeated.height


def _slower(run: Run, baseline: Run, key: Sequence[Any]) -> Iterator[str]:
    new, old = run.seconds(key), baseline.seconds(key)
    ratio = float(np.median(new) / np.median(old))
    if ratio > SLOWER and stats.mannwhitneyu(new, old).pvalue <= ALPHA:
        load = [one.rows["load"][0] for one in (baseline, run)]
        yield (
            f"{_label(run, key)}: {ratio:.2f} times the median of the accepted run {baseline.folder.name} "
            f"(load per core {load[0]:.1f} then, {load[1]:.1f} now)"
        )


def _label(run: Run, key: Any) -> str:
    return f"{run.rows['benchmark'][0]} {' '.join(map(str, key))}"


def _samples(one: Measurement) -> pl.DataFrame:
    named = {"subject": one.subject, "scenario": one.scenario, **one.condition.__dict__}
    types = {name: BENCHMARKS.dtypes[name] for name in KEY}
    literals = [pl.lit(named[name], types[name]).alias(name) for name in KEY]
    return pl.DataFrame({"seconds": one.sample.seconds}).select(*literals, "seconds")


def _place(run: Run) -> str:
    return f"{run.rows['benchmark'][0]}/{run.rows['study'][0]}"


def _accepted(home: Home) -> Path:
    return home.root / "benchmarks" / "accepted.json"


def _baselines(home: Home) -> dict[str, Any]:
    """Return the accepted runs: machine class → benchmark/study → name; BenchmarkError if what says so is damaged."""
    path = _accepted(home)
    found = stored_json(path)
    if path.exists() and not found:
        raise BenchmarkError(f"{path} cannot be read, and names the accepted runs of every machine: mend or delete it")
    return found
