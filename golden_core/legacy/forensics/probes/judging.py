"""Probes of the score and of the choice of a model: metrics and digits, selection, repetition, tests, exports."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import torch
from scipy import stats

from golden_core.evaluation.point import METRICS
from golden_core.legacy.facts.files import classify, with_folders
from golden_core.legacy.facts.scripts import ImportedModule
from golden_core.legacy.flow.protocol import extents, read_facts
from golden_core.legacy.forensics.probes.result import TEST_ROWS, V08, Practice, ProbeResult, percent, rms, walk
from golden_core.legacy.frozen import frozen_checksums, frozen_inventory
from golden_core.legacy.reproduction.published import published_errors
from golden_core.models.architecture import Architecture, read_architecture
from golden_core.models.blocks import Dense
from golden_core.models.initialisers import initialise
from golden_core.models.legacy import build
from golden_core.statistics.diebold_mariano import diebold_mariano
from golden_core.statistics.multiplicity import holm
from golden_core.store.randomness import Stream


def level_r2(practice: Practice, stream: Stream) -> ProbeResult:
    """Score the last price of a random walk by R² of levels. Alternative: R² against that same forecast."""
    closes = walk(TEST_ROWS, stream.child("levels"))
    returns = np.diff(np.log(closes))
    forecasts = pl.DataFrame({"true_close": closes[1:], "pred_close": closes[:-1], "y_true": returns})
    forecasts = forecasts.with_columns(y_pred=pl.lit(0.0), benchmark_error=-pl.col("y_true"))
    name = "r2_levels" if practice == "legacy" else "r2_oos"
    value = float(forecasts.select(METRICS[name].value).item())
    return ProbeResult(value, 0.95, f"A forecast without any skill has an R² of {value:.3f}.")


def validation_used_to_choose(practice: Practice, stream: Stream) -> ProbeResult:
    """Keep the epoch with the lowest of 60 equally good validation losses, 1,000 times, and report that loss.

    Alternative: report the loss of the kept epoch on rows that chose nothing. In standard deviations of a loss.
    """
    chosen_by, others = stream.child("validation").generator().standard_normal((2, 1000, V08.training.epochs))
    kept = chosen_by.argmin(axis=1)[:, np.newaxis]
    reported = chosen_by if practice == "legacy" else others
    value = -float(np.take_along_axis(reported, kept, axis=1).mean())
    return ProbeResult(value, 0.5, f"The reported loss lies {value:.2f} standard deviations below its true value.")


def six_decimals(practice: Practice, stream: Stream) -> ProbeResult:
    """Write down the MSE of errors of the size of the best published RMSE. Alternative: all digits."""
    size = min(published_errors("rmse").values())
    errors = size * stream.child("decimals").generator().standard_normal(len(extents(V08)["test"].targets))
    mse = float(np.square(errors).mean())
    written = round(mse, V08.evaluation.decimals) if practice == "legacy" else mse
    value = abs(written / mse - 1)
    return ProbeResult(value, 0.01, f"What is written down differs from the MSE by {percent(value)} of it.")


def serving_unlike_training(practice: Practice, stream: Stream) -> ProbeResult:  # noqa: ARG001
    """Compare what the serving script feeds with what was trained on. Alternative: one file holds both."""
    trained = (V08.windows.context_length, len(V08.columns.features), True)
    served = (V08.serving.context_length, V08.serving.columns, V08.serving.scaled)
    if practice == "alternative":
        served = trained
    value = sum(one != other for one, other in zip(trained, served, strict=True))
    return ProbeResult(value, 0.0, f"Of length, width and scale of a window, {value} are not those of training.")


_SEEDS, _LEVEL = 5, 0.05  # of the alternative to a single run


def no_naive_forecast(practice: Practice, stream: Stream) -> ProbeResult:
    """Hold the published table's best RMSE against no change on prices as volatile. Alternative: it is in the table."""
    closes = walk(TEST_ROWS, stream.child("naive"))
    naive = rms(np.diff(closes))
    table = published_errors("rmse")
    if practice == "alternative":
        table["random_walk"] = naive
    winner = min(table, key=lambda name: table[name])
    value = table[winner] / naive
    sentence = f"The table's best, {winner}, has {value:.2f} times the RMSE of forecasting no change."
    return ProbeResult(value, 1.0, sentence)


def best_of_ten(practice: Practice, stream: Stream) -> ProbeResult:
    """Pick the best of ten equally good models by its test score, 2,000 times. Alternative: by a validation score.

    The value is the winner's gain over the average of the table, in standard deviations of a score.
    """
    validation, test = stream.child("best of ten").generator().standard_normal((2, 2000, V08.choice.compared))
    chosen_by = test if practice == "legacy" else validation
    winner = chosen_by.argmin(axis=1)[:, np.newaxis]
    value = float((test.mean(axis=1) - np.take_along_axis(test, winner, axis=1)[:, 0]).mean())
    return ProbeResult(
        value, 0.5, f"Without any difference in skill the winner leads by {value:.2f} standard deviations."
    )


