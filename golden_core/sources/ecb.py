"""Source `ecb`: euro reference rates, and pairs by triangulation through the euro. One fixing a day, no candles.

A bar of a month has the last fixing of the month, or the mean of all; it is known when the last is. A mean over time
is the price of no moment, and its changes are correlated (Working 1960).
"""

from __future__ import annotations

import datetime
import difflib
from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar, cast

import polars as pl
from pydantic import BaseModel, Field

from golden_core.market.clock import MONTH, month_ends
from golden_core.sources.base import Source, SourceError, fixing_bars, parse_settings, require_fixing_clock
from golden_core.sources.ecb_history import find_history, read_rates, span
from golden_core.store.lake import hash_bytes
from golden_core.store.schema import RATES
from golden_core.study import DataSection, Section

LICENCE = "European Central Bank, euro foreign exchange reference rates; free to use when the source is acknowledged"


class EcbSettings(Section):
    """Which file to read."""

    path: str | None = Field(
        description="a .zip or .csv in the ECB's format, relative to Golden's home; "
        "null for the refreshed copy, or else the one that is shipped"
    )


class Ecb(Source):
    """Reference rates of the European Central Bank: units of a currency for one euro."""

    Settings: ClassVar[type[BaseModel]] = EcbSettings

    def read(self, data: DataSection, root_seed: int, home: Path) -> pl.DataFrame:  # noqa: ARG002
        """Return the rates (``schema.RATES``) of the currencies and days that the study needs."""
        require_fixing_clock(data)
        file = find_history(parse_settings(EcbSettings, data).path, home)
        history = read_rates(file)
        if fault := currency_fault(data.pairs, history["currency"].unique(), file.name):
            raise SourceError(f"data.pairs: {fault}")
        legs = {currency for pair in data.pairs for currency in _legs(pair)} - {"EUR"}
        known = history.filter(pl.col("currency").is_in(legs))
        rates = known.filter(pl.col("date").is_between(data.start, data.end))
        if rates.is_empty():
            (first, last), named = span(known), ", ".join(sorted(legs))
            raise SourceError(f"{file.name} has {named} from {first} to {last}: no day from {data.start} to {data.end}")
        return rates

    def bars(self, raw: pl.DataFrame, data: DataSection, pair: str) -> pl.DataFrame:
        """Return quote per base = rate[quote] / rate[base]; a day on which either is missing has no bar."""
        base, quote = _legs(pair)
        rates = RATES.conform(raw).pivot("currency", index="date", values="rate").with_columns(EUR=pl.lit(1.0))
        lacking = [currency for currency in (base, quote) if currency not in rates.columns]
        if lacking:
            raise SourceError(f"{pair}: there is no rate of {lacking[0]} from {data.start} to {data.end}")
        fixings = rates.select("date", close=pl.col(quote) / pl.col(base)).drop_nulls().sort("date")
        if data.bar == MONTH:
            fixings = _months(fixings, data)
        if fixings.is_empty():
            unit = "whole month" if data.bar == MONTH else "day"
            raise SourceError(
                f"{pair}: no {unit} from {data.start} to {data.end} has a rate of both {base} and {quote}"
            )
        return fixing_bars(pair, fixings)

    def last_day(self, raw: pl.DataFrame, data: DataSection) -> datetime.date:
        """Return the last day on which every currency of the study has a rate."""
        legs = {currency for pair in data.pairs for currency in _legs(pair)} - {"EUR"}
        rates = raw.group_by("date").agg(pl.col("currency").n_unique())
        day = rates.filter(pl.col("currency") == len(legs))["date"].max()
        if day is None:
            raise SourceError(f"no day from {data.start} on has a rate of each of {', '.join(sorted(legs))}")
        return cast(datetime.date, day)

    def describe(self, data: DataSection, home: Path) -> dict[str, str]:
        """Return which file is read, its SHA-256, size and range, and the licence."""
        file = find_history(parse_settings(EcbSettings, data).path, home)
        history = read_rates(file)
        first, last = span(history)
        return {
            "source": "ecb",
            "file": file.name,
            "origin": file.origin,
            "sha256": hash_bytes(file.content),
            "bytes": str(len(file.content)),
            "first_day": str(first),
            "last_day": str(last),
            "days": str(history["date"].n_unique()),
            "currencies": str(history["currency"].n_unique()),
            "licence": LICENCE,
        }


def _months(fixings: pl.DataFrame, data: DataSection) -> pl.DataFrame:
    """Return one price per whole month, of its last day; a month whose last fixing is missing has none."""
    close = pl.col("close").mean() if data.price == "mean" else pl.col("close").last()
    month = pl.col("date").dt.truncate("1mo").alias("month")
    made = fixings.group_by(month, maintain_order=True).agg(pl.col("date").last(), close)
    ends = month_ends("ecb", data.start, data.end)
    return made.filter(pl.col("date").is_in(ends.implode())).select("date", "close")


def _legs(pair: str) -> tuple[str, str]:
    return pair[:3], pair[3:]


def currency_fault(pairs: Iterable[str], currencies: Iterable[str], name: str) -> str | None:
    """Return which pair has a currency that a history lacks, and what it has."""
    known = {"EUR", *currencies}
    for pair in pairs:
        for currency in _legs(pair):
            if currency not in known:
                close = difflib.get_close_matches(currency, sorted(known), n=3, cutoff=0.6)
                hint = f"close matches: {', '.join(close)}" if close else f"known: {', '.join(sorted(known))}"
                return f"{pair}: {name} has no currency {currency!r}; {hint}"
    return None
