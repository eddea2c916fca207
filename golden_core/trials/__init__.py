"""One trial from study to files: the only place where bars, fold, forecaster and lake meet."""

from typing import TYPE_CHECKING

from golden_core.store.lazy import lazily

if TYPE_CHECKING:
    from golden_core.trials.campaign import Outcome as Outcome
    from golden_core.trials.campaign import run_trials as run_trials
    from golden_core.trials.identity import SeriesInputs as SeriesInputs
    from golden_core.trials.identity import Trial as Trial
    from golden_core.trials.identity import all_series as all_series
    from golden_core.trials.identity import all_trials as all_trials
    from golden_core.trials.identity import series_inputs as series_inputs
    from golden_core.trials.identity import trial_status as trial_status
    from golden_core.trials.outputs import AlteredError as AlteredError
    from golden_core.trials.outputs import altered_trials as altered_trials
    from golden_core.trials.outputs import read_outputs as read_outputs
    from golden_core.trials.outputs import read_quantiles as read_quantiles
    from golden_core.trials.outputs import trials_table as trials_table
    from golden_core.trials.reproduction import reproduce_last as reproduce_last

_NAMES = (
    "AlteredError Outcome SeriesInputs Trial all_series all_trials altered_trials read_outputs read_quantiles "
    "reproduce_last run_trials series_inputs trial_status trials_table"
)
__getattr__ = lazily(__name__, _NAMES.split(), ("identity", "outputs", "campaign", "reproduction"))
