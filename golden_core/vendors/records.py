"""A format of JSON, as data: how to know it, and the records in an answer. Formats have own files; no request here."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl

from golden_core.vendors.assembly import Known, assemble
from golden_core.vendors.base import SIDES, Claim, Reader, VendorError, VendorTable
from golden_core.vendors.columns import PRICES, Found
from golden_core.vendors.text import HEAD_BYTES, Rows, refuse_packed
from golden_core.vendors.ticks import QUOTES

_LARGEST = 2**63 - 1  # nanoseconds since 1970, up to 2262


@dataclass(frozen=True, kw_only=True)
class Records:
    """What an answer holds: records under our names, and what it says of them."""

    rows: Sequence[Mapping[str, Any]]
    clock: str | None = None
    bar: str | None = None
    side: str | None = None
    unit: str = "candle"
    notes: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class Json:
    """One format of JSON; ``records`` takes answer, pair, chosen side and path; ``sides``: there may be several."""

    name: str
    example: str
    because: str
    begins: re.Pattern[bytes]
    records: Callable[[Any, str, str | None, Path], Records]
    sides: bool = False
    side: str | None = None

    @property
    def choices(self) -> Sequence[str]:
        """Sides of the price, where there are several."""
        return SIDES if self.sides else ()

    def chosen(self, choice: str) -> Reader:
        """Return the reader for one side of the price."""
        return replace(self, side=choice)

    def sniff(self, path: Path) -> Claim | None:
        """Claim a file that begins as the format does."""
        if not path.is_file():
            return None
        with path.open("rb") as stream:
            first = stream.read(HEAD_BYTES).removeprefix(b"\xef\xbb\xbf").lstrip()
        return Claim(self.name, self.because) if self.begins.match(first) else None

    def read(self, path: Path, pair: str) -> VendorTable:
        """Read all records; one that is not complete is marked in the column ``complete``."""
        answer = self.records(parsed_json(path), pair, self.side, path)
        if not answer.rows:
            raise VendorError(f"{path}: the answer has no {answer.unit}; request another range")
        ticks = "bid" in answer.rows[0]
        needed = ("timestamp", *(("bid", "ask") if ticks else PRICES))
        maybe = (*(QUOTES[2:] if ticks else ("volume",)), "complete")
        names = (*needed, *(name for name in maybe if any(row.get(name) is not None for row in answer.rows)))
        table = pl.DataFrame([_column(answer, name, path) for name in names])
        line = pl.int_range(1, table.height + 1, dtype=pl.Int64, eager=True).alias(answer.unit)
        numbers = {name: name for name in names if name not in ("timestamp", "complete")}
        found = Found(("timestamp",), numbers, complete="complete" if "complete" in names else None)
        sided = (f"{answer.side} prices",) if answer.side and not ticks else ()
        known = Known(
            format=self.name, clock=answer.clock, bar=answer.bar, side=answer.side, notes=(*answer.notes, *sided)
        )
        return assemble(Rows(table, line, True, ()), found, path, known)


def require_pair(said: str, pair: str, path: Path) -> None:
    """Refuse an answer about another instrument."""
    if not re.sub(r"[^A-Z]", "", said.upper()).endswith(pair):
        raise VendorError(f"{path}: the instrument is {said!r}, but {pair} is asked for; import it as that")


def require_yahoo(ticker: str, pair: str, path: Path) -> None:
    """Refuse another pair, also as Yahoo calls it: ``EURUSD=X``, and ``JPY=X`` for the dollar in yen."""
    code = ticker.removesuffix("=X")
    require_pair(f"USD{code}" if len(code) == 3 else code, pair, path)


def require_list(found: Any, what: str, path: Path) -> list[Any]:
    """Refuse an answer without its list, as services send with an error message."""
    if isinstance(found, list):
        return found
    raise VendorError(f"{path}: expected {what}; save the whole answer")


def as_object(found: Any) -> Mapping[str, Any]:
    """Return an answer that is an object; anything else has none of its names."""
    return found if isinstance(found, dict) else {}


def _column(answer: Records, name: str, path: Path) -> pl.Series:
    values = [row.get(name) if isinstance(row, Mapping) else None for row in answer.rows]
    text = isinstance(values[0], str)
    kinds: Any = bool if name == "complete" else str if text else (int, float)
    for place, value in enumerate(values, start=1):
        if not isinstance(value, kinds) or (isinstance(value, bool) and name != "complete"):
            raise VendorError(
                f"{path}: {answer.unit} {place} has no usable {name.replace('timestamp', 'time')}; save the answer as "
                "it was sent"
            )
    if kinds == (int, float):
        return pl.Series(name, values, pl.Int64 if all(isinstance(value, int) for value in values) else pl.Float64)
    return pl.Series(name, values)


def _whole(text: str) -> int:
    if len(text) > len(str(-_LARGEST)) or abs(int(text)) > _LARGEST:
        raise ValueError(f"{text[:30]} has {len(text)} digits, too many digits for a time, a price or a volume")
    return int(text)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found, names = dict(pairs), [name for name, _ in pairs]
    if len(found) < len(names):
        raise ValueError(f"{max(names, key=names.count)!r} is there twice in one object")
    return found


def parsed_json(path: Path) -> Any:
    """Return what a file of JSON holds; an object in each of several lines is a list of them.

    Refused is what is broken, with the place, names a key twice in one object or holds a number too large.
    """
    refuse_packed(path)
    data = path.read_bytes()
    many = re.match(rb"\s*\{[^\n]*\}\s*\n\s*\{", data) is not None
    text = b"[" + re.sub(rb"\}\s*\n\s*\{", b"},\n{", data) + b"]" if many else data
    try:
        return json.loads(text, parse_int=_whole, object_pairs_hook=_once)
    except (RecursionError, ValueError) as error:
        raise VendorError(f"{path}: {error}: the JSON is broken or cut off; save the answer as it was sent") from None
