"""Delimited text as rows of text: encoding, line ends, separator, ragged rows. No column has a meaning here."""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import polars as pl

from golden_core.vendors.base import VendorError

HEAD_BYTES = 65_536
SNIFFED = 20  # lines that tell the form of a file without header
SEPARATORS = ("\t", ";", ",", "|")  # in this order: a semicolon file may hold commas as decimal marks
TWICE = " (column "  # behind a name that several columns have
_EXCEL = ("an Excel workbook", "save its sheet as CSV")  # since 2007 a zip archive
_OTHERS = {
    b"version https://git-lfs": ("Git LFS's pointer to the file", "fetch the file itself with git lfs pull"),
    b"\xd0\xcf\x11\xe0": _EXCEL,
    b"ARROW1": ("an Arrow file", "write it as Parquet"),
    b"\x89HDF": ("an HDF5 file", "write it as Parquet"),
}
_OTHERS |= dict.fromkeys((b'"{', b'"[{'), ("JSON within a text of JSON", "write what the text holds"))
_PACKED = {b"\x1f\x8b": "gzip", b"PK\x03\x04": "zip", b"BZh": "bzip2", b"\xfd7zXZ": "xz"}
_PACKED |= {b"7z\xbc\xaf": "7z", b"Rar!": "rar"}
_WORDS = re.compile(r'"?[^\W\d]\S* \S+ \S')
_QUOTED = re.compile(r'"[^"\n]*"')
_HINT = r'\A(?i:"?sep=[^\n]?"?[ \t]*)(?=\n)'  # of the separator, to Excel
_UTF_8 = "utf-8-sig"
# A single letter, as in Eröffnung: in UTF-8 and in other scripts such bytes stand together.
_LETTER = re.compile(rb"[\xc0-\xff][a-z]")
_NOT_WESTERN = re.compile(rb"[\0\x7f-\xbf]|[\xc0-\xff]{2}")
_MARKS = dict.fromkeys((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE), "UTF-32")  # first: it begins as one of UTF-16
_MARKS |= dict.fromkeys((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE), "UTF-16")


@dataclass(frozen=True)
class Head:
    """The first complete lines of a text file, blank ones left out, and what separates their fields."""

    lines: tuple[str, ...]
    separator: str

    @property
    def header(self) -> tuple[str, ...]:
        """The fields of the first line."""
        return self.fields(0)

    def fields(self, line: int) -> tuple[str, ...]:
        """Return the fields of a line, stripped."""
        return tuple(strip(field) for field in self.lines[line].split(self.separator))

    def has_form(self, pattern: re.Pattern[str]) -> bool:
        """Whether the first line and most of the next ones match; the others are for reading to name."""
        matches = [pattern.fullmatch(line.strip()) is not None for line in self.lines[:SNIFFED]]
        return matches[0] and 2 * sum(matches) > len(matches)


@dataclass(frozen=True, eq=False)
class Rows:
    """Every row as text, under the header's names or ``0``, ``1``, …; ``ended``: the last line has a line end."""

    table: pl.DataFrame
    line: pl.Series
    ended: bool
    notes: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Lines:
    """Where the rows of a file stand in it, for messages that name the place."""

    path: Path
    number: pl.Series  # of each row; its name says what is counted: line, row, record, candle

    def named(self, row: int) -> str:
        """Return the place of a row: ``line 7``."""
        return f"{self.number.name} {self.number[row]}"

    def fault(self, row: int, said: str) -> VendorError:
        """Return the error about a row."""
        return VendorError(f"{self.path}: {self.named(row)}: {said}")

    def refuse(self, faults: pl.Series, said: Callable[[int], str]) -> None:
        """Refuse the first row that is at fault."""
        if faults.any():
            row = int(faults.arg_true()[0])
            raise self.fault(row, said(row))


def strip(field: str) -> str:
    """Return a field without the spaces and quotes around it."""
    return field.strip(' \t"\r')


def refuse_packed(path: Path) -> None:
    """Refuse an empty file, an archive, which may hold several files, and binary tables that no reader is for."""
    with path.open("rb") as stream:
        first = stream.read(32)
    if not first:
        raise VendorError(f"{path}: the file is empty; it was perhaps never downloaded whole: fetch it again")
    packed = {magic: (f"a {kind} archive", "unpack it and name the file inside") for magic, kind in _PACKED.items()}
    known = {b"PK": _EXCEL} if first[:2] == b"PK" and path.suffix.lower().startswith(".xls") else _OTHERS | packed
    for kind, fix in (said for magic, said in known.items() if first.startswith(magic)):
        raise VendorError(f"{path}: this is {kind}; {fix}")


