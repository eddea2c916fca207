"""When the market trades and a bar is known; when a price is fixed; which days should have one. No price belongs here.

The FX clock is New York's: a trading day ends at 17:00 there and a trading week runs from Sunday to Friday 17:00.
Daylight saving follows the IANA rules that polars ships; the tests hold them against those of the standard library.
Wherever times are taken they are UTC instants, and an instant belongs to what it begins (intervals are half-open).
"""

from __future__ import annotations

import datetime
import functools
from dataclasses import dataclass

import holidays
import polars as pl

from golden_core.market.holidays import CLOSURES

ECB_ZONE = "Europe/Berlin"
FIXING = datetime.time(14, 15)
PUBLICATION = datetime.time(16, 0)

# The foreign exchange market closes worldwide on these two days only; the ECB's other holidays explain nothing there.
CLOSED_WORLDWIDE = ("Christmas Day", "New Year's Day")

NEW_YORK = "America/New_York"
MINUTES = {"1m": 1, "5m": 5, "15m": 15, "30m": 30, "1h": 60, "4h": 240, "1d": 1440}
MONTH = "1mo"  # as long as its month: made of fixings, and on no grid of minutes


@dataclass(frozen=True)
class Session:
    """The business hours of a centre on its own wall clock, Monday to Friday."""

    zone: str
    opens: datetime.time
    closes: datetime.time


# Nobody fixes these hours: they are business hours of nine, as retail platforms tabulate them. These local times are
# those of https://sandb.forex/en/trading-sessions; other tables put Sydney or Tokyo an hour away.
SESSIONS = {
    "sydney": Session("Australia/Sydney", datetime.time(7), datetime.time(16)),
    "tokyo": Session("Asia/Tokyo", datetime.time(9), datetime.time(18)),
    "london": Session("Europe/London", datetime.time(8), datetime.time(17)),
    "new_york": Session(NEW_YORK, datetime.time(8), datetime.time(17)),
}


def market_open(times: pl.Expr) -> pl.Expr:
    """Say whether instants lie in a trading week, Sunday to Friday 17:00 New York, holidays included."""
    return trading_day(times).dt.weekday() <= 5


def trading_day(times: pl.Expr) -> pl.Expr:
    """Return the New York date on which the trading day of each instant ends; a Saturday or Sunday is closed."""
    return _trading_clock(times).dt.date()


def expected_opens(start: datetime.date, end: datetime.date, bar: str) -> pl.DataFrame:
    """Return the opens of all bars of the trading weeks between two UTC days, both included.

    ``timestamp`` (UTC, us) and ``closure``: the holiday, early close or late open that explains why a vendor may have
    no such bar; null for a bar that every feed should have. Bars of ``4h`` and ``1d`` are counted from 17:00 in New
    York.
    """
    require_bar(bar)
    first = datetime.datetime.combine(start, datetime.time(), datetime.UTC)
    last = datetime.datetime.combine(end + datetime.timedelta(days=1), datetime.time(), datetime.UTC)
    date = pl.col("date")
    days = expected_days(start, end + datetime.timedelta(days=1)).to_frame()
    days = days.select(
        # New York changes its clocks on Sundays at 02:00, between two weeks: within a trading day wall time is elapsed.
        opened=_from_trading_clock(date.cast(pl.Datetime("us"))),
        month_day=date.dt.month().cast(pl.Int32) * 100 + date.dt.day(),
    )
    minutes = pl.int_range(0, MINUTES["1d"], MINUTES[bar], eager=True).alias("minute").to_frame()
    bars = days.join(minutes, how="cross", maintain_order="left_right")
    timestamp = pl.col("opened") + pl.duration(minutes="minute")
    return bars.select(timestamp=timestamp, closure=_closure(MINUTES[bar])).filter(
        (pl.col("timestamp") >= first) & (pl.col("timestamp") < last)
    )


def sessions(times: pl.Expr) -> pl.Expr:
    """Say of each instant which centres of ``SESSIONS`` are at work: a struct of booleans.

    Monday to Friday, local hours, while the market is open: in the southern summer Sydney's Monday begins before it.
    """
    return pl.struct((_at_work(times, session) & market_open(times)).alias(name) for name, session in SESSIONS.items())


def bar_open(times: pl.Expr, bar: str) -> pl.Expr:
    """Return the open of the bar of each instant; ``4h`` and ``1d`` are counted from 17:00 New York."""
    require_bar(bar)
    if MINUTES[bar] <= 60:
        return times.dt.truncate(bar)
    return _from_trading_clock(_trading_clock(times).dt.truncate(bar))


def bar_close(opens: pl.Expr, bar: str) -> pl.Expr:
    """Return when bars that open at these instants are known: their close.

    ``4h`` and ``1d`` bars on the grid counted from 17:00 New York close on its next line, so that the day over which
    the clocks change has 23 or 25 hours. A bar off that grid is of another clock: it lasts its length in elapsed time.
    """
    require_bar(bar)
    elapsed = opens.dt.offset_by(f"{MINUTES[bar]}m")
    if MINUTES[bar] <= 60:
        return elapsed
    next_line = _from_trading_clock(_trading_clock(opens).dt.offset_by(f"{MINUTES[bar]}m"))
    return pl.when(on_grid(opens, bar)).then(next_line).otherwise(elapsed)


