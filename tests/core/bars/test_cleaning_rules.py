"""Rules of cleaning that need a level, a calendar, other pairs or volumes: planted faults and what resembles them."""

import datetime as dt
import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from golden_core.bars.cleaning import RULES, Coverage, clean
from golden_core.bars.cleaning.rules import PRICES
from golden_core.bars.cleaning.scale import SETTLED, levels
from golden_core.market.clock import bar_close, expected_opens
from golden_core.store.schema import BARS

START, END = dt.date(2024, 1, 8), dt.date(2024, 2, 9)
HOURLY = Coverage("files", "1h", START, END, "UTC")
BOUND = 0.05


def feed(pair, *, start=1.1, size=0.001, seed=0, bar="1h"):
    """Return candles of a random walk in the trading weeks from START to END, with volumes."""
    opens = expected_opens(START, END, bar)["timestamp"]
    rng = np.random.default_rng([seed, *pair.encode()])
    close = start * np.exp(np.cumsum(rng.normal(0, size, len(opens))))
    return candles(pair, opens, close, rng)


def candles(pair, opens, close, rng):
    close = np.round(close, 5)  # as vendors write them
    before = np.concatenate([close[:1], close[:-1]])
    reach = 1 + rng.uniform(1e-5, 3e-4, len(close))
    high, low = np.maximum(before, close) * reach, np.minimum(before, close) / reach
    told = {"timestamp": opens, "open": before, "high": np.round(high, 5), "low": np.round(low, 5), "close": close}
    frame = pl.DataFrame(told | {"volume": rng.integers(10, 10_000, len(close)).astype(float)})
    return BARS.conform(frame.with_columns(pair=pl.lit(pair), available_at=pl.col("timestamp").dt.offset_by("1h")))


def edit(bars, rows, **values):
    """Change columns in some rows; a value may be an expression."""
    here = pl.int_range(pl.len()).is_in(list(np.atleast_1d(rows)))
    return bars.with_columns(pl.when(here).then(value).otherwise(pl.col(n)).alias(n) for n, value in values.items())


def counts(cleaned):
    return {rule: rows for rule, rows in cleaned.account.select("rule", "rows").iter_rows() if rows}


def cleaned(bars, *others, bound=BOUND, coverage=HOURLY):
    found = clean(bars, coverage, max_abs_log_return=bound, others=others)
    assert found.account["rows"].sum() == bars.height
    return found


EUR = feed("EURUSD")
CLEAN = {"unremarkable": EUR.height}


def remarked(**rules):
    return {**rules, "unremarkable": EUR.height - sum(rules.values())}


def test_a_sound_feed_is_unremarkable():
    found = cleaned(EUR)
    assert counts(found) == CLEAN
    assert found.bars.equals(EUR)


class TestDates:
    def test_epoch_zero(self):
        epoch = edit(
            EUR, [5, 6], timestamp=pl.lit(dt.datetime(1970, 1, 1, tzinfo=dt.UTC)).cast(pl.Datetime("us", "UTC"))
        )
        found = cleaned(epoch)
        assert counts(found) == remarked(epoch_zero=2)
        assert found.ledger["position"].to_list() == [6, 7]
        assert found.ledger["close"].to_list() == EUR["close"][5:7].to_list()

    @pytest.mark.parametrize("year", [1601, 1969, 2019, 2036, 2099])
    def test_absurd_date(self, year):
        moment = pl.lit(dt.datetime(year, 1, 15, 12, tzinfo=dt.UTC)).cast(pl.Datetime("us", "UTC"))
        assert counts(cleaned(edit(EUR, 5, timestamp=moment))) == remarked(absurd_date=1)


