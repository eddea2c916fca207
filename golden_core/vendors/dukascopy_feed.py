"""What the path of a file in Dukascopy's feed says: pair, side, kind, first instant. No file is read here."""

from __future__ import annotations

import datetime as dt
import os
import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

from golden_core.vendors.base import VendorError

Kind = Literal["ticks", "min", "hour", "day"]
Side = Literal["bid", "ask"]

# How long one file of a kind lasts, and the bars in it; as polars spells them.
SPANS: dict[Kind, str] = {"ticks": "1h", "min": "1d", "hour": "1mo", "day": "1y"}
CANDLES: dict[Kind, str] = {"min": "1m", "hour": "1h", "day": "1d"}

FIRST_YEAR, LAST_YEAR = 1970, 2199

_NAME = re.compile(r"(?:(?P<hour>\d{2})h_ticks|(?P<side>BID|ASK)_candles_(?P<kind>min|hour|day)_1)\.bi5")
_DEPTH: dict[Kind, int] = {"ticks": 3, "min": 3, "hour": 2, "day": 1}  # folders that carry the date: year, month, day
_PAIR = re.compile(r"[A-Z]{6}")


@dataclass(frozen=True)
class Place:
    """What the path of a ``.bi5`` file declares. ``pair`` is None where no folder above the year names one."""

    kind: Kind
    side: Side | None
    start: dt.datetime
    pair: str | None

    @property
    def end(self) -> dt.datetime:
        """The first instant after the file."""
        if self.kind == "ticks":
            return self.start + dt.timedelta(hours=1)
        if self.kind == "min":
            return self.start + dt.timedelta(days=1)
        following = self.start.replace(day=1) + dt.timedelta(days=31 if self.kind == "hour" else 366)
        return following.replace(day=1)

    def matches(self, pair: str) -> bool:
        """Tell whether the file may hold a pair."""
        return self.pair in {None, pair}


def locate(path: Path) -> Place:
    """Read pair, kind, side and first instant (UTC) from ``EURUSD/2019/01/04/00h_ticks.bi5``, 4 February 2019."""
    name = _NAME.fullmatch(path.name)
    if name is None:
        raise VendorError(
            f"{path}: the name is none of Dukascopy's, which are 00h_ticks.bi5 and BID_candles_min_1.bi5 (hour, day;"
            " ASK). Records count from the hour, day, month or year of their file, which only its path says"
        )
    kind: Kind = "ticks" if name["hour"] else name["kind"]  # type: ignore[assignment]
    side: Side | None = {"BID": "bid", "ASK": "ask"}.get(name["side"] or "")  # type: ignore[assignment]
    depth = _DEPTH[kind]
    # Links are not followed: a link's own folders are what somebody declared with it.
    path = Path(os.path.normpath(path.absolute()))
    folders = path.parent.parts[-depth:]
    digits = ("[0-9]{4}", "[0-9]{2}", "[0-9]{2}")[:depth]
    if len(folders) < depth or not all(map(re.fullmatch, digits, folders)):
        raise VendorError(f"{path}: the path does not say when its records begin. {_how_to_declare(kind, path.name)}")
    try:
        start = _start(folders, int(name["hour"] or 0))
    except ValueError as error:
        raise VendorError(
            f"{path}: {'/'.join(folders)} is no date ({error}); months count from 00 (January) to 11 (December)"
        ) from None
    above = path.parents[depth].name
    return Place(kind, side, start, above if _PAIR.fullmatch(above) else None)


def _start(folders: tuple[str, ...], hour: int) -> dt.datetime:
    year, month, day = (*map(int, folders), *(0, 1)[len(folders) - 1 :])
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise ValueError(f"year {year} is not within {FIRST_YEAR} to {LAST_YEAR}")
    # Naive, as all readers give times; the feed's clock is UTC.
    return dt.datetime(year, month + 1, day, hour)  # noqa: DTZ001


def _how_to_declare(kind: Kind, name: str) -> str:
    example = {"ticks": "2019/01/04", "min": "2019/01/04", "hour": "2019/01", "day": "2019"}[kind]
    meaning = {"ticks": "4 February 2019", "min": "4 February 2019", "hour": "February 2019", "day": "2019"}[kind]
    return f"Declare it by its folders, months from 00: EURUSD/{example}/{name} is of {meaning}"


def month_path(pair: str, month: dt.date) -> PurePosixPath:
    """Return where the feed keeps a month of a pair's hourly BID candles."""
    return PurePosixPath(pair, f"{month.year:04}", f"{month.month - 1:02}", "BID_candles_hour_1.bi5")
