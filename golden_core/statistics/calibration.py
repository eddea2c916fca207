"""Size and power of every test that a claim may use, measured in worlds where the truth is known (worlds.py)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl
from joblib import Parallel, delayed
from scipy import stats

from golden_core.statistics import worlds
from golden_core.statistics.diebold_mariano import harvey_leybourne_newbold
from golden_core.statistics.long_run import LEAST_COEFFICIENTS, FloatArray, equivalence, long_run, minimum_detectable
from golden_core.statistics.moments import accuracy, predicts
from golden_core.statistics.resampling import confidence_set, cosines, in_directions_too, superior
from golden_core.statistics.rules import LEAST_APART, OF_SKILL, Kind, rarest, refused
from golden_core.statistics.skill import Direction, in_direction, skill, smallest_skill
from golden_core.store.randomness import Stream

ALPHA = 0.05
BAND = (0.037, 0.063)  # where the size of a test at a nominal 5 % has to lie
POWER = 0.8
FORECASTERS = 10  # of the tests of many
RESAMPLES = 499
BATCH = 500  # simulations of one unit of work, with a random stream of its own
HORIZONS = (1, 4, 24)
LENGTHS = (250, 1888)


@dataclass(frozen=True)
class Cell:
    """One test in one world at one length and horizon."""

    test: Kind
    world: str
    n: int
    horizon: int

    @property
    def refused(self) -> bool:
        """Whether the rules refuse the test here, so that there is nothing to measure."""
        level = rarest(worlds.LEVELS.get(self.world, worlds.LEVEL), worlds.MARGIN)
        return bool(refused(self.test, self.n, self.horizon, level=level))


@dataclass(frozen=True)
class Measure:
    """What a rejection rate is called, and between which bounds it has to lie; no bounds where it is only reported."""

    name: str
    low: float | None = None
    high: float | None = None


SIZE = Measure("size", *BAND)
NO_DECISION = Measure("size, decides nothing")
FOUND = Measure("power")
BEYOND = ("slow", "crash")  # worlds for which the engine is not made: what that costs is said, and is no fault
Rates = dict[Measure, float]
Simulated = Callable[[str, np.random.Generator, int, int, int], worlds.Outcome]
Moment = Callable[[FloatArray, FloatArray], tuple[FloatArray, Direction]]


def _accuracy(outcome: FloatArray, forecast: FloatArray) -> tuple[FloatArray, Direction]:
    lost = np.square(forecast).mean(axis=-1)
    moment = accuracy(np.square(outcome - forecast), np.square(outcome))
    return moment, in_direction(outcome, forecast, weight=2, cost=lost)


def _foreknowledge(outcome: FloatArray, forecast: FloatArray) -> tuple[FloatArray, Direction]:
    return predicts(outcome, forecast), in_direction(outcome, forecast, weight=2)


def _profit(outcome: FloatArray, position: FloatArray) -> tuple[FloatArray, Direction]:
    return outcome * position, in_direction(outcome, position)


def _skill(simulated: Simulated, moment: Moment) -> Callable[[Cell, Stream, int], Rates]:
    """Measure the test of a skill: without an effect, and where outcomes follow it as much as would be found."""

    def rates(cell: Cell, stream: Stream, simulations: int) -> Rates:
        outcome, exposure = simulated(cell.world, stream.generator(), simulations, cell.n, cell.horizon)
        g, direction = moment(outcome, exposure)
        # Unbiased is the variance, not its root: the mean of squares says what is detectable over simulations.
        smallest = smallest_skill(g, direction, horizon=cell.horizon, power=POWER, alpha=ALPHA)
        effect = np.sqrt(np.nanmean(np.square(smallest)))  # undefined where nothing was forecast
        follows = (effect / direction.gain)[:, np.newaxis] * exposure
        there = moment(outcome + follows, exposure)
        null, planted = (skill(*at, horizon=cell.horizon).p_value for at in ((g, direction), there))
        return {_size(cell): _rate(null), FOUND: _rate(planted)}

    return rates


def _equivalent(cell: Cell, stream: Stream, simulations: int) -> Rates:
    """Measure the test of equivalence with a mean at its margin (size) and at zero (power)."""
    g = _equal(cell, stream, simulations)
    margin = float(1.5 * np.sqrt(np.square(minimum_detectable(g, horizon=cell.horizon)).mean()))
    at_margin, at_zero = (equivalence(moment, margin=margin, horizon=cell.horizon) for moment in (g + margin, g))
    return {SIZE: _rate(at_margin), FOUND: _rate(at_zero)}


def _equal(cell: Cell, stream: Stream, simulations: int) -> FloatArray:
    """Return loss differences [S, n] of mean zero."""
    return _accuracy(*worlds.equally_accurate(cell.world, stream.generator(), simulations, cell.n, cell.horizon))[0]


def _covers(cell: Cell, stream: Stream, simulations: int) -> Rates:
    """Measure the test that coverage is within its margin, of intervals at the margin on either side, and of true ones.

    A share varies less the nearer it is to one, so that the two sides have not the same size.
    """
    off = (-worlds.MARGIN, worlds.MARGIN, 0.0)
    g = worlds.covered(cell.world, stream.generator(), simulations, cell.n, cell.horizon, off=off)
    narrow, wide, true = (equivalence(moment, margin=worlds.MARGIN, horizon=cell.horizon) for moment in g)
    return {_size(cell, ", too narrow"): _rate(narrow), _size(cell, ", too wide"): _rate(wide), FOUND: _rate(true)}


def _coverage_interval(cell: Cell, stream: Stream, simulations: int) -> Rates:
    """Measure how often the interval of a share of misses, of the table ``coverage``, leaves out the true share."""
    (g,) = worlds.covered(cell.world, stream.generator(), simulations, cell.n, cell.horizon, off=(0.0,))
    found = long_run(g, horizon=cell.horizon, most=LEAST_COEFFICIENTS)
    return {NO_DECISION: _rate(found.p_value)}


def _rectangular(cell: Cell, stream: Stream, simulations: int) -> Rates:
    """Measure Diebold–Mariano with Harvey's correction, which stands in tables for readers who compare with R."""
    g = _equal(cell, stream, simulations)
    statistic = harvey_leybourne_newbold(g, horizon=cell.horizon)
    return {NO_DECISION: _rate(2 * stats.t.sf(np.abs(statistic), cell.n - 1))}


