"""Run one trial: fit every fold, forecast its test part, write everything in one step.

Shape letters: T bars, N test rows of a fold.
"""

from __future__ import annotations

import contextlib
import dataclasses
import importlib
import inspect
import os
import resource
import signal
import time
import traceback
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from golden_core.forecasters import forecaster_class
from golden_core.forecasters.base import Epoch, Forecaster, State, count_parameters
from golden_core.inputs.windows import FloatArray, Windows
from golden_core.store.kernels import require
from golden_core.store.lake import Home, new_folder, write_json, write_parquet
from golden_core.store.provenance import describe_environment
from golden_core.store.schema import FORECASTS, HISTORY, QUANTILES
from golden_core.store.threads import one_thread
from golden_core.study import CUSTOM, Study
from golden_core.training.checkpoint import save_checkpoint
from golden_core.trials.identity import SeriesInputs, Trial, dependencies, device_kind, fingerprint, series_inputs
from golden_core.trials.outputs import PROVENANCE, output_hashes
from golden_core.trials.rows import FoldData, cut_folds, fold_stream, forecast_rows, new_forecaster, trial_key

if TYPE_CHECKING:
    from golden_core.uncertainty.calibration import Quantiles


class TrialError(RuntimeError):
    """A trial failed; the message names it, its fold, and what was wrong."""


@dataclass(frozen=True, eq=False)
class FittedFold:
    """What fitting one fold gave: learning curve, forecast log returns [N] of its test part, state, and the object.

    ``quantiles`` are of a study that asks for them, from a forecaster that gives them.
    """

    epochs: list[Epoch]
    y_pred: FloatArray
    state: State
    forecaster: Forecaster
    quantiles: Quantiles | None


@dataclass(frozen=True, eq=False)
class Company:
    """The cohort that trained a trial's networks: all its trials, what they came to, and what one of them cost.

    ``inputs`` are the hashes of their series' inputs, ``answers`` fitted networks with their learning curves, or
    errors, by the path of their streams.
    """

    trials: tuple[Trial, ...]
    inputs: Mapping[str, str]
    answers: Mapping[tuple[str, ...], Any]
    wall_seconds: float
    cpu_seconds: float


def run_trial(
    home: Home, study: Study, trial: Trial, *, into: Path | None = None, company: Company | None = None
) -> Path:
    """Run a trial unless it has been done, and return its folder.

    ``into`` writes to that new folder instead, whether or not the trial has been done: for reproduction. With a
    ``company`` that has trained its networks it only forecasts and writes.

    Raises
    ------
    TrialError
        If the data cannot carry the forecaster, or a forecast is not
        finite. Nothing is left half-written.
    """
    deterministic = forecaster_class(trial.forecaster, study.forecasters[trial.forecaster]).deterministic
    if deterministic:
        trial = dataclasses.replace(trial, seed=0)  # all its seeds are this one
    inputs = series_inputs(home, study, trial.pair, trial.horizon)
    print_ = fingerprint(study, trial, inputs.hash)
    folder = into or home.study(study.name).trial(trial.forecaster, trial.series, print_)
    if folder.is_dir():
        return folder
    started, cpu_started = time.perf_counter(), time.process_time()
    kind = device_kind(study, trial.forecaster)
    answers = _training("substitute").answering(company.answers, kind) if company else contextlib.nullcontext()
    with one_thread(), answers:
        tables, states = run_folds(study, trial, inputs)
    provenance = {
        "study": study.name,
        "study_hash": study.hash(),
        "fingerprint": print_,
        "trial": {"forecaster": trial.forecaster, "pair": trial.pair, "horizon": trial.horizon, "seed": trial.seed},
        "depends_on": dependencies(study, trial, inputs.hash),
        "deterministic": deterministic,
        "parameters": count_parameters(states[0]),
        "device": _device(study, trial.forecaster),
        "company": [[t.pair, t.seed, company.inputs[t.series]] for t in company.trials] if company else None,
        "wall_seconds": time.perf_counter() - started + (company.wall_seconds if company else 0),
        "cpu_seconds": time.process_time() - cpu_started + (company.cpu_seconds if company else 0),
        "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        **describe_environment(),
    }
    with new_folder(folder) as temporary:
        for name, table in tables.items():
            write_parquet(table, temporary / f"{name}.parquet")
        weights = {f"fold{i}/{name}": value for i, state in enumerate(states) for name, value in state.items()}
        save_checkpoint(
            temporary / "weights.safetensors", weights, {"trial": provenance["trial"], "fingerprint": print_}
        )
        write_json({**provenance, "sha256": output_hashes(temporary)}, temporary / PROVENANCE)
    return folder


