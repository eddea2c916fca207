"""One asset per forecaster of a study, partitioned by seed × series."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from golden_core.forecasters import forecaster_facts
from golden_core.forecasters.facts import Facts
from golden_core.inputs.features import build_features
from golden_core.inputs.windows import cut_windows
from golden_core.splits.scaling import fit_scalers
from golden_core.store.lake import read_table
from golden_core.store.schema import FORECASTS, HISTORY
from golden_core.study import Study
from golden_core.trials import Outcome, run_trials
from golden_core.trials.campaign import fingerprinted
from golden_core.trials.identity import shared_hash
from golden_core.trials.outputs import read_provenance
from golden_dagster.lib.assets import PartitionLog, partitioned
from golden_dagster.lib.automation import keep_current
from golden_dagster.lib.checks import require_inputs
from golden_dagster.lib.metadata import findings_value, flat, learning_curve_picture, spec_metadata
from golden_dagster.partitions import known_keys, series_to_trials, trial_key, trial_of, trial_partitions
from golden_dagster.resources import StudyResource, Watcher, WorkersResource


def definitions(study: Study) -> dg.Definitions:
    """Return the assets ``models/<forecaster>`` of a study."""
    return dg.Definitions(assets=[model_asset(study, name) for name in sorted(study.forecasters)])


def model_asset(study: Study, forecaster: str) -> dg.AssetsDefinition:
    """Return the asset ``models/<forecaster>``: one trial per partition, run side by side inside one step.

    The step logs one materialisation per finished trial itself, so that a run that is killed or fails half-way keeps
    what it finished, and a partition that was already done costs no training.
    """
    facts = forecaster_facts(forecaster, study.forecasters[forecaster])

    @partitioned(
        trial_partitions(study),
        f"models/{forecaster}",
        _description(facts),
        (facts.module, build_features, cut_windows, fit_scalers),
        kinds=("torch",) if facts.trained else ("python",),
        pool="train",
        deps=[dg.AssetDep("folds", partition_mapping=series_to_trials())],
        automation_condition=keep_current(),
        metadata=spec_metadata(FORECASTS),
        settings=shared_hash(study, forecaster),
        tags={"forecaster": forecaster, "deterministic": str(facts.deterministic).lower()},
    )
    def model(
        context: dg.AssetExecutionContext,
        study: StudyResource,
        workers: WorkersResource,
        watcher: dg.ResourceParam[Watcher],
    ) -> Iterator[dg.MaterializeResult[None]]:
        from golden_core.evaluation.campaign import trial_summary

        loaded = study.load()
        known = [str(key) for key in trial_partitions(loaded).get_partition_keys()]
        trials = [trial_of(forecaster, k) for k in known_keys(context, loaded, known)]
        jobs = fingerprinted(study.home, loaded, trials)  # names what is not there yet; faults are of what is
        require_inputs(study.home, loaded, f"no trial of study {loaded.name!r} is trained")
        failures, log = [], PartitionLog(context)
        ran = run_trials(study.home, loaded, jobs, backend=workers.backend, workers=workers.count, note=watcher.on_note)
        for outcome in ran:
            watcher.on_outcome(outcome)
            if outcome.error:
                failures.append(outcome.error)
            else:
                summary = trial_summary(study.home, loaded, outcome.trial, outcome.fingerprint)
                log.add(trial_key(outcome.trial), outcome.fingerprint, _facts(outcome, summary))
        if failures:
            others = "; the rest is done" if len(failures) < len(trials) else ""
            raise dg.Failure(
                f"{len(failures)} of {len(trials)} trials failed{others}. First: {failures[0]}",
                metadata={"failures": findings_value(failures, title="failure")},
                allow_retries=False,  # the same inputs give the same failure
            )
        yield log.done()

    return model


def _facts(outcome: Outcome, summary: dict[str, Any]) -> dict[str, Any]:
    trial, folder = outcome.trial, summary.pop("folder")
    return flat(
        {
            "fingerprint": outcome.fingerprint,
            "status": outcome.status,
            "seconds": round(read_provenance(folder)["wall_seconds"], 3),  # of its training, whichever run did that
            "pair": trial.pair,
            "horizon": trial.horizon,
            "seed": trial.seed,
            "dagster/row_count": summary.pop("rows"),
            "folder": dg.MetadataValue.path(str(folder)),
            "learning_curve": learning_curve_picture(read_table(folder / f"{HISTORY.name}.parquet")),
            **summary,
        }
    )


def _description(facts: Facts) -> str:
    seeds = (
        "Deterministic: trained once per series, all seeds share it." if facts.deterministic else "One trial per seed."
    )
    return f"{facts.says}\n\n{seeds} Forecasts, learning curve, weights and provenance of every trial are in the lake."
