"""Kinds of values that sections share: pairs, days, time zones, settings. What they are used for is said elsewhere."""

from __future__ import annotations

import datetime
import re
import zoneinfo
from typing import Annotated, Any, NoReturn

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, WithJsonSchema
from pydantic_core import PydanticCustomError

from golden_core.study.faults import closest, show
from golden_core.study.messages import SAID

# The day of many brokers ends at midnight when it is 17:00 in New York, all year round.
BROKER_CLOCKS = {"EET_US": "America/New_York+07:00"}

LATEST = "latest"
NEWEST = datetime.date.max  # how a study holds `latest`: no day is excluded until the source has been asked


class FrozenDict(dict[str, Any]):
    """A dict that refuses every change: settings are handed to other people's code, which must not alter the study."""

    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        raise TypeError("a study is frozen: its settings cannot be changed")

    __setitem__ = __delitem__ = __ior__ = _refuse
    clear = pop = popitem = setdefault = update = _refuse

    def __reduce__(self) -> tuple[type[FrozenDict], tuple[dict[str, Any]]]:
        return FrozenDict, (dict(self),)


def freeze(value: Any) -> Any:
    """Return a value with every dict in it frozen and every list made a tuple."""
    if isinstance(value, dict):
        return FrozenDict({key: freeze(entry) for key, entry in value.items()})
    if isinstance(value, list | tuple):
        return tuple(freeze(entry) for entry in value)
    return value


def _said(message: str) -> PydanticCustomError:
    return PydanticCustomError(SAID, "{message}", {"message": message})


def _no_repeats(values: tuple[Any, ...]) -> tuple[Any, ...]:
    repeated = sorted({str(value) for value in values if values.count(value) > 1})
    if repeated:
        raise _said(f"names {', '.join(repeated)} twice")
    return values


def _two_currencies(pair: str) -> str:
    if pair[:3] == pair[3:]:
        raise _said(f"must be two different currencies, got {pair!r}")
    return pair


def _day(value: Any) -> datetime.date:
    if type(value) is datetime.date:
        return value
    try:
        if not (isinstance(value, str) and re.fullmatch(r"(19|[2-9][0-9])[0-9]{2}-[0-9]{2}-[0-9]{2}", value)):
            raise ValueError
        return datetime.date.fromisoformat(value)
    except ValueError:
        raise _said(f"must be a day like 2020-01-31, of 1900 or later, got {show(value)}") from None


def _last_day(value: Any) -> datetime.date:
    if value == LATEST:
        return NEWEST
    try:
        return _day(value)
    except PydanticCustomError:
        raise _said(f"must be a day like 2020-01-31, or {LATEST}, got {show(value)}") from None


def _time_zone(name: str) -> str:
    zone = re.sub(r"[+-][0-9]{2}:[0-9]{2}$", "", BROKER_CLOCKS.get(name, name))
    try:
        zoneinfo.ZoneInfo(zone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        hint = closest(name, zoneinfo.available_timezones())
        raise _said(f"must be an IANA time zone such as Europe/Berlin, got {show(name)}{hint}") from None
    return name


Pair = Annotated[
    str, Field(pattern=r"^[A-Z]{6}$", description="base then quote, such as EURUSD"), AfterValidator(_two_currencies)
]
Day = Annotated[datetime.date, BeforeValidator(_day)]  # pydantic alone would also take seconds since 1970 for a day
LastDay = Annotated[
    datetime.date,
    BeforeValidator(_last_day),
    PlainSerializer(lambda day: LATEST if day == NEWEST else day.isoformat(), when_used="json"),
    WithJsonSchema({"anyOf": [{"type": "string", "format": "date"}, {"const": LATEST}]}),
]
TimeZone = Annotated[str, AfterValidator(_time_zone)]
Settings = Annotated[dict[str, Any], AfterValidator(freeze)]
Distinct = AfterValidator(_no_repeats)
