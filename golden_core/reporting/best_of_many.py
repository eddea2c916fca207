"""Whether the best of all forecasters beats the random walk, or is only the luckiest. It decides no claim.

Losses are those of more_accurate: of single seeds, averaged over seeds, in units of the random walk's mean loss. As
there, the direction of the mean forecast has to earn something too.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from golden_core.evaluation.inputs import BENCHMARK
from golden_core.reporting.exhibits import Answer, ask
from golden_core.statistics.long_run import CONSTANT, ROUNDING, coefficients
from golden_core.statistics.resampling import confidence_set, cosines, in_directions_too, stepwise, superior
from golden_core.statistics.rules import refused
from golden_core.store.randomness import Stream
from golden_core.store.warehouse import Warehouse
from golden_core.study import Study

SET_LEVEL = 0.9  # of the confidence set: that at which calibration.py measures it

_LOSS = {"squared": "(y_pred - y_true) ** 2", "absolute": "abs(y_pred - y_true)"}
# Pooled over pairs: at the cutoffs that every pair has.
LOSSES = f"""
WITH own AS (
    SELECT pair, horizon, forecaster, cutoff, avg({{loss}} ORDER BY seed) AS loss, avg(y_pred ORDER BY seed) AS said,
           any_value(y_true) AS came
    FROM forecasts WHERE study = $1 GROUP BY pair, horizon, forecaster, cutoff
), walk AS (SELECT pair, horizon, cutoff, said AS walk, loss, came FROM own WHERE forecaster = '{BENCHMARK}'
), unit AS (
    SELECT pair, horizon, avg(loss ORDER BY cutoff) AS mean_loss,
           nullif(sqrt(avg((came - walk) ** 2 ORDER BY cutoff)), 0) AS size
    FROM walk GROUP BY pair, horizon
), relative AS (
    SELECT pair, horizon, pair || '_h' || horizon AS series, forecaster, cutoff, own.loss / mean_loss AS loss,
           (own.came - walk) / size * coalesce(last_value(
               CASE WHEN abs(said - walk) > {ROUNDING} * greatest(abs(said), abs(walk)) THEN sign(said - walk) END
               IGNORE NULLS
           ) OVER (PARTITION BY pair, horizon, forecaster ORDER BY cutoff), 0) AS turned
    FROM own JOIN walk USING (pair, horizon, cutoff) JOIN unit USING (pair, horizon)
), pooled AS (
    SELECT 'all' AS pair, horizon, 'all pairs_h' || horizon AS series, forecaster, cutoff,
           avg(loss ORDER BY pair) AS loss, avg(turned ORDER BY pair) AS turned
    FROM relative GROUP BY horizon, forecaster, cutoff
    HAVING count(*) = (SELECT count(DISTINCT pair) FROM relative) AND count(*) > 1
)
SELECT pair, horizon, series, forecaster, cutoff, loss, turned
FROM (SELECT * FROM relative UNION ALL SELECT * FROM pooled)
ORDER BY pair = 'all', pair, horizon, forecaster, cutoff
"""

# What the ledger counted, in families as large as this study; one where nothing was counted, without claims and costs.
FAMILIES = """
SELECT coalesce(ceil(max(tried) / (SELECT count(DISTINCT (forecaster, horizon)) FROM forecasts WHERE study = $1)), 1)
FROM (SELECT tried FROM claims WHERE study = $1 UNION ALL SELECT tried FROM economics WHERE study = $1)
"""

_ROWS = {
    "series": pl.String, "n": pl.Int64, "forecasters": pl.Int64, "best": pl.String, "gain": pl.Float64,
    "p_value": pl.Float64, "p_tried": pl.Float64, "better": pl.String, "kept": pl.String,
    "kept_count": pl.Int64, "walk_p": pl.Float64, "reason": pl.String,
}  # fmt: skip


def best_of_many(warehouse: Warehouse, study: Study) -> Answer:
    """Return, of every series and pooled over pairs, what tests of all forecasters at once say.

    ``p_value`` is Hansen's test of superior predictive ability against the random walk, ``better`` who beats it after
    Romano and Wolf's steps, ``kept`` the model confidence set. A forecaster without all of the random walk's cutoffs
    is left out. Who shows one study of many has chosen it: ``p_tried``, and p-values behind ``better``, are multiplied
    by the families, as large as this study, that hold all ways the ledger counted on these rates (Bonferroni).
    """
    families = float(warehouse.query(FAMILIES, (study.name,)).item())
    losses = ask(warehouse, LOSSES.format(loss=_LOSS[study.protocol.loss if study.protocol else "squared"]), study.name)
    rows = []
    for (series,), part in losses.frame.group_by("series", maintain_order=True):
        loss, turned = (
            part.pivot("forecaster", index="cutoff", values=values).sort("cutoff") for values in ("loss", "turned")
        )
        whole = [name for name in loss.columns[1:] if name != BENCHMARK and not loss[name].null_count()]
        if BENCHMARK in loss.columns and whole:
            tables = loss.select(BENCHMARK, *whole), turned.select(whole)
            rows.append((series, *_of_one(*tables, part["horizon"][0], study, str(series), families)))
    return Answer(pl.DataFrame(rows, schema=_ROWS, orient="row").fill_nan(None), losses.sql)


def _of_one(
    losses: pl.DataFrame, turned: pl.DataFrame, horizon: int, study: Study, series: str, families: float
) -> tuple[Any, ...]:
    """Return what is said of losses (T, 1 + K), those of the random walk first, and of what directions earn (T, K)."""
    values, names = losses.to_numpy(), np.array(losses.columns)
    n, gains = len(values), 1 - values[:, 1:].mean(axis=0) / values[:, 0].mean()
    best = int(np.argmax(gains))
    known = not np.isnan(gains[best])  # nobody gains on a random walk that makes no error
    said = (n, len(names) - 1, str(names[1 + best]) if known else None, float(gains[best]))
    if reason := refused("superior", n, horizon) or refused("confidence_set", n, horizon):
        return (*said, *[None] * 6, reason)
    generator = Stream(study.seeds.root).child("report", "best of many", series).generator()
    # Resamples mix that many cosines, and a long series has more of them than a study may have asked for resamples.
    reps = max(study.evaluation.bootstrap_resamples, coefficients(n, horizon))
    resamples = cosines(n, horizon=horizon, reps=reps, generator=generator)
    asked = (values[:, 0], values[:, 1:], turned.to_numpy(), resamples)
    p_value = float(in_directions_too(superior, *asked))
    if np.isnan(p_value):
        return (*said, *[None] * 6, CONSTANT)
    steps = in_directions_too(stepwise, *asked)
    kept = confidence_set(values, resamples)
    within = kept >= 1 - SET_LEVEL
    return (
        *said,
        p_value,
        min(1.0, families * p_value),
        ", ".join(names[1:][families * steps <= study.evaluation.significance]),
        ", ".join(names[within]),
        int(within.sum()),
        float(kept[0]),
        None,
    )
