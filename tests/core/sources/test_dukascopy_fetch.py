"""Fetching from a feed on the loopback that has real-format files and answers in every wrong way."""

from __future__ import annotations

import datetime as dt
import functools
import json
import time
from collections import Counter
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from support.servers import send
from support.vendor_files import candles

from golden_core.sources import dukascopy, https
from golden_core.sources.base import SourceError
from golden_core.sources.dukascopy import FetchError, Month, fetch, folder, months_between
from golden_core.store.lake import hash_file
from golden_core.store.schema import BARS
from golden_core.vendors.bi5 import BI5

FAST = {"DELAY_S": 0, "TIMEOUT_S": 5, "ATTEMPTS": 3, "BACKOFF_S": 0.001, "LONGEST_WAIT_S": 2}
NOW = dt.datetime(2019, 6, 15, 12, 30, tzinfo=dt.UTC)
START, END = dt.date(2019, 1, 1), dt.date(2019, 4, 30)


def month_file(path):
    """Return every hour of the month of a path, at a price that tells the month."""
    return _month(*path.split("/")[-4:-1])


@functools.cache
def _month(pair, year, month):
    first = dt.date(int(year), int(month) + 1, 1)
    days = ((first + dt.timedelta(days=31)).replace(day=1) - first).days
    scale = 1_000 if pair.endswith("JPY") else 100_000
    price = (110 if scale == 1_000 else 1.1) + int(month) / 100
    rows = [(hour * 3600, price, price + 0.02, price - 0.02, price + 0.01, hour + 1.0) for hour in range(24 * days)]
    return candles(rows, scale)


class Feed:
    """Serves months; a path may be scripted to answer otherwise, first answer first."""

    def __init__(self, server):
        self.server = server
        self.script: dict[str, list[Any]] = {}
        server.answer = self.answer

    @property
    def asked(self):
        return Counter(one["path"].removeprefix("/feed/") for one in self.server.seen)

    def answer(self, handler):
        steps = self.script.get(handler.path.removeprefix("/feed/"), [])
        step = (steps.pop(0) if len(steps) > 1 else steps[0]) if steps else None
        if step is None:
            send(handler, month_file(handler.path))
        else:
            step(handler)


def path_of(month, pair="EURUSD"):
    return f"{pair}/2019/{month - 1:02}/BID_candles_hour_1.bi5"


def says(status, **headers):
    return lambda handler: send(handler, b"", status, **headers)


def sound(handler):
    send(handler, month_file(handler.path))


def patient(monkeypatch, **limits):
    for name, value in limits.items():
        monkeypatch.setattr(https, name, value)


@pytest.fixture
def feed(server, monkeypatch):
    patient(monkeypatch, **FAST)
    return Feed(server)


def run(home, feed, *, pairs=("EURUSD",), end=END, **changes):
    given = {"base_url": feed.server.url, "now": lambda: NOW}
    return fetch(home, pairs, START, end, **(given | changes))


def raw(home, month):
    return folder(home) / "raw" / path_of(month)


def manifest(home, pair="EURUSD"):
    return json.loads((folder(home) / "raw" / pair / "manifest.json").read_text())["files"]


