"""Optimisers, by the name that a study gives them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import Literal, overload

import numpy as np
import torch
from torch import Tensor, nn

# The moment decays that Keras and PyTorch share, and Keras' epsilon.
BETAS = (0.9, 0.999)
KERAS_EPSILON = 1e-7


class KerasAdamW(torch.optim.Optimizer):
    """AdamW as Keras computes it.

    Two things differ from ``torch.optim.AdamW``: epsilon is added to √v before the bias correction (the "epsilon hat"
    of the paper), and so weighs more in the first steps; and every tensor is decayed, biases and normalisation
    included, by w ← w − w · weight_decay · lr before the Adam step.

    References
    ----------
    Kingma and Ba (2015), the end of section 2; Loshchilov and Hutter (2019), algorithm 2.
    """

    def __init__(self, parameters: Iterable[nn.Parameter], *, lr: float, weight_decay: float) -> None:
        super().__init__(parameters, {"lr": lr, "weight_decay": weight_decay})
        self.steps = 0

    @overload
    def step(self, closure: None = None) -> None: ...
    @overload
    def step(self, closure: Callable[[], float]) -> float: ...
    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:
        """Take one step along the gradients.

        Raises
        ------
        ValueError
            If a closure is given: the loss is computed once per step.
        """
        if closure is not None:
            raise ValueError("KerasAdamW takes no closure")
        self.steps += 1
        for group in self.param_groups:
            self._step_group(group["params"], group["lr"], group["weight_decay"])
        return None

    def _step_group(self, parameters: list[Tensor], lr: float, weight_decay: float) -> None:
        pairs = [(parameter, parameter.grad) for parameter in parameters if parameter.grad is not None]
        parameters, gradients = [parameter for parameter, _ in pairs], [gradient for _, gradient in pairs]
        means, squares = self._moments(parameters)
        torch._foreach_mul_(parameters, 1 - weight_decay * lr)
        torch._foreach_lerp_(means, gradients, 1 - BETAS[0])
        torch._foreach_mul_(squares, BETAS[1])
        torch._foreach_addcmul_(squares, gradients, gradients, 1 - BETAS[1])
        denominators = torch._foreach_sqrt(squares)
        torch._foreach_add_(denominators, KERAS_EPSILON)
        torch._foreach_addcdiv_(parameters, means, denominators, -lr * keras_correction(self.steps))

    def _moments(self, parameters: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        for parameter in parameters:
            if not self.state[parameter]:
                self.state[parameter] = {"mean": torch.zeros_like(parameter), "square": torch.zeros_like(parameter)}
        states = [self.state[parameter] for parameter in parameters]
        return [state["mean"] for state in states], [state["square"] for state in states]


@functools.cache
def keras_correction(steps: int) -> float:
    """Return the bias correction of both moments; Keras computes it in float32, where 1 − 0.999 is 1.3e-5 off.

    One number at a time: NumPy's power of an array has another last bit on some processors.
    """
    first, second = (np.float32(1) - np.float32(beta) ** np.float32(steps) for beta in BETAS)
    return float(np.sqrt(second) / first)


def make_optimiser(
    name: Literal["adamw", "keras_adamw"], parameters: Iterable[nn.Parameter], *, lr: float, weight_decay: float
) -> torch.optim.Optimizer:
    """Return the optimiser that a study names: AdamW as in PyTorch, or as in Keras."""
    if name == "keras_adamw":
        return KerasAdamW(parameters, lr=lr, weight_decay=weight_decay)
    return torch.optim.AdamW(parameters, lr=lr, weight_decay=weight_decay, betas=BETAS)
