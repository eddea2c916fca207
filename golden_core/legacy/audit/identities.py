"""Rows that contradict themselves: RMSE² and MSE, MAE and RMSE, R² above one. What rows say together is elsewhere."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import get_args

from golden_core.legacy.audit.bounds import Contradiction, bounds
from golden_core.legacy.audit.findings import Averaging, Finding, Kind, Reading, Verdict, settle
from golden_core.legacy.audit.headings import NAMES, Metric
from golden_core.legacy.audit.printed import Rounding
from golden_core.legacy.audit.scales import declared
from golden_core.legacy.audit.table import Row, Table
from golden_core.legacy.audit.wording import between, number

Contradictions = Mapping[Rounding, frozenset[Contradiction]]

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
_EXCUSES: dict[Rounding, tuple[str, str]] = {
    "twice": ("rounded twice", "first to one digit more, then again"),
    "cut_off": ("cut off, not rounded", "the digits behind the last printed one dropped, in the whole table"),
    "single_precision": ("32-bit arithmetic", "the last printed digits are noise of single precision"),
    "padded": ("digits padded with zeros", "a number of fewer digits filled up with three zeros or more"),
}
_RARE = frozenset({"single_precision", "padded"})  # not worth a word where they explain nothing


def row_findings(table: Table, averaging: Averaging, known: Contradictions) -> list[Finding]:
    """Return what rows contradict by themselves, one finding per kind and verdict.

    Parameters
    ----------
    table : Table
    averaging : str
        The declared nature of the rows.
    known : mapping
        Contradictions of the table under every way of rounding.
    """
    found: dict[tuple[Kind, Verdict], list[tuple[Row, tuple[Reading, ...]]]] = {}
    for kind in _SENTENCES:
        for row in table.rows:
            if (row.name, kind) in known["nearest"]:
                readings = (*excuses((row.name, kind), known), *_means(row, kind, averaging), *_units(table, row, kind))
                found.setdefault((kind, settle(readings, "certainly_wrong")), []).append((row, readings))
    return [
        Finding(
            kind=kind,
            verdict=verdict,
            rows=tuple(row.name for row, _ in listed),
            sentence=_SENTENCES[kind],
            evidence=tuple(_EVIDENCE[kind](row) for row, _ in listed),
            readings=_merged([readings for _, readings in listed]),
        )
        for (kind, verdict), listed in found.items()
    ]


def excuses(contradiction: Contradiction, known: Contradictions) -> list[Reading]:
    """Return whether other ways of rounding explain a contradiction without making a new one anywhere."""
    found = []
    for rounding, (name, words) in _EXCUSES.items():
        gone = contradiction not in known[rounding] and known[rounding] <= known["nearest"]
        if gone:
            found.append(Reading(name, "explains", f"{words[0].upper()}{words[1:]}: then nothing contradicts."))
        # It is no excuse for few digits, and none for what cannot exist: then not worth a word.
        elif rounding not in _RARE and contradiction[1] != "impossible_value":
            found.append(Reading(name, "excluded", f"{words[0].upper()}{words[1:]}: a contradiction remains."))
    return found


def _means(row: Row, kind: Kind, averaging: Averaging) -> tuple[Reading, ...]:
    """Return what it takes for RMSE² < MSE to come from averaging: k runs have MSE ≤ k · RMSE²."""
    if kind != "rmse_squared_below_mse":
        return ()
    name = "means over seeds or data sets"
    if averaging == "none":
        return (Reading(name, "excluded", "The rows are declared to be single runs."),)
    if row.cells["rmse"].text == row.cells["mse"].text:
        told = f"RMSE and MSE of {row.name} have the same digits: one is a copy of the other, which no mean makes."
        return (Reading(name, "excluded", told),)
    known = bounds(row)
    top, low = known["rmse"].squared().high, known["mse"].low
    if not top:
        return (Reading(name, "excluded", "An RMSE of 0 in the mean is 0 in every run."),)
    spread = math.sqrt(low / top - 1)
    sentence = (
        f"Mean(RMSE)² ≤ mean(MSE): explained if {row.name} is a mean over at least {math.ceil(low / top)} runs or "
        f"data sets whose RMSE has a coefficient of variation of at least {number(spread, 2)}."
    )
    return (Reading(name, "explains", sentence),)


def _units(table: Table, row: Row, kind: Kind) -> list[Reading]:
    """Return the reading that the headings tell of different units, unless most rows hold together in one."""
    pairs = [pair for pair in _COMPARED.get(kind, ()) if set(pair) <= set(row.cells)]
    found = [reading for left, right in pairs for reading in declared(table, left, right)]
    both = [bounds(other) for other in table.rows if {"rmse", "mse"} <= set(bounds(other))]
    fitting = sum(not other["rmse"].squared().apart(other["mse"]) for other in both)
    return found[:1] if 2 * fitting <= len(both) else []


def _merged(listed: list[tuple[Reading, ...]]) -> tuple[Reading, ...]:
    """Return one reading per name and status, with the first row's sentence."""
    found: dict[tuple[str, str], Reading] = {}
    for readings in listed:
        for reading in readings:
            found.setdefault((reading.name, reading.status), reading)
    return tuple(found.values())


def _impossible(row: Row) -> str:
    bad = [metric for metric in row.cells if metric not in bounds(row)]
    return f"{row.name}: " + ", ".join(f"{NAMES[metric]} {row.cells[metric].text}" for metric in bad)


def _squares(row: Row) -> str:
    known = bounds(row)
    return (
        f"{row.name}: RMSE {row.cells['rmse'].text} gives RMSE² in {between(known['rmse'].squared())}; "
        f"MSE {row.cells['mse'].text} means {between(known['mse'])}"
    )


def _absolute(row: Row) -> str:
    known = bounds(row)
    others = ", ".join(f"{NAMES[m]} {row.cells[m].text} in {between(known[m])}" for m in ("rmse", "mse") if m in known)
    return f"{row.name}: MAE {row.cells['mae'].text} in {between(known['mae'])}; {others}"


_EVIDENCE: dict[Kind, Callable[[Row], str]] = {
    "impossible_value": _impossible,
    "rmse_squared_above_mse": _squares,
    "rmse_squared_below_mse": _squares,
    "mae_above_rmse": _absolute,
}
_COMPARED: dict[Kind, tuple[tuple[Metric, Metric], ...]] = {
    "rmse_squared_above_mse": (("rmse", "mse"),),
    "rmse_squared_below_mse": (("rmse", "mse"),),
    "mae_above_rmse": (("mae", "rmse"), ("mae", "mse")),
}
ROUNDINGS: tuple[Rounding, ...] = get_args(Rounding)
