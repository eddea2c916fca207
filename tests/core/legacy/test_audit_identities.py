"""Rows that contradict themselves and columns in disguise are named; honest ones that come close to it are not."""

from __future__ import annotations

import numpy as np
import pytest

from golden_core.legacy.audit.auditing import audit_table
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


def _honest(**changed):
    columns = {
        "MAE": _printed(0.8 * x for x in RMSE),
        "MSE": _printed(x * x for x in RMSE),
        "RMSE": _printed(RMSE),
        "R2": _printed(R2),
    }
    return columns | changed


def _said(audit):
    return [(finding.kind, finding.verdict) for finding in audit.findings]


SQUARES = _printed(x * x for x in RMSE)


@pytest.mark.parametrize(
    ("says", "columns", "verdict"),
    [
        ("MAE = RMSE²", _honest(MAE=SQUARES), "certainly_wrong"),
        ("MSE = RMSE", _honest(MSE=_printed(RMSE)), "certainly_wrong"),
        ("MSE = RMSE", _honest(RMSE=SQUARES), "certainly_wrong"),
        (
            "MSE = √MAE",
            {"MAE": _honest()["MAE"], "MSE": _printed((0.8 * x) ** 0.5 for x in RMSE), "R2": _printed(R2)},
            "certainly_wrong",
        ),
        ("MAE = MSE", {"MAE": SQUARES, "MSE": SQUARES}, "certainly_wrong"),
        ("MAE = RMSE", {"MAE": _printed(RMSE), "RMSE": _printed(RMSE)}, "open"),  # may be one test point
    ],
)
def test_a_column_in_disguise(tmp_path, says, columns, verdict):
    audit = _audited(tmp_path, columns)
    assert _said(audit) == [("disguised_column", verdict)]
    assert audit.findings[0].sentence.startswith(says)
    assert len(audit.findings[0].rows) == len(RMSE)


def test_gaussian_errors_around_a_standard_deviation_of_080_are_no_disguise(tmp_path):
    """MAE = √(2/π) σ is σ² where σ = 0.798: close to MAE = RMSE² in every row, and honest."""
    for index in range(50):
        generator = Stream(index, ("tests", "audit", "gaussian")).generator()
        rmse = 0.798 * (1 + 0.01 * generator.normal(size=20))
        columns = {"MAE": _printed(rmse * (2 / np.pi) ** 0.5, 3), "RMSE": _printed(rmse, 3)}
        assert _audited(tmp_path, columns).findings == ()


@pytest.mark.parametrize(
    "columns",
    [
        _honest(),
        {"MAE": ["0.80"] * 5, "MSE": ["1.00"] * 5, "RMSE": ["1.00"] * 5},  # around one, both print as 1.00
        {"MAE": ["0.3", "0.4", "0.5"], "RMSE": ["0.3", "0.4", "0.5"]},  # few digits
        {"R² (%)": _printed((100 * r2 for r2 in R2), 2), "MAE": _honest()["MAE"], "RMSE": _honest()["RMSE"]},
        {"RMSE": _printed(RMSE), "MSE (×10⁻²)": [f"{x * x * 100:.5g}" for x in RMSE], "R2": _printed(R2)},
    ],
)
def test_nothing_is_wrong(tmp_path, columns):
    assert _audited(tmp_path, columns).findings == ()


@pytest.mark.parametrize("power", [-8, -4, 4, 8])
@pytest.mark.parametrize("averaging", ["undeclared", "none", "seeds"])
def test_mse_in_another_unit(tmp_path, power, averaging):
    """No mean over a hundred runs is that far from the square of RMSE; the one factor of all rows is named."""
    columns = _honest(MSE=[f"{x * x * 10.0**power:.4e}" for x in RMSE])
    finding = _audited(tmp_path, columns, averaging=averaging).findings[0]
    kind = "rmse_squared_above_mse" if power < 0 else "rmse_squared_below_mse"
    assert (finding.kind, finding.verdict, len(finding.rows)) == (kind, "certainly_wrong", len(RMSE))
    assert finding.readings[-1].name == "one factor"


