"""Jobs by purpose: the stages of `golden run` and the gate, one job each, and what belongs to no study."""

import dagster as dg

from golden_core.study import Study
from golden_dagster.defs.data import raw_key

Selected = dg.AssetSelection
_EXPLAIN = (Selected.assets("explanations"), "Explain the networks that the study names.")


def definitions(study: Study) -> dg.Definitions:
    """Return the jobs; a run of a stage of `golden run` carries the name of its job, and so is listed under it."""
    alignment = Selected.assets(["legacy", "alignment"])
    jobs = {
        "stage_rates": (Selected.assets(raw_key(study)), "Read the source's table."),
        "stage_bars": (Selected.assets("clean_bars"), "Clean the bars of one or more pairs."),
        "stage_data_quality": (Selected.assets("data_quality"), "Measure what the bars of all pairs are worth."),
        "stage_folds": (Selected.assets("folds"), "Lay the folds of one or more series."),
        "stage_models": (Selected.groups("models"), "Train every forecaster on some partitions."),
        **({"stage_explanations": _EXPLAIN} if study.explanations else {}),
        "stage_metrics_and_report": (Selected.groups("metrics", "reports"), "Evaluate all trials and report."),
        "stage_input_checks": (Selected.checks_for_assets("clean_bars", "folds"), "The checks that guard training."),
        "gate": (Selected.all_asset_checks(), "Every check on what there is; nothing is made."),
        "leakage_scorecard": (
            Selected.assets(["leakage", "scorecard"]),
            "Plant leaks and count what is caught. Minutes.",
        ),
        "statistics_calibration": (
            Selected.assets(["statistics", "calibration"]),
            "Measure size and power of all tests. Minutes.",
        ),
        "benchmarks": (Selected.groups("benchmarks"), "Time forecasters and platform. Minutes to hours."),
        "interpretability_sanity": (
            Selected.assets(["interpretability", "sanity"]),
            "Every method of explanation before every gate. A minute.",
        ),
        "legacy": (Selected.groups("legacy") - alignment, "Inventory, audit and register of the legacy experiments."),
        "legacy_alignment": (alignment, "The ten variants on bars of yours beside the published numbers. Hours."),
        "milestones": (Selected.groups("milestones"), "Evidence and standing of every milestone and exit gate."),
    }
    return dg.Definitions(
        jobs=[
            dg.define_asset_job(name, selection, description=says, executor_def=dg.in_process_executor)
            for name, (selection, says) in jobs.items()
        ]
    )
