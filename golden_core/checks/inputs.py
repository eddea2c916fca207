"""Checks on what all trials share, beside bars: folds, scalers, features; and what `metrics` repeats of all of them."""

from __future__ import annotations

from typing import cast

import polars as pl

from golden_core.checks.bars import bar_checks, bars_of
from golden_core.checks.check import Check, Examined
from golden_core.inputs.features import build_features
from golden_core.inputs.windows import TargetName
from golden_core.leakage.report import Report, merged, sentence
from golden_core.splits import verification as splits
from golden_core.splits.scaling import scaler_mismatches
from golden_core.splits.tables import read_folds
from golden_core.store.lake import Home, identified, read_table, series_name
from golden_core.store.schema import FOLDS
from golden_core.study import Study
from golden_core.trials import all_series, series_inputs

# The files of which this process last saw a claim hold, by asset, name and study
_SOUND: dict[tuple[str, str, str], object] = {}

FUTURE, FITS = "nothing_sees_the_future", "fits_touch_only_their_rows"


def input_checks(study: Study) -> tuple[Check, ...]:
    """Return every check on the shared inputs of a study."""
    return (*bar_checks(study), *_FOLDS, *SAMPLED)


def repeated_checks(study: Study) -> tuple[Check, ...]:
    """Return what whoever gathers trials must not take on trust from an earlier run: what blocks, as far as cheap.

    In the order in which things are made: of several faults the first is the cause.
    """
    own = [check for check in input_checks(study) if check.blocking and check.cheap]
    return tuple(sorted((*own, *_PARTS), key=lambda check: (check.asset == "folds", check not in _PARTS)))


def verified_input_faults(home: Home, study: Study) -> list[str]:
    """Return a sentence for everything that speaks against the bars, folds, scalers and features of a study.

    Nothing is decided twice in a process as long as none of the files changes.
    """
    found: list[str] = []
    for check in repeated_checks(study):
        if _SOUND.get((check.asset, check.name, study.name)) != _state(home, study):
            found += check.against(decided(check, home, study))
    return found


def decided(check: Check, home: Home, study: Study) -> Examined:
    """Decide a check, and keep in mind whether it held, for :func:`verified_input_faults` of this process."""
    state = _state(home, study)  # before anything is read: what changes meanwhile has not been looked at
    found = check.decide(home, study)
    _remember(check, study, state, found)
    return found


def _remember(check: Check, study: Study, state: object, found: Examined) -> None:
    if not check.against(found):
        _SOUND[check.asset, check.name, study.name] = state


def _state(home: Home, study: Study) -> object:
    """Return what tells the shared inputs of a study from their changed selves, without reading them."""
    folder = home.study(study.name)
    kinds = ("", "bars", "calendar", "cleaning", "ledger", "folds", "scalers")  # "" has raw bars and their quality
    files = [path for kind in kinds for path in sorted((folder.root / kind).glob("*.parquet"))]
    return study.hash(), *(identified(path) for path in files)


def probed(report: Report) -> Examined:
    """Return what a probe found, with what it covered."""
    covered = pl.DataFrame([{"asset": cell.asset, "poison": cell.poison, "rows": cell.rows} for cell in report.cells])
    found = [sentence(finding) for finding in report.findings]
    return Examined(found, report.rows, coverage=covered, refused=report.refused)


def sampled_checks(home: Home, study: Study, *, backend: str = "sequential", workers: int = 1) -> dict[str, Examined]:
    """Decide both checks that fit forecasters: they start from the same honest fits, which is what probing costs."""
    from golden_core.leakage.audit import sampled

    state = _state(home, study)
    found = dict(zip((FUTURE, FITS), map(probed, sampled(study, home, backend=backend, workers=workers)), strict=True))
    for check in SAMPLED:  # they claim all that ``_PARTS`` do, and of the same sampled fold
        _remember(check, study, state, found[check.name])
    return found


def present_series(home: Home, study: Study) -> list[tuple[str, int]]:
    """Return the series whose folds have been laid: a partition made alone is checked alone."""
    folder = home.study(study.name)
    return [series for series in all_series(study) if folder.table("folds", series_name(*series)).exists()]


def _all_folds(home: Home, study: Study) -> pl.DataFrame:
    folder = home.study(study.name)
    paths = [folder.table("folds", series_name(*series)) for series in present_series(home, study)]
    return pl.concat([FOLDS.empty(), *(read_table(path) for path in paths)])


