"""Cleaning: every row is accounted for, every rule can apply, and no rule uses a later bar."""

import datetime as dt
import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from golden_core.bars.cleaning import RULES as REGISTRY
from golden_core.bars.cleaning import Coverage, clean
from golden_core.market.clock import bar_close, expected_opens
from golden_core.store.schema import BARS, CALENDAR, CLEANING, LEDGER
from golden_core.store.table import SchemaError

RULES = [(rule.name, rule.action) for rule in REGISTRY]


@pytest.fixture
def data(make_data):
    return make_data(source="files", bar="1h", start=dt.date(2024, 1, 2), end=dt.date(2024, 1, 5), time_zone="UTC")


def _counts(cleaned):
    """Return the rules that applied, and how often."""
    return {rule: rows for rule, rows in cleaned.account.select("rule", "rows").iter_rows() if rows}


def _edit(bars, row, **values):
    here = pl.int_range(pl.len()) == row
    return bars.with_columns(
        pl.when(here).then(pl.lit(value, pl.Float64)).otherwise(pl.col(name)).alias(name)
        for name, value in values.items()
    )


class TestRules:
    def test_good_bars_pass_and_every_rule_is_listed(self, make_bars, data):
        bars = make_bars(np.linspace(1.1, 1.2, 50), candles=True)
        cleaned = clean(bars, data, max_abs_log_return=0.1)
        assert cleaned.bars.equals(bars)
        assert cleaned.account.select("rule", "action").rows() == RULES
        assert cleaned.account["rows"].to_list() == [0] * (len(RULES) - 1) + [50]
        assert cleaned.ledger.is_empty()
        frames = (cleaned.bars, cleaned.account, cleaned.calendar, cleaned.ledger)
        for table, frame in zip((BARS, CLEANING, CALENDAR, LEDGER), frames, strict=True):
            assert frame.equals(table.conform(frame))

    @pytest.mark.parametrize(("closes", "change", "limit", "counted"), [
        ([1.1, 1.2, 1.3], lambda b: pl.concat([b, b[1:2], b[1:2]]), 1, {"identical_duplicate": 2, "unremarkable": 3}),
        ([1.1, 1.2, 1.3, 1.4], lambda b: b[[0, 3, 1, 2]], 1, {"out_of_order": 2, "unremarkable": 2}),
        ([1.2, 1.2, 1.0, 1.0, 1.01], lambda b: b, 0.1, {"implausible_jump": 1, "unremarkable": 4}),
        (np.exp([0.0, 0.105, 0.095]), lambda b: b, 0.1, {"implausible_jump": 1, "unremarkable": 2}),
    ], ids=[
        "of identical bars one stays", "disorder is sorted and counted", "a jump that lasts is reported and stays",
        "a jump that is merely followed by a small step back is no spike",
    ])  # fmt: skip
    def test_all_distinct_bars_stay(self, closes, change, limit, counted, make_bars, data):
        bars = make_bars(closes)
        cleaned = clean(change(bars), data, max_abs_log_return=limit)
        assert cleaned.bars.equals(bars)
        assert _counts(cleaned) == counted

    def test_of_conflicting_bars_none_stays(self, make_bars, data):
        bars = make_bars([1.1, 1.2, 1.3])
        cleaned = clean(pl.concat([bars, bars[1:2], _edit(bars[1:2], 0, close=1.21)]), data, max_abs_log_return=1)
        assert cleaned.bars.equals(bars[[0, 2]])
        assert _counts(cleaned) == {"conflicting_duplicate": 3, "unremarkable": 2}

    @pytest.mark.parametrize("price", [0.0, -1.1, math.inf, -math.inf, math.nan, None])
    @pytest.mark.parametrize("column", ["open", "high", "low", "close"])
    def test_an_unusable_price_is_quarantined(self, price, column, make_bars, data):
        bars = make_bars([1.1, 1.2, 1.3], candles=True)
        cleaned = clean(_edit(bars, 1, **{column: price}), data, max_abs_log_return=1)
        assert cleaned.bars.equals(bars[[0, 2]])
        assert _counts(cleaned) == {"unusable_price": 1, "unremarkable": 2}

    @pytest.mark.parametrize(("column", "price"), [("high", 1.199), ("low", 1.201), ("open", 1.3), ("close", 1.0)])
    def test_a_price_outside_the_range_is_quarantined(self, column, price, make_bars, data):
        bars = make_bars([1.1, 1.2, 1.3], candles=True)
        cleaned = clean(_edit(bars, 1, **{column: price}), data, max_abs_log_return=1)
        assert cleaned.bars.equals(bars[[0, 2]])
        assert _counts(cleaned) == {"inconsistent_range": 1, "unremarkable": 2}

    def test_a_spike_shows_only_afterwards_so_it_stays(self, make_bars, data):
        bars = make_bars([1.2, 1.2, 1.8, 1.2, 1.21])
        cleaned = clean(bars, data, max_abs_log_return=0.1)
        assert cleaned.bars.equals(bars)
        assert _counts(cleaned) == {"reverting_spike": 1, "unremarkable": 4}
        assert cleaned.ledger["position"].to_list() == [3]

    def test_a_jump_is_measured_between_bars_that_stay(self, make_bars, data):
        cleaned = clean(make_bars([1.2, -5.0, 1.2]), data, max_abs_log_return=0.1)
        assert _counts(cleaned) == {"unusable_price": 1, "unremarkable": 2}

    def test_a_jump_of_exactly_the_limit_is_plausible(self, make_bars, data):
        bars = make_bars([1.0, 2.0])
        limit = float(np.log(2.0))
        assert _counts(clean(bars, data, max_abs_log_return=limit)) == {"unremarkable": 2}
        assert _counts(clean(bars, data, max_abs_log_return=math.nextafter(limit, 0)))["implausible_jump"] == 1


