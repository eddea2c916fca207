"""Probes of the choice of a model: benchmarks, selection, repetition, tests, ablations."""

from __future__ import annotations

import numpy as np
from scipy import stats

from golden_core.legacy.flow.parts import extents
from golden_core.legacy.flow.protocol import read_facts
from golden_core.legacy.forensics.probes.result import STREAM, Practice, ProbeResult, percent, rms, walk
from golden_core.legacy.forensics.published import published_errors
from golden_core.models.architecture import Architecture, read_architecture
from golden_core.statistics.diebold_mariano import diebold_mariano
from golden_core.statistics.multiplicity import holm
from golden_core.store.randomness import Stream

_SEEDS, _LEVEL = 5, 0.05  # of the alternative to a single run


def no_naive_forecast(practice: Practice = "legacy", stream: Stream = STREAM) -> ProbeResult:
    """Hold the published table's best RMSE against no change on prices as volatile. Alternative: it is in the table."""
    closes = walk(len(extents(read_facts("v08"))["test"].rows), stream.child("naive"))
    naive = rms(np.diff(closes))
    table = published_errors("rmse")
    if practice == "alternative":
        table["random_walk"] = naive
    winner = min(table, key=lambda name: table[name])
    value = table[winner] / naive
    sentence = f"The table's best, {winner}, has {value:.2f} times the RMSE of forecasting no change."
    return ProbeResult(value, 1.0, sentence)


def best_of_ten(practice: Practice = "legacy", stream: Stream = STREAM) -> ProbeResult:
    """Pick the best of ten equally good models by its test score, 2,000 times. Alternative: by a validation score.

    The value is the winner's gain over the average of the table, in standard deviations of a score.
    """
    models = read_facts("v08").choice.compared
    validation, test = stream.child("best of ten").generator().standard_normal((2, 2000, models))
    chosen_by = test if practice == "legacy" else validation
    winner = chosen_by.argmin(axis=1)[:, np.newaxis]
    value = float((test.mean(axis=1) - np.take_along_axis(test, winner, axis=1)[:, 0]).mean())
    return ProbeResult(
        value, 0.5, f"Without any difference in skill the winner leads by {value:.2f} standard deviations."
    )


def single_run(practice: Practice = "legacy", stream: Stream = STREAM) -> ProbeResult:
    """Compare nine models with a tenth that is as good, 400 times, and count tables in which one is called better.

    Legacy: one run each, the lower score is better. Alternative: five seeds, Welch's test, Holm's correction.
    """
    models = read_facts("v08").choice.compared
    scores = stream.child("single run").generator().standard_normal((400, models, _SEEDS))
    if practice == "legacy":
        claimed = scores[:, 1:, 0].min(axis=1) < scores[:, 0, 0]
    else:
        p = stats.ttest_ind(scores[:, 1:], scores[:, :1], axis=2, equal_var=False).pvalue
        claimed = np.apply_along_axis(holm, 1, p).min(axis=1) < _LEVEL
    value = float(claimed.mean())
    return ProbeResult(
        value, 0.1, f"In {percent(value)} of the tables a model is called better though all are equally good."
    )


def paired_test_undefined(practice: Practice = "legacy", stream: Stream = STREAM) -> ProbeResult:
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


def ablation_confounded(practice: Practice = "legacy", stream: Stream = STREAM) -> ProbeResult:  # noqa: ARG001
    """Count the parts in which v08 differs from v06, its published ablation. Alternative: v08 without its experts."""
    full = read_architecture("v08")
    ablated = read_architecture("v06") if practice == "legacy" else full.model_copy(update={"experts": None})
    parts = [part for part in Architecture.model_fields if getattr(full, part) != getattr(ablated, part)]
    return ProbeResult(len(parts), 1.0, f"The two differ in {len(parts)}: {', '.join(parts)}.")
