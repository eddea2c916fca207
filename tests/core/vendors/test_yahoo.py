"""Yahoo's charts: days by the chart's own zone, bars that still run, bars without a price."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from golden_core.bars.reading import Reading, read_bars
from golden_core.vendors.base import VendorError

LONDON = ZoneInfo("Europe/London")
DAYS = [dt.date(2024, 3, day) for day in (25, 26, 27, 28)] + [dt.date(2024, 4, day) for day in (1, 2, 3)]
MIDNIGHTS = [int(dt.datetime.combine(day, dt.time(), LONDON).timestamp()) for day in DAYS]
HOURS = [int(dt.datetime(2024, 4, 2, hour, tzinfo=dt.UTC).timestamp()) for hour in range(7)]


def _answer(times: list[int], length: str, **changed: Any) -> dict[str, Any]:
    places = range(len(times))
    quote = {name: [1.08 + n / 100 for n in places] for name in ("open", "high", "low", "close")}
    meta = {"symbol": "EURUSD=X", "exchangeTimezoneName": "Europe/London", "dataGranularity": length}
    result = {"meta": meta | changed, "timestamp": times, "indicators": {"quote": [quote]}}
    return {"chart": {"result": [result], "error": None}}


def _read(folder: Path, answer: Any, pair: str = "EURUSD") -> Reading:
    (folder / "x.json").write_text(json.dumps(answer))
    return read_bars(folder / "x.json", pair)


def test_days_are_those_of_the_charts_zone_whose_clock_changes(tmp_path: Path) -> None:
    read = _read(tmp_path, _answer(MIDNIGHTS, "1d"))
    assert (read.claim.format, read.bar, read.zone) == ("yahoo_json", "1d", "Europe/London")
    assert read.bars["timestamp"].dt.hour().to_list() == [0] * 4 + [23] * 3  # British summer time from 31 March
    assert read.bars["close"].to_list() == [1.08 + n / 100 for n in range(7)]


def test_a_bar_that_still_runs_is_left_out(tmp_path: Path) -> None:
    for length, times in (("1d", MIDNIGHTS), ("1h", HOURS)):
        read = _read(tmp_path, _answer([*times[:-1], times[-1] + 1234], length))
        assert (read.bars.height, read.left_out.height) == (6, 1)
    assert read.bars["timestamp"].dt.epoch("s").to_list() == HOURS[:-1]
    late = [HOURS[0] + 1800 + 5400 * n for n in range(4)]
    with pytest.raises(VendorError, match="bars are 90 minutes apart"):  # and not: none is complete
        _read(tmp_path, _answer(late, "90m"))
    late = [HOURS[0] + 1800 + 3600 * n for n in range(4)]  # as of a zone that is half an hour beside UTC
    assert _read(tmp_path, _answer(late, "1h")).bars.height == 4


def test_a_bar_without_a_price_is_left_out_and_said_to_be(tmp_path: Path) -> None:
    answer = _answer(HOURS, "1h")
    quote = answer["chart"]["result"][0]["indicators"]["quote"][0]
    for name in quote:
        quote[name][2] = None
    read = _read(tmp_path, answer)
    assert read.bars["timestamp"].dt.epoch("s").to_list() == HOURS[:2] + HOURS[3:]
    assert "1 bars have no price and are left out" in read.notes
    quote["open"][2] = [1.1]
    with pytest.raises(VendorError, match="candle 3 has no usable open"):
        _read(tmp_path, answer)
    quote["open"][2] = 1.1
    with pytest.raises(VendorError, match="candle 3 has no usable high"):
        _read(tmp_path, answer)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (_answer(HOURS, "1wk"), "bars of '1wk'; request minutes, hours or days"),
        (_answer(HOURS, "0m"), "bars of '0m'"),
        (_answer(MIDNIGHTS, "1d", exchangeTimezoneName="Mars/Base"), "of no known zone"),
        (_answer(MIDNIGHTS, "1d", exchangeTimezoneName="../etc"), "of no known zone"),
        (_answer([10**17], "1d"), "its days are none"),
        (_answer(HOURS, "1h", symbol="JPY=X"), "the instrument is 'USDJPY', but EURUSD is asked for"),
        (_answer([], "1h"), "the answer has no candle"),
        ({"chart": {"result": None, "error": {"code": "Not Found"}}}, "expected an object with a chart"),
        ({"chart": {"result": []}}, "expected a chart with a list of times"),
        (
            {"chart": {"result": [{"timestamp": [1], "indicators": {"quote": []}}]}},
            "expected a chart with a list of opens",
        ),
        ({"chart": {"result": [_answer(HOURS, "1h")["chart"]["result"][0] | {"timestamp": [1]}]}}, "not of one length"),
    ],
)
def test_what_is_no_chart_of_the_pair_is_refused(answer: Any, message: str, tmp_path: Path) -> None:
    with pytest.raises(VendorError, match=message):
        _read(tmp_path, answer)
