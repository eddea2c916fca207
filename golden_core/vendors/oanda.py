"""OANDA's candles: the JSON of its v20 interface, and the CSV that scripts write from it. No request is made here."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from golden_core.vendors.assembly import assemble
from golden_core.vendors.base import Claim, VendorError, VendorTable
from golden_core.vendors.columns import PRICES, Found, find_columns, has_bars, normal
from golden_core.vendors.names import side_in_name
from golden_core.vendors.text import HEAD_BYTES, Rows, read_head, read_rows, refuse_packed
from golden_core.vendors.times import Dates

_SIDES = ("bid", "ask", "mid")
_BARS = {"M1": "1m", "M5": "5m", "M15": "15m", "M30": "30m", "H1": "1h", "H4": "4h", "D": "1d"}
_OFFSET = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
_KNOWN = {"time", *PRICES, "volume", "complete", *(price[0] for price in PRICES)}


class _OandaCsv:
    """``time,open,high,low,close`` with an offset in every row; ``complete`` where the script kept it."""

    name = "oanda_csv"

    def sniff(self, path: Path) -> Claim | None:
        """Claim a file with these columns alone and times with an offset."""
        head = read_head(path)
        if head is None or not set(map(normal, head.header)) <= _KNOWN or not has_bars(head.header):
            return None
        place = [normal(field) for field in head.header].index("time")
        first = head.fields(1) if len(head.lines) > 1 else ()
        if len(first) != len(head.header) or not _OFFSET.fullmatch(first[place]):
            return None
        return Claim(self.name, "its columns are those of OANDA's candles, and every time has its offset from UTC")

    def read(self, path: Path, pair: str) -> VendorTable:  # noqa: ARG002
        """Read all candles; one that is not complete is marked in the column ``complete``.

        Raises
        ------
        VendorError
            At the first malformed row.
        """
        rows = read_rows(path, header=True)
        found = find_columns(rows.table.columns, path)
        assembled = assemble(rows, found, path, Dates())
        return VendorTable(assembled.bars, self.name, assembled.clock, None, side_in_name(path), assembled.notes)


@dataclass(frozen=True)
class _OandaJson:
    """The answer to a request for candles: mid, bid or ask prices as text, and whether a candle is complete."""

    side: str | None = None
    name = "oanda_json"
    choices = _SIDES

    def chosen(self, choice: str) -> _OandaJson:
        """Return the reader for one side of the price."""
        return _OandaJson(choice)

    def sniff(self, path: Path) -> Claim | None:
        """Claim a JSON object that speaks of candles at its beginning."""
        if not path.is_file():
            return None
        with path.open("rb") as stream:
            first = stream.read(HEAD_BYTES).removeprefix(b"\xef\xbb\xbf").lstrip()
        if not (first.startswith(b"{") and b'"candles"' in first):
            return None
        return Claim(self.name, "it is a JSON object with candles, as OANDA's v20 interface answers")

    def read(self, path: Path, pair: str) -> VendorTable:
        """Read all candles; one that is not complete is marked in the column ``complete``.

        Raises
        ------
        VendorError
            If the JSON is broken or another instrument's, a candle lacks something, or several sides were asked for
            and none is chosen.
        """
        answer = _answer(path)
        instrument = str(answer.get("instrument", pair))
        if normal(instrument) != pair.lower():
            raise VendorError(f"{path}: the instrument is {instrument!r}, but {pair} is asked for; import it as that")
        candles = answer["candles"]
        side = _side(candles[0], self.side, path)
        table = _table(candles, side, path)
        line = pl.int_range(1, table.height + 1, dtype=pl.Int64, eager=True).alias("candle")
        found = Found(("time",), {name: name for name in PRICES}, "volume", (), "complete")
        assembled = assemble(Rows(table, line, True, ()), found, path, Dates())
        given = answer.get("granularity")
        bar = _BARS.get(given) if isinstance(given, str) else None
        if given is not None and bar is None:
            raise VendorError(f"{path}: granularity {given!r} is none of {', '.join(_BARS)}; request one of these")
        notes = [f"{side} prices", *assembled.notes]
        return VendorTable(assembled.bars, self.name, assembled.clock or "UTC", bar, side, notes)


OANDA_CSV = _OandaCsv()
OANDA_JSON = _OandaJson()


def _answer(path: Path) -> dict[str, Any]:
    refuse_packed(path)
    try:
        answer = json.loads(path.read_bytes())
    except UnicodeDecodeError as error:
        raise VendorError(f"{path}: byte {error.start} is not UTF-8; save the answer as it was sent") from None
    except RecursionError:
        raise VendorError(f"{path}: the JSON nests too deep for candles; save the answer as it was sent") from None
    except json.JSONDecodeError as error:
        raise VendorError(
            f"{path}: line {error.lineno}, column {error.colno}: {error.msg}: the JSON is broken or cut off"
        ) from None
    if not isinstance(answer, dict) or not isinstance(answer.get("candles"), list):
        raise VendorError(f"{path}: expected an object with a list of candles; save the whole answer")
    if not answer["candles"]:
        raise VendorError(f"{path}: the answer has no candle; request another range")
    return answer


def _side(candle: Any, wanted: str | None, path: Path) -> str:
    sides = [side for side in _SIDES if isinstance(candle, dict) and side in candle]
    if wanted and wanted not in sides:
        raise VendorError(f"{path}: there are no {wanted} prices, only {', '.join(sides) or 'none'}")
    if len(sides) == 1 or wanted:
        return wanted or sides[0]
    if not sides:
        raise VendorError(f"{path}: candle 1 has neither mid nor bid nor ask; save the answer as it was sent")
    raise VendorError(
        f"{path}: candles have {', '.join(sides)} prices; choose one: "
        + ", ".join(f"--format oanda_json:{side}" for side in sides)
    )


def _table(candles: list[Any], side: str, path: Path) -> pl.DataFrame:
    """Return one row of text per candle."""
    prices = pl.Struct({price[0]: pl.String for price in PRICES})
    schema: dict[str, pl.DataType | type[pl.DataType]] = {
        "time": pl.String,
        "volume": pl.Float64,
        "complete": pl.Boolean,
    }
    schema[side] = prices
    try:
        raw = pl.DataFrame(candles, schema=schema, strict=False, orient="row")
    except (pl.exceptions.PolarsError, TypeError, ValueError) as error:
        raise VendorError(f"{path}: the candles are not all objects: {str(error).splitlines()[0]}") from None
    table = raw.unnest(side).rename({price[0]: price for price in PRICES})
    for name in ("time", *PRICES, "volume", "complete"):
        faults = table[name].is_null().arg_true()
        if len(faults):
            raise VendorError(
                f"{path}: candle {int(faults[0]) + 1} has no usable {name}; save the answer as it was sent"
            )
    return table
