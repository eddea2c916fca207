"""What follows from a learning curve: the next learning rate, when to stop, which epoch to keep. No tensors here.

Both rules look at the validation loss only, and both follow Keras' callbacks where they count epochs.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from golden_core.study import EarlyStopping, Plateau


@dataclass(frozen=True)
class Epoch:
    """One row of a learning curve."""

    epoch: int
    train_loss: float
    validation_loss: float
    learning_rate: float


class PlateauSchedule:
    """Cut the learning rate when the validation loss has stopped falling.

    Keras' ``ReduceLROnPlateau`` without a cool-down: after ``patience`` epochs in a row without an improvement the
    rate is multiplied by ``factor``, never below ``min_learning_rate``, and the count starts again. An improvement is
    a loss below best − min_delta (absolute) or below best · (1 − min_delta) (relative).
    """

    def __init__(self, settings: Plateau, learning_rate: float) -> None:
        self.settings = settings
        self.learning_rate = learning_rate
        self._best = math.inf
        self._waited = 0

    def update(self, validation_loss: float) -> float:
        """Take in the loss of an epoch and return the learning rate of the next one."""
        if validation_loss < self._bar():
            self._best, self._waited = validation_loss, 0
            return self.learning_rate
        self._waited += 1
        if self._waited >= self.settings.patience and self.learning_rate > self.settings.min_learning_rate:
            self.learning_rate = max(self.learning_rate * self.settings.factor, self.settings.min_learning_rate)
            self._waited = 0
        return self.learning_rate

    def _bar(self) -> float:
        if self.settings.threshold == "relative":
            return self._best * (1 - self.settings.min_delta)
        return self._best - self.settings.min_delta


class StoppingRule:
    """Say which epoch is the best so far, and when to stop.

    Keras' ``EarlyStopping``: an epoch is the new best if its loss is below the best by more than ``min_delta``;
    training stops after ``patience`` epochs in a row that were not. With ``min_delta`` above zero the best epoch need
    not be the one with the lowest loss.
    """

    def __init__(self, settings: EarlyStopping) -> None:
        self.settings = settings
        self._best = math.inf
        self._waited = 0

    @property
    def exhausted(self) -> bool:
        """Whether patience has run out."""
        return self._waited >= self.settings.patience

    def improves(self, validation_loss: float) -> bool:
        """Take in the loss of an epoch and return whether it is the new best."""
        if validation_loss < self._best - self.settings.min_delta:
            self._best, self._waited = validation_loss, 0
            return True
        self._waited += 1
        return False
