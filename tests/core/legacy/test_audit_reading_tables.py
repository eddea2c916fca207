"""Tables as people write them: numbers, headings, layouts; and one clear error where a table cannot be read."""

from __future__ import annotations

import json
from fractions import Fraction

import pytest

from golden_core.legacy.audit.auditing import audit_markdown, audit_record, audit_table
from golden_core.legacy.audit.grid import TableError
from golden_core.legacy.audit.headings import read_heading, read_role
from golden_core.legacy.audit.printed import CellError, parse
from golden_core.legacy.audit.table import read_table


def _file(tmp_path, text):
    path = tmp_path / "table.csv"
    path.write_bytes(text.encode())
    return path


@pytest.mark.parametrize(("text", "value", "unit"), [
    ("0.50", "0.5", "0.01"), ("0.5", "0.5", "0.1"), (".5", "0.5", "0.1"), ("5.", "5", "1"),
    ("-0.10", "-0.1", "0.01"), ("−0.10", "-0.1", "0.01"), ("➖0.10", "-0.1", "0.01"),
    ("+3", "3", "1"), ("3.30e-3", "0.0033", "0.00001"),
    ("3.3E+2", "330", "10"), ("3.3×10⁻³", "0.0033", "0.0001"), ("3.3 x 10^-3", "0.0033", "0.0001"),
    ("3.3·10^{-3}", "0.0033", "0.0001"), ("1,234.5", "1234.5", "0.1"), ("1 234.5", "1234.5", "0.1"),
    ("1’234.5", "1234.5", "0.1"), ("0.0123 ± 0.0004", "0.0123", "0.0001"), ("0.0123 ± nan", "0.0123", "0.0001"),
    ("0.0123 (0.0004)", "0.0123", "0.0001"), ("0.0123(4)", "0.0123", "0.0001"), ("98.65%", "98.65", "0.01"),
    ("98.6 ± 0.2 %", "98.6", "0.1"), ("**0.012**", "0.012", "0.001"), ("0.012*", "0.012", "0.001"),
    ("0.012†", "0.012", "0.001"), ("0.012₁", "0.012", "0.001"), ("0.012 ₂₃", "0.012", "0.001"), ("0.000", "0", "0.001"),
    ("0.12345678901234567", "0.12345678901234567", "1e-12"),  # digits beyond the twelfth are arithmetic noise
])  # fmt: skip
def test_printed_numbers(text, value, unit):
    found = parse(text, decimal_comma=False)
    assert found is not None
    assert (found.value, found.unit) == (Fraction(value), Fraction(unit))


@pytest.mark.parametrize("text", ["0.696 🏆", "**0.696** ⭐", "✅ 0.696", "0.696 ✔"])
def test_cups_and_stars_beside_numbers_say_nothing(text):
    found = parse(text, decimal_comma=False)
    assert found is not None
    assert (found.value, found.sign) == (Fraction("0.696"), "")


@pytest.mark.parametrize(("text", "unit"), [
    ("0.696 °C", "°C"), ("0.696±0.1 °F", "°F"), ("0.696 °C ± 0.1 °C", "°C"), ("0.696dB", "dB"), ("$0.696k", "k"),
    ("0.696°", "°"), ("0.696 µg/m³", "μg/m^3"), ("0.696 kWh", "kWh"), ("0.696 días", "días"),
])  # fmt: skip
def test_errors_may_have_the_unit_of_another_field(text, unit):
    found = parse(text, decimal_comma=False, physical=True)
    assert found is not None
    assert (found.value, found.sign) == (Fraction("0.696"), unit)
    with pytest.raises(CellError):
        parse(text, decimal_comma=False)  # where it is no error: "24 h" tells a horizon


def test_thousands_and_more_are_factors_where_they_differ(tmp_path):
    rows = "A,66.9k,4.48B,0.9\nB,1.08M,1.16T,-\nC,90,8123,0.7\n"
    found = read_table(_file(tmp_path, "model,RMSE,MSE,R2\n" + rows)).rows
    assert [float(row.cells["rmse"].value) for row in found] == [66_900, 1_080_000, 90]
    assert [float(row.cells["mse"].unit) for row in found] == [1e7, 1e10, 1]


def test_units_in_cells_are_those_of_the_whole_column(tmp_path):
    rows = "| A | 24 h | 0.5 °C | 0.75 |\n| A | 48 h | 0.6 °C | 0.64 |\n"
    header = "| model | horizon | RMSE | R2 |\n| --- | --- | --- | --- |\n"
    path = tmp_path / "table.md"
    path.write_text(header + rows)
    assert [row.test_set for row in read_table(path).rows] == [("24 h",), ("48 h",)]
    path.write_text(header + rows.replace("0.6 °C", "0.6"))
    with pytest.raises(TableError, match=r"column 3.*°C.*others not"):
        read_table(path)


