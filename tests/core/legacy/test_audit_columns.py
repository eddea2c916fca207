"""Columns in disguise and columns in two units are named; honest columns that come close to it are not."""

from __future__ import annotations

import numpy as np
import pytest

from golden_core.legacy.audit import audit_table
from golden_core.store.randomness import Stream

RMSE = (0.3512, 0.4207, 0.5033, 0.6121, 0.7498)
R2 = tuple(1 - rmse**2 / 0.7 for rmse in RMSE)


def _audited(tmp_path, columns, **keywords):
    names = list(columns)
    rows = [",".join([f"m{i}", *cells]) for i, cells in enumerate(zip(*columns.values(), strict=True))]
    path = tmp_path / "table.csv"
    path.write_text("\n".join([",".join(["model", *names]), *rows]) + "\n", encoding="utf-8")
    return audit_table(path, **keywords)


def _printed(values, digits=4):
    return [f"{value:.{digits}f}" for value in values]


def _honest():
    return {
        "MAE": _printed(0.8 * x for x in RMSE),
        "MSE": _printed(x * x for x in RMSE),
        "RMSE": _printed(RMSE),
        "R2": _printed(R2),
    }


def test_the_honest_table(tmp_path):
    assert _audited(tmp_path, _honest()).findings == ()


@pytest.mark.parametrize(
    ("says", "column", "values"),
    [
        ("MAE = RMSE²", "MAE", [x * x for x in RMSE]),
        ("MSE = RMSE", "MSE", RMSE),
        ("MSE = RMSE", "RMSE", [x * x for x in RMSE]),
    ],
)
def test_a_column_in_disguise(tmp_path, says, column, values):
    audit = _audited(tmp_path, _honest() | {column: _printed(values)})
    (finding,) = audit.findings
    assert (finding.kind, finding.verdict) == ("disguised_column", "certainly_wrong")
    assert finding.sentence.startswith(says)
    assert len(finding.rows) == len(RMSE)


def test_mse_as_the_root_of_mae(tmp_path):
    columns = {
        "MAE": _printed(0.8 * x for x in RMSE),
        "MSE": _printed((0.8 * x) ** 0.5 for x in RMSE),
        "R2": _printed(R2),
    }
    (finding,) = _audited(tmp_path, columns).findings
    assert (finding.kind, finding.verdict) == ("disguised_column", "certainly_wrong")
    assert finding.sentence.startswith("MSE = √MAE")


def test_mae_equal_to_mse_where_there_is_no_rmse(tmp_path):
    squares = _printed(x * x for x in RMSE)
    (finding,) = _audited(tmp_path, {"MAE": squares, "MSE": squares}).findings
    assert finding.sentence.startswith("MAE = MSE")


def test_mae_equal_to_rmse_may_be_one_test_point(tmp_path):
    (finding,) = _audited(tmp_path, {"MAE": _printed(RMSE), "RMSE": _printed(RMSE)}).findings
    assert (finding.kind, finding.verdict) == ("disguised_column", "open")


def test_gaussian_errors_around_a_standard_deviation_of_080_are_no_disguise(tmp_path):
    """MAE = √(2/π) σ is σ² where σ = 0.798: close to MAE = RMSE² in every row, and honest."""
    for index in range(50):
        generator = Stream(index, ("tests", "audit", "gaussian")).generator()
        rmse = 0.798 * (1 + 0.01 * generator.normal(size=20))
        columns = {"MAE": _printed(rmse * (2 / np.pi) ** 0.5, 3), "RMSE": _printed(rmse, 3)}
        assert _audited(tmp_path, columns).findings == ()


def test_errors_around_one_are_no_disguise(tmp_path):
    """MSE and RMSE both print as 1.00: that is what a number near 1 does."""
    columns = {"MAE": ["0.80"] * 5, "MSE": ["1.00"] * 5, "RMSE": ["1.00"] * 5}
    assert _audited(tmp_path, columns).findings == ()


