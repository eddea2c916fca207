"""Plain tables as JSON: records under known names, in the forms that services, pandas and scripts give them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from golden_core.vendors.assembly import Known, assemble, require_instrument, side_of
from golden_core.vendors.base import Claim, Reader, VendorError, VendorTable
from golden_core.vendors.columns import (
    BASES,
    COUNTERS,
    CURRENCIES,
    INSTRUMENTS,
    PRICES,
    find_columns,
    has_prices,
    normal,
)
from golden_core.vendors.records import parsed_json, require_yahoo
from golden_core.vendors.suggestions import closes_alone
from golden_core.vendors.text import HEAD_BYTES, SNIFFED, Head, Rows

_BEGINS = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:\[\s*)?\{")
_WORD = re.compile(rb'"([^"\\\n]{1,40})"')
_FORMS = "a list of objects, one object to a line, lists under names, or what pandas' to_json writes"
_INDEX = "index"  # of pandas, where it has no name

Columns = dict[str, list[Any]]


@dataclass(frozen=True)
class PlainJson(Reader):
    """Objects with a time and four prices. A price of null is one that does not exist, and stays so."""

    columns: Mapping[str, str | None] = field(default_factory=dict)
    name = "plain_json"
    example = (
        '[{"time": "2024-03-15T10:00:00Z", "open": 1.08812, "high": 1.08901, "low": 1.0879, "close": 1.08874},'
        ' {"time": "2024-03-15T11:00:00Z", "open": 1.08874, "high": 1.0893, "low": 1.0885, "close": 1.08911}]'
    )

    def sniff(self, path: Path) -> Claim | None:
        """Claim what begins as objects do, and soon names a price."""
        if not holds_objects(path):
            return None
        with path.open("rb") as stream:
            names = [name.decode("utf-8", "replace") for name in _WORD.findall(stream.read(HEAD_BYTES))]
        return Claim(self.name, "it is JSON whose objects name prices") if _names_price(names) else None

    def read(self, path: Path, pair: str) -> VendorTable:
        """Read all records; all of them have a time."""
        answer = parsed_json(path)
        _require_instrument(answer, pair, path)
        table = pl.DataFrame([_series(name, values, path) for name, values in _table(answer, path).items()])
        if table.is_empty():
            raise VendorError(f"{path}: the table has no record; request another range")
        require_instrument(table, pair, path)
        line = pl.int_range(1, table.height + 1, dtype=pl.Int64, eager=True).alias("record")
        found = find_columns(table.columns, path, closes_alone(self.columns, table.columns))
        known = Known(format=self.name, side=side_of(found, path), gaps=True)
        return assemble(Rows(table, line, True, ()), found, path, known)


JSON = PlainJson()


def holds_objects(path: Path) -> bool:
    """Whether a file begins as an object of JSON does, or a list of them."""
    if not path.is_file():
        return False
    with path.open("rb") as stream:
        return _BEGINS.match(stream.read(HEAD_BYTES)) is not None


def first_records(path: Path) -> Head:
    """Return the first records of a file as lines of a table, for what to declare."""
    columns = _table(parsed_json(path), path)
    rows = [*zip(*columns.values(), strict=True)][:SNIFFED]
    return Head(tuple("\t".join(map(str, row)) for row in (columns, *rows)), "\t")


def _table(answer: Any, path: Path) -> Columns:
    """Return the columns of a table, without those that hold objects or lists."""
    columns = _columns(answer, path) or {}
    plain = {name: cells for name, cells in columns.items() if not any(isinstance(cell, dict | list) for cell in cells)}
    if len(plain) < 2:
        raise VendorError(f"{path}: its JSON holds no table: expected {_FORMS}; write its rows so, each with its time")
    return plain


def _names_price(names: Iterable[str]) -> bool:
    return any(has_prices([*names], (price,)) for price in PRICES)


def _columns(answer: Any, path: Path) -> Columns | None:
    """Return the columns of a table in any of the forms; None where it is none; refuse several with prices."""
    if isinstance(answer, list):
        return _of_records(answer) if answer and all(isinstance(row, dict) for row in answer) else None
    if not isinstance(answer, dict):
        return None
    lists = {name: value for name, value in answer.items() if isinstance(value, list)}
    objects = {name: value for name, value in answer.items() if isinstance(value, dict)}
    if has_prices(list(lists)):
        return _even(lists)
    if {"columns", "data"} <= lists.keys():
        return _of_split(lists)
    if has_prices(list(objects)):  # pandas' own choice, orient="columns"
        rows = {tuple(column): None for column in objects.values()}
        index = list(next(iter(rows)))
        return {_INDEX: index, **{n: list(c.values()) for n, c in objects.items()}} if len(rows) == 1 else None
    if objects.keys() == answer.keys() and all(has_prices(list(row)) for row in objects.values()):
        return {_INDEX: list(objects), **_of_records(list(objects.values()))}  # orient="index"
    within = {name: found for name, value in answer.items() if (found := _columns(value, path))}
    priced = [name for name, found in within.items() if _names_price(found)]
    if len(priced) > 1:
        raise VendorError(f"{path}: its JSON holds {len(priced)} tables: {', '.join(priced)}; keep one in the file")
    tables = [within[name] for name in priced or within]  # beside it pandas describes the columns
    return tables[0] if len(tables) == 1 else None


def _of_split(lists: Mapping[str, list[Any]]) -> Columns | None:
    names, rows = lists["columns"], lists["data"]
    if not all(isinstance(row, list) and len(row) == len(names) for row in rows):
        return None
    columns = {str(name): [row[place] for row in rows] for place, name in enumerate(names)}
    return _even({_INDEX: lists["index"], **columns} if lists.get("index") else columns)


def _of_records(rows: Sequence[Mapping[str, Any]]) -> Columns:
    """Return columns of objects; those of an object within, where it is the only one there that holds prices, too."""
    within = [[v for v in row.values() if isinstance(v, dict) and has_prices([*v])] for row in rows]
    records = [{**row, **(own[0] if len(own) == 1 else {})} for row, own in zip(rows, within, strict=True)]
    names = dict.fromkeys(name for record in records for name in record)
    return {name: [record.get(name) for record in records] for name in names}


def _even(columns: Columns) -> Columns | None:
    return columns if len({len(values) for values in columns.values()}) == 1 else None


def _series(name: str, values: list[Any], path: Path) -> pl.Series:
    """Return a column of one kind: text, truth or numbers, with what is not there left empty."""
    kinds = {type(value) for value in values if value is not None}
    if kinds <= {int}:
        return pl.Series(name, values, pl.Int64)
    if kinds <= {int, float}:
        return pl.Series(name, values, pl.Float64, strict=False)
    if len(kinds) == 1 and kinds <= {str, bool}:
        return pl.Series(name, values)
    first = next(place for place, value in enumerate(values, 1) if value is not None)
    other = next(p for p, v in enumerate(values, 1) if v is not None and type(v) is not type(values[first - 1]))
    raise VendorError(
        f"{path}: {name!r} is {json.dumps(values[first - 1])[:40]} in record {first} and "
        f"{json.dumps(values[other - 1])[:40]} in record {other}: one kind of value is expected; mend the records"
    )


def _require_instrument(answer: Any, pair: str, path: Path) -> None:
    """Refuse an answer that says beside its table, or in an object there, which other pair it is of."""
    if not isinstance(answer, dict):
        return
    beside = [answer, *(value for value in answer.values() if isinstance(value, dict))]
    for said in ({normal(str(name)): value for name, value in one.items() if isinstance(value, str)} for one in beside):
        halves = [next((said[name] for name in names if name in said), "") for names in (BASES, COUNTERS)]
        written = [half.upper() for half in halves if re.fullmatch(CURRENCIES, half.upper())]
        told = [said[name] for name in INSTRUMENTS if name in said] + (["".join(written)] if len(written) == 2 else [])
        for instrument in told:
            require_yahoo(instrument, pair, path)
