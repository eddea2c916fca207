"""Where the columns of a published table come from, and where the table lies, as the web UI links them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import dagster as dg

from golden_core.study import Study

_TRIAL = ("study", "forecaster", "pair", "horizon", "seed")
_COMPARISONS, _METRICS = dg.AssetKey("comparisons"), dg.AssetKey("metrics")
_TESTED = (  # columns of comparisons that are made of errors
    "n", "mean_difference", "statistic", "df", "p_value", "p_holm", "hln_statistic", "hln_p_value",
)  # fmt: skip
_ERRORS = ("y_true", "y_pred")  # of which every comparison is made

Origin = dict[str, Sequence[tuple[dg.AssetKey, str]]]


def located(table: str, path: Path, origin: Origin) -> dict[str, Any]:
    """Return the metadata of a table: its name, the file that holds it, and the columns behind each column."""
    deps = {name: [dg.TableColumnDep(key, column) for key, column in found] for name, found in origin.items()}
    return {
        "dagster/table_name": table,
        "dagster/uri": path.as_uri(),
        "dagster/column_lineage": dg.TableColumnLineage(deps),
    }


def metrics_origin(study: Study) -> Origin:
    """Return what the table ``metrics`` is computed from: columns of the forecasts of every model."""
    strata, value = ("cutoff", "volatility"), (*_ERRORS, "last_close", "scale")
    made = {"stratum_kind": strata, "stratum": strata, "value": value, "n": _ERRORS}
    return {name: _forecasts(study, *made.get(name, (name,))) for name in (*_TRIAL, *made)}


def comparisons_origin(study: Study) -> Origin:
    """Return what the table ``comparisons`` is computed from; it averages over seeds where its level says so."""
    made = dict.fromkeys(_TESTED, _ERRORS)
    return {name: _forecasts(study, *made.get(name, (name,))) for name in (*_TRIAL, *made)}


def leaderboard_origin(columns: Sequence[str]) -> Origin:
    """Return what the columns of the leaderboard come from: tests from comparisons, the rest from metrics."""
    tests: Origin = {
        name: [(_COMPARISONS, "p_holm"), (_COMPARISONS, "mean_difference")] for name in ("tested", "better", "worse")
    }
    same: Origin = {
        "forecaster": [(_METRICS, "forecaster")],
        "seeds": [(_METRICS, "seed")],
        "series": [(_METRICS, "pair"), (_METRICS, "horizon")],
        "forecasts": [(_METRICS, "n")],
    }
    known = tests | same
    return {name: known.get(name, [(_METRICS, "value")]) for name in columns if name != "deterministic"}


def _forecasts(study: Study, *columns: str) -> list[tuple[dg.AssetKey, str]]:
    return [(dg.AssetKey(["models", name]), column) for name in sorted(study.forecasters) for column in columns]