def read_head(path: Path) -> Head | None:
    """Return the first lines of a text file, or None where it is none."""
    if not path.is_file():
        return None
    with path.open("rb") as stream:
        data = stream.read(HEAD_BYTES)
    whole = len(data) < HEAD_BYTES
    try:
        text = codecs.getincrementaldecoder(_encoding(data))().decode(data)
        text = _blanked(text.replace("\r\n", "\n").replace("\r", "\n"))[0]
        lines = re.sub(_HINT, "", _unquoted(text)).split("\n")
    except (UnicodeDecodeError, csv.Error):
        return None
    kept = tuple(line for line in (lines if whole else lines[:-1]) if line.strip(' \t,;|"'))
    if not kept or "\0" in text:
        return None
    return Head(kept, separator_of(kept[0]))


def separator_of(line: str) -> str:
    """Return what separates the fields of a line: tab before semicolon before comma before bar."""
    return next((mark for mark in SEPARATORS if mark in line), ",")


def read_rows(path: Path, *, header: bool, named: bool = True) -> Rows:
    """Read a whole file as text; refuse ragged or unreadable ones.

    ``header``: the first line names the columns; without ``named`` it does not count, and may have other fields.
    """
    refuse_packed(path)
    data, ended, notes, remarks = clean_bytes(path)
    lines = data.removesuffix(b"\n").split(b"\n")
    kept = [place for place, line in enumerate(lines) if line.strip(b' \t,;|"')]
    if not kept:
        raise VendorError(f"{path}: the file holds nothing but blank lines; fetch it again")
    if len(kept) < len(lines):
        blank = len(lines) - len(kept) - remarks
        notes += [f"{blank} lines hold no row: they are blank, or Excel's sep="] if blank > 0 else []
        lines = [lines[place] for place in kept]
    first = lines[0].decode()
    separator = separator_of(first)
    above = int(header and not named)
    _require_even(path, lines[above:], separator.encode(), kept[above:], header=header and named)
    if header and len(kept) == 1:
        raise VendorError(f"{path}: there is a header and no row below it; export it again, or leave the file out")
    table = pl.read_csv(
        b"\n".join(lines) + b"\n",
        has_header=False,
        skip_rows=int(header),
        separator=separator,
        quote_char=None,
        infer_schema=False,
        raise_if_empty=False,
    )
    names = map(strip, first.split(separator)) if header and named else map(str, range(table.width))
    table.columns = _distinct([*names])
    table = table.with_columns(pl.all().fill_null("").str.strip_chars(' \t"\r'))
    if not ended and (size := table.to_series(-1).str.len_chars())[-1] < (size[:-1].min() or 0):
        notes += ["the last line has no line end, and its last number is shorter than all others: it may be cut off"]
    return Rows(table, pl.Series("line", kept[int(header) :], pl.Int64) + 1, ended, tuple(notes))


def clean_bytes(path: Path) -> tuple[bytes, bool, list[str], int]:
    """Return UTF-8 bytes with plain line ends, without byte order mark and remarks, of which it counts the lines.

    The last line end is included; the second value says whether it was there.
    """
    data, notes = path.read_bytes(), list[str]()
    encoding = _encoding(data)
    if encoding != _UTF_8:
        # MetaTrader's own scripts write UTF-16; its byte order mark leaves nothing to guess.
        try:
            data = data.decode(encoding).encode()
        except UnicodeDecodeError as error:
            raise VendorError(f"{path}: byte {error.start}: broken {encoding} text; fetch the file again") from None
        notes.append(f"the text is {encoding}")
    data = data.removeprefix(codecs.BOM_UTF8)
    try:
        data.decode()
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise VendorError(
            f"{path}: line {line}: byte 0x{data[error.start]:02x} is not UTF-8 text; save the file as UTF-8, for "
            "example with iconv -f cp1252 -t utf-8 (cp932 of Japan), or check that it is a text file at all"
        ) from None
    if b"\0" in data:
        raise VendorError(
            f"{path}: byte {data.index(0)} is zero: this is no text, or UTF-16 or UTF-32 without byte order mark, to "
            "be saved as UTF-8: iconv -f utf-16le -t utf-8 (or utf-16be, utf-32le, utf-32be)"
        )
    if b"\r" in data:
        data = data.replace(b"\r\r\n", b"\n").replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    ended, data = data.endswith(b"\n"), data.rstrip(b"\n") + b"\n"
    text, remarks = _blanked(data.decode())
    if remarks:
        data = text.encode()
        notes.append(f"not of the table: {', '.join(map(repr, remarks))}")
    if b'"' in data:
        try:
            data = _unquoted(data.decode()).encode()
        except csv.Error as error:
            raise VendorError(
                f"{path}: {error}: a quotation mark is not closed; mend the line, or export again"
            ) from None
    return re.sub(_HINT.encode(), b"", data), ended, notes, len(remarks)


