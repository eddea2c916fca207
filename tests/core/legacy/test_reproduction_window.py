"""The bars of the record and the published window in them: found where it lies, said where it does not."""

import datetime as dt
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from support.record import flat_bars, hourly_bars, small_record

from golden_core.legacy.reproduction.published import RecordError, read_record
from golden_core.legacy.reproduction.window import active_bars, merge_files, price_errors, published_window
from golden_core.preparation.catalogue import load_study
from golden_core.sources.base import SourceError
from golden_core.store.lake import Home, hash_file

HOURLY = Path(__file__).parents[3] / "../shared/data/hourly"
BARS = hourly_bars(400)
RECORD = small_record(BARS["close"].to_numpy())


def test_the_end_is_found_though_later_bars_follow_and_flat_ones_lie_between():
    bars = hourly_bars(900)
    record = small_record(bars["close"].to_numpy()[:700])
    mixed = pl.concat([bars, flat_bars(bars)]).sample(fraction=1, shuffle=True, seed=1)
    window = published_window(mixed, record)
    assert window.recovered
    assert window.ends == (bars["timestamp"][699],)
    assert window.verdict.startswith("recovered")
    assert "it is the only one" in window.verdict
    assert (active_bars(mixed).height, window.tried) == (900, 841)
    assert [split.of.targets for split in window.splits] == [37, 57]
    assert [split.first_target for split in window.splits] == [bars["timestamp"][663], bars["timestamp"][643]]


def test_errors_of_the_random_walk_are_those_of_the_bars_before():
    bars = hourly_bars(200)
    closes = bars["close"].to_numpy()
    (split, _) = published_window(bars, small_record(closes)).splits
    truth, steps = closes[-37:], np.diff(closes[-38:])
    assert split.variance == pytest.approx(np.mean(truth**2) - np.mean(truth) ** 2, rel=1e-6)
    assert split.random_walk["mae"] == pytest.approx(np.abs(steps).sum() / 37)
    assert split.random_walk["mse"] == pytest.approx((steps**2).sum() / 37)
    assert split.random_walk["rmse"] ** 2 == pytest.approx(split.random_walk["mse"])
    assert split.random_walk["rmse"] ** 2 / (1 - split.random_walk["r2"]) == pytest.approx(split.variance)


def test_a_flat_bar_that_was_traded_stays():
    flat = flat_bars(hourly_bars(100).with_columns(volume=pl.lit(1.0)))
    assert active_bars(flat).equals(flat)
    for volume in (0.0, None):
        assert active_bars(flat.with_columns(volume=pl.lit(volume, pl.Float64))).is_empty()


def test_other_prices_are_not_recovered_and_the_verdict_says_what_differs():
    window = published_window(hourly_bars(400, "another vendor"), RECORD)
    assert (window.recovered, window.ends) == (False, ())
    assert window.verdict.startswith(
        "not recovered: up to the bar of 2025-02-18 23:00 UTC, 96/2/2: the 37 targets have"
    )
    assert "Ends that fit every split: no bar of the file" in window.verdict


def test_one_missing_bar_is_seen():
    assert not published_window(pl.concat([BARS[:380], BARS[381:]]), RECORD).recovered
    before_the_window = pl.concat([BARS[:300], BARS[301:]])
    assert published_window(before_the_window, RECORD).recovered


def test_one_split_that_fits_is_not_enough():
    other = small_record(hourly_bars(90, "other prices")["close"].to_numpy())
    wrong = replace(RECORD.splits["94/3/3"], variance=other.splits["94/3/3"].variance)
    window = published_window(BARS, replace(RECORD, splits={**RECORD.splits, "94/3/3": wrong}))
    assert not window.recovered
    assert [split.fits for split in window.splits] == [True, False]


def test_rows_that_cannot_have_had_one_test_set_are_named():
    torn = replace(RECORD.splits["96/2/2"], variance=None)
    window = published_window(BARS, replace(RECORD, splits={**RECORD.splits, "96/2/2": torn}))
    assert "96/2/2: the published rows (v02, v03) cannot have had one test set" in window.verdict


