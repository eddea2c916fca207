"""What finished trials wrote, and whether it is still that: read back from the lake only if it is."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl
from pydantic import BaseModel, ValidationError

from golden_core.store.lake import Home, hash_bytes, hash_file, series_name, stored_json, write_json
from golden_core.store.schema import FORECASTS, HISTORY, QUANTILES, TRIALS
from golden_core.study import Study
from golden_core.trials.identity import Trial, all_trials, trial_status

OUTPUTS = (f"{FORECASTS.name}.parquet", f"{HISTORY.name}.parquet", "weights.safetensors")
ALSO = f"{QUANTILES.name}.parquet"  # of a study with quantiles, where the forecaster gives them
PROVENANCE = "provenance.json"
STRAY = "was not written by the trial, move it elsewhere"
READ = "trials_read.json"  # which folders of trials have been hashed and found whole, and their state then
_COSTS = ("parameters", "wall_seconds", "cpu_seconds", "peak_memory_mb")


class _Git(BaseModel):
    commit: str | None
    dirty: bool | None


class _Machine(BaseModel):
    cpu: str
    python: str


class _Device(BaseModel):
    kind: str
    card: str | None


class Said(BaseModel, strict=True):
    """What is read of a trial's provenance; of an earlier release's without a device, company or hashes of inputs."""

    git: _Git
    machine: _Machine
    libraries: dict[str, str]
    parameters: int
    wall_seconds: float
    cpu_seconds: float
    peak_memory_mb: float
    device: _Device | None = None
    company: list[tuple[str, int] | tuple[str, int, str]] | None = None
    fingerprint: str
    sha256: dict[str, str]


class AlteredError(RuntimeError):
    """Files of a finished trial are not those that it wrote; the message says which, and what to do."""


def read_outputs(home: Home, study: Study, done: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return all forecasts and learning curves of some finished trials.

    ``done`` are rows of ``schema.TRIALS``; gives ``schema.FORECASTS`` and ``schema.HISTORY``, sorted by key.

    Raises
    ------
    AlteredError
        If a file is missing or is not what its trial wrote.
    """
    folders = _folders(home, study, done)
    for folder in folders:
        if altered := altered_files(folder):
            raise AlteredError(f"{folder}: {told(altered, folder)}")
    forecasts, history = (
        pl.concat([table.empty(), *(table.conform(pl.read_parquet(one / f"{table.name}.parquet")) for one in folders)])
        for table in (FORECASTS, HISTORY)
    )
    return forecasts.sort(FORECASTS.key), history.sort(HISTORY.key)


def read_quantiles(home: Home, study: Study, done: pl.DataFrame) -> pl.DataFrame:
    """Return the quantiles (``schema.QUANTILES``) of those of some finished trials that gave any, sorted by key.

    What the trials wrote is verified by :func:`read_outputs`.
    """
    paths = [folder / ALSO for folder in _folders(home, study, done) if (folder / ALSO).exists()]
    found = [QUANTILES.conform(pl.read_parquet(path)) for path in paths]
    return pl.concat([QUANTILES.empty(), *found]).sort(QUANTILES.key)


def _folders(home: Home, study: Study, done: pl.DataFrame) -> list[Path]:
    return [_folder(home, study, row) for row in done.iter_rows(named=True)]


def _folder(home: Home, study: Study, row: Mapping[str, Any]) -> Path:
    series = series_name(row["pair"], row["horizon"])
    return home.study(study.name).trial(row["forecaster"], series, row["fingerprint"])


def trials_table(home: Home, study: Study) -> pl.DataFrame:
    """Return status, fingerprint and cost of every trial of a study.

    The first seed of a deterministic forecaster is ``done``; its other seeds are ``shared`` and cost nothing.

    Raises
    ------
    AlteredError
        If the provenance of a finished trial is missing or damaged.
    """
    status = trial_status(home, study, all_trials(study))
    rows = [_row(home, study, row) for row in status.iter_rows(named=True)]
    return TRIALS.conform(pl.DataFrame(rows, schema=TRIALS.dtypes, orient="row"))


def _row(home: Home, study: Study, row: dict[str, Any]) -> dict[str, Any]:
    shared = row["status"] == "done" and row["deterministic"] and row["seed"] > 0
    status = "shared" if shared else row["status"]
    provenance = read_provenance(_folder(home, study, row)) if status == "done" else dict.fromkeys(_COSTS)
    costs = {name: provenance[name] for name in _COSTS}
    return {"study": study.name, **row, "status": status, **costs}


