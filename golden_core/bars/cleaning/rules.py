"""The rules of cleaning by name, in the order in which they decide; what each looks at is in the other modules.

A rule that removes or changes a bar may look at the bar itself, at earlier bars, and at bars of other pairs of the same
time, never at a later one: a cleaning that uses the future is a leak. What only later bars can show is kept and
reported.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

PRICES = ("open", "high", "low", "close")
UNREMARKABLE = "unremarkable"
FIXING_SOURCES = ("ecb", "synthetic")  # one price a day on a publisher's calendar: no hours to trade in

HOURS = "hours"
OTHERS = "others"
_LACKS = {
    HOURS: "the source has fixings, no trading hours",
    OTHERS: "no other pairs to compare with",
}


@dataclass(frozen=True)
class Rule:
    """One rule: quarantined, repaired or kept; ``needs`` are columns of bars, ``hours`` or ``others``."""

    name: str
    action: str
    detail: str
    needs: tuple[str, ...] = ()

    def lacks(self, available: Collection[str]) -> str | None:
        """Say why the rule does not apply to these bars; None if it does."""
        missing = [need for need in self.needs if need not in available]
        if not missing:
            return None
        columns = [need for need in missing if need not in _LACKS]
        return _LACKS[missing[0]] if not columns else f"the bars have no {', '.join(columns)}"


_CANDLE_HOURS = (*PRICES, HOURS)
_BEYOND = "the one-bar log return is beyond the bound"

# A row has one fate: the first rule that applies decides.
RULES = (
    Rule("epoch_zero", "quarantined", "the timestamp is 1 January 1970: a time that was never written"),
    Rule("absurd_date", "quarantined", "more than a year away from the days asked for"),
    Rule("conflicting_duplicate", "quarantined", "one of several bars of a time that differ: none is trusted"),
    Rule("identical_duplicate", "quarantined", "a further copy of a bar"),
    Rule("unusable_price", "quarantined", "a price is missing, not finite, or not positive"),
    Rule(
        "flat_while_closed",
        "quarantined",
        "open = high = low = close without volume, outside the trading week, or in a holiday a copy of the close "
        "before: filled in by the vendor",
        _CANDLE_HOURS,
    ),
    Rule("outside_trading_week", "quarantined", "no part lies between Sunday and Friday 17:00 New York", (HOURS,)),
    Rule("weekend_stub", "quarantined", "less than half of a day's bar lies in the trading week", (HOURS,)),
    Rule(
        "off_scale_price",
        "quarantined",
        "a price is nearer to another power of ten of its level, the median of the bars before (of the first bars the "
        "middle of what the pair can cost), than to its level, and beyond the bound from both",
    ),
    Rule("inconsistent_range", "quarantined", "the high is below, or the low above, another price of the bar"),
    Rule(
        "flat_without_trade",
        "quarantined",
        "in trading hours a flat copy of the close before, its volume 0 although the vendor gives volumes: a fault of "
        "the feed, filled in by the vendor",
        (*_CANDLE_HOURS, "volume"),
    ),
    Rule(
        "frozen_candle",
        "quarantined",
        "the 24th or a later bar in a row with the same open, high, low and close, the high above the low: the feed "
        "stood still",
        PRICES,
    ),
    Rule(
        "refuted_spike",
        "quarantined",
        "beyond the bound from its level or the bar before, and from what two other pairs, both moving, imply at the "
        "same time",
        (OTHERS,),
    ),
    Rule("decimal_slip", "repaired", "a price is a power of ten of its level, within the bound: divided by it"),
    Rule(
        "unusable_volume",
        "repaired",
        "the volume is negative, not finite, or more than 10,000 times the largest of the 51 bars before: made null, "
        "the prices stay",
        ("volume",),
    ),
    Rule("out_of_order", "repaired", "earlier than a bar before it in the table: sorted"),
    Rule("shared_jump", "kept", f"{_BEYOND}, and a pair with a common currency moved alike at the time", (OTHERS,)),
    Rule("reverting_spike", "kept", f"{_BEYOND}, and the next bar undoes it: only later bars show it"),
    Rule("implausible_jump", "kept", _BEYOND),
    Rule("implausible_range", "kept", "log(high / low) is beyond the bound", ("high", "low")),
    Rule("flat_bar", "kept", "open, high, low and close are equal", PRICES),
    Rule("stale_price", "kept", "the third or a later bar in a row with the same close"),
    Rule("constant_volume", "kept", "the 24th or a later bar in a row with the same volume", ("volume",)),
    Rule(UNREMARKABLE, "kept", "no rule applies"),
)
BY_NAME = {rule.name: rule for rule in RULES}
ORDER = {rule.name: place for place, rule in enumerate(RULES)}
