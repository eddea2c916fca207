"""What a trial is, what it depends on, and whether it has been done."""

from __future__ import annotations

import contextlib
import importlib
import itertools
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import polars as pl

from golden_core.forecasters import forecaster_facts
from golden_core.store.kernels import VARIABLES
from golden_core.store.lake import (
    Home,
    StoredTableError,
    StudyFolder,
    hash_bytes,
    hash_file,
    hash_frame,
    identified,
    read_table,
    series_name,
    stored_json,
    write_json,
)
from golden_core.store.provenance import library_versions
from golden_core.study import Study
from golden_core.study.sections import canonical_json
from golden_core.trials.code import code_hash, own_hash

Status = Literal["done", "failed", "missing"]

# Code that every trial runs, beside its forecaster. Sources and cleaning enter as the hash of the bars.
SHARED_CODE = ("golden_core.inputs.features", "golden_core.inputs.windows", "golden_core.splits.scaling")

# What a trial that trains on a card runs besides: there even a single network is a cohort, of one.
COHORT_CODE = ("golden_core.training.cohort",)

# What a trial with portable kernels runs besides.
PORTABLE_CODE = ("golden_core.training.portable",)

# What a trial of a study with quantiles runs besides.
QUANTILE_CODE = (
    "golden_core.forecasters.quantiles",
    "golden_core.splits.calibration",
    "golden_core.uncertainty.calibration",
)

# What gives a trial its labels and streams, and makes rows of forecasts: these files alone, not what they import.
ROWS_CODE = (
    "golden_core.splits.closures",
    "golden_core.splits.labels",
    "golden_core.training.determinism",
    "golden_core.trials.rows",
)
QUANTILE_ROWS_CODE = ("golden_core.trials.quantiles",)


class UnreadyError(RuntimeError):
    """A trial was asked for before its bars and folds exist."""


@dataclass(frozen=True, order=True)
class Trial:
    """One forecaster × pair × horizon × seed."""

    forecaster: str
    pair: str
    horizon: int
    seed: int

    @property
    def series(self) -> str:
        """Pair and horizon: ``EURUSD_h1``."""
        return series_name(self.pair, self.horizon)

    def __str__(self) -> str:
        return f"{self.forecaster} on {self.series}, seed {self.seed}"


@dataclass(frozen=True, eq=False)
class SeriesInputs:
    """Everything a trial reads from the lake, and its hash."""

    bars: pl.DataFrame
    folds: pl.DataFrame
    scalers: pl.DataFrame
    hash: str


def all_series(study: Study) -> list[tuple[str, int]]:
    """Return every pair × horizon of a study, in its own order."""
    return list(itertools.product(study.data.pairs, study.horizons))


def all_trials(study: Study) -> list[Trial]:
    """Return every trial that a study asks for, in a fixed order."""
    return [
        Trial(forecaster, pair, horizon, seed)
        for forecaster in sorted(study.forecasters)
        for pair, horizon in all_series(study)
        for seed in range(study.seeds.count)
    ]


def is_deterministic(study: Study, trial: Trial) -> bool:
    """Whether all seeds of a trial's forecaster are one trial."""
    return forecaster_facts(trial.forecaster, study.forecasters[trial.forecaster]).deterministic


def distinct_trials(study: Study) -> list[Trial]:
    """Return every trial once: all seeds of a deterministic forecaster are its first."""
    return [trial for trial in all_trials(study) if trial.seed == 0 or not is_deterministic(study, trial)]


def series_inputs(home: Home, study: Study, pair: str, horizon: int) -> SeriesInputs:
    """Read bars, folds and scalers of one series.

    Raises
    ------
    UnreadyError
        If a table has not been written yet, or cannot be read.
    """
    series, paths = series_name(pair, horizon), input_tables(home, study, pair, horizon)
    for path in paths:
        if not path.exists():
            raise UnreadyError(f"{path} does not exist yet: materialise bars and folds of {series} first")
    try:
        bars, folds, scalers = (read_table(path) for path in paths)
    except StoredTableError as error:
        raise UnreadyError(str(error)) from None
    identity = hash_bytes("".join(hash_frame(frame) for frame in (bars, folds, scalers)).encode())
    return SeriesInputs(bars, folds, scalers, identity)


