"""Forecasters that train a network. The networks themselves, and the loop that fits them, live further down."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import torch
from pydantic import BaseModel
from torch import Generator, nn

from golden_core.forecasters.base import Context, Epoch, FitError, Forecaster, State
from golden_core.forecasters.settings import DLinearSettings, LegacySettings, MixtureSettings, PatchTSTSettings
from golden_core.inputs.windows import Examples, Float32Array, FloatArray, Windows
from golden_core.models.architecture import architecture_path
from golden_core.models.legacy import build
from golden_core.models.linear import DLinear
from golden_core.models.mixture import GatedExperts
from golden_core.models.patch import PatchTST
from golden_core.store.randomness import Stream
from golden_core.study import TrainingSection
from golden_core.training import trainer
from golden_core.training.objective import MEAN, Objective

MINIMUM_TRAINING_WINDOWS = 2


class NeuralForecaster(Forecaster):
    """A network under the study's training budget; a subclass says which network."""

    trained: ClassVar[bool] = True
    libraries: ClassVar[tuple[str, ...]] = ("numpy", "torch")

    def __init__(self, settings: Mapping[str, Any], context: Context) -> None:
        self.settings = self.Settings.model_validate(dict(settings))
        self.context = context
        self._module: nn.Module | None = None

    @abstractmethod
    def network(self, generator: Generator | None) -> nn.Module:
        """Return a network, [B, L, F] to what the objective takes, with values from the generator, or zeros."""

    def budget(self) -> TrainingSection:
        """Return the training budget: the study's, unless a subclass has reason to differ."""
        return self.context.training

    def objective(self) -> Objective:
        """Return what the network's outputs are held against: the mean, unless a subclass has more."""
        return MEAN

    def fit(self, train: Examples, validation: Examples, stream: Stream) -> list[Epoch]:
        """Train from the starting values of the stream ``init``; see :meth:`Forecaster.fit`."""
        _verify(train, validation)
        module = self.network(Generator().manual_seed(stream.child("init").integer()))
        try:
            curve = trainer.train(module, train, validation, self.budget(), stream, self.objective())
        except trainer.TrainingError as error:
            raise FitError(str(error)) from error
        self._module = module
        return curve

    def predict(self, windows: Windows) -> FloatArray:
        """Return forecast h-bar log returns [N]."""
        return windows.target.log_return(self._outputs(windows)[:, 0], windows.last_close)

    def state(self) -> State:
        """Return weights and moving statistics."""
        return {name: value.numpy().copy() for name, value in self._fitted().state_dict().items()}

    def restore(self, state: Mapping[str, npt.NDArray[Any]]) -> None:
        """Take over weights and moving statistics."""
        module = self.network(None)
        module.load_state_dict({name: torch.from_numpy(np.array(value)) for name, value in state.items()})
        self._module = module

    def _outputs(self, windows: Windows) -> Float32Array:
        """Return the network's outputs as columns [N, C], the mean first."""
        return trainer.predict(self._fitted(), windows.X).reshape(len(windows), -1)

    def _fitted(self) -> nn.Module:
        if self._module is None:
            raise RuntimeError(f"{type(self).__name__} knows nothing yet: call fit or restore first")
        return self._module


class QuantileNetwork(NeuralForecaster):
    """A network with one more output per quantile level of the study, fitted by the pinball loss beside the mean.

    Nothing keeps the quantiles from crossing: where they do, calibration puts them in order and counts it.
    """

    def objective(self) -> Objective:
        """Return the mean's loss and, where the study asks for quantiles, theirs."""
        return Objective(self.context.levels)

    def predict_quantiles(self, windows: Windows, levels: FloatArray) -> FloatArray:
        """Return quantiles of the h-bar log return [N, Q], at the study's levels and no others."""
        if (asked := tuple(np.asarray(levels).tolist())) != self.context.levels:
            raise ValueError(f"the network was fitted at the levels {self.context.levels}, not {asked}")
        outputs = self._outputs(windows)[:, 1 : 1 + len(levels)]
        return windows.target.log_return(outputs, windows.last_close[:, None])


