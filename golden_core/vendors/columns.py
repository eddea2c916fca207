"""What vendors call a column, and finding it by its name. Positions do not matter wherever there is a header."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from golden_core.vendors.base import VendorError

PRICES = ("open", "high", "low", "close")

# Normal forms (see `normal`) of the names that are understood without a declaration.
ALIASES: Mapping[str, tuple[str, ...]] = {
    "open": (
        "open", "o", "openprice", "first", "bidopen", "openbid", "openmid", "pxopen", "mido", "bido",
        "eroffnung", "eroffnungskurs", "eroffn", "erster", "ouverture", "ouv", "apertura", "abertura",
        "otwarcie", "acılıs", "acilis", "открытие", "откр", "始値", "开盘", "开盘价", "시가",
    ),
    "high": (
        "high", "h", "highprice", "max", "maximum", "bidhigh", "highbid", "highmid", "pxhigh", "midh", "bidh",
        "hoch", "hochst", "hochstkurs", "tageshoch", "plushaut", "haut", "maximo", "massimo", "maxima",
        "hoog", "najwyzszy", "yuksek", "максимум", "макс", "高値", "高", "最高价", "고가",
    ),
    "low": (
        "low", "l", "lowprice", "min", "minimum", "bidlow", "lowbid", "lowmid", "pxlow", "midl", "bidl",
        "tief", "tiefst", "tiefstkurs", "tagestief", "plusbas", "bas", "minimo", "minima",
        "laag", "najnizszy", "dusuk", "минимум", "мин", "安値", "低", "最低价", "저가",
    ),
    "close": (
        "close", "c", "closeprice", "last", "price", "bidclose", "closebid", "closemid", "pxlast", "lastprice", "midc",
        "bidc", "schluss", "schlusskurs", "zuletzt", "cloture", "dernier", "cierre", "chiusura", "fechamento",
        "letzter", "ultimo", "laatst", "zamkniecie", "simdi", "kapanıs", "kapanis", "закрытие", "цена", "終値", "收盘",
        "收盘价", "종가",
    ),
    "bid": ("bid", "bidprice", "ratebid"),
    "ask": ("ask", "askprice", "offer", "rateask"),
    "bid_volume": ("bidvolume",),
    "ask_volume": ("askvolume",),
}  # fmt: skip
TIMES = (
    "timestamp", "time", "datetime", "date", "opentime", "opendate", "opentimestamp", "bartime", "bardate", "gmttime",
    "utctime", "utc", "gmt", "eettime", "localtime", "timegmt", "timeutc", "timeeet", "timestamputc", "datetimeutc",
    "dateutc", "timestampgmt", "datetimegmt", "dategmt", "unix", "unixtime", "unixtimestamp", "epoch", "t",
    "dtyyyymmdd", "observationdate", "exchangedate", "ratedatetime", "dates", "index", "indexlevel0", "datum", "zeit",
    "uhrzeit", "datumzeit", "datumuhrzeit", "zeitstempel", "heure", "dateheure", "horodatage", "fecha", "hora",
    "fechahora", "data", "ora", "tarih", "дата", "время", "датавремя", "日付", "日付け", "日時", "時刻", "日期", "时间",
    "날짜", "일자",
)  # fmt: skip
# Beside a time of day, days alone.
DATES = ("date", "dtyyyymmdd", "datum", "fecha", "data", "tarih", "дата", "日付", "日期", "날짜")
CLOCKS = ("time", "zeit", "uhrzeit", "heure", "hora", "ora", "saat", "время", "時刻", "时间", "시간")
INDEXES = ("index", "indexlevel0")  # pandas' own, often a mere count
COMPLETE = ("complete", "iscomplete")
CLOSE_TIMES = ("closetime", "closedate", "closetimestamp", "endtime", "timeclose")
# The first present counts: MetaTrader's own count of ticks is filled, its real volume seldom is.
VOLUMES = (
    "volume", "tickvol", "tickvolume", "vol", "v", "ticks", "realvolume", "bidvolume", "volumen",
    "wolumen", "объем", "出来高", "交易量", "成交量", "거래량",
)  # fmt: skip
INSTRUMENTS = ("pair", "symbol", "ticker", "instrument")
BASES = ("base", "basecurrency", "from", "fromcurrency")
COUNTERS = ("quote", "quotecurrency", "to", "tocurrency", "target", "targetcurrency")
CURRENCIES = (
    "AED|ARS|AUD|BGN|BRL|CAD|CHF|CLP|CNH|CNY|COP|CZK|DKK|EGP|EUR|GBP|HKD|HRK|HUF|IDR|ILS|INR|ISK|JPY|KRW|KZT|MXN|MYR"
    "|NGN|NOK|NZD|PHP|PKR|PLN|RON|RSD|RUB|SAR|SEK|SGD|THB|TRY|TWD|UAH|USD|VND|ZAR|XAG|XAU|XPD|XPT"
)

_CODE = r"(?<![a-z])(?:gmt|utc)"
_OFFSET = re.compile(_CODE + r"\s*(?P<sign>[+-])\s*(?P<hours>\d{1,2})(?::?(?P<minutes>\d\d))?(?!\d)", re.IGNORECASE)
_UTC = re.compile(_CODE + r"(?![a-z])(?!.*(?:\d|plus|minus))", re.IGNORECASE)  # time_utc_plus2 is not UTC


@dataclass(frozen=True)
class Found:
    """Which column of the file is which of ours.

    ``time`` is one column, or date and time of day; ``numbers`` our name → the file's; ``complete`` says whether a bar
    was over when it was written.
    """

    time: tuple[str, ...]
    numbers: Mapping[str, str]
    ignored: tuple[str, ...] = ()
    complete: str | None = None


def normal(name: str) -> str:
    """Return a name without case, accents, spaces, brackets and number: ``<TICKVOL>`` is tickvol, ``1. open`` open."""
    name = re.sub(r"^\d+[a-z]?\. ", "", name)  # as Alpha Vantage writes them
    return unicodedata.normalize("NFC", re.sub(r"[\W_]", "", unicodedata.normalize("NFKD", name).lower()))


def find_columns(
    names: Sequence[str], path: Path, declared: Mapping[str, str | None], ours: Sequence[str] = PRICES
) -> Found:
    """Find time, prices (``ours``) and volume by name; ``declared`` is ours → the file's, or None where it has none.

    A name that is missing, or that two columns answer to, is refused. ``day+clock`` declares both halves of the time.
    """
    given = declared.get("timestamp")
    # A name may itself hold a plus.
    time = () if given is None else (given,) if given in names else tuple(map(str.strip, given.split("+", 1)))
    told = [*(("timestamp", part) for part in time), *(one for one in declared.items() if one[0] != "timestamp")]
    for name, theirs in told:
        if theirs is not None and theirs not in names:
            raise VendorError(f"{path} has no column {theirs!r} for {name}; it has {', '.join(names)}")
    time = time or _time(names, path)
    numbers = {name: declared[name] if name in declared else _one(names, name, path) for name in ours}
    by_normal = {normal(name): name for name in reversed(names)}
    both = {side: by_normal.get(normal(side)) for side in ("bid_volume", "ask_volume")}
    if "bid" in ours and all(both.values()):
        numbers |= both
    else:
        known = next((by_normal[alias] for alias in VOLUMES if alias in by_normal), None)
        numbers["volume"] = declared.get("volume", known)
    for name, theirs in numbers.items():
        first = next(ours for ours in numbers if numbers[ours] == theirs)
        if theirs is not None and first != name:
            raise VendorError(
                f"{path}: column {theirs!r} is declared to be the {first} and the {name}; declare another with "
                f"--column {name}=NAME (in a study: format columns)"
            )
    complete = next((name for name in names if normal(name) in COMPLETE), None)
    used = {*numbers.values(), *time, complete}
    return Found(
        time,
        {name: theirs for name, theirs in numbers.items() if theirs is not None},
        tuple(name for name in names if name and name not in used and normal(name) not in INSTRUMENTS),
        complete,
    )


def has_prices(names: Sequence[str], ours: Sequence[str] = PRICES) -> bool:
    """Whether a header names all these prices, each at least once."""
    found = {normal(name) for name in names}
    return all(found & set(ALIASES[name]) for name in ours)


def has_time(names: Sequence[str]) -> bool:
    """Whether a header names a time; pandas writes an index without a name as a column without one."""
    return "" in names[:1] or any(_time_name(name) in (*TIMES, *CLOSE_TIMES) for name in names)


def clock_in(name: str) -> str | None:
    """Return the clock that a column states: ``time_utc`` is UTC, ``Time (GMT+0200)`` UTC+02:00; else None."""
    offset = _OFFSET.search(name)
    if offset:
        shift = f"{int(offset['hours']):02}:{offset['minutes'] or '00'}"
        return "UTC" if shift == "00:00" else f"UTC{offset['sign']}{shift}"
    if _UTC.search(name):
        return "UTC"
    return "EET" if "eet" in re.split(r"[^a-z]+", name.lower()) else None


def _time_name(name: str) -> str:
    """Return the normal form of a time column's name without the offset that it states."""
    return normal(_OFFSET.sub("", name))


