"""Checks on what trials gave: their files, the warehouse, the tests and the report."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from golden_core.checks.bars import bars_of
from golden_core.checks.check import Check, Examined
from golden_core.evaluation import verification
from golden_core.evaluation.sql import coverage_unlike_sql, quantiles_that_cross
from golden_core.leakage.report import sentence
from golden_core.store.lake import Home
from golden_core.store.provenance import machine
from golden_core.store.warehouse import Warehouse
from golden_core.study import Study
from golden_core.trials import AlteredError, all_trials, altered_trials, reproduce_last
from golden_core.trials.confinement import can_confine
from golden_core.trials.reproduction import own_classes


def result_checks(study: Study) -> tuple[Check, ...]:
    """Return the check on the files of every forecaster, and those on tables and report."""
    files = (
        Check(
            f"models/{name}",
            "files_as_written",
            "Forecasts, learning curve and weights of every finished trial have the SHA-256 that the trial recorded "
            "when it wrote them.",
            "trials",
            partial(_files, name),
        )
        for name in sorted(study.forecasters)
    )
    alone = len(study.forecasters) == 1  # the random walk, which is tested against nobody
    tables = (check for check in _TABLES if not alone or check.asset != "comparisons")
    return (*files, *tables, *(_QUANTILES if study.quantiles else ()), *(_PLACEBO if study.placebo else ()))


def _files(forecaster: str, home: Home, study: Study) -> Examined:
    return Examined(*altered_trials(home, study, [t for t in all_trials(study) if t.forecaster == forecaster]))


def _of_forecasts(faults: Callable[[Warehouse, str], list[str]], home: Home, study: Study) -> Examined:
    warehouse = Warehouse(home.warehouse)
    return Examined(faults(warehouse, study.name), verification.count_forecasts(warehouse, study.name))


def _counted(faults: Callable[[Warehouse, str], tuple[list[str], int]], home: Home, study: Study) -> Examined:
    return Examined(*faults(Warehouse(home.warehouse), study.name))


def _metrics(home: Home, study: Study) -> Examined:
    return Examined(*verification.metrics_unlike_sql(Warehouse(home.warehouse), study))


def _present(home: Home, study: Study) -> Examined:
    found = verification.absent_trials(Warehouse(home.warehouse), home, study)
    return Examined(found, len(all_trials(study)))


def _lake(home: Home, study: Study) -> Examined:
    try:
        return Examined(*verification.trials_unlike_lake(Warehouse(home.warehouse), home, study))
    except AlteredError as error:
        return Examined([str(error)], 1)


def _screen(home: Home, study: Study) -> Examined:
    from golden_core.leakage.screening import screened_forecasts

    table = Warehouse(home.warehouse).query("SELECT * FROM forecasts WHERE study = ?", [study.name])
    report = screened_forecasts(study, bars_of(home, study), table)
    return Examined([sentence(finding) for finding in report.findings], table.height)


def _bitwise(home: Home, study: Study) -> Examined:
    results, strangers = reproduce_last(home, study, study.checks.reproduced_trials)
    if differing := [f"{one.trial}: {one.said}" for one in results if not one.identical]:
        return Examined(differing, len(results))
    here = machine()["cpu"]
    unmeasured = [
        f"unmeasured: all trials of {name} were trained on {where}, which is not here ({here}): verify them there"
        for name, where in strangers.items()
    ]
    if not can_confine():
        own = own_classes(study)
        unmeasured += [f"unmeasured: what {name} reads besides its inputs; `golden doctor` says why" for name in own]
    return Examined(unmeasured, len(results), severity="warn" if unmeasured else None)


def _report(home: Home, study: Study) -> Examined:
    from golden_core.reporting.pages import report_differences

    return Examined(*report_differences(Warehouse(home.warehouse), study, home.report(study.name)))


def _false_claims(home: Home, study: Study) -> Examined:
    from golden_core.checks.universes import GATE
    from golden_core.placebo.filed import declared, filed_count
    from golden_core.placebo.verdict import faults

    filed = filed_count(home, study, "placebo", GATE)
    if filed is None:
        return Examined([f"nothing was counted here: `golden placebo {study.name}` counts"], 0, severity="warn")
    found, open_ = faults(filed.table, declared(study, "placebo"))
    open_ += [] if filed.current else ["the universes are of other code or settings: count them again"]
    return Examined([*found, *open_], sum(filed.universes.values()), severity="error" if found else "warn")


_PLACEBO = (
    Check(
        "placebo/false_claims",
        "placebo_claims_nothing",
        "In at most 5 % of universes where nothing can be forecast the pipeline claims a skill, by so few that the "
        "rate is shown: 16 of 500.",
        "universes",
        _false_claims,
    ),
)
_QUANTILES = (
    Check(
        "metrics",
        "quantiles_do_not_cross",
        "No quantile of a forecast lies below one of a lower level, and none is NaN.",
        "quantiles",
        partial(_counted, quantiles_that_cross),
    ),
    Check(
        "metrics",
        "coverage_equals_sql",
        "Every coverage, width, pinball loss, interval score, CRPS, weighted interval score and skill equals, to "
        "1e-12, its recomputation in plain SQL.",
        "rows",
        partial(_counted, coverage_unlike_sql),
    ),
)
_TABLES = (
    Check(
        "metrics",
        "losses_finite",
        "Every loss of every learning curve and every forecast is a finite number.",
        "forecasts",
        partial(_of_forecasts, verification.nonfinite_values),
    ),
    Check(
        "metrics",
        "all_trials_present",
        "Every trial that the study asks for is in the warehouse, and none failed.",
        "trials",
        _present,
    ),
    Check(
        "metrics",
        "forecasts_equal_lake",
        "Forecasts and learning curves of the warehouse are, value for value, what the trials wrote.",
        "trials",
        _lake,
    ),
    Check(
        "metrics",
        "random_walk_present",
        "Wherever a forecaster has a forecast, the random walk has one for the same cutoff.",
        "forecasts",
        partial(_of_forecasts, verification.cutoffs_without_benchmark),
    ),
    Check(
        "metrics",
        "metrics_equal_sql",
        "Every metric equals, to 1e-12, its recomputation in plain SQL from the table of forecasts.",
        "metrics",
        _metrics,
    ),
    Check(
        "metrics",
        "no_forecast_too_good",
        "No forecaster beats no change beyond the study's `checks.max_foresight` and what a martingale allows by "
        "chance: one that does has seen the future somewhere, or the tolerance must be argued for.",
        "forecasts",
        _screen,
    ),
    Check(
        "metrics",
        "forecasts_reproduce_bitwise",
        "The last trial of every forecaster and some drawn ones, each retrained in a process of its own, write the "
        "same bytes: forecasts, learning curve and weights; in another process the weights alone give the forecasts, "
        "and classes of one's own give them where nothing but inputs, code and declared files can be read.",
        "trials",
        _bitwise,
        cheap=False,
    ),
    Check(
        "comparisons",
        "comparisons_equal_statsmodels",
        "Every test of the warehouse equals, to 1e-6, a regression of the loss differences by statsmodels and its "
        "adjustment after Holm.",
        "tests",
        partial(_counted, verification.comparisons_unlike_statsmodels),
    ),
    Check(
        "report",
        "report_follows_from_warehouse",
        "Every file of the report has the SHA-256 that it had when it was written, and tables, study and code have the "
        "hashes that they had then: nothing was changed by hand, and nothing is out of date.",
        "files",
        _report,
    ),
)
