"""The one kernel of PyTorch that no setting makes portable, replaced. For a process with portable kernels only."""

from __future__ import annotations

import functools
import warnings

import numpy as np
import torch
from torch import Tensor

_WIDE = {torch.float32, torch.float64, torch.complex64, torch.complex128}
_OPERATORS = torch.library.Library("aten", "IMPL")  # type: ignore[no-untyped-call]


@functools.cache
def activate() -> None:
    """Have NumPy take square roots, once and for all in this process.

    PyTorch has MKL take them, which starts from the processor's own approximation of 1/√x: AMD's, Intel's and an
    emulator's have other digits, and the result is not always the nearest number. NumPy's is, as IEEE 754 asks.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Warning only once for all operators")  # that one is replaced
        for name, kernel in (("sqrt", _sqrt), ("sqrt_", _sqrt_), ("sqrt.out", _sqrt_out)):
            _OPERATORS.impl(name, kernel, "CPU", allow_override=True)  # type: ignore[no-untyped-call]


def _sqrt(x: Tensor) -> Tensor:
    # Whole numbers and short floats as PyTorch takes them, in float32; NumPy has no bfloat16.
    wide = x.detach() if x.dtype in _WIDE else x.detach().to(torch.float32)
    with np.errstate(invalid="ignore"):  # of a negative number NaN, without a word
        root = torch.from_numpy(np.asarray(np.sqrt(wide.numpy())))
    return root.to(x.dtype) if x.is_floating_point() else root


def _sqrt_(x: Tensor) -> Tensor:
    return x.copy_(_sqrt(x))


def _sqrt_out(x: Tensor, *, out: Tensor) -> Tensor:
    return out.copy_(_sqrt(x))