class DLinearForecaster(QuantileNetwork):
    """Trend and remainder, one linear layer each."""

    Settings: ClassVar[type[BaseModel]] = DLinearSettings
    settings: DLinearSettings

    def network(self, generator: Generator | None) -> nn.Module:
        """Return a :class:`DLinear` of the study's shape."""
        shape = self.context.context_length, len(self.context.features)
        outputs = 1 + len(self.context.levels)
        return DLinear(*shape, self.settings.moving_average, outputs=outputs, generator=generator)

    def budget(self) -> TrainingSection:
        """Return the study's budget with the forecaster's own number of epochs: its epochs cost next to nothing."""
        epochs = self.settings.epochs
        return self.context.training if epochs is None else self.context.training.model_copy(update={"epochs": epochs})


class PatchTSTForecaster(QuantileNetwork):
    """Patches of each feature through a small transformer."""

    Settings: ClassVar[type[BaseModel]] = PatchTSTSettings
    settings: PatchTSTSettings

    def network(self, generator: Generator | None) -> nn.Module:
        """Return a :class:`PatchTST` of the study's shape."""
        shape = self.context.context_length, len(self.context.features)
        outputs = 1 + len(self.context.levels)
        return PatchTST(*shape, **self.settings.model_dump(), outputs=outputs, generator=generator)


class MixtureForecaster(QuantileNetwork):
    """Experts weighed by a softmax gate that is kept in balance."""

    Settings: ClassVar[type[BaseModel]] = MixtureSettings
    settings: MixtureSettings

    def network(self, generator: Generator | None) -> nn.Module:
        """Return :class:`GatedExperts` of the study's shape."""
        shape = self.context.context_length, len(self.context.features)
        outputs, facts = 1 + len(self.context.levels), self.settings.model_dump(exclude={"balance"})
        return GatedExperts(*shape, **facts, outputs=outputs, generator=generator)

    def objective(self) -> Objective:
        """Return the loss of the forecasts and, beside it, what keeps the load of the experts even."""
        return Objective(self.context.levels, self.settings.balance)


class LegacyForecaster(NeuralForecaster):
    """A legacy variant under the study's protocol; a subclass names the variant.

    Point forecasts only, whatever the study asks for: another head would be another network than the one published.
    """

    Settings: ClassVar[type[BaseModel]] = LegacySettings
    variant: ClassVar[str]
    settings: LegacySettings

    def network(self, generator: Generator | None) -> nn.Module:
        """Return the variant's network, of the study's shape."""
        return build(
            self.variant,
            self.context.context_length,
            len(self.context.features),
            gate=self.settings.gate,
            initialisers=self.settings.initialisers,
            generator=generator,
        )


def _variant(name: str) -> type[LegacyForecaster]:
    body = {
        "variant": name,
        "files": (architecture_path(name),),
        "__module__": __name__,
        "__doc__": f"The legacy variant {name}.",
    }
    return type(name.upper(), (LegacyForecaster,), body)


V01, V02, V03, V04, V05 = (_variant(f"v{number:02d}") for number in range(1, 6))
V06, V07, V08, V09, V10 = (_variant(f"v{number:02d}") for number in range(6, 11))


def _verify(train: Examples, validation: Examples) -> None:
    if len(train) < MINIMUM_TRAINING_WINDOWS or not len(validation):
        raise FitError(
            f"a network needs {MINIMUM_TRAINING_WINDOWS} training windows and 1 validation window at least, there are "
            f"{len(train)} and {len(validation)}: widen splits.train or splits.validation"
        )
    if not train.windows.target.scale > 0 or np.ptp(train.standardised) == 0:
        raise FitError("every training target has the same value: there is nothing to learn from a constant series")