def _labels(home: Home, study: Study) -> Examined:
    table = _all_folds(home, study)
    found = [*splits.foreign_schemes(table, study.splits.scheme), *splits.label_overlaps(table)]
    return Examined([*found, *splits.reused_test_rows(table)], table.height)


def _embargo(home: Home, study: Study) -> Examined:
    table = _all_folds(home, study)
    found = [*splits.embargo_violations(table, study.splits.embargo), *splits.unaccounted_rows(table)]
    return Examined(found, table.height)


def _scalers(home: Home, study: Study) -> Examined:
    found, examined, target = list[str](), 0, cast(TargetName, study.target)
    for pair, horizon in present_series(home, study):
        inputs = series_inputs(home, study, pair, horizon)
        features = build_features(study.features, inputs.bars)
        wrong = scaler_mismatches(inputs.scalers, read_folds(inputs.folds), features, inputs.bars, target)
        found += [f"{study.name} {pair}_h{horizon} {sentence}" for sentence in wrong]
        examined += inputs.scalers.height
    return Examined(found, examined)


def _structure(home: Home, study: Study) -> Examined:
    from golden_core.leakage.audit import structures

    return probed(structures(study, home))


def _screen(home: Home, study: Study) -> Examined:
    from golden_core.leakage.screening import screened_features

    return probed(screened_features(study, bars_of(home, study)))


def _future_of_bars(home: Home, study: Study) -> Examined:
    from golden_core.leakage.probes import clean_bars_report, clean_bars_times

    tables = bars_of(home, study).values()
    return probed(merged(clean_bars_report(study, bars, clean_bars_times(study, bars)) for bars in tables))


def _fits_of_scalers(home: Home, study: Study) -> Examined:
    from golden_core.leakage.audit import sampled_scalers

    return probed(sampled_scalers(study, home))


_FOLDS = (
    Check(
        "folds",
        "no_label_overlap",
        "No training label touches the labels of validation or test, no validation label those of test, and no row "
        "is tested twice.",
        "fold parts",
        _labels,
        blocking=True,
    ),
    Check(
        "folds",
        "embargo_kept",
        "At least the study's embargo, in rows, lies between the labels of a part and those held out from it; and the "
        "kept and dropped rows of every part are the rows that were laid for it.",
        "fold parts",
        _embargo,
        blocking=True,
    ),
    Check(
        "folds",
        "scaler_fitted_on_train_only",
        "Mean and scale of every column equal a second computation from the training rows alone.",
        "scaler rows",
        _scalers,
        blocking=True,
    ),
    Check(
        "folds",
        "parts_kept_apart",
        "No row may be used before its bar is known, no label touches a held-out part, no row or copy of one stands in "
        "two parts, and no fit declares a test row.",
        "rows",
        _structure,
        blocking=True,
    ),
    Check(
        "folds",
        "no_feature_too_good",
        "No feature goes with the returns that follow, at its own time or a bar or two later, beyond the study's "
        "`checks.max_foresight` and what a martingale allows by chance; no pair's bars go one way.",
        "rows",
        _screen,
        blocking=True,
    ),
)

SAMPLED = (
    Check(
        "folds",
        FUTURE,
        "When everything after a time t is replaced and the pipeline is run again, whatever is stamped at or before t "
        "keeps its exact bits: bars, features, folds, scalers and windows of all series, weights and forecasts of "
        "every forecaster on a sampled fold.",
        "rows",
        lambda home, study: sampled_checks(home, study)[FUTURE],
        blocking=True,
        cheap=False,
    ),
    Check(
        "folds",
        FITS,
        "When every bar is replaced that a fit does not declare to read, what it fitted keeps its exact bits: the "
        "scalers of a sampled fold and the weights of every forecaster on it.",
        "rows",
        lambda home, study: sampled_checks(home, study)[FITS],
        blocking=True,
        cheap=False,
    ),
)

# What those two claim of everything that no forecaster has to be fitted for.
_PARTS = (
    Check("folds", FUTURE, "Features of bars at or before t keep their bits.", "rows", _future_of_bars, blocking=True),
    Check("folds", FITS, "The scalers of a sampled fold keep their bits.", "rows", _fits_of_scalers, blocking=True),
)
