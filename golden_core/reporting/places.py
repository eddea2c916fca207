"""A page taken apart: every tag and text, each at the place by which a reader would name it. Nothing is judged."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from html.parser import HTMLParser

_NAMED = {
    "figcaption": "caption", "p.note": "note", "ul.legend": "legend", "p.title": "title", "caption": "title",
    "details.sql": "query", "h1": "heading", "h2": "heading", "h3": "heading", "summary": "summary", "style": "style",
    "p.headline": "headline", "dl.facts": "facts", "nav": "contents", "header": "head", "footer": "foot",
}  # fmt: skip
_VOID = frozenset({"meta", "br", "hr", "img", "link", "input"})


@dataclass(frozen=True)
class Leaf:
    """One tag with its attributes, or one run of text, of an exhibit; a section or the page where it is in none."""

    exhibit: str
    place: str
    text: str


class _Table:
    """The names of the rows and columns of one table, known only once it has been read."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.row = self.column = -1
        self.columns: dict[int, str] = {}
        self.rows: dict[int, str] = {}

    def named(self, row: int, column: int) -> str:
        row_name = self.rows.get(row, "").strip() or str(row)
        place = f"row {row_name}" if row else "headings"
        if column >= 0:
            place += f", column {' '.join(self.columns.get(column, '').split()) or column + 1}"
        return f"{self.title}: {place}" if self.title else place


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, str | tuple[_Table, int, int], str]] = []
        self._open: list[tuple[str, str, str]] = []  # tag, class, id
        self._table: _Table | None = None
        self._title = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        self._open.append((tag, (named.get("class") or "").split(" ")[0], named.get("id") or ""))
        self._enter(tag)
        self._keep(f"<{tag}{''.join(f' {name}={value}' for name, value in attrs)}>")
        if tag in _VOID:
            self._open.pop()

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop()[0] != tag:
            pass
        if tag == "table":
            self._table = None

    def handle_data(self, data: str) -> None:
        if not data.strip():
            return
        table, tags = self._table, [tag for tag, _, _ in self._open]
        if self._open and self._open[-1][:2] == ("p", "title"):
            self._title = data.strip()
        if table and "th" in tags:
            names, at = (table.columns, table.column) if table.row == 0 else (table.rows, table.row)
            names[at] = f"{names.get(at, '')} {data}"
        if table and "caption" in tags:
            table.title = data.strip()
        self._keep(data)

    def handle_decl(self, decl: str) -> None:
        self._keep(decl)

    def handle_comment(self, data: str) -> None:
        self._keep(data)

    def _enter(self, tag: str) -> None:
        if tag == "figure":
            self._title = ""
        if tag == "table":
            self._table = _Table("")
        elif self._table and tag == "tr":
            self._table.row, self._table.column = self._table.row + 1, -1
        elif self._table and tag in {"td", "th"}:
            self._table.column += 1

    def _keep(self, text: str) -> None:
        held = [id_ for tag, _, id_ in self._open if tag in {"figure", "section"} and id_]
        exhibit = held[-1] if held else "page"
        table, place = self._table, self._what()
        where = (table, table.row, table.column) if table and table.row >= 0 else place
        self.found.append((exhibit, where, text))

    def _what(self) -> str:
        tags = [tag for tag, _, _ in self._open]
        if "svg" in tags:
            return f"figure {self._title}".strip()
        for tag, kind, _ in reversed(self._open):
            if name := _NAMED.get(f"{tag}.{kind}") or _NAMED.get(tag):
                return name
        return tags[-1] if tags else "text"


def leaves(page: str) -> list[Leaf]:
    """Return every tag and text of an HTML page in its order."""
    reader = _Reader()
    reader.feed(page)
    reader.close()
    return [
        Leaf(exhibit, where if isinstance(where, str) else where[0].named(*where[1:]), text)
        for exhibit, where, text in reader.found
    ]


def by_exhibit(found: Iterable[Leaf]) -> dict[str, list[Leaf]]:
    """Return leaves by exhibit, each in its order."""
    parts: dict[str, list[Leaf]] = {}
    for leaf in found:
        parts.setdefault(leaf.exhibit, []).append(leaf)
    return parts
