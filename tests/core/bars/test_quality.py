"""Quality by month: every count against bars that were removed, repaired or planted on purpose."""

import datetime as dt

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from golden_core.bars.cleaning import Coverage, clean
from golden_core.bars.cleaning.account import unaccounted
from golden_core.bars.cleaning.coverage import expected_bars, share_of_week
from golden_core.bars.crosschecks import parity
from golden_core.bars.quality import gaps, judge, parity_faults, quality_table, share_faults, summarise
from golden_core.market.clock import expected_opens
from golden_core.preparation.catalogue import load_study
from golden_core.store.schema import BARS, PARITY, QUALITY

START, END = dt.date(2023, 12, 11), dt.date(2024, 1, 26)
COVERAGE = Coverage("files", "1h", START, END, "UTC")
CHECKS = load_study("legacy").checks


def candles(opens, length="1h"):
    steps = np.random.default_rng(1).normal(0, 1e-3, len(opens))
    close = np.round(1.1 * np.exp(np.cumsum(steps)), 5)
    before = np.concatenate([close[:1], close[:-1]])
    frame = pl.DataFrame({"timestamp": opens, "open": before, "close": close}).with_columns(
        pair=pl.lit("EURUSD"),
        available_at=pl.col("timestamp").dt.offset_by(length),
        high=pl.max_horizontal("open", "close") + 1e-4,
        low=pl.min_horizontal("open", "close") - 1e-4,
        volume=pl.int_range(1, pl.len() + 1).cast(pl.Float64),
    )
    return BARS.conform(frame)


OPENS = expected_opens(START, END, "1h")
WHOLE = candles(OPENS.filter(pl.col("closure").is_null())["timestamp"])


def measured(raw, coverage=COVERAGE, **options):
    found = clean(raw, coverage, max_abs_log_return=0.05)
    table = quality_table(found.bars, found.ledger, coverage, **options)
    assert table.equals(QUALITY.conform(table))
    assert table.select(pl.sum_horizontal("kept", "repaired", "quarantined").sum()).item() == raw.height
    assert (table["present"] + table["missing"] == table["expected"]).all()
    return table


def test_a_whole_feed():
    table = measured(WHOLE)
    assert table["month"].to_list() == [dt.date(2023, 12, 1), dt.date(2024, 1, 1)]
    total = summarise(table).row(0, named=True)
    assert total["expected"] == total["present"] == total["kept"] == WHOLE.height
    assert total["explained"] == OPENS["closure"].count()
    zero = ("missing", "repaired", "quarantined", "partial", "flat", "filled", "spikes", "zero_volume", "longest_gap")
    assert all(total[name] == 0 for name in zero)
    assert gaps(clean(WHOLE, COVERAGE, max_abs_log_return=1).bars, COVERAGE).is_empty()


def test_a_gap_over_a_weekend_is_one_gap_of_trading_hours():
    friday = WHOLE["timestamp"].index_of(dt.datetime(2024, 1, 12, 20, tzinfo=dt.UTC))
    holed = WHOLE.filter(~pl.int_range(pl.len()).is_between(friday, friday + 2) & (pl.int_range(pl.len()) != 5))
    table = measured(holed)
    assert table["missing"].to_list() == [1, 3]
    assert table["longest_gap"].to_list() == [1, 3]
    found = gaps(clean(holed, COVERAGE, max_abs_log_return=1).bars, COVERAGE)
    assert found.select("bars").to_series().to_list() == [1, 3]
    assert found["first"][1] == dt.datetime(2024, 1, 12, 20, tzinfo=dt.UTC)
    assert found["last"][1] == dt.datetime(2024, 1, 14, 22, tzinfo=dt.UTC)


def test_a_gap_over_the_end_of_a_month_is_as_long_in_both():
    last = WHOLE["timestamp"].index_of(dt.datetime(2023, 12, 29, 19, tzinfo=dt.UTC))
    holed = WHOLE.filter(~pl.int_range(pl.len()).is_between(last - 4, last + 3))
    table = measured(holed)
    assert table["missing"].to_list() == [7, 1]
    assert table["longest_gap"].to_list() == [8, 8]
    assert gaps(clean(holed, COVERAGE, max_abs_log_return=1).bars, COVERAGE)["bars"].to_list() == [8]


def test_a_file_is_asked_for_its_own_span_only():
    half = WHOLE[300:600]
    assert measured(half)["missing"].sum() == WHOLE.height - 300
    assert measured(half, whole_range=False)["missing"].sum() == 0