def _encoding(data: bytes) -> str:
    """Return what a byte order mark says; without one, names of columns may have letters of Western Europe."""
    marked = next((code for mark, code in _MARKS.items() if data.startswith(mark)), None)
    names = b"\n".join(data[:HEAD_BYTES].split(b"\n", 3)[:3])
    western = _LETTER.search(names) and not _NOT_WESTERN.search(data)
    return marked or ("Windows-1252" if western else _UTF_8)


def _blanked(text: str) -> tuple[str, list[str]]:
    """Return a text whose lines above its table, and a remark below it, are blank, and what they said.

    Above a table stand lines without a separator, and comments that name no columns. A row that was cut off begins with
    its time: only words are a remark.
    """
    lines = text.split("\n", SNIFFED)
    filled = [place for place, line in enumerate(lines[:SNIFFED]) if line.strip()]
    above = list[int]()
    for place, below in pairwise(filled):
        comments = lines[place].lstrip().startswith(("#", "//", "%"))
        if _fields(lines[place]) > 1 and not (comments and _fields(lines[place]) != _fields(lines[below])):
            break
        above.append(place)
    else:
        return text, []  # nothing has a separator
    remarks = [strip(lines[place]) for place in above]
    blank = "\n".join("" if place in above else line for place, line in enumerate(lines))
    body, _, last = blank.rstrip("\n").rpartition("\n")
    if body and _fields(last) == 1 and _WORDS.match(last):
        return f"{body}\n\n", [*remarks, strip(last)]
    return blank, remarks


def _fields(line: str) -> int:
    return line.count(separator_of(line)) + 1


def _unquoted(text: str) -> str:
    """Put tabs between fields where quotes hold the separator, as in ``"1,1770","1,1641"``; else change nothing."""
    separator = separator_of(_QUOTED.sub("", text.split("\n", 1)[0]))
    if "\t" in text or not any(separator in quoted for quoted in _QUOTED.findall(text)):
        return text
    rows = csv.reader(text.split("\n"), delimiter=separator)
    try:
        return "\n".join("\t".join(row) for row in rows)
    except csv.Error as error:
        raise csv.Error(f"line {rows.line_num}: {error}") from None


def _require_even(path: Path, lines: list[bytes], separator: bytes, places: list[int], *, header: bool) -> None:
    wanted = lines[0].count(separator)
    row = next((row for row, line in enumerate(lines) if line.count(separator) != wanted), None)
    if row is None:
        return
    fields = lines[row].count(separator)
    fix = "mend the line, or export the file again"
    if row == len(lines) - 1 and fields < wanted:
        fix = "the file is cut off: fetch it again; or it is a remark: leave it out"
    if header and len(lines) > 2 and {line.count(separator) for line in lines[1:]} == {fields}:
        fix = (
            f"as every row has {fields + 1}, the header does not fit them: mend it, or declare the columns by "
            "their places, --column timestamp=1 --column open=2 … (in a study: format columns)"
        )
    raise VendorError(
        f"{path}: line {places[row] + 1}: {fields + 1} fields where the first line has {wanted + 1}: "
        f"{lines[row].decode()[:120]!r}; {fix}"
    )


def _distinct(names: list[str]) -> list[str]:
    """Return names with their places where several columns have one."""
    return [f"{name}{TWICE}{place})" if names.count(name) > 1 else name for place, name in enumerate(names, 1)]
