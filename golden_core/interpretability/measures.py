"""Numbers that compare explanations: rank correlation, AUROC, mutual information. No network belongs here.

Shape letters: N windows, C cells (lags × features) of a window.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

FloatArray = npt.NDArray[np.float64]


def spearman(one: FloatArray, other: FloatArray) -> FloatArray:
    """Return the rank correlation of two explanations of the same windows, [N, …] and [N, …] → [N].

    Of a row without any difference between its cells there is no order to compare: it counts as 0.
    """
    first, second = (rankdata(a.reshape(len(a), -1), axis=1) for a in (one, other))
    first, second = (ranks - ranks.mean(axis=1, keepdims=True) for ranks in (first, second))
    scale = np.sqrt((first**2).sum(axis=1) * (second**2).sum(axis=1))
    return np.asarray(np.divide((first * second).sum(axis=1), scale, out=np.zeros(len(one)), where=scale > 0))


def importance(attributions: FloatArray) -> FloatArray:
    """Return the share of every cell in the mean absolute attribution, [N, …] → […], which adds up to one."""
    mean = np.abs(attributions).mean(axis=0)
    total = mean.sum()
    return np.asarray(mean / total if total > 0 else np.full(mean.shape, 1 / mean.size))


def auroc(scores: FloatArray, planted: npt.NDArray[np.bool_]) -> float:
    """Return the chance that a planted cell scores above another one; ties count half.

    Raises
    ------
    ValueError
        If nothing is planted, or everything.

    References
    ----------
    Hanley and McNeil (1982), the Mann–Whitney form.
    """
    positive, total = int(planted.sum()), planted.size
    if not 0 < positive < total:
        raise ValueError(f"{positive} of {total} cells are planted: there are none to tell apart")
    ranks = rankdata(scores.ravel())[planted.ravel()].sum()
    return float((ranks - positive * (positive + 1) / 2) / (positive * (total - positive)))


def normalised_mutual_information(one: npt.NDArray[Any], other: npt.NDArray[Any]) -> float:
    """Return the mutual information of two labellings over the mean of their entropies; 0 where one is constant.

    References
    ----------
    Vinh, Epps and Bailey (2010), "Information theoretic measures for clusterings comparison", table 2, NMI_sum.
    """
    _, first = np.unique(one, return_inverse=True)
    _, second = np.unique(other, return_inverse=True)
    joint = np.zeros((first.max() + 1, second.max() + 1))
    np.add.at(joint, (first, second), 1)
    joint /= len(first)  # not before: six times a sixth is less than one, and what is constant would have an entropy
    entropies = [entropy(joint.sum(axis=axis)) for axis in (0, 1)]
    if min(entropies) <= 0:
        return 0.0
    return float(2 * (sum(entropies) - entropy(joint.ravel())) / sum(entropies))


def entropy(weights: FloatArray) -> float:
    """Return the Shannon entropy of a distribution in nats."""
    kept = weights[weights > 0]
    return float(-(kept * np.log(kept)).sum())
