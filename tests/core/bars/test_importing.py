"""From a file to UTC bars and their account: the clock is declared or stated, verified, and never guessed."""

from __future__ import annotations

import datetime as dt
import json
import os
import time
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from support.text_files import FORMS, PRICES, hourly, walk

from golden_core.bars.importing import hash_source, import_file
from golden_core.bars.reading import read_bars
from golden_core.market.clock import market_open
from golden_core.market.local_time import ZoneError
from golden_core.sources import SourceError
from golden_core.sources.files import Files
from golden_core.store.lake import hash_file
from golden_core.store.schema import BARS
from golden_core.vendors.base import VendorError

VENDOR = Path(__file__).parents[3] / "../shared/data/vendor"
SPRING = "2024-03-03"


@pytest.fixture
def written(tmp_path: Path) -> Any:
    """Return a function that writes six weeks of bars in a form and returns the path."""

    def written(name: str, bars: pl.DataFrame | None = None, stem: str = "x") -> Path:
        path = tmp_path / f"{stem}.{FORMS[name].suffix}"
        FORMS[name].write(hourly(SPRING, 6) if bars is None else bars, path, 5)
        return path

    return written


# What is written


@pytest.mark.parametrize("header", ["time,open,high,low,close", "DATE,DEXUSEU"])
def test_an_import_of_days_is_read_again_as_it_was_written(header: str, tmp_path: Path) -> None:
    """A Sunday of 25 hours among them, whose bar is known an hour later than one of 24 would be."""
    days = [day for n in range(90) if (day := dt.date(2024, 9, 1) + dt.timedelta(days=n)).weekday() != 5]
    prices = (",".join([f"{1.1 + n / 1e4:.4f}"] * header.count(",")) for n in range(len(days)))
    path = tmp_path / "EURUSD.csv"
    path.write_text("\n".join([header, *map("{},{}".format, days, prices)]) + "\n")
    imported = import_file(tmp_path / "home", path, "EURUSD", zone="America/New_York")
    again = read_bars(imported.path, "EURUSD", zone="America/New_York")
    assert again.bars.equals(imported.reading.bars)
    known = dict(again.bars.select("timestamp", "available_at").iter_rows())
    sunday = dt.datetime(2024, 11, 3, 4, tzinfo=dt.UTC)
    assert known[sunday] - sunday == dt.timedelta(hours=25)


def test_bars_and_their_account(written: Any, tmp_path: Path) -> None:
    path, home = written("dukascopy_gmt", stem="EUR USD (1)"), tmp_path / "home"
    imported = import_file(home, path, "EURUSD")
    assert imported.path.parent == home / "sources" / "imports" / "EURUSD"
    assert imported.path.name.startswith("EUR_USD_1_")
    bars = pl.read_parquet(imported.path)
    assert bars.equals(BARS.conform(bars))
    assert bars.equals(imported.reading.bars)
    record = json.loads(imported.path.with_suffix(".json").read_text())
    assert record == imported.record
    assert record["sha256"] == hash_file(path)
    expected = {"pair": "EURUSD", "format": "dukascopy_csv", "zone": "UTC", "bar": "1h", "divisor": 1, "rows": 720}
    assert expected.items() <= record.items()
    assert (record["licence"], record["left_out"], record["original"]) == (None, [], "EUR USD (1).csv")
    assert record["zone_evidence"]["weekends"] == 5
    assert record["first"] == "2024-03-03 22:00:00+00:00"
    assert sorted(home.rglob("*.*")) == sorted([imported.path, imported.path.with_suffix(".json")])


def test_the_same_import_has_the_same_name_and_another_one_another(written: Any, tmp_path: Path) -> None:
    path, home = written("plain_iso"), tmp_path / "home"
    first = import_file(home, path, "EURUSD", zone="Europe/Berlin")
    assert import_file(home, path, "EURUSD", zone="Europe/Berlin").path == first.path
    assert import_file(home, path, "EURUSD", zone="Europe/Berlin", bar="4h").path != first.path
    written("plain_iso", hourly(SPRING, 6, seed=1))
    assert import_file(home, path, "EURUSD", zone="Europe/Berlin").path != first.path