def test_what_rows_looked_like_is_counted_even_if_they_are_gone():
    raw = WHOLE.with_columns(
        volume=pl.when(pl.int_range(pl.len()).is_in([10, 20])).then(0.0).otherwise("volume"),
        close=pl.when(pl.int_range(pl.len()) == 50).then(pl.col("close") * 100).otherwise("close"),
    )
    price = raw["close"][9]
    flat = pl.int_range(pl.len()) == 10
    raw = raw.with_columns(
        pl.when(flat).then(price).otherwise(name).alias(name) for name in ("open", "high", "low", "close")
    )
    lost = raw.with_columns(close=pl.when(pl.int_range(pl.len()) == 60).then(1965.0).otherwise("close"))
    total = summarise(measured(lost)).row(0, named=True)
    counted = {name: total[name] for name in ("flat", "zero_volume", "repaired", "quarantined", "spikes", "missing")}
    assert counted == {"flat": 1, "zero_volume": 2, "repaired": 1, "quarantined": 2, "spikes": 1, "missing": 2}


def test_a_filled_weekend_counts_in_no_share():
    saturday = [dt.datetime(2024, 1, 13, hour, tzinfo=dt.UTC) for hour in range(24)]
    fill = WHOLE[:24].with_columns(
        timestamp=pl.Series(saturday).cast(pl.Datetime("us", "UTC")), volume=pl.lit(0.0),
        **{name: pl.lit(1.1) for name in ("open", "high", "low", "close")},
    ).with_columns(available_at=pl.col("timestamp").dt.offset_by("1h"))  # fmt: skip
    total = summarise(measured(pl.concat([WHOLE, fill]))).row(0, named=True)
    assert (total["filled"], total["quarantined"], total["flat"]) == (24, 24, 0)
    assert total["quarantined_share"] == total["flat_share"] == 0.0


def test_stubs_of_sundays_count_in_no_share():
    days = pl.date_range(START, END, eager=True).cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    total = summarise(measured(candles(days, "1d"), Coverage("files", "1d", START, END, "UTC"))).row(0, named=True)
    assert total["filled"] == days.dt.weekday().is_in([7]).sum()
    assert total["quarantined"] == days.dt.weekday().is_in([6, 7]).sum()
    assert total["quarantined_share"] == pytest.approx(total["filled"] / (len(days) - total["filled"]), abs=0.01)


def test_fixings_have_no_hours_no_range_and_no_volume():
    data = load_study("smoke").data
    from golden_core.sources.base import fixing_bars

    days = pl.date_range(data.start, data.end, eager=True)
    days = days.filter((days.dt.weekday() <= 5) & (days != dt.date(2024, 7, 3)))
    found = clean(
        fixing_bars("EURUSD", pl.DataFrame({"date": days, "close": 1.1 + 1e-4 * np.arange(len(days))})),
        data,
        max_abs_log_return=0.1,
    )
    total = summarise(quality_table(found.bars, found.ledger, data)).row(0, named=True)
    assert (total["missing"], total["longest_gap"], total["quarantined"]) == (1, 1, 0)
    assert [total[name] for name in ("partial", "filled", "flat", "zero_volume", "flat_share")] == [None] * 5
    assert total["quarantined_share"] == 0.0


class TestGrids:
    @pytest.mark.parametrize(
        ("zone", "bar"),
        [("UTC", "4h"), ("Europe/Berlin", "4h"), ("EET_US", "4h"), ("EET", "1d"), ("EET_US", "1d"), ("UTC", "1d")],
    )
    def test_the_grid_is_the_vendors(self, zone, bar):
        coverage = Coverage("files", bar, dt.date(2024, 3, 1), dt.date(2024, 4, 12), zone)
        from golden_core.bars.cleaning.coverage import _from_wall, on_wall

        hours = expected_opens(dt.date(2024, 2, 25), dt.date(2024, 4, 20), "1h")
        shown = on_wall(pl.col("timestamp"), zone)
        truncated = hours.select(wall=shown.dt.truncate(bar)).group_by("wall", maintain_order=True).len()
        enough = truncated.filter(pl.col("len") * 2 >= {"4h": 4, "1d": 24}[bar])
        wanted = enough.filter(pl.col("wall").dt.date().is_between(coverage.start, coverage.end))
        opens = wanted.select(_from_wall(pl.col("wall"), zone)).to_series().sort()
        bars = candles(opens, bar)
        found = expected_bars(bars, coverage)
        assert found["timestamp"].to_list() == opens.to_list()
        assert found["closure"].null_count() == found.height

    def test_days_from_new_york_are_recognised(self):
        opens = expected_opens(dt.date(2024, 3, 1), dt.date(2024, 4, 12), "1d")["timestamp"]
        coverage = Coverage("files", "1d", dt.date(2024, 3, 1), dt.date(2024, 4, 12), "UTC")
        assert expected_bars(candles(opens, "1d"), coverage)["timestamp"].to_list() == opens.to_list()

    def test_a_share_of_the_week(self):
        times = ["2024-01-14T00", "2024-01-15T00", "2024-01-12T20", "2024-01-12T22", "2024-07-14T20"]
        opens = pl.Series(np.array(times, dtype="datetime64[us]")).dt.replace_time_zone("UTC")
        found = pl.DataFrame({"open": opens}).select(
            day=share_of_week(pl.col("open"), pl.col("open").dt.offset_by("1d")),
            four=share_of_week(pl.col("open"), pl.col("open").dt.offset_by("4h")),
        )
        assert found["day"].to_list() == pytest.approx([2 / 24, 1, 2 / 24, 0, 23 / 24])
        assert found["four"].to_list() == pytest.approx([0, 1, 0.5, 0, 0.75])


