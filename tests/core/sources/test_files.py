"""Bars from Parquet and CSV: times on the vendor's clock, a checked length, faults with pair, row and column."""

import datetime as dt

import numpy as np
import polars as pl
import pytest
from pydantic import ValidationError

from golden_core.bars.cleaning import clean
from golden_core.market.clock import market_open
from golden_core.sources import SourceError
from golden_core.sources.files import Files, FilesSettings
from golden_core.store.schema import BARS

NAMES = {"timestamp": "Time", "open": "O", "high": "H", "low": "L", "close": "C", "volume": None}
CSV = """Time,O,H,L,C
2024-01-02T00:00:00,1.1,1.2,1.0,1.15
2024-01-02 01:00:00,1.15,1.3,1.1,1.2
2024-01-02 02:00:00,1.2,1.3,1.1,1.25
"""


@pytest.fixture
def make(make_data, tmp_path):
    """Return a function that makes the data section for one file under the home."""

    def make(name="bars.csv", columns=None, **changes):
        settings = {"format": "columns", "paths": {"EURUSD": name}, "columns": columns or NAMES}
        january = {"start": dt.date(2024, 1, 1), "end": dt.date(2024, 1, 31), "time_zone": "UTC"}
        return make_data(**{"source": "files", "settings": settings, "bar": "1h", **january, **changes})

    return make


def _times(first, count, hours=1):
    return np.datetime64(first, "us") + np.arange(count) * np.timedelta64(hours, "h")


def _frame(times, **columns):
    size = len(times)
    return pl.DataFrame(
        {"Time": times, "O": [1.1] * size, "H": [1.3] * size, "L": [1.0] * size, "C": [1.2] * size} | columns
    )


def test_csv_is_read_on_the_vendors_clock(make, tmp_path):
    (tmp_path / "bars.csv").write_text(CSV)
    data = make(time_zone="America/New_York")
    raw = Files().read(data, 0, tmp_path)
    bars = Files().bars(raw, data, "EURUSD")
    assert bars.equals(BARS.conform(bars))
    assert bars.columns == ["pair", "timestamp", "available_at", "open", "high", "low", "close"]
    assert bars["timestamp"][0] == dt.datetime(2024, 1, 2, 5, tzinfo=dt.UTC)
    assert bars["available_at"].to_list() == [dt.datetime(2024, 1, 2, hour, tzinfo=dt.UTC) for hour in (6, 7, 8)]
    assert bars["close"].to_list() == [1.15, 1.2, 1.25]


def test_parquet_keeps_the_zone_it_has(make, tmp_path):
    naive = _frame(_times("2024-01-02", 5))
    aware = naive.with_columns(pl.col("Time").dt.replace_time_zone("Asia/Tokyo").dt.cast_time_unit("ns"))
    naive.write_parquet(tmp_path / "naive.parquet")
    aware.write_parquet(tmp_path / "aware.parquet")
    data = make("naive.parquet", time_zone="Europe/Berlin")
    assert Files().read(data, 0, tmp_path)["timestamp"][0] == dt.datetime(2024, 1, 1, 23, tzinfo=dt.UTC)
    data = make("aware.parquet", time_zone="Europe/Berlin")
    assert Files().read(data, 0, tmp_path)["timestamp"][0] == dt.datetime(2024, 1, 1, 15, tzinfo=dt.UTC)


def test_a_day_lasts_from_midnight_to_midnight_when_the_clocks_change(make, tmp_path):
    _frame(_times("2024-03-29", 5, 24)).write_parquet(tmp_path / "d.parquet")
    data = make("d.parquet", bar="1d", time_zone="Europe/Berlin", start=dt.date(2024, 3, 1), end=dt.date(2024, 4, 30))
    bars = Files().read(data, 0, tmp_path)
    assert (bars["available_at"] - bars["timestamp"]).dt.total_hours().to_list() == [24, 24, 23, 24, 24]
    assert bars["available_at"][:-1].equals(bars["timestamp"][1:].alias("available_at"))


def test_days_are_the_vendors(make, tmp_path):
    _frame(_times("2024-01-02T20", 8)).write_parquet(tmp_path / "d.parquet")
    one_day = {"start": dt.date(2024, 1, 2), "end": dt.date(2024, 1, 3)}
    assert Files().read(make("d.parquet", **one_day), 0, tmp_path).height == 8
    data = make("d.parquet", start=dt.date(2024, 1, 1), end=dt.date(2024, 1, 2), time_zone="Pacific/Auckland")
    assert Files().read(data, 0, tmp_path).height == 4


@pytest.mark.parametrize(("bar", "hours", "length"), [("1h", 4, "4h"), ("4h", 24, "1d"), ("1h", 24, "1d")])
def test_longer_bars_are_refused(bar, hours, length, make, tmp_path):
    """A bar of four hours taken for one would be known three hours too early."""
    _frame(_times("2024-01-02", 9, hours)).write_parquet(tmp_path / "d.parquet")
    with pytest.raises(SourceError, match=rf"bars are {length} long, but {bar} is asked for"):
        Files().read(make("d.parquet", bar=bar), 0, tmp_path)


