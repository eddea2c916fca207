"""Columns of a table that claim improvements over one of its rows, as claims. They are ruled on elsewhere."""

from __future__ import annotations

import re
from fractions import Fraction

from golden_core.legacy.audit.bounds import bounds
from golden_core.legacy.audit.claims import Claim
from golden_core.legacy.audit.headings import ERRORS, Metric, metric_named
from golden_core.legacy.audit.intervals import Interval
from golden_core.legacy.audit.printed import CellError, parse, plain
from golden_core.legacy.audit.table import Row, Table

_OVER = re.compile(
    r"(?:improv\w*|imp\.|impr\.|reduction|gain|decrease|change|diff\w*|delta|Δ|lower).*?"
    r"\b(?:over|vs\.?|versus|against|than|from|relative to|compared (?:to|with)|w\.?r\.?t\.?)\s+(?P<baseline>.+)",
    re.IGNORECASE,
)
_LONGEST = 120  # characters of a heading that names a baseline; the search takes the square of its length


def told_claims(table: Table) -> tuple[Claim, ...]:
    """Return what columns such as "Improvement over LSTM (%)" claim of each row of the baseline's test set.

    A heading without a metric is about the one for which most of its percentages are right, and a column counts what
    is lower as positive or as negative, whichever makes more of them right. Means claim nothing that can be recomputed:
    a mean of improvements is not the improvement of means.
    """
    found: list[Claim] = []
    for heading in dict.fromkeys(heading for row in table.rows for heading in row.changes):
        over = _OVER.search(heading) if len(heading) <= _LONGEST else None
        name = re.sub(r"[(\[{].*|%", "", over["baseline"]).strip().casefold() if over else ""
        pairs = [(row, base) for row in table.rows for base in table.rows if _compares(row, base, heading, name)]
        named = metric_named(heading)
        asked: list[Metric] = [named] if named else [m for m in ERRORS if all(m in r.cells for p in pairs for r in p)]
        if pairs and asked:
            ways = [(metric, sign) for metric in asked for sign in ("", "-")]
            metric, sign = max(ways, key=lambda way: sum(_fits(*pair, heading, *way) for pair in pairs))
            for row, base in pairs:
                if metric in row.cells and metric in base.cells:
                    text, claimed = f"{row.name}: {heading} {row.changes[heading]}", _number(row, heading, sign)
                    found.append(Claim(text, "percent", row.name, base.name, metric, claimed))
    return tuple(found)


def _compares(row: Row, base: Row, heading: str, name: str) -> bool:
    same = row.test_set == base.test_set and row is not base and not (row.averaged or base.averaged)
    return same and base.name.split(" / ")[-1].casefold() == name and _number(row, heading) is not None


def _number(row: Row, heading: str, sign: str = "") -> str | None:
    """Return the claimed percentage as a claim takes it; None where the cell is empty or no number."""
    text = plain(re.sub(r"^([^,]*),([^,]*)$", r"\1.\2", row.changes.get(heading, "")))
    text = (sign + text).replace("--", "").replace("-+", "-")
    try:
        return text if parse(text, decimal_comma=False) is not None else None
    except CellError:
        return None


def _fits(row: Row, base: Row, heading: str, metric: Metric, sign: str) -> bool:
    ours, theirs = bounds(row).get(metric), bounds(base).get(metric)
    claimed = parse(_number(row, heading, sign) or "", decimal_comma=False)
    ratio = ours.divided(theirs) if ours and theirs else None
    if ratio is None or ratio.high is None or claimed is None:
        return False
    lower = Interval(100 * (Fraction(1) - ratio.high), 100 * (Fraction(1) - ratio.low))
    return not lower.apart(claimed.interval())