def series_hashes(home: Home, study: Study, series: Iterable[tuple[str, int]]) -> dict[tuple[str, int], str | None]:
    """Return the hash of the inputs of several series, or nothing where they are not there.

    What was hashed before is remembered in the study's folder, and hashed anew where size, time or inode of a file has
    changed: to look at a table costs a hundred times less than to read it.
    """
    memory, series = home.study(study.name).root / "input_hashes.json", list(series)
    kinds = dict.fromkeys((series_name(*one) for one in series), dict | None)
    before, after, found = stored_json(memory, **kinds), {}, {}
    for pair, horizon in series:
        name, paths = series_name(pair, horizon), input_tables(home, study, pair, horizon)
        state = [list(identified(path)) for path in paths if path.exists()]
        known = before.get(name) or {}
        if known.get("files") != state:
            try:
                known = {"files": state, "hash": series_inputs(home, study, pair, horizon).hash}
            except UnreadyError:
                known = {}
        found[pair, horizon] = known.get("hash")
        if known:
            after[name] = known
    if any(before.get(name) != known for name, known in after.items()):
        with contextlib.suppress(OSError):  # a home that cannot be written to is read every time
            write_json(before | after, memory)
    return found


def input_tables(home: Home, study: Study, pair: str, horizon: int) -> list[Path]:
    """Return the files of bars, folds and scalers of one series, whether or not they are there."""
    folder, series = home.study(study.name), series_name(pair, horizon)
    return [folder.table("bars", pair), folder.table("folds", series), folder.table("scalers", series)]


def fingerprint(study: Study, trial: Trial, inputs_hash: str) -> str:
    """Return the hash of everything a trial's output depends on.

    A deterministic forecaster's fingerprint leaves the seed out, so that all its seeds are one trial; the training
    section enters only for a forecaster that trains.
    """
    shared = _shared_by_trials(study, trial.forecaster)
    return hash_bytes(canonical_json(shared | _own(shared, trial, inputs_hash)).encode())


def dependencies(study: Study, trial: Trial, inputs_hash: str) -> dict[str, Any]:
    """Return what enters a fingerprint, by name, so that a reader can see why a trial is stale."""
    shared = _shared_by_trials(study, trial.forecaster)
    return json.loads(canonical_json(shared | _own(shared, trial, inputs_hash)))  # type: ignore[no-any-return]


def _own(shared: dict[str, Any], trial: Trial, inputs_hash: str) -> dict[str, Any]:
    seed = None if shared["root_seed"] is None else trial.seed
    return {"pair": trial.pair, "horizon": trial.horizon, "seed": seed, "inputs": inputs_hash}


def shared_hash(study: Study, forecaster: str) -> str:
    """Return the hash of what all trials of a forecaster depend on, the device being what the study calls it."""
    return hash_bytes(canonical_json(_shared_by_trials(study, forecaster, study.training.device)).encode())


def _shared_by_trials(study: Study, forecaster: str, device: str = "") -> dict[str, Any]:
    """Return what all trials of a forecaster depend on; without quantiles, nothing that concerns them."""
    shared = _of_forecasts(study, forecaster, device or device_kind(study, forecaster))
    if study.quantiles is None:
        return shared
    settings = {"quantiles": study.quantiles.model_dump(mode="json"), "embargo": study.splits.embargo}
    code = {"quantile_code": code_hash(QUANTILE_CODE), "quantile_rows_code": own_hash(QUANTILE_ROWS_CODE)}
    return shared | settings | code


def device_kind(study: Study, forecaster: str) -> Literal["cpu", "cuda"]:
    """Return the kind of device that a forecaster's networks train on, here and now."""
    device = study.training.device
    if device == "cpu" or not forecaster_facts(forecaster, study.forecasters[forecaster]).trained:
        return "cpu"
    if device == "cuda":
        return device
    # Only who leaves the choice to the machine needs torch to know what a trial is.
    kind: Literal["cpu", "cuda"] = importlib.import_module("golden_core.training.device").best_kind()
    return kind