def test_few_digits_are_no_disguise(tmp_path):
    columns = {"MAE": ["0.3", "0.4", "0.5"], "RMSE": ["0.3", "0.4", "0.5"]}
    assert _audited(tmp_path, columns).findings == ()


def test_rmse_in_pips_and_mse_in_price(tmp_path):
    columns = {"MAE": ["7.46", "8.10", "9.02"], "RMSE": ["11.98", "12.60", "13.51"]}
    columns |= {"MSE": ["0.0000014352", "0.0000015876", "0.0000018252"], "R2": ["0.993988", "0.993349", "0.992354"]}
    audit = _audited(tmp_path, columns)
    (finding,) = audit.findings
    assert (finding.kind, finding.verdict) == ("mixed_units", "certainly_wrong")
    assert "RMSE² is 10^8 times MSE" in finding.sentence
    assert len(audit.test_sets) == 1  # of RMSE alone

    declared = {"MAE": columns["MAE"], "RMSE (pips)": columns["RMSE"], "MSE (price²)": columns["MSE"]}
    (finding,) = _audited(tmp_path, declared).findings
    assert (finding.kind, finding.verdict) == ("mixed_units", "open")


@pytest.mark.parametrize("power", [-8, -4, 4, 8])
@pytest.mark.parametrize("averaging", ["undeclared", "none", "seeds"])
def test_mse_in_another_unit(tmp_path, power, averaging):
    columns = _honest() | {"MSE": [f"{x * x * 10.0**power:.4e}" for x in RMSE]}
    (finding,) = _audited(tmp_path, columns, averaging=averaging).findings
    assert (finding.kind, finding.verdict) == ("mixed_units", "certainly_wrong")


def test_mae_in_pips(tmp_path):
    columns = _honest() | {"MAE": _printed(8000 * x for x in RMSE)}
    (finding,) = _audited(tmp_path, columns).findings
    assert (finding.kind, finding.verdict) == ("mixed_units", "certainly_wrong")
    assert "MAE is about 10^4 times" in finding.sentence


def test_rmse_in_pips_beside_mae_in_price(tmp_path):
    columns = {"MAE": _printed((0.8 * x for x in RMSE), 6), "RMSE": _printed(1e4 * x for x in RMSE)}
    (finding,) = _audited(tmp_path, columns).findings
    assert finding.kind == "mixed_units"


def test_degrees_of_freedom_are_a_small_constant_factor(tmp_path):
    columns = {"MSE": _printed((x * x for x in RMSE), 6), "RMSE": _printed((x / 0.95**0.5 for x in RMSE), 6)}
    (finding,) = _audited(tmp_path, columns).findings
    assert (finding.kind, finding.verdict) == ("mixed_units", "open")
    assert any(reading.name == "degrees of freedom" and "k = 5 %" in reading.sentence for reading in finding.readings)


@pytest.mark.parametrize(
    ("heading", "cell"), [("MSE (×10⁻²)", 100), ("MSE (x10^-2)", 100), ("MSE [1e-2]", 100), ("MSE ×10²", 0.01)]
)
def test_a_power_of_ten_in_the_heading(tmp_path, heading, cell):
    columns = _honest()
    columns[heading] = [f"{x * x * cell:.5g}" for x in RMSE]
    del columns["MSE"]
    assert _audited(tmp_path, columns).findings == ()


def test_percent_signs_of_a_fraction_squared(tmp_path):
    (finding,) = _audited(tmp_path, {"RMSE": ["2.0%", "3.0%"], "MSE": ["0.040%", "0.090%"]}).findings
    assert (finding.kind, finding.verdict) == ("mixed_units", "open")  # 2 % squared is 0.04 %, as it says


@pytest.mark.parametrize("sign", [" (%)", ""])
def test_r2_in_percent(tmp_path, sign):
    columns = _honest()
    del columns["R2"]
    columns["R2" + sign] = _printed((100 * r2 for r2 in R2), 2)
    assert _audited(tmp_path, columns).findings == ()


