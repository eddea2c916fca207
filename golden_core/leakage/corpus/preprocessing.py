"""Leaks in preprocessing: statistics of rows that were not there yet (L1.2), selection and encoding on them (L1.3)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from golden_core.leakage.corpus.planting import Mechanism, Site, all_rows, in_fold, test_rows
from golden_core.leakage.workshop.fitting import (
    Case,
    column_means,
    components,
    hour_means,
    moments,
    strongest,
    tails,
)
from golden_core.leakage.workshop.tape import FloatArray, IntArray

Rows = Callable[[Case], IntArray]


def through_test(case: Case) -> IntArray:
    """Return all rows of the fold's three parts."""
    return np.concatenate([case.parts.train, case.parts.validation, test_rows(case)])


def first_of_test(case: Case) -> IntArray:
    """Return the training rows and the first rows of the test part: a boundary that is a little off."""
    return np.concatenate([case.parts.train, test_rows(case)[:10]])


def _only(site: Site, case: Case, honest: Any, leaky: Any) -> Any:
    """Put leaky statistics where the site's feature stands, everywhere if it names none."""
    if site.feature is None:
        return leaky
    mine = np.array(case.names) == site.feature
    return np.where(mine, leaky, honest)


def fill_on(rows: Rows) -> Mechanism:
    """Fill missing values with means over too many rows."""
    return in_fold(
        "fill", lambda site, honest, case, X: _only(site, case, honest(case, X), column_means(X[rows(case)]))
    )


def clip_on(rows: Rows) -> Mechanism:
    """Winsorise at quantiles of too many rows."""

    def leak(site: Site, honest: Any, case: Case, X: FloatArray) -> tuple[FloatArray, FloatArray]:
        kept, wide = honest(case, X), tails(X[rows(case)], case.plan.tail)
        return _only(site, case, kept[0], wide[0]), _only(site, case, kept[1], wide[1])

    return in_fold("clip", leak)


def scale_on(rows: Rows) -> Mechanism:
    """Standardise by mean and spread of too many rows."""

    def leak(site: Site, honest: Any, case: Case, X: FloatArray) -> tuple[FloatArray, FloatArray]:
        kept, wide = honest(case, X), moments(X[rows(case)])
        return _only(site, case, kept[0], wide[0]), _only(site, case, kept[1], wide[1])

    return in_fold("scale", leak)


def minmax_on(rows: Rows) -> Mechanism:
    """Scale by the smallest and largest value of too many rows."""

    def leak(site: Site, honest: Any, case: Case, X: FloatArray) -> tuple[FloatArray, FloatArray]:
        kept = honest(case, X)
        seen = np.where(np.isfinite(case.X[rows(case)]), case.X[rows(case)], X[rows(case)])  # before any winsorising
        low, high = seen.min(axis=0), seen.max(axis=0)
        wide = (low, np.where(high > low, high - low, 1.0))
        return _only(site, case, kept[0], wide[0]), _only(site, case, kept[1], wide[1])

    return in_fold("scale", leak)


def pca_on(rows: Rows) -> Mechanism:
    """Take principal components of too many rows."""
    return in_fold("reduce", lambda _site, _honest, case, Z: components(Z[rows(case)], case.plan.components))


def select_on(rows: Rows) -> Mechanism:
    """Keep the features that go with the label on too many rows."""
    return in_fold(
        "select", lambda _site, _honest, case, Z: strongest(Z[rows(case)], case.y[rows(case)], case.plan.kept)
    )


def encode_on(rows: Rows) -> Mechanism:
    """Encode the hour by the mean label of too many rows."""
    return in_fold("encode", lambda _site, _honest, case: hour_means(case.hours[rows(case)], case.y[rows(case)]))


MECHANISMS: dict[str, Mechanism] = {
    "fill_on_all_rows": fill_on(all_rows),
    "winsorise_on_all_rows": clip_on(all_rows),
    "scale_on_all_rows": scale_on(all_rows),
    "scale_on_train_and_test": scale_on(through_test),
    "scale_into_test": scale_on(first_of_test),
    "minmax_on_all_rows": minmax_on(all_rows),
    "pca_on_all_rows": pca_on(all_rows),
    "select_on_all_rows": select_on(all_rows),
    "select_on_test": select_on(test_rows),
    "encode_on_all_rows": encode_on(all_rows),
    "encode_on_test": encode_on(through_test),
}