@pytest.mark.parametrize(
    "text",
    ["abc", "0.1.2", "1,23", "<0.01", "≈3", "1e9999", "0.5 0.6", "12 13", "inf", "0.5 ± x", "1" * 70, "%", "e5", "."],
)
def test_what_is_no_number(text):
    with pytest.raises(CellError):
        parse(text, decimal_comma=False)


@pytest.mark.parametrize("scale", ["", " (x10^29)", " (x10^-29)"])
def test_numbers_of_any_size_are_audited_or_refused(tmp_path, scale):
    """A model that diverged: what a double does not hold squared is refused, and nothing else."""
    rows = ["a,9e{0},9e{0},0.5", "b,1e{0},2e{0},0.9", "c,3e-{0},4e-{0},-5e{0}"]
    for power in (38, 200):
        text = "\n".join([f"model,RMSE{scale},MSE,R2", *(row.format(power) for row in rows)])
        if power == 38:
            found = audit_table(_file(tmp_path, text))
            assert audit_markdown(found)
            json.dumps(audit_record(found), allow_nan=False)
        else:
            with pytest.raises(TableError, match=r"column 2 .*'9e200' is beyond 10\^±40, as no error is; write - to"):
                audit_table(_file(tmp_path, text))


def test_blank_cells():
    blank = ("", " ", "-", "–", "—", "―", "n/a", "NaN", "N.A.", "…")
    assert [text for text in blank if parse(text, decimal_comma=False) is not None] == []


@pytest.mark.parametrize(("heading", "metric", "part"), [
    ("Root Mean Sq. Error", "rmse", ""), ("Root MSE", "rmse", ""), ("√MSE", "rmse", ""),
    ("RMS error", "rmse", ""), ("Mean Abs. Error", "mae", ""), ("Genauigkeit (RMSE)", "rmse", "genauigkeit"),
    ("R2 (test)", "r2", ""), ("Val MSE loss", "mse", "val"), ("ＲＭＳＥ", "rmse", ""), ("VAR RMSE", "rmse", "var"),
    ("MAE", "mae", ""), ("Mean Absolute Error (MAE)", "mae", ""), ("rmse", "rmse", ""),
    ("Root Mean Squared Error", "rmse", ""), ("Mean squared error", "mse", ""), ("R²", "r2", ""),
    ("R^2", "r2", ""), ("R$^2$", "r2", ""), ("R-squared", "r2", ""), ("r_squared", "r2", ""),
    ("R2 score", "r2", ""), ("Test RMSE", "rmse", "test"), ("trainRMSE", "rmse", "train"),
    ("RMSE_EURUSD", "rmse", "eurusd"), ("MAE↓", "mae", ""), ("MAPE (%)", "mape", ""),
    ("15 min MAE", "mae", "15min"), ("MSE ± SD", "mse", ""), ("MAE +/- std", "mae", ""), ("RMSE in °C", "rmse", ""),
])  # fmt: skip
def test_headings_of_metrics(heading, metric, part):
    found = read_heading(heading)
    assert found is not None
    assert (found.metric, found.part) == (metric, part)


@pytest.mark.parametrize("heading", [
    "variant", "RMSE std", "Adj. R²", "NRMSE", "sMAPE", "RMSE improvement (%)", "Δ RMSE", "R", "rank MAE", "skill",
    "RMSE var", "R² (adj.)", "RMSE (normalized)", "MSE (log)", "1 − R²", "RMSE²", "Weighted MAE", "MSLE", "RMSPE",
    "R̄²", "Bereinigtes R²", "R² ajusté", "RMSE gap", "Train − test RMSE",
])  # fmt: skip
def test_headings_of_other_things(heading):
    assert read_heading(heading) is None


def test_a_level_of_confidence_is_no_percentage():
    found = [read_heading(text) for text in ("R² [95 % CI]", "R² (95% CI)", "R² (%)", "R² %")]
    assert [heading and heading.percent for heading in found] == [False, False, True, True]


@pytest.mark.parametrize(("heading", "role"), [
    ("Model", "label"), ("Data set", "test_set"), ("Horizon", "test_set"), ("params", None),
    ("Model name", "label"), ("Name", "label"), ("Stock name", "test_set"), ("Exchange rate", "test_set"),
    ("Study", "test_set"), ("Author(s)", "test_set"),
])  # fmt: skip
def test_roles(heading, role):
    assert read_role(heading) == role


