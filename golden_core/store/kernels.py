"""Kernels that round alike on all x86-64 processors with AVX2, for a study that asks for the same bytes on each.

Libraries choose their innermost loops by the processor: how many numbers a register holds decides the order of a sum,
and so its last digit, which training carries on. Each of them can be held to what all such processors have, by a
variable of the environment that it reads once: a process has such kernels from its start or not at all.
"""

from __future__ import annotations

import functools
import os
import platform
import sys
from typing import Any, Literal

VARIABLES = {
    "ATEN_CPU_CAPABILITY": "avx2",  # PyTorch's own loops
    "ONEDNN_MAX_CPU_ISA": "AVX2",  # its matrix products, convolutions and LSTMs
    "MKL_CBWR": "COMPATIBLE",  # its other products and LAPACK; MKL's faster modes differ between Intel and AMD
    "OPENBLAS_CORETYPE": "Haswell",  # products and LAPACK of NumPy and SciPy
}
_NUMPY = "NPY_DISABLE_CPU_FEATURES"


class UnpinnedError(RuntimeError):
    """A study asks for other kernels than the process has; the message says how to start one that has them."""


def variables() -> dict[str, str]:
    """Return the environment of a process whose kernels are portable."""
    return VARIABLES | {_NUMPY: " ".join(_wide(_simd("baseline", "found", "not found")))}


@functools.cache
def require(kernels: Literal["native", "portable"]) -> None:
    """Refuse to compute with other kernels than those asked for; ``native`` asks for none.

    Raises
    ------
    UnpinnedError
        If kernels are to be portable and this process was not started so, or its processor has no AVX2.
    """
    if kernels == "native":
        return
    if platform.machine() not in {"x86_64", "AMD64"} or not {"X86_V3", "AVX2"}.intersection(_simd("baseline", "found")):
        raise UnpinnedError("training.kernels: portable needs an x86-64 processor with AVX2: use native here")
    wanted = variables()
    if differing := [name for name, value in wanted.items() if os.environ.get(name, "") != value] or _unheeded():
        pairs = " ".join(f"{name}='{value}'" for name, value in wanted.items())
        raise UnpinnedError(
            "training.kernels: portable asks for other kernels than this process has "
            f"({', '.join(differing)}): start it with {pairs}"
        )


def pinned_since_start() -> bool:
    """Whether the variables were set when this process started, whatever libraries made of them."""
    return all(os.environ.get(name, "") == value for name, value in variables().items())


def _unheeded() -> list[str]:
    """Return the libraries that were loaded before the variables were set, as far as they tell."""
    found = ["NumPy"] if _wide(_simd("found")) else []
    torch = sys.modules.get("torch")
    return found + (["PyTorch"] if torch and torch.backends.cpu.get_cpu_capability() != "AVX2" else [])


def _wide(features: list[str]) -> list[str]:
    return [name for name in features if name.startswith("AVX512") or name == "X86_V4"]


def _simd(*groups: str) -> list[str]:
    import numpy as np  # noqa: PLC0415  a command that computes nothing needs it not

    found: Any = np.show_config(mode="dicts")["SIMD Extensions"]
    return [name for group in groups for name in found.get(group, ())]
