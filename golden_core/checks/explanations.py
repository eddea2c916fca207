"""Checks on explanations: of a study's networks, and of the methods where the truth is known."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import polars as pl

from golden_core.checks.check import Check, Examined
from golden_core.interpretability.filing import LIKENESS, SIGNIFICANCE
from golden_core.store.lake import Home
from golden_core.study import Study


def explanation_checks(study: Study) -> tuple[Check, ...]:
    """Return the checks on the explanations that a study asks for."""
    return _EXPLAINED if study.explanations else ()


def _held(fault: pl.Expr, said: Callable[[dict[str, object]], str], home: Home, study: Study) -> Examined:
    """Find explanations with a fault: an error where one is reported all the same, a warning where it is kept back."""
    from golden_core.interpretability.filing import filed_explanations

    filed = filed_explanations(home, study)
    table = filed.filter(pl.col("rows") > 0)
    if filed.height and table.is_empty():
        nothing = "no network has anything for the methods that were asked for: the claim does not apply"
        return Examined([nothing], 0, severity="warn")
    bad = table.filter(fault)
    where = "{forecaster} on {pair}_h{horizon}, seed {seed}, {method}: "
    found = [where.format(**row) + said(row) for row in bad.iter_rows(named=True)]
    return Examined(found, table.height, severity="error" if table.is_empty() or bad["reported"].any() else "warn")


def _files(home: Home, study: Study) -> Examined:
    from golden_core.interpretability.filing import altered_explanations

    return Examined(*altered_explanations(home, study))


def _again(home: Home, study: Study) -> Examined:
    from golden_core.interpretability.repetition import explained_otherwise

    return Examined(*explained_otherwise(home, study))


def _sanity(gates: tuple[str, ...], home: Home, _study: Study) -> Examined:
    from golden_core.interpretability.filing import filed_matrix

    filed = filed_matrix(home)
    if filed is None:
        said = "no sanity matrix was measured here: `golden explain --sanity` or asset interpretability/sanity does"
        return Examined([said], 0, severity="warn")
    table, current = filed
    rows = table.filter(pl.col("gate").is_in(gates), "decides")
    found = [
        f"{row['gate']}, {row['method']}: {row['value']:.3g}, expected {row['threshold']}"
        if not row["passes"]
        else f"{row['gate']}, {row['method']}: its control ({row['control']}) passes too, {row['control_value']:.3g}"
        for row in rows.filter(~pl.col("passes") | ~pl.col("control_fails")).iter_rows(named=True)
    ]
    old = [] if current else ["the sanity matrix was measured on other code: measure it again"]
    return Examined([*found, *old], rows.height, severity="error" if found else "warn")


_LIKE, _P = LIKENESS, SIGNIFICANCE
_EXPLAINED = (
    Check(
        "explanations",
        "explanations_as_written",
        "Every file of every explanation has the SHA-256 that its document records, and belongs to the trials, "
        "settings and code there are now.",
        "files",
        _files,
    ),
    Check(
        "explanations",
        "explanations_add_up",
        "What integrated gradients and Shapley values attribute adds up to F(x) − F(baseline) within "
        "1e-3·|ΔF| + 1e-6, on every window.",
        "networks and methods",
        partial(_held, pl.col("incomplete") > 1, lambda row: f"off by {row['incomplete']:.3g} tolerances"),
    ),
    Check(
        "explanations",
        "explanations_follow_the_weights",
        f"With all weights randomised a method gives another order of cells: |Spearman| ≤ {_LIKE} (Adebayo et al. "
        "2018). A method that does not is kept from the report.",
        "networks and methods",
        partial(_held, pl.col("randomised").abs() > _LIKE, lambda row: f"Spearman {row['randomised']:.2f}"),
    ),
    Check(
        "explanations",
        "explanations_beat_random_order",
        f"Deletion and insertion in a method's order of cells move the forecast more than in random order, p < {_P}. "
        "A method that does not is kept from the report.",
        "networks and methods",
        partial(
            _held,
            pl.max_horizontal("deletion_p", "insertion_p") >= _P,
            lambda row: f"p = {row['deletion_p']:.2g} and {row['insertion_p']:.2g}",
        ),
    ),
    Check(
        "explanations",
        "explanations_reproduce_bitwise",
        "The network with the smallest checkpoint, explained again from it, gives the same bytes.",
        "files",
        _again,
        cheap=False,
    ),
)


def _known(name: str, says: str, *gates: str) -> Check:
    return Check("interpretability/sanity", name, says, "methods", partial(_sanity, gates))


SANITY_CHECKS = (
    _known(
        "attributions_add_up",
        "On a network with kinks every sum is complete; gradient times input is not.",
        "completeness",
    ),
    _known(
        "exact_on_a_linear_model", "On a linear model attributions are weights times inputs, to 1e-12.", "linear model"
    ),
    _known(
        "weights_matter",
        f"With weights randomised, |Spearman| ≤ {_LIKE}; the window as its own explanation stays the same.",
        "weights randomised",
    ),
    _known(
        "labels_matter",
        f"Trained on permuted labels, |Spearman| ≤ {_LIKE}; the window as its own explanation stays the same.",
        "labels permuted",
    ),
    _known(
        "order_matters", f"Deletion and insertion beat random order, p < {_P}; noise does not.", "deletion", "insertion"
    ),
    _known("planted_cells_found", "Planted feature × lag cells are found with AUROC ≥ 0.95.", "planted cells"),
    _known(
        "gate_follows_regimes",
        "On a two-regime series a softmax gate has NMI ≥ 0.8 with the regime, and its dead expert is found.",
        "regimes",
        "dead expert",
    ),
)
