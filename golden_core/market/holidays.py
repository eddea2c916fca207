"""When the FX market rests inside its own week: holidays, early closes and late opens, as data. No clock belongs here.

There is no exchange and so no authority that closes the market. Two trading days are dead worldwide; the hours around
them are the practice of vendors, who differ from one another and from year to year. Hence a closure explains why a
bar is absent, and never says that a bar must be absent.
"""

from __future__ import annotations

from dataclasses import dataclass

MINUTES_A_DAY = 24 * 60


@dataclass(frozen=True)
class Closure:
    """A recurring stretch of one trading day (which begins at 17:00 New York on the eve) of silence.

    ``start`` to before ``stop`` are minutes of that day; ``worldwide`` or the practice of some vendors, known from
    ``source``.
    """

    name: str
    month: int
    day: int
    start: int
    stop: int
    worldwide: bool
    source: str


def _after_17(hour: int) -> int:
    """Return the minutes from 17:00 to an hour of the New York clock."""
    return (hour - 17) % 24 * 60


_BANKS = "public holiday in Australia, Britain, the euro area (TARGET is closed) and the United States"
_FEEDS = "hourly bars of a retail broker (2010–2025) and of a Swiss bank (2015–2025)"
_FINMARKET = "Finmarket's notice for 2018 (finmarket.com/christmas-new-years-day-trading-hours)"
_ZFX = "ZFX's notice for 2023 (zfx.com, announcement 336603)"

# Good Friday, Thanksgiving and the bank holidays of single countries are thin, but neither feed has a gap there.
CLOSURES = (
    Closure(
        "Christmas Eve, early close",
        *(12, 24, _after_17(12), MINUTES_A_DAY),
        worldwide=False,
        source=f"{_FEEDS}: the broker's last bar closes between 12:00 and 14:00 in most years, the bank's at 17:00",
    ),
    Closure(
        "Christmas Day",
        *(12, 25, 0, MINUTES_A_DAY),
        worldwide=True,
        source=f"{_BANKS}; {_FINMARKET}; {_ZFX}; {_FEEDS}: the bank quotes until 03:00, the broker does not",
    ),
    Closure(
        "day after Christmas, late open",
        *(12, 26, 0, _after_17(2)),
        worldwide=False,
        source=f"{_FEEDS}: the broker's first bar opens between 17:00 on the 25th and 02:00, the bank's at 17:00; "
        f"{_ZFX}: from 17:01",
    ),
    Closure(
        "New Year's Eve, early close",
        *(12, 31, _after_17(13), MINUTES_A_DAY),
        worldwide=False,
        source=f"{_FINMARKET}: 13:00; {_FEEDS}: the broker's last bar closes between 13:00 and 17:00, the bank's later",
    ),
    Closure(
        "New Year's Day",
        *(1, 1, 0, MINUTES_A_DAY),
        worldwide=True,
        source=f"{_BANKS}; {_FINMARKET}; {_ZFX}; {_FEEDS}: silent in both from 18:00 at the latest",
    ),
    Closure(
        "day after New Year's Day, late open",
        *(1, 2, 0, _after_17(2)),
        worldwide=False,
        source=f"{_FEEDS}: the broker's first bar opens between 17:00 on the 1st and 02:00, the bank's by 18:00; "
        f"{_ZFX}: from 17:01",
    ),
)
