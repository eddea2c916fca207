"""Simulated worlds in which the truth about a null hypothesis is known. What is measured in them: calibration.py.

Simulations are the leading axis S; recursions loop over T with vectors [S]. All draws are normal of unit variance.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import signal, special, stats

from golden_core.statistics.long_run import FloatArray
from golden_core.statistics.moments import covers

# A day's return remembers its variance for weeks, as exchange rates' do (Bollerslev 1986, GARCH(1,1)).
ALPHA, BETA = 0.08, 0.90
# Forecasts that know nothing are AR(1). The squares of the first have the AR(0.7) for which the engine's coefficients
# were chosen (Lazarus et al. 2018); "slow" ones go beyond it and say what that costs.
PERSISTENCE = {"garch": 0.7**0.5, "slow": 0.95}
NOISE = 0.3  # standard deviation of such forecasts
LEVELS = {"rare": 0.9}  # of simulated intervals: there, fewer lie outside and the rule of misses is near
LEVEL, MARGIN = 0.8, 0.05  # of the others, and of all: as the shipped studies claim them
DRAWN = ("iid", "ma", "rare")  # worlds of coverage that have any horizon; in GARCH only one bar has a law that is known
FAINT = 0.05  # forecasts below it ask for no position, as in the shipped studies
BAR = 0.005  # standard deviation of a bar's return where it is traded, as a day's of a major pair
REVERSALS = ("level", "band", "undone")  # forecasts that the price goes back, and where to
UNDONE = 20  # bars
BAND = 0.5  # of the price's spread over n bars: nearer to its level, "band" is silent
FAINTEST = 1e-4  # part of the way back; so little costs no accuracy
CRASHES = 4.0  # shape of the gamma law of falls in "crash": skewness −1

Outcome = tuple[FloatArray, FloatArray]  # what came and how it was exposed to, each [S, n]


def overlapping(generator: np.random.Generator, shape: tuple[int, ...], horizon: int) -> FloatArray:
    """Return sums of the next ``horizon`` independent draws, of unit variance: an MA(h − 1) along the last axis."""
    draws = generator.standard_normal((*shape[:-1], shape[-1] + horizon - 1))
    sums: FloatArray = _sums(draws, horizon) / np.sqrt(horizon)
    return sums


def garch(
    generator: np.random.Generator, shape: tuple[int, int], *, shocks: FloatArray | None = None
) -> tuple[FloatArray, FloatArray]:
    """Return returns [S, T] whose variance clusters, and the standard deviation of each that was known before it."""
    shocks = generator.standard_normal(shape) if shocks is None else shocks
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


def equally_accurate(world: str, generator: np.random.Generator, simulations: int, n: int, horizon: int) -> Outcome:
    """Return two forecasts whose losses have the same mean, as the outcome and the first of them, less the second.

    The world says what their errors are: "iid", "ma", "garch" or "slow". In "level" the first is a very faint forecast
    of a level, and knows as little as the second, which is none.
    """
    if world == "level":
        y, back = unpredictable(world, generator, simulations, n, horizon)
        return y, FAINTEST * back
    if world in PERSISTENCE:
        y, first, second = _garch_targets(world, generator, simulations, n, horizon, forecasts=2)
        return y - second, first - second
    first, second = overlapping(generator, (2, simulations, n), horizon if world == "ma" else 1)  # errors
    return second, second - first


def unpredictable(world: str, generator: np.random.Generator, simulations: int, n: int, horizon: int) -> Outcome:
    """Return outcomes and forecasts that know nothing: noise ("garch", "slow"), regressions ("nested"), reversals.

    In "level" the price is said to go back to its mean over as many rows as are forecast, in "band" only if it is far
    away, in "undone" to where it was UNDONE bars before: such a forecast wanders as the price does, and is below it
    when the price has risen.
    """
    if world in PERSISTENCE:
        y, forecast = _garch_targets(world, generator, simulations, n, horizon, forecasts=1)
        return y, forecast
    if world in REVERSALS:
        returns, _ = garch(generator, (simulations, 2 * n + horizon - 1))
        prices, y = np.cumsum(returns, axis=1), _sums(returns[:, n:], horizon)
        last = prices[:, n - 1 : 2 * n - 1]
        before = prices[:, n - 1 - UNDONE : 2 * n - 1 - UNDONE]
        back = (before if world == "undone" else prices[:, :n].mean(axis=1, keepdims=True)) - last
        return y, _far(back, n) if world == "band" else back
    # As many rows to start from as are forecast. A target is known h bars after its cutoff.
    returns = generator.standard_normal((simulations, 2 * n + horizon))
    x, y = returns[:, :-horizon], _sums(returns[:, 1:], horizon)
    learnt = (np.cumsum(x * y, axis=1) / np.cumsum(x**2, axis=1))[:, :-horizon]
    return y[:, -n:], x[:, -n:] * learnt[:, -n:]


def covered(
    world: str, generator: np.random.Generator, simulations: int, n: int, horizon: int, *, off: Sequence[float]
) -> FloatArray:
    """Return coverage moments [K, S, n] of intervals whose true coverage is off its level by each of K amounts.

    Targets are normal ("iid", "ma", "rare"), or one bar of GARCH whose variance the interval knows ("garch"): misses
    are independent but for the overlap. An interval of one width misses in bursts: its coverage is true of the bars of
    each simulation, their chances averaged ("constant"), or in the long run alone ("slow").
    """
    level = LEVELS.get(world, LEVEL)
    shares = level + np.array(off)
    if world in DRAWN:
        y = overlapping(generator, (simulations, n), 1 if world == "iid" else horizon)
    else:
        y, known = garch(generator, (simulations, n))
    if world == "slow":
        halves = list(np.quantile(np.abs(y), shares))
    elif world == "constant":
        halves = [one_width(known, share) for share in shares]
    else:
        spread = known if world == "garch" else np.ones((simulations, 1))
        halves = [stats.norm.ppf((1 + share) / 2) * spread for share in shares]
    return np.stack([covers(y, -half, half, level) for half in halves])


def one_width(known: FloatArray, share: float) -> FloatArray:
    """Return half the width [S, 1] that holds normal values of standard deviations [S, T] with this chance on average.

    Newton's steps from zero never pass the solution, since the chance is concave in the width.
    """
    half = np.zeros((len(known), 1))
    for _ in range(10):
        z = half / known
        missing = share - (2 * special.ndtr(z) - 1).mean(axis=1, keepdims=True)
        half = half + missing / (np.sqrt(2 / np.pi) * np.exp(-np.square(z) / 2) / known).mean(axis=1, keepdims=True)
    return half


def traded(world: str, generator: np.random.Generator, simulations: int, n: int, horizon: int) -> Outcome:
    """Return moves of the price, in bars, and positions held meanwhile that know nothing: prices are martingales.

    Forecasts are persistent noise, and ask for the sign of what is not faint; in "crash" for a long position or none,
    of what falls harder than it rises. In "level" a position is as large as the price is away from a level, and goes
    against it, in "band" only if that is far. Each of n − h cutoffs opens a lot of 1/h of it at the price there and
    holds it for h bars: the account of economics/ledger.py, whose times are n and which costs nothing here.
    """
    shape = (simulations, n)
    falls = 1 - generator.gamma(CRASHES, 1 / CRASHES, shape) if world == "crash" else None
    returns, _ = garch(generator, shape, shocks=None if falls is None else np.sqrt(CRASHES) * falls)
    prices = np.cumprod(1 + BAR * returns, axis=1)
    if world in REVERSALS:
        back = -np.log(prices[:, : n - horizon]) / BAR
        asked = (_far(back, n) if world == "band" else back) / np.sqrt(n)
    else:
        persistence = PERSISTENCE["slow" if world == "slow" else "garch"]
        forecast = persistent(generator, (simulations, n - horizon), persistence)
        asked = np.where(np.abs(forecast) > FAINT, np.sign(forecast), 0.0)
    lots = (np.maximum(asked, 0.0) if world == "crash" else asked) / prices[:, : n - horizon] / horizon
    held = _sums(np.pad(lots, ((0, 0), (horizon, horizon - 1))), horizon)  # since the price before
    before = np.concatenate([prices[:, :1], prices[:, :-1]], axis=1)
    return np.diff(prices, axis=1, prepend=prices[:, :1]) / before / BAR, held * before


def _far(back: FloatArray, n: int) -> FloatArray:
    """Return ways back that are long, and zero for others."""
    return np.where(np.abs(back) > BAND * np.sqrt(n), back, 0.0)


def many(
    world: str, generator: np.random.Generator, simulations: int, n: int, horizon: int, forecasters: int
) -> tuple[FloatArray, FloatArray]:
    """Return outcomes [S, n] and forecasts [S, n, K], less a benchmark's, that are all as accurate as it.

    Worlds as :func:`equally_accurate`; in "level" they go back to the mean price over windows of K lengths.
    """
    if world == "level":
        returns, _ = garch(generator, (simulations, 2 * n + horizon - 1))
        prices, y = np.cumsum(returns, axis=1), _sums(returns[:, n:], horizon)
        windows = [prices[:, n - n * (k + 1) // forecasters : n] for k in range(forecasters)]
        last = prices[:, n - 1 : 2 * n - 1]
        return y, FAINTEST * np.stack([window.mean(axis=1, keepdims=True) - last for window in windows], axis=-1)
    if world in PERSISTENCE:
        y, first, *others = _garch_targets(world, generator, simulations, n, horizon, forecasts=forecasters + 1)
        return y - first, np.stack(others, axis=-1) - first[..., np.newaxis]
    first, *errors = overlapping(generator, (forecasters + 1, simulations, n), horizon if world == "ma" else 1)
    return first, first[..., np.newaxis] - np.stack(errors, axis=-1)


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
