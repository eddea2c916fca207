"""Gates that an explanation has to pass before anybody is shown it. Of one network each; verdicts are elsewhere.

Shape letters: N windows, L context, F features, C = L · F cells.
"""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
from scipy.stats import wilcoxon
from torch import nn

from golden_core.interpretability.attribution import Method, difference
from golden_core.interpretability.measures import FloatArray, spearman
from golden_core.interpretability.subject import Subject, outputs
from golden_core.store.randomness import Stream

ORDERS = 8  # random ones
RANDOMISED_ROWS = 8


def randomised(
    subject: Subject, method: Method, stream: Stream, *, draws: int, stages: bool = True
) -> list[tuple[str, float]]:
    """Return the likeness (mean Spearman over windows) of explanations before and after weights are randomised.

    Layers lose what they learned one after another, from the output down. Every draw goes to the end, ``everything``;
    the first shows each stage on the way.

    References
    ----------
    Adebayo et al. (2018), "Sanity checks for saliency maps", section 3.1: cascading randomisation.
    """
    few = dataclasses.replace(subject, X=subject.X[:RANDOMISED_ROWS])
    trained, found = method(few, stream.child("trained")), list[tuple[str, float]]()
    for draw in range(draws):
        blank = subject.fresh(stream.child("weights", draw))
        for name, network in _cascade(subject.network, blank) if stages and draw == 0 else [("everything", blank)]:
            again = method(dataclasses.replace(few, network=network), stream.child("explained", draw))
            found.append((name, float(spearman(trained, again).mean())))
    return found


def _cascade(trained: nn.Module, blank: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    mixed = copy.deepcopy(trained)
    layers = [name for name, layer in mixed.named_children() if layer.state_dict()]
    for name in reversed(layers[1:]):
        setattr(mixed, name, getattr(blank, name))
        yield name, mixed
    yield "everything", blank  # what lies in no layer too


def walked(subject: Subject, attributions: dict[str, FloatArray], stream: Stream) -> dict[str, FloatArray]:
    """Return, by method, how much better deletion and insertion in its order do than in random ones, [2, N].

    Cells are put to the baseline (or back) one by one, those first that push the forecast furthest the way it went;
    what counts is the mean of the forecast over the walk.

    References
    ----------
    Petsiuk, Das and Saenko (2018), "RISE", section 4.3, with the baseline of the attributions.
    """
    way = np.sign(difference(subject))
    generator = stream.generator()
    cells = subject.X[0].size
    chance = [generator.permuted(np.tile(np.arange(cells), (len(way), 1)), axis=1) for _ in range(ORDERS)]
    random = np.mean([_areas(subject, order, way) for order in chance], axis=0)
    found = {}
    for name, values in attributions.items():
        pushing = values.reshape(len(way), -1) * (way[:, None] if (values < 0).any() else 1)
        areas = _areas(subject, np.argsort(-pushing, axis=1, kind="stable"), way)
        found[name] = (areas - random) * np.array([[-1], [1]])
    return found


def beats_chance(gains: FloatArray) -> float:
    """Return the one-sided p-value of Wilcoxon's signed-rank test that gains [N] are positive; 1 where all are zero."""
    return float(wilcoxon(gains, alternative="greater", method="asymptotic").pvalue) if np.any(gains) else 1.0


def _areas(subject: Subject, order: npt.NDArray[np.int64], way: FloatArray) -> FloatArray:
    """Return the mean forecast, in the direction it went, of deletion and of insertion in some order [N, C]: [2, N]."""
    count, cells = order.shape
    rank = np.argsort(order, axis=1)
    deleted = rank[:, None, :] < np.arange(cells + 1)[None, :, None]  # [N, C + 1, C]
    rows = subject.X.reshape(count, 1, cells)
    means: Sequence[FloatArray] = [
        outputs(subject.network, np.where(gone, 0.0, rows).reshape(-1, *subject.X.shape[1:]))
        .reshape(count, cells + 1)
        .mean(axis=1)
        for gone in (deleted, ~deleted)
    ]
    return np.stack(means) * way
