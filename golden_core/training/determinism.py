"""Torch made deterministic: the same operations in the same order, one thread. Called before a network is made."""

from __future__ import annotations

import torch


def activate() -> None:
    """Refuse operations without a deterministic form, and use one thread.

    The order of a parallel sum depends on the number of threads, so bytes would depend on the machine's load.
    """
    # The same switch as use_deterministic_algorithms, which also imports the compiler, for a second of every process.
    torch.set_deterministic_debug_mode("error")
    torch.set_num_threads(1)
