"""Where networks train: a processor or a card, what memory it has left, and when that did not suffice."""

from __future__ import annotations

import os
from typing import Literal

import psutil
import torch

from golden_core.training import determinism

Kind = Literal["cpu", "cuda"]

# cuBLAS repeats its bits only with a workspace of a fixed size, which it reads when it is first used.
WORKSPACE = ":4096:8"
SHARE = {"cpu": 0.5, "cuda": 0.9}  # of what is free, for one cohort: a processor's memory has other users


class DeviceError(RuntimeError):
    """There is no such device here."""


def best_kind() -> Kind:
    """Return the kind of device that ``training.device: auto`` stands for on this machine."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def prepare(kind: Kind) -> torch.device:
    """Make a device ready to train deterministically.

    Raises
    ------
    DeviceError
        If there is no such device.
    """
    require(kind)
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", WORKSPACE)
    determinism.activate()
    torch.backends.cudnn.allow_tf32 = False  # else convolutions round to ten bits where float32 was asked for
    return torch.device(kind)


def require(kind: Kind) -> None:
    """Refuse to go on without the device.

    Raises
    ------
    DeviceError
        If there is no such device.
    """
    if kind == "cuda" and not torch.cuda.is_available():
        raise DeviceError(
            "training.device is cuda, and this machine or this build of torch has none: say cpu or auto, or install a "
            "build of torch for the card"
        )


def card(kind: Kind) -> str | None:
    """Return the name of the card, if it is one."""
    return torch.cuda.get_device_name() if kind == "cuda" else None


def budget(kind: Kind) -> int:
    """Return the bytes that one cohort may take of the memory that is free."""
    free = torch.cuda.mem_get_info()[0] if kind == "cuda" else psutil.virtual_memory().available
    return int(free * SHARE[kind])


def release() -> None:
    """Give back what a card's allocator keeps for later, which another cohort may want in other pieces."""
    torch.cuda.empty_cache()


def ran_out(error: BaseException) -> bool:
    """Whether an error says that memory did not suffice; PyTorch's allocator for processors has no class for it."""
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or "can't allocate memory" in str(error)
