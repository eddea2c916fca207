"""`golden data import`: says what it decided and why, or what is wrong in one line; needs no network."""

import json
from functools import partial

import polars as pl
import pytest
from support.commands import golden, said
from support.text_files import FORMS, NAMES, hourly

from golden_core.vendors import READERS

run = partial(golden, "data", "import")


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("GOLDEN_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def test_help_suffices():
    help_text = " ".join(run("--help").output.split())
    for name in READERS:
        assert name in help_text
    options = ("--pair", "--format", "--zone", "--bar", "--column")
    for part in (*options, "weekends contradict", "EET_US", "golden data import"):
        assert part in help_text


def test_it_says_what_was_decided_and_why(home, tmp_path):
    FORMS["dukascopy_local"].write(hourly("2024-03-03", 4), tmp_path / "x_BID.csv", 5)
    result = run(tmp_path / "x_BID.csv", "--pair", "eur/usd")
    assert result.exit_code == 0, result.output
    for part in (
        "EURUSD from x_BID.csv", "dukascopy_csv: its header names the time as Dukascopy does", "UTC explains 3 of 3",
        "480 bars of 1h, 2024-03-03 22:00:00+00:00 to", "bid, as written", "each row carries its offset from UTC",
        "none is stated: note what you agreed", "sources/imports/EURUSD/x_BID_",
        "faults kept: golden data doctor counts",
    ):  # fmt: skip
        assert part in said(result), part
    (parquet,) = home.rglob("*.parquet")
    assert pl.read_parquet(parquet).height == json.loads(parquet.with_suffix(".json").read_text())["rows"] == 480


def test_columns_zone_and_bar_can_be_declared(home, tmp_path):
    FORMS["declared"].write(hourly("2024-03-03", 4), tmp_path / "x.csv", 5)
    columns = [part for ours, theirs in NAMES.items() for part in ("--column", f"{ours}={theirs}")]
    result = run(tmp_path / "x.csv", "--pair", "EURUSD", "--zone", "UTC", "--bar", "1d", *columns)
    assert result.exit_code == 0, result.output
    assert "plain_csv: its columns were declared" in said(result)
    assert "20 bars of 1d" in said(result)
    assert "faults kept" not in said(result)


def test_a_file_may_have_no_open(home, tmp_path):
    """As that of a broker who writes the day's high and low, and both sides at its end."""
    rows = [f"2024-03-{day},1.0942,1.0945,1.0985,1.0940" for day in range(11, 16)]
    (tmp_path / "x.csv").write_text("\n".join(["Date,Sell,Buy,High,Low", *rows]))
    arguments = (tmp_path / "x.csv", "--pair", "EURUSD", "--zone", "UTC", "--column", "close=Sell")
    assert "no column is called open" in run(*arguments).output
    result = run(*arguments, "--column", "open=")
    assert result.exit_code == 0, result.output
    (parquet,) = home.rglob("*.parquet")
    bars = pl.read_parquet(parquet)
    assert ("open" in bars.columns, bars["high"][0], bars["close"][0]) == (False, 1.0985, 1.0942)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("nothing.csv", "--pair", "EURUSD"), "there is no file nothing.csv"),
        (("x.csv", "--pair", "EUR"), "--pair must be two different currencies"),
        (("x.csv", "--pair", "EURUSD"), "does not state its clock"),
        (("x.csv", "--pair", "EURUSD", "--zone", "Mars"), "unknown clock 'Mars'"),
        (("x.csv", "--pair", "EURUSD", "--zone", "UTC"), "EET_US"),
        (("x.csv", "--pair", "EURUSD", "--format", "metatrader4"), "did you mean 'metatrader4_csv'"),
        (("x.csv", "--pair", "EURUSD", "--zone", "EET_US", "--bar", "1w"), "a bar of '1w' is none of"),
        (("x.csv", "--pair", "USDJPY", "--zone", "EET_US"), "is none of USDJPY"),
        (("x.csv", "--pair", "EURUSD", "--column", "opening=O"), "--column must look like close=NAME"),
        (("x.csv", "--pair", "EURUSD", "--column", "open=O"), "x.csv has no column 'O' for open"),
    ],
)
def test_a_fault_is_one_line_and_exit_status_2(arguments, message, home, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    FORMS["metatrader4"].write(hourly("2024-03-03", 6), tmp_path / "x.csv", 5)
    result = run(*arguments)
    assert result.exit_code == 2
    assert message in result.output
    assert "Traceback" not in result.output
    assert not home.exists()


def test_a_name_that_is_no_text_and_a_home_that_is_a_file(home, tmp_path):
    path = tmp_path / "x[b]\udcff.csv"  # a byte that is not UTF-8, as old archives have them
    FORMS["dukascopy_gmt"].write(hourly("2024-03-03", 2), path, 5)
    result = run(path, "--pair", "EURUSD")
    assert result.exit_code == 0, result.output
    assert "EURUSD from x[b]?.csv" in result.output
    home.rename(tmp_path / "elsewhere")
    home.touch()
    result = run(path, "--pair", "EURUSD")
    assert result.exit_code == 2
    assert result.stderr.startswith(str(home))
    assert len(result.stderr.splitlines()) == 1
