"""One request over HTTPS, bounded in size and time. Whether to ask again, and what the answer means, is not here."""

from __future__ import annotations

import http.client
import importlib.metadata
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import IO
from urllib.parse import urlsplit

from urllib3.exceptions import InvalidHeader
from urllib3.util import Retry

USER_AGENT = f"golden/{importlib.metadata.version('golden')} (FX research)"
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
# A server that answers so may answer otherwise later; any other refusal is its last word.
PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})


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