class TestVerdicts:
    def test_each_share_is_held_against_its_own_bound(self):
        table = measured(WHOLE)
        sound = judge(summarise(table), PARITY.empty(), CHECKS)
        assert [verdict.passed for verdict in sound] == [True, True, True, True, None]
        for kind in ("missing", "quarantined", "repaired", "flat"):
            worse = table.with_columns(pl.lit(400).alias(kind), filled=pl.lit(0))
            verdicts = judge(summarise(worse), PARITY.empty(), CHECKS)
            assert [verdict.claim for verdict in verdicts if verdict.passed is False] == [f"{kind} bars"]

    def test_a_share_at_its_bound_is_allowed(self):
        summary = summarise(measured(WHOLE[1:]))
        share = summary["missing_share"][0]
        assert share_faults(summary, "missing", share) == []
        assert (
            "EURUSD: 1 bars are missing that the calendar asks for" in share_faults(summary, "missing", share * 0.99)[0]
        )

    def test_a_share_just_beyond_its_bound_does_not_read_like_it(self):
        summary = summarise(measured(WHOLE[1:])).with_columns(missing_share=0.01000004)
        (said,) = share_faults(summary, "missing", 0.01)
        assert said.endswith("(1.000004%), at most 1.000000% allowed")

    def test_parity(self):
        row = {"triangle": "A", "bars": 1000, "median": 0.0, "q50_abs": 0.0, "q99_abs": 0.0, "max_abs": 0.1}
        for flagged, faults in ((1, 0), (2, 1)):
            table = pl.DataFrame([{**row, "flagged": flagged}], schema=PARITY.dtypes)
            assert len(parity_faults(table, CHECKS)) == faults

    def test_a_triangle_without_a_bar_of_one_time_does_not_agree(self):
        half = WHOLE.with_columns(pl.col("timestamp", "available_at").dt.offset_by("30m"))
        table = parity({"EURUSD": WHOLE, "GBPUSD": half, "EURGBP": WHOLE}, CHECKS.max_parity_residual)
        said = ["EURUSD × GBPUSD⁻¹ / EURGBP: its pairs have no bar of the same time, so nothing was compared"]
        assert parity_faults(table, CHECKS) == said
        (verdict,) = (one for one in judge(summarise(measured(WHOLE)), table, CHECKS) if "parity" in one.claim)
        assert (verdict.passed, verdict.detail) == (False, said[0])

    def test_the_books_must_agree(self):
        raw = pl.concat([WHOLE, WHOLE[3:4]])
        found = clean(raw, COVERAGE, max_abs_log_return=0.05)
        assert unaccounted(found.account, found.bars, found.ledger) == []
        assert "clean bars, but the account keeps" in unaccounted(found.account, found.bars[1:], found.ledger)[0]
        assert "rows under identical_duplicate" in unaccounted(found.account, found.bars, found.ledger[:0])[0]
        twice = pl.concat([found.ledger, found.ledger])
        unlike = found.ledger.with_columns(action=pl.lit("repaired"))
        assert set(unaccounted(found.account, found.bars, unlike)) == {
            f"EURUSD: the account has {n} rows under identical_duplicate ({action}), the ledger {1 - n}"
            for n, action in ((1, "quarantined"), (0, "repaired"))
        }
        said = unaccounted(found.account, found.bars, twice)[-1]
        assert said == f"EURUSD: {twice.height} lines of the ledger are about the same row"


@given(gone=st.lists(st.integers(0, 700), max_size=60), twice=st.lists(st.integers(0, 700), max_size=20))
def test_counts_add_up(gone, twice):
    raw = pl.concat([WHOLE.filter(~pl.int_range(pl.len()).is_in(gone)), WHOLE[sorted(set(twice) - set(gone))]])
    table = measured(raw)
    assert table["missing"].sum() == len(set(gone))
    assert table["quarantined"].sum() == len(set(twice) - set(gone))
    found = clean(raw, COVERAGE, max_abs_log_return=0.05)
    assert gaps(found.bars, COVERAGE)["bars"].sum() == len(set(gone))


def test_a_row_that_was_never_dated_is_not_flat_as_well():
    """One fate a row: five flat rows of 1970 failed two verdicts."""
    zero = WHOLE[:5].with_columns(
        timestamp=pl.lit(0).cast(pl.Datetime("us", "UTC")),
        **{name: pl.lit(1.1) for name in ("open", "high", "low", "close")},
    )
    total = summarise(measured(pl.concat([WHOLE, zero]))).row(0, named=True)
    assert (total["quarantined"], total["flat"]) == (5, 0)
