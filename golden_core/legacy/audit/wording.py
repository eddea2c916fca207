"""Exact numbers in words: how an interval, a ratio or a list of rows is written in a sentence."""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from fractions import Fraction

from golden_core.legacy.audit.intervals import Interval

_MOST_NAMED = 12
_FEWEST_DIGITS, _MOST_DIGITS = 3, 12


def number(value: Fraction | float, digits: int = 4) -> str:
    """Return a number with so many significant digits."""
    return f"{float(value):.{digits}g}"


def between(interval: Interval) -> str:
    """Return an interval with its ends rounded outwards: what is written holds all that is possible.

    It has as many digits as it takes to leave the interval about as narrow as it is.
    """
    digits = _digits(interval)
    low = _rounded(interval.low, digits, ROUND_FLOOR)
    return f"[{low}, {'∞' if interval.high is None else _rounded(interval.high, digits, ROUND_CEILING)}]"


def names(rows: Sequence[str]) -> str:
    """Return the names of rows, the first dozen of them."""
    rest = len(rows) - _MOST_NAMED
    return ", ".join(rows[:_MOST_NAMED]) + (f" and {rest} more" if rest > 0 else "")


def plural(count: int, noun: str) -> str:
    """Return a count with its noun."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def percent(fraction: Fraction | float, *, up: bool = False) -> str:
    """Return a fraction as whole percent, rounded to the nearest or up."""
    shown = math.ceil(fraction * 100) if up else round(float(fraction) * 100)
    return f"{shown} %"


def _digits(interval: Interval) -> int:
    if interval.high is None or interval.high == interval.low:
        return _FEWEST_DIGITS
    largest = max(abs(interval.low), abs(interval.high))
    needed = math.ceil(math.log10(largest / (interval.high - interval.low))) + 1
    return min(max(needed, _FEWEST_DIGITS), _MOST_DIGITS)


def _rounded(value: Fraction, digits: int, direction: str) -> str:
    context = Context(prec=digits, rounding=direction)
    return f"{float(context.divide(Decimal(value.numerator), Decimal(value.denominator))):.{digits}g}"
