"""The table of trials: one row for every trial the study asks for, whatever became of it."""

from __future__ import annotations

import polars as pl

from golden_core.store.lake import Home
from golden_core.store.schema import TRIALS
from golden_core.study import Study
from golden_core.trials.identity import Trial, all_trials, trial_status
from golden_core.trials.outputs import read_provenance

_COSTS = ("parameters", "wall_seconds", "cpu_seconds", "peak_memory_mb")


def trials_table(home: Home, study: Study) -> pl.DataFrame:
    """Return status, fingerprint and cost of every trial of a study.

    The first seed of a deterministic forecaster is ``done``; its other seeds are ``shared`` and cost nothing.

    Raises
    ------
    AlteredError
        If the provenance of a finished trial is missing or damaged.
    """
    status = trial_status(home, study, all_trials(study))
    rows = [_row(home, study, row) for row in status.iter_rows(named=True)]
    return TRIALS.conform(pl.DataFrame(rows, schema=TRIALS.dtypes, orient="row"))


def _row(home: Home, study: Study, row: dict[str, object]) -> dict[str, object]:
    trial = Trial(str(row["forecaster"]), str(row["pair"]), int(str(row["horizon"])), int(str(row["seed"])))
    shared = bool(row["deterministic"]) and trial.seed > 0
    costs: dict[str, object] = dict.fromkeys(_COSTS)
    if row["status"] == "done" and not shared:
        folder = home.study(study.name).trial(trial.forecaster, trial.series, str(row["fingerprint"]))
        provenance = read_provenance(folder)
        costs = {name: provenance[name] for name in _COSTS}
    status = "shared" if shared and row["status"] == "done" else row["status"]
    return {"study": study.name, **row, "status": status, **costs}
