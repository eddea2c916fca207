"""Simulated worlds in which the truth about a null hypothesis is known. What is measured in them: calibration.py.

Simulations are the leading axis S; recursions loop over T with vectors [S]. All draws are normal of unit variance.
"""

from __future__ import annotations

import numpy as np
from scipy import signal, stats

from golden_core.statistics.long_run import FloatArray
from golden_core.statistics.moments import accuracy, covers, predicts

# A day's return remembers its variance for weeks, as exchange rates' do (Bollerslev 1986, GARCH(1,1)).
ALPHA, BETA = 0.08, 0.90
# Forecasts that know nothing are AR(1). The squares of the first have the AR(0.7) for which the engine's coefficients
# were chosen (Lazarus et al. 2018); "slow" ones go beyond it and say what that costs.
PERSISTENCE = {"garch": 0.7**0.5, "slow": 0.95}
NOISE = 0.3  # standard deviation of such forecasts
COVERED = 0.9  # nominal level of simulated intervals


def overlapping(generator: np.random.Generator, shape: tuple[int, ...], horizon: int) -> FloatArray:
    """Return sums of the next ``horizon`` independent draws, of unit variance: an MA(h − 1) along the last axis."""
    draws = generator.standard_normal((*shape[:-1], shape[-1] + horizon - 1))
    sums: FloatArray = _sums(draws, horizon) / np.sqrt(horizon)
    return sums


def garch(generator: np.random.Generator, shape: tuple[int, int]) -> tuple[FloatArray, FloatArray]:
    """Return returns [S, T] whose variance clusters, and the standard deviation of each that was known before it."""
    shocks = generator.standard_normal(shape)
    returns, known = np.empty(shape), np.empty(shape)
    variance = np.ones(shape[0])
    for t in range(shape[1]):
        known[:, t] = np.sqrt(variance)
        returns[:, t] = known[:, t] * shocks[:, t]
        variance = 1 - ALPHA - BETA + ALPHA * returns[:, t] ** 2 + BETA * variance
    return returns, known


def persistent(generator: np.random.Generator, shape: tuple[int, ...], persistence: float) -> FloatArray:
    """Return AR(1) series of standard deviation NOISE along the last axis: forecasts that know nothing, slowly."""
    innovations = generator.standard_normal(shape)
    innovations[..., 1:] *= np.sqrt(1 - persistence**2)
    series: FloatArray = NOISE * signal.lfilter([1.0], [1.0, -persistence], innovations, axis=-1)
    return series


def equally_accurate(world: str, generator: np.random.Generator, simulations: int, n: int, horizon: int) -> FloatArray:
    """Return loss differences [S, n] of mean zero; the world says of what: "iid", "ma", "garch" or "slow"."""
    if world in PERSISTENCE:
        y, a, b = _garch_targets(world, generator, simulations, n, horizon, forecasts=2)
        return accuracy((y - a) ** 2, (y - b) ** 2)
    errors = overlapping(generator, (2, simulations, n), horizon if world == "ma" else 1)
    return accuracy(errors[0] ** 2, errors[1] ** 2)


def unpredictable(world: str, generator: np.random.Generator, simulations: int, n: int, horizon: int) -> FloatArray:
    """Return moments [S, n] of forecasts that know nothing: noise ("garch", "slow"), regressions ("nested")."""
    if world in PERSISTENCE:
        y, forecast = _garch_targets(world, generator, simulations, n, horizon, forecasts=1)
        return predicts(y, forecast)
    # As many rows to start from as are forecast. A target is known h bars after its cutoff.
    returns = generator.standard_normal((simulations, 2 * n + horizon))
    x, y = returns[:, :-horizon], _sums(returns[:, 1:], horizon)
    learnt = (np.cumsum(x * y, axis=1) / np.cumsum(x**2, axis=1))[:, :-horizon]
    return predicts(y[:, -n:], x[:, -n:] * learnt[:, -n:])


def covered(world: str, generator: np.random.Generator, simulations: int, n: int, horizon: int) -> FloatArray:
    """Return coverage moments [S, n] of true intervals: of overlapping targets ("ma") or one bar of GARCH ("garch")."""
    half = stats.norm.ppf((1 + COVERED) / 2)
    if world == "garch":
        y, spread = garch(generator, (simulations, n))
    else:
        y, spread = overlapping(generator, (simulations, n), horizon), np.ones((simulations, n))
    return covers(y, -half * spread, half * spread, COVERED)


def many_losses(
    world: str, generator: np.random.Generator, simulations: int, n: int, horizon: int, forecasters: int
) -> FloatArray:
    """Return losses [S, n, K] of equally accurate forecasters, worlds as :func:`equally_accurate`."""
    if world in PERSISTENCE:
        y, *forecasts = _garch_targets(world, generator, simulations, n, horizon, forecasts=forecasters)
        return np.stack([(y - forecast) ** 2 for forecast in forecasts], axis=-1)
    errors = overlapping(generator, (forecasters, simulations, n), horizon if world == "ma" else 1)
    return np.stack(list(errors**2), axis=-1)


def _garch_targets(
    world: str, generator: np.random.Generator, simulations: int, n: int, horizon: int, *, forecasts: int
) -> tuple[FloatArray, ...]:
    """Return targets [S, n] of h GARCH bars and forecasts [S, n] that are persistent noise of their own."""
    returns, _ = garch(generator, (simulations, n + horizon - 1))
    noise = persistent(generator, (forecasts, simulations, n), PERSISTENCE[world])
    return _sums(returns, horizon) / np.sqrt(horizon), *noise


def _sums(values: FloatArray, horizon: int) -> FloatArray:
    total = np.cumsum(values, axis=-1)
    total[..., horizon:] = total[..., horizon:] - total[..., :-horizon]
    return total[..., horizon - 1 :]
