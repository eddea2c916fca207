"""Probes, by name: functions that show a risk on data, and that its remedy removes it. The register names each."""

from golden_core.legacy.forensics.probes import data, fitting, judging
from golden_core.legacy.forensics.probes.result import STREAM, Practice, Probe, ProbeResult

PROBES: dict[str, Probe] = {
    probe.__name__: probe
    for probe in (
        *(data.rows_chosen_by_outcome, data.repeated_rows, data.rows_out_of_order, data.one_test_window),
        *(data.scored_on_other_rows, data.level_scaler_drifts, data.scaler_sees_test_rows, data.window_sees_target),
        *(data.windows_straddle_parts, data.windows_cross_closures),
        *(fitting.number_format_by_machine, fitting.starting_weights_unseeded, fitting.initialisers_drift),
        *(fitting.failed_training_scored, fitting.zero_is_unset, fitting.running_training_loss),
        *(fitting.plateau_ends_learning, fitting.patience_disagrees),
        *(judging.validation_used_to_choose, judging.level_r2, judging.six_decimals, judging.serving_unlike_training),
        *(judging.no_naive_forecast, judging.best_of_ten, judging.single_run, judging.paired_test_undefined),
        *(judging.ablation_confounded, judging.package_missing, judging.exports_bound_to_code),
        judging.checkpoint_per_epoch,
    )
}

__all__ = ["PROBES", "STREAM", "Practice", "Probe", "ProbeResult"]
