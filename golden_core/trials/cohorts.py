"""Trials whose networks train together: which ones, how many at once, and what becomes of each.

A trial stays what it is anywhere else: its forecaster asks the trainer, who has the answer, and it writes its files.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from golden_core.forecasters import forecaster_class, forecaster_facts
from golden_core.forecasters.neural import NeuralForecaster
from golden_core.store.lake import Home
from golden_core.study import Study
from golden_core.training import device
from golden_core.training.cohort import Progress, train_cohort
from golden_core.training.footprint import bytes_of_member
from golden_core.training.functional import CohortError
from golden_core.training.substitute import Request, request_of
from golden_core.trials.identity import Trial, device_kind, fingerprint, series_inputs
from golden_core.trials.outputs import recorded
from golden_core.trials.rows import FoldData, cut_folds, fold_stream, new_forecaster
from golden_core.trials.run import Company, TrialError, run_trial, settle_torch

# Told what happens, and whether it is to be kept in sight; the state of a cohort is soon overtaken.
Note = Callable[[str, bool], None]


class Cohorts:
    """Cohorts of one study in one home; every series' folds are cut once."""

    def __init__(self, home: Home, study: Study, note: Note) -> None:
        self.home, self.study, self.note = home, study, note
        self._folds: dict[str, list[FoldData]] = {}
        self._hashes: dict[str, str] = {}  # of what each series gave

    def train(self, trials: Sequence[Trial]) -> Iterator[tuple[Trial, Company | str | None]]:
        """Train trials, of one forecaster and one horizon in as few cohorts as memory allows, and yield each.

        With each comes the company that has trained it; nothing if it is to be run alone, or why there can be no run.
        """
        groups: dict[tuple[str, int], list[Trial]] = {}
        for trial in trials:
            groups.setdefault((trial.forecaster, trial.horizon), []).append(trial)
        for group in groups.values():
            try:
                waiting = self._parts(group)
            except Exception as error:  # noqa: BLE001  of somebody's own class: torch finds out at the first pass
                yield from self._each_alone(group, error)
                continue
            while waiting:
                yield from self._train_part(waiting.pop(0), waiting)

    def company(self, trials: Sequence[Trial]) -> Iterator[tuple[Trial, Company]]:
        """Train trials in one cohort, and yield each as soon as all its networks are fitted."""
        device_ = device.prepare(device_kind(self.study, trials[0].forecaster))
        every = [(trial, request) for trial in trials for request in self._requests(trial)]
        # A fit that asks for another budget than the first gets no answer, and trains by itself when its trial runs.
        asked = [(trial, request) for trial, request in every if request.like(every[0][1])]
        left = Counter(trial for trial, _ in asked)
        spent, answers = [0.0, 0.0], {trial: dict[tuple[str, ...], Any]() for trial in trials}

        def watch(progress: Progress) -> None:
            spent[0] += progress.seconds / len(trials)
            spent[1] += progress.cpu_seconds / len(trials)
            self.note(
                f"{trials[0].forecaster}, horizon {trials[0].horizon}: epoch {progress.epoch}, {progress.members} of "
                f"{len(asked)} networks training, {progress.speed:,.0f} windows/s",
                False,
            )

        beside = tuple(trials), {one.series: self._hashes[one.series] for one in trials}
        # What cannot be fitted says why itself, when it is run.
        yield from ((trial, Company(*beside, {}, *spent)) for trial in trials if not left[trial])
        if not asked:
            return
        members, request = [one.member for _, one in asked], asked[0][1]
        trained = train_cohort(members, request.training, device_, objective=request.objective, watch=watch)
        for place, outcome in trained:
            trial = asked[place][0]
            answers[trial][members[place].stream.path] = members[place].module, outcome
            left[trial] -= 1
            if not left[trial]:
                yield trial, Company(*beside, answers.pop(trial), *spent)

    def _train_part(
        self, part: list[Trial], waiting: list[list[Trial]]
    ) -> Iterator[tuple[Trial, Company | str | None]]:
        """Train one cohort; where memory runs out, put what is left of it in front of those that wait, in halves."""
        left = list(part)
        try:
            for trial, company in self.company(part):
                left.remove(trial)
                yield trial, company
        except Exception as error:  # noqa: BLE001  as above
            if not device.ran_out(error):
                yield from self._each_alone(left, error)
                return
        if not left:
            return
        device.release()  # the cohort itself went with the error
        if len(left) == 1:
            yield left[0], f"{left[0]}: memory ran out while its networks trained alone; lower training.batch_size"
            return
        half = -(-len(left) // 2)
        waiting[:0] = [left[:half], left[half:]]
        self.note(
            f"memory ran out with {len(part)} trials of {part[0].forecaster} in one cohort: "
            f"going on with {half} and {len(left) - half}",
            True,
        )

    def _each_alone(self, trials: list[Trial], error: Exception) -> Iterator[tuple[Trial, None]]:
        """Leave trials to the single trainer, whose failures are of one trial each, and say why."""
        why = f"networks of {trials[0].forecaster} cannot train in a cohort: {type(error).__name__}: {error}"
        self.note(f"{error if isinstance(error, CohortError) else why}; its trials train alone", True)
        yield from ((trial, None) for trial in trials)

    def _parts(self, group: list[Trial]) -> list[list[Trial]]:
        """Cut a group into the fewest cohorts of like size that memory is likely to hold."""
        request = next((request for trial in group for request in self._requests(trial)), None)
        if request is None:
            return [group]
        each = bytes_of_member(request.member, request.training.batch_size)
        folds = max(len(self._folds_of(trial)) for trial in group)
        kind = device_kind(self.study, group[0].forecaster)
        device.prepare(kind)
        most = max(1, device.budget(kind) // (each * folds))
        count = -(-len(group) // most)
        if count > 1:
            self.note(
                f"{len(group)} trials of {group[0].forecaster} need about {len(group) * folds * each / 1e9:.1f} GB, "
                f"and {device.budget(kind) / 1e9:.1f} may be taken: {count} cohorts",
                True,
            )
        return [group[len(group) * n // count : len(group) * (n + 1) // count] for n in range(count)]

    def _requests(self, trial: Trial) -> Iterator[Request]:
        """Yield what fits ask of the trainer; nothing of one that fails before, and will again when the trial runs."""
        for fold in self._folds_of(trial):
            with contextlib.suppress(Exception):
                forecaster = new_forecaster(self.study, trial)
                stream = fold_stream(self.study, trial, fold.index)
                settle_torch(self.study)
                if request := request_of(partial(forecaster.fit, fold.train, fold.validation, stream)):
                    yield request

    def _folds_of(self, trial: Trial) -> list[FoldData]:
        if trial.series not in self._folds:
            inputs = series_inputs(self.home, self.study, trial.pair, trial.horizon)
            self._folds[trial.series] = list(cut_folds(self.study, trial.horizon, inputs))
            self._hashes[trial.series] = inputs.hash
        return self._folds[trial.series]


def join_cohorts(study: Study, trials: Iterable[Trial], *, asked: bool) -> set[Trial]:
    """Return the trials whose networks train in cohorts: if that is asked for, or their device knows no other way."""
    return {
        trial
        for trial in trials
        if forecaster_facts(trial.forecaster, study.forecasters[trial.forecaster]).trained
        and (asked or device_kind(study, trial.forecaster) != "cpu")
        and issubclass(forecaster_class(trial.forecaster, study.forecasters[trial.forecaster]), NeuralForecaster)
    }


def run_again(home: Home, study: Study, trial: Trial, into: Path) -> None:
    """Run a trial into a new folder, in the company that it had when it was first run, if it had any.

    Raises
    ------
    TrialError
        If the trial fails.
    """
    inputs = series_inputs(home, study, trial.pair, trial.horizon)
    print_ = fingerprint(study, trial, inputs.hash)
    folder = home.study(study.name).trial(trial.forecaster, trial.series, print_)
    stored = recorded(folder).get("company")
    if not stored:
        run_trial(home, study, trial, into=into)
        return
    company = [Trial(trial.forecaster, pair, trial.horizon, seed) for pair, seed, *_ in stored]
    for found, cohort in Cohorts(home, study, lambda _text, _lasting: None).company(company):
        if found == trial:
            run_trial(home, study, trial, into=into, company=cohort)
            return
    raise TrialError(f"{trial}: its company, {len(company)} trials, does not hold it")
