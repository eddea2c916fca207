"""When a price is fixed, when it is known, and which days should have one. No price belongs here."""

from __future__ import annotations

import datetime

import holidays
import polars as pl

ECB_ZONE = "Europe/Berlin"
FIXING = datetime.time(14, 15)
PUBLICATION = datetime.time(16, 0)

# The foreign exchange market closes worldwide on these two days only; the ECB's other holidays explain nothing there.
CLOSED_WORLDWIDE = ("Christmas Day", "New Year's Day")


def fixing(date: pl.Expr) -> pl.Expr:
    """Return when the ECB's reference rates of a day are observed: 14:15 in Frankfurt, as UTC.

    References
    ----------
    European Central Bank, Framework for the euro foreign exchange reference rates: rates are set by the daily
    concertation at 14:15 CET and, since July 2016, published around 16:00 CET.
    """
    return _at(date, FIXING)


def publication(date: pl.Expr) -> pl.Expr:
    """Return when the ECB's reference rates of a day are known: 16:00 in Frankfurt, as UTC.

    Before July 2016 they were published sooner. One late time for all years cannot leak.
    """
    return _at(date, PUBLICATION)


def expected_days(start: datetime.date, end: datetime.date) -> pl.Series:
    """Return every day from Monday to Friday between two dates, both included."""
    days = pl.date_range(start, end, eager=True).alias("date")
    return days.filter(days.dt.weekday() <= 5)


def closures(source: str, start: datetime.date, end: datetime.date) -> pl.DataFrame:
    """Return the holidays on which a source is expected to have no price.

    Parameters
    ----------
    source : str
        ``ecb`` follows the closing days of the ECB; any other source the days on which the market closes worldwide.
    start, end : date
        First and last day, both included.

    Returns
    -------
    pl.DataFrame
        ``date`` and ``explanation``, the name of the holiday.
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