def _device(study: Study, forecaster: str) -> dict[str, str | None] | None:
    """Return kind and name of the device that a forecaster's networks train on; nothing of one that has none."""
    if "torch" not in forecaster_class(forecaster, study.forecasters[forecaster]).libraries:
        return None
    kind = device_kind(study, forecaster)
    return {"kind": kind, "card": _training("device").card(kind)}


def _training(name: str) -> Any:
    """Return a module that imports torch, which is for those only who train."""
    return importlib.import_module(f"golden_core.training.{name}")


def run_folds(study: Study, trial: Trial, inputs: SeriesInputs) -> tuple[dict[str, pl.DataFrame], list[State]]:
    """Return the tables of a trial by name, and the state of every fold; nothing is written.

    Raises
    ------
    TrialError
        As :func:`fit_fold`, and if the series has no fold.
    """
    tables: dict[str, list[pl.DataFrame]] = {}
    states = []
    for fold in cut_folds(study, trial.horizon, inputs):
        fitted = fit_fold(study, trial, fold)
        forecasts = forecast_rows(study, trial, fold, inputs.bars, fitted.y_pred)
        tables.setdefault(FORECASTS.name, []).append(forecasts)
        tables.setdefault(HISTORY.name, []).append(_history_rows(study, trial, fold.index, fitted.epochs))
        if study.quantiles and fitted.quantiles:
            from golden_core.trials.quantiles import quantile_rows  # noqa: PLC0415  imports SciPy

            rows = quantile_rows(forecasts, study.quantiles.levels, fitted.quantiles)
            tables.setdefault(QUANTILES.name, []).append(rows)
        states.append(fitted.state)
    if not tables:
        raise TrialError(f"{trial}: the series has no fold")
    return {name: pl.concat(parts) for name, parts in tables.items()}, states


def fit_fold(study: Study, trial: Trial, fold: FoldData) -> FittedFold:
    """Fit a trial's forecaster on one fold and forecast its test part; nothing is written.

    Raises
    ------
    TrialError
        If the data cannot carry the forecaster, or a forecast is not finite.
    """
    from golden_core.trials.quantiles import fold_quantiles  # noqa: PLC0415  imports SciPy

    require(study.training.kernels)
    process = os.getpid()
    try:
        forecaster = new_forecaster(study, trial)
        with _trainer_of(study, trial), _usual_warnings():
            epochs = forecaster.fit(fold.train, fold.validation, fold_stream(study, trial, fold.index))
        y_pred = _predict(forecaster, fold.test)
        quantiles = fold_quantiles(study, trial, forecaster, fold.train, fold.calibration, fold.test)
        state = forecaster.state()
        _verify(epochs, state)
    except BaseException as error:  # a library that exits must not end the campaign without a word
        if not isinstance(error, Exception | SystemExit) and signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
            raise  # by a signal; workers ignore that of Ctrl-C, so that what is raised there is the forecaster's own
        said = str(error) if isinstance(error, ValueError | RuntimeError) else ""
        what = (said or f"{type(error).__name__}: {error}").encode(errors="backslashreplace").decode()
        raise TrialError(f"{trial}, fold {fold.index}: {what}{_own_line(study, trial, error)}") from error
    finally:
        if os.getpid() != process:
            os._exit(0)  # a child that the forecaster forked: all that follows, its parent does
    return FittedFold(epochs, y_pred, state, forecaster, quantiles)


@contextlib.contextmanager
def _usual_warnings() -> Iterator[None]:
    """Have NumPy and warnings be what they are in a new process, whatever somebody's class made of them before."""
    with np.errstate(divide="warn", over="warn", under="ignore", invalid="warn"), warnings.catch_warnings():
        yield


def _own_line(study: Study, trial: Trial, error: BaseException) -> str:
    """Return where in the file of somebody's own class it broke, if it broke there: a library's word names no line."""
    settings = study.forecasters[trial.forecaster]
    if CUSTOM not in settings:
        return ""
    own = inspect.getsourcefile(forecaster_class(trial.forecaster, settings))
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == own]
    return f" ({Path(own).name}, line {lines[-1]})" if own and lines else ""


