"""How often, how many at once, and how long to go on asking a server that others use too. No vendor is named here."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus

from urllib3.exceptions import MaxRetryError
from urllib3.util import Retry

from golden_core.sources.https import DownloadError, download
from golden_core.vendors.base import VendorError

GIVES_UP_AFTER = 3  # addresses in a row that failed after all attempts: the server is not well


@dataclass(frozen=True)
class Politeness:
    """Limits of a fetch: requests at once, seconds between two starts, seconds and attempts of one download, waits.

    The first failed attempt is repeated at once, then after twice ``backoff_s`` and so on, doubling, up to
    ``longest_wait_s``. A server that asks for more is left alone.
    """

    concurrency: int = 2
    delay_s: float = 0.5
    timeout_s: float = 30.0
    attempts: int = 5
    backoff_s: float = 1.0
    longest_wait_s: float = 120.0

    def __post_init__(self) -> None:
        if self.concurrency < 1 or self.attempts < 1 or self.timeout_s <= 0:
            raise ValueError("concurrency, attempts and timeout must be at least 1, 1 and above 0")
        if min(self.delay_s, self.backoff_s, self.longest_wait_s) < 0:
            raise ValueError("delay, back-off and longest wait must not be negative")


class StoppedError(Exception):
    """The fetch was stopped while this address waited for its turn."""


class Turns:
    """One queue for all workers: no request starts before its turn, and a server's wish to wait holds everyone."""

    def __init__(self, delay_s: float) -> None:
        self._delay = delay_s
        self._lock = threading.Lock()
        self._next = time.monotonic()
        self._failed = 0
        self._stopped = threading.Event()

    def take(self) -> None:
        """Wait until the next request may start; raise StoppedError if the fetch was stopped meanwhile."""
        while True:
            with self._lock:
                now = time.monotonic()
                left = self._next - now
                if left <= 0:
                    self._next = now + self._delay
            if self._stopped.is_set():
                raise StoppedError
            if left <= 0:
                return
            self._stopped.wait(left)

    def hold(self, seconds: float) -> None:
        """Let nobody start within so many seconds."""
        with self._lock:
            self._next = max(self._next, time.monotonic() + seconds)

    def settle(self, *, failed: bool) -> None:
        """Count an address that was settled; stop when :data:`GIVES_UP_AFTER` of them have failed in a row.

        Workers call it before they take the next address: whoever gathers the results may lag behind them.
        """
        with self._lock:
            self._failed = self._failed + 1 if failed else 0
            if self._failed >= GIVES_UP_AFTER:
                self._stopped.set()

    def rest(self, seconds: float) -> None:
        """Wait, unless the fetch is stopped."""
        if self._stopped.wait(seconds):
            raise StoppedError

    def stop(self) -> None:
        """Let nobody start any more."""
        self._stopped.set()


def ask(
    url: str, *, politeness: Politeness, turns: Turns, max_bytes: int, check: Callable[[bytes], None]
) -> bytes | None:
    """Ask for a body until it is sound, on a host that redirects may not leave; None if there is none (404).

    ``check`` raises :class:`VendorError` if a body is damaged.

    Raises
    ------
    DownloadError
        After the last attempt, or at once if another attempt cannot help; with the last fault.
    StoppedError
        If the fetch is stopped.
    """
    retry = Retry(
        total=politeness.attempts - 1,
        backoff_factor=politeness.backoff_s,
        backoff_jitter=politeness.backoff_s,  # two processes that fail together do not ask together
        backoff_max=politeness.longest_wait_s,
    )
    while True:
        turns.take()
        try:
            body = download(url, headers={}, timeout=politeness.timeout_s, max_bytes=max_bytes, same_host=True).body
            check(body)
        except VendorError as error:
            fault = DownloadError(f"the answer is damaged: {error}", passing=True)
        except DownloadError as error:
            if error.status == HTTPStatus.NOT_FOUND:
                return None
            fault = error
        else:
            return body
        retry = _next(retry, fault, url, politeness)
        if fault.wait is not None:
            turns.hold(fault.wait)
        turns.rest(max(retry.get_backoff_time(), fault.wait or 0.0))


def _next(retry: Retry, fault: DownloadError, url: str, politeness: Politeness) -> Retry:
    """Count a failed attempt; raise the fault where no other can help or is left."""
    if not fault.passing:
        raise fault
    if fault.wait is not None and fault.wait > politeness.longest_wait_s:
        raise DownloadError(f"{fault}, and asks to wait {fault.wait:.0f} s: try again later", status=fault.status)
    try:
        return retry.increment("GET", url, error=fault)
    except MaxRetryError:
        attempts = f"{fault} ({politeness.attempts} attempts)"
        raise DownloadError(attempts, status=fault.status, passing=True) from None