def single_run(practice: Practice, stream: Stream) -> ProbeResult:
    """Compare nine models with a tenth that is as good, 400 times, and count tables in which one is called better.

    Legacy: one run each, the lower score is better. Alternative: five seeds, Welch's test, Holm's correction.
    """
    scores = stream.child("single run").generator().standard_normal((400, V08.choice.compared, _SEEDS))
    if practice == "legacy":
        claimed = scores[:, 1:, 0].min(axis=1) < scores[:, 0, 0]
    else:
        p = stats.ttest_ind(scores[:, 1:], scores[:, :1], axis=2, equal_var=False).pvalue
        claimed = np.apply_along_axis(holm, 1, p).min(axis=1) < _LEVEL
    value = float(claimed.mean())
    return ProbeResult(
        value, 0.1, f"In {percent(value)} of the tables a model is called better though all are equally good."
    )


def paired_test_undefined(practice: Practice, stream: Stream) -> ProbeResult:
    """Pair the errors of v01 and v08, row by row. Alternative: on the rows that both are scored on."""
    rows = [extents(read_facts(variant))["test"].targets for variant in ("v01", "v08")]
    if practice == "alternative":
        common = set(rows[0]) & set(rows[1])
        rows = [range(min(common), max(common) + 1)] * 2
    errors = [
        stream.child("paired", name).generator().standard_normal(len(r)) for name, r in zip("ab", rows, strict=True)
    ]
    alone = len(set(rows[0]) ^ set(rows[1])) / max(len(r) for r in rows)
    try:
        p_value = diebold_mariano(np.square(errors[0]), np.square(errors[1]), horizon=1).p_value
        verdict = f"the test has a p-value, {p_value:.2f}"
    except ValueError:
        verdict = "there is no paired test"
    return ProbeResult(alone, 0.0, f"{percent(alone)} of the rows have no partner: {verdict}.")


def ablation_confounded(practice: Practice, stream: Stream) -> ProbeResult:  # noqa: ARG001
    """Count the parts in which v08 differs from v06, its published ablation. Alternative: v08 without its experts."""
    full = read_architecture("v08")
    ablated = read_architecture("v06") if practice == "legacy" else full.model_copy(update={"experts": None})
    parts = [part for part in Architecture.model_fields if getattr(full, part) != getattr(ablated, part)]
    return ProbeResult(len(parts), 1.0, f"The two differ in {len(parts)}: {', '.join(parts)}.")


_DEPENDENT = "v_08/dependencies.py"


def package_missing(practice: Practice, stream: Stream) -> ProbeResult:  # noqa: ARG001
    """Look for what dependencies.py imports among the files of the tree. Alternative: the package is there."""
    script = next(script for script in frozen_inventory().scripts if script.path == _DEPENDENT)
    imported = [ImportedModule(name) for name in (*script.imports.standard, *script.imports.missing)]
    files = {checksum.path for checksum in frozen_checksums()}
    if practice == "alternative":
        files |= {f"v_08/{name.replace('.', '/')}.py" for name in script.imports.missing}
    value = len(classify(_DEPENDENT, imported, with_folders(files)).missing)
    return ProbeResult(value, 0.0, f"Of the modules that {_DEPENDENT} imports, {value} are nowhere.")


def exports_bound_to_code(practice: Practice, stream: Stream) -> ProbeResult:
    """Make a layer again whose class has lost an argument since. Alternative: fill one with the exported tensors."""
    arguments: dict[str, Any] = {"inputs": 4, "outputs": 8, "score_mode": "dot"}
    exported = Dense(4, 8)
    initialise(exported, "keras_3.8", torch.Generator().manual_seed(stream.child("export").integer()))
    tensors = {name: values.detach() for name, values in exported.state_dict().items()}
    lost = 0
    try:
        if practice == "legacy":
            Dense(**arguments)
        else:
            Dense(4, 8).load_state_dict(tensors, strict=True)
    except TypeError:
        lost = 1
    return ProbeResult(lost, 0.0, f"Of 1 export, a class without the argument score_mode cannot take {lost}.")


def checkpoint_per_epoch(practice: Practice, stream: Stream) -> ProbeResult:  # noqa: ARG001
    """Add up what a run keeps, in sizes of its weights. Alternative: the best and the last weights alone."""
    network = build("v08")
    trainable = sum(weights.numel() for weights in network.parameters())
    total = trainable + sum(values.numel() for values in network.buffers() if values.is_floating_point())
    kept = (
        V08.training.epochs * (total + 2 * trainable) if practice == "legacy" else 2 * total
    )  # AdamW holds two moments
    value = kept / total
    return ProbeResult(value, 10.0, f"A run keeps {value:.0f} times the size of its weights.")
