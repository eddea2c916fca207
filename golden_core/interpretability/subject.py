"""What is explained: the network of one fold of a checkpoint, in float64, with the windows it is asked about.

Shape letters: N windows, L context, F features.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Generator, Tensor, nn

from golden_core.forecasters.neural import NeuralForecaster
from golden_core.inputs.windows import TimeArray
from golden_core.interpretability.filing import ExplanationError
from golden_core.interpretability.measures import FloatArray
from golden_core.store.lake import Home
from golden_core.store.randomness import Stream
from golden_core.study import Study
from golden_core.training import determinism
from golden_core.training.checkpoint import load_checkpoint
from golden_core.trials.identity import Trial, series_inputs
from golden_core.trials.rows import cut_folds, new_forecaster

AT_ONCE = 4096  # windows; fixed, because the shape of a product can change its last bit


class UnexplainableError(ExplanationError):
    """A forecaster has nothing of the kind that was asked for; the message names it."""


@dataclass(frozen=True, eq=False)
class Subject:
    """One fitted network, windows [N, L, F], and how a network of its kind begins that has learned nothing."""

    name: str
    network: nn.Module
    X: FloatArray
    fresh: Callable[[Stream], nn.Module]
    cutoffs: TimeArray
    fold: int = 0


def subjects(home: Home, study: Study, trial: Trial, folder: Path, rows: int) -> Iterator[Subject]:
    """Yield the network of every fold of a finished trial with windows spread evenly over its test part.

    Raises
    ------
    UnexplainableError
        If the forecaster trains no network.
    """
    forecaster = new_forecaster(study, trial)
    if not isinstance(forecaster, NeuralForecaster):
        raise UnexplainableError(f"{trial.forecaster} is no network: it has no weights that could be looked into")
    determinism.activate()

    def fresh(stream: Stream) -> nn.Module:
        return prepared(forecaster.network(Generator().manual_seed(stream.integer())))

    state = load_checkpoint(folder / "weights.safetensors").state
    for fold in cut_folds(study, trial.horizon, series_inputs(home, study, trial.pair, trial.horizon)):
        own, windows = f"fold{fold.index}/", fold.test
        network = forecaster.network(None)
        network.load_state_dict(
            {name.removeprefix(own): torch.from_numpy(np.array(v)) for name, v in state.items() if name.startswith(own)}
        )
        chosen = np.unique(np.linspace(0, len(windows) - 1, min(rows, len(windows))).round().astype(np.int64))
        X, cutoffs = windows.X[chosen].astype(np.float64), windows.cutoffs[chosen]
        yield Subject(f"{trial}, fold {fold.index}", prepared(network), X, fresh, cutoffs, fold.index)


def prepared(network: nn.Module) -> nn.Module:
    """Return a network in inference mode and float64, whose sums are exact enough to hold explanations against."""
    return network.double().eval()


def outputs(network: nn.Module, X: FloatArray) -> FloatArray:
    """Return the outputs [N] of a network for windows [N, L, F]."""
    with torch.no_grad():
        parts = [forecast(network, part) for part in torch.split(torch.from_numpy(X), AT_ONCE)]
    return np.asarray(torch.cat(parts).detach().numpy(), dtype=np.float64)


def forecast(network: nn.Module, X: Tensor) -> Tensor:
    """Return what a network forecasts [N]: the mean, which is the first of several outputs [N, C]."""
    found: Tensor = network(X)
    return found if found.ndim == 1 else found[:, 0]