class TestCalendar:
    def test_days_without_a_bar_are_listed_with_their_holiday(self, make_bars, make_data):
        data = make_data(
            start=dt.date(2023, 12, 29), end=dt.date(2024, 1, 4), source="files", time_zone="UTC", bar="1h"
        )
        cleaned = clean(
            make_bars([1.1] * 24).with_columns(pl.col("timestamp").dt.offset_by("1d")), data, max_abs_log_return=1
        )
        assert cleaned.calendar.rows() == [
            ("EURUSD", dt.date(2023, 12, 29), None),
            ("EURUSD", dt.date(2024, 1, 1), "New Year's Day"),
            ("EURUSD", dt.date(2024, 1, 3), None),
            ("EURUSD", dt.date(2024, 1, 4), None),
        ]

    def test_a_day_is_the_vendors_day(self, make_bars, make_data):
        bars = make_bars([1.1] * 10)  # the first ten hours of Monday 1 January, UTC
        dates = {"source": "files", "bar": "1h", "start": dt.date(2023, 12, 29), "end": dt.date(2024, 1, 1)}
        honolulu = make_data(**dates, time_zone="Pacific/Honolulu")
        missing = clean(bars, honolulu, max_abs_log_return=1).calendar["date"].to_list()
        assert missing == [dt.date(2023, 12, 29), dt.date(2024, 1, 1)]  # there it is still Sunday
        missing = clean(bars, make_data(**dates, time_zone="UTC"), max_abs_log_return=1).calendar["date"].to_list()
        assert missing == [dt.date(2023, 12, 29)]

    @pytest.mark.parametrize("zone", ["UTC", "America/New_York"])
    def test_days_from_new_york_begin_on_their_eve(self, zone, make_data):
        dates = {"start": dt.date(2023, 1, 2), "end": dt.date(2023, 12, 29)}
        opens = expected_opens(*dates.values(), "1d")["timestamp"]
        bars = BARS.conform(
            pl.DataFrame({"timestamp": opens, "close": 1.1 + 1e-4 * np.arange(len(opens))}).with_columns(
                pair=pl.lit("EURUSD"), available_at=bar_close(pl.col("timestamp"), "1d")
            )
        )
        data = make_data(**dates, source="files", bar="1d", time_zone=zone)
        # The day of 2 January began on Sunday the 1st, which no bar of these does.
        assert clean(bars, data, max_abs_log_return=1).calendar["date"].to_list() == [dt.date(2023, 1, 2)]

    def test_only_the_ecb_closes_on_good_friday(self, make_bars, make_data):
        dates = {"start": dt.date(2024, 3, 28), "end": dt.date(2024, 3, 30)}
        bars = make_bars([1.1])
        explained = {
            source: clean(bars, make_data(**dates, source=source), max_abs_log_return=1)
            .calendar["explanation"]
            .to_list()
            for source in ("ecb", "files")
        }
        assert explained == {"ecb": [None, "Good Friday"], "files": [None, None]}

    def test_a_quarantined_day_is_a_day_without_a_bar(self, make_bars, data):
        bars = make_bars([1.1] * 25 + [-1.0]).filter(pl.int_range(pl.len()) != 24)
        cleaned = clean(bars, data, max_abs_log_return=1)
        assert dt.date(2024, 1, 2) in cleaned.calendar["date"].to_list()


