"""Walk-forward folds: ranges of rows and nothing else. Prices, times and tables do not belong here."""

from __future__ import annotations

from dataclasses import dataclass

from golden_core.splits.purging import purge
from golden_core.study import SplitsSection


@dataclass(frozen=True)
class Fold:
    """One train/validation/test split. Rows are positions in the pair's bars; every row is a cutoff."""

    index: int
    train: range
    validation: range
    test: range

    @property
    def parts(self) -> dict[str, range]:
        """The parts by name, in the order of time."""
        return {"train": self.train, "validation": self.validation, "test": self.test}


@dataclass(frozen=True)
class WalkForward:
    """The folds of a series, and the usable rows at the end that no full test part could take up."""

    folds: tuple[Fold, ...]
    unused_rows: int


def usable_rows(n_bars: int, *, warm_up: int, context_length: int, horizon: int) -> range:
    """Return the rows that can be a cutoff: a full window of features behind, a label ahead.

    Parameters
    ----------
    n_bars : int
        Bars of the pair.
    warm_up : int
        Leading bars on which some feature is undefined.
    context_length, horizon : int
        Bars looked back on, and bars looked ahead.
    """
    return range(warm_up + context_length - 1, n_bars - horizon)


def walk_forward(usable: range, splits: SplitsSection, horizon: int) -> WalkForward:
    """Lay folds over the usable rows, from the first row on, so that later bars change no existing fold.

    Fold 0 takes ``train``, ``validation`` and ``test`` rows one after another. Fold k lies k · ``step`` rows later; an
    expanding training part keeps its first row. Training and validation then lose their last ``horizon`` rows to the
    purge and ``embargo`` rows to the gap. Only a full test part makes a fold.

    Parameters
    ----------
    usable : range
        Rows with a full window and a label, as :func:`usable_rows` returns them.
    splits : SplitsSection
        Lengths of the parts, in rows, before the purge.
    horizon : int
        Length of a label, in bars.

    Raises
    ------
    ValueError
        If the purge and the embargo leave nothing of a part, or the usable rows do not hold one fold.

    Examples
    --------
    >>> from golden_core.study import SplitsSection
    >>> splits = SplitsSection(
    ...     scheme="walk_forward", window="rolling", train=10, validation=5, test=4, step=4, embargo=1
    ... )
    >>> for fold in walk_forward(range(20, 44), splits, horizon=2).folds:
    ...     print(fold.index, *fold.parts.values())
    0 range(20, 27) range(30, 32) range(35, 39)
    1 range(24, 31) range(34, 36) range(39, 43)
    """
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
    folds = tuple(_fold(index, usable.start, splits, horizon) for index in range(count))
    return WalkForward(folds, unused_rows=usable.stop - folds[-1].test.stop)


def _fold(index: int, first: int, splits: SplitsSection, horizon: int) -> Fold:
    shifted = first + index * splits.step
    train = shifted if splits.window == "rolling" else first
    validation = shifted + splits.train
    test = validation + splits.validation
    return Fold(
        index,
        train=purge(range(train, validation), validation, horizon=horizon, embargo=splits.embargo),
        validation=purge(range(validation, test), test, horizon=horizon, embargo=splits.embargo),
        test=range(test, test + splits.test),
    )