def test_rmse_in_pips_and_mse_in_price(tmp_path):
    columns = {"RMSE": ["11.98", "12.60", "13.51"], "MSE": ["0.0000014352", "0.0000015876", "0.0000018252"]}
    assert _said(_audited(tmp_path, columns)) == [("rmse_squared_above_mse", "certainly_wrong")]
    declared = {"RMSE (pips)": columns["RMSE"], "MSE (price²)": columns["MSE"]}
    assert _said(_audited(tmp_path, declared)) == [("rmse_squared_above_mse", "open")]


def test_degrees_of_freedom_are_a_small_constant_factor(tmp_path):
    columns = {"MSE": _printed((x * x for x in RMSE), 6), "RMSE": _printed((x / 0.95**0.5 for x in RMSE), 6)}
    (finding,) = _audited(tmp_path, columns).findings
    assert finding.verdict == "open"
    assert any(reading.name == "degrees of freedom" and "k = 5 %" in reading.sentence for reading in finding.readings)


def test_percent_signs_of_a_fraction_squared(tmp_path):
    """2 % squared is 0.04 %, as it says."""
    audit = _audited(tmp_path, {"RMSE": ["2.0%", "3.0%"], "MSE": ["0.040%", "0.090%"]})
    assert {finding.verdict for finding in audit.findings} == {"open"}


@pytest.mark.parametrize(
    ("unit", "verdict"),
    [("%", "open"), ("pips", "open"), ("k", "open"), (" usd", "certainly_wrong"), (" cars", "certainly_wrong")],
)
def test_the_name_of_a_unit_in_every_cell_is_no_factor(tmp_path, unit, verdict):
    columns = {"RMSE": ["10.0", "20.0", "30.0"], "MSE": ["500.0", "900.0", "1900.0"]}
    named = {name: [cell + unit for cell in cells] for name, cells in columns.items()}
    path = tmp_path / "table.csv"
    path.write_text(
        "model,RMSE,MSE\n" + "".join(f"m{i},{a},{b}\n" for i, (a, b) in enumerate(zip(*named.values(), strict=True)))
    )
    (finding,) = audit_table(path, averaging="none").findings
    assert (finding.kind, finding.verdict) == ("rmse_squared_below_mse", verdict)


@pytest.mark.parametrize(
    ("column", "cells", "verdict", "reading"),
    [
        ("R2", _printed((100 * r2 for r2 in R2), 2), "open", "R² in percent"),  # and no sign says so
        ("R² (%)", _printed(R2), "open", "R² as fractions"),
        ("R2", [*_printed(R2)[:4], "9.9"], "certainly_wrong", None),
    ],
)
def test_r2_and_its_percent_sign(tmp_path, column, cells, verdict, reading):
    audit = _audited(tmp_path, {"RMSE": _printed(RMSE), column: cells})
    assert {finding.verdict for finding in audit.findings if finding.kind != "ranking"} == {verdict}
    assert [r.name for r in audit.findings[0].readings if r.name.startswith("R² ") and r.status == "explains"] == (
        [reading] if reading else []
    )


@pytest.mark.parametrize(
    ("metric", "sign", "kind"), [("R2", "9", "impossible_value"), ("MAE", "-", "impossible_value")]
)
def test_one_impossible_number(tmp_path, metric, sign, kind):
    columns = _honest()
    columns[metric][2] = sign + columns[metric][2]
    (finding,) = _audited(tmp_path, columns).findings
    assert (finding.kind, finding.verdict, finding.rows) == (kind, "certainly_wrong", ("m2",))


def test_a_column_of_negative_scores(tmp_path):
    columns = _honest()
    columns["neg_MSE"] = ["-" + cell for cell in columns.pop("MSE")]
    audit = _audited(tmp_path, columns)
    assert audit.findings == ()
    assert any("every number is negative" in note for note in audit.notes)


