"""Whole-number prices: believed only if one power of ten makes all of them plausible; the table behind it."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from golden_core.market.plausible import PAIRS, plausible_pairs
from golden_core.sources.ecb_history import find_history, read_rates
from golden_core.vendors.base import VendorError
from golden_core.vendors.scaling import scale


def _bars(closes: list[float]) -> pl.DataFrame:
    prices = {name: [float(close) for close in closes] for name in ("open", "high", "low", "close")}
    return pl.DataFrame({**prices, "line": range(2, len(closes) + 2)})


@pytest.mark.parametrize(
    ("pair", "written", "expected", "divisor"),
    [
        ("EURUSD", [112336, 112403], [1.12336, 1.12403], 100_000),
        ("EURUSD", [11234, 9876], [1.1234, 0.9876], 10_000),
        ("EURUSD", [1, 2 - 1], [1.0, 1.0], 1),
        ("EURUSD", [1.12336, 0.9], [1.12336, 0.9], 1),
        ("USDJPY", [140975, 99123], [140.975, 99.123], 1000),
        ("USDJPY", [141, 99], [141.0, 99.0], 1),
        ("USDCHF", [60000, 450000], [0.6, 4.5], 100_000),
    ],
)
def test_whole_numbers_become_prices(pair: str, written: list[float], expected: list[float], divisor: int) -> None:
    scaled = scale(_bars(written), pair, "x.csv")
    assert scaled.bars["close"].to_list() == expected
    assert scaled.divisor == divisor
    assert len(scaled.notes) == (divisor > 1)


@pytest.mark.parametrize(
    ("pair", "written", "message"),
    [
        ("EURUSD", [1965, 1966], "x.csv: 1965.5, the median price, is none of EURUSD, which lies between 0.5 and 1.9"),
        ("EURUSD", [1965.25, 1966.5], "1965.875, the median price, is none of EURUSD"),
        ("EURUSD", [140.975, 141.02], "140.9975, the median price, .* it could be one of USDJPY, EURJPY"),
        ("EURUSD", [140975.5, 141020.0], "is none of EURUSD"),
        ("USDJPY", [1.12336, 1.12403], "is none of USDJPY.* it could be one of EURUSD"),
        ("EURUSD", [0.0, -1.0], "x.csv: no price is above zero; check the columns"),
    ],
)
def test_prices_that_cannot_be_are_refused(pair: str, written: list[float], message: str) -> None:
    with pytest.raises(VendorError, match=message):
        scale(_bars(written), pair, "x.csv")


def test_two_scales_in_a_file_are_refused_and_a_slip_is_left_to_cleaning() -> None:
    with pytest.raises(VendorError, match="line 102 differs from line 2 by a power of ten, as do 50 of 150 rows"):
        scale(_bars([112336] * 100 + [11234] * 50), "EURUSD", "x.csv")
    scaled = scale(_bars([112336] * 300 + [11234]), "EURUSD", "x.csv")
    assert scaled.bars["close"][-1] == 0.11234
    assert "1 of 301 rows are on another power of ten (first: line 302); cleaning decides about them" in scaled.notes
    scaled = scale(_bars([1.12336] * 300 + [1965, 0.0]), "EURUSD", "x.csv")
    assert scaled.bars["close"][-2:].to_list() == [1965.0, 0.0]
    assert "2 of 302 rows are no plausible price on any (first: line 302); cleaning decides about them" in scaled.notes


@pytest.mark.parametrize("first", [[1.12336], [112336]])
def test_half_a_file_on_another_scale_is_refused_as_that(first: list[float]) -> None:
    second = [112336] if first == [1.12336] else [1.12336]
    with pytest.raises(
        VendorError, match=r"rows are on different scales: line \d+ differs from line \d+ by a power of ten"
    ):
        scale(_bars(first * 100 + second * 100), "EURUSD", "x.csv")


def test_a_price_with_decimals_among_whole_numbers_is_left_to_cleaning() -> None:
    scaled = scale(_bars([112336] * 300 + [1.12336]), "EURUSD", "x.csv")
    assert scaled.divisor == 100_000
    assert "1 of 301 rows are on another power of ten (first: line 302); cleaning decides about them" in scaled.notes


def test_one_column_on_another_scale_is_refused() -> None:
    bars = _bars([1.12336] * 100).with_columns(high=pl.lit(11.2336))
    with pytest.raises(VendorError, match=r"is none of EURUSD|different scales"):
        scale(bars, "EURUSD", "x.csv")


def test_a_pair_that_is_not_known_is_taken_as_written() -> None:
    scaled = scale(_bars([35.2, 40.1]), "EURTRY", "x.csv")
    assert scaled.bars["close"].to_list() == [35.2, 40.1]
    assert scaled.notes == ("data/pairs.yaml knows no plausible prices of EURTRY: they are taken as written",)


def test_no_power_of_ten_makes_two_plausible_prices() -> None:
    for pair, known in plausible_pairs().items():
        assert known.low < known.high < 10 * known.low, pair


def test_every_fixing_of_the_ecb_is_plausible(tmp_path: Path) -> None:
    """The source of the table: twenty-seven years of fixings, with room around them, and no more room than it says."""
    assert "15 % beyond" in PAIRS.read_text(encoding="utf-8")
    fixings = read_rates(find_history(None, tmp_path)).pivot("currency", index="date", values="rate")
    fixings = fixings.with_columns(EUR=pl.lit(1.0))
    for pair, known in plausible_pairs().items():
        closes = (fixings[pair[3:]] / fixings[pair[:3]]).drop_nulls().to_numpy()
        low, high = closes.min(), closes.max()
        assert known.low <= low / 1.15, pair
        assert known.high >= high * 1.15, pair
        if known.since == 1999:
            assert known.low > low / 1.15 * 0.89, pair
            assert known.high < high * 1.15 * 1.11, pair


def test_the_largest_number_is_no_price_and_no_warning() -> None:
    closes = [1.1] * 200 + [1e308]
    bars = pl.DataFrame({"close": closes, "line": range(1, 202)})
    (note,) = scale(bars, "EURUSD", "x").notes
    assert "(first: line 201); cleaning decides about them" in note
