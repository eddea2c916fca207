"""Probes by statistics: what is too good to be known in advance. They need no source of the leak, only its effect.

Every probe has the same null: given everything known at a cutoff, the next return is symmetric about zero, up to a
tolerated mean. Its size holds at every sample length, for persistent features and heavy tails, over all features and
horizons of a run together: P(any false finding of a probe) ≤ ``level``.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import cast

import numpy as np
import polars as pl

from golden_core.leakage import artefacts
from golden_core.leakage.artefacts import KEY, STAMP, Finding, Pipeline, Run
from golden_core.leakage.questions import (
    FloatArray,
    IntArray,
    Market,
    Question,
    by_key,
    factors_of,
    halves,
    in_numbers,
    latest,
    markets_of,
    microseconds,
    numeric,
    recursive,
    scaled_by_past,
)
from golden_core.leakage.surrogates import permuted_targets
from golden_core.statistics.martingale import evidence
from golden_core.store.lake import parse_series
from golden_core.store.randomness import Stream

FEATURE, FORECAST, DRIFT = "too_good_feature", "too_good_forecast", "one_sided_market"
SHIFTED, PERMUTED = "shifted_timestamps", "permuted_targets"

_DELAYS = (1, 2)
_SHARPNESS = 3.0  # of the bounded copy of a feature: a third of a standard deviation counts as fully up or down


@dataclass(frozen=True)
class Screen:
    """How strict the probes are."""

    level: float  # probability of any false finding of one probe on one run
    # Correlation with the next return that is not held against a feature: real prices are not exact martingales
    tolerated: float
    horizons: tuple[int, ...]  # bars over which returns are summed
    permutations: int  # runs on permuted targets


def statistical(pipeline: Pipeline, raw: pl.DataFrame, screen: Screen, stream: Stream) -> list[Finding]:
    """Return what all statistical probes find on raw bars of all pairs, in the order in which they are cheap."""
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
    found, markets = [], markets_of(run)
    for pair, market in markets.items():
        always, bounded = np.ones_like(market.returns), np.clip(_SHARPNESS * market.returns, -1, 1)
        asked = [Question("", always, market.returns), Question("", always, bounded)]
        weights = [evidence(question.terms, screen.tolerated)[0] for question in asked]
        best = int(np.argmax(weights))
        if weights[best] >= np.log(len(markets) * len(asked) / screen.level):
            numbers = in_numbers(asked[best], 0, weights[best])
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

    The run has ``bars`` (``close``) and ``features`` (numbers), keyed by pair; perhaps ``targets`` (``y``, and
    ``cutoff`` where they have one), keyed by series. There is at most one finding per pair and feature, with
    correlation, bound on p, and out-of-sample R² against no change (Campbell & Thompson 2008, section 2).
    """
    return _judge(run, screen, FEATURE, partial(_questions, run, screen))


def shifted_timestamps(run: Run, screen: Screen) -> list[Finding]:
    """Return features that foresee returns when they are taken one or two bars late.

    Under honest clocks a delayed feature is older knowledge and helps nobody. One that helps is stamped more than a
    bar early: the delay lets what it has seen fall on the next return.
    """
    return _judge(run, screen, SHIFTED, _delayed)


def too_good_forecasts(run: Run, screen: Screen, probe: str = FORECAST) -> list[Finding]:
    """Return series whose forecasts beat no change beyond what a martingale allows.

    The terms are forecast times return, the numerator of Clark & West (2007); for a horizon of h bars the sum of the
    last h forecasts times the return of one bar. The run has ``bars`` and ``forecasts`` (``y_pred``, a log return; keys
    ``EURUSD_h1`` or ``EURUSD_h1/0``).
    """
    frame, markets = run.artefacts[artefacts.FORECASTS], markets_of(run)
    names = ["y_pred"] if "y_pred" in frame.columns else numeric(frame)
    groups = by_key(frame.with_columns(pl.col(KEY).str.split("/").list.first()))
    found = []
    for series, rows in groups.items():
        pair, horizon = parse_series(series)
        ordered = rows.sort(STAMP).unique(STAMP, keep="last", maintain_order=True)
        scaled = scaled_by_past(ordered[names], centre=False)
        bounded = np.clip(_SHARPNESS * scaled, -1, 1)
        stamps = microseconds(ordered[STAMP])
        forms = [factors_of(markets[pair], stamps, form, horizon) for form in (scaled, bounded)]
        asked = [Question("", factors, markets[pair].returns) for factors in forms]
        weights = np.array([evidence(form.terms, screen.tolerated) for form in asked])  # [forms, forecasters]
        for column, name in enumerate(names):
            best = int(weights[:, column].argmax())
            bar = np.log(len(groups) * weights.size / screen.level)
            if asked[best].terms[:, column].sum() > 0 and weights[best, column] >= bar:
                numbers = in_numbers(asked[best], column, weights[best, column])
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


Asker = Callable[[str, Market, IntArray, FloatArray], list[Question]]  # of a pair, its stamps and features there


def _judge(run: Run, screen: Screen, probe: str, ask: Asker) -> list[Finding]:
    """Put every question to every pair; report features whose evidence outweighs the number of questions."""
    markets = markets_of(run)
    asked: list[tuple[str, str, dt.datetime, list[Question], int]] = []
    for pair, rows in by_key(run.artefacts[artefacts.FEATURES]).items():
        numbers = rows[numeric(rows)]
        questions = ask(pair, markets[pair], microseconds(rows[STAMP]), scaled_by_past(numbers, centre=True))
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
        said = in_numbers(best, column, weighed[id(best)][column])
        words = f"{pair}: {name} {best.words} ({said}); a martingale allows no such thing"
        asset, place = (artefacts.TARGETS, "y") if best.target else (artefacts.FEATURES, name)
        found.append(Finding(probe, asset, place, first, words))
    return found


def _questions(
    run: Run, screen: Screen, pair: str, market: Market, stamps: IntArray, values: FloatArray
) -> list[Question]:
    asked = []
    for horizon in sorted({1, *screen.horizons}):
        words = f"goes with the return over the next {horizon} bars"
        asked.append(Question(words, factors_of(market, stamps, values, horizon), market.returns))
        # A few wild values, such as the volume of bars without a trade, must not hide what the rest of them know.
        bounded = factors_of(market, stamps, np.clip(_SHARPNESS * values, -1, 1), horizon)
        asked.append(Question(f"in its direction {words}", bounded, market.returns))
    asked += halves(asked[1])
    alone = recursive(asked[0].factors, market.returns)
    asked.append(Question("alone forecasts the next return out of sample", alone, market.returns))
    targets = run.artefacts.get(artefacts.TARGETS)
    if targets is not None and "cutoff" in targets.columns:
        for series, rows in by_key(targets.filter(pl.col(KEY).str.starts_with(f"{pair}_"))).items():
            some = rows.sort("cutoff")[:: parse_series(series)[1]]  # targets that do not overlap
            known = microseconds(some["cutoff"])
            outcome = scaled_by_past(some[["y"]], centre=False)
            asked.append(Question(f"goes with the target {series}", latest(stamps, values, known), outcome, True))
    return asked


def _delayed(_pair: str, market: Market, stamps: IntArray, values: FloatArray) -> list[Question]:
    asked = []
    for delay in _DELAYS:
        factors = factors_of(market, stamps, np.clip(_SHARPNESS * values, -1, 1), 1, delay)
        whole = Question(f"taken {delay} bars late, foresees the next return", factors, market.returns)
        asked += [whole, *halves(whole)]
    return asked