class TestFetched:
    def test_months_become_one_table(self, tmp_path, feed):
        (found,) = run(tmp_path, feed)
        assert found.counts == {"fetched": 4, "cached": 0, "absent": 0}
        assert (found.bars, str(found.first), str(found.last)) == (
            24 * 120, "2019-01-01 00:00:00+00:00", "2019-04-30 23:00:00+00:00",
        )  # fmt: skip
        bars = BARS.conform(pl.read_parquet(found.path))
        assert bars["timestamp"].diff().drop_nulls().unique().to_list() == [dt.timedelta(hours=1)]
        assert (bars["available_at"] - bars["timestamp"]).unique().to_list() == [dt.timedelta(hours=1)]
        assert bars.filter(pl.col("timestamp").dt.month() == 3)["close"].unique().to_list() == [1.13]
        assert found.sha256 == hash_file(found.path)
        account = json.loads(found.path.with_suffix(".json").read_text())
        assert (account["sha256"], account["months"], account["absent"]) == (found.sha256, 4, [])

    def test_raw_files_are_kept_with_their_hashes_and_are_a_tree(self, tmp_path, feed):
        run(tmp_path, feed)
        known = manifest(tmp_path)
        assert set(known) == {path_of(month) for month in (1, 2, 3, 4)}
        for path, entry in known.items():
            assert entry["sha256"] == hash_file(folder(tmp_path) / "raw" / path)
            assert entry["url"] == f"{feed.server.url}/{path}"
        assert BI5.read(folder(tmp_path) / "raw", "EURUSD").bars.height == 24 * 120

    def test_only_the_days_asked_for_are_in_the_table(self, tmp_path, feed):
        (found,) = run(tmp_path, feed, end=dt.date(2019, 2, 3))
        assert (found.bars, str(found.last)) == (24 * 34, "2019-02-03 23:00:00+00:00")
        assert set(feed.asked) == {path_of(1), path_of(2)}

    def test_pairs_have_their_own_scale_table_and_manifest(self, tmp_path, feed):
        euro, yen = run(tmp_path, feed, pairs=("EURUSD", "USDJPY"))
        assert (euro.pair, yen.pair) == ("EURUSD", "USDJPY")
        assert pl.read_parquet(yen.path)["open"].max() == 110.03
        assert len(manifest(tmp_path, "USDJPY")) == 4

    def test_a_second_run_asks_nothing(self, tmp_path, feed):
        (before,) = run(tmp_path, feed)
        feed.server.seen.clear()
        told: list[Month] = []
        (after,) = run(tmp_path, feed, progress=told.append)
        assert feed.asked == {}
        assert after.counts == {"fetched": 0, "cached": 4, "absent": 0}
        assert (after.sha256, [one.state for one in told]) == (before.sha256, ["cached"] * 4)

    def test_a_killed_run_leaves_no_table_with_the_account_of_another(self, tmp_path, feed, monkeypatch):
        (found,) = run(tmp_path, feed)
        monkeypatch.setattr(dukascopy, "Fetched", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):  # when the table is there, and its account is not
            run(tmp_path, feed, end=dt.date(2019, 2, 3))
        assert not found.path.with_suffix(".json").exists()

    def test_the_running_month_is_asked_for_again_and_has_no_unfinished_hour(self, tmp_path, feed):
        (found,) = run(tmp_path, feed, end=NOW.date())
        assert str(found.last) == "2019-06-15 11:00:00+00:00"  # at 12:30, the hour from 12:00 is not known yet
        feed.server.seen.clear()
        run(tmp_path, feed, end=NOW.date())
        assert set(feed.asked) == {path_of(6)}
        run(tmp_path, feed, end=NOW.date(), now=lambda: dt.datetime(2019, 7, 3, tzinfo=dt.UTC))
        assert feed.asked == {path_of(6): 2}
        run(tmp_path, feed, end=NOW.date(), now=lambda: dt.datetime(2019, 7, 4, tzinfo=dt.UTC))
        assert feed.asked == {path_of(6): 2}

    def test_an_absent_month_is_recorded_and_not_asked_for_again(self, tmp_path, feed):
        feed.script[path_of(2)] = [says(404)]
        (found,) = run(tmp_path, feed)
        assert found.counts == {"fetched": 3, "cached": 0, "absent": 1}
        assert manifest(tmp_path)[path_of(2)]["state"] == "absent"
        assert json.loads(found.path.with_suffix(".json").read_text())["absent"] == ["2019-02"]
        assert feed.asked[path_of(2)] == 1
        run(tmp_path, feed)
        assert feed.asked[path_of(2)] == 1

    def test_an_empty_file_is_a_month_without_candles(self, tmp_path, feed):
        feed.script[path_of(2)] = [says(200)]
        (found,) = run(tmp_path, feed)
        assert (found.counts["fetched"], found.bars) == (4, 24 * 92)

    def test_what_another_address_gave_is_asked_for_again(self, tmp_path, feed):
        run(tmp_path, feed)
        feed.server.seen.clear()
        run(tmp_path, feed, base_url=f"{feed.server.url}/mirror/")
        assert len(feed.server.seen) == 4

    def test_an_altered_file_is_asked_for_again_and_said(self, tmp_path, feed):
        run(tmp_path, feed)
        feed.server.seen.clear()
        raw(tmp_path, 3).write_bytes(raw(tmp_path, 2).read_bytes())
        raw(tmp_path, 4).unlink()
        (found,) = run(tmp_path, feed)
        assert feed.asked == {path_of(3): 1, path_of(4): 1}
        assert [one.detail for one in found.months] == ["", "", "the kept file had been altered", ""]
        assert raw(tmp_path, 3).read_bytes() == month_file(path_of(3))