def _one(names: Sequence[str], ours: str, path: Path) -> str:
    found = [name for name in names if normal(name) in ALIASES[ours]]
    if len(found) == 1:
        return found[0]
    if found:
        said, example = f"{' and '.join(map(repr, found))} could both be the {ours}; declare which", repr(found[0])
    else:
        said, example = f"no column is called {ours}; there are {', '.join(map(repr, names))}; declare it", "NAME"
    raise VendorError(f"{path}: its columns: {said} with --column {ours}={example} (in a study: format columns)")


def _time(names: Sequence[str], path: Path) -> tuple[str, ...]:
    by_name = {_time_name(name): name for name in reversed(names)}
    day = next((by_name[date] for date in DATES if date in by_name), None)
    clock = next((by_name[time] for time in CLOCKS if time in by_name), None)
    if day is not None and clock is not None:
        return day, clock
    found = [name for name in names if _time_name(name) in TIMES]
    found.sort(key=lambda name: normal(name) in INDEXES)  # the likelier is proposed
    found = found or [name for name in names[:1] if not name]
    if len(found) == 1:
        return (found[0],)
    if found:
        raise VendorError(
            f"{path}: its columns: {' and '.join(map(repr, found))} could both be the time of the bar's open; declare "
            f"which with --column timestamp={found[0]!r} (in a study: format columns)"
        )
    closing = [name for name in names if normal(name) in CLOSE_TIMES]
    what = f"{closing[0]!r} is when a bar closes, and bars are stamped at their open" if closing else "no time column"
    raise VendorError(
        f"{path}: its columns: {what}; there are {', '.join(map(repr, names))}; declare the open of the bar with "
        "--column timestamp=NAME (in a study: format columns)"
    )
