"""One trial from study to files: the only place where bars, fold, forecaster and lake meet."""

from typing import TYPE_CHECKING

from golden_core.store.lazy import lazily

if TYPE_CHECKING:
    from golden_core.trials.campaign import Outcome, run_trials
    from golden_core.trials.identity import (
        SeriesInputs,
        Trial,
        UnreadyError,
        all_series,
        all_trials,
        fingerprint,
        series_inputs,
        trial_status,
    )
    from golden_core.trials.outputs import AlteredError, altered_trials, read_outputs, read_quantiles
    from golden_core.trials.reproduction import Reproduction, reproduce_last
    from golden_core.trials.run import TrialError, run_trial
    from golden_core.trials.tables import trials_table

__all__ = [
    "AlteredError",
    "Outcome",
    "Reproduction",
    "SeriesInputs",
    "Trial",
    "TrialError",
    "UnreadyError",
    "all_series",
    "all_trials",
    "altered_trials",
    "fingerprint",
    "read_outputs",
    "read_quantiles",
    "reproduce_last",
    "run_trial",
    "run_trials",
    "series_inputs",
    "trial_status",
    "trials_table",
]

__getattr__ = lazily(__name__, __all__, ("identity", "outputs", "tables", "run", "campaign", "reproduction"))
