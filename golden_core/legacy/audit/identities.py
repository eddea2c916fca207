"""Rows that contradict themselves, and columns in disguise of another. What rows say together is elsewhere."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from golden_core.legacy.audit.bounds import Bounds, Contradiction, bounds
from golden_core.legacy.audit.findings import Finding, Kind, Reading, Verdict, settle
from golden_core.legacy.audit.headings import NAMES, Metric
from golden_core.legacy.audit.intervals import CLEARLY, Interval, between, number, relative_width
from golden_core.legacy.audit.row_explanations import (
    Contradictions,
    declared_units,
    means_of_row,
    one_factor,
    percent_sign,
    rounded_otherwise,
)
from golden_core.legacy.audit.table import Row, Table
from golden_core.study.faults import plural

_SENTENCES: dict[Kind, str] = {
    "impossible_value": "An error below 0 or an R² above 1 does not exist.",
    "rmse_squared_above_mse": (
        "RMSE² is above MSE beyond rounding. Averaging cannot do this: of means over runs or data sets, RMSE² is at "
        "most MSE."
    ),
    "rmse_squared_below_mse": "RMSE² is below MSE beyond rounding: these are not RMSE and MSE of one run.",
    "mae_above_rmse": (
        "MAE is above RMSE (or its square above MSE) beyond rounding. Neither one run nor a mean of runs in one unit "
        "can have that."
    ),
}
_COMPARED: dict[Kind, tuple[tuple[Metric, Metric], ...]] = {
    "impossible_value": (),
    "rmse_squared_above_mse": (("rmse", "mse"),),
    "rmse_squared_below_mse": (("rmse", "mse"),),
    "mae_above_rmse": (("mae", "rmse"), ("mae", "mse")),
}


def row_findings(table: Table, known: Contradictions) -> list[Finding]:
    """Return what rows contradict by themselves, one finding per kind and verdict."""
    found: dict[tuple[Kind, Verdict], list[tuple[Row, list[Reading]]]] = {}
    for kind in _SENTENCES:
        for row in table.rows:
            if (row.name, kind) in known("nearest"):
                readings = [*rounded_otherwise((row.name, kind), known), *_readings(table, row, kind, known("nearest"))]
                found.setdefault((kind, settle(readings, "certainly_wrong")), []).append((row, readings))
    return [
        Finding(
            kind=kind,
            verdict=verdict,
            rows=tuple(row.name for row, _ in listed),
            sentence=_SENTENCES[kind],
            evidence=tuple(_evidence(row, kind) for row, _ in listed),
            readings=_merged(reading for _, readings in listed for reading in readings),
        )
        for (kind, verdict), listed in found.items()
    ]


def _readings(table: Table, row: Row, kind: Kind, contradictions: Collection[Contradiction]) -> list[Reading]:
    """Return what means, units and percent signs do for a row, units unless most rows hold together in one."""
    if kind == "impossible_value":
        return percent_sign(table) if "r2" not in bounds(row) and "r2" in row.cells else []
    both = [other for other in table.rows if {"rmse", "mse"} <= set(bounds(other))]
    exact = [other for other in both if not bounds(other)["rmse"].squared().apart(bounds(other)["mse"])]
    found = [means_of_row(row, table, exact)] if kind == "rmse_squared_below_mse" else []
    fitting, compared = len(exact), len(both)
    if kind == "mae_above_rmse":  # MAE may be in a unit of its own
        with_mae = [
            other.name for other in table.rows if "mae" in (known := bounds(other)) and {"rmse", "mse"} & set(known)
        ]
        fitting, compared = sum((name, kind) not in contradictions for name in with_mae), len(with_mae)
        if len({heading.metric for heading in table.headings if heading.percent} & {"mae", "rmse"}) == 1:
            fitting = 0  # a smaller number in another unit shows nothing
    if 2 * fitting > compared:
        return found
    units = [declared_units(table, row, *pair) for pair in _COMPARED[kind] if _contradict(bounds(row), *pair)]
    found += units[0] if all(units) else []
    return [*found, *(one_factor([bounds(other) for other in both]) if kind != "mae_above_rmse" else [])]


def _contradict(row: Bounds, left: Metric, right: Metric) -> bool:
    """Whether a row has two metrics that contradict each other, MAE being above the other one."""
    if not {left, right} <= set(row):
        return False
    one, other = row[left].squared(), row[right] if right == "mse" else row[right].squared()
    return one.above(other) if left == "mae" else one.apart(other)


def _merged(readings: Iterable[Reading]) -> tuple[Reading, ...]:
    """Return one reading per name and status, with the first row's sentence."""
    found: dict[tuple[str, str], Reading] = {}
    for reading in readings:
        found.setdefault((reading.name, reading.status), reading)
    return tuple(found.values())


