"""Two servers on the loopback."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.servers import Server, serving


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with serving() as found:
        yield found


@pytest.fixture
def other_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with serving() as found:
        yield found