class TestPatience:
    def test_faults_that_pass_are_waited_out(self, tmp_path, feed):
        def truncated(handler):
            whole = month_file(handler.path)
            send(handler, whole[:-20], Content_Length=str(len(whole)))

        def cut_off(handler):
            send(handler, month_file(handler.path)[:-20])  # a proxy that has made the length fit

        def hanging_up(handler):
            handler.connection.close()

        def page(handler):
            send(handler, b"<html>We are sorry</html>", Content_Type="text/html")

        feed.script[path_of(1)] = [says(500), says(503), sound]
        feed.script[path_of(2)] = [truncated, cut_off, sound]
        feed.script[path_of(3)] = [hanging_up, page, sound]
        (found,) = run(tmp_path, feed)
        assert found.counts["fetched"] == 4
        assert found.bars == 24 * 120
        assert feed.asked == {path_of(1): 3, path_of(2): 3, path_of(3): 3, path_of(4): 1}

    def test_retry_after_is_honoured(self, tmp_path, feed):
        feed.script[path_of(1)] = [says(429, Retry_After="1"), sound]
        started = time.monotonic()
        run(tmp_path, feed)
        assert time.monotonic() - started >= 1
        assert sum(feed.asked.values()) == 5

    def test_a_server_that_asks_for_too_long_a_wait_is_left_alone(self, tmp_path, feed):
        feed.script[path_of(1)] = [says(429, Retry_After="3600")]
        started = time.monotonic()
        with pytest.raises(FetchError, match=r"answered 429 .*, and asks to wait 3600 s: try again later"):
            run(tmp_path, feed)
        assert time.monotonic() - started < 5
        assert feed.asked[path_of(1)] == 1

    def test_a_slow_answer_is_given_up_and_tried_again(self, tmp_path, feed, monkeypatch):
        def dripping(handler):
            handler.send_response(200)
            handler.end_headers()
            for _ in range(20):
                time.sleep(0.1)
                try:
                    handler.wfile.write(b"]")
                except OSError:  # the client has hung up, as it should
                    return

        feed.script[path_of(1)] = [dripping, lambda handler: time.sleep(2), sound]
        patient(monkeypatch, TIMEOUT_S=1.0, ATTEMPTS=5)
        (found,) = run(tmp_path, feed, end=dt.date(2019, 1, 31))
        assert found.counts["fetched"] == 1
        assert feed.asked[path_of(1)] >= 3

    def test_waits_double_up_to_the_longest(self, tmp_path, feed, monkeypatch):
        waits: list[float] = []
        monkeypatch.setattr(time, "sleep", lambda seconds: waits.append(seconds))
        feed.script[path_of(1)] = [says(500)] * 5
        patient(monkeypatch, ATTEMPTS=5, BACKOFF_S=1.0, LONGEST_WAIT_S=3.0)
        with pytest.raises(FetchError):
            run(tmp_path, feed, end=dt.date(2019, 1, 31))
        between = waits[1::2]
        assert between[0] == 0  # once is an accident
        assert 2 <= between[1] <= 3
        assert between[2:4] == [3, 3]

    def test_requests_keep_their_distance(self, tmp_path, feed, monkeypatch):
        started = time.monotonic()
        patient(monkeypatch, DELAY_S=0.1, ATTEMPTS=1)
        run(tmp_path, feed)
        assert time.monotonic() - started >= 0.4


class TestMissing:
    def test_what_is_missing_is_named_and_the_next_run_goes_on_there(self, tmp_path, feed):
        feed.script[path_of(2)] = [says(500)]
        with pytest.raises(FetchError) as caught:
            run(tmp_path, feed)
        text = str(caught.value)
        assert text.startswith("EURUSD 2019-02: http://")
        assert "answered 500 Internal Server Error (3 attempts). What was fetched is kept" in text
        assert isinstance(caught.value, SourceError)
        assert not (folder(tmp_path) / "EURUSD_1h_bid.parquet").exists()
        feed.script.clear()
        feed.server.seen.clear()
        (found,) = run(tmp_path, feed)
        assert feed.asked == {path_of(month): 1 for month in (2, 3, 4)}
        assert found.counts == {"fetched": 3, "cached": 1, "absent": 0}

    def test_a_last_word_ends_it_at_once(self, tmp_path, feed):
        feed.server.answer = says(403)
        with pytest.raises(FetchError, match=r"answered 403 Forbidden\. What"):
            run(tmp_path, feed)
        assert len(feed.server.seen) == 1

    def test_a_body_without_end_is_cut_off(self, tmp_path, feed):
        feed.server.sends(bytes(100_000))
        with pytest.raises(FetchError, match=r"sends more than 21952 bytes"):
            run(tmp_path, feed)

    def test_candles_of_another_month_are_not_taken(self, tmp_path, feed):
        feed.script[path_of(2)] = [lambda handler: send(handler, month_file(path_of(1))), sound]
        assert run(tmp_path, feed)[0].counts["fetched"] == 4
        assert feed.asked[path_of(2)] == 2

    def test_a_kept_month_that_is_gone_is_not_thrown_away(self, tmp_path, feed):
        run(tmp_path, feed)
        feed.script[path_of(2)] = [says(404)]
        raw(tmp_path, 2).write_bytes(b"mine")
        with pytest.raises(FetchError, match=r"is gone, but .* is here: delete it if it is wrong"):
            run(tmp_path, feed)
        assert raw(tmp_path, 2).read_bytes() == b"mine"

    def test_nothing_at_all(self, tmp_path, feed):
        feed.server.answer = says(404)
        with pytest.raises(FetchError, match=r"EURUSD: the feed has no candles from 2019-01-01 to 2019-04-30"):
            run(tmp_path, feed)


