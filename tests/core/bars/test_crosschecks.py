"""Triangles of pairs, and two sources of one pair: known residuals, known shifts."""

import datetime as dt

import numpy as np
import polars as pl
import pytest

from golden_core.bars.crosschecks import compare_sources, parity, triangles
from golden_core.market.clock import expected_opens
from golden_core.store.schema import BARS, PARITY

OPENS = expected_opens(dt.date(2024, 1, 8), dt.date(2024, 4, 12), "1h")["timestamp"]


def bars(pair, close, opens=OPENS):
    frame = pl.DataFrame({"timestamp": opens, "close": close})
    return BARS.conform(frame.with_columns(pair=pl.lit(pair), available_at=pl.col("timestamp").dt.offset_by("1h")))


def walk(seed, start):
    return start * np.exp(np.cumsum(np.random.default_rng(seed).normal(0, 1e-3, len(OPENS))))


EURUSD, USDJPY = walk(1, 1.1), walk(2, 140.0)


@pytest.mark.parametrize(
    ("pairs", "names"),
    [
        (["EURUSD", "USDJPY", "EURJPY"], ["EURUSD × USDJPY / EURJPY"]),
        (["EURUSD", "GBPUSD", "EURGBP"], ["EURUSD × GBPUSD⁻¹ / EURGBP"]),
        (["USDJPY", "USDCHF", "CHFJPY"], ["USDCHF⁻¹ × USDJPY / CHFJPY"]),
        (["EURGBP", "EURJPY", "GBPJPY"], ["EURGBP⁻¹ × EURJPY / GBPJPY"]),
        (["EURUSD", "USDJPY", "GBPUSD"], []),
        (["EURUSD", "USDJPY"], []),
    ],
)
def test_triangles_are_found_and_oriented(pairs, names):
    assert [str(triangle) for triangle in triangles(pairs)] == names
    value = {"EUR": 1.3, "USD": 1.0, "JPY": 0.007, "GBP": 1.6, "CHF": 1.1}
    exact = {pair: bars(pair, np.full(len(OPENS), value[pair[:3]] / value[pair[3:]])) for pair in pairs}
    table = parity(exact, 1e-12)
    assert table.equals(PARITY.conform(table))
    assert table["flagged"].to_list() == [0] * len(names)
    assert all(worst < 1e-14 for worst in table["max_abs"])


def test_a_bar_off_parity_is_flagged_and_measured():
    off = EURUSD * USDJPY
    off[70] *= np.exp(0.01)
    found = parity(
        {"EURUSD": bars("EURUSD", EURUSD), "USDJPY": bars("USDJPY", USDJPY), "EURJPY": bars("EURJPY", off)}, 1e-3
    )
    assert found["flagged"].to_list() == [1]
    assert found["max_abs"][0] == pytest.approx(0.01)
    assert found["q50_abs"][0] < 1e-12


def test_only_times_that_all_three_have_are_compared():
    feeds = {
        "EURUSD": bars("EURUSD", EURUSD)[10:],
        "USDJPY": bars("USDJPY", USDJPY)[:-5],
        "EURJPY": bars("EURJPY", EURUSD * USDJPY)[::2],
    }
    assert parity(feeds, 1e-9)["bars"][0] == len(OPENS[10:-5:2])


class TestSources:
    @pytest.mark.parametrize("shift", [-12, -3, 0, 1, 2, 12])
    def test_a_shifted_clock_is_found(self, shift):
        moved = bars("EURUSD", EURUSD * np.exp(2e-5), OPENS.dt.offset_by(f"{-shift}h"))
        found = compare_sources(bars("EURUSD", EURUSD), moved)
        assert found.offset_hours == shift
        assert set(found.by_month["offset_hours"]) == {shift}
        assert found.level_difference == pytest.approx(-2e-5)
        assert (found.bars, found.share_equal) == (len(OPENS), 0.0)

    def test_a_clock_that_switches_shows_month_by_month(self):
        switched = pl.select(
            pl.when(OPENS.dt.month() >= 3).then(OPENS.dt.offset_by("-1h")).otherwise(OPENS)
        ).to_series()
        found = compare_sources(bars("EURUSD", EURUSD), bars("EURUSD", EURUSD, switched.cast(OPENS.dtype)))
        assert found.by_month["offset_hours"].to_list() == [0, 0, 1, 1]

    def test_the_same_prices_are_equal(self):
        other = EURUSD.copy()
        other[: len(other) // 4] *= 1.0001
        found = compare_sources(bars("EURUSD", EURUSD), bars("EURUSD", other))
        assert found.share_equal == pytest.approx(0.75, abs=1e-3)
        assert found.level_difference == 0.0

    def test_gaps_of_one_source_are_no_disagreement(self):
        whole = bars("EURUSD", EURUSD)
        gappy = whole.filter(pl.int_range(pl.len()) % 50 < 30)
        found = compare_sources(whole, gappy)
        assert (found.offset_hours, found.bars, found.share_equal) == (0, gappy.height, 1.0)
        assert found.correlation == pytest.approx(1.0, abs=1e-12)
        assert compare_sources(gappy, whole).correlation == pytest.approx(1.0, abs=1e-12)

    def test_too_little_in_common_says_nothing(self):
        left, right = bars("EURUSD", EURUSD)[:50], bars("EURUSD", EURUSD)[500:550]
        found = compare_sources(left, right)
        assert (found.offset_hours, found.bars) == (None, 0)
        assert found.by_month.is_empty()