def test_r2_in_percent_where_nothing_else_can_tell(tmp_path):
    columns = {"MAE": _honest()["MAE"], "R2": _printed((100 * r2 for r2 in R2), 2)}
    assert _audited(tmp_path, columns).findings == ()
    columns["R2"][0] = "1" + columns["R2"][0]
    (finding,) = _audited(tmp_path, columns).findings
    assert (finding.kind, finding.rows) == ("impossible_value", ("m0",))


def test_r2_of_small_percentages_without_a_sign(tmp_path):
    """0.45, 0.12 and 1.30 are fractions of nothing: one is above 1. In percent, they share a variance."""
    r2 = (0.45, 0.12, 1.30)
    columns = {"RMSE": [f"{(1 - x / 100) ** 0.5:.5f}" for x in r2], "R2": [f"{x:.2f}" for x in r2]}
    audit = _audited(tmp_path, columns)
    assert audit.findings == ()
    assert any("read in percent" in note for note in audit.notes)


def test_one_r2_above_one_that_percent_would_explain_is_not_passed_over(tmp_path):
    """RMSE has too few digits to refute percent; the other rows do well as fractions."""
    columns = {"RMSE": ["0.000", "0.000", "0.001"], "R2": ["0.851", "3.675", "0.610"]}
    (finding,) = _audited(tmp_path, columns).findings
    assert (finding.kind, finding.verdict, finding.rows) == ("impossible_value", "open", ("m1",))


def test_r2_as_a_fraction_under_a_percent_sign(tmp_path):
    columns = _honest()
    columns["R² (%)"] = columns.pop("R2")
    audit = _audited(tmp_path, columns)
    assert audit.findings == ()
    assert any("only as fractions" in note for note in audit.notes)


def test_one_r2_above_one(tmp_path):
    columns = _honest()
    columns["R2"][2] = "9" + columns["R2"][2][1:]
    (finding,) = _audited(tmp_path, columns).findings
    assert (finding.kind, finding.verdict, finding.rows) == ("impossible_value", "certainly_wrong", ("m2",))
    # Without an error beside it, nothing refutes a column in percent.
    (finding,) = _audited(tmp_path, {"MAE": columns["MAE"], "R2": columns["R2"]}).findings
    assert (finding.kind, finding.verdict) == ("impossible_value", "open")


def test_one_negative_error(tmp_path):
    columns = _honest()
    columns["MAE"][1] = "-" + columns["MAE"][1]
    (finding,) = _audited(tmp_path, columns).findings
    assert (finding.kind, finding.verdict, finding.rows) == ("impossible_value", "certainly_wrong", ("m1",))


def test_a_column_of_negative_scores(tmp_path):
    columns = _honest()
    columns["neg_MSE"] = ["-" + cell for cell in columns.pop("MSE")]
    audit = _audited(tmp_path, columns)
    assert audit.findings == ()
    assert any("every number is negative" in note for note in audit.notes)


def test_mae_above_rmse_in_a_table_of_only_these(tmp_path):
    (finding,) = _audited(tmp_path, {"MAE": ["0.22", "0.36"], "RMSE": ["0.20", "0.60"]}, averaging="datasets").findings
    assert (finding.kind, finding.verdict, finding.rows) == ("mae_above_rmse", "certainly_wrong", ("m0",))


def test_rmse_squared_above_mse_is_certain_whatever_was_averaged(tmp_path):
    columns = _honest()
    columns["MSE"][0] = "0.1133"  # 0.3512² = 0.1233
    for averaging in ("undeclared", "none", "seeds", "datasets"):
        findings = _audited(tmp_path, columns, averaging=averaging).findings
        assert ("rmse_squared_above_mse", "certainly_wrong", ("m0",)) in {(f.kind, f.verdict, f.rows) for f in findings}