@pytest.mark.parametrize(
    ("text", "sets"),
    [
        (  # variances 1 and 10, R² in percent
            "Dataset,Model,RMSE,R² (%)\nETTh1,LSTM,0.500,75.00\nETTh1,TCN,0.600,64.00\n"
            "WTI,LSTM,2.000,60.00\nWTI,TCN,1.500,77.50\n",
            {"ETTh1": ("ETTh1 / LSTM", "ETTh1 / TCN"), "WTI": ("WTI / LSTM", "WTI / TCN")},
        ),
        (
            "model,h,RMSE,R2\nA,1,0.500,0.750\nB,1,0.600,0.640\nA,24,2.000,0.600\nB,24,1.500,0.775\n",
            {"1": ("1 / A", "1 / B"), "24": ("24 / A", "24 / B")},
        ),
        (
            "Model,RMSE,R2\nEURUSD,,\nA,0.150,0.900\nB,0.160,0.886\nUSDJPY,,\nA,15.0,0.800\nB,16.0,0.772\n",
            {"EURUSD": ("EURUSD / A", "EURUSD / B"), "USDJPY": ("USDJPY / A", "USDJPY / B")},
        ),
        (
            "model,Train RMSE,Test RMSE,Train R2,Test R2\nA,0.15,0.30,0.900,0.640\nB,0.16,0.35,0.886,0.510\n",
            {"train": ("train / A", "train / B"), "test": ("test / A", "test / B")},
        ),
        (",model,RMSE,R2,,\n0,A,0.500,0.750,,\n1,B,0.600,0.640,,\n", {"": ("A", "B")}),  # columns of a spreadsheet
    ],
)
def test_what_tells_test_sets_apart(tmp_path, text, sets):
    audit = audit_table(_file(tmp_path, text))
    assert audit.findings == ()
    assert {found.name: found.rows for found in audit.test_sets} == sets


def test_merged_cells_and_rows_of_averages(tmp_path):
    path = _file(
        tmp_path,
        "Dataset,Model,RMSE,MSE,R2\nx,A,0.500,0.2500,0.750\n,B,0.600,0.3600,0.640\ny,A,2.000,4.000,0.600\n"
        ",B,1.500,2.250,0.775\nAverage,A,1.250,2.125,0.675\n,B,1.050,1.305,0.708\n",
    )
    audit = audit_table(path)
    assert audit.findings == ()
    assert [found.name for found in audit.test_sets] == ["x", "y"]
    # An average is no excuse for RMSE² above MSE.
    broken = path.read_text().replace("2.125", "1.125")
    (finding,) = audit_table(_file(tmp_path, broken), averaging="none").findings
    assert (finding.kind, finding.rows) == ("rmse_squared_above_mse", ("Average / A",))


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_delimiters_and_line_ends(tmp_path, delimiter, newline):
    lines = ["\ufeffmodel,RMSE,R2", "A,0.150,0.900", "", "B,0.160,0.886", ""]
    audit = audit_table(_file(tmp_path, newline.join(lines).replace(",", delimiter)))
    assert [row.line for row in audit.rows] == [2, 4]


def test_decimal_commas(tmp_path):
    table = read_table(_file(tmp_path, "Modell;RMSE;R²\nA;1.234,50;0,900\nB;0,160;0,886\n"))
    assert [row.cells["rmse"].value for row in table.rows] == [Fraction("1234.5"), Fraction("0.16")]


def test_final_zeros_of_whole_numbers_may_only_hold_a_place(tmp_path):
    """A column rounded to three digits prints 1234.5² as 1520000: not a number known to one unit."""
    path = _file(tmp_path, "model,RMSE,MSE\nA,1234.5,1520000\nB,987.6,975000\nC,12.3,151\n")
    assert audit_table(path).findings == ()
    units = [row.cells["mse"].unit for row in read_table(path).rows]
    assert units == [10_000, 1000, 1]
    # Where the column prints as many digits, the zeros are digits.
    path = _file(tmp_path, "model,RMSE,MSE\nA,10.00,100\nB,11.00,121\nC,10.00,110\n")
    assert audit_table(path, averaging="none").findings[0].rows == ("C",)


def test_rows_that_cannot_be_compared_are_said_so(tmp_path):
    audit = audit_table(_file(tmp_path, "dataset,RMSE,R2\nx,0.5,0.7\ny,0.9,0.1\n"))
    assert any("No two rows" in note for note in audit.notes)


def test_a_stranger_cannot_write_the_page(tmp_path):
    path = _file(tmp_path, 'model,RMSE,MSE\n"a|b\n# x [y](z) <i>",2,3\n')
    page = audit_markdown(audit_table(path))
    assert "a\\|b # x [y]\\(z) \\<i\\>" in page
    assert "1 row was held against" in page
    assert not any(line.startswith("# x") for line in page.splitlines())


