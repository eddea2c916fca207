"""Adam's bias correction as Keras computes it, for hand derivations of steps."""

import numpy as np


def correction(t):
    """Return √(1 − β₂ᵗ) / (1 − β₁ᵗ) of float32 numbers: what float32 holds of a decay, and its power, rounded once."""
    first, second = (np.float32(1) - np.float32(float(np.float32(beta)) ** t) for beta in (0.9, 0.999))
    return float(np.sqrt(second) / first)
