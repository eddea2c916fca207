"""The global generators of Python, NumPy, torch and CUDA: set from one stream, drawn from, compared.

No forecaster may draw from them, since each is handed streams of its own. They are set so that what an analyst draws
repeats, and looked at after training so that a forecaster which draws from them is found out.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from golden_core.store.randomness import Stream


@dataclass(frozen=True)
class GlobalGenerator:
    """How one library's global generator is seeded, drawn from (that many numbers in [0, 1)) and compared."""

    seed: Callable[[int], object]
    draw: Callable[[int], list[float]]
    state: Callable[[], bytes]


def _numpy_state() -> bytes:
    state = np.random.get_state(legacy=False)["state"]  # noqa: NPY002  the global generator is what is looked at
    return state["key"].tobytes() + bytes(str(state["pos"]), "ascii")  # type: ignore[no-any-return]


def _cuda_state() -> bytes:
    return b"".join(state.numpy().tobytes() for state in torch.cuda.get_rng_state_all())


# torch.manual_seed also seeds CUDA, which therefore comes last.
GENERATORS = {
    "Python": GlobalGenerator(
        random.seed,
        lambda count: [random.random() for _ in range(count)],
        lambda: repr(random.getstate()).encode(),
    ),
    "NumPy": GlobalGenerator(
        lambda seed: np.random.seed(seed % 2**32),  # noqa: NPY002
        lambda count: [float(number) for number in np.random.random_sample(count)],  # noqa: NPY002
        _numpy_state,
    ),
    "torch": GlobalGenerator(
        torch.manual_seed,
        lambda count: [float(number) for number in torch.rand(count, dtype=torch.float64)],
        lambda: torch.get_rng_state().numpy().tobytes(),
    ),
    "CUDA": GlobalGenerator(
        torch.cuda.manual_seed_all,
        lambda count: [float(number) for number in torch.rand(count, dtype=torch.float64, device="cuda").cpu()],
        _cuda_state,
    ),
}


def present() -> dict[str, GlobalGenerator]:
    """Return the generators that this machine has: all of them, but for CUDA where there is no card."""
    return {name: one for name, one in GENERATORS.items() if name != "CUDA" or torch.cuda.is_available()}


def seed_everything(stream: Stream) -> None:
    """Set every global generator of this machine, each from a child of the stream."""
    for name, generator in present().items():
        generator.seed(stream.child(name).integer())


def states() -> dict[str, bytes]:
    """Return the state of every global generator of this machine, to be compared."""
    return {name: generator.state() for name, generator in present().items()}
