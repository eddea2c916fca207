"""The account of a strategy: what it holds, trades and pays at every price. How good that is belongs to sharpe.py."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from golden_core.economics.costs import IntArray, Quotes
from golden_core.statistics.long_run import FloatArray


@dataclass(frozen=True, eq=False)
class Account:
    """Changes of equity at T times, as shares of a capital of one unit of quote currency; arrays (..., T)."""

    times: pl.Series  # [T], those at which a position could be open
    moves: FloatArray  # [T], of the price since the time before, as a share of it
    position: FloatArray  # held meanwhile, negative where short
    gross: FloatArray  # what the position held until now has gained since the time before
    spread: FloatArray  # paid for crossing half the spread
    slippage: FloatArray  # paid for fills worse than the quote
    swap: FloatArray  # earned overnight; negative where paid
    traded: FloatArray  # units of base bought or sold
    turnover: FloatArray  # their value

    @property
    def net(self) -> FloatArray:
        """Return the change of equity after all costs."""
        return self.gross - self.spread - self.slippage + self.swap


def account(wanted: FloatArray, fills: IntArray, quotes: Quotes, horizon: int, *, delay: int = 0) -> Account:
    """Trade positions as overlapping lots and keep the account.

    Parameters
    ----------
    wanted : (..., N) float64
        Position asked for at each cutoff, as a multiple of the capital.
    fills : (N,) int64
        Places among the quotes where it is filled, as from :meth:`Quotes.fills`; those beyond the last are not.
    quotes : Quotes
        M prices and costs.
    horizon : int
        Bars that a lot is held, h. Every cutoff opens a lot of 1/h of what it asks for and the lot of h bars before is
        closed, so that each price change is counted once. Only what is left of both is traded.
    delay : int
        Bars by which every fill comes later.

    Returns
    -------
    Account
        At the times at which a lot could be open. Nothing is reinvested: lots are shares of the capital at the start.
        A lot for which the prices end too soon is closed at the last one.
    """
    last = len(quotes.prices) - 1
    filled = fills + delay < last
    opens = fills[filled] + delay
    closes = np.minimum(opens + horizon, last)
    lots = wanted[..., filled] / quotes.prices[opens] / horizon
    trades = np.zeros((*wanted.shape[:-1], last + 1))
    np.add.at(trades.T, opens, lots.T)
    np.add.at(trades.T, closes, -lots.T)
    held = np.zeros_like(trades)  # since the price before
    held[..., 1:] = np.cumsum(trades, axis=-1)[..., :-1]
    held[..., 1:][_open(lots, opens, closes, last)[..., :-1] == 0] = 0  # and not what rounding left of closed lots
    live = np.cumsum(np.bincount(opens, minlength=last + 2) - np.bincount(closes + 1, minlength=last + 2))[:-1] > 0
    size, before = np.abs(trades), np.r_[quotes.prices[:1], quotes.prices[:-1]]
    every = {
        "moves": np.diff(quotes.prices, prepend=quotes.prices[:1]) / before,
        "position": held * before,
        "gross": held * np.diff(quotes.prices, prepend=quotes.prices[:1]),
        "spread": size * quotes.half_spread,
        "slippage": size * quotes.slippage,
        "swap": np.maximum(held, 0) * quotes.long + np.maximum(-held, 0) * quotes.short,
        "traded": size,
        "turnover": size * quotes.prices,
    }
    return Account(times=quotes.times.filter(pl.Series(live)), **{name: one[..., live] for name, one in every.items()})


def _open(lots: FloatArray, opens: IntArray, closes: IntArray, last: int) -> IntArray:
    """Return how many lots of any size are open after each of the prices up to the ``last``; (..., last + 1) int64."""
    changes = np.zeros((*lots.shape[:-1], last + 1), np.int64)
    any_size = (lots != 0).T.astype(np.int64)
    np.add.at(changes.T, opens, any_size)
    np.add.at(changes.T, closes, -any_size)
    return np.cumsum(changes, axis=-1)
