"""The settings of one workshop, and how a random one is drawn. No stage belongs here."""

from __future__ import annotations

from dataclasses import dataclass

from golden_core.store.randomness import Stream


@dataclass(frozen=True)
class Plan:
    """What one workshop does, apart from how: lengths in bars, counts, and grids to choose from.

    Parameters
    ----------
    weeks : int
        Weeks of raw bars.
    horizons : tuple of int
        Bars looked ahead.
    train, validation, test : int
        Rows of each part of a fold, before the purge.
    embargo : int
        Extra gap behind the last label of a part.
    lags : int
        Rows of a window in the long variant; the short one has one row.
    penalties : tuple of float
        Ridge penalties per training row, from weak to strong: the path that stopping walks.
    members : int
        Seeds, each a random half of the training rows.
    kept : int
        Features that selection keeps.
    components : int
        Principal components; 0 leaves the features as they are.
    tail : float
        Share of training rows that is winsorised at each end.
    slow : int
        Hours of a slow bar.
    level : float
        Coverage of the calibrated interval.
    """

    weeks: int
    horizons: tuple[int, ...]
    train: int
    validation: int
    test: int
    embargo: int
    lags: int
    penalties: tuple[float, ...]
    members: int
    kept: int
    components: int
    tail: float
    slow: int
    level: float


def draw_plan(stream: Stream) -> Plan:
    """Return a random plan: what holds for every workshop must not hang on one set of lengths."""
    draw = stream.child("plan").generator()
    return Plan(
        weeks=6,
        horizons=(1, int(draw.integers(2, 6))),
        train=int(draw.integers(200, 240)),
        validation=int(draw.integers(70, 90)),
        test=int(draw.integers(130, 145)),
        embargo=int(draw.integers(1, 6)),
        lags=int(draw.integers(2, 4)),
        penalties=(0.01, 0.1, 1.0, 10.0),
        members=2,
        kept=int(draw.integers(5, 8)),
        components=int(draw.choice([0, 3, 4])),
        tail=float(draw.choice([0.01, 0.02, 0.05])),
        slow=int(draw.choice([3, 4, 6])),
        level=0.8,
    )