def test_nothing_is_written_of_a_file_that_is_refused(written: Any, tmp_path: Path) -> None:
    with pytest.raises(ZoneError):
        import_file(tmp_path / "home", written("metatrader5"), "EURUSD", zone="UTC")
    assert not (tmp_path / "home").exists()


def test_a_file_that_grows_while_it_is_read_is_not_imported(written: Any, tmp_path: Path, monkeypatch: Any) -> None:
    """Its account would name bytes that its bars are not of."""
    path = written("dukascopy_gmt")

    def read(*given: Any, **how: Any) -> Any:
        reading = read_bars(*given, **how)
        with path.open("a") as file:
            file.write("\n")
        return reading

    monkeypatch.setattr("golden_core.bars.importing.read_bars", read)
    with pytest.raises(VendorError, match=r"x\.csv: changed while it was read; give the command again once"):
        import_file(tmp_path / "home", path, "EURUSD")
    assert not (tmp_path / "home").exists()


def test_a_history_without_bars_is_not_imported(tmp_path: Path) -> None:
    path = tmp_path / "EURUSD" / "2024" / "00" / "01" / "10h_ticks.bi5"
    path.parent.mkdir(parents=True)
    path.touch()
    with pytest.raises(VendorError, match=r"10h_ticks.bi5: the file holds no bar; fetch it again, or leave it out"):
        import_file(tmp_path / "home", path, "EURUSD")


