"""Bitwise comparison of two runs, and what probes found and covered as reports that can be merged."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from golden_core.leakage import artefacts
from golden_core.leakage.artefacts import COMPLETE, KEY, STAMP, Finding

ROW = "(row)"  # stands for a column where a whole row is missing or additional


@dataclass(frozen=True)
class Difference:
    """The first place where a column is not the same in both runs."""

    column: str
    key: str
    stamp: dt.datetime
    detail: str


def compare(
    honest: pl.DataFrame, again: pl.DataFrame, until: dt.datetime | None = None, *, same_clock: bool = False
) -> tuple[list[Difference], int]:
    """Compare all rows stamped at or before a time, bit by bit; NaN equals NaN, null equals null.

    Takes one artefact of two runs: columns ``stamp``, ``key`` and values; rows are matched by key, stamp and their
    order within both. Only rows stamped at or before ``until`` count; those that are complete later may be missing on
    either side. Where both runs have bars at the same times (``same_clock``) they may only be missing together, all
    that have a key: a fold may not be laid yet, but its rows are not chosen by what follows them.

    Gives the first difference of every column, missing and additional rows first, and how many rows were compared.
    """
    before, after = _known(honest, until), _known(again, until)
    found: list[Difference] = []
    if _identical(before, after):
        return found, before.height
    if not (before[KEY].equals(after[KEY]) and before[STAMP].equals(after[STAMP])):
        pairs, lone = _match(before, after, until, same_clock=same_clock)
        found += _lone_rows(lone)
        before, after = before[pairs["before"].to_numpy()], after[pairs["after"].to_numpy()]
    for name in before.columns:
        if name in (KEY, STAMP, COMPLETE):
            continue
        differs = (
            unequal(before[name], after[name]) if name in after.columns else np.ones(before.height, dtype=np.bool_)
        )
        if differs.any():
            rows = np.flatnonzero(differs)
            row = int(rows[before[STAMP].to_numpy()[rows].argmin()])
            is_now = _shown(after[name][row]) if name in after.columns else "without the column"
            detail = f"was {_shown(before[name][row])} and is {is_now}"
            found.append(Difference(name, before[KEY][row], before[STAMP][row], detail))
    return found, before.height


def _known(frame: pl.DataFrame, until: dt.datetime | None) -> pl.DataFrame:
    if until is None:
        return frame
    last = np.datetime64(until.astimezone(dt.UTC).replace(tzinfo=None), "us")
    return frame.filter(pl.Series(frame[STAMP].to_numpy() <= last))


def _identical(one: pl.DataFrame, other: pl.DataFrame) -> bool:
    """Return whether two tables are the same to the bit: nearly all are, and this costs no query."""
    if one.schema != other.schema or not one.equals(other):
        return False
    floats = [name for name, dtype in one.schema.items() if dtype == pl.Float64 and not one[name].null_count()]
    # Equal numbers differ in bits only where one is −0 and the other +0.
    return all((np.signbit(one[name].to_numpy()) == np.signbit(other[name].to_numpy())).all() for name in floats)


def _match(
    before: pl.DataFrame, after: pl.DataFrame, until: dt.datetime | None, *, same_clock: bool
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the row numbers of matching rows, and the rows that only one side has but must."""
    sides = [_numbered(frame, name) for frame, name in ((before, "before"), (after, "after"))]
    joined = sides[0].join(sides[1], on=[KEY, STAMP, "repeat"], how="full", coalesce=True, maintain_order="left_right")
    both = pl.col("before").is_not_null() & pl.col("after").is_not_null()
    lone = joined.filter(~both)
    if until is not None:
        complete = pl.coalesce(COMPLETE, f"{COMPLETE}_right")
        shared = set(before[KEY].unique()) & set(after[KEY].unique()) if same_clock else ()
        lone = lone.filter((complete <= until).fill_null(True) | pl.col(KEY).is_in(list(shared)))
    return joined.filter(both), lone.sort(STAMP)


def _numbered(frame: pl.DataFrame, name: str) -> pl.DataFrame:
    complete = pl.col(COMPLETE) if COMPLETE in frame.columns else pl.lit(None, pl.Datetime("us", "UTC")).alias(COMPLETE)
    repeat = pl.int_range(pl.len()).over(KEY, STAMP).alias("repeat")
    return frame.select(KEY, STAMP, complete, repeat, pl.int_range(pl.len()).alias(name))


def _lone_rows(lone: pl.DataFrame) -> list[Difference]:
    found = []
    for side, words in (("after", "is missing"), ("before", "is additional")):
        rows = lone.filter(pl.col(side).is_null())
        if rows.height:
            first = rows.row(0, named=True)
            found.append(Difference(ROW, first[KEY], first[STAMP], f"{words}, one of {rows.height} such rows"))
    return found


def unequal(one: pl.Series, other: pl.Series) -> npt.NDArray[np.bool_]:
    """Return which values [N] of two columns differ by a bit; NaN equals NaN, null equals null."""
    different: npt.NDArray[np.bool_]
    if one.dtype != other.dtype:
        different = np.ones(len(one), dtype=np.bool_)
    elif one.dtype.is_float():
        different = _bits(one) != _bits(other)
        if one.null_count() or other.null_count():
            different |= (one.is_null() != other.is_null()).to_numpy()
    elif isinstance(one.dtype, pl.Array) and one.dtype.inner.is_float():
        different = (_bits(one) != _bits(other)).reshape(len(one), -1).any(axis=1)
    else:
        different = one.ne_missing(other).to_numpy()
    return different


def _bits(series: pl.Series) -> npt.NDArray[Any]:
    values = np.array(series.to_numpy())  # null becomes NaN
    values[np.isnan(values)] = np.nan  # one bit pattern for all NaN: which one it was says nothing
    return values.view(f"u{values.itemsize}")


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.17g}"
    text = str(value)
    return text if len(text) <= 20 else f"{text[:12]}…"


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
    """What a probe found, and what it covered."""

    findings: tuple[Finding, ...]  # one per asset and column, in the order in which the pipeline makes things
    cells: tuple[Cell, ...]
    refused: tuple[str, ...]  # runs that the pipeline itself refused, and why: nothing was compared there

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
    without: Collection[str] = (),  # columns, and those named after them: ``ar``, ``ar at 0.5``
) -> Report:
    """Compare the artefacts of two runs: ``what`` was done to the second, whose rows up to a time must be the same."""
    findings, cells = [], []
    clocks = [made[artefacts.BARS].select(KEY, STAMP) for made in (honest, again) if artefacts.BARS in made]
    same_clock = len(clocks) == 2 and clocks[0].equals(clocks[1])
    for asset, frame in honest.items():
        if without and asset not in again:
            continue  # whoever makes it has refused
        differences, rows = compare(frame, again.get(asset, frame.clear()), until, same_clock=same_clock)
        own = [finding_of(probe, asset, what, one) for one in differences if one.column.split(" at ")[0] not in without]
        findings += own
        cells.append(Cell(asset, poison, rows, own[0] if own else None))
    return Report(tuple(findings), tuple(cells), ())


def finding_of(probe: str, asset: str, what: str, difference: Difference) -> Finding:
    """Return a difference between two runs as a finding; ``what`` was done to the second."""
    detail = f"{what}, {difference.key} {difference.detail}; it must not change"
    return Finding(probe, asset, difference.column, difference.stamp, detail)
