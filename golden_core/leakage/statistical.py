"""Probes by statistics: what is too good to be known in advance. They need no source of the leak, only its effect.

Every probe has the same null: given everything known at a cutoff, the next return is symmetric about zero, up to a
tolerated mean. Its size holds at every sample length, for persistent features and heavy tails, over all features and
horizons of a run together: P(any false finding of a probe) ≤ ``level``.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import cast

import numpy as np
import numpy.typing as npt
import polars as pl

from golden_core.lake import parse_series
from golden_core.leakage import artefacts
from golden_core.leakage.artefacts import KEY, STAMP, Finding, Pipeline, Run
from golden_core.leakage.surrogates import permuted_targets
from golden_core.randomness import Stream
from golden_core.statistics.martingale import evidence, standardise_by_past, standardise_by_recent

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

FEATURE, FORECAST, DRIFT = "too_good_feature", "too_good_forecast", "one_sided_market"
SHIFTED, PERMUTED = "shifted_timestamps", "permuted_targets"

_LEAST, _LIMIT = 20, 4.0  # rows before a spread is trusted; standard deviations beyond which a value counts no more
_DELAYS = (1, 2)
_SHARPNESS = 3.0  # of the bounded copy of a feature: a third of a standard deviation counts as fully up or down
_PARTS: dict[str, Callable[[int], slice]] = {
    "the first half": lambda count: slice(0, count // 2),
    "the second half": lambda count: slice(count // 2, count),
}


@dataclass(frozen=True)
class Screen:
    """How strict the probes are.

    Parameters
    ----------
    level : float
        Probability of any false finding of one probe on one run.
    tolerated : float
        Correlation with the next return that is not held against a feature: real prices are not exact martingales.
    horizons : tuple of int
        Bars over which returns are summed.
    permutations : int
        Runs on permuted targets.
    """

    level: float
    tolerated: float
    horizons: tuple[int, ...]
    permutations: int


@dataclass(frozen=True, eq=False)
class _Path:
    """What happened to one pair: when each bar was known [T], its return by the spread of earlier ones [T, 1]."""

    known: IntArray
    returns: FloatArray


@dataclass(frozen=True, eq=False)
class _Question:
    """One way of asking whether features foresee: factors known before [N, K], and what came then [N, 1]."""

    words: str
    factors: FloatArray
    outcome: FloatArray
    target: bool = False  # what came then is the pipeline's own target, which may itself be what is wrong

    @property
    def terms(self) -> FloatArray:
        """Products [N, K]."""
        return self.factors * self.outcome


def statistical(pipeline: Pipeline, raw: pl.DataFrame, screen: Screen, stream: Stream) -> list[Finding]:
    """Return what all statistical probes find, in the order in which they are cheap.

    Parameters
    ----------
    pipeline : Pipeline
    raw : pl.DataFrame
        Raw bars of all pairs.
    screen : Screen
    stream : Stream
        Draws the permutations.
    """
    run = pipeline.run(raw)
    return [
        *one_sided_market(run, screen),
        *too_good_features(run, screen),
        *too_good_forecasts(run, screen),
        *shifted_timestamps(run, screen),
        *permuted_skill(pipeline, raw, screen, stream),
    ]


def one_sided_market(run: Run, screen: Screen) -> list[Finding]:
    """Return pairs whose bars rise, or fall, on average beyond what a martingale allows: some are missing."""
    found, paths = [], _paths(run)
    for pair, path in paths.items():
        always, bounded = np.ones_like(path.returns), np.clip(_SHARPNESS * path.returns, -1, 1)
        asked = [_Question("", always, path.returns), _Question("", always, bounded)]
        weights = [evidence(question.terms, screen.tolerated)[0] for question in asked]
        best = int(np.argmax(weights))
        if weights[best] >= np.log(len(paths) * len(asked) / screen.level):
            numbers = _numbers(asked[best], 0, weights[best])
            words = f"{pair}: its bars go one way on average ({numbers}); a whole market does not"
            first = run.artefacts[artefacts.BARS].filter(pl.col(KEY) == pair)[STAMP].min()
            found.append(Finding(DRIFT, artefacts.BARS, "close", cast(dt.datetime, first), words))
    return found


def too_good_features(run: Run, screen: Screen) -> list[Finding]:
    """Return features associated with later returns of their pair beyond what a martingale allows.

    For each feature and horizon h the terms are xₜ₋₁ + … + xₜ₋ₕ times the return of bar t: overlapping sums of past
    values instead of overlapping returns, so that terms stay martingale differences (Hodrick 1992, section 2). The
    same for the direction of the feature alone, and for either half of the sample.
    Then, for each feature alone, its recursive out-of-sample forecast times the return, the numerator of Clark &
    West's (2007) comparison with no change. Then, where the pipeline shows its ``targets``, feature times target.

    Parameters
    ----------
    run : Run
        Its artefacts ``bars`` (``close``) and ``features`` (numbers), keyed by pair; perhaps ``targets`` (``y``, and
        ``cutoff`` where they have one), keyed by series.
    screen : Screen

    Returns
    -------
    list of Finding
        At most one per pair and feature, with correlation, bound on p, and out-of-sample R² against no change
        (Campbell & Thompson 2008, section 2).
    """
    return _judge(run, screen, FEATURE, _questions)


def shifted_timestamps(run: Run, screen: Screen) -> list[Finding]:
    """Return features that foresee returns when they are taken one or two bars late.

    Under honest clocks a delayed feature is older knowledge and helps nobody. One that helps is stamped more than a
    bar early: the delay lets what it has seen fall on the next return.
    """
    return _judge(run, screen, SHIFTED, _delayed)


def too_good_forecasts(run: Run, screen: Screen, probe: str = FORECAST) -> list[Finding]:
    """Return series whose forecasts beat no change beyond what a martingale allows.

    The terms are forecast times return, the numerator of Clark & West (2007); for a horizon of h bars the sum of the
    last h forecasts times the return of one bar.

    Parameters
    ----------
    run : Run
        Its artefacts ``bars`` and ``forecasts`` (``y_pred``, a log return; keys ``EURUSD_h1`` or ``EURUSD_h1/0``).
    screen : Screen
    probe : str
        Name under which findings are reported.
    """
    frame, paths = run.artefacts[artefacts.FORECASTS], _paths(run)
    names = ["y_pred"] if "y_pred" in frame.columns else _floats(frame)
    groups = _by_key(frame.with_columns(pl.col(KEY).str.split("/").list.first()))
    found = []
    for series, rows in groups.items():
        pair, horizon = parse_series(series)
        ordered = rows.sort(STAMP).unique(STAMP, keep="last", maintain_order=True)
        scaled = _scaled(ordered[names], centre=False)
        bounded = np.clip(_SHARPNESS * scaled, -1, 1)
        forms = [_factors(paths[pair], _stamps(ordered), form, horizon) for form in (scaled, bounded)]
        asked = [_Question("", factors, paths[pair].returns) for factors in forms]
        weights = np.array([evidence(form.terms, screen.tolerated) for form in asked])  # [forms, forecasters]
        for column, name in enumerate(names):
            best = int(weights[:, column].argmax())
            bar = np.log(len(groups) * weights.size / screen.level)
            if asked[best].terms[:, column].sum() > 0 and weights[best, column] >= bar:
                numbers = _numbers(asked[best], column, weights[best, column])
                words = f"{series}: forecasts go with what follows ({numbers}); no honest forecast does so well"
                found.append(Finding(probe, artefacts.FORECASTS, name, ordered[STAMP][0], words))
    return found


def permuted_skill(pipeline: Pipeline, raw: pl.DataFrame, screen: Screen, stream: Stream) -> list[Finding]:
    """Return series that still have skill when the moves are permuted in time and given random signs.

    What can be learnt honestly is gone then, and any skill left comes from the future. See
    :func:`golden_core.leakage.surrogates.permuted_targets`.
    """
    stricter = replace(screen, level=screen.level / screen.permutations)
    found: list[Finding] = []
    for number in range(screen.permutations):
        run = pipeline.run(permuted_targets(raw, stream.child("permuted", number)))
        found += too_good_forecasts(run, stricter, PERMUTED)
    return found


Asker = Callable[[Run, Screen, _Path, str, IntArray, FloatArray], list[_Question]]


def _judge(run: Run, screen: Screen, probe: str, ask: Asker) -> list[Finding]:
    """Put every question to every pair; report features whose evidence outweighs the number of questions."""
    paths = _paths(run)
    asked: list[tuple[str, str, dt.datetime, list[_Question], int]] = []
    for pair, rows in _by_key(run.artefacts[artefacts.FEATURES]).items():
        numbers = rows[_floats(rows)]
        questions = ask(run, screen, paths[pair], pair, _stamps(rows), _scaled(numbers, centre=True))
        asked += [(pair, name, rows[STAMP][0], questions, column) for column, name in enumerate(numbers.columns)]
    bar = np.log(sum(len(questions) for *_, questions, _ in asked) / screen.level)
    weighed = {id(q): evidence(q.terms, screen.tolerated) for *_, questions, _ in asked for q in questions}
    found = []
    for pair, name, first, questions, column in asked:
        over = [question for question in questions if weighed[id(question)][column] >= bar]
        if not over:
            continue
        # What goes with the market's returns is a leaky feature; what goes with the target alone is a wrong target.
        best = max(over, key=lambda question: (not question.target, weighed[id(question)][column]))
        said = _numbers(best, column, weighed[id(best)][column])
        words = f"{pair}: {name} {best.words} ({said}); a martingale allows no such thing"
        asset, place = (artefacts.TARGETS, "y") if best.target else (artefacts.FEATURES, name)
        found.append(Finding(probe, asset, place, first, words))
    return found


def _questions(
    run: Run, screen: Screen, path: _Path, pair: str, stamps: IntArray, values: FloatArray
) -> list[_Question]:
    asked = []
    for horizon in sorted({1, *screen.horizons}):
        words = f"goes with the return over the next {horizon} bars"
        asked.append(_Question(words, _factors(path, stamps, values, horizon), path.returns))
        # A few wild values, such as the volume of bars without a trade, must not hide what the rest of them know.
        bounded = _factors(path, stamps, np.clip(_SHARPNESS * values, -1, 1), horizon)
        asked.append(_Question(f"in its direction {words}", bounded, path.returns))
    asked += [_Question(f"{asked[1].words} in {part}", *_within(asked[1], part)) for part in _PARTS]
    alone = _recursive(asked[0].factors, path.returns)
    asked.append(_Question("alone forecasts the next return out of sample", alone, path.returns))
    targets = run.artefacts.get(artefacts.TARGETS)
    if targets is not None and "cutoff" in targets.columns:
        for series, rows in _by_key(targets.filter(pl.col(KEY).str.starts_with(f"{pair}_"))).items():
            some = rows.sort("cutoff")[:: parse_series(series)[1]]  # targets that do not overlap
            known = _microseconds(some["cutoff"])
            outcome = _scaled(some[["y"]], centre=False)
            asked.append(_Question(f"goes with the target {series}", _latest(stamps, values, known), outcome, True))
    return asked


def _within(asked: _Question, part: str) -> tuple[FloatArray, FloatArray]:
    """Keep one part of the rows: a leak may begin, or end, in the middle of a sample, as a summer does."""
    count = len(asked.outcome)
    inside = np.zeros((count, 1))
    inside[_PARTS[part](count)] = 1.0
    return asked.factors * inside, asked.outcome


def _delayed(run: Run, screen: Screen, path: _Path, pair: str, stamps: IntArray, values: FloatArray) -> list[_Question]:
    del run, screen, pair
    asked = []
    for delay in _DELAYS:
        factors = _factors(path, stamps, np.clip(_SHARPNESS * values, -1, 1), 1, delay)
        whole = _Question(f"taken {delay} bars late, foresees the next return", factors, path.returns)
        asked += [whole, *(_Question(f"{whole.words} in {part}", *_within(whole, part)) for part in _PARTS)]
    return asked


def _paths(run: Run) -> dict[str, _Path]:
    """Return what happened to each pair, from the bars of the run."""
    paths = {}
    for pair, bars in _by_key(run.artefacts[artefacts.BARS]).items():
        order = np.argsort(_stamps(bars), kind="stable")
        level = np.log(bars["close"].to_numpy()[order])
        paths[pair] = _Path(_stamps(bars)[order], standardise_by_recent(np.diff(level, prepend=level[:1]))[:, None])
    return paths


def _factors(path: _Path, stamps: IntArray, values: FloatArray, horizon: int, delay: int = 0) -> FloatArray:
    """Return the sum of the last ``horizon`` values known before each bar opened [T, K], ``delay`` bars late."""
    known = _latest(stamps, values, path.known)
    out = np.zeros_like(known)
    for lag in range(1 + delay, horizon + 1 + delay):
        out[lag:] += known[:-lag]
    found: FloatArray = out / np.sqrt(horizon)
    return found


def _latest(stamps: IntArray, values: FloatArray, at: IntArray) -> FloatArray:
    """Return the values [N, K] last stamped at or before each time; zero where there are none."""
    rows = np.searchsorted(stamps, at, side="right") - 1
    return np.where((rows >= 0)[:, None], values[np.maximum(rows, 0)], 0.0)


def _recursive(factors: FloatArray, returns: FloatArray) -> FloatArray:
    """Return each factor times the confidence in its slope so far, within ±1: a forecast known in advance."""
    terms = factors * returns
    spread = np.sqrt((terms**2).cumsum(axis=0))
    confidence = np.divide(terms.cumsum(axis=0), spread, out=np.zeros_like(terms), where=spread > 0)
    found: FloatArray = factors * np.vstack([np.zeros_like(terms[:1]), np.clip(confidence / 2, -1, 1)[:-1]])
    return found


def _numbers(asked: _Question, column: int, weight: float) -> str:
    """Return correlation, count, bound on p and recursive out-of-sample R² in words."""
    x, y = asked.factors[:, column], asked.outcome[:, 0]
    used = (x != 0) & (y != 0)
    x, y = x[used], y[used]
    before = np.concatenate([[0.0], (x * y).cumsum()[:-1]]) / (np.concatenate([[0.0], (x**2).cumsum()[:-1]]) + 10.0)
    r2 = 1 - ((y - before * x) ** 2).sum() / (y**2).sum()
    correlation = (x * y).sum() / np.sqrt((x**2).sum() * (y**2).sum())
    return f"correlation {correlation:.2f} on {len(x)} bars, out-of-sample R² {r2:.2f}, p ≤ {np.exp(-weight):.0e}"


def _scaled(numbers: pl.DataFrame, *, centre: bool) -> FloatArray:
    values = numbers.to_numpy().astype(np.float64)  # null becomes NaN
    return standardise_by_past(values, least=_LEAST, limit=_LIMIT, centre=centre)


def _stamps(frame: pl.DataFrame) -> IntArray:
    return _microseconds(frame[STAMP])


def _microseconds(times: pl.Series) -> IntArray:
    return times.to_numpy().astype("datetime64[us]").astype(np.int64)


def _floats(frame: pl.DataFrame) -> list[str]:
    return [name for name, dtype in frame.schema.items() if dtype.is_float()]


def _by_key(frame: pl.DataFrame) -> dict[str, pl.DataFrame]:
    return {str(key): rows for (key,), rows in frame.partition_by(KEY, as_dict=True, maintain_order=True).items()}
