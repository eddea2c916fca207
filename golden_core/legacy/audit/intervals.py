"""Closed intervals of exact fractions, points that many of them share, and how they are written in a sentence."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from fractions import Fraction

CLEARLY = 3  # widths by which two numbers are clearly apart
_MOST_NAMED = 12
_FEWEST_DIGITS, _MOST_DIGITS = 3, 12


@dataclass(frozen=True)
class Interval:
    """Every number from ``low`` to ``high``, both included; ``high`` is None where there is no upper end."""

    low: Fraction
    high: Fraction | None

    def __contains__(self, number: Fraction | float) -> bool:
        return self.low <= number and not exceeds(number, self.high)

    def __and__(self, other: Interval) -> Interval | None:
        """Return what two intervals share; None where they share nothing."""
        low = max(self.low, other.low)
        high = other.high if self.high is None or exceeds(self.high, other.high) else self.high
        return None if exceeds(low, high) else Interval(low, high)

    def above(self, other: Interval) -> bool:
        """Whether every number in here is larger than every number in the other."""
        return exceeds(self.low, other.high)

    def apart(self, other: Interval) -> bool:
        """Whether no number is in both."""
        return self.above(other) or other.above(self)

    def squared(self) -> Interval:
        """Return the squares of an interval of numbers that are not negative."""
        return Interval(self.low**2, None if self.high is None else self.high**2)

    def divided(self, other: Interval) -> Interval | None:
        """Return the quotients of two intervals of numbers that are not negative; None if the divisor is only 0."""
        if other.high == 0:
            return None
        low = Fraction(0) if other.high is None else self.low / other.high
        return Interval(low, None if self.high is None or other.low == 0 else self.high / other.low)


def exceeds(number: Fraction | float, bound: Fraction | None) -> bool:
    """Whether a number is beyond an upper end; nothing is beyond an end that is not there."""
    return bound is not None and number > bound


def relative_width(interval: Interval) -> float:
    """Return the relative width of an interval; 1 where it reaches down to 0 or has no upper end."""
    if interval.high is None or interval.low <= 0:
        return 1.0
    return float((interval.high - interval.low) / interval.low)


def common(intervals: Iterable[Interval]) -> Interval | None:
    """Return the numbers that lie in every interval, of which there must be one; None where there are none."""
    listed = list(intervals)
    low = max(interval.low for interval in listed)
    high = min((interval.high for interval in listed if interval.high is not None), default=None)
    return None if exceeds(low, high) else Interval(low, high)


def largest_overlap(intervals: Mapping[str, Interval]) -> tuple[tuple[str, ...], bool]:
    """Return the largest set of intervals that share a point, and whether it is the only one of its size.

    Intervals on a line that meet two by two all share a point (Helly), so this is the largest set without a
    contradiction. It is found at a lower end, by one pass over the ends in order; the lowest such set is returned.
    """
    ends = [(interval.low, True) for interval in intervals.values()]
    ends += [(interval.high, False) for interval in intervals.values() if interval.high is not None]
    depth, deepest, points = 0, 0, list[Fraction]()
    for point, starts in sorted(ends, key=lambda end: (end[0], not end[1])):  # lower ends first: they are closed
        depth += 1 if starts else -1
        if starts and depth > deepest:
            deepest, points = depth, [point]
        elif starts and depth == deepest:
            points.append(point)
    first, last = ([n for n, interval in intervals.items() if point in interval] for point in (points[0], points[-1]))
    # A set that holds at the first and at the last such point holds at every one between.
    return tuple(first), first == last


def fewest_points(intervals: Mapping[str, Interval]) -> list[tuple[str, ...]]:
    """Return the fewest sets, lowest first, into which intervals fall so that each set shares a point.

    Always taking the lowest upper end is optimal for intervals on a line.
    """
    by_high = sorted((math.inf if one.high is None else one.high, name) for name, one in intervals.items())
    sets: list[tuple[Fraction | float, list[str]]] = []
    for high, name in by_high:
        if sets and intervals[name].low <= sets[-1][0]:
            sets[-1][1].append(name)
        else:
            sets.append((high, [name]))
    return [tuple(name for name in intervals if name in members) for _, members in sets]


def number(value: Fraction | float, digits: int = 4) -> str:
    """Return a number with so many significant digits."""
    return f"{float(value):.{digits}g}"


def between(interval: Interval) -> str:
    """Return an interval with its ends rounded outwards: what is written holds all that is possible.

    It has as many digits as it takes to leave the interval about as narrow as it is.
    """
    digits = _FEWEST_DIGITS
    if interval.high is not None and interval.high != interval.low:
        largest = max(abs(interval.low), abs(interval.high))
        needed = math.ceil(math.log10(largest / (interval.high - interval.low))) + 1
        digits = min(max(needed, _FEWEST_DIGITS), _MOST_DIGITS)
    low = _rounded(interval.low, digits, ROUND_FLOOR)
    return f"[{low}, {'∞' if interval.high is None else _rounded(interval.high, digits, ROUND_CEILING)}]"


def names(rows: Sequence[str]) -> str:
    """Return the names of rows, the first dozen of them."""
    rest = len(rows) - _MOST_NAMED
    return ", ".join(rows[:_MOST_NAMED]) + (f" and {rest} more" if rest > 0 else "")


def percent(fraction: Fraction | float) -> str:
    """Return a fraction as whole percent, rounded up."""
    return f"{math.ceil(fraction * 100)} %"


def _rounded(value: Fraction, digits: int, direction: str) -> str:
    context = Context(prec=digits, rounding=direction)
    return f"{float(context.divide(Decimal(value.numerator), Decimal(value.denominator))):.{digits}g}"
