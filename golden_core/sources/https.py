"""Requests over HTTPS, bounded in size and time, and repeated politely. What an answer means is not here."""

from __future__ import annotations

import http.client
import importlib.metadata
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import IO
from urllib.parse import urlsplit

from urllib3.exceptions import InvalidHeader, MaxRetryError
from urllib3.util import Retry

from golden_core.vendors.base import VendorError

USER_AGENT = f"golden/{importlib.metadata.version('golden')} (FX research)"
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
# A server that answers so may answer otherwise later; any other refusal is its last word.
PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})

# Of a server that others use too: one request at a time. The first failed attempt is repeated at once, then after
# twice the back-off and so on, doubling, up to the longest wait; a server that asks for more is left alone.
DELAY_S = 0.5  # before each request
TIMEOUT_S = 30.0  # of one download
ATTEMPTS = 5
BACKOFF_S = 1.0
LONGEST_WAIT_S = 120.0


class DownloadError(Exception):
    """A request got no sound answer: address and fault, and the server's status, if it answered.

    ``passing`` says whether asking again later may help, ``wait`` how many seconds the server asks to wait before.
    """

    def __init__(
        self, message: str, *, status: int | None = None, passing: bool = False, wait: float | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.passing = passing
        self.wait = wait


def require_safe(url: str) -> None:
    """Refuse an address that is neither HTTPS nor plain HTTP on this machine."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise DownloadError(f"{url!r} must be an https address: {error}") from None
    if not host or not (parts.scheme == "https" or (parts.scheme == "http" and host in LOOPBACK)):
        raise DownloadError(f"{url!r} must be an https address")


def download(
    url: str, *, headers: Mapping[str, str], timeout: float, max_bytes: int
) -> tuple[bytes, http.client.HTTPMessage]:
    """Ask once for a body of at most ``max_bytes`` with its headers, in ``timeout`` seconds; no redirect is followed.

    DownloadError if the answer is not 200, incomplete, too large or too slow.
    """
    require_safe(url)
    request = urllib.request.Request(url, headers={"User-Agent": USER_AGENT, **headers})
    deadline = time.monotonic() + timeout
    try:
        opener = urllib.request.build_opener(_NoRedirects())
        with opener.open(request, timeout=timeout) as response:
            body, found = _read(response, url, deadline, max_bytes), response.headers
    except urllib.error.HTTPError as error:
        with error:
            raise _refusal(url, error) from error
    except (OSError, http.client.HTTPException) as error:  # URLError and TimeoutError are OSErrors
        raise DownloadError(f"{url} cannot be fetched: {error!r}", passing=_may_pass(error)) from error
    announced = found.get("Content-Length")
    if announced is not None and announced != str(len(body)):
        raise DownloadError(f"{url} sent {len(body)} of {announced} bytes", passing=True)
    return body, found


def ask(url: str, *, max_bytes: int, check: Callable[[bytes], object]) -> bytes | None:
    """Ask for a body until ``check`` raises no VendorError about it; None if there is none (404).

    DownloadError after the last attempt, or at once if another attempt cannot help; with the last fault.
    """
    retry = Retry(
        total=ATTEMPTS - 1,
        backoff_factor=BACKOFF_S,
        backoff_jitter=BACKOFF_S,  # two processes that fail together do not ask together
        backoff_max=LONGEST_WAIT_S,
    )
    while True:
        time.sleep(DELAY_S)
        try:
            body = download(url, headers={}, timeout=TIMEOUT_S, max_bytes=max_bytes)[0]
            check(body)
        except VendorError as error:
            fault = DownloadError(f"the answer is damaged: {error}", passing=True)
        except DownloadError as error:
            if error.status == HTTPStatus.NOT_FOUND:
                return None
            fault = error
        else:
            return body
        retry = _next(retry, fault, url)
        time.sleep(max(retry.get_backoff_time(), fault.wait or 0.0))


def _next(retry: Retry, fault: DownloadError, url: str) -> Retry:
    """Count a failed attempt; raise the fault where no other can help or is left."""
    if not fault.passing:
        raise fault
    if fault.wait is not None and fault.wait > LONGEST_WAIT_S:
        raise DownloadError(f"{fault}, and asks to wait {fault.wait:.0f} s: try again later", status=fault.status)
    try:
        return retry.increment("GET", url, error=fault)
    except MaxRetryError:
        attempts = f"{fault} ({ATTEMPTS} attempts)"
        raise DownloadError(attempts, status=fault.status, passing=True) from None


def _refusal(url: str, error: urllib.error.HTTPError) -> DownloadError:
    passing = error.code in PASSING
    wait = _seconds(error.headers.get("Retry-After")) if passing else None
    said = f"{url} answered {error.code} {error.reason}"
    if target := error.headers.get("Location"):
        said = f"{said}: it redirects to {target!r}, which is not followed; give that address if you trust it"
    return DownloadError(said, status=error.code, passing=passing, wait=wait)


def _may_pass(error: Exception) -> bool:
    """Tell a fault of the moment from one that stays: a wrong certificate, or an address that is none."""
    reason = error.reason if isinstance(error, urllib.error.URLError) else error
    return not isinstance(reason, ssl.SSLCertVerificationError | http.client.InvalidURL)


def _seconds(text: str | None) -> float | None:
    """Return how long ``Retry-After`` asks to wait: seconds, or until a date. Nonsense asks for nothing."""
    try:
        return None if text is None else float(Retry().parse_retry_after(text))
    except InvalidHeader:
        return None


def _read(response: IO[bytes], url: str, deadline: float, max_bytes: int) -> bytes:
    """Read a body of bounded size in bounded time: a socket's own timeout starts anew with every packet."""
    body = bytearray()
    while chunk := response.read(1 << 16):
        body += chunk
        if len(body) > max_bytes:
            raise DownloadError(f"{url} sends more than {max_bytes} bytes")
        if time.monotonic() > deadline:
            raise TimeoutError("the download took too long")
    return bytes(body)


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Follows nothing: whoever moved a file has to be believed by a person first."""

    def redirect_request(self, *_: object) -> None:
        """Leave the answer to :func:`download`, which refuses it."""
