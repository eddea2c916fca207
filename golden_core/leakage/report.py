"""What probes found and what they covered: how two runs become a report, and several reports one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import polars as pl

from golden_core.leakage import artefacts
from golden_core.leakage.artefacts import KEY, STAMP, Finding
from golden_core.leakage.comparison import Difference, compare

# In which order pipelines make what the interface names; others come last.
ORDER = (
    "source", artefacts.RAW, artefacts.BARS, artefacts.FEATURES, artefacts.TARGETS, artefacts.FOLDS, artefacts.SCALERS,
    artefacts.WINDOWS, artefacts.WEIGHTS, artefacts.CALIBRATION, artefacts.FORECASTS,
)  # fmt: skip


@dataclass(frozen=True)
class Cell:
    """One artefact under one poison: how many rows were compared, and the first finding."""

    asset: str
    poison: str
    rows: int
    finding: Finding | None


@dataclass(frozen=True)
class Report:
    """What a probe found, and what it covered.

    Parameters
    ----------
    findings : tuple of Finding
        One per asset and column, in the order in which the pipeline makes things.
    cells : tuple of Cell
    refused : tuple of str
        Runs that the pipeline itself refused, and why: nothing was compared there.
    """

    findings: tuple[Finding, ...]
    cells: tuple[Cell, ...]
    refused: tuple[str, ...]

    @property
    def rows(self) -> int:
        """Rows compared in all."""
        return sum(cell.rows for cell in self.cells)


def merged(reports: Iterable[Report], order: Sequence[str] = ORDER) -> Report:
    """Return several reports as one: a finding per probe, asset and column, in the order in which things are made.

    A finding in a later asset than the first may only follow from that one, and says so.
    """
    found: dict[tuple[str, str, str], Finding] = {}
    cells: dict[tuple[str, str], Cell] = {}
    refused: list[str] = []
    for report in reports:
        for finding in report.findings:
            name = finding.probe, finding.asset, finding.column
            if name not in found or _earlier(finding, found[name]):
                found[name] = finding
        for cell in report.cells:
            before = cells.get((cell.asset, cell.poison), Cell(cell.asset, cell.poison, 0, None))
            cells[cell.asset, cell.poison] = replace(
                before, rows=before.rows + cell.rows, finding=before.finding or cell.finding
            )
        refused += report.refused
    place = {asset: number for number, asset in enumerate(order)}
    ordered = sorted(found.values(), key=lambda finding: place.get(finding.asset, len(place)))
    marked = [replace(one, follows=_cause(one, ordered[0])) for one in ordered]
    in_order = sorted(cells.values(), key=lambda cell: place.get(cell.asset, len(place)))
    return Report(tuple(marked), tuple(in_order), tuple(dict.fromkeys(refused)))


def _earlier(one: Finding, other: Finding) -> bool:
    return one.timestamp is not None and (other.timestamp is None or one.timestamp < other.timestamp)


def _cause(one: Finding, first: Finding) -> str | None:
    return None if one.asset == first.asset else f"{first.asset}.{first.column}"


def sentence(finding: Finding) -> str:
    """Return a finding as one sentence that names asset, column and time."""
    when = f" from {finding.timestamp:%Y-%m-%d %H:%M} UTC on" if finding.timestamp else ""
    after = f" (perhaps only because {finding.follows} does)" if finding.follows else ""
    return f"{finding.asset}, column {finding.column!r}{when}: {finding.detail}{after}"


def compared(
    probe: str,
    poison: str,
    what: str,
    honest: Mapping[str, pl.DataFrame],
    again: Mapping[str, pl.DataFrame],
    until: dt.datetime | None = None,
) -> Report:
    """Compare the artefacts of two runs: ``what`` was done to the second, whose rows up to a time must be the same."""
    findings, cells = [], []
    clocks = [made[artefacts.BARS].select(KEY, STAMP) for made in (honest, again) if artefacts.BARS in made]
    same_clock = len(clocks) == 2 and clocks[0].equals(clocks[1])
    for asset, frame in honest.items():
        differences, rows = compare(frame, again.get(asset, frame.clear()), until, same_clock=same_clock)
        own = [finding_of(probe, asset, what, difference) for difference in differences]
        findings += own
        cells.append(Cell(asset, poison, rows, own[0] if own else None))
    return Report(tuple(findings), tuple(cells), ())


def finding_of(probe: str, asset: str, what: str, difference: Difference) -> Finding:
    """Return a difference between two runs as a finding; ``what`` was done to the second."""
    detail = f"{what}, {difference.key} {difference.detail}; it must not change"
    return Finding(probe, asset, difference.column, difference.stamp, detail)
