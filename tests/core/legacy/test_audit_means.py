"""Means over folds that nobody calls so, and what else strangers print: invented numbers, none of them a paper's."""

from __future__ import annotations

import numpy as np
import pytest

from golden_core.legacy.audit.auditing import audit_markdown, audit_table
from golden_core.store.randomness import Stream


def _written(tmp_path, text):
    path = tmp_path / "table.md"
    path.write_text(text)
    return path


def _audited(tmp_path, text):
    return audit_table(_written(tmp_path, text))


def _verdicts(audit):
    return {finding.verdict for finding in audit.findings}


def _folds(seed, *, single=False):
    """Return a table of linear models that are nearly one, and of others, scored in five folds or all at once."""
    generator = Stream(seed, ("tests", "audit", "means")).generator()
    y = generator.normal(0, 1, 400)
    shared, linear = generator.normal(0, 1, 400), 0.5 * generator.normal(0, 1, 400)
    errors = {name: linear + generator.normal(0, 1e-3, 400) for name in ("OLS", "Ridge", "Lasso")}
    errors |= {name: 0.4 * shared + 0.3 * generator.normal(0, 1, 400) for name in ("Forest", "Boosting", "KNN")}
    folds = [np.arange(400)] if single else np.array_split(np.arange(400), 5)
    lines = ["Model,MSE,RMSE,R2"]
    for name, e in errors.items():
        mse = np.mean([np.mean(e[fold] ** 2) for fold in folds])
        r2 = np.mean([1 - np.mean(e[fold] ** 2) / y[fold].var() for fold in folds])
        lines.append(f"{name},{mse:.5f},{mse**0.5:.5f},{r2:.5f}")
    return "\n".join(lines) + "\n"


def test_means_over_folds_that_nobody_declared_are_left_open(tmp_path):
    """The root of the mean MSE hides that it is a mean; the mean R² belongs to no variance."""
    found = [_audited(tmp_path, _folds(seed)) for seed in range(20)]
    assert all(_verdicts(audit) == {"open"} for audit in found)
    assert all(_verdicts(_audited(tmp_path, _folds(seed, single=True))) == set() for seed in range(5))
    assert "say so: `--averaging none`" in audit_markdown(found[0])
    declared = audit_table(_written(tmp_path, _folds(0)), averaging="none")
    assert _verdicts(declared) <= {"different_test_sets", "inconsistent"}
    assert "--averaging" not in audit_markdown(declared)


LINEAR = "OLS,9.231,3.0383,0.7911\nRidge,9.231,3.0383,0.7911\nLasso,9.232,3.0384,0.7911\n"  # three models, one witness
OTHERS = "SVR,7.954,2.8203,0.8200\nKNN,6.408,2.5314,0.8550\nForest,5.303,2.3028,0.8800\n"  # variance 44.19 as well


@pytest.mark.parametrize(("agreeing", "verdict"), [(LINEAR, "open"), (LINEAR + OTHERS, "different_test_sets")])
def test_models_that_are_nearly_one_are_one_witness(tmp_path, agreeing, verdict):
    odd = "LSTM,4.861,2.2048,0.8910\n"  # 44.60: .9 % above
    (finding,) = _audited(tmp_path, "Model,MSE,RMSE,R2\n" + agreeing + odd).findings
    assert (finding.verdict, finding.rows) == (verdict, ("LSTM",))


@pytest.mark.parametrize(("mse", "verdicts"), [("34.580", set()), ("35.480", {"certainly_wrong"})])
def test_an_mse_that_only_r2_and_rmse_contradict_is_no_mean(tmp_path, mse, verdicts):
    exact = "A,40.017,6.326,-0.061\nB,40.126,6.335,-0.064\nC,35.415,5.951,0.061\n"
    assert _verdicts(_audited(tmp_path, f"Model,MSE,RMSE,R2\n{exact}D,{mse},5.881,0.083\n")) == verdicts


def test_a_row_without_errors_does_not_hide_that_two_columns_are_one(tmp_path):
    rows = "Forest,0.0,0.0\nA,5.231,5.231\nB,4.968,4.968\nC,5.125,5.125\n"
    (finding,) = _audited(tmp_path, "Model,RMSE,MAE\n" + rows).findings
    assert (finding.kind, finding.verdict) == ("disguised_column", "open")


@pytest.mark.parametrize("worse", [1.5, 2, 2.5, 3, 4])
def test_a_mean_of_which_one_seed_went_astray_is_left_open(tmp_path, worse):
    generator = Stream(0, ("tests", "audit", "seeds")).generator()
    rows = ""
    for number in range(8):
        rmse = (
            (2 + 0.3 * number)
            * (1 + 0.01 * generator.normal(size=5))
            * np.array([worse if number == 3 else 1, *[1] * 4])
        )
        rows += f"m{number},{rmse.mean():.3f},{np.mean(1 - rmse**2 / 100):.4f}\n"
    assert _verdicts(_audited(tmp_path, f"Model,RMSE,R2\n{rows}")) == {"open"}


# ------------------------------------------------------------------------------------------------ what can now be read


