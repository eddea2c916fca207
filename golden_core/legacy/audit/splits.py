"""A hypothesis about which rows were scored on which split: given by the caller, held against the table."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from golden_core.legacy.audit.bounds import Group
from golden_core.legacy.audit.findings import Finding
from golden_core.legacy.audit.grid import TableError
from golden_core.legacy.audit.intervals import Interval, between, common, names
from golden_core.legacy.audit.table import Row


@dataclass(frozen=True)
class SplitHypothesis:
    """Chronological splits of one data set: train/validation/test shares per row of the table."""

    default: str  # of every row that is not named, such as "96/2/2"
    rows: Mapping[str, str]  # row → its shares
    n_rows: int  # of the data before splitting
    lost_rows: int  # first rows of the test part that are never targets: the look-back


@dataclass(frozen=True)
class SplitPart:
    """The rows under one split: their number of test targets, and whether they can share one variance."""

    shares: str
    targets: int
    rows: tuple[str, ...]
    holds: bool  # in each test set that the table tells of, where it tells of any
    variance: Interval | None  # None also where there are several test sets


@dataclass(frozen=True)
class Explanation:
    """What a hypothesis of splits does for a table: ``holds`` if rows of one split always share one variance."""

    holds: bool
    needed: bool
    parts: tuple[SplitPart, ...]
    sentence: str


def read_splits(texts: Sequence[str], *, n_rows: int, lost_rows: int) -> SplitHypothesis:
    """Read a hypothesis from texts such as ``96/2/2``, the split of all rows that ``v_01=94/3/3`` does not name.

    Raises ``TableError`` if no text, or more than one, is without a row, or a row is named twice.
    """
    named = {row.strip(): shares for row, mark, shares in (text.rpartition("=") for text in texts) if mark}
    default = [text for text in texts if "=" not in text]
    if len(default) != 1 or len(named) + 1 < len(texts):
        raise TableError(
            f"--split: give one split without a row, such as 96/2/2, and each row once; got {', '.join(texts)}"
        )
    return SplitHypothesis(default[0], named, n_rows, lost_rows)


def count_targets(shares: str, n_rows: int, lost_rows: int) -> int:
    """Return how many test targets a chronological split leaves: what follows ⌊(train + validation) · n⌋ rows.

    Raises ``TableError`` if the shares are not three percentages that sum to 100, or leave no target.
    """
    found = re.fullmatch(r"/".join([r"\s*(\d+(?:\.\d+)?)\s*"] * 3), shares)
    parts = [Fraction(part) for part in found.groups()] if found else []
    if sum(parts) != 100:
        raise TableError(f"splits: {shares!r} is not train/validation/test in percent, such as '94/3/3'")
    targets = n_rows - int((parts[0] + parts[1]) / 100 * n_rows) - lost_rows
    if targets < 1:
        raise TableError(
            f"splits: {shares} of {n_rows} rows, {lost_rows} of them lost, leaves no target; --data-rows says how many"
        )
    return targets


def explain(
    hypothesis: SplitHypothesis, rows: Sequence[Row], groups: Sequence[Group], findings: Sequence[Finding]
) -> Explanation:
    """Hold a hypothesis of splits against the target variances of a table.

    Raises ``TableError`` if the hypothesis names a row that the table does not have, or shares that are none.
    """
    shares = {row.name: hypothesis.rows.get(row.name, hypothesis.default) for row in rows}
    unknown = [name for name in hypothesis.rows if name not in shares]
    if unknown:
        raise TableError(f"splits: the table has no row {unknown[0]!r}; it has {names(list(shares))}")
    variances = {name: (group.name, interval) for group in groups for name, interval in group.variances.items()}
    listed = list(dict.fromkeys(shares.values()))
    parts = tuple(
        _part(split, [name for name in shares if shares[name] == split], hypothesis, variances) for split in listed
    )
    holds = all(part.holds for part in parts)
    needed = any(finding.kind == "target_variance" for finding in findings)
    return Explanation(holds, needed, parts, _sentence(parts, holds=holds, needed=needed))


def _part(
    shares: str, rows: list[str], hypothesis: SplitHypothesis, variances: Mapping[str, tuple[str, Interval]]
) -> SplitPart:
    # Test sets that the table tells apart may differ in variance under one split: each is compared within itself.
    inside: dict[str, list[Interval]] = {}
    for name in rows:
        if name in variances:
            inside.setdefault(variances[name][0], []).append(variances[name][1])
    shared = [common(intervals) for intervals in inside.values()]
    variance = shared[0] if len(shared) == 1 else None
    targets = count_targets(shares, hypothesis.n_rows, hypothesis.lost_rows)
    return SplitPart(shares, targets, tuple(rows), None not in shared, variance)


def _sentence(parts: Sequence[SplitPart], *, holds: bool, needed: bool) -> str:
    told = "; ".join(
        f"{part.shares} ({part.targets} targets; {names(part.rows)})"
        + (f" on a target variance in {between(part.variance)}" if part.variance else "")
        + ("" if part.holds else " which share none")
        for part in parts
    )
    if not holds:
        return f"The splits do not explain the table: {told}."
    verb = "explain" if needed else "are not needed to explain"
    return f"The splits {verb} the table: {told}."
