"""Every claim that a protocol asks about, decided by the one test of its kind. The tests belong to statistics/."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from golden_core.statistics import equivalence, holm, long_run, minimum_detectable
from golden_core.statistics.long_run import FloatArray
from golden_core.statistics.moments import accuracy, predicts
from golden_core.statistics.rules import refused
from golden_core.store.schema import CLAIMS
from golden_core.study import ProtocolSection
from golden_core.trials.ledger import Standing

BENCHMARK = "random_walk"
ALL_PAIRS = "all"
_NO_COMMON = "the pairs have no cutoff in common"
_UNEVEN = "the forecaster and the random walk do not have the same cutoffs"


@dataclass(frozen=True, eq=False)
class Question:
    """One claim asked about: the moments of each seed [S, T], positive where it is right, and a margin [T] or none."""

    forecaster: str
    kind: str
    scope: str
    pair: str
    horizon: int
    by_seed: FloatArray
    margin: FloatArray | None
    reason: str = ""


def claims_table(
    study: str, forecasts: pl.DataFrame, protocol: ProtocolSection, confidence: float, standing: Standing
) -> pl.DataFrame:
    """Decide every claim of a protocol from the table of forecasts.

    Parameters
    ----------
    forecasts : schema.FORECASTS
        Of the whole study. A claim is about one training run: moments, not forecasts, are averaged over seeds.
    confidence : float
        Level of the intervals of effects.
    standing : Standing
        What the ledger says of the protocol and of what was tried on these bars.

    Returns
    -------
    schema.CLAIMS
        A row per forecaster, kind, scope, pair and horizon, sorted by key.
    """
    moments = list(_moments(forecasts, protocol))
    asked = [question for question in moments if question.scope in protocol.scopes]
    asked += list(_pooled(moments)) if "pooled" in protocol.scopes else []
    sizes = [len(asked) if protocol.family == "study" else sum(q.kind == one.kind for q in asked) for one in asked]
    rows = [
        {"study": study, **_tested(question, size, protocol, confidence), **vars(standing)}
        for question, size in zip(asked, sizes, strict=True)
    ]
    table = pl.DataFrame(rows, schema={name: dtype for name, dtype in CLAIMS.dtypes.items() if name not in _DECIDED})
    family = pl.lit(0) if protocol.family == "study" else pl.col("kind")
    adjusted = pl.col("p_value").map_batches(_holm, return_dtype=pl.Float64).over(family)
    decided = table.with_columns(p_holm=adjusted).with_columns(
        claimed=(pl.col("p_holm") <= protocol.alpha).fill_null(False)
    )
    return CLAIMS.conform(decided).sort(CLAIMS.key)


_DECIDED = ("p_holm", "claimed")


def _moments(forecasts: pl.DataFrame, protocol: ProtocolSection) -> Iterator[Question]:
    """Yield the questions of every forecaster on every series, in units of the random walk's mean loss there."""
    for (pair, horizon), part in _groups(forecasts, "pair", "horizon"):
        seeds = _groups(part.filter(forecaster=BENCHMARK), "seed")
        walk = next((rows for _, rows in seeds), None)
        for (forecaster,), own in _groups(part.filter(pl.col("forecaster") != BENCHMARK), "forecaster"):
            runs = [rows for _, rows in _groups(own, "seed")]
            even = walk is not None and all(run["cutoff"].equals(walk["cutoff"]) for run in runs)
            for kind in protocol.kinds:
                at = (forecaster, kind, "series", pair, horizon)
                if even and walk is not None:
                    yield Question(*at, *_MOMENTS[kind](runs, walk, protocol))
                else:
                    yield Question(*at, np.empty((len(runs), 0)), None, _UNEVEN)


def _more_accurate(
    runs: list[pl.DataFrame], walk: pl.DataFrame, protocol: ProtocolSection
) -> tuple[FloatArray, FloatArray | None]:
    theirs = _loss(walk, protocol)
    return np.stack([accuracy(_loss(run, protocol), theirs) for run in runs]) / theirs.mean(), None


