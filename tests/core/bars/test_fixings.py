"""Closes against fixings: what comes too early is refused, what is turned round too, and honest bars are not."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from golden_core.bars.fixings import require_fixings
from golden_core.bars.importing import import_file
from golden_core.market.clock import market_open
from golden_core.sources.ecb_history import find_history, read_rates
from golden_core.vendors.base import VendorError

FIRST, LAST = dt.datetime(2021, 1, 3), dt.datetime(2023, 12, 29)  # noqa: DTZ001
FILE = Path("x.csv")


def _market() -> pl.DataFrame:
    """Return quarters of an hour of a made-up euro in dollars, and their opens, UTC."""
    times = pl.datetime_range(FIRST, LAST, "15m", time_zone="UTC", eager=True).alias("timestamp").to_frame()
    times = times.filter(market_open(pl.col("timestamp")))
    moves = np.random.default_rng(5).normal(0, 6e-4, times.height)
    return times.with_columns(close=1.1 * np.exp(np.cumsum(moves)))


MARKET = _market()


def _rates() -> pl.DataFrame:
    """Return what a bank fixes at 14:15 in Frankfurt, a little off."""
    at = MARKET.with_columns(pl.col("timestamp").dt.offset_by("15m").dt.convert_time_zone("Europe/Berlin"))
    at = at.filter(pl.col("timestamp").dt.time() == dt.time(14, 15))
    off = np.exp(np.random.default_rng(6).normal(0, 2e-4, at.height))
    return at.select(date=pl.col("timestamp").dt.date(), currency=pl.lit("USD"), rate=pl.col("close") * off)


RATES = _rates()


def _bars(every: str, late: str = "0m") -> pl.DataFrame:
    """Return bars and when a file says that they are known."""
    made = MARKET.group_by_dynamic("timestamp", every=every).agg(pl.col("close").last())
    return made.with_columns(available_at=pl.col("timestamp").dt.offset_by(every).dt.offset_by(late))


@pytest.mark.parametrize("every", ["15m", "1h", "4h", "1d"])
@pytest.mark.parametrize("late", ["0m", "1h", "1d"])
@pytest.mark.parametrize("spread", [1, 0.999])
def test_honest_bars_are_not_accused(every: str, late: str, spread: float) -> None:
    bars = _bars(every, late).with_columns(pl.col("close") * spread)
    assert require_fixings(bars, "EURUSD", RATES, FILE) == ()
    assert require_fixings(bars.with_columns(close=1 / pl.col("close")), "USDEUR", RATES, FILE) == ()


@pytest.mark.parametrize(
    ("every", "early"), [("15m", "-5h"), ("1h", "-5h"), ("4h", "-4h"), ("1d", "-1d"), ("1h", "-7h"), ("1d", "-17h")]
)
def test_bars_that_are_known_too_early_are_refused(every: str, early: str) -> None:
    with pytest.raises(
        VendorError, match=r"x\.csv: its closes are known too early: .* \(correlation 0\.\d\d over \d+ days"
    ):
        require_fixings(_bars(every, early), "EURUSD", RATES, FILE)


@pytest.mark.parametrize("decimals", [4, 12])
def test_a_copy_of_the_rates_may_not_be_dated_early(decimals: int) -> None:
    """Its difference from the fixing is none, so that it goes with nothing."""
    day = pl.col("date").cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    copy = RATES.select(timestamp=day, available_at=day.dt.offset_by("1d"), close=pl.col("rate").round(decimals))
    assert require_fixings(copy, "EURUSD", RATES, FILE) == ()
    early = copy.with_columns(pl.col("timestamp", "available_at").dt.offset_by("-1d"))
    with pytest.raises(VendorError, match=r"x\.csv: its closes are known too early: 6 hours and more before"):
        require_fixings(early, "EURUSD", RATES, FILE)
    with pytest.raises(VendorError, match="known too early"):  # Friday's on Friday, and Monday's on Sunday
        require_fixings(copy.with_columns(pl.col("close").shift(-1)).drop_nulls(), "EURUSD", RATES, FILE)


def test_a_shift_of_few_days_is_not_judged() -> None:
    assert require_fixings(_bars("1d", "-1d").head(20), "EURUSD", RATES, FILE) == ()
    assert require_fixings(_bars("1d", "-1d"), "EURTRY", RATES, FILE) == ()


def test_the_inverse_is_refused() -> None:
    with pytest.raises(VendorError, match=r"its closes lie .* near their inverse: they are of USDEUR"):
        require_fixings(_bars("1d").with_columns(close=1.001 / pl.col("close")), "EURUSD", RATES, FILE)


@pytest.mark.parametrize("factor", [1.05, 0.9])
def test_closes_of_another_level_are_said(factor: float) -> None:
    said = require_fixings(_bars("1h").with_columns(pl.col("close") * factor), "EURUSD", RATES, FILE)
    assert len(said) == 1
    assert f"closes lie {100 * abs(factor - 1):.1f} % from the ECB's rates" in said[0]


@pytest.mark.parametrize("begin", [0.3, 0.7])
@pytest.mark.parametrize("every", ["1h", "1d"])
def test_another_instrument_or_the_inverse_may_begin_anywhere_in_a_file(begin: float, every: str) -> None:
    bars = _bars(every)
    other = pl.int_range(bars.height) > begin * bars.height
    said = require_fixings(
        bars.with_columns(pl.col("close") * pl.when(other).then(1.16).otherwise(1)), "EURUSD", RATES, FILE
    )
    assert "of other days, another instrument, or made up" in said[0]
    turned = bars.with_columns(close=pl.when(other).then(1 / pl.col("close")).otherwise(pl.col("close")))
    with pytest.raises(VendorError, match="near their inverse: they are of USDEUR"):
        require_fixings(turned, "EURUSD", RATES, FILE)


def test_a_month_at_another_level_hides_no_early_close() -> None:
    early = _bars("1d").with_columns(pl.col("available_at").dt.offset_by("-1d"))
    month = pl.int_range(early.height).is_between(300, 330)
    mixed = early.with_columns(pl.col("close") * pl.when(month).then(1.2).otherwise(1))
    with pytest.raises(VendorError, match="known too early"):
        require_fixings(mixed, "EURUSD", RATES, FILE)


def test_a_week_shows_a_level() -> None:
    week = _bars("1d").slice(40, 6)
    assert require_fixings(week, "EURUSD", RATES, FILE) == ()
    assert "closes lie 17.5 %" in require_fixings(week.with_columns(pl.col("close") * 1.18), "EURUSD", RATES, FILE)[0]
    with pytest.raises(VendorError, match="near their inverse"):
        require_fixings(week.with_columns(close=1 / pl.col("close")), "EURUSD", RATES, FILE)


def test_frozen_closes_tell_no_time() -> None:
    """At the level of the rates, so that it is not the level that is spoken of."""
    month = _bars("1d").slice(100, 30)
    frozen = month.with_columns(close=pl.col("close").median())
    assert require_fixings(frozen, "EURUSD", RATES, FILE) == ()


@pytest.mark.parametrize("pair", ["EURUSD", "USDJPY", "GBPCHF"])
def test_an_import_is_held_against_the_rates_that_are_shipped(pair: str, tmp_path: Path, monkeypatch: Any) -> None:
    """A file of the ECB's own rates is honest when a day's price is known at its end, and not a day before."""
    monkeypatch.chdir(tmp_path)
    rates = read_rates(find_history(None, tmp_path)).pivot("currency", index="date", values="rate")
    rates = rates.with_columns(EUR=pl.lit(1.0)).filter(
        pl.col("date").is_between(dt.date(2015, 1, 1), dt.date(2019, 1, 1))
    )
    price = (pl.col(pair[3:]) / pl.col(pair[:3])).round(6)
    rates.select("date", close=price).drop_nulls().write_csv(tmp_path / "x.csv")
    known: dict[str, Any] = {"zone": "UTC", "rates": read_rates(find_history(None, tmp_path))}
    found = import_file(tmp_path / "home", tmp_path / "x.csv", pair, **known)
    assert not any("ECB" in note for note in found.record["notes"])
    rates.select("date", close=price.shift(-2)).drop_nulls().write_csv(tmp_path / "y.csv")
    with pytest.raises(VendorError, match="known too early"):
        import_file(tmp_path / "home", tmp_path / "y.csv", pair, **known)
    assert not list((tmp_path / "home").rglob("y_*"))