class TestWeek:
    @pytest.mark.parametrize("hour", ["2024-01-12T22", "2024-01-13T09", "2024-01-14T21"])
    def test_a_bar_in_the_weekend_is_outside(self, hour):
        moment = pl.lit(np.datetime64(hour, "us")).dt.replace_time_zone("UTC")
        stray = EUR[:1].with_columns(timestamp=moment, available_at=moment.dt.offset_by("1h"))
        found = cleaned(pl.concat([EUR, stray]))
        assert counts(found) == CLEAN | {"outside_trading_week": 1}
        assert found.bars.equals(EUR)

    @pytest.mark.parametrize(("volume", "rule"), [(0.0, "flat_while_closed"), (3.0, "outside_trading_week")])
    def test_a_weekend_filled_in_by_the_vendor(self, volume, rule):
        friday = dt.datetime(2024, 1, 12, 22, tzinfo=dt.UTC)
        hours = pl.datetime_range(friday, friday + dt.timedelta(hours=47), "1h", eager=True)
        flat = {name: pl.lit(EUR["close"][100]) for name in PRICES}
        fills = pl.select(pair=pl.lit("EURUSD"), timestamp=hours, available_at=hours.dt.offset_by("1h"), **flat,
                          volume=pl.lit(volume))  # fmt: skip
        found = cleaned(pl.concat([EUR, fills]).sort("timestamp"))
        assert counts(found) == CLEAN | {rule: 48}
        assert found.bars.equals(EUR)

    def test_sunday_stub_and_saturday_of_daily_bars(self):
        days = pl.date_range(START, END, eager=True).cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
        close = 1.1 + np.arange(len(days)) * 1e-3
        bars = candles("EURUSD", days, close, np.random.default_rng(1))
        bars = bars.with_columns(available_at=pl.col("timestamp").dt.offset_by("1d"))
        found = cleaned(bars, coverage=Coverage("files", "1d", START, END, "UTC"))
        assert counts(found) == {"outside_trading_week": 4, "weekend_stub": 4, "unremarkable": len(days) - 8}
        assert set(found.bars["timestamp"].dt.weekday()) == {1, 2, 3, 4, 5}

    def test_only_a_days_bar_is_a_stub(self):
        """On Friday 12 July the week ends at 21:00 UTC, when a quarter of the last bar of four hours is over."""
        first, last = dt.datetime(2024, 7, 8, tzinfo=dt.UTC), dt.datetime(2024, 7, 12, 20, tzinfo=dt.UTC)
        opens = pl.datetime_range(first, last, "4h", eager=True).cast(pl.Datetime("us", "UTC"))
        bars = candles("EURUSD", opens, 1.1 + np.arange(len(opens)) * 1e-3, np.random.default_rng(1))
        bars = bars.with_columns(available_at=pl.col("timestamp").dt.offset_by("4h"))
        found = cleaned(bars, coverage=Coverage("files", "4h", first.date(), last.date(), "UTC"))
        assert counts(found) == {"unremarkable": len(opens)}

    def test_a_source_of_fixings_has_no_hours(self):
        sunday = EUR.with_columns(pl.col("timestamp", "available_at").dt.offset_by("-1d"))
        found = cleaned(sunday, coverage=Coverage("ecb", "1d", START, END, "Europe/Berlin"))
        assert "outside_trading_week" not in counts(found)
        detail = found.account.filter(rule="outside_trading_week")["detail"][0]
        assert detail == "does not apply: the source has fixings, no trading hours"


