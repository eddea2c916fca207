"""Every claim that a protocol asks about, decided by the one test of its kind. The tests belong to statistics/."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from golden_core.claims.questions import Question, questions
from golden_core.economics.strategies import Strategy
from golden_core.statistics import equivalence, holm, long_run, minimum_detectable
from golden_core.statistics.long_run import CONSTANT, FloatArray
from golden_core.statistics.rules import rarest, refused
from golden_core.statistics.skill import Direction, skill, smallest_skill
from golden_core.store.schema import CLAIMS, QUANTILES
from golden_core.study import ProtocolSection
from golden_core.trials.registration import Standing

ALL_PAIRS = "all"
COMMON = 0.95  # of the times of each pair: an hour that one vendor's file lacks is no reason to pool nothing
NO_DIRECTION = "no direction: over seeds the forecasts cancel, or what it earns has no spread"
_ALIKE = "no spread: every interval holds what came, or none does"
_NO_COMMON = "the pairs have too few times in common"
_OTHER_SEEDS = "the pairs do not have the same seeds"


def claims_table(
    study: str,
    forecasts: pl.DataFrame,
    protocol: ProtocolSection,
    confidence: float,
    standing: Standing,
    *,
    quantiles: pl.DataFrame | None = None,
    traded: Sequence[Strategy] = (),
) -> pl.DataFrame:
    """Decide every claim of a protocol.

    Parameters
    ----------
    forecasts : schema.FORECASTS
        Of the whole study. A claim is about one training run: moments, not forecasts, are averaged over seeds. Only the
        direction is that of their mean, so that it has one size.
    confidence : float
        Level of the intervals of effects.
    standing : Standing
        What the ledger says of the protocol and of what was tried on these bars.
    quantiles : schema.QUANTILES
        Beside the forecasts, for ``covers``.
    traded : sequence of Strategy
        Every forecaster on every series, for ``profitable``.

    Returns
    -------
    schema.CLAIMS
        A row per forecaster, kind, scope, pair and horizon, sorted by key.
    """
    moments = list(questions(forecasts, QUANTILES.empty() if quantiles is None else quantiles, traded, protocol))
    asked = [question for question in moments if question.scope in protocol.scopes]
    asked += list(_pooled(moments)) if "pooled" in protocol.scopes else []
    sizes = [len(asked) if protocol.family == "study" else sum(q.kind == one.kind for q in asked) for one in asked]
    rows = [
        {"study": study, **_tested(question, size, protocol, confidence), **vars(standing)}
        for question, size in zip(asked, sizes, strict=True)
    ]
    table = pl.DataFrame(rows, schema={name: dtype for name, dtype in CLAIMS.dtypes.items() if name not in _DECIDED})
    family = pl.lit(0) if protocol.family == "study" else pl.col("kind")
    decided = table.with_columns(p_holm=holm_within(family)).with_columns(
        claimed=(pl.col("p_holm") <= protocol.alpha).fill_null(False)
    )
    return CLAIMS.conform(decided).sort(CLAIMS.key)


_DECIDED = ("p_holm", "claimed")


def _pooled(moments: list[Question]) -> Iterator[Question]:
    """Yield the mean over pairs of each question; pairs share the dollar, so they are never samples of their own.

    It is taken at the times that all pairs have.
    """
    groups: dict[tuple[str, str, int], list[Question]] = {}
    for question in moments:
        groups.setdefault((question.forecaster, question.kind, question.horizon), []).append(question)
    for (forecaster, kind, horizon), parts in groups.items():
        at = (forecaster, kind, "pooled", ALL_PAIRS, horizon)
        common = _common(parts).implode()
        held = [part.times.is_in(common).to_numpy() for part in parts]
        if reason := _why_not(parts, held):
            seeds = min(len(part.by_seed) for part in parts)
            yield Question(*at, np.empty((seeds, 0)), parts[0].times.clear(), None, reason)
            continue
        by_seed = np.mean([part.by_seed[:, here] for part, here in zip(parts, held, strict=True)], axis=0)
        margins = [part.margin[here] for part, here in zip(parts, held, strict=True) if part.margin is not None]
        margin = np.mean(margins, axis=0) if margins else None
        yield Question(*at, by_seed, parts[0].times.filter(held[0]), margin, direction=_pooled_direction(parts, held))


def _pooled_direction(parts: list[Question], held: list[npt.NDArray[np.bool_]]) -> Direction | None:
    there = [(part.direction, here) for part, here in zip(parts, held, strict=True) if part.direction is not None]
    if not there:
        return None
    means = {name: np.mean([getattr(one, name) for one, _ in there]) for name in ("one", "gain", "cost")}
    return Direction(np.mean([one.moment[here] for one, here in there], axis=0), **means)


def _common(parts: list[Question]) -> pl.Series:
    """Return the times that all pairs have."""
    common = parts[0].times
    for part in parts[1:]:
        common = common.filter(common.is_in(part.times.implode()))
    return common


def _why_not(parts: list[Question], held: list[npt.NDArray[np.bool_]]) -> str:
    """Return why there is no mean over pairs at the times that are held by all, or ""."""
    if unknown := [part for part in parts if part.reason]:
        shared = len({part.reason for part in parts}) == 1
        return unknown[0].reason if shared else f"{unknown[0].pair}: {unknown[0].reason}"
    if len({len(part.by_seed) for part in parts}) > 1:
        return _OTHER_SEEDS
    return "" if all(len(here) and here.mean() >= COMMON for here in held) else _NO_COMMON


def _tested(question: Question, family: int, protocol: ProtocolSection, confidence: float) -> dict[str, Any]:
    """Return the row of one question, before the adjustment."""
    g, h, first_step = question.by_seed.mean(axis=0), question.horizon, protocol.alpha / family
    kind: Any = question.kind
    found = long_run(g, horizon=h, alternative="greater", level=confidence)
    margin = _margin(kind, protocol)
    within = question.margin is not None
    p_values, smallest = _decided(question, g, protocol.power, first_step)
    reason = question.reason or refused(kind, len(g), h, level=_rarest(protocol)) or str(found.reason)
    reason = reason or ("" if np.isfinite(p_values["p_value"]) else NO_DIRECTION)
    reason = _ALIKE if (question.kind, reason) == ("covers", CONSTANT) else reason
    reach = long_run(g, horizon=h, level=1 - 2 * first_step)
    effects = question.by_seed.mean(axis=1) if len(g) else np.full(len(question.by_seed), np.nan)
    numbers = {
        "effect": found.mean,
        "low": found.low,
        "high": found.high,
        **p_values,
        "smallest_effect": smallest,
        "margin_reached": np.maximum(np.abs(reach.low), np.abs(reach.high)),
    }
    return {
        **{name: getattr(question, name) for name in ("forecaster", "kind", "scope", "pair", "horizon")},
        **{name: float(value) if not reason and np.isfinite(value) else None for name, value in numbers.items()},
        "family": family,
        "n": len(g),
        "df": found.df,
        "margin": margin,
        "seeds": len(effects),
        "seeds_agreeing": int((np.abs(effects) < margin).sum() if within and margin else (effects > 0).sum()),
        "reason": reason or None,
    }


def _decided(question: Question, g: FloatArray, power: float, alpha: float) -> tuple[dict[str, FloatArray], FloatArray]:
    """Return the p-values of the one test of a kind, and the effect that it would have found."""
    h, direction = question.horizon, question.direction
    if direction is not None:
        smallest = smallest_skill(g, direction, horizon=h, power=power, alpha=alpha)
        return skill(g, direction, horizon=h)._asdict(), smallest
    unknown = np.array(np.nan)
    p_value = unknown if question.margin is None else equivalence(g, margin=question.margin, horizon=h)
    return {"p_value": p_value, "p_direction": unknown}, minimum_detectable(g, horizon=h, power=power, alpha=alpha)


def _rarest(protocol: ProtocolSection) -> float:
    """Return the level that the rule of coverage asks about; any does where the protocol names no interval."""
    return 0.9 if protocol.coverage is None else rarest(protocol.coverage.level, protocol.coverage.margin)


def _margin(kind: str, protocol: ProtocolSection) -> float | None:
    """Return the difference that counts as none for a kind of claim; None where there is no such thing."""
    if kind == "covers":
        return protocol.coverage.margin if protocol.coverage else None
    return None if kind == "profitable" else protocol.margin


def holm_within(*family: str | pl.Expr) -> pl.Expr:
    """Return the column ``p_value`` adjusted after Holm within each family; null where it is, which counts as one."""

    def adjusted(p_values: pl.Series) -> pl.Series:
        return pl.Series(holm(p_values.cast(pl.Float64).to_numpy())).fill_nan(None)

    return pl.col("p_value").map_batches(adjusted, return_dtype=pl.Float64).over(*family)
