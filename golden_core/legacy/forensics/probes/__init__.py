"""Probes, by name: functions that show a risk on data, and that its remedy removes it. The register names each."""

from golden_core.legacy.forensics.probes import artefacts, choosing, fitting, inputs, rows, scoring
from golden_core.legacy.forensics.probes.result import STREAM, Practice, Probe, ProbeResult

PROBES: dict[str, Probe] = {
    "rows_chosen_by_outcome": rows.rows_chosen_by_outcome,
    "repeated_rows": rows.repeated_rows,
    "rows_out_of_order": rows.rows_out_of_order,
    "one_test_window": rows.one_test_window,
    "scored_on_other_rows": rows.scored_on_other_rows,
    "level_scaler_drifts": inputs.level_scaler_drifts,
    "scaler_sees_test_rows": inputs.scaler_sees_test_rows,
    "window_sees_target": inputs.window_sees_target,
    "windows_straddle_parts": inputs.windows_straddle_parts,
    "windows_cross_closures": inputs.windows_cross_closures,
    "number_format_by_machine": fitting.number_format_by_machine,
    "starting_weights_unseeded": fitting.starting_weights_unseeded,
    "initialisers_drift": fitting.initialisers_drift,
    "failed_training_scored": fitting.failed_training_scored,
    "zero_is_unset": fitting.zero_is_unset,
    "running_training_loss": fitting.running_training_loss,
    "plateau_ends_learning": fitting.plateau_ends_learning,
    "patience_disagrees": fitting.patience_disagrees,
    "validation_used_to_choose": scoring.validation_used_to_choose,
    "level_r2": scoring.level_r2,
    "six_decimals": scoring.six_decimals,
    "serving_unlike_training": scoring.serving_unlike_training,
    "no_naive_forecast": choosing.no_naive_forecast,
    "best_of_ten": choosing.best_of_ten,
    "single_run": choosing.single_run,
    "paired_test_undefined": choosing.paired_test_undefined,
    "ablation_confounded": choosing.ablation_confounded,
    "package_missing": artefacts.package_missing,
    "exports_bound_to_code": artefacts.exports_bound_to_code,
    "checkpoint_per_epoch": artefacts.checkpoint_per_epoch,
}

__all__ = ["PROBES", "STREAM", "Practice", "Probe", "ProbeResult"]