class TestRefused:
    def test_two_pairs(self, make_bars, data):
        bars = make_bars([1.1])
        both = pl.concat([bars, bars.with_columns(pair=pl.lit("USDJPY"))])
        with pytest.raises(ValueError, match=r"one pair, got \['EURUSD', 'USDJPY'\]|'USDJPY', 'EURUSD'"):
            clean(both, data, max_abs_log_return=1)

    def test_no_bars(self, data):
        with pytest.raises(ValueError, match=r"takes the bars of one pair, got no bars"):
            clean(BARS.empty(), data, max_abs_log_return=1)

    def test_something_else_than_bars(self, make_bars, data):
        with pytest.raises(SchemaError, match=r"table bars: missing column 'close'"):
            clean(make_bars([1.1]).drop("close"), data, max_abs_log_return=1)


PRICES = st.sampled_from([1.0, 1.1, 1.2, 5.0, 110.0, 0.012, 0.0, -1.0, math.nan, math.inf])


@given(rows=st.lists(st.tuples(st.integers(0, 30), PRICES, PRICES), min_size=1, max_size=60))
def test_whatever_comes_in_is_accounted_for(rows):
    raw = _raw(rows)
    week = Coverage("files", "1h", dt.date(2024, 1, 1), dt.date(2024, 1, 5), "UTC")
    cleaned = clean(raw, week, max_abs_log_return=0.3)
    actions = dict(cleaned.account.group_by("action").agg(pl.col("rows").sum()).iter_rows())
    assert actions["kept"] + actions["repaired"] + actions["quarantined"] == raw.height
    assert actions["kept"] + actions["repaired"] == cleaned.bars.height
    # The ledger has every remarkable row once, as it came, and its counts are the account's.
    assert cleaned.ledger["position"].is_unique().all()
    counts = cleaned.ledger.group_by("rule", "action").len("rows").with_columns(pl.col("rows").cast(pl.Int64))
    listed = cleaned.account.filter(pl.col("rows") > 0, pl.col("rule") != "unremarkable").select(counts.columns)
    assert counts.sort("rule").equals(listed.sort("rule"))
    origin = raw[[place - 1 for place in cleaned.ledger["position"]]]
    for name in ("timestamp", "open", "low", "close"):
        assert origin[name].equals(cleaned.ledger[name], null_equal=True)
    assert (cleaned.account["rows"] >= 0).all()
    assert cleaned.account.select("rule", "action").rows() == RULES
    assert cleaned.bars["timestamp"].is_sorted()
    assert cleaned.bars["timestamp"].is_unique().all()
    # Nothing is invented: every clean bar that was not repaired is one of the raw ones, and none has another time.
    assert cleaned.bars.join(raw, on=raw.columns, how="anti").height <= actions["repaired"]
    assert cleaned.bars.join(raw, on="timestamp", how="anti").is_empty()


def _raw(rows):
    hours, closes, opens = zip(*rows, strict=True)
    times = np.datetime64("2024-01-01T00", "us") + np.array(hours) * np.timedelta64(1, "h")
    frame = pl.DataFrame({"timestamp": times, "open": opens, "close": closes}).with_columns(
        pl.col("timestamp").dt.replace_time_zone("UTC"), pair=pl.lit("EURUSD"), low=pl.lit(0.5)
    )
    return BARS.conform(frame.with_columns(available_at=pl.col("timestamp").dt.offset_by("1h")))