def _predicts(
    runs: list[pl.DataFrame], walk: pl.DataFrame, _protocol: ProtocolSection
) -> tuple[FloatArray, FloatArray | None]:
    y, benchmark = walk["y_true"].to_numpy(), walk["y_pred"].to_numpy()
    unit = np.square(y - benchmark).mean()
    return np.stack([predicts(y, run["y_pred"].to_numpy(), benchmark) for run in runs]) / unit, None


def _equivalent(
    runs: list[pl.DataFrame], walk: pl.DataFrame, protocol: ProtocolSection
) -> tuple[FloatArray, FloatArray | None]:
    theirs = _loss(walk, protocol)
    return _more_accurate(runs, walk, protocol)[0], protocol.margin * theirs / theirs.mean()


_MOMENTS: dict[str, Callable[[list[pl.DataFrame], pl.DataFrame, ProtocolSection], tuple[FloatArray, FloatArray | None]]]
_MOMENTS = {"more_accurate": _more_accurate, "predicts": _predicts, "equivalent": _equivalent}


def _loss(rows: pl.DataFrame, protocol: ProtocolSection) -> FloatArray:
    error: FloatArray = (rows["y_pred"] - rows["y_true"]).to_numpy()
    return np.square(error) if protocol.loss == "squared" else np.abs(error)


def _pooled(moments: list[Question]) -> Iterator[Question]:
    """Yield the mean over pairs of each question; pairs share the dollar, so they are never samples of their own."""
    groups: dict[tuple[str, str, int], list[Question]] = {}
    for question in moments:
        groups.setdefault((question.forecaster, question.kind, question.horizon), []).append(question)
    for (forecaster, kind, horizon), parts in groups.items():
        at = (forecaster, kind, "pooled", ALL_PAIRS, horizon)
        if len({part.by_seed.shape for part in parts}) > 1 or any(part.reason for part in parts):
            yield Question(*at, np.empty((1, 0)), None, _NO_COMMON)
            continue
        margins = [part.margin for part in parts if part.margin is not None]
        margin = np.mean(margins, axis=0) if margins else None
        yield Question(*at, np.mean([part.by_seed for part in parts], axis=0), margin)


def _tested(question: Question, family: int, protocol: ProtocolSection, confidence: float) -> dict[str, Any]:
    """Return the row of one question, before the adjustment."""
    g, h, first_step = question.by_seed.mean(axis=0), question.horizon, protocol.alpha / family
    kind: Any = question.kind
    found = long_run(g, horizon=h, alternative="greater", level=confidence)
    reason = question.reason or refused(kind, len(g), h) or str(found.reason)
    within = question.margin is not None
    p_value = equivalence(g, margin=question.margin, horizon=h) if question.margin is not None else found.p_value
    reach = long_run(g, horizon=h, level=1 - 2 * first_step)
    effects = question.by_seed.mean(axis=1) if len(g) else np.full(len(question.by_seed), np.nan)
    numbers = {
        "effect": found.mean,
        "low": found.low,
        "high": found.high,
        "p_value": p_value,
        "smallest_effect": minimum_detectable(g, horizon=h, power=protocol.power, alpha=first_step),
        "margin_reached": np.maximum(np.abs(reach.low), np.abs(reach.high)),
    }
    return {
        **{name: getattr(question, name) for name in ("forecaster", "kind", "scope", "pair", "horizon")},
        **{name: float(value) if not reason and np.isfinite(value) else None for name, value in numbers.items()},
        "family": family,
        "n": len(g),
        "df": found.df,
        "margin": protocol.margin,
        "seeds": len(effects),
        "seeds_agreeing": int((np.abs(effects) < protocol.margin).sum() if within else (effects > 0).sum()),
        "reason": reason or None,
    }


def _groups(frame: pl.DataFrame, *by: str) -> Iterator[tuple[tuple[Any, ...], pl.DataFrame]]:
    ordered = frame.sort(*by, "cutoff")
    yield from ordered.partition_by(*by, as_dict=True, maintain_order=True).items()


def _holm(p_values: pl.Series) -> pl.Series:
    return pl.Series(holm(p_values.to_numpy())).fill_nan(None)
