"""Files that are not what they should be: one message with file, line, what was expected, and the fix."""

from __future__ import annotations

import gzip
import io
import zipfile
from pathlib import Path

import pytest

from golden_core.bars.reading import read_bars
from golden_core.vendors.base import VendorError
from golden_core.vendors.text import HEAD_BYTES, read_head, read_rows

HEADER = "Gmt time,Open,High,Low,Close,Volume"
ROWS = [f"{day:02d}.01.2024 {hour:02d}:00:00.000,1.1,1.2,1.0,1.15,10" for day in (15, 16) for hour in range(24)]
GOOD = "\n".join([HEADER, *ROWS])


def _changed(row: int, old: str, new: str) -> str:
    """Return the file with something else in one of its rows (counted from 0)."""
    assert old in ROWS[row]
    return "\n".join([HEADER, *ROWS[:row], ROWS[row].replace(old, new, 1), *ROWS[row + 1 :]])


def _zipped(text: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("x.csv", text)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"x.csv: the file is empty.*fetch it again"),
        (b"\n\n \n", "no reader knows this format|nothing but blank lines"),
        (HEADER.encode(), "x.csv: there is a header and no row below it"),
        (gzip.compress(GOOD.encode()), "x.csv: this is a gzip archive; unpack it"),
        (_zipped(GOOD), "x.csv: this is a zip archive; unpack it"),
        (b"PK\x03\x04" + bytes(99), "x.csv: this is a zip archive"),
        (b"\xd0\xcf\x11\xe0" + bytes(99), "x.csv: this is an Excel workbook; save its sheet as CSV"),
        (b"ARROW1" + bytes(99), "x.csv: this is an Arrow file; write it as Parquet"),
        (GOOD.encode("utf-16-le"), "x.csv: byte 1 is zero: .* UTF-16 .*without byte order mark, .*utf-16le"),
        (GOOD.encode("utf-16-be"), "x.csv: byte 0 is zero: .* UTF-16 .*without byte order mark, .*utf-16be"),
        (GOOD.encode("utf-32-le"), "x.csv: byte 1 is zero: .* UTF-32 .*without byte order mark, .*utf-32le"),
        (GOOD.encode("utf-32-be"), "x.csv: byte 0 is zero: .* UTF-32 .*without byte order mark, .*utf-32be"),
        (GOOD.encode("utf-32")[:-2], r"x.csv: byte \d+: broken UTF-32 text; fetch the file again"),
        (b"x" * HEAD_BYTES, f"no reader knows this format: .*its first line longer than {HEAD_BYTES} bytes"),
        (_changed(3, "10", "10\xa0€").encode("cp1252"), r"x.csv: line 5: byte 0x(a0|80) is not UTF-8.*iconv"),
        (_changed(3, "1.2", "1\x002").encode(), r"x.csv: byte \d+ is zero: this is no text"),
        (_changed(3, ",1.15", "").encode(), "x.csv: line 5: 5 fields where the first line has 6: '15.01.2024 03.*mend"),
        (_changed(3, ",1.15", ",1.15,7").encode(), "x.csv: line 5: 7 fields where the first line has 6"),
        ("\n".join([HEADER, *ROWS[:4], ROWS[4][:33]]).encode(), "line 6: 4 fields .* the file is cut off: fetch it"),
        (_changed(3, "1.15", "1..15").encode(), r"x.csv: line 5: column 'Close': '1\.\.15' is not a number; mend"),
        (_changed(3, "1.15", "").encode(), "x.csv: line 5: column 'Close': '' is not a number"),
        (f"{GOOD}\n{ROWS[0][:23]},Open,High,Low,Close,Volume".encode(), "line 50: .*'Open' is not .* is repeated"),
        (_changed(3, "1.15", "inf").encode(), "x.csv: line 5: column 'Close': 'inf' is not a number"),
        (_changed(3, "1.15", "NaN").encode(), "x.csv: line 5: column 'Close': 'NaN' is not a number"),
        (_changed(3, "1.15", "1,15").encode(), "x.csv: line 5: 7 fields"),
        (_changed(3, "15.01.2024", "32.01.2024").encode(), "line 5: '32.01.2024 .*' is not a time like '15.01.2024"),
        (_changed(3, "03:00:00.000", "03:00").encode(), "line 5: '15.01.2024 03:00' is not a time like"),
        (_changed(3, "2024", "1024").encode(), "line 5: '15.01.1024 .*' is not a time"),
        (_changed(3, "15.01.2024", "Gmt time").encode(), "line 5: 'Gmt time .*' is not a time"),
        (_changed(0, "15.01.2024", "15.01.24").encode(), "line 3: '15.01.2024 .* is not a time like '15.01.24 "),
        (GOOD.replace("Volume", "Open").encode(), "line 1 names 'Open' twice"),
        (GOOD.replace("Volume", "O").encode(), "its columns: 'Open' and 'O' could both be the open; declare"),
        (GOOD.replace("Low", "Floor").encode(), "no reader knows this format: it begins with 'Gmt time,Open,High"),
        (GOOD.replace("Gmt time", "close_time").encode(), "'close_time' is when a bar closes.*stamped at their open"),
        (GOOD.replace("Gmt time", "date,timestamp").replace("2024 ", "2024,").encode(), "could both be the time"),
        (f"{GOOD}\nDownloaded".encode(), "line 50: 1 fields .* fetch it again; or it is a remark: leave it out"),
        (f"Period,D\n{GOOD}".encode(), "no reader knows this format: .*'Period,D'.*, with nothing but remarks above"),
        (b"hello world", "it holds nothing but 'hello world', which is no table"),
        (bytes(range(128, 256)), "byte 0x80 is not UTF-8 text.*check that it is a text file at all"),
    ],
)  # fmt: skip
def test_a_file_that_is_not_sound_is_refused(content: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_bytes(content)
    with pytest.raises(VendorError, match=message) as caught:
        read_bars(tmp_path / "x.csv", "EURUSD", zone="UTC")
    assert str(tmp_path / "x.csv") in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("content", "note"),
    [
        (GOOD.encode(), ""),
        (GOOD.encode() + b"\n\n\n", ""),
        (GOOD.replace("\n", "\r\n").encode(), ""),
        (GOOD.replace("\n", "\r\r\n").encode(), ""),
        (GOOD.replace("\n", "\r").encode(), ""),
        (b"\xef\xbb\xbf" + GOOD.encode(), ""),
        (GOOD.encode("utf-16"), "the text is UTF-16"),
        (GOOD.replace("\n", "\n\n").encode(), "48 lines hold no row: they are blank, or Excel's sep="),
        (GOOD.replace(",", " , ").encode(), ""),
        (GOOD.replace(",", '","').replace("\n", '"\n"').join('""').encode(), ""),
        (GOOD.replace(",", ";").encode(), ""),
        (GOOD.replace(",", "\t").encode(), ""),
        (GOOD.replace(",", "|").encode(), ""),
        (f"sep=,\n{GOOD}".encode(), "1 lines hold no row: they are blank, or Excel's sep="),
        (
            f'"SEP=;"\n{GOOD}'.replace(",", ";").replace("\n", "\r\n").encode("utf-8-sig"),
            "1 lines hold no row: they are blank, or Excel's sep=",
        ),
        (GOOD.encode("utf-32"), "the text is UTF-32"),
        (b"\0\0\xfe\xff" + GOOD.encode("utf-32-be"), "the text is UTF-32"),
    ],
)
def test_ends_marks_spaces_and_separators_do_not_matter(content: bytes, note: str, tmp_path: Path) -> None:
    (tmp_path / "good.csv").write_text(GOOD)
    (tmp_path / "x.csv").write_bytes(content)
    read = read_bars(tmp_path / "x.csv", "EURUSD")
    assert read.bars.equals(read_bars(tmp_path / "good.csv", "EURUSD").bars)
    assert read.bars.height == 48
    assert note in read.notes if note else len(read.notes) == 2


