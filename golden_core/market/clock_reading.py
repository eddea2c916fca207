"""From weekends to clocks: the one, or the few in turn, that explain the most. What was declared is not judged here."""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from golden_core.market.weekends import Flags, Weekends, candidates, explained

SHOWN = 3  # weeks, or clocks, quoted in a message
FEWEST_EDGES = 2  # ends and beginnings of weeks that must speak against a clock: one may be a vendor's slip
FEWEST_WEEKENDS = 3  # that a clock must hold before it counts as a switch
YEAR, ASTRAY = 52, 4  # weeks, and those over which the clocks of Europe and America lie another hour apart
SWITCH = 2  # ends and beginnings of weeks that each switch must explain beyond what the clock before did
CLEARLY_EXPLAINED = 0.85  # of the weekends between two switches, or a vendor's ragged hours would look like one


def some(zones: Sequence[str], between: str = ", ", last: str = " and ") -> str:
    """Name the likeliest clocks, and say how many more there are."""
    more = f"{last}{len(zones) - SHOWN} more" if len(zones) > SHOWN else ""
    return between.join(zones[:SHOWN]) + more


@dataclass(frozen=True)
class Segment:
    """Weekends over which a file keeps one clock and habit, from the Monday after the first to that after the last.

    ``zones`` explain them equally well, the best first; ``agreeing`` and ``declared`` count what best and declared
    explain.
    """

    zones: tuple[str, ...]
    first: datetime.date
    last: datetime.date
    weekends: int
    agreeing: int
    declared: int

    def __str__(self) -> str:
        names = some(self.zones, " or ", " or ")
        return f"{names} (weeks of {self.first} to {self.last}: {self.agreeing} of {self.weekends} weekends)"


@dataclass(frozen=True, eq=False)
class Reading:
    """The clocks that explain a file best, in the order of time: several if it, or its vendor's habit, switches.

    ``agrees`` and ``declared_agrees`` [weekends] say what the reading and the declared clock explain at both ends;
    ``against`` counts ends and beginnings of weeks that only the reading explains, ``in_favour`` only the declared
    clock.
    """

    segments: tuple[Segment, ...]
    agrees: Flags
    declared_agrees: Flags
    against: int
    in_favour: int


def read(weekends: Weekends, declared: str | None) -> Reading:
    """Find the clocks that explain the most ends and beginnings of weeks, ``declared`` or else the first being ours.

    One clock is preferred: it gives way only to those that explain clearly more, each over weekends of its own.
    """
    names = candidates(weekends, declared)
    edges, late = explained(weekends, names)
    runs = [(a, b, _equal(edges[..., a:b], late[..., a:b], state)) for a, b, state in _stretches(edges)]
    best = np.concatenate([_chosen(edges[zones[0], ..., a:b]) for a, b, zones in runs], axis=-1)
    own = np.concatenate([_chosen(edges[0 if declared else zones[0], ..., a:b]) for a, b, zones in runs], axis=-1)
    weeks, agrees, declared_agrees = weekends.table["week"], np.asarray(best.all(axis=0)), np.asarray(own.all(axis=0))
    return Reading(
        segments=tuple(
            Segment(
                tuple(names[zone] for zone in zones),
                weeks[a],
                weeks[b - 1],
                b - a,
                int(agrees[a:b].sum()),
                int(declared_agrees[a:b].sum()),
            )
            for a, b, zones in runs
        ),
        agrees=agrees,
        declared_agrees=declared_agrees,
        against=int((best & ~own).sum()),
        in_favour=int((own & ~best).sum()),
    )


def _stretches(edges: Flags) -> list[tuple[int, int, int]]:
    """Return stretches of weekends and the candidate [practice, zone] that explains each best.

    Each change of candidate costs ``SWITCH`` (Viterbi 1967, IEEE Trans. Information Theory 13:260). A stretch that is
    short or not explained clearly is given to the best single candidate.
    """
    zones, practices, _, count = edges.shape
    # Practices vary slowest, so that of equally good candidates the one that closes on time comes first.
    points = edges.sum(axis=2).swapaxes(0, 1).reshape(practices * zones, count)
    total, same = points[:, 0], np.arange(practices * zones)
    came = np.tile(same, (count, 1))
    for week in range(1, count):
        changed = total.max() - SWITCH
        came[week] = np.where(changed >= total, total.argmax(), same)
        total = np.maximum(total, changed) + points[:, week]
    state = np.full(count, total.argmax())
    for week in range(count - 1, 0, -1):
        state[week - 1] = came[week, state[week]]
    for first, end, held in _split(state):
        if end - first < FEWEST_WEEKENDS or (points[held, first:end] == 2).mean() < CLEARLY_EXPLAINED:
            state[first:end] = points.sum(axis=1).argmax()
    return _split(state)


def _split(state: npt.NDArray[np.int64]) -> list[tuple[int, int, int]]:
    cuts = [0, *(np.flatnonzero(np.diff(state)) + 1).tolist(), len(state)]
    return [(start, stop, int(state[start])) for start, stop in itertools.pairwise(cuts)]


def _equal(edges: Flags, late: npt.NDArray[np.float64], state: int) -> list[int]:
    """Collect the zones that explain a stretch about as well as its best candidate, and begin its weeks as steadily."""
    practice, zone = divmod(state, len(edges))
    best, score, weeks = edges[zone, practice], edges.sum(axis=(2, 3)), edges.shape[-1]
    own = edges[np.arange(len(edges)), score.argmax(axis=1)]
    against, in_favour = (best & ~own).sum(axis=(1, 2)), (own & ~best).sum(axis=(1, 2))
    equal = np.flatnonzero(~contradicted(against, in_favour))
    # Where rows of Saturday are dropped, a clock of other summers fits as well, on which weeks begin later in winter.
    years = np.split(late[:, equal], range(YEAR, weeks, YEAR), axis=2)
    middles = [np.median(year, axis=2, keepdims=True) for year in years]
    fits = [np.abs(np.clip(middle, *year) - middle) < 1 for middle, year in zip(middles, years, strict=True)]
    usual = np.concatenate(fits, axis=2)
    usual = usual[usual.sum(axis=2).argmax(axis=0), np.arange(len(equal))]
    steady = usual[usual.sum(axis=1).argmax()]
    uneven, even = (steady & ~usual).sum(axis=1), (usual & ~steady).sum(axis=1)
    shifts = uneven > max(ASTRAY, weeks / 4)
    equal = equal[~(shifts & contradicted(uneven + against[equal], even + in_favour[equal]))]
    order = np.lexsort((equal, score[equal].argmax(axis=1), -score[equal].max(axis=1)))
    return [int(zone) for zone in equal[order]]


def contradicted(against: npt.NDArray[np.int64], in_favour: npt.NDArray[np.int64]) -> Flags:
    """Say whether ends and beginnings of weeks speak against a clock: more than a slip, and more than twice as many."""
    return (against >= FEWEST_EDGES) & (against > 2 * in_favour)


def _chosen(edges: Flags) -> Flags:
    """Return what a zone explains of a stretch [2, weekends], with the closing practice that suits it best there."""
    return np.asarray(edges[edges.sum(axis=(1, 2)).argmax()])
