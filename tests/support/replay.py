"""A second implementation of the account: bar after bar, every lot by itself, cash in hand. Slow and plain."""

from __future__ import annotations


def replay(wanted, fills, quotes, horizon, *, delay=0):
    """Return equity after trading at every price, and all that was paid for spread, slippage and swap, of one strategy.

    Takes the position asked for at each cutoff and where it is filled. Knows nothing of the vectorised ledger.
    """
    last = len(quotes.prices) - 1
    asked = {}
    for position, fill in zip(wanted, fills, strict=True):
        asked.setdefault(fill + delay, []).append(position)
    cash, lots, equity = 0.0, [], []  # lots: units of base and when each is closed
    paid = {"spread": 0.0, "slippage": 0.0, "swap": 0.0}
    for now in range(last + 1):
        price = quotes.prices[now]
        held = sum(units for units, _ in lots)
        night = held * quotes.long[now] if held > 0 else -held * quotes.short[now]
        order = -sum(units for units, closes in lots if closes == now or now == last)
        lots = [(units, closes) for units, closes in lots if closes != now and now != last]
        if now != last:
            for position in asked.get(now, []):
                lots.append((position / price / horizon, now + horizon))
                order += position / price / horizon
        costs = {"spread": abs(order) * quotes.half_spread[now], "slippage": abs(order) * quotes.slippage}
        cash += night - order * price - sum(costs.values())
        equity.append(cash + sum(units for units, _ in lots) * price)
        paid = {name: paid[name] + {**costs, "swap": night}[name] for name in paid}
    return equity, paid
