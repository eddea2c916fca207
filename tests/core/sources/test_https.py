"""One request: what is followed, what is refused, and which faults may pass. The ECB's refresh tests the rest."""

from __future__ import annotations

import datetime as dt
import email.utils
import ssl
import urllib.error

import pytest

from golden_core.sources import https
from golden_core.sources.https import DownloadError, download, require_safe


def _get(url, **changes):
    return download(url, **({"headers": {}, "timeout": 5, "max_bytes": 1000} | changes))


@pytest.mark.parametrize(
    "url", ["https://example.com/a", "http://127.0.0.1:80/", "http://localhost/", "http://[::1]:8/"]
)
def test_https_and_the_loopback_are_safe(url):
    require_safe(url)


@pytest.mark.parametrize(
    "url",
    ["http://example.com/", "http://127.0.0.1.example.com/", "http://127.0.0.1@example.com/", "ftp://127.0.0.1/", "file:///a",
     "https:///a", "example.com", "http://[::1/", "https://example.com:port/"],
)  # fmt: skip
def test_nothing_else_is(url):
    with pytest.raises(DownloadError, match="must be an https address") as caught:
        require_safe(url)
    assert not caught.value.passing


def test_the_project_names_itself(server):
    assert _get(server.url)[0] == b"sound"
    assert server.seen[0]["User-Agent"].startswith("golden/")
    assert _get(server.url, headers={"X": "y"})[1].get("content-length") == "5"
    assert server.seen[1]["X"] == "y"


@pytest.mark.parametrize(
    ("status", "passing"), [(500, True), (503, True), (429, True), (403, False), (404, False), (304, False)]
)
def test_which_refusals_may_pass(server, status, passing):
    server.sends(b"", status=status)
    with pytest.raises(DownloadError, match=f"answered {status}") as caught:
        _get(server.url)
    assert (caught.value.status, caught.value.passing, caught.value.wait) == (status, passing, None)


def test_a_server_may_ask_to_wait(server):
    soon = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=90)
    past = "Wed, 21 Oct 2015 07:28:00 -0000"
    for text, low, high in (("7", 7, 7), (email.utils.format_datetime(soon, usegmt=True), 80, 90), (past, 0, 0)):
        server.sends(b"", status=429, Retry_After=text)
        with pytest.raises(DownloadError) as caught:
            _get(server.url)
        assert low <= caught.value.wait <= high
    server.sends(b"", status=503, Retry_After="soon")
    with pytest.raises(DownloadError) as caught:
        _get(server.url)
    assert caught.value.wait is None


def test_a_redirect_is_named_and_not_followed(server, other_server):
    server.sends(b"", status=302, Location=other_server.url)
    with pytest.raises(
        DownloadError, match=rf"answered 302 .* redirects to '{other_server.url}', which is not fol"
    ) as caught:
        _get(server.url)
    assert not caught.value.passing
    assert other_server.seen == []


def test_a_body_is_whole_and_bounded(server):
    server.sends(b"12345", Content_Length="9")
    with pytest.raises(DownloadError, match=r"sent 5 of 9 bytes|cannot be fetched: IncompleteRead") as caught:
        _get(server.url)
    assert caught.value.passing
    server.sends(bytes(1001))
    with pytest.raises(DownloadError, match="sends more than 1000 bytes") as caught:
        _get(server.url)
    assert not caught.value.passing


def test_a_wrong_certificate_stays_wrong():
    assert not https._may_pass(urllib.error.URLError(ssl.SSLCertVerificationError("expired")))
    assert https._may_pass(urllib.error.URLError(ConnectionRefusedError()))
    with pytest.raises(DownloadError, match="InvalidURL") as caught:
        _get("http://127.0.0.1:9/a b")
    assert not caught.value.passing