def output_hashes(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of everything that a trial gave."""
    given = (*OUTPUTS, ALSO) if (folder / ALSO).exists() else OUTPUTS
    return {name: hash_file(folder / name) for name in given}


def altered_files(folder: Path) -> list[str]:
    """Return one sentence for every file of a finished trial that is not as its provenance says it was written.

    Nothing is written into the folder of a finished trial: what its provenance does not name was put there, and comes
    last. Names that begin with a dot are left aside; systems leave such files behind, and nothing here reads them.
    """
    try:
        record = said_of_itself((folder / PROVENANCE).read_bytes())
        written, print_ = record["sha256"], record["fingerprint"][:16]
        names = dict.fromkeys((*OUTPUTS, *written))
        found = [] if print_ == folder.name else [f"{PROVENANCE} is that of another trial, {print_}"]
        found += [f"{name} {fault}" for name in names if (fault := _fault(folder / name, written[name]))]
        here = sorted(one.name for one in os.scandir(folder) if not one.name.startswith("."))
        return found + [f"{name} {STRAY}" for name in here if name not in (PROVENANCE, *names)]
    except (OSError, ValueError, KeyError) as error:
        return [f"{PROVENANCE} does not say what was written ({type(error).__name__}: {error})"]


def said_of_itself(text: bytes) -> dict[str, Any]:
    """Return a trial's provenance; ValueError if that is not what one holds."""
    try:
        Said.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        raise ValueError(": ".join([*map(str, first["loc"][:1]), first["msg"]])) from None
    return dict(json.loads(text))


def read_provenance(folder: Path) -> dict[str, Any]:
    """Return what a finished trial says about itself.

    Raises
    ------
    AlteredError
        If its provenance is missing or damaged.
    """
    try:
        return said_of_itself((folder / PROVENANCE).read_bytes())
    except (OSError, ValueError) as error:
        raise AlteredError(f"{folder}: {PROVENANCE} cannot be read ({error}); {_remedy(folder)}") from error


def recorded(folder: Path) -> dict[str, Any]:
    """Return the same; nothing where it is missing, or damaged, which :func:`altered_files` tells."""
    with contextlib.suppress(AlteredError):
        return read_provenance(folder)
    return {}


def altered_trials(home: Home, study: Study, trials: Sequence[Trial]) -> tuple[list[str], int]:
    """Return what speaks against the files of some trials, and how many finished ones were looked at."""
    done = finished_trials(home, study, trials)
    found = [f"{trial}: {told([one], folder)}" for trial, folder in done.items() for one in altered_files(folder)]
    return found, len(done)


def damaged_trials(home: Home, study: Study) -> dict[Path, str]:
    """Return the finished trials of a study whose files are not as they were written: folder → what is wrong.

    Files are hashed once, and again where the size, the time or the inode of one has changed.
    """
    root = home.study(study.name).root
    memory, whole, found = root / READ, {}, {}
    before = stored_json(memory)
    for trial, folder in finished_trials(home, study, all_trials(study)).items():
        name, state = folder.relative_to(root).as_posix(), _state(folder) if folder.is_dir() else "no folder"
        altered = [] if before.get(name) == state else altered_files(folder)
        if altered:
            found[folder] = f"{trial}: {'; '.join(altered)}{f' ({folder})' if only_strays(altered) else ''}"
        else:
            whole[name] = state
    if whole != before:
        with contextlib.suppress(OSError):  # a home that cannot be written to is read every time
            write_json(whole, memory)
    return found


def _state(folder: Path) -> str:
    states = sorted((one.name, one.stat()) for one in os.scandir(folder) if not one.name.startswith("."))
    return hash_bytes(repr([(name, s.st_size, s.st_mtime_ns, s.st_ino) for name, s in states]).encode())[:16]


def finished_trials(home: Home, study: Study, trials: Sequence[Trial]) -> dict[Trial, Path]:
    """Return those of some trials that are done, with their folders. Seeds that share one trial count once."""
    status = trial_status(home, study, list(trials))
    done = status.filter(pl.col("status") == "done").unique("fingerprint", keep="first", maintain_order=True)
    rows = done.select("forecaster", "pair", "horizon", "seed", "fingerprint").iter_rows()
    found = {Trial(*fields): print_ for *fields, print_ in rows}
    folder = home.study(study.name)
    return {trial: folder.trial(trial.forecaster, trial.series, print_) for trial, print_ in found.items()}


def told(altered: Sequence[str], folder: Path) -> str:
    """Return what was found altered in one sentence, with what to do: a trial with nothing but strays is whole."""
    return "; ".join(altered if only_strays(altered) else [*altered, _remedy(folder)])


def only_strays(altered: Sequence[str]) -> bool:
    """Whether all that was found altered is files that do not belong to the trial."""
    return all(one.endswith(STRAY) for one in altered)


def _remedy(folder: Path) -> str:
    return f"delete {folder} and run the study again"


def _fault(path: Path, written: str) -> str | None:
    if not path.is_file():
        return "is missing"
    return None if hash_file(path) == written else "is not what the trial wrote"