def test_a_killed_import_leaves_no_bars_without_account(written: Any, tmp_path: Path, monkeypatch: Any) -> None:
    def fail(*arguments: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("golden_core.bars.importing.write_parquet", fail)
    with pytest.raises(KeyboardInterrupt):
        import_file(tmp_path / "home", written("dukascopy_gmt"), "EURUSD")
    assert [path.suffix for path in (tmp_path / "home").rglob("*.*")] == [".json"]


def test_a_folder_is_known_by_all_its_files(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x").write_text("1")
    before = hash_source(tmp_path)
    (tmp_path / "a" / "y").write_text("")
    assert hash_source(tmp_path) != before
    assert hash_source(tmp_path / "a" / "x") == hash_file(tmp_path / "a" / "x")
    before = hash_source(tmp_path)
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.txt")).write_text("a name that is no text")
    assert hash_source(tmp_path) != before


def test_duplicates_order_and_errors_are_left_to_cleaning(written: Any) -> None:
    bars = hourly(SPRING, 6)
    odd = pl.concat([bars[:50], bars[40:45], bars[50:60].reverse(), bars[60:]])
    odd = odd.with_columns(close=pl.when(pl.int_range(pl.len()) == 7).then(0.0).otherwise("close"))
    read = read_bars(written("dukascopy_gmt", odd), "EURUSD")
    assert read.bars["timestamp"].equals(odd["timestamp"])
    assert read.bars["close"].equals(odd["close"])


def test_rows_of_epoch_zero_are_left_to_cleaning(written: Any) -> None:
    bars = hourly(SPRING, 6)
    zero = bars[:1].with_columns(timestamp=pl.lit(0).cast(pl.Datetime("us", "UTC")))
    read = read_bars(written("plain_seconds", pl.concat([bars[:99], zero, bars[99:]])), "EURUSD")
    assert read.bars["timestamp"][99] == dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
    assert (read.bar, read.zone, read.bars.height) == ("1h", "UTC", 721)


# The clock


def test_a_file_that_is_silent_about_its_clock_needs_a_declaration(written: Any) -> None:
    with pytest.raises(VendorError, match=r"does not state its clock, and none is declared; the weekends read "
                       r"EET_US.* Ask the vendor, then declare it: --zone NAME, such as EET_US, UTC"):  # fmt: skip
        read_bars(written("metatrader5"), "EURUSD")
    with pytest.raises(VendorError, match="it has too few weekends to read one off"):
        read_bars(written("metatrader5", hourly(SPRING, 1)), "EURUSD")


def test_a_silent_file_of_days_has_weekends_and_no_hours(tmp_path: Path) -> None:
    days = [dt.date(2022, 1, 3) + dt.timedelta(days=day) for day in range(800)]
    rows = [f"{day},1.1,1.2,1.0,1.15" for day in days if day.weekday() < 5]
    path = tmp_path / "EURUSD.csv"
    path.write_text("\n".join(["date,open,high,low,close", *rows]) + "\n")
    with pytest.raises(VendorError, match=r"none is declared; whole days do not show where they begin. Ask the vendor"):
        read_bars(path, "EURUSD")


@pytest.mark.parametrize("zone", ["UTC", "EET", "UTC+02:00", "America/New_York"])
def test_a_declaration_that_the_weekends_contradict_stops_the_import(zone: str, written: Any) -> None:
    with pytest.raises(ZoneError) as caught:
        read_bars(written("metatrader5"), "EURUSD", zone=zone)
    assert "x.csv: " in str(caught.value)
    assert zone in str(caught.value)


def test_a_header_that_lies_is_found_and_can_be_overruled(written: Any) -> None:
    bars = hourly(SPRING, 6)
    path = written("dukascopy_eet")
    path.write_text(path.read_text().replace("Time (EET)", "Gmt time"))
    with pytest.raises(ZoneError, match="The clock is the file's own word: declare the right one with --zone"):
        read_bars(path, "EURUSD")
    read = read_bars(path, "EURUSD", zone="EET")
    assert read.bars["timestamp"].equals(bars["timestamp"])
    assert "the file says UTC, which the trading week contradicts: it is read by EET, as declared" in read.notes


@pytest.mark.parametrize("weeks", [1, 6])
def test_a_declaration_does_not_overrule_a_file_that_may_be_right(weeks: int, written: Any, tmp_path: Path) -> None:
    bars = hourly("2024-01-07", weeks)
    path = written("dukascopy_eet", bars)
    with pytest.raises(ValueError, match="UTC"):
        read_bars(path, "EURUSD", zone="UTC")
    assert read_bars(path, "EURUSD", zone="UTC+02:00").bars["timestamp"].equals(bars["timestamp"])  # the same in winter
    if weeks == 1:
        with pytest.raises(VendorError, match=r"says its clock is EET, the declaration says UTC, .* declare EET"):
            read_bars(path, "EURUSD", zone="UTC")


@pytest.mark.parametrize(("values", "refused"), [(["EURUSD"], False), (["EUR/USD.m"], False), (["USDJPY"], True),
                                                 (["EURUSD", "USDJPY"], True)])  # fmt: skip
def test_rows_that_say_another_pair_are_refused(values: list[str], refused: bool, tmp_path: Path) -> None:
    bars = hourly(SPRING, 2).with_columns(Symbol=pl.lit(values).list.get(pl.int_range(pl.len()) % len(values)))
    bars.write_parquet(tmp_path / "x.parquet")
    if refused:
        with pytest.raises(VendorError, match="column 'Symbol' says 'USDJPY', but EURUSD is asked for"):
            read_bars(tmp_path / "x.parquet", "EURUSD")
    else:
        assert read_bars(tmp_path / "x.parquet", "EURUSD").bars.height == bars.height


def test_rows_that_say_utc_but_are_not(written: Any, tmp_path: Path) -> None:
    """A broker's server time stored as if it were UTC: refused, and read as declared if the weekends agree."""
    bars = hourly(SPRING, 6)
    shown = bars.with_columns(pl.col("timestamp").dt.convert_time_zone("America/New_York").dt.replace_time_zone(None)
                              .dt.offset_by("7h").dt.replace_time_zone("UTC"))  # fmt: skip
    shown.write_parquet(tmp_path / "x.parquet")
    with pytest.raises(ZoneError, match="EET_US"):
        read_bars(tmp_path / "x.parquet", "EURUSD")
    with pytest.raises(ZoneError, match=r"UTC\+02:00"):
        read_bars(tmp_path / "x.parquet", "EURUSD", zone="UTC+02:00")
    read = read_bars(tmp_path / "x.parquet", "EURUSD", zone="EET_US")
    assert read.bars["timestamp"].equals(bars["timestamp"])
    assert "the rows say UTC, which the trading week contradicts: they are read by EET_US, as declared" in read.notes


def test_offsets_of_rows_count_more_than_a_declaration(written: Any) -> None:
    read = read_bars(written("dukascopy_local"), "EURUSD", zone="Asia/Tokyo")
    assert read.bars["timestamp"].equals(hourly(SPRING, 6)["timestamp"])
    assert read.zone == "UTC"
    assert "every row carries its own offset, which counts; Asia/Tokyo only says where days begin" in read.notes


# How long a bar is


def test_a_day_of_the_vendors_calendar_may_have_23_hours(tmp_path: Path) -> None:
    days = pl.datetime_range(pl.datetime(2024, 3, 25), pl.datetime(2024, 4, 5), "1d", eager=True).alias("date")
    walk(days, seed=0, pair="EURUSD").rename({"timestamp": "date"}).write_csv(tmp_path / "x.csv")
    read = read_bars(tmp_path / "x.csv", "EURUSD", zone="Europe/Berlin").bars
    assert (read["available_at"] - read["timestamp"]).dt.total_hours().to_list() == [24] * 6 + [23] + [24] * 5
    read = read_bars(tmp_path / "x.csv", "EURUSD", zone="EET_US").bars
    assert read["available_at"][:-1].equals(read["timestamp"][1:].alias("available_at"))


def test_shorter_bars_are_put_together(written: Any) -> None:
    read = read_bars(written("dukascopy_gmt"), "EURUSD", bar="4h")
    assert read.bars.height == 180
    assert (read.bars["available_at"] - read.bars["timestamp"]).unique().to_list() == [dt.timedelta(hours=4)]
    assert "bars of 1h were made into bars of 4h" in read.notes


def swapped(bars: pl.DataFrame) -> pl.DataFrame:
    return bars[[*range(100), 101, 100, *range(102, bars.height)]]


def edited(**values: Any) -> Any:
    return lambda bars: bars.with_columns(
        pl.when(pl.int_range(pl.len()) == 130).then(value).otherwise(name).alias(name) for name, value in values.items()
    )


@pytest.mark.parametrize(
    ("fault", "reasons", "repaired"),
    [
        (lambda bars: pl.concat([bars[:200], bars[150:]]), ["identical_duplicate"] * 50, ""),
        (swapped, [], "1 repaired (out_of_order)"),
        (edited(timestamp=pl.lit(dt.datetime(1970, 1, 1, tzinfo=dt.UTC))), ["epoch_zero"], ""),
        (edited(high=1965.0), ["off_scale_price"], ""),
        (edited(low=0.0), ["unusable_price"], ""),
        (edited(high=0.5), ["inconsistent_range"], ""),
        (edited(**{name: pl.col(name) * 10 for name in PRICES}), [], "1 repaired (decimal_slip)"),
    ],
)
def test_a_bad_minute_does_not_spoil_its_hour(fault: Any, reasons: list[str], repaired: str, tmp_path: Path) -> None:
    """Shorter bars are cleaned before they are put together, and every one that is left out is named."""
    times = pl.datetime_range(
        dt.datetime(2024, 3, 4, tzinfo=dt.UTC), dt.datetime(2024, 3, 6, tzinfo=dt.UTC), "1m", eager=True
    )
    bars = walk(times[:-1].alias("timestamp"), seed=0, pair="EURUSD")
    calm = bars.with_columns(high=pl.max_horizontal("open", "close"), low=pl.min_horizontal("open", "close"))
    for name, table in (("good", calm), ("bad", fault(calm))):
        table.write_csv(tmp_path / f"{name}.csv", datetime_format="%Y-%m-%dT%H:%M:%SZ")
    good, bad = (read_bars(tmp_path / f"{name}.csv", "EURUSD", bar="1h") for name in ("good", "bad"))
    assert bad.bars.height == 48
    assert bad.left_out["reason"].to_list() == reasons
    assert repaired in " ".join(bad.notes)
    hour = dt.datetime(2024, 3, 4, 2, tzinfo=dt.UTC)
    assert bad.bars.filter(pl.col("timestamp") != hour).equals(good.bars.filter(pl.col("timestamp") != hour))
    spoilt = bad.bars.filter(timestamp=hour).row(0, named=True)
    whole = good.bars.filter(timestamp=hour).row(0, named=True)
    assert all(spoilt[name] == pytest.approx(whole[name], rel=1e-3) for name in PRICES)
    if len(reasons) == 1:
        assert bad.left_out["line"].to_list() == [132]
        assert "1 of 48 of them partial" in " ".join(bad.notes)


def test_a_slip_in_a_minute_of_silence_does_not_spoil_its_hour(tmp_path: Path) -> None:
    """A copy of the close before, without volume, is no fault in a longer bar; ten times that close is one."""
    times = pl.datetime_range(
        dt.datetime(2024, 3, 4, tzinfo=dt.UTC), dt.datetime(2024, 3, 4, 11, 59, tzinfo=dt.UTC), "1m", eager=True
    )
    bars = walk(times.alias("timestamp"), seed=0, pair="EURUSD")
    calm = bars.with_columns(high=pl.max_horizontal("open", "close"), low=pl.min_horizontal("open", "close"))
    row, before = pl.int_range(pl.len()), calm["close"][149]
    for name, factor in (("good", 1), ("bad", 100)):
        price = round(before * factor, 5)
        silent = {column: pl.when(row == 150).then(price).otherwise(column) for column in PRICES}
        table = calm.with_columns(**silent, volume=pl.when(row == 150).then(0.0).otherwise(5.0))
        table.write_csv(tmp_path / f"{name}.csv", datetime_format="%Y-%m-%dT%H:%M:%SZ")
    good, bad = (read_bars(tmp_path / f"{name}.csv", "EURUSD", bar="1h").bars for name in ("good", "bad"))
    assert bad.equals(good)


def test_minutes_of_which_none_is_sound_are_refused_with_the_reasons(tmp_path: Path) -> None:
    times = pl.datetime_range(pl.datetime(2024, 3, 9), pl.datetime(2024, 3, 10), "1m", eager=True)
    walk(times.alias("timestamp"), seed=0, pair="EURUSD").write_csv(tmp_path / "x.csv")
    with pytest.raises(
        VendorError, match=r"x.csv: none of its 1441 bars is sound: 1,441 quarantined \(outside_trading_w"
    ):
        read_bars(tmp_path / "x.csv", "EURUSD", zone="UTC", bar="1h")


def test_bars_across_the_border_of_longer_ones_are_refused(tmp_path: Path) -> None:
    times = pl.datetime_range(pl.datetime(2024, 3, 4), pl.datetime(2024, 3, 8), "4h", eager=True)
    walk(times.alias("timestamp"), seed=0, pair="EURUSD").write_csv(tmp_path / "x.csv")
    with pytest.raises(
        VendorError, match=r"x.csv: its bars cannot be made into bars of 1d: .* across the end of a bar"
    ):
        read_bars(tmp_path / "x.csv", "EURUSD", zone="UTC", bar="1d")


@pytest.mark.parametrize("zone", ["UTC", "Europe/London"])
def test_a_file_that_runs_newest_first_is_turned_round(zone: str, tmp_path: Path) -> None:
    """It is a vendor's style, and no row of it is out of order; a repeated hour is still told apart."""
    times = pl.datetime_range(
        dt.datetime(2023, 10, 15, 21, tzinfo=dt.UTC), dt.datetime(2023, 11, 12, tzinfo=dt.UTC), "1h", eager=True
    )
    bars = walk(times.alias("timestamp"), seed=0, pair="EURUSD")
    open_ = market_open(pl.col("timestamp"))
    local = bars.with_columns(pl.when(open_).then(name).otherwise(1.1).alias(name) for name in PRICES)
    local = local.with_columns(pl.col("timestamp").dt.convert_time_zone(zone).dt.replace_time_zone(None))
    local.write_csv(tmp_path / "forwards.csv")
    local.reverse().write_csv(tmp_path / "backwards.csv")
    forwards, backwards = (
        read_bars(tmp_path / name, "EURUSD", zone=zone) for name in ("forwards.csv", "backwards.csv")
    )
    assert backwards.bars.equals(forwards.bars)
    assert backwards.bars["timestamp"].equals(times)
    assert "the rows run from the newest to the oldest: they are read from the end" in backwards.notes


@pytest.mark.parametrize(
    ("minutes", "bar", "message"),
    [
        (240, "1h", "bars are 4h long, but 1h is asked for: longer bars cannot be cut"),
        (60, "2h", "a bar of '2h' is none of 1m, 5m"),
        (90, None, r"bars are 90 minutes apart \(median\), which is none of 1m"),
        (None, None, "a single row does not show how long a bar is; declare it with --bar"),
    ],
)
def test_a_length_that_cannot_be_is_refused(minutes: int | None, bar: str | None, message: str, tmp_path: Path) -> None:
    times = pl.datetime_range(pl.datetime(2024, 3, 25), pl.datetime(2024, 3, 27), f"{minutes or 9999}m", eager=True)
    walk(times.alias("timestamp"), seed=0, pair="EURUSD").write_csv(tmp_path / "x.csv")
    with pytest.raises(VendorError, match=message):
        read_bars(tmp_path / "x.csv", "EURUSD", zone="UTC", bar=bar)
    if minutes is None:
        assert read_bars(tmp_path / "x.csv", "EURUSD", zone="UTC", bar="1h").bars.height == 1


# The source of a study


def test_the_source_reads_vendors_formats(written: Any, make_data: Any, tmp_path: Path) -> None:
    bars = hourly(SPRING, 6)
    days = {"start": dt.date(2024, 3, 1), "end": dt.date(2024, 5, 1), "bar": "1h", "source": "files"}
    for name in ("dukascopy_local", "metatrader4", "histdata_m1", "parquet_aware"):
        path = written(name)
        settings = {"format": "auto", "paths": {"EURUSD": path.name}, "columns": None}
        zone = FORMS[name].said.get("zone", "UTC-05:00" if name == "histdata_m1" else "UTC")
        data = make_data(**days, settings=settings, time_zone=zone)
        read = Files().read(data, 0, tmp_path)
        volume = pl.lit(0.0) if name == "histdata_m1" else pl.col("volume")
        assert read.drop("pair", "available_at").equals(bars.with_columns(volume=volume)), name
        assert Files().describe(data, tmp_path)["format"] == "auto"
    wrong = make_data(**days, settings=settings | {"paths": {"EURUSD": "x.csv"}}, time_zone="Europe/Berlin")
    written("metatrader4")
    with pytest.raises(SourceError, match=r"EURUSD: .*x.csv: .*Europe/Berlin"):
        Files().read(wrong, 0, tmp_path)


def test_an_import_is_read_by_the_source(written: Any, make_data: Any, tmp_path: Path) -> None:
    imported = import_file(tmp_path, written("metatrader5"), "EURUSD", zone="EET_US")
    settings = {"format": "auto", "paths": {"EURUSD": str(imported.path.relative_to(tmp_path))}, "columns": None}
    days = {"start": dt.date(2024, 3, 1), "end": dt.date(2024, 5, 1), "bar": "1h", "source": "files"}
    read = Files().read(make_data(**days, settings=settings, time_zone="UTC"), 0, tmp_path)
    assert read.equals(imported.reading.bars)


# Speed, and real files


def test_fifteen_years_of_hours_take_less_than_a_second_of_work(tmp_path: Path) -> None:
    """Processor time, of which a busy machine takes none; the measured time is about a quarter of the bound."""
    bars = hourly("2010-01-03", 52 * 15)
    FORMS["dukascopy_local"].write(bars, tmp_path / "x.csv", 5)
    assert bars.height == 93_600
    import_file(tmp_path / "warm", tmp_path / "x.csv", "EURUSD")
    start = time.process_time()
    imported = import_file(tmp_path / "home", tmp_path / "x.csv", "EURUSD")
    assert time.process_time() - start < 1
    assert imported.reading.bars["timestamp"].equals(bars["timestamp"])


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "pair", "rows", "first", "last"),
    [
        ("EURUSD_Candlestick_1_Hour_BID_01.01.2024-01.01.2025.csv", "EURUSD", 6312, "2023-12-31T23", "2025-01-01T22"),
        ("USDJPY_Candlestick_1_Hour_BID_01.01.2024-01.01.2025.csv", "USDJPY", 6312, "2023-12-31T23", "2025-01-01T22"),
        ("EURUSD_Candlestick_1_Hour_BID_01.07.2020-15.07.2023.csv", "EURUSD", 17768, "2020-07-01T00", "2023-07-14T20"),
        ("DAT_ASCII_EURUSD_M1_201202.EXCERPT.csv", "EURUSD", 5, "2012-02-01T05:00", "2012-02-01T05:04"),
        ("oanda_EURUSD_H1.csv", "EURUSD", 24, "2025-10-15T00", "2025-10-15T23"),
    ],
)
def test_real_files(name: str, pair: str, rows: int, first: str, last: str) -> None:
    path = VENDOR / name
    if not path.exists():
        pytest.skip(f"{path} is absent")
    read = read_bars(path, pair)
    span = [dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC) for text in (first, last)]
    assert (read.bars.height, [read.bars["timestamp"][0], read.bars["timestamp"][-1]]) == (rows, span)
    assert read.bars["timestamp"].is_sorted()
    assert read.divisor == 1
    if rows > 1000:
        assert read.evidence.verdict == "verified"
        assert read.evidence.agreeing >= 0.9 * read.evidence.weekends
        # Trade begins on Sunday at 17:00 New York in all weeks, those between two changes of the clocks included.
        traded = read.bars.filter(pl.col("volume") > 0)["timestamp"]
        opens = traded.filter(traded.diff() > dt.timedelta(hours=40)).dt.convert_time_zone("America/New_York")
        assert opens.dt.hour().min() == 17
        assert (opens.dt.hour() == 17).mean() > 0.9
    if read.claim.format == "dukascopy_csv":
        prices = read.bars.select(PRICES).to_numpy()
        assert (prices.max(axis=1) == read.bars["high"].to_numpy()).all()


