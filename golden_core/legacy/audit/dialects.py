"""Text → rows of cells: separated values, aligned columns, a Markdown or text grid, LaTeX. No cell is understood."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter

from golden_core.legacy.audit.markup import unmarked

_DELIMITERS = (",", ";", "\t", "|")
_RULES = re.compile(
    r"\\(?:toprule|midrule|bottomrule|hline|centering|small|footnotesize|scriptsize|endhead|endfirsthead|endfoot"
    r"|endlastfoot|addlinespace|(?:cmidrule|cline|specialrule)(?:\([^)]*\))?)(?![a-zA-Z])(?:\[[^\]]*\]|\{[^}]*\})*"
)
_SPANNING = re.compile(r"\\multicolumn\s*\{\s*(\d+)\s*\}\s*\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\}")

Row = tuple[int, list[str]]


def split_rows(text: str) -> tuple[list[Row], str]:
    """Return the rows of a table that are not blank, each with the line it starts in, and what separated the cells.

    Raises
    ------
    csv.Error
        If quotes are not closed; the first argument is the line, the second what is wrong.
    """
    if "\\begin{tabular" in text or "\\begin{longtable}" in text:
        rows, delimiter = _of_latex(text), "&"
    elif sum(_is_barred(line) for line in text.splitlines()) >= 2:
        rows, delimiter = _of_bars(text), "|"
    else:
        rows, delimiter = _of_values(text)
    rows = [(line, [unmarked(cell) for cell in cells]) for line, cells in rows]
    return [(line, cells) for line, cells in rows if any(cells) and not _is_rule(cells)], delimiter


def _of_values(text: str) -> tuple[list[Row], str]:
    declared = re.match(r"sep=(.)\r?\n", text)  # a line of Excel's
    if declared:
        text = "\n" + text[declared.end() :]
    parsed: dict[str, list[Row]] = {}
    errors = []
    for delimiter in (declared[1],) if declared else _DELIMITERS:
        try:
            parsed[delimiter] = _separated(text, delimiter)
        except csv.Error as error:
            errors.append(error)
    if not parsed:
        raise errors[0]
    best = max(parsed, key=lambda delimiter: _agreement(parsed[delimiter]))
    aligned = [(line, re.split(r"\s{2,}", "".join(cells).strip())) for line, cells in parsed[best]]
    if _agreement(parsed[best])[0] or not _agreement(aligned)[0]:
        return parsed[best], best
    return aligned, " "


def _agreement(rows: list[Row]) -> tuple[bool, int, int]:
    """Return whether rows have several cells, how many have as many as most, and how many cells that is."""
    counts = Counter(len(cells) for _, cells in rows if any(cell.strip() for cell in cells))
    width, agreeing = max(counts.items(), key=lambda pair: (pair[0] > 1, pair[1]), default=(0, 0))
    return width > 1, agreeing, width


def _separated(text: str, delimiter: str) -> list[Row]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    found, start = [], 1
    try:
        for cells in reader:
            found.append((start, cells))
            start = reader.line_num + 1
    except csv.Error as error:
        told = "a quotation mark is not closed" if "end of data" in str(error) else f"is not a row of cells: {error}"
        raise csv.Error(start, told) from None
    return found


def _is_barred(line: str) -> bool:
    line = line.strip()
    return len(line) > 2 and line[0] == line[-1] == "|"


def _of_bars(text: str) -> list[Row]:
    """Return the lines between bars; what stands around such a table is prose."""
    lines = ((number, line.strip()) for number, line in enumerate(text.splitlines(), start=1))
    return [
        (number, [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line[1:-1])])
        for number, line in lines
        if _is_barred(line)
    ]


def _of_latex(text: str) -> list[Row]:
    text = re.sub(r"(?<!\\)%[^\n]*", "", text)
    found = []
    for body in re.finditer(r"\\begin\{(tabular[xy*]?|longtable)\}(.*?)(?:\\end\{\1\}|\Z)", text, re.DOTALL):
        start = body.start(2)
        for part in re.split(r"(\\\\(?:\[[^\]]*\])?)", _masked(body[2])):
            bare = _RULES.sub("", part)
            if bare.strip() and not part.startswith("\\\\"):
                line = text.count("\n", 0, start + len(part) - len(part.lstrip())) + 1
                found.append((line, _spanned(re.split(r"(?<!\\)&", bare))))
            start += len(part)
    return found


def _masked(body: str) -> str:
    """Return the body of a tabular with its column specification blanked."""
    found = re.match(r"\s*(?:\[[^\]]*\]\s*)?(?:\{[^{}]*\}\s*(?=\{))?\{(?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*\}", body)
    return body if found is None else re.sub(r"[^\n]", " ", found[0]) + body[found.end() :]


def _spanned(cells: list[str]) -> list[str]:
    """Return cells with blank ones behind each that spans several columns."""
    found = []
    for cell in cells:
        span = _SPANNING.search(cell)
        found.append(cell if span is None else cell.replace(span[0], "", 1))
        found += [""] * (int(span[1]) - 1 if span else 0)
    return found


def _is_rule(cells: list[str]) -> bool:
    """Whether a row only draws a line, as below the heading of a Markdown table."""
    bare = [cell.strip() for cell in cells if cell.strip()]
    return all(re.fullmatch(r":?(-{2,}|={2,}|-):?", cell) for cell in bare) and any(len(cell) > 1 for cell in bare)
