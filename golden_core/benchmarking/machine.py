"""What the machine can do: its peaks as measured now, number formats, a network's operations, peak memory."""

from __future__ import annotations

import contextlib
import copy
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from threadpoolctl import threadpool_limits
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from golden_core.benchmarking.sampling import Call, sample
from golden_core.models.products import linear

_TRIED = 0.3  # seconds for each peak
_SIDE = {"cpu": 1024, "cuda": 8192}  # of the square matrices multiplied
_COPIED = {"cpu": 2**26, "cuda": 2**30}  # bytes, beyond any cache


def refusal(device: str, precision: str) -> str | None:
    """Return why a device and a number format cannot be measured here, if so."""
    if device == "cuda" and not torch.cuda.is_available():
        return "there is no CUDA device here"
    if precision == "tf32" and (device != "cuda" or torch.cuda.get_device_capability()[0] < 8):
        return "TF32 is a number format of NVIDIA's cards from Ampere on"
    return None


@contextlib.contextmanager
def conditions(device: str, precision: str, threads: int) -> Iterator[None]:
    """Compute with so many threads in a number format, and put back what was set before."""
    libraries: Any = torch.backends.cuda.matmul, torch.backends.cudnn  # which has recurrent layers in TF32, untold
    before, allowed = torch.get_num_threads(), [one.allow_tf32 for one in libraries]
    torch.set_num_threads(threads)
    for one in libraries:
        one.allow_tf32 = precision == "tf32"
    try:
        with threadpool_limits(threads), torch.autocast(device, torch.bfloat16, enabled=precision == "bfloat16"):
            yield
    finally:
        torch.set_num_threads(before)
        for one, was in zip(libraries, allowed, strict=True):
            one.allow_tf32 = was


def matrix_peak(device: str, precision: str) -> float:
    """Return the floating-point operations per second of a large matrix product, the best of a third of a second.

    On a processor in float32 the better of PyTorch's two libraries counts.
    """
    side = _SIDE[device]
    kind = torch.bfloat16 if precision == "bfloat16" else torch.float32
    a, b = (torch.rand(side, side, device=device).to(kind) for _ in range(2))
    nothing = torch.zeros(side, device=device, dtype=kind)
    with torch.no_grad():
        best = min(_best(lambda: a @ b, device), _best(lambda: linear(a, b, nothing), device))
    return 2 * side**3 / best


def bandwidth_peak(device: str) -> float:
    """Return the bytes per second, read and written, of copying memory beyond any cache."""
    source = torch.zeros(_COPIED[device] // 4, device=device)
    target = torch.empty_like(source)
    return 2 * _COPIED[device] / _best(lambda: target.copy_(source), device)


def synchronised(call: Call, device: str) -> Call:
    """Return a call that ends when the device has finished."""
    if device != "cuda":
        return call

    def waiting() -> None:
        call()
        torch.cuda.synchronize()

    return waiting


def operations(module: nn.Module, X: Tensor, *, training: bool = False) -> int:
    """Return the floating-point operations of a forward pass over windows [B, L, F], and of a backward pass after it.

    Counted on the processor by :class:`torch.utils.flop_counter.FlopCounterMode`, which is told of oneDNN's products
    and recurrent layers; a multiplication with its addition counts as two.
    """
    copied = copy.deepcopy(module).cpu().train(training)
    with FlopCounterMode(display=False, custom_mapping=_ONEDNN) as counter, torch.set_grad_enabled(training):
        outputs = copied(X.cpu())
        if training:
            torch.autograd.backward(outputs.sum())
    return int(counter.get_total_flops())


class PeakMemory:
    """The most memory that a block had: of the device, or of the whole process where that is the processor.

    ``megabytes`` is undefined where the system does not let a process begin its high-water mark anew.
    """

    def __init__(self, device: str) -> None:
        self.device = device
        self.megabytes: float | None = None

    def __enter__(self) -> PeakMemory:
        self._begun = self.device == "cuda"
        if self._begun:
            torch.cuda.reset_peak_memory_stats()
        else:
            with contextlib.suppress(OSError):  # not Linux, or not allowed: unmeasured
                Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
                self._begun = True
        return self

    def __exit__(self, *_: object) -> None:
        if self.device == "cuda":
            self.megabytes = torch.cuda.max_memory_allocated() / 1e6
        elif self._begun:
            found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text(encoding="ascii"))
            self.megabytes = int(found[1]) * 1024 / 1e6 if found else None


def _best(call: Call, device: str) -> float:
    call = synchronised(call, device)
    call()  # warms up
    return float(sample(call, seconds=_TRIED, fewest=5, block=1).seconds.min())


def _recurrent(x: Any, of_inputs: Any, of_state: Any, *_: object, **__: object) -> int:
    steps = torch.Size(x).numel() // x[-1]  # time × batch
    return int(2 * steps * (torch.Size(of_inputs).numel() + torch.Size(of_state).numel()))


_ONEDNN = {
    operator: count
    for library, name, count in (
        ("mkldnn", "_linear_pointwise", lambda x, weight, *_, **__: int(2 * torch.Size(x).numel() * weight[0])),
        ("aten", "mkldnn_rnn_layer", _recurrent),
        ("aten", "mkldnn_rnn_layer_backward", lambda *shapes, **more: 2 * _recurrent(*shapes, **more)),
    )
    if (operator := getattr(getattr(torch.ops, library), name, None)) is not None
}
