"""What a trial is, what it depends on, and whether it has been done."""

from __future__ import annotations

import inspect
import itertools
import json
from dataclasses import dataclass
from typing import Any, Literal

import polars as pl

from golden_core.forecasters import forecaster_class
from golden_core.store.lake import Home, hash_bytes, hash_file, hash_frame, series_name
from golden_core.store.provenance import library_versions
from golden_core.study import Study
from golden_core.study.sections import canonical_json
from golden_core.trials.code import code_hash

Status = Literal["done", "failed", "missing"]

# Code that every trial runs, beside its forecaster. Sources and cleaning enter as the hash of the bars.
SHARED_CODE = ("golden_core.inputs.features", "golden_core.inputs.windows", "golden_core.splits.scaling")


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
    folder, series = home.study(study.name), series_name(pair, horizon)
    paths = [folder.table("bars", pair), folder.table("folds", series), folder.table("scalers", series)]
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


def fingerprint(study: Study, trial: Trial, inputs_hash: str) -> str:
    """Return the hash of everything a trial's output depends on.

    A deterministic forecaster's fingerprint leaves the seed out, so that all its seeds are one trial; the training
    section enters only for a forecaster that trains.
    """
    return hash_bytes(canonical_json(dependencies(study, trial, inputs_hash)).encode())


def dependencies(study: Study, trial: Trial, inputs_hash: str) -> dict[str, Any]:
    """Return what enters a fingerprint, by name, so that a reader can see why a trial is stale."""
    kind = forecaster_class(trial.forecaster)
    module = inspect.getmodule(kind)
    seeded = not kind.deterministic
    found: dict[str, Any] = {
        "study": study.name,
        "forecaster": trial.forecaster,
        "settings": study.forecasters[trial.forecaster],
        "pair": trial.pair,
        "horizon": trial.horizon,
        "root_seed": study.seeds.root if seeded else None,
        "seed": trial.seed if seeded else None,
        "target": study.target,
        "features": study.features,
        "context_length": study.context_length,
        "bar": study.data.bar,
        "volatility_window": study.evaluation.volatility_window,
        "training": study.training.model_dump(mode="json") if kind.trained else None,
        "inputs": inputs_hash,
        "code": code_hash((module.__name__ if module else kind.__module__, *SHARED_CODE)),
        "files": {path.name: hash_file(path) for path in kind.files},
        "libraries": library_versions(tuple(sorted({*kind.libraries, "polars", "numpy"}))),
    }
    return json.loads(canonical_json(found))  # type: ignore[no-any-return]


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
    hashes: dict[str, str | None] = {}
    rows = []
    for trial in trials:
        if trial.series not in hashes:
            try:
                hashes[trial.series] = series_inputs(home, study, trial.pair, trial.horizon).hash
            except UnreadyError:
                hashes[trial.series] = None
        inputs_hash = hashes[trial.series]
        print_ = fingerprint(study, trial, inputs_hash) if inputs_hash else ""
        status, error = trial_folder(home, study, trial, print_) if print_ else ("missing", None)
        deterministic = forecaster_class(trial.forecaster).deterministic
        rows.append((trial.forecaster, trial.pair, trial.horizon, trial.seed, status, print_, deterministic, error))
    schema = {
        "forecaster": pl.String, "pair": pl.String, "horizon": pl.Int32, "seed": pl.Int32, "status": pl.String,
        "fingerprint": pl.String, "deterministic": pl.Boolean, "error": pl.String,
    }  # fmt: skip
    return pl.DataFrame(rows, schema=schema, orient="row")
