"""Retrain a finished trial in a fresh process and compare its files byte by byte."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from golden_core.store.lake import Home
from golden_core.study import Study
from golden_core.trials.identity import Trial, fingerprint, series_inputs
from golden_core.trials.outputs import output_hashes
from golden_core.trials.run import run_trial


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


def reproduce(home: Home, study: Study, trial: Trial, *, timeout: float | None = None) -> Reproduction:
    """Run a finished trial again in a new Python process and compare what it writes.

    Raises
    ------
    FileNotFoundError
        If the trial has not been done.
    """
    inputs = series_inputs(home, study, trial.pair, trial.horizon)
    print_ = fingerprint(study, trial, inputs.hash)
    folder = home.study(study.name).trial(trial.forecaster, trial.series, print_)
    if not folder.is_dir():
        raise FileNotFoundError(f"{trial} has not been run: {folder} does not exist")
    with tempfile.TemporaryDirectory(prefix="golden-reproduce-") as scratch:
        again = Path(scratch) / "trial"
        request = {
            "home": [str(home.root), str(home.reports)],
            "study": study.model_dump(mode="json"),
            "trial": [trial.forecaster, trial.pair, trial.horizon, trial.seed],
            "into": str(again),
        }
        result = subprocess.run(
            [sys.executable, "-m", "golden_core.trials.reproduction"],
            input=json.dumps(request),
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        if result.returncode:
            lines = result.stderr.strip().splitlines()
            return Reproduction(trial, (), lines[-1] if lines else f"exit status {result.returncode}")
        before, after = output_hashes(folder), output_hashes(again)
        differing = tuple(name for name in before if before[name] != after[name])
    return Reproduction(trial, differing, None)


def main() -> None:
    """Serve one request from standard input: the fresh process of :func:`reproduce`."""
    request = json.loads(sys.stdin.read())
    study = Study.model_validate_json(json.dumps(request["study"]))
    home = Home(*(Path(path) for path in request["home"]))
    run_trial(home, study, Trial(*request["trial"]), into=Path(request["into"]))


if __name__ == "__main__":
    main()
