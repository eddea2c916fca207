"""What a gate of experts does: who is used, how evenly, in which regime; and what it cannot be asked.

Shape letters: N windows, L context, E experts.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from golden_core.interpretability.hooks import Gate
from golden_core.interpretability.measures import FloatArray, entropy, normalised_mutual_information

DEAD = 0.01  # of an even share
_ROUNDING = 1e-6


def is_distribution(weights: FloatArray) -> bool:
    """Whether weights [..., E] are never negative and add up to one: only then have they an entropy."""
    return bool((weights >= -_ROUNDING).all() and np.allclose(weights.sum(axis=-1), 1, atol=_ROUNDING))


def heaviest(gate: Gate) -> npt.NDArray[np.int64]:
    """Return the expert with the largest mean absolute weight in each window [N]."""
    return np.asarray(np.abs(gate.weights).mean(axis=1).argmax(axis=1))


def dead_experts(gate: Gate) -> list[int]:
    """Return the experts whose share of all weight is below a hundredth of an even one, and that never lead."""
    share = utilisation(gate.weights)
    leading = set(heaviest(gate).tolist())
    return [e for e, value in enumerate(share) if value < DEAD / len(share) and e not in leading]


def utilisation(weights: FloatArray) -> FloatArray:
    """Return the share of every expert in the absolute weight [E]."""
    mean = np.abs(weights).reshape(-1, weights.shape[-1]).mean(axis=0)
    return np.asarray(mean / mean.sum() if mean.sum() > 0 else np.full(len(mean), 1 / len(mean)))


def summarise(gate: Gate, regimes: npt.NDArray[Any]) -> dict[str, Any]:
    """Return what a gate comes to, given the regime of every window [N], such as a tercile of volatility.

    A linear gate's weights are no distribution: they have a sign and no entropy.
    """
    distribution = is_distribution(gate.weights)
    experts = gate.weights.shape[-1]
    found: dict[str, Any] = {
        "layer": gate.layer,
        "experts": experts,
        "weights": "distribution" if distribution else "signed",
        "utilisation": _rounded(utilisation(gate.weights)),
        "mean_weight": _rounded(gate.weights.reshape(-1, experts).mean(axis=0)),
        "mean_contribution": _rounded(gate.contributions.mean(axis=0)),
        "dead": dead_experts(gate),
        "load_by_regime": {str(r): _rounded(utilisation(gate.weights[regimes == r])) for r in np.unique(regimes)},
        "nmi_with_regime": round(normalised_mutual_information(heaviest(gate), regimes), 6),
    }
    if distribution:
        rows = gate.weights.reshape(-1, experts)
        found["entropy"] = round(float(np.mean([entropy(row) for row in rows]) / np.log(experts)), 6)
        found["entropy_of_utilisation"] = round(entropy(rows.mean(axis=0)) / float(np.log(experts)), 6)
    return found


def _rounded(values: FloatArray) -> list[float]:
    return [round(float(value), 9) for value in values]