class TestScale:
    @pytest.mark.parametrize("factor", [1e-5, 1e-3, 0.01, 0.1, 10.0, 100.0, 1e5])
    def test_a_slip_is_repaired_and_the_original_kept(self, factor):
        found = cleaned(edit(EUR, 60, **{name: pl.col(name) * factor for name in PRICES}))
        assert counts(found) == remarked(decimal_slip=1)
        assert found.bars.equals(EUR)
        assert found.ledger.select("action", "position", "close").rows() == [
            ("repaired", 61, EUR["close"][60] * factor)
        ]

    def test_a_written_price_comes_back_to_the_bit(self):
        bars = edit(EUR, [60, 61, 62], open=1.1965, high=1.1965, low=1.1965, close=1.1965)
        slipped = edit(
            edit(edit(bars, 60, close=119.65, high=119.65), 61, close=11965.0, high=11965.0), 62, low=0.11965
        )
        found = cleaned(slipped, bound=0.2).bars
        assert found.select(PRICES).equals(bars.select(PRICES))

    @pytest.mark.parametrize("name", PRICES)
    def test_one_price_alone(self, name):
        found = cleaned(edit(EUR, 60, **{name: pl.col(name) * 100}))
        assert counts(found) == remarked(decimal_slip=1)
        assert found.bars.equals(EUR)

    def test_a_price_of_1965_for_a_euro_is_quarantined(self):
        found = cleaned(edit(EUR, 60, open=1965.0, high=1965.0, low=1965.0, close=1965.0))
        assert counts(found) == remarked(off_scale_price=1)
        assert found.ledger["close"].to_list() == [1965.0]
        assert found.bars.equals(EUR.filter(pl.int_range(pl.len()) != 60))

    def test_a_repaired_bar_must_still_make_sense(self):
        crooked = edit(EUR, 60, close=pl.col("close") * 100, high=pl.col("low"))
        assert counts(cleaned(crooked)) == remarked(inconsistent_range=1)

    def test_a_change_of_unit_in_mid_history_leaves_one_unit(self):
        later = list(range(200, EUR.height))
        found = cleaned(edit(EUR, later, **{name: pl.col(name) * 1e5 for name in PRICES}))
        assert counts(found) == remarked(decimal_slip=len(later))
        assert found.bars.equals(EUR)

    @pytest.mark.parametrize("jump", [0.31, -0.4, 1.05])
    def test_a_devaluation_is_no_slip(self, jump):
        later = list(range(200, EUR.height))
        found = cleaned(edit(EUR, later, **{name: pl.col(name) * math.exp(jump) for name in PRICES}))
        assert counts(found) == remarked(implausible_jump=1)

    def test_bad_first_bars_do_not_set_the_level(self):
        first = edit(EUR, [0, 1], **{name: pl.col(name) * 100 for name in PRICES})
        found = cleaned(first)
        assert found.bars.equals(EUR[2:])
        assert counts(found) == remarked(off_scale_price=2)

    @pytest.mark.parametrize("place", range(SETTLED))
    @pytest.mark.parametrize("price", [1965.0, 0.0108, 112.0])
    def test_a_first_price_that_the_pair_cannot_cost_is_quarantined(self, place, price):
        """The first bars have no bars before them to be held against, but the pair is known."""
        found = cleaned(edit(EUR, place, open=price, high=price, low=price, close=price))
        assert counts(found) == remarked(off_scale_price=1)
        assert found.bars.equals(EUR.filter(pl.int_range(pl.len()) != place))

    @pytest.mark.parametrize("first", [0, 200])
    @pytest.mark.parametrize("count", [SETTLED, 12, 60])
    def test_prices_that_the_pair_cannot_cost_set_no_level(self, first, count):
        """They would set the unit for all that follows, and every good bar would be multiplied."""
        rows = list(range(first, first + count))
        found = cleaned(edit(EUR, rows, **dict.fromkeys(PRICES, 1965.0)))
        assert found.bars.equals(EUR.filter(~pl.int_range(pl.len()).is_in(rows)))
        assert counts(found)["off_scale_price"] == count

    def test_a_file_that_begins_on_another_unit_is_brought_to_the_pairs_own(self):
        rows = list(range(12))
        found = cleaned(edit(EUR, rows, **{name: (pl.col(name) * 1000).round(2) for name in PRICES}))
        settled = EUR[12:]
        assert found.bars.filter(pl.col("timestamp") >= settled["timestamp"][0]).equals(settled)
        assert counts(found) == remarked(off_scale_price=SETTLED, decimal_slip=12 - SETTLED)

    def test_a_level_is_the_median_of_the_bars_before(self):
        closes = pl.Series([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
        assert levels(closes).to_list() == [None] * 5 + [pytest.approx(math.log10(3))]


class TestFills:
    @staticmethod
    def frozen(bars, rows, **changes):
        price = bars["close"][int(np.atleast_1d(rows)[0]) - 1]
        return edit(bars, rows, open=price, high=price, low=price, close=price, **changes)

    def test_a_flat_bar_without_trade_is_a_fault_of_the_feed(self):
        found = cleaned(self.frozen(EUR, [60, 61], volume=0.0))
        assert counts(found) == remarked(flat_without_trade=2)
        assert found.bars.height == EUR.height - 2

    def test_with_volume_it_is_a_quiet_hour(self):
        assert counts(cleaned(self.frozen(EUR, 60, volume=3.0))) == remarked(flat_bar=1)

    def test_zeros_say_nothing_where_a_vendor_has_no_volumes(self):
        found = cleaned(self.frozen(EUR.with_columns(volume=pl.lit(0.0)), 60))
        assert counts(found)["flat_bar"] == 1
        assert not found.account.filter(pl.col("action") == "quarantined")["rows"].sum()

    def test_in_a_holiday_it_is_filled_in_by_the_vendor(self):
        opens = expected_opens(dt.date(2023, 12, 20), dt.date(2024, 1, 4), "1h")
        closed = opens["closure"].is_in(["Christmas Day", "New Year's Day"]).arg_true().to_list()
        bars = candles("EURUSD", opens["timestamp"], 1.1 + np.arange(opens.height) * 1e-5, np.random.default_rng(1))
        bars = bars.drop("volume").with_columns(
            pl.when(pl.int_range(pl.len()).is_in(closed)).then(None).otherwise(pl.col(name)).forward_fill().alias(name)
            for name in PRICES
        )
        flat = pl.int_range(pl.len()).is_in(closed)
        bars = bars.with_columns(pl.when(flat).then("close").otherwise(name).alias(name) for name in PRICES)
        found = cleaned(bars, coverage=Coverage("files", "1h", dt.date(2023, 12, 20), dt.date(2024, 1, 4), "UTC"))
        assert counts(found)["flat_while_closed"] == len(closed) == 48

    @pytest.mark.parametrize("bar", ["4h", "1d"])
    @pytest.mark.parametrize("earlier", ["UTC", "New York"])
    def test_the_grid_of_later_bars_decides_about_no_fill(self, bar, earlier):
        """A file that changes the grid of its bars has one by the majority of all of them, later ones included."""
        first, change, last = dt.date(2023, 12, 11), dt.datetime(2024, 1, 8, tzinfo=dt.UTC), dt.date(2024, 4, 30)
        whole = pl.datetime_range(
            dt.datetime(2023, 12, 11, tzinfo=dt.UTC), dt.datetime(2024, 4, 30, tzinfo=dt.UTC), bar, eager=True
        ).cast(pl.Datetime("us", "UTC"))
        grids = {"UTC": whole, "New York": expected_opens(first, last, bar)["timestamp"]}
        begin = grids.pop(earlier)
        opens = pl.concat([begin.filter(begin < change), *(grid.filter(grid > change) for grid in grids.values())])
        bars = candles("EURUSD", opens, 1.1 + np.arange(len(opens)) * 1e-5, np.random.default_rng(1)).drop("volume")
        bars = bars.with_columns(available_at=bar_close(pl.col("timestamp"), bar))
        day = pl.col("timestamp").dt.offset_by("12h" if bar == "1d" else "6h").dt.date()  # of the bar, on either grid
        holidays = [dt.date(2023, 12, 25), dt.date(2024, 1, 1)]
        closed = day.is_in([holiday - dt.timedelta(days=back) for holiday in holidays for back in range(3)])
        bars = bars.with_columns(pl.when(closed).then(None).otherwise("close").forward_fill().alias("close"))
        bars = bars.with_columns(pl.when(closed).then("close").otherwise(name).alias(name) for name in PRICES)
        coverage, past = Coverage("files", bar, first, last, "UTC"), pl.col("timestamp") < change
        alone, both = (cleaned(some, coverage=coverage) for some in (bars.filter(past), bars))
        assert alone.bars.filter(day.is_in(holidays)).is_empty()
        assert both.bars.filter(past).equals(alone.bars)

    def test_a_stale_price_is_reported_from_its_third_bar(self):
        found = cleaned(EUR.with_columns(close=pl.col("close")).pipe(edit, [60, 61, 62, 63], close=EUR["close"][60],
                        high=EUR["close"][60] * 1.01, low=EUR["close"][60] / 1.01))  # fmt: skip
        assert counts(found) == remarked(stale_price=2)

    def test_a_frozen_feed_is_a_fault_from_its_24th_copy(self):
        row = EUR.row(60, named=True)
        frozen = edit(EUR, list(range(60, 100)), **{name: row[name] for name in PRICES})
        found = cleaned(frozen)
        assert counts(found)["frozen_candle"] == 40 - 23
        assert found.bars.height == EUR.height - 17
        gone = pl.int_range(EUR.height, eager=True).is_between(83, 99)
        assert found.bars["timestamp"].equals(EUR["timestamp"].filter(~gone))

    def test_candles_that_share_some_prices_are_none(self):
        row = EUR.row(60, named=True)
        moving = edit(EUR, list(range(60, 100)), **{name: row[name] for name in PRICES if name != "high"})
        assert "frozen_candle" not in counts(cleaned(moving))
        assert "frozen_candle" not in counts(cleaned(self.frozen(EUR, list(range(60, 100)), volume=3.0)))


class TestVolume:
    @pytest.mark.parametrize("volume", [-1.0, math.nan, math.inf, -math.inf])
    def test_nonsense_is_made_null_and_the_prices_stay(self, volume):
        found = cleaned(edit(EUR, 60, volume=volume))
        assert counts(found) == remarked(unusable_volume=1)
        assert found.bars["volume"][60] is None
        assert found.bars.drop("volume").equals(EUR.drop("volume"))
        assert found.ledger.select("action", "rule").rows() == [("repaired", "unusable_volume")]
        assert found.ledger["volume"].equals(pl.Series("volume", [volume]))

    @pytest.mark.parametrize("row", [40, 200])
    def test_a_volume_out_of_all_proportion_is_none(self, row):
        found = cleaned(edit(EUR, row, volume=1e14))
        assert counts(found) == remarked(unusable_volume=1)
        assert found.bars["volume"].null_count() == 1
        assert counts(cleaned(edit(EUR, row, volume=1e6))) == CLEAN

    def test_another_unit_of_volume_costs_one_bar(self):
        later = pl.int_range(pl.len()) >= 200
        found = cleaned(EUR.with_columns(volume=pl.when(later).then(pl.col("volume") * 1e8).otherwise("volume")))
        assert counts(found) == remarked(unusable_volume=1)

    def test_a_constant_is_reported(self):
        assert counts(cleaned(edit(EUR, list(range(60, 90)), volume=7.0))) == remarked(constant_volume=7)

    def test_bars_without_volume(self):
        found = cleaned(EUR.drop("volume"))
        assert found.account.filter(rule="unusable_volume")["detail"][0] == "does not apply: the bars have no volume"


def system(move, *, seed=3):
    """Return consistent feeds of EURUSD, USDJPY, EURJPY, USDCHF, EURCHF: each currency has a value that walks.

    Parameters
    ----------
    move
        Row → currency → log change of its value at that row, for good.
    """
    opens = expected_opens(START, END, "1h")["timestamp"]
    rng = np.random.default_rng(seed)
    values = {currency: np.cumsum(rng.normal(0, 5e-4, len(opens))) for currency in ("EUR", "USD", "JPY", "CHF")}
    for row, changes in move.items():
        for currency, change in changes.items():
            values[currency][row:] += change
    start = {"EUR": 0.1, "USD": 0.0, "JPY": -5.0, "CHF": 0.05}
    return {
        pair: candles(pair, opens, np.exp(values[pair[:3]] + start[pair[:3]] - values[pair[3:]] - start[pair[3:]]), rng)
        for pair in ("EURUSD", "USDJPY", "EURJPY", "USDCHF", "EURCHF")
    }


def with_others(feeds, pair, **changes):
    return cleaned(feeds[pair], *(bars for name, bars in feeds.items() if name != pair), **changes)


class TestOtherPairs:
    def test_a_shared_jump_is_no_spike(self):
        """15 January 2015: the franc gains 20 % in an hour, in every pair that has it."""
        feeds = system({300: {"CHF": 0.2}})
        for pair in feeds:
            found = with_others(feeds, pair)
            jumped = {"shared_jump": 1, "implausible_range": 0} if "CHF" in pair else {}
            expected = {rule: rows for rule, rows in jumped.items() if rows}
            assert counts(found) == remarked(**expected), pair
            assert found.bars.equals(feeds[pair])

    @pytest.mark.parametrize(("move", "pair", "other", "shared"), [
        ({"EUR": 0.2, "JPY": 0.08}, "EURUSD", "EURJPY", True),
        ({"EUR": 0.2, "JPY": 0.12}, "EURUSD", "EURJPY", False),  # by less than half of it
        ({"EUR": 0.2, "JPY": 0.4}, "EURUSD", "EURJPY", False),  # the other way
        ({"USD": 0.2}, "EURUSD", "USDJPY", True),
        ({"USD": 0.2, "JPY": 0.4}, "EURUSD", "USDJPY", False),
        ({"EUR": 0.2, "USD": 0.2}, "EURJPY", "USDCHF", False),  # without a currency in common
    ])  # fmt: skip
    def test_a_jump_is_shared_by_who_moves_half_of_it_for_the_same_currency(self, move, pair, other, shared):
        feeds = system({300: move})
        rule = "shared_jump" if shared else "implausible_jump"
        assert counts(cleaned(feeds[pair], feeds[other])) == remarked(**{rule: 1})

    def test_a_shared_jump_that_reverts_is_no_spike_either(self):
        feeds = system({300: {"CHF": 0.2}, 301: {"CHF": -0.2}})
        assert counts(with_others(feeds, "USDCHF")) == remarked(shared_jump=2)

    @pytest.mark.parametrize("length", [1, 3])
    def test_a_spike_that_two_other_pairs_refute_is_quarantined(self, length):
        feeds = system({})
        rows = list(range(300, 300 + length))
        feeds["EURUSD"] = edit(feeds["EURUSD"], rows, **{name: pl.col(name) * 1.2 for name in PRICES})
        found = with_others(feeds, "EURUSD")
        assert counts(found) == remarked(refuted_spike=length)
        assert found.ledger["position"].to_list() == [row + 1 for row in rows]
        assert counts(with_others(feeds, "EURJPY")) == CLEAN  # the witnesses stay

    def test_one_agreeing_triangle_is_enough(self):
        feeds = system({300: {"EUR": 0.2}})
        # EURJPY missed the move and EURCHF shows it.
        feeds["EURJPY"] = system({})["EURJPY"]
        assert counts(with_others(feeds, "EURUSD")) == remarked(shared_jump=1)

    def test_a_frozen_feed_is_no_witness(self):
        feeds = system({300: {"CHF": 0.2}})
        frozen = feeds["EURCHF"]["close"][298]
        feeds["EURCHF"] = edit(
            feeds["EURCHF"], list(range(299, 320)), close=frozen, open=frozen, high=frozen, low=frozen
        )
        found = with_others(feeds, "USDCHF")
        assert counts(found) == remarked(implausible_jump=1)
        assert found.bars.equals(feeds["USDCHF"])

    @pytest.mark.parametrize("factor", [100.0, 0.001, 5.0])
    def test_a_witness_on_another_scale_refutes_no_jump(self, factor):
        """A decimal slip of one pair removed the day on which another one truly moved."""
        feeds = system({300: {"EUR": 0.2}})
        slipped = {name: (pl.col(name) * factor).round(5) for name in PRICES}
        feeds = {"EURCHF": feeds["EURCHF"], "EURUSD": feeds["EURUSD"], "USDCHF": edit(feeds["USDCHF"], 300, **slipped)}
        found = with_others(feeds, "EURCHF")
        assert counts(found) == remarked(shared_jump=1)
        assert found.bars.equals(feeds["EURCHF"])

    def test_without_a_second_road_nothing_refutes(self):
        feeds = system({})
        spiked = edit(feeds["EURUSD"], 300, close=pl.col("close") * 1.2, high=pl.col("high") * 1.2)
        found = cleaned(spiked, feeds["USDJPY"], feeds["USDCHF"])
        assert counts(found) == remarked(reverting_spike=1)
        alone = cleaned(spiked)
        assert alone.bars.equals(found.bars)
        assert (
            alone.account.filter(rule="refuted_spike")["detail"][0] == "does not apply: no other pairs to compare with"
        )


def test_every_rule_has_a_case_in_which_it_applies():
    """Each rule's name stands in the expectation of some test of these two files."""
    here = [path.read_text(encoding="utf-8") for path in map(_beside, ("test_cleaning.py", "test_cleaning_rules.py"))]
    missing = [
        rule.name for rule in RULES if not any(f"{rule.name}" in text.split("test_every_rule")[0] for text in here)
    ]
    assert missing == []


def _beside(name):
    from pathlib import Path

    return Path(__file__).with_name(name)


@given(
    cut=st.integers(20, 500),
    poison=st.sampled_from(["nan", "huge", "reversed", "shuffled", "slipped", "flat"]),
    whom=st.sampled_from(["own", "others", "all"]),
    seed=st.integers(0, 99),
)
def test_the_future_changes_no_earlier_bar(cut, poison, whom, seed):
    """Everything after a time is replaced, here and in other pairs: every bar up to it keeps its bits and its fate."""
    assert not sees_the_future(cut, poison, whom, seed)


def test_a_level_of_the_whole_sample_would_be_seen(monkeypatch):
    monkeypatch.setattr("golden_core.bars.cleaning.scale.levels", lambda close, _: close * 0 + close.log10().median())
    assert sees_the_future(300, "huge", "own", 1)


def test_a_spike_removed_for_what_follows_would_be_seen(monkeypatch):
    def hindsight(bars, *_):
        step = bars["close"].log().diff()
        return ((step.abs() > BOUND) & (step.shift(-1).abs() > BOUND)).fill_null(False)

    monkeypatch.setattr("golden_core.bars.cleaning.refuted", hindsight)
    spikes = hindsight(dirty(1)["EURUSD"]).arg_true()
    assert any(sees_the_future(int(row), "nan", "own", 1) for row in spikes)


def sees_the_future(cut, poison, whom, seed):
    """Return whether poison after a row changes a bar up to it, or the fate of one that was not merely kept."""
    feeds = dirty(seed)
    cutoff = feeds["EURUSD"]["timestamp"][cut]
    poisoned = {
        pair: poison_after(bars, cutoff, poison, seed)
        if whom == "all" or (whom == "own") == (pair == "EURUSD")
        else bars
        for pair, bars in feeds.items()
    }
    before, after = with_others(feeds, "EURUSD"), with_others(poisoned, "EURUSD")
    past = pl.col("timestamp") <= cutoff
    changing = past & (pl.col("action") != "kept")
    return not (
        after.bars.filter(past).equals(before.bars.filter(past))
        and after.ledger.filter(changing).equals(before.ledger.filter(changing))
    )


def dirty(seed):
    """Return consistent feeds with faults of every kind strewn into EURUSD."""
    rng = np.random.default_rng(seed)
    feeds = system({300: {"EUR": 0.1}}, seed=seed)
    bars = feeds["EURUSD"]
    rows = rng.choice(bars.height - 2, 12, replace=False) + 1
    bars = edit(bars, rows[:2], **{name: pl.col(name) * 100 for name in PRICES})
    bars = edit(bars, rows[2:4], **{name: pl.col(name) * 1.2 for name in PRICES})
    bars = edit(bars, rows[4], close=1965.0)
    bars = edit(bars, rows[5], high=0.5)
    bars = edit(bars, rows[6], close=math.nan)
    bars = edit(bars, rows[7], volume=-1.0)
    bars = TestFills.frozen(bars, rows[8], volume=0.0)
    bars = pl.concat([bars, bars[int(rows[9])], edit(bars[int(rows[10])], 0, close=1.0)])
    feeds["EURUSD"] = bars.sort("timestamp", maintain_order=True)
    return feeds


def poison_after(bars, cutoff, poison, seed):
    past, later = bars.filter(pl.col("timestamp") <= cutoff), bars.filter(pl.col("timestamp") > cutoff)
    order = {
        "reversed": np.arange(later.height)[::-1],
        "shuffled": np.random.default_rng(seed).permutation(later.height),
    }.get(poison)
    columns = [name for name in (*PRICES, "volume") if name in bars.columns]
    if order is not None:
        values = later.select(columns)[order.tolist()]
    else:
        change = {"nan": pl.lit(math.nan), "huge": pl.lit(1e9), "flat": pl.lit(1.0)}
        values = later.with_columns(change.get(poison, pl.col(name) * 100).alias(name) for name in columns).select(
            columns
        )
    return pl.concat([past, later.with_columns(values.get_columns())])
