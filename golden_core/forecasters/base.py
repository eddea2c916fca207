"""The contract of a forecaster. What a forecaster may know is a type: Windows to predict, Examples to fit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel

from golden_core.inputs.windows import Examples, FloatArray, Windows
from golden_core.store.randomness import Stream
from golden_core.study import TrainingSection
from golden_core.training.schedule import Epoch

__all__ = ["Context", "Epoch", "FitError", "Forecaster", "State", "count_parameters"]

State = dict[str, npt.NDArray[Any]]


@dataclass(frozen=True)
class Context:
    """What a forecaster is told about the study when it is made."""

    context_length: int
    features: tuple[str, ...]
    horizon: int
    training: TrainingSection
    levels: tuple[float, ...] = ()  # of the quantiles that the study asks for


class Forecaster(Protocol):
    """Anything with fit and predict. One object serves one fold of one trial.

    Class attributes
    ----------------
    Settings
        Pydantic model of the settings under ``forecasters.<name>`` in a study.
    deterministic
        True when seeds do not matter: the trial runs once per series and shows no spread over seeds.
    trained
        True when the training section of the study matters.
    libraries
        Distributions whose version is part of a trial's identity.
    files
        Data files whose content is part of a trial's identity, such as the description of an architecture.

    A subclass that inherits from this protocol gets the defaults below.
    """

    Settings: ClassVar[type[BaseModel]]
    deterministic: ClassVar[bool] = False
    trained: ClassVar[bool] = False
    libraries: ClassVar[tuple[str, ...]] = ("numpy",)
    files: ClassVar[tuple[Path, ...]] = ()

    def __init__(self, settings: Mapping[str, Any], context: Context) -> None: ...

    def fit(self, train: Examples, validation: Examples, stream: Stream) -> list[Epoch]:
        """Fit on the training part; the validation part is for stopping and schedules only.

        Raises
        ------
        FitError
            When the data cannot carry the model: too few rows, a constant series, a loss that is not finite.
        """
        ...

    def predict(self, windows: Windows) -> FloatArray:
        """Return forecast h-bar log returns [N], one per cutoff, each from its own past alone."""
        ...

    def state(self) -> State:
        """Return everything that fitting learned, as named arrays; with the settings it restores the forecaster."""
        ...

    def restore(self, state: Mapping[str, npt.NDArray[Any]]) -> None:
        """Take over a state returned by :meth:`state`, instead of fitting."""
        ...


class FitError(RuntimeError):
    """A forecaster could not be fitted; the message says what was expected and what was found."""


def count_parameters(state: Mapping[str, npt.NDArray[Any]]) -> int:
    """Return the number of scalars in a state."""
    return int(sum(np.asarray(value).size for value in state.values()))
