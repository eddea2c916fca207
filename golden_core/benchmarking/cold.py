"""A cold start, in a process of its own: import, restore from files, one forecast."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np

from golden_core.forecasters import forecaster_class
from golden_core.forecasters.base import Context, State
from golden_core.forecasters.custom import own_settings
from golden_core.inputs.windows import Target, Windows
from golden_core.study import Study, TrainingSection
from golden_core.study.values import freeze
from golden_core.trials.identity import Trial


def prepare_cold(folder: Path, study: Study, trial: Trial, state: State, windows: Windows) -> list[str]:
    """Write what a cold start of a fitted forecaster reads, and return the command that makes one and ends."""
    asked = {
        "forecaster": trial.forecaster,
        "settings": study.model_dump(mode="json")["forecasters"][trial.forecaster],
        "context": [study.context_length, study.features, trial.horizon],
        "levels": study.quantiles.levels if study.quantiles else (),  # the head of a network has an output for each
        "training": study.training.model_dump(mode="json"),
        "target": windows.target.__dict__,
    }
    (folder / "asked.json").write_text(json.dumps(asked), encoding="utf-8")
    closes = windows.past(len(windows) - 1)
    np.savez(folder / "windows.npz", X=windows.X, cutoffs=windows.cutoffs, _closes=closes, _rows=windows.positions)
    np.savez(folder / "state.npz", **state)  # type: ignore[arg-type]
    return [sys.executable, "-m", __name__, str(folder)]


def start(command: list[str], called: str = "a cold start") -> None:
    """Start a process and wait for its end.

    Raises
    ------
    RuntimeError
        If it fails, with the last line of what it said.
    """
    done = subprocess.run(command, check=False, capture_output=True, errors="replace")
    if done.returncode:
        said = done.stderr.strip().splitlines() or ["it said nothing"]
        raise RuntimeError(f"{called} ended with exit status {done.returncode}: {said[-1]}")


def first_forecast(folder: Path) -> float:
    """Restore what was prepared and return the first forecast."""
    asked = json.loads((folder / "asked.json").read_text(encoding="utf-8"))
    length, features, horizon = asked["context"]
    training, levels = TrainingSection.model_validate(asked["training"]), tuple(asked["levels"])
    context = Context(length, tuple(features), horizon, training, levels)
    settings = freeze(asked["settings"])  # JSON has lists, and settings have tuples
    forecaster = forecaster_class(asked["forecaster"], settings)(own_settings(settings), context)
    with np.load(folder / "state.npz") as state, np.load(folder / "windows.npz") as arrays:
        forecaster.restore(dict(state))
        windows = Windows(horizon=horizon, target=Target(**asked["target"]), **arrays)
    return float(forecaster.predict(windows)[0])


if __name__ == "__main__":
    first_forecast(Path(sys.argv[1]))
