"""Clocks and folds without bars: what tests of splits lay their rows on."""

from typing import NamedTuple

import numpy as np
import polars as pl

import golden_core.splits.walk_forward as module
from golden_core.splits.closures import Crossings
from golden_core.splits.folds import Fold, Layout, Part, RowClock
from golden_core.splits.segments import size
from golden_core.study import WalkForwardSection


def daily(n_bars):
    """One bar a day, without a closure."""
    return np.datetime64("2020-01-01", "us") + np.arange(n_bars) * np.timedelta64(1, "D")


def even_clock(n_bars, horizon):
    """A clock on which nothing crosses a closure."""
    never = np.zeros(n_bars, dtype=bool)
    return RowClock(daily(n_bars), horizon, Crossings(never, never))


def part(*runs):
    """A part of which nothing was dropped."""
    return Part(runs, laid=size(runs), purged=0, embargoed=0, dropped=0, crossed=None)


def fold(index, train, validation, test):
    """A fold of three ranges."""
    return Fold(index, part(train), part(validation), part(test))


def walk_forward_section(**changes):
    settings = {"scheme": "walk_forward", "window": "rolling", "train": 60, "validation": 20, "test": 10, "step": 10}
    return WalkForwardSection(**{**settings, "embargo": 2, "closures": "flag", **changes})


class Ranges(NamedTuple):
    """A fold of which every part is one range, as it is where no row is dropped at a closure."""

    index: int
    train: range
    validation: range
    test: range

    @property
    def parts(self):
        return {"train": self.train, "validation": self.validation, "test": self.test}


def walk_forward(usable, splits, horizon):
    """Walk-forward folds as ranges, on a clock without closures."""
    found = module.walk_forward(usable, splits, even_clock(usable.stop + horizon, horizon))
    folds = [Ranges(fold.index, *(run for part in fold.parts.values() for run in part.rows)) for fold in found.folds]
    return Layout(tuple(folds), found.unused_rows)


def folds_of_years(first, last):
    """What the ledger reads of folds: a year of training, and a test part that spans some years."""
    days = [(f"{year}-01-01", f"{until}-12-31") for year, until in ((first - 1, first - 1), (first, last))]
    told = pl.DataFrame(days, ["first_timestamp", "last_timestamp"], orient="row")
    return told.select(pl.all().str.to_datetime(time_zone="UTC"), pl.Series("part", ["train", "test"]))
