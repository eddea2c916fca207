"""`golden data fetch`: the table, the account, and a fault in one line."""

import datetime as dt

import pytest
from support.commands import golden
from support.servers import send, serving
from support.vendor_files import candles

from golden_core.sources import https
from golden_core.store.lake import Home

MONTHS = {
    f"/EURUSD/2019/{month:02}/BID_candles_hour_1.bi5": candles(
        [(hour * 3600, 1.1, 1.2, 1.0, 1.15, 1.0) for hour in range(24 * days)]
    )
    for month, days in ((0, 31), (2, 31))
}


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(https, "DELAY_S", 0)
    with serving() as found:
        found.answer = lambda handler: send(
            handler, MONTHS.get(handler.path, b""), 200 if handler.path in MONTHS else 404
        )
        yield found


def fetch(server, *arguments, days=("2019-01-01", "2019-03-31")):
    base = f"http://127.0.0.1:{server.server_port}"
    options = ["--pairs", "eurusd", "--from", days[0], "--to", days[1], "--base-url", base]
    return golden("data", "fetch", "dukascopy", *options, *arguments)


def test_a_fetch_prints_its_account(server):
    result = fetch(server)
    assert result.exit_code == 0, result.output
    path = Home.from_environment().root / "sources" / "dukascopy" / "EURUSD_1h_bid.parquet"
    assert path.is_file()
    cells = result.stdout.replace("│", " ").split()
    assert cells[cells.index("EURUSD") + 1] == "1488"
    assert "EURUSD: the feed has nothing for 2019-02" in result.stdout
    assert "EURUSD: sha256 " in result.stdout
    assert "fetched 2, cached 0, absent 1" in result.stdout
    assert "fetched 0, cached 2, absent 1" in fetch(server).stdout
    assert len(server.seen) == 3


def test_a_fault_is_one_message_and_exit_status_2(server, monkeypatch):
    monkeypatch.setattr(https, "ATTEMPTS", 1)
    server.sends(b"", status=500)
    result = fetch(server)
    assert result.exit_code == 2
    assert "EURUSD 2019-01: http://127.0.0.1:" in result.output
    assert "run the command again" in result.output
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    ("days", "message"),
    [
        (("2019-03-01", "2019-01-01"), "days must run forward"),
        (("2019-01-01", f"{dt.datetime.now(dt.UTC).year + 2}-01-01"), "end by today"),
        (("2019-01-01", "31.12.2019"), "31.12.2019"),
    ],
)
def test_days_must_make_sense(server, days, message):
    result = fetch(server, days=days)
    assert result.exit_code == 2
    assert message in result.output
    assert server.seen == []


def test_a_feed_in_the_clear_is_refused(server):
    result = fetch(server, "--base-url", "http://feed.example.com")
    assert result.exit_code == 2
    assert "'http://feed.example.com' must be an https address" in result.output
