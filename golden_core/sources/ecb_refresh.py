"""Refreshing the ECB's history over HTTPS: a new file is checked in full before it replaces anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from http import HTTPStatus
from pathlib import Path

import polars as pl

from golden_core.sources.base import SourceError
from golden_core.sources.ecb_history import (
    MAX_ZIP_BYTES,
    find_history,
    parse_rates,
    read_rates,
    refreshed_path,
    span,
    unzip,
)
from golden_core.sources.https import DownloadError, download
from golden_core.store.lake import hash_bytes, read_json, replacing, write_json

ECB_URL = "https://www.ecb.europa.eu/stats/eurofxref/eurofxref-hist.zip"
TIMEOUT_SECONDS = 60.0
# The ECB corrects single rates now and then. A file that disagrees with more of the past is not the same history.
MAX_REVISED_SHARE = 0.01


@dataclass(frozen=True)
class RefreshResult:
    """What a refresh found. ``changed`` is False when the file at hand is already the newest."""

    changed: bool
    file: str
    sha256: str
    first_day: date
    last_day: date
    new_days: int
    revised_rates: int

    def __str__(self) -> str:
        news = f"{self.new_days} new days, {self.revised_rates} revised rates" if self.changed else "nothing new"
        return f"{self.file}: {news}; {self.first_day} to {self.last_day}, sha256 {self.sha256}"


class RefreshError(SourceError):
    """A refresh failed; what was there before is untouched."""


def refresh(home: Path, *, url: str = ECB_URL, timeout: float = TIMEOUT_SECONDS) -> RefreshResult:
    """Fetch the newest history if there is one, and put it in place of the copy under ``home``.

    ``url`` is HTTPS, or HTTP on this machine; ``timeout`` is of the whole download, in seconds. If it fails, or does
    not continue the present history, RefreshError is raised and the file is the same, byte for byte.
    """
    target = refreshed_path(home)
    present = find_history(None, home)
    try:
        rates = read_rates(present)
    except SourceError as error:
        raise RefreshError(f"{error}; delete that file and refresh again") from error
    answer = _download(url, _conditions(target, url), timeout)
    body, validators = answer or (present.content, {})
    if body == present.content:
        return RefreshResult(False, present.name, hash_bytes(body), *span(rates), 0, 0)
    try:
        newer = parse_rates(unzip(body, url), url)
    except SourceError as error:
        raise RefreshError(f"{error}; the present file is kept") from error
    new_days, revised = _compare(rates, newer, url)
    with replacing(target) as temporary:
        temporary.write_bytes(body)
    # Written second: if the process dies in between, the hash does not match and the next refresh asks anew.
    write_json({"url": url, "sha256": hash_bytes(body), "conditions": validators}, target.with_suffix(".json"))
    name = target.relative_to(home).as_posix()
    return RefreshResult(True, name, hash_bytes(body), *span(newer), new_days, revised)


def _compare(old: pl.DataFrame, new: pl.DataFrame, url: str) -> tuple[int, int]:
    """Refuse a history that does not continue the old one; return its new days and its revised rates."""
    days = old.select("date").unique()
    lost = days.join(new, on="date", how="anti").sort("date")["date"]
    if len(lost):
        raise RefreshError(f"{url} lacks {len(lost)} days of the present file, such as {lost[0]}; that file is kept")
    both = new.join(days, on="date", how="semi").join(old, on=["date", "currency"], how="full", suffix="_old")
    revised = both.filter(pl.col("rate").ne_missing(pl.col("rate_old"))).height
    if revised > MAX_REVISED_SHARE * old.height:
        raise RefreshError(f"{url} disagrees with {revised} of {old.height} present rates; the present file is kept")
    return new["date"].n_unique() - days.height, revised


def _conditions(target: Path, url: str) -> dict[str, str]:
    """Return the headers of a conditional request, if the file is still the one that they were given for."""
    state = target.with_suffix(".json")
    if not (target.exists() and state.exists()):
        return {}
    try:
        known = read_json(state)
        same = known["url"] == url and known["sha256"] == hash_bytes(target.read_bytes())
        return dict(known["conditions"]) if same else {}
    except (ValueError, KeyError, TypeError) as error:
        raise RefreshError(f"{state} is damaged: delete it and refresh again") from error


def _download(url: str, conditions: Mapping[str, str], timeout: float) -> tuple[bytes, dict[str, str]] | None:
    """Return body and validators, or None when the server says that nothing has changed."""
    try:
        body, found = download(url, headers=conditions, timeout=timeout, max_bytes=MAX_ZIP_BYTES)
    except DownloadError as error:
        if error.status == HTTPStatus.NOT_MODIFIED and conditions:
            return None
        raise RefreshError(f"{error}; the present file is kept") from error
    validators = {
        "If-None-Match": found.get("ETag"),
        "If-Modified-Since": found.get("Last-Modified"),
    }
    return body, {name: value for name, value in validators.items() if value}
