"""How often, how fast and how long to go on asking a server that others use too: one request at a time."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus

from urllib3.exceptions import MaxRetryError
from urllib3.util import Retry

from golden_core.sources.https import DownloadError, download
from golden_core.vendors.base import VendorError


@dataclass(frozen=True)
class Politeness:
    """Limits of a fetch: seconds before each request, seconds and attempts of one download, waits between these.

    The first failed attempt is repeated at once, then after twice ``backoff_s`` and so on, doubling, up to
    ``longest_wait_s``. A server that asks for more is left alone.
    """

    delay_s: float = 0.5
    timeout_s: float = 30.0
    attempts: int = 5
    backoff_s: float = 1.0
    longest_wait_s: float = 120.0

    def __post_init__(self) -> None:
        if self.attempts < 1 or self.timeout_s <= 0 or min(self.delay_s, self.backoff_s, self.longest_wait_s) < 0:
            raise ValueError("attempts must be at least 1, the timeout above 0, and no wait negative")


def ask(url: str, *, politeness: Politeness, max_bytes: int, check: Callable[[bytes], object]) -> bytes | None:
    """Ask for a body until ``check`` raises no VendorError about it; None if there is none (404).

    DownloadError after the last attempt, or at once if another attempt cannot help; with the last fault.
    """
    retry = Retry(
        total=politeness.attempts - 1,
        backoff_factor=politeness.backoff_s,
        backoff_jitter=politeness.backoff_s,  # two processes that fail together do not ask together
        backoff_max=politeness.longest_wait_s,
    )
    while True:
        time.sleep(politeness.delay_s)
        try:
            body = download(url, headers={}, timeout=politeness.timeout_s, max_bytes=max_bytes)[0]
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
        time.sleep(max(retry.get_backoff_time(), fault.wait or 0.0))


def _next(retry: Retry, fault: DownloadError, url: str, politeness: Politeness) -> Retry:
    """Count a failed attempt; raise the fault where no other can help or is left."""
    if not fault.passing:
        raise fault
    if fault.wait is not None and fault.wait > politeness.longest_wait_s:
        raise DownloadError(f"{fault}, and asks to wait {fault.wait:.0f} s: try again later", status=fault.status)
    try:
        return retry.increment("GET", url, error=fault)
    except MaxRetryError:
        time.sleep(fault.wait or 0.0)  # whatever is asked for next
        attempts = f"{fault} ({politeness.attempts} attempts)"
        raise DownloadError(attempts, status=fault.status, passing=True) from None
