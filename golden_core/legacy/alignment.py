"""Training as the legacy code trained, step by step, to be compared with what Keras recorded. No data set, no study."""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn
from torch.nn import functional

from golden_core.inputs.windows import FloatArray
from golden_core.training.optimiser import KerasAdamW
from golden_core.training.trainer import TrainingError


def replay_steps(
    model: nn.Module,
    x: ArrayLike,
    y: ArrayLike,
    *,
    steps: int,
    learning_rate: float,
    weight_decay: float,
) -> FloatArray:
    """Take full-batch steps of Keras' AdamW on the mean squared error, in place, and return the losses before each.

    The arithmetic is float64, whatever the model's precision, which it gets back. A bias that only shifts the input of
    a batch normalisation has a gradient of exactly zero. In float32 rounding leaves some 1e-7 of it, which Adam divides
    by itself and Keras' epsilon of 1e-7, so that such biases wander by a visible part of a step, differently for every
    order of summation: for another number of threads, compiled or not, and in another version. No replay can follow
    that noise of Keras; a replay in float32 would add its own. float64 gives the steps that the noise is about, those
    of Keras in float64.

    Parameters
    ----------
    model : Module
        Maps windows [N, L, F] to standardised targets [N]; left in inference mode.
    x : [N, L, F]
        Windows.
    y : [N] or [N, 1]
        Targets.
    steps : int
        At least 1.
    learning_rate, weight_decay : float
        The same in every step; every tensor is decayed.

    Returns
    -------
    [steps] float64
        Losses in training mode, each before its update.

    Raises
    ------
    ValueError
        If ``x`` and ``y`` are not one target per window, or there is no step to take.
    TrainingError
        If a loss is not finite.

    References
    ----------
    Kingma and Ba (2015), section 2; Ioffe and Szegedy (2015), algorithm 1, whose output does not depend on a
    constant added to its input.
    """
    windows, targets = (torch.from_numpy(np.array(values, dtype=np.float64)) for values in (x, y))
    if not len(windows) or targets.shape not in {windows.shape[:1], (len(windows), 1)} or steps < 1:
        raise ValueError(
            f"expected windows [N, L, F], targets [N] or [N, 1] and 1 step at least, got {list(windows.shape)}, "
            f"{list(targets.shape)} and {steps}"
        )
    precision = next(model.parameters()).dtype
    model.double().train()
    try:
        optimiser = KerasAdamW(model.parameters(), lr=learning_rate, weight_decay=weight_decay)
        losses = [_step(model, optimiser, windows, targets.flatten()) for _ in range(steps)]
    finally:
        model.to(precision).eval()
    return np.array(losses)


def _step(model: nn.Module, optimiser: KerasAdamW, windows: Tensor, targets: Tensor) -> float:
    optimiser.zero_grad()
    loss = functional.mse_loss(model(windows), targets)
    if not math.isfinite(loss.item()):
        raise TrainingError(
            f"the loss is {loss.item()} before step {optimiser.steps + 1}: verify the windows, or lower learning_rate"
        )
    torch.autograd.backward(loss)
    optimiser.step()
    return loss.item()
