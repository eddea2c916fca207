"""Checks that belong to no study: the scorecard of the leakage probes, and what is held against the legacy record."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import polars as pl

from golden_core.checks.check import Check, Examined
from golden_core.store.lake import Home, read_table
from golden_core.study import Study

REPEATED_SIMULATIONS = 500


def _unmeasured(what: str) -> Examined:
    """Return neither success nor failure: nobody has looked yet."""
    return Examined([what], 0, severity="warn")


def _scorecard(kind: str, home: Home, _study: Study) -> Examined:
    from golden_core.leakage.scorecard_store import faults, filed_scorecard

    filed = filed_scorecard(home)
    if filed is None:
        return _unmeasured(
            "no scorecard was measured yet: run `golden leakage scorecard`, or materialise leakage/scorecard"
        )
    found = faults(filed.rows, kind)
    unmeasured = [] if filed.current else ["the scorecard was measured on other probes or leaks: measure it again"]
    return Examined([*found, *unmeasured], filed.rows.filter(kind=kind).height, severity="error" if found else "warn")


def _sizes(home: Home, _study: Study) -> Examined:
    from golden_core.evaluation.calibrated import LEAST_SIMULATIONS, filed_calibration, off_size

    filed = filed_calibration(home)
    if filed is None:
        return _no_calibration()
    few = filed.simulations < LEAST_SIMULATIONS
    unmeasured = [f"{filed.simulations} simulations carry no claim, {LEAST_SIMULATIONS} do"] if few else []
    unmeasured += _outdated(filed.current)
    # Of few simulations, sizes lie outside the band by luck.
    found = [] if few else off_size(filed.table)
    return Examined([*found, *unmeasured], filed.table.height, severity="error" if found else "warn")


def _repeated(home: Home, _study: Study) -> Examined:
    from golden_core.evaluation.calibrated import filed_calibration, repetition_differences

    filed = filed_calibration(home)
    if filed is None:
        return _no_calibration()
    if outdated := _outdated(filed.current):
        return Examined(outdated, filed.table.height, severity="warn")
    return Examined(*repetition_differences(filed.table, REPEATED_SIMULATIONS))


def _outdated(current: bool) -> list[str]:
    return [] if current else ["the calibration was measured on other tests or worlds: measure it again"]


def _no_calibration() -> Examined:
    return _unmeasured("no calibration was measured here: `golden statistics calibrate` or its asset does")


def _timed(look: str, home: Home, _study: Study) -> Examined:
    """Look at the last run of every benchmark by a function of the records."""
    from golden_core.benchmarking import records

    findings, examined = getattr(records, look)(home)
    if examined == 0:
        return _unmeasured(_NOTHING_TIMED[look])
    return Examined(findings, examined)


_NOTHING_TIMED = {
    "unfaithful": "nothing was timed here: `golden bench inference STUDY` or asset benchmarks/inference does",
    "unsteady": "nothing was timed repeatedly here: `golden bench inference STUDY` or asset benchmarks/inference does",
    "regressions": "no baseline was accepted and measured again at length: `golden bench accept BENCHMARK`",
}


def _published(_home: Home, _study: Study) -> Examined:
    from golden_core.legacy.reproduction.published import published_audit

    audit = published_audit()
    findings = [finding.sentence for finding in audit.found("certainly_wrong")]
    apart = sorted({row for finding in audit.found("different_test_sets") for row in finding.rows})
    findings += [] if apart == ["v_01"] else [f"rows on other test sets are {', '.join(apart) or 'none'}, not v_01"]
    if audit.explanation is None or not (audit.explanation.holds and audit.explanation.needed):
        findings.append("no split explains the table")
    return Examined(findings, len(audit.rows))


def _risks(home: Home, _study: Study) -> Examined:
    from golden_core.legacy.risks import read_risks

    path = home.root / "legacy" / "leakage_register.csv"
    if not path.exists():
        return _unmeasured("unmeasured: no register was written in this home")
    register, sound = pl.read_csv(path, infer_schema=False), pl.col("status").eq_missing("sound")
    # What the practice is told from: the remedy, or the mistake that a sound one avoids. A probe must see that, too.
    control = pl.col("value_alternative").cast(pl.Float64) > pl.col("threshold").cast(pl.Float64)
    silent = register.filter((pl.col("shown").eq_missing("yes") == sound) | control.ne_missing(sound))
    absent = sorted({risk.id for risk in read_risks()} - {*register["risk"]})
    found = [f"{name}: not as stated" for name in silent["risk"]]
    return Examined([*found, *(f"{name}: not in the register" for name in absent)], register.height)


def _aligned(name: str, decide: Callable[[pl.DataFrame], Examined], home: Home, _study: Study) -> Examined:
    path = home.root / "legacy" / "alignment" / f"{name}.parquet"
    unmeasured = "unmeasured: nothing has been aligned in this home"
    return decide(read_table(path)) if path.exists() else _unmeasured(unmeasured)


def _window(bars: pl.DataFrame) -> Examined:
    from golden_core.legacy.reproduction.window import published_window

    window = published_window(bars)
    return Examined([] if window.recovered else [window.verdict], len(window.splits))


def _same_rows(forecasts: pl.DataFrame) -> Examined:
    from golden_core.legacy.reproduction.errors import rows_unlike_the_random_walk

    return Examined(rows_unlike_the_random_walk(forecasts), forecasts.height)


PLATFORM_CHECKS = (
    Check(
        "statistics/calibration",
        "tests_keep_their_size",
        "In 10,000 simulations, every test that a claim may use rejects a true null hypothesis at 5 % in 3.7 – 6.3 %, "
        "or less, or is refused by rule; the confidence set keeps the best and drops the worse.",
        "measures",
        _sizes,
    ),
    Check(
        "statistics/calibration",
        "calibration_repeats",
        "500 simulations of other chance give, within chance, every size and power that was filed.",
        "measures",
        _repeated,
        cheap=False,
    ),
    Check(
        "leakage/scorecard",
        "deterministic_leaks_caught",
        "Every planted leak of a deterministic kind is caught, 90 % in the right place, without a false alarm on 300 "
        "honest pipelines.",
        "pipelines",
        partial(_scorecard, "deterministic"),
    ),
    Check(
        "leakage/scorecard",
        "statistical_leaks_caught",
        "At least 95 % of statistical leaks are caught, 90 % in the right place, with at most 1 % false alarms on "
        "1,000 honest pipelines.",
        "pipelines",
        partial(_scorecard, "statistical"),
    ),
    Check(
        "benchmarks/table",
        "results_follow_from_samples",
        "Every mean, spread, percentile and throughput is what the raw durations give, and a percentile that they do "
        "not carry is not given.",
        "measurements",
        partial(_timed, "unfaithful"),
    ),
    Check(
        "benchmarks/table",
        "warm_up_settled",
        "Before every measurement two blocks of calls in a row, and in it both halves, agreed to within 5 %.",
        "measurements",
        partial(_timed, "unsteady"),
        severity="warn",
    ),
    Check(
        "benchmarks/table",
        "no_slower_than_accepted",
        "No median is more than 1.1 times that of the accepted run on the same class of machine.",
        "measurements",
        partial(_timed, "regressions"),
        severity="warn",
    ),
    Check(
        "legacy/published_audit",
        "v01_explained_by_its_split",
        "The audit singles out v_01 in the published table; its split explains it; no row is wrong in itself.",
        "published rows",
        _published,
    ),
    Check(
        "legacy/forensics",
        "every_risk_is_shown",
        "Every risk of the leakage register is shown on data by its probe; a sound practice shows none.",
        "risks",
        _risks,
    ),
    Check(
        "legacy/alignment",
        "published_window_recovered",
        "The published test windows are found in the aligned bars by number and variance of their targets.",
        "splits",
        partial(_aligned, "bars", _window),
    ),
    Check(
        "legacy/alignment",
        "random_walk_on_the_same_rows",
        "Every aligned trial was scored on exactly the rows of the random walk.",
        "forecasts",
        partial(_aligned, "forecasts", _same_rows),
        blocking=True,
    ),
)
