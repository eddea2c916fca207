"""Claims about the warehouse, recomputed from its tables; each function returns what speaks against the claim."""

from __future__ import annotations

from typing import Any

import polars as pl

from golden_core.evaluation.sql import metric_differences
from golden_core.store.lake import Home
from golden_core.store.schema import FORECASTS, HISTORY, QUANTILES
from golden_core.store.table import Table
from golden_core.store.warehouse import Warehouse
from golden_core.study import Study
from golden_core.trials import Trial, all_trials, read_outputs, read_quantiles, trial_status, trials_table

TOLERANCE = 1e-12  # relative; both computations are float64 with two-pass sums
# Ensembles are averaged in another order, and squares of nearly equal errors are subtracted: of a forecast that is
# hardly another than the benchmark's, six digits may be left.
TEST_TOLERANCE = 1e-6
_SHOWN = 20


def count_forecasts(warehouse: Warehouse, study: str) -> int:
    """Return the number of forecasts of a study."""
    return int(warehouse.query("SELECT count(*) AS n FROM forecasts WHERE study = ?", [study])["n"][0])


def nonfinite_values(warehouse: Warehouse, study: str) -> list[str]:
    """Return trials with a loss or a forecast that is not a finite number."""
    bad = warehouse.query(
        """
        SELECT forecaster, pair, horizon, seed, 'loss' AS what, count(*) AS n FROM history
        WHERE study = $1 AND NOT (isfinite(train_loss) AND isfinite(validation_loss)) GROUP BY ALL
        UNION ALL
        SELECT forecaster, pair, horizon, seed, 'forecast', count(*) FROM forecasts
        WHERE study = $1 AND NOT (isfinite(y_pred) AND isfinite(pred_close)) GROUP BY ALL
        ORDER BY ALL
        """,
        [study],
    )
    return [
        f"{Trial(*row[:4])}: {row[5]} {row[4]}{'es' if row[4] == 'loss' else 's'} are not finite"
        for row in bad.iter_rows()
    ]


def absent_trials(warehouse: Warehouse, home: Home, study: Study) -> list[str]:
    """Return trials that the study asks for and the warehouse lacks, those that failed, and outdated ones."""
    wanted = trial_status(home, study, all_trials(study)).select(
        "forecaster", "pair", "horizon", "seed", current="fingerprint"
    )
    held = warehouse.query(
        "SELECT forecaster, pair, horizon, seed, status AS held, fingerprint, error FROM trials WHERE study = ?",
        [study.name],
    )
    joined = wanted.join(held, on=["forecaster", "pair", "horizon", "seed"], how="left", maintain_order="left")
    found = []
    for row in joined.iter_rows(named=True):
        trial = Trial(row["forecaster"], row["pair"], row["horizon"], row["seed"])
        if row["held"] is None:
            found.append(f"{trial}: is not in the warehouse")
        elif row["held"] == "failed":
            found.append(f"{trial}: failed: {row['error']}")
        elif row["held"] == "missing":
            found.append(f"{trial}: has not been run")
        elif row["fingerprint"] != row["current"]:
            found.append(f"{trial}: is out of date, something it depends on has changed")
    return found


def cutoffs_without_benchmark(warehouse: Warehouse, study: str) -> list[str]:
    """Return the series on which a forecaster has cutoffs that the random walk lacks."""
    bad = warehouse.query(
        """
        SELECT f.forecaster, f.pair, f.horizon, count(*) AS n
        FROM forecasts f ANTI JOIN (SELECT * FROM forecasts WHERE forecaster = 'random_walk') b
        USING (study, pair, horizon, cutoff)
        WHERE f.study = ? GROUP BY ALL ORDER BY ALL
        """,
        [study],
    )
    return [
        f"{n} forecasts of {name} on {pair}_h{horizon} have no random walk beside them"
        for name, pair, horizon, n in bad.iter_rows()
    ]


def metrics_unlike_sql(warehouse: Warehouse, study: Study) -> tuple[list[str], int]:
    """Return metrics that differ from their SQL recomputation beyond the tolerance, and how many were compared."""
    differences = metric_differences(warehouse, study.name, study.evaluation.strata)
    bad = differences.filter(~(pl.col("difference") <= TOLERANCE))
    found = [
        f"{row['metric']} of {row['forecaster']} on {row['pair']}_h{row['horizon']}, seed {row['seed']}, "
        f"{row['stratum_kind']} {row['stratum']}: relative difference {row['difference']}"
        for row in bad.head(_SHOWN).iter_rows(named=True)
    ]
    return _shortened(found, bad.height, "metrics"), differences.height


def comparisons_unlike_statsmodels(warehouse: Warehouse, study: str) -> tuple[list[str], int]:
    """Return tests that statsmodels does not confirm, and how many were compared."""
    from golden_core.evaluation.regression import comparison_differences  # noqa: PLC0415  imports statsmodels

    differences = comparison_differences(warehouse, study)
    numbers = differences.select(pl.exclude("level", "forecaster", "pair", "horizon", "seed")).columns
    bad = differences.filter(~pl.all_horizontal(pl.col(numbers) <= TEST_TOLERANCE))
    found = [
        f"{row['forecaster']} on {row['pair']}_h{row['horizon']}, {row['level']}"
        f"{'' if row['level'] == 'ensemble' else ' ' + str(row['seed'])}: "
        + ", ".join(f"{name} differs by {row[name]:.2g}" for name in numbers if not row[name] <= TEST_TOLERANCE)
        for row in bad.head(_SHOWN).iter_rows(named=True)
    ]
    return _shortened(found, bad.height, "tests"), differences.height


def trials_unlike_lake(warehouse: Warehouse, home: Home, study: Study) -> tuple[list[str], int]:
    """Return trials of which the warehouse does not hold what the lake does, and how many were held against it.

    Raises
    ------
    golden_core.trials.AlteredError
        If the lake itself does not hold what a trial wrote.
    """
    done = trials_table(home, study).filter(pl.col("status") == "done")
    found = []
    outputs = (*read_outputs(home, study, done), read_quantiles(home, study, done))
    for table, written in zip((FORECASTS, HISTORY, QUANTILES), outputs, strict=True):
        held = warehouse.query(f"SELECT * FROM {table.name} WHERE study = ?", [study.name])
        held = table.conform(held).sort(table.key)
        found += _unlike(table, written, held)
    return _shortened(found[:_SHOWN], len(found), "trials"), done.height


def _unlike(table: Table, written: pl.DataFrame, held: pl.DataFrame) -> list[str]:
    key = ["forecaster", "pair", "horizon", "seed"]
    parts: list[dict[tuple[Any, ...], pl.DataFrame]] = [
        frame.partition_by(key, as_dict=True, maintain_order=True) for frame in (written, held)
    ]
    empty = table.empty()
    said = (f"holds {table.name} of no such trial", f"does not hold its {table.name} as written")
    return [
        f"{Trial(*trial)}: the warehouse {said[trial in parts[0]]}"
        for trial in sorted(parts[0].keys() | parts[1].keys())
        if not parts[0].get(trial, empty).equals(parts[1].get(trial, empty))
    ]


def _shortened(shown: list[str], count: int, noun: str) -> list[str]:
    return [*shown, f"… and {count - len(shown)} more {noun}"] if count > len(shown) else shown