def test_several_ends_that_fit_are_all_listed():
    bars = hourly_bars(120)
    twice = pl.concat([bars.with_columns(pl.col("timestamp") - dt.timedelta(days=14)), bars])
    window = published_window(twice, small_record(bars["close"].to_numpy()))
    assert window.recovered
    assert len(window.ends) == 2
    assert "2 bars would do" in window.verdict
    assert window.splits[0].last_target == bars["timestamp"][-1]


def test_too_few_bars_are_refused():
    bars = hourly_bars(100)
    record = small_record(bars["close"].to_numpy())
    with pytest.raises(RecordError, match="59 active bars, the published test part alone has 60"):
        published_window(bars[:59], record)
    later = bars.with_columns(pl.col("timestamp") + dt.timedelta(days=3))
    torn = replace(record, splits={name: replace(split, variance=None) for name, split in record.splits.items()})
    with pytest.raises(RecordError, match="active bars up to 2025-02-18, the record's last day"):
        published_window(later, torn)


def test_one_price_throughout_has_no_r2():
    with pytest.raises(RecordError, match="3 targets are the same price"):
        price_errors(np.array([1.0, 2, 3]), np.ones(3))


def test_the_record_itself():
    """Published Table III: RMSE² / (1 − R²) is 2.387e-4 for v_02 … v_10 and 8.27e-4 for v_01."""
    record = read_record()
    first, others = record.splits["94/3/3"], record.splits["96/2/2"]
    assert (first.variants, first.validation_rows, first.test_rows, first.targets) == (("v01",), 2832, 2832, 2829)
    assert others.variants == tuple(f"v{number:02d}" for number in range(2, 11))
    assert (others.validation_rows, others.test_rows, others.targets) == (1888, 1888, 1885)
    assert 2.387e-4 in record.splits["96/2/2"].variance
    assert 8.27e-4 in record.splits["94/3/3"].variance
    assert 2.387e-4 not in record.rows["v01"].variance
    assert (record.file_rows, record.last_day) == (94_390, dt.date(2025, 2, 18))
    assert record.rows["v08"].values == {"mae": 0.001345, "mse": 0.000003, "rmse": 0.001863, "r2": 0.985467}


@pytest.mark.shared
def test_the_window_in_dukascopys_bars():
    path = HOURLY / "EURUSD_dukascopy_2015_2025.parquet"
    if not path.exists():
        pytest.skip(f"{path} is not there")
    window = published_window(pl.read_parquet(path))
    assert window.recovered
    assert window.ends == (dt.datetime(2025, 2, 18, 23, tzinfo=dt.UTC),)
    splits = {split.of.shares: split for split in window.splits}
    # Recomputed from the same file for the developers' notes, by other means.
    for shares, n, rmse, mae, r2, variance in (
        ("96/2/2", 1885, 0.0011975, 0.00074639, 0.993992, 2.38697e-4),
        ("94/3/3", 2829, 0.0010809, 0.00067246, 0.998587, 8.26676e-4),
    ):
        found = splits[shares]
        assert found.of.targets == n
        assert found.random_walk["rmse"] == pytest.approx(rmse, abs=5e-8)
        assert found.random_walk["mae"] == pytest.approx(mae, abs=5e-9)
        assert found.random_walk["r2"] == pytest.approx(r2, abs=5e-7)
        assert found.variance == pytest.approx(variance, rel=3e-6)


@pytest.mark.shared
@pytest.mark.parametrize("pair", ["EURUSD", "GBPUSD"])
def test_another_feed_and_another_pair_are_not_taken_for_it(pair):
    path = HOURLY / f"{pair}_broker_2010_2025.parquet"
    if not path.exists():
        pytest.skip(f"{path} is not there")
    window = published_window(pl.read_parquet(path))
    assert not window.recovered
    assert window.ends == ()


DATA = load_study("legacy").data


@pytest.fixture
def home(tmp_path):
    return Home(tmp_path / "home", tmp_path / "reports")