def _trainer_of(study: Study, trial: Trial) -> contextlib.AbstractContextManager[None]:
    """Make torch deterministic where it is used, and have networks train on the study's device."""
    if "torch" not in forecaster_class(trial.forecaster, study.forecasters[trial.forecaster]).libraries:
        return contextlib.nullcontext()
    settle_torch(study)
    kind = device_kind(study, trial.forecaster)
    trainer: contextlib.AbstractContextManager[None] = _training("substitute").alone_on(kind)
    return trainer


def settle_torch(study: Study) -> None:
    """Make torch deterministic and else what it is in a new process: somebody's class may have told it otherwise."""
    torch = importlib.import_module("torch")
    torch.set_default_dtype(torch.float32)
    torch.set_default_device(None)
    torch.set_grad_enabled(True)
    torch.set_float32_matmul_precision("highest")
    _training("determinism").activate()
    if study.training.kernels == "portable":
        _training("portable").activate()


def _predict(forecaster: Forecaster, windows: Windows) -> FloatArray:
    given, y_pred = forecaster.predict(windows), None
    with contextlib.suppress(Exception):  # text, a generator, lists of different lengths, a tensor with its gradient
        y_pred = np.asarray(np.ma.filled(given, np.nan), dtype=np.float64)  # masked is unknown
    if y_pred is None or np.asarray(given).dtype.kind not in "fiuO":  # texts, dates and truth become numbers, too
        what = f"{type(given).__name__} {getattr(given, 'dtype', '')}".rstrip()
        raise ValueError(f"predict must return real numbers, an array of shape ({len(windows)},), got {what}")
    if y_pred.shape != (len(windows),):
        raise ValueError(f"predict returned shape {y_pred.shape}, expected ({len(windows)},)")
    with np.errstate(over="ignore"):
        unknown = ~np.isfinite(y_pred + np.exp(y_pred) * windows.last_close)  # as a log return, or as a price
    if unknown.any():
        place = int(unknown.argmax())
        raise ValueError(
            f"{int(unknown.sum())} forecasts are not finite as log returns or as prices, the first at cutoff "
            f"{windows.cutoffs[place]}: {y_pred[place]:g}"
        )
    # A fifth in a few bars is no return of a currency, least of all one that happens to be near the price. Who wants
    # the price back at a level far off may say so: then the price reached varies less than what is near the price.
    near, reached = y_pred / windows.last_close, y_pred + np.log(windows.last_close)
    apart = min(near.std(), (y_pred - windows.last_close).std())
    level, distance = np.median(np.abs(y_pred)), np.median(np.abs(near - 1))
    if level > 0.2 and distance < 0.1 and apart <= 1.2 * reached.std():
        raise ValueError(
            f"forecasts are prices, {level:g} where the last close is {np.median(windows.last_close):g} (medians): "
            "predict must return log returns, log(price forecast / windows.last_close)"
        )
    return y_pred


def _verify(epochs: object, state: object) -> None:
    """Refuse what a forecaster must not return: nobody but the writer of its class can know what was meant."""
    if not isinstance(epochs, list) or not all(isinstance(epoch, Epoch) for epoch in epochs):
        raise ValueError(f"fit must return a list of Epoch, empty where nothing is learned so, got {epochs!r:.60}")
    if not isinstance(state, Mapping):
        raise ValueError(f"state must return a dictionary of named arrays, got {type(state).__name__}")
    for epoch in epochs:
        if not all(isinstance(value, Real) for value in dataclasses.astuple(epoch)):
            raise ValueError(f"fit must return a list of Epoch, each of numbers, got {epoch!r:.60}")
    for name, value in state.items():
        if not (isinstance(name, str) and _can_be_stored(value)):
            what = f"{name!r}: {type(value).__name__}"
            raise ValueError(f"state must give arrays of numbers or booleans under names, got {what}")


def _can_be_stored(value: object) -> bool:
    with contextlib.suppress(Exception):  # lists of different lengths, a tensor with its gradient
        kind = np.asarray(value).dtype
        return kind.kind in "biuf" and kind.itemsize <= 8
    return False


def _history_rows(study: Study, trial: Trial, fold: int, epochs: list[Epoch]) -> pl.DataFrame:
    key = trial_key(study, trial, fold)
    return HISTORY.conform(pl.DataFrame([key | dataclasses.asdict(epoch) for epoch in epochs], schema=HISTORY.dtypes))
