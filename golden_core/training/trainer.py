"""The training loop: examples in, a fitted network and its learning curve out. It knows no forecaster and no file.

Shape letters: N windows, B batch, L context, F features.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from golden_core.inputs.windows import Examples, Float32Array
from golden_core.store.randomness import Stream
from golden_core.study import TrainingSection
from golden_core.training.objective import MEAN, Objective
from golden_core.training.optimiser import make_optimiser
from golden_core.training.schedule import Epoch, PlateauSchedule, StoppingRule

INFERENCE_BATCH = 1024  # windows; fixed, because the shape of a product can change its last bit


class TrainingError(RuntimeError):
    """A loss is not finite; the message names the epoch and what to try."""


@dataclass(frozen=True, eq=False)
class _Data:
    X: Tensor  # [N, L, F]
    y: Tensor  # [N]


def train(
    module: nn.Module,
    train: Examples,
    validation: Examples,
    training: TrainingSection,
    stream: Stream,
    objective: Objective = MEAN,
) -> list[Epoch]:
    """Fit a network in place by mini-batch gradient descent on its loss against the standardised target.

    Batches are drawn anew each epoch from the stream ``shuffle/<epoch>``; the last one may be smaller. Reduced
    precision applies to the training steps only: the validation loss, like every forecast, is computed in float32.

    ``module`` maps windows [B, L, F] to standardised targets [B], or to what else ``objective`` takes. The validation
    part decides learning rate, stopping and the epoch kept; never a gradient. A learning curve holds losses without
    the penalty, which is of the batch and not of the forecasts.

    Raises
    ------
    TrainingError
        If a loss is not finite.
    """
    fitted, held_out = _data(train), _data(validation)
    optimiser = make_optimiser(
        training.optimiser, module.parameters(), lr=training.learning_rate, weight_decay=training.weight_decay
    )
    plateau = PlateauSchedule(training.plateau, training.learning_rate) if training.plateau else None
    stopping = StoppingRule(training.early_stopping) if training.early_stopping else None
    best: dict[str, Tensor] | None = None
    rate, curve = training.learning_rate, list[Epoch]()
    for number in range(1, training.epochs + 1):
        order = _order(len(fitted.y), training.shuffle, stream.child("shuffle", number))
        train_loss = _fit_epoch(module, optimiser, fitted, torch.split(order, training.batch_size), training, objective)
        validation_loss = objective.loss(_infer(module, held_out.X), held_out.y).item()
        epoch = Epoch(number, train_loss, validation_loss, rate)
        _verify(epoch)
        curve.append(epoch)
        if plateau:
            rate = optimiser.param_groups[0]["lr"] = plateau.update(validation_loss)
        if stopping:
            if stopping.improves(validation_loss) and stopping.settings.restore_best:
                best = {name: value.clone() for name, value in module.state_dict().items()}
            if stopping.exhausted:
                break
    if best is not None:
        module.load_state_dict(best)
    module.eval()
    return curve


def predict(module: nn.Module, X: Float32Array) -> Float32Array:
    """Return a network's outputs, [N] or [N, C], for windows [N, L, F], in inference mode and float32."""
    outputs: Float32Array = _infer(module, _tensor(X)).numpy()
    return outputs


def _fit_epoch(
    module: nn.Module,
    optimiser: torch.optim.Optimizer,
    data: _Data,
    batches: Iterable[Tensor],
    training: TrainingSection,
    objective: Objective,
) -> float:
    """Take one step per batch of row numbers; return the mean loss."""
    module.train()
    total = 0.0
    for rows in batches:
        optimiser.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=training.precision == "bfloat16"):
            outputs = module(data.X[rows])
        outputs = outputs.float()
        loss = objective.loss(outputs, data.y[rows])
        torch.autograd.backward(loss + objective.penalty(outputs) if objective.balance else loss)
        if training.gradient_clip is not None:
            nn.utils.clip_grad_norm_(module.parameters(), training.gradient_clip)
        optimiser.step()
        total += loss.item() * len(rows)
    return total / len(data.y)


@torch.inference_mode()
def _infer(module: nn.Module, X: Tensor) -> Tensor:
    module.eval()
    return torch.cat([module(batch) for batch in torch.split(X, INFERENCE_BATCH)])


def _order(count: int, shuffle: bool, stream: Stream) -> Tensor:
    return torch.from_numpy(stream.generator().permutation(count)) if shuffle else torch.arange(count)


def _data(examples: Examples) -> _Data:
    return _Data(_tensor(examples.windows.X), _tensor(examples.standardised))


def _tensor(values: Float32Array) -> Tensor:
    # Windows are read-only, overlapping views: one contiguous copy, so that gathering a batch is one pass.
    return torch.from_numpy(np.array(values, dtype=np.float32, order="C"))


def _verify(epoch: Epoch) -> None:
    for name, loss in (("training", epoch.train_loss), ("validation", epoch.validation_loss)):
        if not math.isfinite(loss):
            raise TrainingError(
                f"the {name} loss is {loss} in epoch {epoch.epoch}, at learning rate {epoch.learning_rate:g}: "
                "lower training.learning_rate, set training.gradient_clip, or use training.precision float32"
            )
