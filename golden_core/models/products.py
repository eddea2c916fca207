"""The one matrix product that every dense map goes through. Layers, shapes and starting values belong elsewhere."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional


def linear(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Return x · weightᵀ + bias, [..., in] → [..., out].

    In float32 on a processor, forward and backward products go through oneDNN: on the machines measured, PyTorch's
    own choice for float32, MKL, reaches half its speed or less (`golden bench training`). The two differ in rounding
    only. Any other number format, autocast included, is left to PyTorch, as is a build without oneDNN or a release
    without the operator.
    """
    if x.dtype != torch.float32 or not _ONEDNN or x.device.type != "cpu" or torch.is_autocast_enabled("cpu"):
        return functional.linear(x, weight, bias)
    y: Tensor = _Linear.apply(x, weight, bias)  # type: ignore[no-untyped-call]
    return y


class _Linear(torch.autograd.Function):
    """The product and its gradients; differentiable once."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        ctx.save_for_backward(x, weight)
        return _product(x, weight, bias)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
        x, weight = ctx.saved_tensors
        rows = gradient.reshape(-1, gradient.shape[-1])  # [N, out]
        of_x, of_weight, of_bias = ctx.needs_input_grad
        return (
            _product(rows, weight.t(), None).view(x.shape) if of_x else None,
            _product(rows.t(), x.reshape(-1, x.shape[-1]).t(), None) if of_weight else None,
            rows.sum(dim=0) if of_bias else None,
        )


def _product(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    # What torch.compile calls for such a product; eager PyTorch has no public name for it.
    y: Tensor = torch.ops.mkldnn._linear_pointwise(x, weight, bias, "none", [], "")
    return y


def _has_product() -> bool:
    """Return whether this build has oneDNN and this release the operator, which is private and may go."""
    available: bool = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    return available and hasattr(torch.ops.mkldnn, "_linear_pointwise")


_ONEDNN = _has_product()