@pytest.mark.parametrize(
    ("text", "changes", "message"),
    [
        (CSV, {"name": "none.csv"}, r"EURUSD: there is no file .*none.csv"),
        (CSV, {"pairs": ("USDJPY",)}, "USDJPY: data.settings.paths has no file for it, only for EURUSD"),
        (CSV, {"columns": NAMES | {"close": "Close"}}, "EURUSD: .* has no column 'Close' for close; it has Time, O, H"),
        (CSV.replace("1.25", "1.2x"), {}, "EURUSD: .*bars.csv: line 4: column 'C': '1.2x' is not a number"),
        (CSV.replace("T00:00:00", "T25:00:00"), {}, r"line 2: '2024-01-02T25:00:00' is not a time like"),
        (CSV.replace("01:00:00", "01:00:00+00:00"), {}, r"line 3: '2024-01-02 01:00:00\+00:00' is not a time like"),
        (CSV.replace("2024-01-02", "02.01.2024"), {}, "line 2: '02.01.2024 .*' can be read in two ways: day before"),
        (CSV, {"settings": {"format": "columns", "paths": {"EURUSD": "bars.csv"}, "columns": None}}, "columns is null"),
        (CSV.replace("2024-01-02", "2023-01-02"), {}, "EURUSD: .* has no bar from 2024-01-01 to 2024-01-31"),
        ("", {}, "EURUSD: .*bars.csv: the file is empty"),
    ],
)
def test_faults_are_named(text, changes, message, make, tmp_path):
    (tmp_path / "bars.csv").write_text(text)
    with pytest.raises(SourceError, match=message):
        Files().read(make(**changes), 0, tmp_path)


def test_the_inverse_of_a_pair_is_refused(make, tmp_path):
    """Euros for a dollar in a study's own file, beside dollars for a euro, which are read."""
    open_ = pl.col("Time").dt.replace_time_zone("UTC").pipe(market_open)
    bars = _frame(_times("2024-01-02", 1000)).filter(open_)
    turned = bars.with_columns(O=0.92, H=0.93, L=0.91, C=0.915)
    data = make("bars.parquet", end=dt.date(2024, 2, 29))
    bars.with_columns(O=1.085, H=1.09, L=1.08, C=1.09).write_parquet(tmp_path / "bars.parquet")
    assert Files().read(data, 0, tmp_path).height == bars.height
    turned.write_parquet(tmp_path / "bars.parquet")
    with pytest.raises(SourceError, match=r"EURUSD: .*bars\.parquet: .* near their inverse: they are of USDEUR"):
        Files().read(data, 0, tmp_path)


def test_rows_of_the_epoch_reach_the_account(make, tmp_path):
    """They are of no day that a study could ask for; left out here, no count would have them."""
    times = np.concatenate([_times("2024-01-08", 46), _times("1970-01-01", 2, hours=5)])
    _frame(times).write_parquet(tmp_path / "e.parquet")
    data = make("e.parquet", start=dt.date(2024, 1, 7), end=dt.date(2024, 1, 8))
    bars = Files().read(data, 0, tmp_path)
    assert bars["timestamp"].dt.year().to_list() == [2024] * 24 + [1970] * 2
    account = clean(bars, data, max_abs_log_return=0.05).account
    assert account.filter(rule="epoch_zero")["rows"].item() == 2


def test_other_formats_are_refused(make, tmp_path):
    (tmp_path / "rubbish.parquet").write_bytes(b"rubbish \xff\xd8")
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 rubbish PAR1")
    _frame([1.5]).write_parquet(tmp_path / "float.parquet")
    with pytest.raises(SourceError, match=r"EURUSD: .*check that it is a text file at all"):
        Files().read(make("rubbish.parquet"), 0, tmp_path)
    with pytest.raises(SourceError, match=r"EURUSD: .*broken.parquet cannot be read as Parquet"):
        Files().read(make("broken.parquet"), 0, tmp_path)
    with pytest.raises(SourceError, match=r"row 1: 1.5 is no whole number since 1970"):
        Files().read(make("float.parquet"), 0, tmp_path)


@pytest.mark.parametrize(
    ("format", "columns", "message"),
    [
        ("auto", NAMES, "columns: must be null with format auto, which knows its columns"),
        ("plain_cvs", None, "must be columns, auto, or a reader: no format is called .* did you mean 'plain_csv'"),
        ("plain_csv:ask", None, "format plain_csv offers only day_first, month_first, year_first, got 'ask'"),
    ],
)
def test_settings_that_contradict_themselves_are_refused(format, columns, message):
    with pytest.raises(ValidationError, match=message):
        FilesSettings.model_validate({"format": format, "paths": {}, "columns": columns})


def test_describe_hashes_every_file(make, tmp_path):
    (tmp_path / "bars.csv").write_text(CSV)
    found = Files().describe(make(), tmp_path)
    assert found["file EURUSD"] == "bars.csv"
    assert len(found["sha256 EURUSD"]) == 64


def test_candles_and_closes_are_not_bars_of_one_study(make, tmp_path):
    """Opens that the closes lack would be empty, and every row unusable."""
    days = [f"2024-01-{day:02}" for day in (2, 3, 4, 5, 8, 9, 10, 11, 12)]
    (tmp_path / "candles.csv").write_text("Time,O,H,L,C\n" + "".join(f"{day},1.1,1.2,1.0,1.15\n" for day in days))
    (tmp_path / "closes.csv").write_text("Time,C\n" + "".join(f"{day},150.{n}\n" for n, day in enumerate(days)))
    both = {"EURUSD": "candles.csv", "USDJPY": "closes.csv"}
    data = make(settings={"format": "auto", "paths": both, "columns": None}, pairs=tuple(both), bar="1d")
    with pytest.raises(SourceError, match=r"^USDJPY: closes alone, where EURUSD has opens, highs and lows"):
        Files().read(data, 0, tmp_path)
