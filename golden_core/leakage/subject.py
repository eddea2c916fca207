"""A study as the probes meet it: its raw bars, an honest run of them, the times and folds that a probe draws."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
import polars as pl

from golden_core.leakage.artefacts import BARS, COMPLETE, FOLDS, KEY, STAMP, Run
from golden_core.leakage.batch_probe import lake_files
from golden_core.leakage.poisons import FAULTS, TWIN
from golden_core.leakage.study_pipeline import Scope, raw_bars, study_pipeline
from golden_core.leakage.study_tables import Series
from golden_core.store.lake import Home
from golden_core.store.randomness import Stream
from golden_core.study import Study
from golden_core.trials import all_series


@dataclass(frozen=True, eq=False)
class Subject:
    """A study with its raw bars and the folds that they give."""

    study: Study
    home: Home
    raw: pl.DataFrame
    honest: Run

    @classmethod
    def of(cls, study: Study, home: Home, series: tuple[Series, ...] | None = None) -> Subject:
        """Read the source and lay the folds, of all series or of some."""
        raw = raw_bars(study, home)
        return cls(study, home, raw, study_pipeline(study, Scope(series=series)).run(raw))

    @property
    def stream(self) -> Stream:
        """The study's own stream for the probes."""
        return Stream(self.study.seeds.root).child("leakage")

    @property
    def lake(self) -> tuple[Path, ...]:
        """The campaign's own files, which nothing under a probe has to read."""
        return lake_files(self.home, self.study.name)

    @property
    def clean_bars(self) -> pl.DataFrame:
        """The clean bars of all pairs, as ``schema.BARS``."""
        return self.honest.artefacts[BARS].rename({KEY: "pair", STAMP: "available_at"})

    @property
    def triangulated(self) -> bool:
        """Whether pairs are computed from the source's rates of currencies."""
        return self.study.data.source == "ecb"

    @property
    def faults(self) -> tuple[str, ...]:
        """Kinds of bad bars that the source's table can hold: reference rates are one to a day."""
        return tuple(kind for kind in FAULTS if kind != TWIN or not self.triangulated)

    @property
    def turns(self) -> range:
        """Turns of :func:`~golden_core.leakage.poisons.faulty` after which some pair has had each kind of bad bar."""
        return range(0, len(self.faults), 1 if self.triangulated else self.raw["pair"].n_unique())

    def folds(self, series: Series) -> list[int]:
        """Return the folds of one series."""
        prefix = f"{series[0]}_h{series[1]}/"
        keys = self.honest.artefacts[FOLDS].filter(pl.col(KEY).str.starts_with(prefix))[KEY].unique()
        return sorted(int(key.removeprefix(prefix)) for key in keys)

    def times(self, count: int) -> list[dt.datetime]:
        """Draw times between the end of every series' first fold and the last bar, so that no poison undoes them all.

        Where the first folds end with the bars, the times lie within those folds' test parts.
        """
        folds = self.honest.artefacts[FOLDS].with_columns(series=pl.col(KEY).str.split("/").list.first())
        stamps = self.honest.artefacts[BARS][STAMP].unique().sort()
        last = stamps.max()
        over = folds.group_by("series").agg(pl.col(COMPLETE).min())[COMPLETE].max()
        begun = folds.filter(part="test").group_by("series").agg(pl.col(STAMP).min())[STAMP].max()
        eligible = stamps.filter((stamps >= over) & (stamps < last))
        if eligible.is_empty():
            eligible = stamps.filter((stamps >= begun) & (stamps < last))
        drawn = self.stream.child("times").generator().choice(len(eligible), min(count, len(eligible)), replace=False)
        return cast("list[dt.datetime]", eligible.gather(np.sort(drawn)).to_list())


def drawn_fold(subject: Subject, purpose: str, series: Series | None = None) -> tuple[Series, int]:
    """Draw one series, unless it is given, and one of its folds."""
    known = [one for one in all_series(subject.study) if subject.folds(one)]
    draw = subject.stream.child("fold", purpose, *(series or ())).generator()
    chosen = series or known[int(draw.integers(len(known)))]
    folds = subject.folds(chosen)
    return chosen, folds[int(draw.integers(len(folds)))]