@pytest.mark.parametrize("averaging", ["undeclared", "none", "seeds", "datasets"])
def test_what_no_averaging_can_do_is_certain(tmp_path, averaging):
    columns = _honest()
    columns["MSE"][0] = "0.1133"  # 0.3512² = 0.1233
    columns["MAE"][1] = "0.5207"  # above RMSE 0.4207
    said = {(f.kind, f.verdict, f.rows) for f in _audited(tmp_path, columns, averaging=averaging).findings}
    assert ("rmse_squared_above_mse", "certainly_wrong", ("m0",)) in said
    assert ("mae_above_rmse", "certainly_wrong", ("m1",)) in said


@pytest.mark.parametrize("heading", ["MAE (%)", "MAE (pips)", "MAE [USD]", "MAE"])
@pytest.mark.parametrize("squares", [True, False])
def test_an_mae_in_a_unit_of_its_own_accuses_nobody(tmp_path, heading, squares):
    """That MSE is the square of RMSE says nothing about the unit of MAE."""
    columns = {"MSE": SQUARES, "RMSE": _printed(RMSE)} if squares else {"RMSE": _printed(RMSE)}
    columns[heading] = [f"{80 * x:.2f}{'%' if heading == 'MAE' else ''}" for x in RMSE]
    assert _said(_audited(tmp_path, columns)) == [("mae_above_rmse", "open")]


@pytest.mark.parametrize(
    "headings", [("MAE (%)", "RMSE (%)"), ("MAE (×10⁻³)", "RMSE (×10⁻³)"), ("MAE (pips)", "RMSE (pips)")]
)
def test_one_unit_for_both_excuses_nothing(tmp_path, headings):
    columns = dict(zip(headings, (_printed((1.3 * x for x in RMSE), 3), _printed(RMSE, 3)), strict=True))
    assert _said(_audited(tmp_path, columns)) == [("mae_above_rmse", "certainly_wrong")]


@pytest.mark.parametrize(
    ("headings", "swapped"),
    [
        (("MSE", "RMSE (USD)", "MAE (USD)"), ("MAE", "RMSE")),
        (("MSE (×10⁻⁶)", "RMSE (×10⁻³)", "MAE (×10⁻³)"), ("MAE", "RMSE")),
        (("MSE (×10⁻⁶)", "RMSE (×10⁻³)", "MAE (×10⁻³)"), ("MSE", "RMSE")),
    ],
)
def test_told_units_do_not_excuse_what_they_do_not_explain(tmp_path, headings, swapped):
    """Swapped columns: MAE is above RMSE in one unit, and no other sense of the powers of ten makes RMSE² MSE."""
    values = {"MSE": [300 * x * x for x in RMSE], "RMSE": [300**0.5 * x for x in RMSE], "MAE": [13 * x for x in RMSE]}
    values[swapped[0]], values[swapped[1]] = values[swapped[1]], values[swapped[0]]
    columns = {heading: _printed(values[heading.split(" ")[0]]) for heading in headings}
    assert "certainly_wrong" in {finding.verdict for finding in _audited(tmp_path, columns).findings}


def test_an_rmse_in_percent_beside_an_mae_that_is_smaller_by_accident(tmp_path):
    """RMSE in percent of a mean price of 118: MAE, in the unit of the price, is above it in one row."""
    columns = {"RMSE (%)": ["8.475", "9.322", "11.864"], "MAE": ["8.100", "8.900", "12.100"]}
    assert _said(_audited(tmp_path, columns)) == [("mae_above_rmse", "open")]


def test_a_single_mae_above_its_rmse_is_no_unit(tmp_path):
    cells = [*_honest()["MAE"][:-1], "0.9100"]
    assert _said(_audited(tmp_path, _honest(MAE=cells))) == [("mae_above_rmse", "certainly_wrong")]
