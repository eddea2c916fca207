"""Evaluate a whole study: from the files of its trials to the tables of the warehouse."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars as pl

from golden_core.claims.decisions import claims_table
from golden_core.economics.strategies import Strategy, strategies
from golden_core.economics.tables import economics_table, equity_table
from golden_core.evaluation.aggregate import summary_table
from golden_core.evaluation.comparisons import comparisons_table
from golden_core.evaluation.distributions import coverage_table, scores_table
from golden_core.evaluation.incomplete import explained, lacking, stood_in
from golden_core.evaluation.point import METRICS, metrics_table
from golden_core.preparation.catalogue import command_of
from golden_core.store.lake import Home, hash_bytes, hash_frame, read_table, series_name, stored_json, write_json
from golden_core.store.provenance import describe_environment
from golden_core.store.randomness import Stream
from golden_core.store.schema import (
    CLAIMS,
    ECONOMICS,
    EQUITY,
    EXPLANATIONS,
    FORECASTS,
    HISTORY,
    IMPORTANCES,
    WAREHOUSE_TABLES,
)
from golden_core.store.warehouse import DamagedWarehouseError, Warehouse
from golden_core.study import Study
from golden_core.study.sections import canonical_json
from golden_core.trials import Trial, all_series, read_outputs, read_quantiles, trials_table
from golden_core.trials.ledger import last_line, look_again, standing
from golden_core.trials.stored import IncompleteError, evaluated, evaluation_code, evaluation_record, tables_fault


@dataclass(frozen=True, eq=False)
class Evaluated:
    """What was loaded into the warehouse."""

    identity: str
    expected: int
    present: int
    failed: int
    rows: dict[str, int]
    skill: pl.DataFrame


def evaluate(home: Home, study: Study) -> Evaluated:
    """Compute every table of a study from the lake and load them in one transaction.

    Trials that failed or are missing are rows of the table ``trials``; they do not stop the evaluation.

    Raises
    ------
    IncompleteError
        If no trial of the study has been done.
    AlteredError
        If a finished trial's files are not those that it wrote.
    """
    trials = trials_table(home, study)
    done = trials.filter(pl.col("status") == "done")
    if done.is_empty():
        raise IncompleteError(f"no trial of study {study.name!r} has been done; run `{command_of(home, study.name)}`")
    folds = _partitions(home, study, "folds")
    forecasts, history = read_outputs(home, study, done)
    quantiles = read_quantiles(home, study, done)
    metrics = metrics_table(forecasts, study.evaluation.strata)
    stream = Stream(study.seeds.root).child("evaluation")
    summary = summary_table(forecasts, metrics, trials, study.evaluation, stream)
    tables = {
        "trials": trials,
        "folds": folds,
        "scalers": _partitions(home, study, "scalers"),
        "cleaning": _by_pair(home, study, "cleaning"),
        "calendar": _by_pair(home, study, "calendar"),
        "forecasts": forecasts,
        "history": history,
        "metrics": metrics,
        "summary": summary,
        "comparisons": comparisons_table(forecasts, trials=trials),
        "quantiles": quantiles,
        "coverage": coverage_table(forecasts, quantiles, study.evaluation.confidence),
        "scores": scores_table(forecasts, quantiles),
        **money_and_claims(home, study, trials, forecasts, quantiles),
        **_explained(home, study),
    }
    digests = _load(Warehouse(home.warehouse), study, tables)
    identity = _identity(home, study, trials)
    present = trials.filter(pl.col("status").is_in(["done", "shared"])).height
    counts = {"present": present, "expected": trials.height}
    stands = {"identity": identity, "study_hash": study.hash(), "tables": digests, "ledger": last_line(home)}
    stands["code"] = evaluation_code()
    write_json({**stands, **counts}, evaluation_record(home, study))
    skill = summary.filter((pl.col("metric") == "r2_oos") & (pl.col("scope") == "series"))
    return Evaluated(
        identity=identity,
        expected=trials.height,
        present=present,
        failed=trials.filter(pl.col("status") == "failed").height,
        rows={table.name: tables[table.name].height for table in WAREHOUSE_TABLES if table.name in tables},
        skill=skill.select("forecaster", "pair", "horizon", "seeds", "mean", "sd", "t_low", "t_high"),
    )


def _load(warehouse: Warehouse, study: Study, tables: dict[str, pl.DataFrame]) -> dict[str, str]:
    """Load the tables of a study and return their digests; a damaged warehouse is set aside for a new one."""
    try:
        warehouse.load(study.name, tables)
        return warehouse.digests(study.name)
    except DamagedWarehouseError:
        warehouse.set_aside()
        warehouse.load(study.name, tables)
        return warehouse.digests(study.name)


def trial_summary(home: Home, study: Study, trial: Trial, fingerprint: str) -> dict[str, Any]:
    """Return what a finished trial comes to: forecasts, RMSE of log returns, R² against no change, validation loss.

    The random walk forecasts no change, so these are the numbers of the report, over all folds of the trial.
    """
    folder = home.study(study.name).trial(trial.forecaster, trial.series, fingerprint)
    forecasts = read_table(folder / f"{FORECASTS.name}.parquet").select("y_true", "y_pred")
    compared = forecasts.with_columns(benchmark_error=-pl.col("y_true"))
    losses = read_table(folder / f"{HISTORY.name}.parquet")
    lowest = losses.group_by("fold").agg(pl.col("validation_loss").min())["validation_loss"].mean()
    return {
        "rows": forecasts.height,
        "folder": folder,
        **compared.select(**{name: METRICS[name].value for name in ("rmse", "r2_oos")}).row(0, named=True),
        "validation_loss": lowest,
    }


def evaluation_is_current(home: Home, study: Study) -> bool:
    """Return whether the warehouse holds what the lake and the study imply now.

    How much was ``tried`` is not part of that: what other studies try later is in the ledger, and what stands here is
    as of when it was made.
    """
    identity = evaluated(home, study).get("identity")
    return identity == _identity(home, study, trials_table(home, study)) and tables_fault(home, study) is None


def report_provenance(home: Home, study: Study) -> dict[str, Any]:
    """Return what the report says about where its numbers come from.

    The environment is that of the moment of asking; what each trial ran on is in its own provenance.json.
    """
    folder = home.study(study.name)
    return {
        "study": study.name,
        "study_hash": study.hash(),
        "data": stored_json(folder.source),
        "command": command_of(home, study.name),
        **describe_environment(),
    }


def money_and_claims(
    home: Home, study: Study, trials: pl.DataFrame, forecasts: pl.DataFrame, quantiles: pl.DataFrame
) -> dict[str, pl.DataFrame]:
    """Return what the forecasts earn and what may be claimed; tables without rows of what the study does not ask.

    ``trials`` (``schema.TRIALS``) are all that the study asks for: what is claimed of a series needs all of its own.
    """
    tables = {"economics": ECONOMICS.empty(), "equity": EQUITY.empty(), "claims": CLAIMS.empty()}
    if study.economics is None and study.protocol is None:
        return tables
    done = trials.filter(pl.col("status") == "done")
    look_again(home, study, done.select("forecaster", "pair", "horizon").iter_rows())
    record = standing(home, study, done.select("forecaster", "pair").iter_rows())
    traded: list[Strategy] = []
    if study.economics is not None:
        bars = _by_pair(home, study, "bars")
        traded = list(strategies(forecasts, bars, study.economics))
        stream = Stream(study.seeds.root).child("economics")
        tables["economics"] = economics_table(study, traded, record.tried, stream)
        tables["equity"] = equity_table(study.name, traded)
    if study.protocol is not None:
        level, few = study.evaluation.confidence, lacking(trials)
        if few.height:
            forecasts = stood_in(forecasts, few)
            traded = list(strategies(forecasts, bars, study.economics)) if study.economics else []
        claims = claims_table(study.name, forecasts, study.protocol, level, record, quantiles=quantiles, traded=traded)
        tables["claims"] = explained(claims, few)
    return tables


def _explained(home: Home, study: Study) -> dict[str, pl.DataFrame]:
    """Return the tables of explanations, empty until some have been made."""
    paths = {table: home.study(study.name).explained(f"{table.name}.parquet") for table in (IMPORTANCES, EXPLANATIONS)}
    wanted = study.explanations is not None and all(path.exists() for path in paths.values())
    return {table.name: read_table(path) if wanted else table.empty() for table, path in paths.items()}


def _partitions(home: Home, study: Study, kind: str) -> pl.DataFrame:
    folder = home.study(study.name)
    paths = [folder.table(kind, series_name(pair, horizon)) for pair, horizon in all_series(study)]
    return pl.concat([read_table(path) for path in paths if path.exists()])


def _by_pair(home: Home, study: Study, kind: str) -> pl.DataFrame:
    folder = home.study(study.name)
    frames = [read_table(folder.table(kind, pair)) for pair in study.data.pairs]
    return pl.concat(frames)


def _identity(home: Home, study: Study, trials: pl.DataFrame) -> str:
    rows = trials.select("forecaster", "pair", "horizon", "seed", "status", "fingerprint", "error").rows()
    explained = [hash_frame(table) for table in _explained(home, study).values()] if study.explanations else []
    return hash_bytes(canonical_json([study.hash(), evaluation_code(), rows, *explained]).encode())
