"""Prices, costs and signals made to order."""

import datetime

import numpy as np
import polars as pl

from golden_core.store.randomness import Stream
from golden_core.study import EconomicsSection

BARS = 700
FIRST = datetime.datetime(2024, 3, 4, tzinfo=datetime.UTC)  # a Monday; New York changes its clocks on the 10th


def section(signal=None, limit=1.0, spread=0.4, slippage=0.1, long=-0.6, short=0.2):
    pips = {"sydney": 3 * spread, "tokyo": 2 * spread, "london": spread, "new_york": spread, "otherwise": 4 * spread}
    pairs = ("EURUSD", "USDJPY")
    return EconomicsSection.model_validate(
        {
            "signal": {"source": "made up", **(signal or {"rule": "sign", "threshold": 0.0})},
            "position_limit": {"multiple": limit, "source": "made up"},
            "half_spread": {"pips": dict.fromkeys(pairs, pips), "source": "made up"},
            "slippage": {"pips": slippage, "source": "made up"},
            "swap": {"pips": {pair: {"long": long, "short": short} for pair in pairs}, "source": "made up"},
            "bootstrap_block": 20,
        }
    )


def bars(pair="EURUSD", n=BARS, *, opens=True):
    """Hourly bars; without opens, fixings an hour apart that are known half an hour later."""
    draw = Stream(8).child("bars", pair).generator()
    close = (150.0 if pair == "USDJPY" else 1.1) * np.exp(np.cumsum(draw.normal(0, 0.002, n)))
    timestamp = pl.Series([FIRST + datetime.timedelta(hours=hour) for hour in range(n)])
    known = timestamp + datetime.timedelta(hours=1 if opens else 0, minutes=0 if opens else 30)
    frame = pl.DataFrame({"pair": pair, "timestamp": timestamp, "available_at": known, "close": close})
    return frame.with_columns(open=pl.Series(close * np.exp(draw.normal(0, 1e-4, n)))) if opens else frame


def wanted(*names, n=500):
    """Positions of which some are none, at cutoffs after bars 50 … 50 + n."""
    draw = Stream(9).child("wanted", *names).generator()
    return np.sign(draw.normal(0, 1, n)) * (draw.random(n) < 0.8)
