"""The fresh process in which trials are trained again: started as a module, with its request on standard input."""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
import sys
from collections.abc import Callable, Sequence
from multiprocessing.context import ForkProcess
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch
from torch.nn.modules.module import register_module_forward_pre_hook

from golden_core.forecasters import forecaster_class
from golden_core.store.lake import Home, read_table, write_json
from golden_core.store.randomness import Stream
from golden_core.store.schema import FORECASTS
from golden_core.store.threads import one_thread
from golden_core.study import Study
from golden_core.training.checkpoint import load_checkpoint
from golden_core.trials.cohorts import run_again
from golden_core.trials.confinement import can_confine, code, confine, own_code
from golden_core.trials.generators import seed_everything, states
from golden_core.trials.identity import Trial, input_tables, series_inputs
from golden_core.trials.outputs import recorded
from golden_core.trials.reproduction import FOUND, NOT_ALONE, UNRESTORED
from golden_core.trials.rows import cut_folds, new_forecaster
from golden_core.trials.run import TrialError, run_folds, settle_torch

WEIGHTS = "weights.safetensors"


def main() -> None:
    """Train the trials of a request, each into a folder of its own, and write what was found in the process.

    ``apart``: each in a fork of this process, which has imported everything and trained nothing. What a forecaster
    keeps in its module then cannot flow from one trial to the next, and torch is imported once.
    """
    request = json.loads(sys.stdin.read())
    jobs = [(number, Trial(*fields)) for number, fields in enumerate(request["trials"])]
    if not request["apart"]:
        _train(request, jobs)
        return
    for job in jobs:
        trained = _begun(_train, request, job)
        trained.join()
        if trained.exitcode:
            sys.exit(1)  # it has said why
        _begun(_restore, request, job)  # beside the next training; this process does not end before its children
        if job[1].forecaster in request["own"]:
            _begun(_train_confined, request, job)


def _begun(work: Callable[..., None], request: dict[str, Any], job: tuple[int, Trial]) -> ForkProcess:
    child = multiprocessing.get_context("fork").Process(target=work, args=(request, [job]))
    child.start()
    return child


def _opened(request: dict[str, Any]) -> tuple[Study, Home, Path]:
    study = Study.model_validate_json(json.dumps(request["study"]))
    return study, Home(*(Path(path) for path in request["home"])), Path(request["into"])


def _train(request: dict[str, Any], jobs: Sequence[tuple[int, Trial]]) -> None:
    study, home, into = _opened(request)
    # Another number for every process: what draws from a global generator then differs, and does not repeat by luck.
    seed_everything(Stream(study.seeds.root).child("reproduction", request["run"]))
    before, settings = states(), set[tuple[bool, int]]()
    # Looked at whenever a network computes: what is set before or after training shows nothing.
    watch = register_module_forward_pre_hook(
        lambda _module, _args: settings.add((torch.are_deterministic_algorithms_enabled(), torch.get_num_threads()))
    )
    for number, trial in jobs:
        run_again(home, study, trial, into / str(number))
    watch.remove()
    moved = [name for name, state in states().items() if state != before[name]]
    write_json({"moved": moved, "torch": sorted(settings)}, into / FOUND)


def _restore(request: dict[str, Any], jobs: Sequence[tuple[int, Trial]]) -> None:
    """Say so where a trial's checkpoint does not give its forecasts: what is explained and timed is the checkpoint."""
    study, home, into = _opened(request)
    settle_torch(study)
    for number, trial in jobs:
        note = into / str(number) / UNRESTORED
        note.write_text("the process that restored its checkpoint died", encoding="utf-8")
        with _alone(study, trial):
            said = _unrestored(home, study, trial, note.parent)
        note.write_text(said, encoding="utf-8") if said else note.unlink()


def _alone(study: Study, trial: Trial) -> contextlib.AbstractContextManager[object]:
    """Give a forecaster one thread, as a campaign does: also its libraries, which have to be there to be told."""
    forecaster_class(trial.forecaster, study.forecasters[trial.forecaster])
    return one_thread()


def _unrestored(home: Home, study: Study, trial: Trial, folder: Path) -> str | None:
    written, state = read_table(folder / f"{FORECASTS.name}.parquet"), load_checkpoint(folder / WEIGHTS).state
    for fold in cut_folds(study, trial.horizon, series_inputs(home, study, trial.pair, trial.horizon)):
        prefix, forecaster, said = f"fold{fold.index}/", new_forecaster(study, trial), ""
        try:
            forecaster.restore({name.removeprefix(prefix): v for name, v in state.items() if name.startswith(prefix)})
            again = np.asarray(forecaster.predict(fold.test), dtype=np.float64)
        except (Exception, SystemExit) as error:  # noqa: BLE001  an object without what was learned may fail in any way
            again, said = np.empty(0), f" ({type(error).__name__}: {error})"
        if not np.array_equal(again, written.filter(pl.col("fold") == fold.index)["y_pred"].to_numpy()):
            what = f"fold {fold.index}: the checkpoint does not give the forecasts again{said}"
            return f"{what}: state() must return all that fit learned, and restore() take it over"
    return None


def _train_confined(request: dict[str, Any], jobs: Sequence[tuple[int, Trial]]) -> None:
    """Say so where a class of somebody's own needs more than it is given and declares: prices of its own, say."""
    study, home, into = _opened(request)
    for number, trial in jobs:
        own, folder = request["own"][trial.forecaster], into / str(number)
        if recorded(folder).get("company"):
            continue  # networks that trained side by side give other last digits alone
        note, user = folder / NOT_ALONE, into / f"user{number}"
        note.write_text("the process that trained it on its inputs alone died", encoding="utf-8")
        user.mkdir()
        os.environ |= dict.fromkeys(("HOME", "TMPDIR", "XDG_CACHE_HOME"), str(user))
        inputs = input_tables(home, study, trial.pair, trial.horizon)
        declared = [*own_code(Path(own["folder"])), *map(Path, own["files"])]
        # One process, one trial: what is confined stays so.
        if confine([*code(), *declared, *inputs, folder, user]):
            said = _needs_more(home, study, trial, folder)
        else:  # where nothing can be, the check itself says that this is unmeasured
            said = "its process could not be confined, though this kernel can" if can_confine() else None
        note.write_text(said, encoding="utf-8") if said else note.unlink()


def _needs_more(home: Home, study: Study, trial: Trial, folder: Path) -> str | None:
    try:
        with _alone(study, trial):
            tables, _ = run_folds(study, trial, series_inputs(home, study, trial.pair, trial.horizon))
    except (TrialError, ValueError) as error:  # it may read as early as it is imported
        said = str(error).removeprefix(f"{trial}, ")
    else:
        before = {name: read_table(folder / f"{name}.parquet") for name in tables}
        others = [name for name, table in tables.items() if not table.equals(before[name])]
        if not others:
            return None
        said = f"other {' and '.join(others)}"
    what = f"where nothing but its inputs and code can be read, {said}"
    return f"{what}; what a forecaster reads besides is in no fingerprint: name it in its attribute `files`"


if __name__ == "__main__":
    main()
