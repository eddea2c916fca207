"""The test of every claim of skill: the mean of what is claimed, and what is earned in the direction alone.

A forecast that goes back to a level wanders as the price does, and against it. What such a forecast earns has mean zero
where nothing can be foretold, and a skewed law that is not Student's, as the statistic of Dickey and Fuller has. What
its sign earns is not so: a sign has the same size always, so that the sum varies as the outcome does. Who is silent at
times chosen by the price would have no such sign: a direction lasts until another is given.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from golden_core.statistics.long_run import FloatArray, long_run, minimum_detectable


@dataclass(frozen=True, eq=False)
class Direction:
    """What is earned in a forecast's direction, whatever its size; and what it would be if the forecast came true.

    Came true means: outcomes follow it one for one, and noise. Then the mean of ``moment`` is ``one``, and that of the
    moment of the claim is ``gain`` less ``cost``; with β instead of one for one, β · ``one`` and β · ``gain`` less
    ``cost``.
    """

    moment: FloatArray  # [..., T]
    one: FloatArray  # [...], as the others
    gain: FloatArray
    cost: FloatArray


class Skill(NamedTuple):
    """P-values of a claim of skill, and of its direction alone."""

    p_value: FloatArray
    p_direction: FloatArray


def in_direction(
    outcome: FloatArray, exposure: FloatArray, *, weight: float = 1.0, cost: float | FloatArray = 0.0
) -> Direction:
    """Return the direction of a claim whose moment is ``weight`` · outcome · exposure less what costs ``cost``.

    Takes (..., T): what came, less the benchmark, and the forecast, less the benchmark, or a position. An exposure of
    zero keeps the direction before it, and has none where there was none yet.

    References
    ----------
    So & Shin (1999), Econometric Theory 15(2), section 2 (the sign as an instrument that a unit root leaves normal).
    """
    signs = np.sign(exposure)
    given = np.maximum.accumulate(np.where(signs != 0, np.arange(signs.shape[-1]), 0), axis=-1)
    return Direction(
        moment=outcome * np.take_along_axis(signs, given, axis=-1),
        one=np.abs(exposure).mean(axis=-1),
        gain=weight * np.square(exposure).mean(axis=-1),
        cost=np.asarray(cost, dtype=float),
    )


def skill(g: FloatArray, direction: Direction, *, horizon: int) -> Skill:
    """Test that the mean of ``g``, and that of its direction's moment, is above zero: the larger p-value decides.

    Takes (..., T) and gives (...); NaN where either is undefined. A test of two hypotheses that rejects when both
    tests do keeps its size without an adjustment.

    References
    ----------
    Berger (1982), Technometrics 24(4), theorem 1 (intersection-union tests).
    """
    own, turned = (long_run(moment, horizon=horizon, alternative="greater").p_value for moment in (g, direction.moment))
    return Skill(np.maximum(own, turned), turned)


def smallest_skill(
    g: FloatArray, direction: Direction, *, horizon: int, power: float = 0.8, alpha: float = 0.05
) -> FloatArray:
    """Return the mean of ``g`` that each of both tests would have found with probability ``power``; NaN if undefined.

    The direction's is what the claim's mean would be if outcomes followed the forecast by as much as its test needs.
    """
    own, turned = (
        minimum_detectable(moment, horizon=horizon, power=power, alpha=alpha) for moment in (g, direction.moment)
    )
    with np.errstate(divide="ignore", invalid="ignore"):  # without a direction both are undefined
        return np.maximum(own, turned * direction.gain / direction.one - direction.cost)
