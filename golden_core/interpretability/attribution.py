"""Methods that say how much each feature at each lag moves a forecast. How far to believe them is told in sanity.py.

All start from one baseline: zero in standardised inputs, the mean of the fold's training rows. Attributions are in
standardised units of the target. Shape letters: N windows, L context, F features, C = L · F cells.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from golden_core.interpretability.hooks import attention_maps
from golden_core.interpretability.measures import FloatArray
from golden_core.interpretability.subject import AT_ONCE, Subject, forecast, outputs
from golden_core.store.randomness import Stream

BASELINE = "mean of the training rows (zero in standardised inputs)"
RELATIVE, ABSOLUTE = 1e-3, 1e-6  # of completeness: |Σ − ΔF| ≤ RELATIVE · |ΔF| + ABSOLUTE
STEPS, HALVINGS = 16, 14  # of integrated gradients: points on each part of the path, and how often it is halved
SHARED = 16  # parts among which the tolerance of a row is shared out
PERMUTATIONS = 2  # of the Shapley values, each walked forwards and backwards

Method = Callable[[Subject, Stream], FloatArray]


def integrated_gradients(subject: Subject, _stream: Stream) -> FloatArray:
    """Return integrated gradients [N, L, F]; the path is cut in halves where its parts do not add up yet.

    Of every part of the path it is known what it has to add up to: a kink is closed in on, and what is smooth costs
    little.

    References
    ----------
    Sundararajan, Taly and Yan (2017), equation 1 and proposition 1; Gauss–Legendre quadrature on every part.
    """
    network, X = subject.network, subject.X
    tolerance = (RELATIVE * np.abs(difference(subject)) + ABSOLUTE) / SHARED
    rows, low, width, found = np.arange(len(X)), np.zeros(len(X)), 1.0, np.zeros_like(X)
    for _ in range(HALVINGS + 1):
        start = low[:, None, None] * X[rows]
        end = start + width * X[rows]
        part = _gradients(network, end, start)
        gap = np.abs(part.sum(axis=(1, 2)) - outputs(network, end) + outputs(network, start))
        halved = gap > tolerance[rows]
        if width > 2**-HALVINGS and halved.any():
            kept = ~halved
            np.add.at(found, rows[kept], part[kept])
            width /= 2
            rows, low = np.tile(rows[halved], 2), np.concatenate([low[halved], low[halved] + width])
        else:
            np.add.at(found, rows, part)
            break
    return found


def rough_gradients(subject: Subject, _stream: Stream) -> FloatArray:
    """Return integrated gradients [N, L, F] in one go: enough to compare orders, not to add up on every row."""
    return _gradients(subject.network, subject.X, np.zeros_like(subject.X), steps=2 * STEPS)


def shapley(subject: Subject, stream: Stream) -> FloatArray:
    """Return baseline Shapley values [N, L, F] by permutations, forwards and backwards.

    References
    ----------
    Lundberg and Lee (2017); Sundararajan and Najmi (2020), "The many Shapley values", for the single baseline.
    """
    shap = _shap()
    cells = subject.X[0].size
    flat = subject.X.reshape(-1, cells)
    before = np.random.get_state()  # noqa: NPY002  shap draws from numpy's global generator, which is not ours to move
    try:
        explainer = shap.PermutationExplainer(
            lambda rows: outputs(subject.network, np.asarray(rows).reshape(-1, *subject.X.shape[1:])),
            shap.maskers.Independent(np.zeros((1, cells)), max_samples=1),
            seed=stream.integer() % 2**32,
        )
        walk = 2 * cells + 1
        found = explainer(flat, max_evals=PERMUTATIONS * walk, batch_size=walk, silent=True).values
    finally:
        np.random.set_state(before)  # noqa: NPY002
    return np.asarray(found, dtype=np.float64).reshape(subject.X.shape)


def occlusion(subject: Subject, _stream: Stream) -> FloatArray:
    """Return what the forecast loses when one cell takes its baseline value, [N, L, F].

    References
    ----------
    Zeiler and Fergus (2014), section 4.2, with a patch of one cell.
    """
    cells = subject.X[0].size
    flat = np.repeat(subject.X.reshape(-1, 1, cells), cells, axis=1)  # [N, C, C]
    flat[:, np.arange(cells), np.arange(cells)] = 0
    without = outputs(subject.network, flat.reshape(-1, *subject.X.shape[1:])).reshape(-1, cells)
    return (outputs(subject.network, subject.X)[:, None] - without).reshape(subject.X.shape)


def attention(subject: Subject, _stream: Stream) -> FloatArray:
    """Return the attention that each lag receives, mean over layers, heads and steps, as [N, L, F].

    Attention knows no feature: the share of a lag is spread evenly over its features, and has no sign.
    """
    received = np.mean([maps.mean(axis=(1, 2)) for maps in attention_maps(subject).values()], axis=0)  # [N, L]
    features = subject.X.shape[2]
    return np.repeat(received[:, :, None] / features, features, axis=2)


METHODS: dict[str, Method] = {
    "integrated_gradients": integrated_gradients,
    "shap": shapley,
    "occlusion": occlusion,
    "attention": attention,
}
ROUGH = METHODS | {"integrated_gradients": rough_gradients}  # for gates that compare orders
COMPLETE = ("integrated_gradients", "shap")  # what they attribute adds up to the difference from the baseline


def incompleteness(subject: Subject, attributions: FloatArray) -> FloatArray:
    """Return how far each row is from adding up to F(x) − F(baseline), in units of its tolerance [N]: 1 is the most."""
    moved = difference(subject)
    gap = np.abs(attributions.sum(axis=(1, 2)) - moved)
    return np.asarray(gap / (RELATIVE * np.abs(moved) + ABSOLUTE))


def difference(subject: Subject) -> FloatArray:
    """Return F(x) − F(baseline) [N]."""
    return outputs(subject.network, subject.X) - outputs(subject.network, np.zeros_like(subject.X[:1]))


def _gradients(network: nn.Module, X: FloatArray, baseline: FloatArray, *, steps: int = STEPS) -> FloatArray:
    at_once = AT_ONCE // steps

    def function(x: Tensor) -> Tensor:
        # Where a forecast does not look at its window, its gradient is zero and not none.
        return forecast(network, x) + 0 * x.flatten(1)[:, 0]

    explainer = _captum(function)
    ends, starts = (torch.split(torch.from_numpy(values), at_once) for values in (X, baseline))
    parts = [explainer.attribute(end, start, n_steps=steps) for end, start in zip(ends, starts, strict=True)]
    return np.asarray(torch.cat(parts).numpy() / quadrature(steps), dtype=np.float64)


@functools.cache
def quadrature(steps: int) -> float:
    """Return the sum of captum's weights: they are float32, and so add up to 1 to seven digits only."""

    def total(x: Tensor) -> Tensor:
        return x.sum(dim=1)

    one = torch.ones(1, 1, dtype=torch.float64)
    return float(_captum(total).attribute(one, n_steps=steps).item())


@functools.cache
def _shap() -> Any:
    """Return shap without its compiled helpers: to compile them takes longer than all that they would save here."""
    import numba  # noqa: PLC0415

    before, numba.config.DISABLE_JIT = numba.config.DISABLE_JIT, True
    try:
        return importlib.import_module("shap")
    finally:
        numba.config.DISABLE_JIT = before


def _captum(function: Callable[[Tensor], Tensor]):  # type: ignore[no-untyped-def]  # noqa: ANN202
    from captum.attr import IntegratedGradients  # noqa: PLC0415  seconds

    return IntegratedGradients(function)