class TestInterrupted:
    def test_a_killed_run_goes_on_from_there(self, tmp_path, feed):
        def killed(month):
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            run(tmp_path, feed, progress=killed)
        before = dict(feed.asked)
        assert 1 <= len(before) < 4
        (found,) = run(tmp_path, feed)
        assert found.bars == 24 * 120
        assert feed.asked == {path_of(month): 1 for month in (1, 2, 3, 4)}

    def test_killed_between_file_and_manifest(self, tmp_path, feed, monkeypatch):
        def killed(self, *_):
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr("golden_core.sources.dukascopy.Cache._enter", killed)
            with pytest.raises(KeyboardInterrupt):
                run(tmp_path, feed, end=dt.date(2019, 1, 31))
        assert raw(tmp_path, 1).exists()
        run(tmp_path, feed, end=dt.date(2019, 1, 31))
        assert feed.asked == {path_of(1): 2}

    def test_killed_while_writing_leaves_no_half_file(self, tmp_path, feed, monkeypatch):
        def killed(self, data):
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(Path, "write_bytes", killed)
            with pytest.raises(KeyboardInterrupt):
                run(tmp_path, feed, end=dt.date(2019, 1, 31))
        assert list(folder(tmp_path).rglob("*.bi5")) == []
        assert run(tmp_path, feed, end=dt.date(2019, 1, 31))[0].bars == 24 * 31


class TestRequest:
    @pytest.mark.parametrize("text", ["{", "[]", '{"files": {"a": {}}}', '{"files": {"a": {"state": "x"}}}'])
    def test_a_damaged_manifest_says_so(self, tmp_path, feed, text):
        path = folder(tmp_path) / "raw" / "EURUSD" / "manifest.json"
        path.parent.mkdir(parents=True)
        path.write_text(text)
        with pytest.raises(SourceError, match=r"manifest.json is damaged .*: delete it and fetch again"):
            run(tmp_path, feed)

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"pairs": ()}, "pairs must be named, each once, got none"),
            ({"pairs": ("EURUSD", "EURUSD")}, "each once, got EURUSD, EURUSD"),
            ({"pairs": ("../etc",)}, "'../etc' is no pair such as EURUSD"),
            ({"pairs": ("USDKRW",)}, "how Dukascopy scales USDKRW is not known"),
            ({"end": dt.date(2018, 12, 31)}, "days must run forward"),
            ({"end": dt.date(2019, 6, 16)}, "end by today, 2019-06-15: got 2019-01-01 to 2019-06-16"),
            ({"base_url": "http://datafeed.dukascopy.com/datafeed"}, "must be an https address"),
            ({"base_url": "file:///etc"}, "must be an https address"),
        ],
    )
    def test_refused_before_anything_is_asked(self, tmp_path, feed, changes, message):
        with pytest.raises(FetchError, match=message):
            run(tmp_path, feed, **changes)
        assert feed.server.seen == []

    def test_months(self):
        assert months_between(dt.date(2019, 11, 30), dt.date(2020, 2, 1)) == [
            dt.date(2019, 11, 1), dt.date(2019, 12, 1), dt.date(2020, 1, 1), dt.date(2020, 2, 1),
        ]  # fmt: skip

    def test_the_feed_is_asked_over_https_unless_told_otherwise(self):
        assert dukascopy.BASE_URL.startswith("https://datafeed.dukascopy.com/")