@pytest.mark.parametrize(("headings", "parts"), [
    ("CV MAE | CV RMSE | CV R²", {(): True}),
    ("CV-RMSE | MAE | R²", {(): False}),  # a coefficient of variation, not read
    ("Mean R² | RMSE | R²", {(): False}),
    ("Test RMSE | CV RMSE | CV R²", {("test",): False, ("cv",): True}),
])  # fmt: skip
def test_columns_of_cross_validation_are_means(tmp_path, headings, parts):
    audit = _audited(tmp_path, f"| Model | {headings} |\n|---|---|---|---|\n| A | 0.5 | 0.6 | 0.7 |\n")
    assert {row.test_set: row.averaged for row in audit.rows} == parts


def test_cross_validation_beside_single_runs_stays_one(tmp_path):
    text = "Model,Test RMSE,Test R2,CV RMSE,CV R2\nA,2.000,0.9000,2.100,0.8800\nB,3.000,0.7750,3.300,0.6000\n"
    assert audit_table(_written(tmp_path, text), averaging="none").findings == ()


@pytest.mark.parametrize(("row", "metrics"), [
    (r"| A | 1.5 | \-0.0913 |", {"rmse", "r2"}),
    ("| A | 1.5 | (no apto) |", {"rmse"}), ("| A | 1.5 | (skipped: no wheel for 3.14) |", {"rmse"}),
    ("| λ<sub>max</sub> | 1.5 | 0.5 |", {"rmse", "r2"}),
])  # fmt: skip
def test_what_markdown_escapes_and_remarks_on(tmp_path, row, metrics):
    (read,) = _audited(tmp_path, f"| Model | RMSEP | R2 |\n|---|---|---|\n{row}\n").rows
    assert set(read.cells) == metrics


def test_places_and_tasks_are_test_sets(tmp_path):
    text = "Location,RMSE,R2,Best algorithm\nFarm 1,2.31,0.79,Ridge\nFarm 2,2.48,0.73,Ridge\nFarm 3,2.94,0.66,Forest\n"
    audit = _audited(tmp_path, text)
    assert audit.findings == ()
    assert len(audit.test_sets) == 3


# ------------------------------------------------------------------------------- other quantities under a metric's name


def _biased():
    """Return what is printed of four biased models whose errors are largest where the target is."""
    generator = Stream(0, ("tests", "audit", "quantities")).generator()
    y = 150 + np.cumsum(generator.normal(0, 2, 300))
    peak, found = y > np.quantile(y, 0.8), {}
    for name, size, bias in (("A", 3.0, 4.0), ("B", 2.0, -3.0), ("C", 1.7, 2.5), ("D", 1.2, 2.0)):
        e = bias + size * generator.standard_t(4, 300) * np.where(peak, 2.5, 1)
        mse = np.mean(e**2)
        found[name] = {"MAE": np.mean(abs(e)), "RMSE": mse**0.5, "R2": 1 - mse / y.var(), "around": e.std()}
        found[name] |= {"peak": np.mean(abs(e[peak])), "peak RMSE": np.mean(e[peak] ** 2) ** 0.5}
        found[name] |= {"share": mse**0.5 / y.std(), "log": np.log10(mse), "r2": np.corrcoef(y - e, y)[0, 1] ** 2}
    return found


BIASED = _biased()


@pytest.mark.parametrize("headings", [
    "MAE=MAE | ubRMSE=around | R2=R2", "MAE=MAE | Unbiased RMSE=around", "MAE=MAE | RMSE (bias-corrected)=around",
    "Peak MAE=peak | RMSE=RMSE | R2=R2", "Future >180 MAE=peak | RMSE=RMSE", "Peak RMSE=peak RMSE | R2=R2",
    "MAE=MAE | RMSE/σ=share | R2=R2", "log10 MSE=log | RMSE=RMSE", "log₁₀ MSE=log | RMSE=RMSE",
    "RMSE=RMSE | Pearson R²=r2", "RMSE=RMSE | R² (squared correlation)=r2",
])  # fmt: skip
def test_words_of_a_heading_that_make_it_another_quantity_are_not_dropped(tmp_path, headings):
    named = [part.strip().split("=") for part in headings.split("|")]
    rows = "".join(f"{m},{','.join(f'{s[key]:.4f}' for _, key in named)}\n" for m, s in BIASED.items())
    assert _audited(tmp_path, f"Model,{','.join(text for text, _ in named)}\n{rows}").findings == ()


@pytest.mark.parametrize("headings", ["MAE in °C|RMSE in °C|R2", "MAE, m/s|RMSE, m/s|R2", "MAE|Test RMSE|R2"])
def test_units_and_the_test_set_are_no_other_quantity(tmp_path, headings):
    rows = "".join(f"|{m}|{s['MAE']:.4f}|{s['RMSE']:.4f}|{s['R2']:.4f}|\n" for m, s in BIASED.items())
    head = f"|Model|{headings}|\n|---|---|---|---|\n"
    (one,) = _audited(tmp_path, head + rows).test_sets
    assert one.rows == tuple(BIASED)
    swapped = f"|E|{BIASED['A']['RMSE']:.4f}|{BIASED['A']['MAE']:.4f}|{BIASED['A']['R2']:.4f}|\n"
    assert "certainly_wrong" in _verdicts(_audited(tmp_path, head + rows + swapped))
