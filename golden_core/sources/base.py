"""The contract of a source, and what sources share. A vendor's own format does not belong here."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import ClassVar, Protocol, TypeVar

import polars as pl
from pydantic import BaseModel

from golden_core.market.clock import ECB_ZONE, MONTH, fixing, publication
from golden_core.store.schema import BARS
from golden_core.study import DataSection

SettingsModel = TypeVar("SettingsModel", bound=BaseModel)


class SourceError(ValueError):
    """An input is missing or malformed; the message says where, what was expected, and the fix."""


class Source(Protocol):
    """Where prices come from; stateless. ``Settings`` is the model of ``data.settings`` in a study."""

    Settings: ClassVar[type[BaseModel]]
    made_up: ClassVar[bool] = False  # by the study's own seed: no record of any market

    def read(self, data: DataSection, root_seed: int, home: Path) -> pl.DataFrame:
        """Return the raw table that the study's pairs need, restricted to its days, or raise SourceError."""
        ...

    def bars(self, raw: pl.DataFrame, data: DataSection, pair: str) -> pl.DataFrame:
        """Return the bars of one pair (``schema.BARS``) as the raw table has them: not cleaned, not sorted."""
        ...

    def last_day(self, raw: pl.DataFrame, data: DataSection) -> datetime.date:  # noqa: ARG002
        """Return the last day of which a raw table has every bar of every pair: what ``end: latest`` stands for."""
        raise SourceError(f"data.end must be a day: source {data.source} has no latest bar")

    def describe(self, data: DataSection, home: Path) -> dict[str, str]:
        """Return the identity of the input: files, SHA-256, range, licence."""
        ...


def parse_settings(model: type[SettingsModel], data: DataSection) -> SettingsModel:
    """Return ``data.settings`` as the source's own model."""
    # JSON mode keeps strict typing yet reads a list as a tuple, as the study's reader does.
    return model.model_validate_json(json.dumps(data.settings))


_FIXED = {"ecb": ("1d", MONTH), "synthetic": ("1d",)}  # bars that can be made of one price a day


def bar_fault(bar: str, source: str) -> str | None:
    """Return what speaks against a length of bars: where there is one fixing a day, and where there is none."""
    if source not in _FIXED:
        return f"{MONTH} is made of fixings, and source {source} has none: use 1d, 4h or 1h" if bar == MONTH else None
    if bar in _FIXED[source]:
        return None
    return f"must be {' or '.join(_FIXED[source])} for source {source}, which has one price a day, got {bar}"


def price_fault(price: str, bar: str, source: str) -> str | None:
    """Return what speaks against saying that closes are means over time: a source that makes no such bars."""
    if price == "last" or (source, bar) == ("ecb", MONTH) or source == "files":
        return None
    return f"may be mean for bars of {MONTH} of source ecb, and for files whose bars are means; got {source}, {bar}"


def zone_fault(zone: str, source: str) -> str | None:
    """Return what speaks against a clock where prices are fixed in Frankfurt."""
    return None if zone == ECB_ZONE else f"must be {ECB_ZONE} for source {source}, got {zone}"


def require_fixing_clock(data: DataSection) -> None:
    """Refuse a study that declares another clock than one fixing a day in Frankfurt: ignoring it would be a lie."""
    if fault := bar_fault(data.bar, data.source):
        raise SourceError(f"data.bar {fault}")
    if fault := zone_fault(data.time_zone, data.source):
        raise SourceError(f"data.time_zone {fault}")


def fixing_bars(pair: str, fixings: pl.DataFrame) -> pl.DataFrame:
    """Return bars for columns ``date`` and ``close``: known when published, and no open, high or low."""
    return BARS.conform(
        fixings.select(
            pair=pl.lit(pair),
            timestamp=fixing(pl.col("date")),
            available_at=publication(pl.col("date")),
            close=pl.col("close"),
        )
    )
