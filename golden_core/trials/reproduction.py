"""Train trials again in fresh processes and compare their files byte by byte, with the lake or with each other."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from golden_core.forecasters import forecaster_facts
from golden_core.forecasters.facts import FACTS
from golden_core.preparation import prepare_all
from golden_core.store.lake import Home, differing_files, read_json
from golden_core.store.provenance import machine, same_processor
from golden_core.store.randomness import Stream
from golden_core.study import CUSTOM, Study
from golden_core.trials import Trial, all_series, all_trials, series_inputs
from golden_core.trials.identity import distinct_trials, fingerprint, is_deterministic, series_hashes
from golden_core.trials.outputs import (
    ALSO,
    OUTPUTS,
    PROVENANCE,
    altered_files,
    finished_trials,
    read_provenance,
    recorded,
)

FOUND = "found.json"
UNRESTORED = "unrestored.txt"  # says how, in the folder of a trial whose checkpoint does not give its forecasts
NOT_ALONE = "not_alone.txt"  # says what of a class of somebody's own needs more than it is given
ELSEWHERE = {"PYTHONHASHSEED": "4242", "TZ": "Asia/Kathmandu", "OMP_NUM_THREADS": "2"}
SIDE_BY_SIDE = 2  # processes of the first training, which the second does in one


@dataclass(frozen=True)
class Reproduction:
    """Whether a trial gave the same bytes again; ``differing`` names the files that did not."""

    trial: Trial
    differing: tuple[str, ...]
    error: str | None

    @property
    def identical(self) -> bool:
        """Whether every file is the same, byte for byte."""
        return not self.differing and self.error is None

    @property
    def said(self) -> str:
        """What was found, in words."""
        return self.error or f"not the same bytes again: {', '.join(self.differing)}"


@dataclass(frozen=True)
class Retraining:
    """What one fresh process did: why it failed, or what it found (see retraining.py)."""

    error: str | None
    found: Mapping[str, Any]


@dataclass(frozen=True)
class Sample:
    """Some trials of a study trained again, compared with the lake (``stored``) or with a training before.

    ``records`` has for every trial its provenance, and the hash of inputs and the fingerprint that it should name.
    ``elsewhere`` says of finished trials that another kind of machine trained, and that were left out, which one.
    """

    trials: tuple[Reproduction, ...]
    stored: bool
    processes: tuple[Retraining, ...]
    records: tuple[tuple[Mapping[str, Any], str, str], ...]
    elsewhere: tuple[str, ...] = ()

    @property
    def identical(self) -> bool:
        """Whether there are trials, and all of them gave the same bytes."""
        return bool(self.trials) and all(one.identical for one in self.trials)


def reproduce_last(home: Home, study: Study, count: int) -> tuple[list[Reproduction], dict[str, str]]:
    """Train finished trials again, each in a process of its own, and compare what they write with the lake.

    They are the last one that each forecaster wrote, and ``count`` drawn ones. A forecaster that keeps in its module
    what it saw in an earlier trial has seen most by its last: alone in a process that trial gives other bytes.

    Bytes are promised on one kind of machine, unless kernels are portable: what another one wrote is left out, and of
    a forecaster without any trial from here the second value says where they come from.
    """
    done, elsewhere = _finished_here(home, study)
    strangers = {trial.forecaster: where for trial, where in elsewhere.items()}
    for trial in done:
        strangers.pop(trial.forecaster, None)
    if not done:
        return [], strangers
    last = sorted(done, key=lambda trial: (done[trial] / PROVENANCE).stat().st_mtime_ns)
    of_each = {trial.forecaster: trial for trial in last}.values()
    trials = list(dict.fromkeys([*of_each, *draw_trials(study, list(done), count)]))
    with tempfile.TemporaryDirectory(prefix="golden-reproduce-") as scratch:
        error = retrain(home, study, trials, Path(scratch), run="again", apart=True).error
        folders = {trial: Path(scratch, str(number)) for number, trial in enumerate(trials)}
        found = [
            _compared(trial, done[trial], folder) if folder.is_dir() or not error else Reproduction(trial, (), error)
            for trial, folder in folders.items()
        ]
    return found, strangers


def _finished_here(home: Home, study: Study) -> tuple[dict[Trial, Path], dict[Trial, str]]:
    """Return folders of trials whose bytes are promised here, and of all others on what they were trained."""
    everywhere = finished_trials(home, study, all_trials(study))
    here = {} if study.training.kernels == "portable" else machine()
    now = series_hashes(home, study, all_series(study))
    found = {trial: _made_elsewhere(trial, folder, here, now) for trial, folder in everywhere.items()}
    elsewhere = {trial: where for trial, where in found.items() if where}
    return {trial: folder for trial, folder in everywhere.items() if trial not in elsewhere}, elsewhere


def _made_elsewhere(
    trial: Trial, folder: Path, here: Mapping[str, Any], now: Mapping[tuple[str, int], str | None]
) -> str | None:
    """Return on what a trial was trained if not on such a machine, or beside networks of other data than now."""
    record = recorded(folder)
    company = record.get("company") or ()  # without hashes where an earlier release wrote it
    other = {pair for pair, _, *then in company if then and now.get((pair, trial.horizon), then[0]) != then[0]}
    if other:
        return f"other data of {', '.join(sorted(other))} in its company"
    if not here:  # its bytes are promised on any
        return None
    cards = [card["name"] for card in here["gpu"] or ()]
    card = (record.get("device") or {}).get("card")
    if card is not None:  # what the processor beside it is does not matter
        return None if card in cards else str(card)
    processor = record.get("machine", here).get("cpu")
    return None if same_processor(processor, here["cpu"]) else str(processor)


def reproduce_sample(home: Home, study: Study, count: int) -> Sample:
    """Train some trials again and compare; nothing is written into the home.

    Where a machine of this kind has finished trials, they are drawn from and compared with; where none has, bars and
    folds are made in a temporary home and every trial is trained twice: in processes side by side, and in one, in
    reverse order and another environment.
    """
    with tempfile.TemporaryDirectory(prefix="golden-reproduce-") as scratch:
        root = Path(scratch)
        first, elsewhere = _finished_here(home, study)
        trials = draw_trials(study, list(first) or distinct_trials(study), count)
        before: list[Retraining] = []
        if not first:
            home = Home(root / "home", root / "reports")
            prepare_all(home, study, [(trial.pair, trial.horizon) for trial in trials])
            first = {trial: root / str(number) / "0" for number, trial in enumerate(trials)}
            with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
                jobs = [
                    pool.submit(retrain, home, study, [trial], first[trial].parent, run=f"first {trial}")
                    for trial in trials
                ]
            before = [job.result() for job in jobs]
        backwards = trials[::-1]
        last = retrain(home, study, backwards, root / "last", run="last", environment=ELSEWHERE)
        again = {trial: root / "last" / str(number) for number, trial in enumerate(backwards)}
        errors = [one.error or last.error for one in before] or [last.error] * len(trials)
        found = [
            Reproduction(trial, *((), error) if error else _held(first[trial], again[trial], stored=not before))
            for trial, error in zip(trials, errors, strict=True)
        ]
        records = () if last.error else tuple(_record(home, study, trial, again[trial]) for trial in trials)
    return Sample(tuple(found), not before, (*before, last), records, tuple(elsewhere.values()))


def draw_trials(study: Study, trials: Sequence[Trial], count: int) -> list[Trial]:
    """Draw some trials from a named stream; those that depend on a seed first: they have more ways to differ."""
    order = Stream(study.seeds.root).child("reproduction").generator().permutation(len(trials))
    drawn = [trials[position] for position in order]
    return sorted(drawn, key=lambda trial: is_deterministic(study, trial))[:count]


def retrain(
    home: Home,
    study: Study,
    trials: Sequence[Trial],
    into: Path,
    *,
    run: str,
    apart: bool = False,
    environment: Mapping[str, str] | None = None,
) -> Retraining:
    """Train trials in a new Python process, one after another, into numbered folders; ``run`` names its stream.

    ``apart`` gives each trial a fork of that process, so that none can know of another.
    """
    request = {
        "home": [str(home.root), str(home.reports)],
        "study": study.model_dump(mode="json"),
        "trials": [[trial.forecaster, trial.pair, trial.horizon, trial.seed] for trial in trials],
        "own": own_classes(study),
        "into": str(into),
        "run": run,
        "apart": apart,
    }
    result = subprocess.run(
        [sys.executable, "-m", "golden_core.trials.retraining"],
        input=json.dumps(request),
        capture_output=True,
        errors="replace",
        env={**os.environ, **(environment or {})},
        check=False,
    )
    if result.returncode:
        lines = result.stderr.strip().splitlines()
        return Retraining(lines[-1] if lines else f"exit status {result.returncode}", {})
    return Retraining(None, read_json(into / FOUND))


def own_classes(study: Study) -> dict[str, dict[str, Any]]:
    """Return of every class that is not this package's where it is imported from, and which files it declares."""
    found = {}
    for name, settings in study.forecasters.items():
        if name not in FACTS:
            facts = forecaster_facts(name, settings)
            module = str(settings.get(CUSTOM) or facts.module).partition(":")[0]
            folder = Path(str(sys.modules[module].__file__)).parents[module.count(".")]
            found[name] = {"folder": str(folder), "files": [str(path) for path in facts.files]}
    return found


def _compared(trial: Trial, one: Path, again: Path) -> Reproduction:
    differing, notes = _differing(one, again), (again / UNRESTORED, again / NOT_ALONE)
    said = [note.read_text(encoding="utf-8") for note in notes if note.exists() and not differing]
    return Reproduction(trial, differing, "; ".join(said) or None)


def _differing(one: Path, other: Path) -> tuple[str, ...]:
    return tuple(differing_files(one, other, (*OUTPUTS, ALSO)))


def _held(one: Path, again: Path, *, stored: bool) -> tuple[tuple[str, ...], str | None]:
    return _differing(one, again), (stored and "; ".join(altered_files(one))) or None


def _record(home: Home, study: Study, trial: Trial, folder: Path) -> tuple[Mapping[str, Any], str, str]:
    inputs = series_inputs(home, study, trial.pair, trial.horizon).hash
    return read_provenance(folder), inputs, fingerprint(study, trial, inputs)
