"""The tables `economics` and `equity`: what every strategy of a study comes to. Trading itself belongs to ledger.py."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

import numpy as np
import polars as pl

from golden_core.economics import sharpe
from golden_core.economics.strategies import Strategy
from golden_core.statistics.long_run import FloatArray, long_run
from golden_core.store.randomness import Stream
from golden_core.store.schema import ECONOMICS, EQUITY
from golden_core.study import Study

_AMOUNTS = ("gross", "spread", "slippage", "swap", "net", "turnover")
_ENDS = ("low", "high", "bootstrap_low", "bootstrap_high")
# Times: of who trades less, a few returns are all that the spread is made of, and zero is left out far too often.
LEAST_TRADES = 200
SELDOM = "traded at {} times: what is said of chance needs {}"


def economics_table(study: Study, traded: Iterable[Strategy], tried: int, stream: Stream) -> pl.DataFrame:
    """Judge every strategy: ``schema.ECONOMICS``, a row per forecaster, pair and horizon, sorted by key.

    One return series, net of costs, is behind all ratios but those said to be gross or delayed. The study, which has a
    section ``economics``, gives the level of confidence and the number of resamples; ``traded`` comes in the order of
    :func:`~golden_core.economics.strategies.strategies`; ``tried`` counts the settings of forecasters ever tried on
    these bars, at least the strategies of a series; ``stream`` is of the bootstrap.
    """
    rows = [
        {"study": study.name, **row}
        for (pair, horizon), series in groupby(traded, key=lambda one: (one.pair, one.horizon))
        for row in _series(study, list(series), tried, stream.child(pair, horizon).generator())
    ]
    return ECONOMICS.conform(pl.DataFrame(rows, schema=ECONOMICS.dtypes)).sort(ECONOMICS.key)


def equity_table(study: str, traded: Iterable[Strategy]) -> pl.DataFrame:
    """Return ``schema.EQUITY``, sorted by key: gained by the last price of every month, seeds sharing the capital."""
    frames = [
        pl.DataFrame(
            {
                "timestamp": one.account.times,
                "gross": one.account.gross.mean(axis=0).cumsum(),
                "net": one.returns.cumsum(),
            }
        )
        .group_by(month=pl.col("timestamp").dt.truncate("1mo"), maintain_order=True)
        .last()
        .with_columns(
            study=pl.lit(study),
            forecaster=pl.lit(one.forecaster),
            pair=pl.lit(one.pair),
            horizon=pl.lit(one.horizon, pl.Int32),
        )
        .drop("month")
        for one in traded
    ]
    return EQUITY.conform(pl.concat(frames)).sort(EQUITY.key)


def _series(
    study: Study, series: list[Strategy], tried: int, generator: np.random.Generator
) -> Iterator[dict[str, Any]]:
    """Yield the rows of one series: what was tried beside a strategy counts in its deflated ratio."""
    assert study.economics is not None
    level, horizon = study.evaluation.confidence, series[0].horizon
    judged = [one for one in series if not one.reason]
    returns = np.array([one.returns for one in judged])  # [K, T]
    # Who takes the positions of another adds a trial, and nothing to how far ratios lie apart or to whom is chosen.
    first = np.unique(np.round(sharpe.sharpe(returns), 12), return_index=True)[1] if judged else np.arange(0)
    unlike = returns[np.sort(first)]
    intervals: list[tuple[float, float]] = []
    if judged:
        block, reps = max(study.economics.bootstrap_block, horizon), study.evaluation.bootstrap_resamples
        ends = sharpe.bootstrap_interval(returns, block=block, reps=reps, level=level, generator=generator)
        intervals = list(zip(*ends, strict=True))
    beside: dict[str, Any] = {
        "tried": max(tried, len(series)),
        "overfitting": _number(sharpe.overfitting(unlike, horizon=horizon)) if judged else None,
    }
    variance = float(np.var(sharpe.sharpe(unlike), ddof=1)) if len(unlike) > 1 else np.nan
    for one in series:
        row = _amounts(one) | beside
        if not one.reason:
            row |= _ratios(one, level, intervals.pop(0))
            if not (row["reason"] or np.isnan(variance)):
                ratio, told = float(sharpe.sharpe(one.returns)), (len(one.returns), *sharpe.shape(one.returns))
                row["deflated"] = sharpe.deflated(ratio, *told, trials=row["tried"], variance=variance)
        yield row


def _amounts(one: Strategy) -> dict[str, Any]:
    """Return what a strategy gained and paid."""
    kept, rate = one.account, one.quotes.per_year
    units = kept.traded.sum() * one.quotes.pip
    yearly = {name: rate * getattr(kept, name).mean() for name in _AMOUNTS}
    return {
        "forecaster": one.forecaster,
        "pair": one.pair,
        "horizon": one.horizon,
        "seeds": len(kept.gross),
        "n": len(kept.times),
        "filled_at": one.quotes.filled_at,
        **yearly,
        "drawdown": float(sharpe.drawdown(one.returns)),
        "half_spread_pips": kept.spread.sum() / units if units else None,
        "break_even_pips": (kept.net + kept.spread).sum() / units if units else None,
        "reason": one.reason or None,
    }


def _ratios(one: Strategy, confidence: float, bootstrap: tuple[float, float]) -> dict[str, Any]:
    year, returns = np.sqrt(one.quotes.per_year), one.returns
    found = long_run(sharpe.sharpe_moment(returns), horizon=one.horizon, level=confidence)
    trades = int(one.account.traded.any(axis=0).sum())
    reason = str(found.reason) or ("" if trades >= LEAST_TRADES else SELDOM.format(trades, LEAST_TRADES))
    told = len(returns), *sharpe.shape(returns)
    numbers = {
        "sharpe": found.mean,
        "sharpe_gross": sharpe.sharpe(one.account.gross.mean(axis=0)),
        "sharpe_delayed": sharpe.sharpe(one.delayed.net.mean(axis=0)),
    }
    ends = dict(zip(_ENDS, (found.low, found.high, *bootstrap), strict=True))
    return {
        **{name: _number(year * value) for name, value in (numbers | ({} if reason else ends)).items()},
        "probabilistic": None if reason else sharpe.probabilistic(float(found.mean), *told),
        "reason": reason or None,
    }


def _number(value: float | FloatArray) -> float | None:
    return float(value) if np.isfinite(value) else None
