"""A report held against the warehouse: every digit counts, and what differs is named by exhibit, row and column."""

import random
import re
import shutil
from itertools import accumulate

import polars as pl
import pytest

from golden_core.reporting import verification
from golden_core.reporting.places import leaves
from golden_core.reporting.verification import UnreadableReportError, file_differences, verify_report
from golden_core.store.warehouse import Warehouse

MUTATIONS = 200


@pytest.fixture(scope="module")
def written(whole):
    return (whole.folder / "index.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def rendered():
    """What was rendered by warehouse: to draw the figures takes seconds."""
    return {}


@pytest.fixture(autouse=True)
def _drawn_once(rendered, monkeypatch):
    draw = verification.render

    def once(warehouse, *given):
        if warehouse.path not in rendered:
            rendered[warehouse.path] = draw(warehouse, *given)
        return rendered[warehouse.path]

    monkeypatch.setattr(verification, "render", once)


def changed(text, places):
    """Another digit in each place."""
    letters = list(text)
    for at in places:
        letters[at] = str((int(letters[at]) + 1) % 10)
    return "".join(letters)


def test_every_one_of_200_changed_digits_is_caught_where_it_is(written):
    """Each by itself: tables, captions, queries, lines of figures, whatever the seed hits, in its own exhibit."""
    digits = [at.start() for at in re.finditer(r"(?<!<h)(?<!</h)\d", written) if at.start() > written.index("<body>")]
    drawn = random.Random(20261127).sample(digits, MUTATIONS)
    # A figure is read as a page of its own: to read the whole page 200 times would take a minute.
    edges = [0, *accumulate(len(part) for part in re.split(r"(?=<figure )|(?<=</figure>)", written))]
    inside = set()
    for at in drawn:
        low, high = max(edge for edge in edges if edge <= at), min(edge for edge in edges if edge > at)
        part = written[low:high]
        found = file_differences("index.html", part, changed(part, [at - low]))
        assert len(found) == 1, part[at - low - 40 : at - low + 40]
        if part.startswith("<figure"):
            assert found[0].exhibit == re.search(r'id="([^"]+)"', part)[1]
        inside.add(found[0].exhibit)
    assert {"forest", "series", "folds"} <= inside


@pytest.mark.parametrize(
    ("name", "sound", "spoilt", "line"),
    [
        ("metrics.csv", "a,b\n" + "1,2\n" * 60_000, 'a,b\n1,"2\n' + "1,2\n" * 59_999, "line 2"),
        ("index.html", "<p>1</p>\n<p>2</p>\n", "<p>1</p>\n<![p>2</p> ]]>\n", "line 2"),
    ],
)
def test_what_can_no_longer_be_read_as_a_table_or_a_page_is_named_by_its_line(name, sound, spoilt, line):
    """A quote that nothing closes makes one cell of the rest of a table; a page can begin what no browser knows."""
    assert [one.place for one in file_differences(name, sound, spoilt)] == [line]


def test_all_of_them_at_once_are_all_named(written):
    """Of every place the first digit: as many differences as places, each with exhibit and row or figure."""
    digits = [at.start() for at in re.finditer(r"(?<=>)[^<>]*?(\d)[^<>]*(?=</t[dh]>)", written)]
    at = [written.index(next(filter(str.isdigit, written[start:])), start) for start in digits]
    found = file_differences("index.html", written, changed(written, at))
    assert len(found) >= len(at) > MUTATIONS
    assert all("row" in one.place or "headings" in one.place for one in found if one.exhibit in {"series", "claims"})


def test_a_number_is_named_by_row_and_column(whole, tmp_path):
    folder = shutil.copytree(whole.folder, tmp_path / "report")
    page = folder / "index.html"
    text = page.read_text(encoding="utf-8")
    row = re.search(r'<th scope="row" class="heading">dlinear</th>\s*<td class="number">(\S+)</td>', text)
    page.write_text(text[: row.start(1)] + "99.99" + text[row.end(1) :], encoding="utf-8")
    (found,), _ = verify_report(whole.warehouse, whole.study, folder)
    assert (found.file, found.exhibit, found.found, found.expected) == ("index.html", "leaderboard", "99.99", row[1])
    assert found.place == "row dlinear, column R² out of sample %"


@pytest.mark.parametrize(
    ("name", "old", "place"),
    [("claims.csv", "0.", "row 1, column"), ("series.tex", "0.", "line"), ("checks.csv", "12", "the file")],
)
def test_the_tables_beside_the_page_count_too(whole, tmp_path, name, old, place):
    folder = shutil.copytree(whole.folder, tmp_path / "report")
    text = (folder / name).read_text(encoding="utf-8")
    head, tail = text.split("\n", 1) if name.endswith("csv") else ("", text)
    (folder / name).write_text(f"{head}\n" * bool(head) + tail.replace(old, "7.", 1), encoding="utf-8")
    found, _ = verify_report(whole.warehouse, whole.study, folder)
    assert {one.file for one in found} >= {name}
    assert place in next(one.place for one in found if one.file == name)


def test_a_number_of_the_warehouse_that_moved_is_named_in_every_file_that_shows_it(whole, tmp_path, tables):
    shutil.copy(whole.warehouse.path, tmp_path / "warehouse.duckdb")
    moved = Warehouse(tmp_path / "warehouse.duckdb")
    at = (pl.col("forecaster") == "ar") & (pl.col("scope") == "macro") & (pl.col("metric") == "mase")
    other = tables["summary"].with_columns(mean=pl.when(at).then(pl.col("mean") + 0.5).otherwise("mean"))
    moved.load(whole.study.name, {"summary": other})
    page = shutil.copy(whole.folder / "index.html", tmp_path / "sent.html")
    (found,), _ = verify_report(moved, whole.study, whole.folder, page)
    assert (found.exhibit, found.place) == ("leaderboard", "row ar, column MASE")
    files = {one.file for one in verify_report(moved, whole.study, whole.folder)[0]}
    assert files == {"index.html", "leaderboard.csv", "leaderboard.md", "leaderboard.tex"}


def test_a_report_as_written_has_no_difference_and_a_lost_file_is_one(whole, tmp_path):
    folder = shutil.copytree(whole.folder, tmp_path / "report")
    found, compared = verify_report(whole.warehouse, whole.study, folder)
    assert found == []
    assert compared > len(leaves((folder / "index.html").read_text(encoding="utf-8")))
    (folder / "gate.xml").write_text("<testsuite/>", encoding="utf-8")  # as `golden gate` leaves it there
    assert verify_report(whole.warehouse, whole.study, folder) == ([], compared)
    (folder / "claims.tex").unlink()
    (folder / "mine.csv").write_text("1\n", encoding="utf-8")
    found, _ = verify_report(whole.warehouse, whole.study, folder)
    assert [(one.file, one.found, one.expected) for one in found] == [
        ("claims.tex", "nothing", "a file"),
        ("mine.csv", "a file", "nothing"),
    ]


def test_what_is_no_report_is_said(whole, tmp_path):
    with pytest.raises(UnreadableReportError, match=r"written\.json: No such file"):
        verify_report(whole.warehouse, whole.study, tmp_path)
    folder = shutil.copytree(whole.folder, tmp_path / "report")
    (folder / "provenance.json").write_text("{", encoding="utf-8")
    with pytest.raises(UnreadableReportError, match="is not as it was written"):
        verify_report(whole.warehouse, whole.study, folder)
    shutil.copy(whole.folder / "provenance.json", folder)
    for spoilt in ("verdict,name,asset,blocks,found\npassed,a,b,perhaps,c\n", 'verdict,name,asset,blocks,found\n"'):
        (folder / "checks.csv").write_text(spoilt, encoding="utf-8")
        with pytest.raises(UnreadableReportError, match="is not as it was written"):
            verify_report(whole.warehouse, whole.study, folder)