def on_grid(opens: pl.Expr, bar: str) -> pl.Expr:
    """Say whether bars of this length may open at these instants."""
    return opens == bar_open(opens, bar)


def require_bar(bar: str) -> None:
    """Refuse a length of bar that this clock has no grid for."""
    if bar not in MINUTES:
        raise ValueError(f"bar must be one of {', '.join(MINUTES)}, got {bar!r}")


def fixing(date: pl.Expr) -> pl.Expr:
    """Return when the ECB's reference rates of a day are observed: 14:15 in Frankfurt, as UTC.

    European Central Bank, Framework for the euro foreign exchange reference rates; published around 16:00 since July
    2016.
    """
    return _at(date, FIXING)


def publication(date: pl.Expr) -> pl.Expr:
    """Return when the ECB's rates of a day are known: 16:00 in Frankfurt, in UTC; before July 2016 it was sooner."""
    return _at(date, PUBLICATION)


def expected_days(start: datetime.date, end: datetime.date) -> pl.Series:
    """Return every day from Monday to Friday between two dates, both included."""
    days = pl.date_range(start, end, eager=True).alias("date")
    return days.filter(days.dt.weekday() <= 5)


def month_ends(source: str, start: datetime.date, end: datetime.date) -> pl.Series:
    """Return the last day on which a source is expected to have a price, of every month that lies between two days.

    A month counts if all its expected days do: of one under way, nobody knows the last price, nor the mean.
    """
    first = start.replace(day=1)
    last = (end.replace(day=28) + datetime.timedelta(days=4)).replace(day=1) - datetime.timedelta(days=1)
    days = expected_days(first, last).to_frame().join(closures(source, first, last), on="date", how="anti")
    months = days.group_by(pl.col("date").dt.truncate("1mo").alias("month")).agg(
        opens=pl.col("date").min(), date=pl.col("date").max()
    )
    return months.filter(pl.col("opens") >= start, pl.col("date") <= end)["date"].sort()


def most_bars(source: str, start: datetime.date, end: datetime.date, bar: str, *, fixings: bool) -> int:
    """Return how many bars there can be between two days, both included: of weekdays alone where prices are fixed."""
    if bar == MONTH:
        return len(month_ends(source, start, end))
    days = len(expected_days(start, end)) if fixings else (end - start).days + 1
    return days * MINUTES["1d"] // MINUTES[bar]


@functools.cache
def closures(source: str, start: datetime.date, end: datetime.date) -> pl.DataFrame:
    """Return ``date`` and ``explanation`` of the holidays on which a source is expected to have no price.

    ``ecb`` follows the closing days of the ECB; any other source the days on which the market closes worldwide.
    """
    calendar = holidays.financial_holidays("ECB", years=range(start.year, end.year + 1))
    table = pl.DataFrame(
        {"date": list(calendar.keys()), "explanation": list(calendar.values())},
        schema={"date": pl.Date, "explanation": pl.String},
    )
    applies = pl.lit(source == "ecb") | pl.col("explanation").is_in(CLOSED_WORLDWIDE)
    return table.filter(pl.col("date").is_between(start, end) & applies).sort("date")


def _at(date: pl.Expr, time: datetime.time) -> pl.Expr:
    return date.dt.combine(time, time_unit="us").dt.replace_time_zone(ECB_ZONE).dt.convert_time_zone("UTC")


def _trading_clock(times: pl.Expr) -> pl.Expr:
    """Return the wall clock of New York put forward by seven hours, on which a trading day ends at midnight."""
    return times.dt.convert_time_zone(NEW_YORK).dt.replace_time_zone(None).dt.offset_by("7h")


def _from_trading_clock(clock: pl.Expr) -> pl.Expr:
    """Return UTC instants; a repeated hour is its first, and an hour that the clocks skip is null."""
    local = clock.dt.offset_by("-7h").dt.replace_time_zone(NEW_YORK, ambiguous="earliest", non_existent="null")
    return local.dt.convert_time_zone("UTC")


def _closure(length: int) -> pl.Expr:
    """Name the closure that spans a bar of so many minutes: a shorter rest leaves a shorter bar, not none."""
    return pl.coalesce(
        pl.when(
            (pl.col("month_day") == rest.month * 100 + rest.day)
            & (pl.col("minute") >= rest.start)
            & (pl.col("minute") + length <= rest.stop)
        ).then(pl.lit(rest.name))
        for rest in CLOSURES
    )


def _at_work(times: pl.Expr, session: Session) -> pl.Expr:
    local = times.dt.convert_time_zone(session.zone)
    return (local.dt.weekday() <= 5) & (local.dt.time() >= session.opens) & (local.dt.time() < session.closes)
