"""What a paper says about its table: percentages and tests between rows, read, recomputed and ruled on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Literal, get_args

from golden_core.legacy.audit.bounds import Group, bounds
from golden_core.legacy.audit.findings import Finding
from golden_core.legacy.audit.grid import TableError, read_grid
from golden_core.legacy.audit.headings import METRICS, NAMES, Metric
from golden_core.legacy.audit.intervals import Interval, between, names
from golden_core.legacy.audit.printed import CellError, Printed, parse
from golden_core.legacy.audit.splits import Explanation
from golden_core.legacy.audit.table import Row

_COLUMNS = ("text", "kind", "row", "baseline", "metric", "claimed")

Kind = Literal["percent", "paired_test"]
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True)
class Claim:
    """One sentence that compares two rows: better by so many percent, or a test of the paired errors of both."""

    text: str  # as it is made
    kind: Kind
    row: str
    baseline: str
    metric: Metric | None = None  # None for a test
    claimed: str | None = None  # the percentage as printed, such as "44.1"; None for a test

    def __post_init__(self) -> None:
        if self.kind == "percent" and (self.metric not in METRICS or self.percentage is None):
            raise TableError(f"claim {self.text!r}: a percentage needs a metric ({', '.join(METRICS)}) and a number")
        if self.kind == "paired_test" and (self.metric or self.claimed):
            raise TableError(f"claim {self.text!r}: a paired test has no metric and no claimed percentage")

    @property
    def percentage(self) -> Printed | None:
        """The claimed percentage with its printed digits."""
        try:
            return parse(self.claimed or "", decimal_comma=False)
        except CellError as error:
            raise TableError(f"claim {self.text!r}: claimed {error}") from None


def read_claims(source: Path) -> tuple[Claim, ...]:
    """Read claims from a table with the columns ``text, kind, row, baseline, metric, claimed``.

    Raises ``TableError``, naming file, line and column.
    """
    records = read_grid(source)
    missing = [name for name in _COLUMNS if name not in records.header]
    if missing:
        raise TableError(
            f"{records.file}:{records.header_line}: there is no column {missing[0]!r}; claims have the columns "
            f"{', '.join(_COLUMNS)}"
        )
    columns, found = [records.header.index(name) for name in _COLUMNS], []
    for cells, line in zip(records.rows, records.lines, strict=True):
        text, kind, row, baseline, metric, claimed = (cells[column].strip() for column in columns)
        for name, value, known in (("kind", kind, KINDS), ("metric", metric, (*METRICS, ""))):
            if value not in known:
                expected = " or ".join(filter(None, known))
                raise TableError(f"{records.file}:{line}: column {name!r}: must be {expected}, got {value!r}")
        try:
            found.append(Claim(text, kind, row, baseline, metric or None, claimed or None))  # type: ignore[arg-type]
        except TableError as error:
            raise TableError(f"{records.file}:{line}: {error}") from None
    return tuple(found)


# ------------------------------------------------------------------------------------------------ what is left of them

Arithmetic = Literal["right", "right_otherwise", "wrong", "undefined"]
Comparison = Literal["same_test_set_possible", "different_test_sets", "in_doubt", "unchecked"]

_ONE = Fraction(1)


@dataclass(frozen=True)
class Ruling:
    """What is left of a claim. ``recomputed`` are the percentages that the printed numbers leave possible."""

    claim: Claim
    arithmetic: Arithmetic
    recomputed: Interval | None
    comparison: Comparison
    falls: bool
    sentence: str


def rule(
    claim: Claim,
    rows: Mapping[str, Row],
    groups: Sequence[Group],
    findings: Sequence[Finding],
    explanation: Explanation | None,
) -> Ruling:
    """Rule on one claim by what an audit knows: rows by name, their test sets, findings, a hypothesis of splits.

    Raises ``TableError`` if the claim names a row or a number that the table does not have.
    """
    row, baseline = (_row(name, claim, rows) for name in (claim.row, claim.baseline))
    comparison, why = _comparison(row, baseline, groups, findings, explanation)
    different = comparison == "different_test_sets"
    metric, printed = claim.metric, claim.percentage
    if metric is None or printed is None:  # a paired test
        sentence = {
            "different_test_sets": f"Undefined: {why}. Paired errors do not exist beyond the rows that both share.",
            "in_doubt": f"Cannot be recomputed from a table, and in doubt: {why}.",
            "unchecked": f"Cannot be recomputed from a table, nor can its pairs be checked: {why}.",
            "same_test_set_possible": f"Cannot be recomputed from a table; {why}.",
        }[comparison]
        return Ruling(claim, "undefined", None, comparison, different, sentence)
    arithmetic, recomputed, words = _arithmetic(claim, metric, printed, bounds(row)[metric], bounds(baseline)[metric])
    verdict = {
        "different_test_sets": f"but {why}: the comparison shows nothing" if arithmetic != "wrong" else f"and {why}",
        "in_doubt": f"and the comparison is in doubt: {why}",
        "unchecked": f"and whether both rows share a test set cannot be checked: {why}",
        "same_test_set_possible": "" if arithmetic == "wrong" else why,
    }[comparison]
    sentence = "; ".join(filter(None, (words, verdict))) + "."
    return Ruling(claim, arithmetic, recomputed, comparison, different or arithmetic == "wrong", sentence)


def _row(name: str, claim: Claim, rows: Mapping[str, Row]) -> Row:
    if name not in rows:
        raise TableError(f"claim {claim.text!r}: the table has no row {name!r}; it has {names(list(rows))}")
    found = rows[name]
    if claim.metric is not None and claim.metric not in bounds(found):
        raise TableError(f"claim {claim.text!r}: row {name!r} has no possible {NAMES[claim.metric]}")
    return found


def _arithmetic(
    claim: Claim, metric: Metric, printed: Printed, ours: Interval, theirs: Interval
) -> tuple[Arithmetic, Interval | None, str]:
    # What "lower by so many percent" may mean for an error, the plain meaning first.
    ways = {"": _lower(ours, theirs), "a change": _higher(ours, theirs)}
    ways["the baseline's excess over the row"] = _higher(theirs, ours)
    if metric == "r2":
        ways = _ways_of_r2(ours, theirs)
    elif metric == "rmse":
        ways["a change of MSE"] = _lower(ours.squared(), theirs.squared())
    said, recomputed = printed.interval(), ways.pop("")
    if recomputed is None and not any(ways.values()):
        return "undefined", None, f"Cannot be recomputed: {NAMES[metric]} of {claim.baseline} may be 0"
    if recomputed is not None and not recomputed.apart(said):
        return "right", recomputed, f"Arithmetic right ({between(recomputed)} %)"
    for name, interval in ways.items():
        if interval is not None and not interval.apart(said):
            return "right_otherwise", interval, f"Arithmetic right only as {name} ({between(interval)} %)"
    if recomputed is not None and not recomputed.apart(printed.interval("cut_off")):
        return "right_otherwise", recomputed, f"Arithmetic right if cut off, not rounded ({between(recomputed)} %)"
    shown = f"{between(recomputed)} %" if recomputed is not None else "nothing"
    return "wrong", recomputed, f"Arithmetic wrong: the printed numbers give {shown}, not {printed.text.rstrip(' %')} %"


def _ways_of_r2(ours: Interval, theirs: Interval) -> dict[str, Interval | None]:
    """Return what "higher by so many percent" may mean for R², the plain meaning first."""
    if ours.high is None or theirs.high is None:
        return {"": None}
    points = Interval(100 * (ours.low - theirs.high), 100 * (ours.high - theirs.low))
    left = (Interval(_ONE - found.high, _ONE - found.low) for found in (ours, theirs) if found.high is not None)
    relative = _higher(ours, theirs) if ours.low >= 0 and theirs.low >= 0 else None
    return {"": relative, "percentage points": points, "unexplained variance": _lower(*left)}


def _lower(ours: Interval, theirs: Interval) -> Interval | None:
    ratio = ours.divided(theirs)
    if ratio is None or ratio.high is None:
        return None
    return Interval(100 * (_ONE - ratio.high), 100 * (_ONE - ratio.low))


def _higher(ours: Interval, theirs: Interval) -> Interval | None:
    ratio = ours.divided(theirs)
    return None if ratio is None or ratio.high is None else Interval(100 * (ratio.low - 1), 100 * (ratio.high - 1))


def _comparison(
    row: Row, baseline: Row, groups: Sequence[Group], findings: Sequence[Finding], explanation: Explanation | None
) -> tuple[Comparison, str]:
    """Return whether two rows can be compared, and why not."""
    if row.test_set != baseline.test_set:
        return "different_test_sets", "the table itself puts the rows on different test sets"
    if explanation is not None and explanation.holds:
        ours, theirs = (part for r in (row, baseline) for part in explanation.parts if r.name in part.rows)
        if ours.shares != theirs.shares:
            told = f"({ours.targets} and {theirs.targets} targets)"
            return "different_test_sets", f"the rows were scored on different test sets {told}"
    both = {row.name, baseline.name}
    variances = next((group.variances for group in groups if both <= set(group.variances)), None)
    if variances is None:
        return "unchecked", "a row has no target variance"
    if not variances[row.name].apart(variances[baseline.name]):
        return "same_test_set_possible", "nothing in the table speaks against one test set"
    verdicts = {f.verdict for f in findings if f.kind == "target_variance" and both.intersection(f.rows)}
    if "different_test_sets" in verdicts:
        return "different_test_sets", "the rows were scored on different test sets, unless an open reading holds"
    return "in_doubt", "the rows imply different target variances, which an innocent reading would explain"
