"""Probes of the score: metrics, their digits, and what later forecasts are made of."""

from __future__ import annotations

import numpy as np
import polars as pl

from golden_core.evaluation import METRICS
from golden_core.legacy.flow.parts import extents
from golden_core.legacy.flow.protocol import read_facts
from golden_core.legacy.forensics.probes.result import STREAM, Practice, ProbeResult, percent, walk
from golden_core.legacy.forensics.published import published_errors
from golden_core.store.randomness import Stream


def level_r2(practice: Practice = "legacy", stream: Stream = STREAM) -> ProbeResult:
    """Score the last price of a random walk by R² of levels. Alternative: R² against that same forecast."""
    closes = walk(len(extents(read_facts("v08"))["test"].rows), stream.child("levels"))
    returns = np.diff(np.log(closes))
    forecasts = pl.DataFrame({"true_close": closes[1:], "pred_close": closes[:-1], "y_true": returns})
    forecasts = forecasts.with_columns(y_pred=pl.lit(0.0), benchmark_error=-pl.col("y_true"))
    name = "r2_levels" if practice == "legacy" else "r2_oos"
    value = float(forecasts.select(METRICS[name].value).item())
    return ProbeResult(value, 0.95, f"A forecast without any skill has an R² of {value:.3f}.")


def validation_used_to_choose(practice: Practice = "legacy", stream: Stream = STREAM) -> ProbeResult:
    """Keep the epoch with the lowest of 60 equally good validation losses, 1,000 times, and report that loss.

    Alternative: report the loss of the kept epoch on rows that chose nothing. In standard deviations of a loss.
    """
    epochs = read_facts("v08").training.epochs
    chosen_by, others = stream.child("validation").generator().standard_normal((2, 1000, epochs))
    kept = chosen_by.argmin(axis=1)[:, np.newaxis]
    reported = chosen_by if practice == "legacy" else others
    value = -float(np.take_along_axis(reported, kept, axis=1).mean())
    return ProbeResult(value, 0.5, f"The reported loss lies {value:.2f} standard deviations below its true value.")


def six_decimals(practice: Practice = "legacy", stream: Stream = STREAM) -> ProbeResult:
    """Write down the MSE of errors of the size of the best published RMSE. Alternative: all digits."""
    facts = read_facts("v08")
    size = min(published_errors("rmse").values())
    errors = size * stream.child("decimals").generator().standard_normal(len(extents(facts)["test"].targets))
    mse = float(np.square(errors).mean())
    written = round(mse, facts.evaluation.decimals) if practice == "legacy" else mse
    value = abs(written / mse - 1)
    return ProbeResult(value, 0.01, f"What is written down differs from the MSE by {percent(value)} of it.")


def serving_unlike_training(practice: Practice = "legacy", stream: Stream = STREAM) -> ProbeResult:  # noqa: ARG001
    """Compare what the serving script feeds with what was trained on. Alternative: one file holds both."""
    facts = read_facts("v08")
    trained = (facts.windows.context_length, len(facts.columns.features), True)
    served = (facts.serving.context_length, facts.serving.columns, facts.serving.scaled)
    if practice == "alternative":
        served = trained
    value = sum(one != other for one, other in zip(trained, served, strict=True))
    return ProbeResult(value, 0.0, f"Of length, width and scale of a window, {value} are not those of training.")