def _of_forecasts(study: Study, forecaster: str, device: str) -> dict[str, Any]:
    facts = forecaster_facts(forecaster, study.forecasters[forecaster])
    training = study.training.model_dump(mode="json", exclude={"device", "kernels"})
    code: tuple[str, ...] = (facts.module, *SHARED_CODE)
    if device != "cpu":
        training, code = training | {"device": device}, (*code, *COHORT_CODE)
    portable = study.training.kernels == "portable"
    kernels = {"kernels": VARIABLES, "kernel_code": code_hash(PORTABLE_CODE)} if portable else {}
    return kernels | {
        "study": study.name,
        "forecaster": forecaster,
        "settings": study.forecasters[forecaster],
        "root_seed": None if facts.deterministic else study.seeds.root,
        "target": study.target,
        "features": study.features,
        "context_length": study.context_length,
        "bar": study.data.bar,
        "volatility_window": study.evaluation.volatility_window,
        "training": training if facts.trained else None,
        "code": code_hash(code),
        "rows_code": own_hash(ROWS_CODE),
        # Several may have one name, in different folders.
        "files": {
            one.name: " ".join(hash_file(path) for path in facts.files if path.name == one.name) for one in facts.files
        },
        "libraries": library_versions(tuple(sorted({*facts.libraries, "polars", "numpy"}))),
    }


@dataclass(frozen=True)
class _Cells:
    """The trials of one forecaster on one series: what all seeds share is written down, and looked up, once."""

    before: str  # of the seed, in the canonical JSON of what a trial depends on
    after: str
    seeded: bool
    done: frozenset[str]
    failures: frozenset[str]

    @classmethod
    def read(cls, folder: StudyFolder, shared: dict[str, Any], trial: Trial, inputs_hash: str) -> _Cells:
        mark = "\0seed"
        own = _own(shared, trial, inputs_hash) | {"seed": mark}
        before, _, after = canonical_json(shared | own).partition(json.dumps(mark))
        place = trial.forecaster, trial.series, "any"
        done, failures = folder.trial(*place).parent, folder.failure(*place).parent
        return cls(before, after, shared["root_seed"] is not None, _names(done), _names(failures))

    def fingerprint(self, seed: int) -> str:
        """Return the same as :func:`fingerprint`."""
        return hash_bytes(f"{self.before}{seed if self.seeded else 'null'}{self.after}".encode())


def _names(folder: Path) -> frozenset[str]:
    """Return what lies in a folder, which need not be there: one look, however many trials there are."""
    try:
        return frozenset(entry.name for entry in os.scandir(folder))
    except FileNotFoundError:
        return frozenset()


def trial_status(home: Home, study: Study, trials: list[Trial]) -> pl.DataFrame:
    """Return fingerprint, status, error and the deterministic flag of many trials, reading each series once.

    A trial whose bars or folds are missing is itself missing, with an empty fingerprint.
    """
    hashes = series_hashes(home, study, {(trial.pair, trial.horizon): None for trial in trials})
    shared = {name: _shared_by_trials(study, name) for name in {trial.forecaster for trial in trials}}
    cells: dict[tuple[str, str, int], _Cells] = {}
    folder, rows = home.study(study.name), []
    for trial in trials:
        own, inputs_hash = shared[trial.forecaster], hashes[trial.pair, trial.horizon]
        found: tuple[str, Status, str | None] = "", "missing", None
        if inputs_hash:
            key = trial.forecaster, trial.pair, trial.horizon
            if key not in cells:
                cells[key] = _Cells.read(folder, own, trial, inputs_hash)
            found = _status(folder, cells[key], trial)
        print_, status, error = found
        row = (trial.forecaster, trial.pair, trial.horizon, trial.seed, status, print_, own["root_seed"] is None, error)
        rows.append(row)
    schema = {
        "forecaster": pl.String, "pair": pl.String, "horizon": pl.Int32, "seed": pl.Int32, "status": pl.String,
        "fingerprint": pl.String, "deterministic": pl.Boolean, "error": pl.String,
    }  # fmt: skip
    return pl.DataFrame(rows, schema=schema, orient="row")


def _status(folder: StudyFolder, cells: _Cells, trial: Trial) -> tuple[str, Status, str | None]:
    """Return fingerprint, status and error of a trial."""
    print_ = cells.fingerprint(trial.seed)
    if print_[:16] in cells.done:
        return print_, "done", None
    recorded = f"{print_[:16]}.json" in cells.failures
    failure = stored_json(folder.failure(trial.forecaster, trial.series, print_), error=str) if recorded else {}
    return print_, "failed" if failure else "missing", failure.get("error")
