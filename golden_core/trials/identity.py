"""What a trial is, what it depends on, and whether it has been done."""

from __future__ import annotations

import contextlib
import inspect
import itertools
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import polars as pl

from golden_core.forecasters import forecaster_class
from golden_core.store.lake import (
    Home,
    hash_bytes,
    hash_file,
    hash_frame,
    identified,
    series_name,
    stored_json,
    write_json,
)
from golden_core.store.provenance import library_versions
from golden_core.study import Study
from golden_core.study.sections import canonical_json
from golden_core.trials.code import code_hash

Status = Literal["done", "failed", "missing"]

# Code that every trial runs, beside its forecaster. Sources and cleaning enter as the hash of the bars.
SHARED_CODE = ("golden_core.inputs.features", "golden_core.inputs.windows", "golden_core.splits.scaling")

# What a trial of a study with quantiles runs besides.
QUANTILE_CODE = (
    "golden_core.forecasters.quantiles",
    "golden_core.splits.calibration",
    "golden_core.uncertainty.calibration",
)


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


def series_inputs(home: Home, study: Study, pair: str, horizon: int) -> SeriesInputs:
    """Read bars, folds and scalers of one series.

    Raises
    ------
    UnreadyError
        If a table has not been written yet, or cannot be read.
    """
    series, paths = series_name(pair, horizon), _tables(home, study, pair, horizon)
    for path in paths:
        if not path.exists():
            raise UnreadyError(f"{path} does not exist yet: materialise bars and folds of {series} first")
    try:
        bars, folds, scalers = (pl.read_parquet(path) for path in paths)
    except pl.exceptions.PolarsError as error:
        raise UnreadyError(
            f"a table of {series} is damaged: materialise bars and folds of it again ({error})"
        ) from None
    identity = hash_bytes("".join(hash_frame(frame) for frame in (bars, folds, scalers)).encode())
    return SeriesInputs(bars, folds, scalers, identity)


def series_hashes(home: Home, study: Study, series: Iterable[tuple[str, int]]) -> dict[tuple[str, int], str | None]:
    """Return the hash of the inputs of several series, or nothing where they are not there.

    What was hashed before is remembered in the study's folder, and hashed anew where size, time or inode of a file has
    changed: to look at a table costs a hundred times less than to read it.
    """
    memory = home.study(study.name).root / "input_hashes.json"
    before, after, found = stored_json(memory), {}, {}
    for pair, horizon in series:
        name, paths = series_name(pair, horizon), _tables(home, study, pair, horizon)
        state = [list(identified(path)) for path in paths if path.exists()]
        known = before.get(name, {})
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


def _tables(home: Home, study: Study, pair: str, horizon: int) -> list[Path]:
    folder, series = home.study(study.name), series_name(pair, horizon)
    return [folder.table("bars", pair), folder.table("folds", series), folder.table("scalers", series)]


def fingerprint(study: Study, trial: Trial, inputs_hash: str) -> str:
    """Return the hash of everything a trial's output depends on.

    A deterministic forecaster's fingerprint leaves the seed out, so that all its seeds are one trial; the training
    section enters only for a forecaster that trains.
    """
    return _fingerprint(_shared_by_trials(study, trial.forecaster), trial, inputs_hash)


def _fingerprint(shared: dict[str, Any], trial: Trial, inputs_hash: str) -> str:
    return hash_bytes(canonical_json(shared | _own(shared, trial, inputs_hash)).encode())


def dependencies(study: Study, trial: Trial, inputs_hash: str) -> dict[str, Any]:
    """Return what enters a fingerprint, by name, so that a reader can see why a trial is stale."""
    shared = _shared_by_trials(study, trial.forecaster)
    return json.loads(canonical_json(shared | _own(shared, trial, inputs_hash)))  # type: ignore[no-any-return]


def _own(shared: dict[str, Any], trial: Trial, inputs_hash: str) -> dict[str, Any]:
    seed = None if shared["root_seed"] is None else trial.seed
    return {"pair": trial.pair, "horizon": trial.horizon, "seed": seed, "inputs": inputs_hash}


def _shared_by_trials(study: Study, forecaster: str) -> dict[str, Any]:
    """Return what all trials of a forecaster depend on; without quantiles, nothing that concerns them."""
    shared = _of_forecasts(study, forecaster)
    if study.quantiles is None:
        return shared
    settings = {"quantiles": study.quantiles.model_dump(mode="json"), "embargo": study.splits.embargo}
    return shared | settings | {"quantile_code": code_hash(QUANTILE_CODE)}


def _of_forecasts(study: Study, forecaster: str) -> dict[str, Any]:
    kind = forecaster_class(forecaster)
    module = inspect.getmodule(kind)
    return {
        "study": study.name,
        "forecaster": forecaster,
        "settings": study.forecasters[forecaster],
        "root_seed": None if kind.deterministic else study.seeds.root,
        "target": study.target,
        "features": study.features,
        "context_length": study.context_length,
        "bar": study.data.bar,
        "volatility_window": study.evaluation.volatility_window,
        "training": study.training.model_dump(mode="json") if kind.trained else None,
        "code": code_hash((module.__name__ if module else kind.__module__, *SHARED_CODE)),
        "files": {path.name: hash_file(path) for path in kind.files},
        "libraries": library_versions(tuple(sorted({*kind.libraries, "polars", "numpy"}))),
    }


def trial_folder(home: Home, study: Study, trial: Trial, print_: str) -> tuple[Status, str | None]:
    """Return whether the trial of a fingerprint is done, failed (with its message) or missing."""
    folder = home.study(study.name)
    if folder.trial(trial.forecaster, trial.series, print_).is_dir():
        return "done", None
    failure = folder.failure(trial.forecaster, trial.series, print_)
    if failure.exists():
        return "failed", str(json.loads(failure.read_text(encoding="utf-8"))["error"])
    return "missing", None


def trial_status(home: Home, study: Study, trials: list[Trial]) -> pl.DataFrame:
    """Return fingerprint, status, error and the deterministic flag of many trials, reading each series once.

    A trial whose bars or folds are missing is itself missing, with an empty fingerprint.
    """
    hashes = series_hashes(home, study, {(trial.pair, trial.horizon): None for trial in trials})
    kinds = {trial.forecaster: forecaster_class(trial.forecaster) for trial in trials}
    shared = {name: _shared_by_trials(study, name) for name in kinds}
    rows = []
    for trial in trials:
        inputs_hash = hashes[trial.pair, trial.horizon]
        print_ = _fingerprint(shared[trial.forecaster], trial, inputs_hash) if inputs_hash else ""
        status, error = trial_folder(home, study, trial, print_) if print_ else ("missing", None)
        deterministic = kinds[trial.forecaster].deterministic
        rows.append((trial.forecaster, trial.pair, trial.horizon, trial.seed, status, print_, deterministic, error))
    schema = {
        "forecaster": pl.String, "pair": pl.String, "horizon": pl.Int32, "seed": pl.Int32, "status": pl.String,
        "fingerprint": pl.String, "deterministic": pl.Boolean, "error": pl.String,
    }  # fmt: skip
    return pl.DataFrame(rows, schema=schema, orient="row")
