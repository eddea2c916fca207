"""Walk-forward folds: which rows they lay, always in the order of time. What is dropped from them is for folds.py."""

from __future__ import annotations

from golden_core.splits.folds import Fold, Layout, RowClock, settle
from golden_core.study import WalkForwardSection


def walk_forward(usable: range, splits: WalkForwardSection, clock: RowClock) -> Layout:
    """Lay folds over the usable rows, from the first row on, so that later bars change no existing fold.

    Fold 0 takes ``train``, ``validation`` and ``test`` rows one after another. Fold k lies k · ``step`` rows later; an
    expanding training part keeps its first row. Training and validation then lose their last ``horizon`` rows to the
    purge and ``embargo`` rows to the gap; rows that cross a closure go where the study says so. Only a full test part
    makes a fold.

    Lengths are in rows, before anything is dropped.

    Raises
    ------
    ValueError
        If nothing is left of a part, or the usable rows do not hold one fold.

    Examples
    --------
    On 50 days without a closure:

    >>> import numpy as np
    >>> from golden_core.splits.closures import Crossings
    >>> from golden_core.study import WalkForwardSection
    >>> days, never = np.arange(50).astype("datetime64[D]").astype("datetime64[us]"), np.zeros(50, dtype=bool)
    >>> splits = WalkForwardSection(
    ...     scheme="walk_forward", window="rolling", train=10, validation=5, test=4, step=4, embargo=1, closures="flag"
    ... )
    >>> for fold in walk_forward(range(20, 44), splits, RowClock(days, 2, Crossings(never, never))).folds:
    ...     print(fold.index, *(run for part in fold.parts.values() for run in part.rows))
    0 range(20, 27) range(30, 32) range(35, 39)
    1 range(24, 31) range(34, 36) range(39, 43)
    """
    horizon = clock.horizon
    dropped = horizon + splits.embargo
    for part, length in (("train", splits.train), ("validation", splits.validation)):
        if length <= dropped:
            raise ValueError(
                f"nothing is left of the {part} part: splits.{part} is {length} rows, of which the purge drops "
                f"{horizon} (the horizon) and the embargo {splits.embargo}; make splits.{part} at least {dropped + 1}, "
                f"or shorten the horizon or splits.embargo"
            )
    needed = splits.train + splits.validation + splits.test
    if len(usable) < needed:
        raise ValueError(
            f"one fold needs {needed} usable rows (train {splits.train} + validation {splits.validation} + test "
            f"{splits.test}), horizon {horizon} has {len(usable)}: shorten the parts in splits, or give more bars"
        )
    count = (len(usable) - needed) // splits.step + 1
    folds = tuple(_fold(index, usable.start, splits, clock) for index in range(count))
    last = usable.start + (count - 1) * splits.step + needed
    return Layout(folds, unused_rows=usable.stop - last)


def _fold(index: int, first: int, splits: WalkForwardSection, clock: RowClock) -> Fold:
    shifted = first + index * splits.step
    train = shifted if splits.window == "rolling" else first
    validation = shifted + splits.train
    test = validation + splits.validation
    return settle(
        index,
        train=(range(train, validation),),
        validation=(range(validation, test),),
        test=(range(test, test + splits.test),),
        clock=clock,
        embargo=splits.embargo,
        closures=splits.closures,
    )