def test_columns_that_the_caller_names(tmp_path):
    path = _file(tmp_path, "Verfahren,Markt,|e|,e2,RMSE\nA,oil,0.4,0.25,0.9\nA,gas,0.4,0.36,0.9\n")
    columns = {"mae": ["|e|"], "mse": ["e2"], "rmse": [], "label": ["Verfahren"], "test_set": ["Markt"]}
    audit = audit_table(path, columns=columns)
    assert audit.findings == ()
    assert [row.name for row in audit.rows] == ["oil / A", "gas / A"]
    assert set(audit.rows[0].cells) == {"mae", "mse"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "table.csv: is empty"),
        ("\n \n", "table.csv: is empty"),
        ("model,RMSE\n", "table.csv: there are no rows"),
        ("model,score\nA,1\n", r"table.csv:1: no heading names MAE, MSE, RMSE, R², MAPE; it has model, score"),
        ("model,RMSE\nA,1\nB,abc\n", r"table.csv:3: column 2 \('RMSE'\): 'abc' is not a number"),
        ("model,RMSE\nA,1\nB,<0.1\n", r"table.csv:3: column 2 \('RMSE'\): '<0.1' is a bound"),
        ("model,RMSE\nA,1\n\nB,1,2\n", "table.csv:4: column 3: the row has 3 cells, the header has 2"),
        ("model,RMSE,R2\nA,1\n", "table.csv:2: column 3: the row has 2 cells, the header has 3"),
        ('model,RMSE\n"A,1\n', "table.csv:2: a quotation mark is not closed"),
        ("model,RMSE,RMSE\nA,1,1\n", "table.csv:1: column 3: 'RMSE' is the heading of an earlier column"),
        ("model,RMSE,rmse score\nA,1,1\n", r"table.csv:1: column 3 \('rmse score'\): reads as RMSE"),
        ("model,RMSE\nA,-\nB,n/a\n", "table.csv: no row has a number"),
        ("model;RMSE;MSE\nA;0,5;0.25\n", r"table.csv:2: column 2 \('RMSE'\): '0,5' has a decimal comma, but line 2"),
        ("model;RMSE\nA;1,234\n", r"table.csv:2: column 2 \('RMSE'\): the comma in '1,234' may separate"),
        ("model,RMSE\nA,2.0%\nB,3.0\n", r"table.csv:3: column 2 \('RMSE'\): some cells of the column have a '%'"),
    ],
)
def test_malformed_tables(tmp_path, text, message):
    with pytest.raises(TableError, match=message):
        audit_table(_file(tmp_path, text))


def test_files_that_are_not_there(tmp_path):
    with pytest.raises(TableError, match="cannot be read: No such file"):
        audit_table(tmp_path / "absent.csv")
    with pytest.raises(TableError, match="cannot be read: Is a directory"):
        audit_table(tmp_path)


def test_tables_that_are_too_large(tmp_path):
    with pytest.raises(TableError, match="more than 2000 rows"):
        audit_table(_file(tmp_path, "model,RMSE\n" + "A,1\n" * 2001))
    with pytest.raises(TableError, match="larger than 5 MB"):
        audit_table(_file(tmp_path, "model,RMSE\n" + "A,1\n" * 1_300_000))
    header = ",".join(["model", *(f"RMSE d{number}" for number in range(50))])
    wide = "".join(f"m{row}{',1' * 50}\n" for row in range(50))
    with pytest.raises(TableError, match="has 2500 rows of numbers; a published table has at most 2000"):
        audit_table(_file(tmp_path, f"{header}\n{wide}"))


def test_a_heading_as_long_as_a_book_names_no_baseline(tmp_path):
    heading = "gain " * 20_000
    table = read_table(_file(tmp_path, f"model,RMSE,{heading}\nA,1,5%\nB,2,6%\n"))
    assert [row.name for row in table.rows] == ["A", "B"]
    audit_table(_file(tmp_path, f"model,RMSE,{heading}\nA,1,5%\nB,2,6%\n"))


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"error": ["RMSE"]}, "nothing is called 'error'; known: mae"),
        ({"mae": ["MAE"]}, "there is no column 'MAE' for mae; it has model, RMSE"),
        ({"rmse": []}, "no heading names"),
        ({"rmse": ["RMSE", "model"]}, "reads as RMSE"),
    ],
)
def test_columns_that_are_not_there(tmp_path, columns, message):
    with pytest.raises(TableError, match=message):
        audit_table(_file(tmp_path, "model,RMSE\nA,1\n"), columns=columns)