@pytest.mark.parametrize("mark", [",", ";"])
def test_quotes_may_hold_the_separator(mark: str, tmp_path: Path) -> None:
    """Exports in European languages write ``"1,1770"`` between commas."""
    text = "\n".join(["time,open,high,low,close,change", *(f"{row.rpartition(',')[0]},0.1%" for row in ROWS)])
    quoted = "\n".join(
        mark.join(f'"{cell.replace(".", ",") if place > 0 else cell}"' for place, cell in enumerate(line.split(",")))
        for line in text.splitlines()
    )
    (tmp_path / "plain.csv").write_text(text)
    (tmp_path / "quoted.csv").write_text(quoted)
    plain, read = (read_bars(tmp_path / f"{name}.csv", "EURUSD", zone="UTC") for name in ("plain", "quoted"))
    assert read.bars.equals(plain.bars)
    assert "a comma is the decimal mark" in read.notes


def test_a_workbook_is_no_archive_to_unpack(tmp_path: Path) -> None:
    (tmp_path / "x.xlsx").write_bytes(_zipped(GOOD))
    with pytest.raises(VendorError, match="this is an Excel workbook; save its sheet as CSV"):
        read_bars(tmp_path / "x.xlsx", "EURUSD")


def test_lines_are_counted_in_the_file(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("\n\na;b\n\n1;2\n  \n3;4")
    rows = read_rows(tmp_path / "x.csv", header=True)
    assert rows.line.to_list() == [5, 7]
    (tmp_path / "z.csv").write_text("a|b,c\n1,2")
    assert read_rows(tmp_path / "z.csv", header=True).table.columns == ["a|b", "c"]
    (tmp_path / "y.csv").write_text("sep=;\na;b\n1;2\n\n3;4")
    assert read_rows(tmp_path / "y.csv", header=True).line.to_list() == [3, 5]
    assert rows.table.to_dict(as_series=False) == {"a": ["1", "3"], "b": ["2", "4"]}
    assert not rows.ended


def test_a_last_number_that_is_cut_is_seen_where_the_bar_contradicts_itself(tmp_path: Path) -> None:
    text = GOOD.replace(",Volume", "").replace(",10\n", "\n").removesuffix(",10")
    (tmp_path / "x.csv").write_text(text.removesuffix("5"))  # a close of 1.1 is as good as 1.15
    assert read_bars(tmp_path / "x.csv", "EURUSD").bars["close"][-1] == 1.1
    (tmp_path / "x.csv").write_text(text.removesuffix("1.15") + "0.9")
    with pytest.raises(
        VendorError, match="line 49: the last line has no line end and its prices contradict each other"
    ):
        read_bars(tmp_path / "x.csv", "EURUSD")
    (tmp_path / "x.csv").write_text(text.removesuffix("1.15") + "0.9\n")
    assert read_bars(tmp_path / "x.csv", "EURUSD").bars["close"][-1] == 0.9  # whole, and for cleaning to judge


def test_an_empty_cell_of_a_plain_table_stays_empty(tmp_path: Path) -> None:
    rows = [
        "time,open,high,low,close",
        "2024-01-02 00:00,1.1,1.2,1.0,1.1",
        "2024-01-02 01:00,,,,",
        "2024-01-02 02:00,1.1,1.2,1.0,NaN",
    ]
    (tmp_path / "x.csv").write_text("\n".join(rows))
    read = read_bars(tmp_path / "x.csv", "EURUSD", zone="UTC")
    assert read.bars["close"].to_list() == [1.1, None, None]
    assert "2 rows have a cell without a number: they stay, with nothing in it" in read.notes


def test_a_head_ends_with_a_whole_line(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("é,b\n" * HEAD_BYTES)
    head = read_head(tmp_path / "x.csv")
    assert head is not None
    assert set(head.lines) == {"é,b"}
    assert read_head(tmp_path) is None


def test_names_with_letters_of_western_europe_are_read(tmp_path: Path) -> None:
    text = GOOD.replace("Open", "Eröffnung").replace("Close", "Clôture")
    (tmp_path / "x.csv").write_bytes(text.encode("cp1252"))
    read = read_bars(tmp_path / "x.csv", "EURUSD")
    (tmp_path / "y.csv").write_text(GOOD)
    assert read.bars.equals(read_bars(tmp_path / "y.csv", "EURUSD").bars)
    assert "the text is Windows-1252" in read.notes
    for damaged in (text.encode("cp1252") + b"\xe9\xe8", GOOD.encode() + b"\xe9a", text.encode("cp1252") + b"\x81"):
        (tmp_path / "x.csv").write_bytes(damaged)
        with pytest.raises(VendorError, match="is not UTF-8 text; save the file as UTF-8"):
            read_bars(tmp_path / "x.csv", "EURUSD")