def _superior(cell: Cell, stream: Stream, simulations: int) -> Rates:
    """Measure the test of the best of many, and the power of that of losses, which has no world of directions."""
    generator = stream.generator()
    resamples = cosines(cell.n, horizon=cell.horizon, reps=RESAMPLES, generator=generator)
    outcomes, forecasts = worlds.many(cell.world, generator, simulations, cell.n, cell.horizon, FORECASTERS)
    p_values = [
        in_directions_too(superior, y**2, (y[:, np.newaxis] - f) ** 2, in_direction(y, f.T).moment.T, resamples)
        for y, f in zip(outcomes, forecasts, strict=True)
    ]
    rates = {_size(cell): _rate(np.array(p_values))}
    if cell.world == "iid":
        found = [superior(*_one_precise(generator, cell.n), resamples) for _ in range(simulations)]
        rates[Measure("power, one precise and nine erratic", POWER, 1.0)] = _rate(np.array(found))
    return rates


def _one_precise(generator: np.random.Generator, n: int) -> tuple[FloatArray, FloatArray]:
    """Return losses of a benchmark (n,) and of ten (n, 10): one a little better always, nine erratic and no better."""
    gains = generator.standard_normal((n, FORECASTERS))
    gains[:, 0] = 0.1 * gains[:, 0] + 0.1 * 4 / np.sqrt(n)
    return np.full(n, 3.0), 3.0 - gains


def _confidence_set(cell: Cell, stream: Stream, simulations: int) -> Rates:
    generator = stream.generator()
    resamples = cosines(cell.n, horizon=cell.horizon, reps=RESAMPLES, generator=generator)
    outcomes, forecasts = worlds.many(cell.world, generator, simulations, cell.n, cell.horizon, FORECASTERS)
    many = (outcomes[..., np.newaxis] - forecasts) ** 2
    worse = np.r_[np.zeros(FORECASTERS - 1), 1.0] * many.std()
    kept = np.array([confidence_set(equal, resamples)[0] for equal in many])
    left = np.array([confidence_set(equal + worse, resamples)[-1] for equal in many])
    return {
        Measure("best kept at 90 %", 0.9, 1.0): float((kept >= 0.1).mean()),
        Measure("1 sd worse dropped", 0.99, 1.0): float((left < 0.1).mean()),
    }


def _size(cell: Cell, side: str = "") -> Measure:
    return Measure(f"size beyond the design{side}") if cell.world in BEYOND else Measure(f"size{side}", *BAND)