@pytest.mark.parametrize("silent", [0, 7])
def test_minutes_without_a_tick_are_silence_and_a_minute_left_out_is_missing(silent: int, tmp_path: Path) -> None:
    times = pl.datetime_range(
        dt.datetime(2024, 3, 4, tzinfo=dt.UTC), dt.datetime(2024, 3, 4, 11, 59, tzinfo=dt.UTC), "1m", eager=True
    )
    bars = walk(times.alias("timestamp"), seed=0, pair="EURUSD")
    calm = bars.with_columns(high=pl.max_horizontal("open", "close"), low=pl.min_horizontal("open", "close"))
    spoilt = calm.with_columns(low=pl.when(pl.int_range(pl.len()) == 130).then(0.0).otherwise("low"))
    quiet = spoilt.filter(~pl.col("timestamp").dt.minute().is_between(20, 19 + silent))
    quiet.write_csv(tmp_path / "x.csv", datetime_format="%Y-%m-%dT%H:%M:%SZ")
    notes = " ".join(read_bars(tmp_path / "x.csv", "EURUSD", bar="1h").notes)
    assert "1 of 12 of them partial: something is missing in them" in notes
    assert ("11 of 12 of them with minutes of silence, which have no bar" in notes) == bool(silent)


def test_a_file_of_days_may_have_one_whose_midnight_was_skipped(tmp_path: Path) -> None:
    days = pl.datetime_range(pl.datetime(1980, 3, 24), pl.datetime(1980, 4, 11), "1d", eager=True).alias("date")
    walk(days.filter(days.dt.weekday() < 6), seed=0, pair="EURUSD").rename({"timestamp": "date"}).write_csv(
        tmp_path / "x.csv"
    )
    read = read_bars(tmp_path / "x.csv", "EURUSD", zone="Europe/Athens").bars
    assert read.height == 15
    assert read["timestamp"].dt.strftime("%m-%d %H").to_list()[6] == "03-31 22"