def written(bars, path):
    bars.write_parquet(path)
    return path


@pytest.fixture
def merge(home, tmp_path):
    """Merge the bars of an early and of a late file."""

    def merging(late, early):
        late, early = written(late, tmp_path / "late.parquet"), written(early, tmp_path / "early.parquet")
        return merge_files(home, DATA, "EURUSD", late, early)

    return merging


def test_one_file_keeps_its_active_bars_in_the_order_of_time(home, tmp_path):
    bars = hourly_bars(50)
    flat = flat_bars(bars[:5])
    path = written(pl.concat([flat, bars.reverse()]), tmp_path / "mine.parquet")
    merged = merge_files(home, DATA, "EURUSD", path, None)
    assert merged.bars["timestamp"].equals(bars["timestamp"])
    assert merged.bars["close"].equals(bars["close"])
    (account,) = merged.files
    assert (account["name"], account["sha256"]) == ("mine.parquet", hash_file(path))
    assert [account[name] for name in ("read", "inactive", "superseded", "used")] == [55, 5, 0, 50]
    assert account["last"] == "2025-02-18 23:00:00+00:00"
    assert merged.overlap is None


def test_an_earlier_file_gives_only_what_lies_before(merge):
    bars = hourly_bars(100)
    shifted = bars.with_columns(pl.col("close") + 1e-5, pl.col("high") + 1e-4)
    merged = merge(bars[40:], shifted[:70])
    assert merged.bars["timestamp"].equals(bars["timestamp"])
    np.testing.assert_array_equal(merged.bars["close"].to_numpy()[:40], shifted["close"].to_numpy()[:40])
    np.testing.assert_array_equal(merged.bars["close"].to_numpy()[40:], bars["close"].to_numpy()[40:])
    told = [[account[name] for name in ("name", "read", "superseded", "used")] for account in merged.files]
    assert told == [["early.parquet", 70, 30, 40], ["late.parquet", 60, 0, 60]]
    assert merged.overlap["bars"] == 30
    assert merged.overlap["median_difference"] == pytest.approx(1e-5, rel=1e-6)


def test_flat_bars_before_the_later_file_trades_belong_to_it(merge):
    bars = hourly_bars(60)
    closed = bars[30:35].with_columns(pl.col("close").alias(name) for name in ("open", "high", "low"))
    assert merge(pl.concat([closed, bars[35:]]), bars).bars.height == 55


def test_files_without_a_common_bar_have_no_overlap(merge):
    assert merge(BARS[30:], BARS[:30]).overlap is None


def test_a_clock_that_is_an_hour_off_is_refused(merge):
    wrong = BARS[:300].with_columns(pl.col("timestamp") + dt.timedelta(hours=1))
    with pytest.raises(SourceError, match=r"early\.parquet: the file is declared to keep UTC, but its weekends read"):
        merge(BARS[100:], wrong)


def test_other_prices_show_in_the_overlap(merge):
    wrong = BARS[:300].with_columns(pl.col("open", "high", "low", "close") + 0.001)
    assert merge(BARS[100:], wrong).overlap["median_difference"] == pytest.approx(0.001)


def test_a_file_that_adds_nothing_or_is_not_there_is_refused(home, tmp_path, merge):
    bars = hourly_bars(60)
    with pytest.raises(SourceError, match=r"has no bar before .*late.parquet, which begins at 2025-02-14 12:00"):
        merge(bars, bars[10:])
    with pytest.raises(SourceError, match="there is no file"):
        merge_files(home, DATA, "EURUSD", tmp_path / "absent.parquet", None)
    with pytest.raises(SourceError, match=r"EURUSD: .* is a folder; columns are declared for one table"):
        merge_files(home, DATA, "EURUSD", tmp_path, None)


def test_nothing_is_filled_in_and_order_does_not_matter():
    bars = hourly_bars(30)
    gaps = bars.filter(pl.col("timestamp").dt.hour() != 5)
    assert active_bars(gaps.reverse()).equals(gaps)