def _rate(p_values: FloatArray) -> float:
    return float((p_values <= ALPHA).mean())


# Which tests, in which worlds.
TESTS: dict[Kind, tuple[Callable[[Cell, Stream, int], Rates], tuple[str, ...]]] = {
    "more_accurate": (_skill(worlds.equally_accurate, _accuracy), ("iid", "ma", "garch", "slow", "level")),
    "predicts": (_skill(worlds.unpredictable, _foreknowledge), ("garch", "slow", "nested", *worlds.REVERSALS)),
    "equivalent": (_equivalent, ("iid", "ma", "garch")),
    "covers": (_covers, (*worlds.DRAWN, "garch", "constant", "slow")),
    "profitable": (_skill(worlds.traded, _profit), ("garch", "slow", "crash", "level", "band")),
    "superior": (_superior, ("iid", "ma", "garch", "slow", "level")),
    "confidence_set": (_confidence_set, ("iid", "ma")),
    "coverage_interval": (_coverage_interval, ("iid", "ma", "slow")),
    "hln_rectangular": (_rectangular, ("iid", "ma", "garch", "slow")),
}


EDGE = 2 * LEAST_APART * HORIZONS[-1]  # the fewest times at which a skill is tested over the longest horizon
LEAST = {"confidence_set": (200,), **dict.fromkeys(OF_SKILL, (EDGE,))}
OF_COVERAGE = ("covers", "coverage_interval")


def cells() -> Iterator[Cell]:
    """Yield every cell of the table, those included that the rules refuse."""
    for test, (_, places) in TESTS.items():
        for world in places:
            for n in (*LEAST.get(test, ()), *LENGTHS):
                one_bar = test in OF_COVERAGE and world not in worlds.DRAWN
                horizons = (1,) if one_bar else HORIZONS
                for horizon in horizons if n != EDGE else horizons[-1:]:
                    if world != "ma" or horizon > 1:
                        yield Cell(test, world, n, horizon)


def calibrate(stream: Stream, *, simulations: int, jobs: int = 1, only: Callable[[Cell], bool] = bool) -> pl.DataFrame:
    """Measure every cell with at least ``simulations`` simulations, in whole batches of 500.

    Returns
    -------
    polars.DataFrame
        One row per cell and measure: test, world, n, horizon, measure, simulations, rate, low, high, verdict. The same
        stream gives the same table whatever ``jobs`` is.

    Raises
    ------
    ValueError
        If there is nothing to simulate: a cell without rates is one that the rules refuse.
    """
    if simulations < 1:
        raise ValueError(f"a rate needs simulations, got {simulations}")
    asked = [cell for cell in cells() if only(cell)]
    batches = -(-simulations // BATCH)
    work = [(cell, batch) for cell in asked if not cell.refused for batch in range(batches)]
    found = Parallel(n_jobs=jobs)(
        delayed(_batch)(cell, stream.child(*cell.__dict__.values(), batch)) for cell, batch in work
    )
    by_cell: dict[Cell, list[Rates]] = {cell: [] for cell in asked}
    for (cell, _), rates in zip(work, found, strict=True):
        by_cell[cell].append(rates)
    rows = [row for cell, rates in by_cell.items() for row in _rows(cell, rates)]
    return pl.DataFrame(rows, schema_overrides={"rate": pl.Float64, "low": pl.Float64, "high": pl.Float64})


def _batch(cell: Cell, stream: Stream) -> Rates:
    return TESTS[cell.test][0](cell, stream, BATCH)


def _rows(cell: Cell, rates: list[Rates]) -> Iterator[dict[str, object]]:
    if not rates:
        nothing = dict.fromkeys(("rate", "low", "high"))
        yield {**cell.__dict__, "measure": "size", "simulations": 0, **nothing, "verdict": "refused by rule"}
        return
    for measure in rates[0]:
        rate = float(np.mean([batch[measure] for batch in rates]))
        yield {
            **cell.__dict__,
            "measure": measure.name,
            "simulations": BATCH * len(rates),
            "rate": rate,
            "low": measure.low,
            "high": measure.high,
            "verdict": _verdict(measure, rate),
        }


def _verdict(measure: Measure, rate: float) -> str:
    if measure.low is None or measure.high is None:
        return "reported"
    if rate > measure.high:
        return "too large"
    if rate < measure.low:
        return "conservative" if measure.name.startswith("size") else "too small"
    return "as wanted"