def _evidence(row: Row, kind: Kind) -> str:
    known = bounds(row)
    if kind == "impossible_value":
        bad = [metric for metric in row.cells if metric not in known]
        return f"{row.name}: " + ", ".join(f"{NAMES[metric]} {row.cells[metric].text}" for metric in bad)
    if kind == "mae_above_rmse":
        told = [f"{NAMES[m]} {row.cells[m].text} in {between(known[m])}" for m in ("rmse", "mse") if m in known]
        return f"{row.name}: MAE {row.cells['mae'].text} in {between(known['mae'])}; {', '.join(told)}"
    return (
        f"{row.name}: RMSE {row.cells['rmse'].text} gives RMSE² in {between(known['rmse'].squared())}; "
        f"MSE {row.cells['mse'].text} means {between(known['mse'])}"
    )


# ------------------------------------------------------------------------------------------------ columns in disguise

# Chances of agreeing by accident below which an agreement of two columns is a fault, and is worth a word.
_FAULT, _SUSPICION = 1e-5, 1e-3
_EQUAL_ERRORS = Reading(
    "equal errors", "explains", "One test point, or errors that all have the same size: then MAE is RMSE."
)
_Pairs = Sequence[tuple[Interval, Interval]]


@dataclass(frozen=True)
class _Disguise:
    """A relation that two honest columns do not have: one, squared or not, equals the other in every row."""

    says: str
    left: Metric
    right: Metric
    squared: Metric | None
    unreliable: frozenset[Metric]  # what can no longer be compared with others
    fault: float = _FAULT

    def side(self, row: Bounds, metric: Metric) -> Interval:
        """Return one side of the relation."""
        return row[metric].squared() if metric == self.squared else row[metric]


_DISGUISES = (
    _Disguise("MSE = √MAE", "mse", "mae", "mse", frozenset({"mae", "mse", "rmse"})),
    # A single run cannot have this one at all, so that suspicion is enough.
    _Disguise("MSE = RMSE", "mse", "rmse", None, frozenset({"mse", "rmse"}), fault=_SUSPICION),
    _Disguise("MAE = RMSE²", "mae", "rmse", "rmse", frozenset({"mae"})),
    _Disguise("MAE = MSE", "mae", "mse", None, frozenset({"mae"})),
    _Disguise("MAE = RMSE", "mae", "rmse", None, frozenset()),
)


def disguised_column(table: Table) -> tuple[list[Finding], frozenset[Metric]]:
    """Return the first relation that holds in every row and is too exact for an accident, and which metrics it spoils.

    The chance is that of rows whose relation is what an honest table has, MAE = c · RMSE or MSE = RMSE², to meet the
    other one within their printed digits: only rows whose numbers are clearly apart count as further witnesses.
    """
    known = [bounds(row) for row in table.rows]
    for disguise in _DISGUISES:
        both = {disguise.left, disguise.right}
        sides = [row for row in known if both <= set(row)]
        pairs = [(disguise.side(row, disguise.left), disguise.side(row, disguise.right)) for row in sides]
        if not pairs or any(left.apart(right) for left, right in pairs):
            continue
        chance = _chance(pairs)
        both_one = not any(row["rmse"].squared().apart(row["mse"]) for row in known if {"rmse", "mse"} <= set(row))
        if chance > _SUSPICION or (disguise.says == "MSE = RMSE" and both_one):  # then RMSE² = MSE allows it
            continue
        readings = [_EQUAL_ERRORS] if disguise.says == "MAE = RMSE" else []
        rows = tuple(row.name for row in table.rows if both <= set(bounds(row)))
        finding = Finding(
            kind="disguised_column",
            verdict=settle(readings, "certainly_wrong" if chance <= disguise.fault else "open"),
            rows=rows,
            sentence=f"{disguise.says} in every row: one of the two columns is another one in disguise.",
            evidence=(f"equal digits in {plural(len(rows), 'row')}; by accident, about {number(chance, 1)}",),
            readings=tuple(readings),
        )
        return [finding], disguise.unreliable
    return [], frozenset()


def _chance(pairs: _Pairs) -> float:
    """Return the chance that honest columns agree within their digits in as many rows as are clearly apart."""
    middles = sorted(float((r.low + (r.low if r.high is None else r.high)) / 2) for _, r in pairs if r.low > 0)
    if not middles:
        return 1.0
    width = max(relative_width(left) + relative_width(right) for left, right in pairs if right.low > 0)
    spread = 1 - middles[0] / middles[-1]
    witnesses, last = 1, middles[0]
    for middle in middles:
        if middle > last * (1 + CLEARLY * width):
            witnesses, last = witnesses + 1, middle
    return min(1.0, width) * float(min(1.0, CLEARLY * width / spread) ** (witnesses - 1) if spread else 1.0)
