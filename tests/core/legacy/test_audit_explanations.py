"""Innocent readings: what the audit makes of each."""

from __future__ import annotations

import numpy as np
import pytest

from golden_core.legacy.audit.auditing import audit_table
from golden_core.store.randomness import Stream

AGREEING = "A,0.5000,0.7500\nB,0.6000,0.6400\nC,0.7000,0.5100\nD,0.8000,0.3600\n"  # target variance 1
COARSE = "A,0.500,0.75\nB,0.600,0.64\nC,0.700,0.51\nD,0.400,0.84\n"


def _audited(tmp_path, rows, header="model,RMSE,R2", **keywords):
    path = tmp_path / "table.csv"
    path.write_text(f"{header}\n{rows}")
    return audit_table(path, **keywords)


def _readings(finding):
    return {reading.name: reading.status for reading in finding.readings}


@pytest.mark.parametrize(
    ("agreeing", "rmse", "status", "verdict"),
    [
        ("AGREEING", "0.4800", "explains", "open"),  # 0.9216 instead of 1: needs a variation of 0.29
        ("AGREEING", "0.4000", "explains", "open"),  # 0.64: needs one of 0.75
        ("AGREEING", "0.3400", "open", "different_test_sets"),  # 0.46: needs one of 1.08, as no two runs have
        ("COARSE", "0.4000", "explains", "open"),  # where the others may vary by 0.2 themselves
    ],
)
def test_a_row_below_the_others_may_be_a_mean(tmp_path, agreeing, rmse, status, verdict):
    (finding, *_) = _audited(tmp_path, {"AGREEING": AGREEING, "COARSE": COARSE}[agreeing] + f"E,{rmse},0.75\n").findings
    assert finding.rows == ("E",)
    assert finding.verdict == verdict
    found = _readings(finding)
    assert found["means over seeds"] == status
    assert found["R² as squared correlation"] == "excluded"
    assert found["adjusted R²"] == "open"


SCATTERED = ("0.2000,0.9000", "3.0000,0.8000", "40.0000,0.7000", "0.0100,0.6000", "7.0000,0.5000", "0.5000,0.4000")


@pytest.mark.parametrize(
    ("heading", "verdict"),
    [("model", "inconsistent"), ("learner", "inconsistent"), ("modelo", "inconsistent"), ("Größe", "open")],
)
def test_rows_that_no_heading_calls_models_may_have_data_of_their_own(tmp_path, heading, verdict):
    rows = "".join(f"r{i},{row}\n" for i, row in enumerate(SCATTERED))
    found = _audited(tmp_path, rows, header=f"{heading},RMSE,R2").findings
    assert {finding.verdict for finding in found} == {verdict}
    declared = _audited(tmp_path, rows, header=f"{heading},RMSE,R2", averaging="none").findings
    assert {finding.verdict for finding in declared} == {"inconsistent"}


@pytest.mark.parametrize("heading", ["Property", "Output", "Sector", "KPI", "学科", "Pollutant"])
def test_rows_about_other_data_are_not_compared(tmp_path, heading):
    rows = "".join(f"r{i},{row}\n" for i, row in enumerate(SCATTERED))
    assert _audited(tmp_path, rows, header=f"{heading},RMSE,R2").findings == ()


def test_names_that_share_a_variance_in_every_test_set_are_of_data(tmp_path):
    """A column "model" that holds pollutants: of each the variance is one at both horizons, and no two share it."""
    sizes = (1.0, 9.0, 400.0, 0.04)
    shares = {"4h": 0.19, "8h": 0.36}  # 1 − R², of every one
    rows = [f"p{i},{h},{(v * u) ** 0.5:.5f},{1 - u:.4f}\n" for h, u in shares.items() for i, v in enumerate(sizes)]
    found = _audited(tmp_path, "".join(rows), header="model,horizon,RMSE,R2").findings
    assert {finding.verdict for finding in found} == {"open"}
    rows[-1] = "p3,8h,0.30000,0.6400\n"  # 0.25 beside 0.04 at the other horizon
    found = _audited(tmp_path, "".join(rows), header="model,horizon,RMSE,R2").findings
    assert "inconsistent" in {finding.verdict for finding in found}


@pytest.mark.parametrize("cells", [("TRAIN", "TEST"), ("Training set", "test set"), ("val", "Test")])
def test_a_column_that_names_parts_of_the_data_tells_test_sets_apart(tmp_path, cells):
    rows = f"A,{cells[0]},1.0000,0.5000\nA,{cells[1]},1.5000,0.6000\n"
    assert _audited(tmp_path, rows, header="model,train or test,RMSE,R2").findings == ()
    for other in ("late", "test-time dropout"):  # not what parts of the data are called, or more than that
        assert _audited(tmp_path, rows.replace(cells[1], other), header="model,train or test,RMSE,R2").findings


def test_a_row_above_the_others_may_be_squared_correlation(tmp_path):
    (finding, *_) = _audited(tmp_path, AGREEING + "E,0.8000,0.7500\n").findings  # 2.56
    assert finding.rows == ("E",)
    assert finding.verdict == "different_test_sets"
    status = _readings(finding)
    assert status["means over seeds"] == "excluded"  # it would have to lower four rows by one factor
    assert status["R² as squared correlation"] == "open"
    assert status["adjusted R²"] == "excluded"
    (told,) = (r.sentence for r in finding.readings if r.name == "look-back")
    assert "at least 61 %" in told  # 1 − 1/2.56 = 0.609


def test_declared_single_runs_are_no_means(tmp_path):
    (finding, *_) = _audited(tmp_path, AGREEING + "E,0.4000,0.7500\n", averaging="none").findings
    assert finding.verdict == "different_test_sets"
    assert _readings(finding)["means over seeds"] == "excluded"


def test_a_percent_sign_in_the_cells_was_read_and_excuses_nothing(tmp_path):
    rows = "A,0.5000,75.00%\nB,0.6000,64.00%\nC,0.7000,51.00%\nD,0.8000,36.00%\nE,0.4000,75.00%\n"
    (finding, *_) = _audited(tmp_path, rows, averaging="none").findings
    assert (finding.verdict, finding.rows) == ("different_test_sets", ("E",))
    assert "R² in percent" not in _readings(finding)


@pytest.mark.parametrize(("said", "verdict"), [("CV", "open"), ("Avg", "open"), ("My", "different_test_sets")])
def test_headings_that_the_caller_names_may_tell_means(tmp_path, said, verdict):
    """Of folds the mean MSE and the mean R² have no variance in common."""
    path = tmp_path / "table.csv"
    path.write_text(f"model,{said} MSE,{said} R2\nA,2.1412,0.7880\nB,4.1647,0.6879\nC,4.1521,0.5889\n")
    audit = audit_table(path, columns={"mse": (f"{said} MSE",), "r2": (f"{said} R2",)})
    assert [finding.verdict for finding in audit.findings if finding.kind == "target_variance"] == [verdict]


def test_means_over_data_sets_have_no_test_set(tmp_path):
    audit = _audited(tmp_path, AGREEING + "E,0.8000,0.7500\n", averaging="datasets")
    assert audit.findings == ()
    assert "Means over data sets have no target variance: test sets were not compared." in audit.notes


def test_a_row_in_pips_among_prices(tmp_path):
    (finding, *_) = _audited(tmp_path, AGREEING + "E,5000,0.7500\n").findings
    assert finding.rows == ("E",)
    assert _readings(finding)["another scale"] == "open"


@pytest.mark.parametrize(
    ("rows", "verdict"),
    [
        ("A,2.000,40.00\nB,3.000,9.000\nC,1.500,2.250\n", "certainly_wrong"),  # 4 times ten
        ("A,2.000,400.0\nB,3.000,9.000\nC,1.500,2.250\n", "certainly_wrong"),
        ("A,2.000,41.00\nB,3.000,9.000\nC,1.500,2.250\n", "open"),
        ("A,2,40\nB,3,9\nC,1,2\n", "open"),  # 30 to 50 are no ten times 2.25 to 6.25
    ],
)
def test_a_decimal_point_that_slipped_is_no_mean(tmp_path, rows, verdict):
    finding = _audited(tmp_path, rows, header="model,RMSE,MSE").findings[0]
    assert (finding.kind, finding.verdict, finding.rows) == ("rmse_squared_below_mse", verdict, ("A",))


@pytest.mark.parametrize(
    ("factors", "verdict"),
    [
        ((1.0, 1.2, 1.5, 1.8, 2.2), "open"),  # the spread of RMSE over seeds
        ((1.0, 1.2, 1.5, 1.8, 90.0), "inconsistent"),  # most of its runs vary by more than their mean
        ((1.0, 30.0, 60.0, 90.0, 130.0), "inconsistent"),  # nobody has 130 runs
    ],
)
def test_the_more_rows_contradict_each_other_the_less_they_are_means(tmp_path, factors, verdict):
    rows = "".join(f"m{i},{(v * (0.3 + 0.02 * i)) ** 0.5:.5f},{0.7 - 0.02 * i:.4f}\n" for i, v in enumerate(factors))
    findings = _audited(tmp_path, rows).findings
    assert [f.verdict for f in findings if f.kind == "target_variance"] == [verdict]


@pytest.mark.parametrize(
    ("heading", "verdict"), [("", "open"), ("Name", "open"), ("Model", "inconsistent"), ("Model name", "inconsistent")]
)
def test_rows_of_which_no_two_are_near_may_each_be_of_their_own_data(tmp_path, heading, verdict):
    """Of gold, oil and bitcoin each has a variance of its own, whatever their heading; two silvers are near."""
    rows = "Gold,12.41,0.982\nCrude oil,1.873,0.961\nBitcoin,612.5,0.973\nSilver,0.412,0.955\n"
    two = "Gold,12.41,0.982\nBitcoin,612.5,0.973\n"
    for text, found in ((rows, "open"), (rows + "Plate,0.502,0.947\n", verdict), (two, "open")):
        findings = _audited(tmp_path, text, header=f"{heading},RMSE,R2").findings
        assert [f.verdict for f in findings if f.kind == "target_variance"] == [found]


def test_rows_that_all_print_rmse_squared_below_mse_may_be_means_over_data_sets(tmp_path):
    """Means over an index and a stock, scored alike by all models: RMSE² is below MSE in every row, and V is none."""
    rows = "A,30.20,1700,0.9500\nB,41.00,3300,0.9300\nC,22.00,900.0,0.9400\n"
    readings = {
        rows: "open",
        rows.replace("1700", "912.0"): "inconsistent",  # A is a single run: RMSE² = MSE
    }
    for text, verdict in readings.items():
        findings = _audited(tmp_path, text, header="model,RMSE,MSE,R2").findings
        assert [f.verdict for f in findings if f.kind == "target_variance"] == [verdict]


def test_two_sets_of_equal_size_are_two_test_sets(tmp_path):
    rows = AGREEING + "E,1.0000,0.7500\nF,1.2000,0.6400\nG,1.4000,0.5100\nH,1.6000,0.3600\n"
    audit = _audited(tmp_path, rows)
    assert [found.rows for found in audit.test_sets] == [("A", "B", "C", "D"), ("E", "F", "G", "H")]
    assert audit.findings[0].verdict == "different_test_sets"


@pytest.mark.parametrize(("averaging", "verdict"), [("undeclared", "open"), ("none", "inconsistent")])
def test_rows_that_agree_with_none(tmp_path, averaging, verdict):
    rows = "A,0.5000,0.7500\nB,0.8000,0.6400\nC,1.2000,0.5100\n"
    audit = _audited(tmp_path, rows, averaging=averaging)
    (variances,) = (finding for finding in audit.findings if finding.kind == "target_variance")
    assert variances.verdict == verdict
    assert "RMSE² = MSE, R² = 1 − MSE/variance and one test set cannot all hold" in variances.sentence


STRANGER = "Ridge,0.30,0.4000,0.9200\nForest,0.29,0.3800,0.9278\nBoosting,0.27,0.3500,0.9387\n{},0.28,0.3600,0.9300\n"


@pytest.mark.parametrize("name", ["LSTM", "Simple LSTM", "LSTM-v2", "Our LSTM model"])
def test_a_row_is_not_excused_by_its_own_name(tmp_path, name):
    audit = _audited(tmp_path, STRANGER.format(name), header="model,MAE,RMSE,R2", averaging="none")
    (finding,) = audit.findings
    assert (finding.verdict, finding.rows) == ("different_test_sets", (name,))


@pytest.mark.parametrize(
    ("row", "excluded", "named"),
    [
        ("C,3.0000,-0.1000", {"R² as squared correlation", "adjusted R²"}, None),
        ("C,30.0,-0.10", {"R² as squared correlation", "adjusted R²", "look-back"}, "another scale"),
        ("C,2519.812345,0.100000", {"adjusted R²", "look-back"}, "another scale"),
        ("C,30.0000,0.1000", {"adjusted R²", "look-back"}, "another scale"),
    ],
)
def test_what_cannot_be_is_excluded(tmp_path, row, excluded, named):
    rows = "A,0.5000,0.7500\nB,0.4000,0.8400\n" + row + "\n"
    (finding,) = _audited(tmp_path, rows, averaging="none").findings
    status = {reading.name: reading.status for reading in finding.readings}
    readings = {"R² as squared correlation", "adjusted R²", "look-back"}
    assert {name for name in readings if status[name] == "excluded"} == excluded
    assert status.get("another scale") == ("open" if named else None)
    assert finding.verdict == "different_test_sets"


def test_digits_padded_with_zeros_explain_what_a_copied_cell_does_not(tmp_path):
    header = "model,MSE,RMSE"
    (padded,) = _audited(tmp_path, "A,0.035720,0.188997\nB,0.070000,0.264601\n", header=header).findings
    assert padded.verdict == "open"
    assert [r.name for r in padded.readings if r.status == "explains"] == ["digits padded with zeros"]
    (copied,) = _audited(tmp_path, "A,0.0900,0.3000\nB,0.5300,0.5300\n", header=header).findings
    assert copied.verdict == "certainly_wrong"
    assert "one is a copy of the other" in copied.readings[-1].sentence


def test_a_ranking_is_no_worse_than_what_its_rows_contradict(tmp_path):
    """A is certainly wrong, C may be a mean; the reversal of the two is no more certain than that."""
    rows = "A,3.33,1.85,0.73\nB,3.27,1.81,0.78\nC,3.37,1.82,0.74\nD,6.11,2.46,0.48\n"
    audit = _audited(tmp_path, rows, header="model,MSE,RMSE,R2")
    (ranking,) = (finding for finding in audit.findings if finding.kind == "ranking")
    assert (ranking.verdict, ranking.rows) == ("open", ("A",))
    assert ranking.evidence == ("A and C: opposite orders by RMSE and MSE",)


def test_digits_cut_off_in_the_whole_table_explain_it(tmp_path):
    # RMSE and MSE of 0.2198, 0.3597 and 0.4996, cut off behind two and three digits.
    audit = _audited(tmp_path, "A,0.21,0.048\nB,0.35,0.129\nC,0.49,0.249\n", header="model,RMSE,MSE", averaging="none")
    (finding,) = audit.findings
    assert finding.verdict == "open"
    assert _readings(finding)["cut off, not rounded"] == "explains"
    # One row that cutting off does not explain, and the excuse is gone for all.
    audit = _audited(
        tmp_path, "A,0.21,0.048\nB,0.35,0.129\nC,0.49,0.249\nD,0.50,0.245\n", header="model,RMSE,MSE", averaging="none"
    )
    assert {f.verdict for f in audit.findings} == {"certainly_wrong"}


def test_an_mse_that_is_the_square_of_the_printed_rmse_is_no_more_precise(tmp_path):
    """Target variance 10; RMSE 1.2345 and R² of all digits, but MSE = 1.23²: to its digits, MSE/(1 − R²) is 9.93."""
    exact = (1.2345, 1.5146, 2.0354, 2.4953)
    rows = [(f"{x:.2f}", f"{float(f'{x:.2f}') ** 2:.4f}", f"{1 - x * x / 10:.5f}") for x in exact]
    text = "".join(f"m{i},{','.join(cells)}\n" for i, cells in enumerate(rows))
    findings = _audited(tmp_path, text, header="model,RMSE,MSE,R2").findings
    assert {finding.verdict for finding in findings} == {"open"}
    moved = text.replace(rows[0][2], "0.80123")
    findings = _audited(tmp_path, moved, header="model,RMSE,MSE,R2", averaging="none").findings
    assert "open" not in {finding.verdict for finding in findings}


def test_rounding_twice_explains_a_near_miss(tmp_path):
    # 1.04496 is rounded to 1.045 and then to 1.05, though its square is 1.09194.
    (finding,) = _audited(tmp_path, "A,1.05,1.0919\n", header="model,RMSE,MSE").findings
    assert finding.verdict == "open"
    assert _readings(finding)["rounded twice"] == "explains"


def test_single_precision_explains_the_last_of_many_digits(tmp_path):
    rmse = np.float32(0.0033363)
    rows = f"A,{float(rmse)!r},{float(rmse * rmse)!r}\n"
    audit = _audited(tmp_path, rows, header="model,RMSE,MSE")
    assert {f.verdict for f in audit.findings} <= {"open"}
    assert all(_readings(f)["32-bit arithmetic"] == "explains" for f in audit.findings)


def test_a_double_printed_in_full_is_not_accused(tmp_path):
    generator = Stream(0, ("tests", "audit", "readings")).generator()
    y, rows = 25 + np.cumsum(generator.normal(size=200)), ""
    for model in range(8):
        error = generator.normal(1, 2, size=200)
        mse = float(np.mean(error**2))
        rows += f"m{model},{np.abs(error).mean().item()!r},{mse!r},{mse**0.5!r},{1 - mse / y.var().item()!r}\n"
    assert _audited(tmp_path, rows, header="model,mae,mse,rmse,r2").findings == ()


def test_a_spread_declares_a_mean(tmp_path):
    rows = "A,2.00 ± 0.50,4.25\nB,3.00 ± 0.40,9.16\n"
    assert _audited(tmp_path, rows, header="model,RMSE,MSE").findings == ()
    (finding,) = _audited(tmp_path, rows, header="model,RMSE,MSE", averaging="none").findings
    assert finding.kind == "rmse_squared_below_mse"
    assert finding.verdict == "certainly_wrong"


def test_a_gap_names_the_runs_it_needs(tmp_path):
    (finding,) = _audited(tmp_path, "A,2.00,9.50\n", header="model,RMSE,MSE").findings
    assert finding.verdict == "open"
    (means,) = (r for r in finding.readings if r.name.startswith("means"))
    assert "at least 3 runs" in means.sentence  # 9.495 / 2.005² = 2.36


def test_a_column_nobody_recognised_may_tell_test_sets_apart(tmp_path):
    rows = "A,oil,0.500,0.750\nB,oil,0.600,0.640\nA,gas,2.000,0.600\nB,gas,1.500,0.775\n"
    (finding, *_) = _audited(tmp_path, rows, header="model,Venue,RMSE,R2").findings
    assert finding.verdict == "open"
    assert any(r.name == "another column" and "'Venue'" in r.sentence for r in finding.readings)
    assert _audited(tmp_path, rows, header="model,Venue,RMSE,R2", columns={"test_set": ["Venue"]}).findings == ()


def test_names_that_repeat_may_be_blocks(tmp_path):
    rows = "A,0.500,0.750\nB,0.600,0.640\nA,2.000,0.600\nB,1.500,0.775\n"
    (finding, *_) = _audited(tmp_path, rows).findings
    assert finding.verdict == "open"
    assert any("repetition of names" in r.sentence for r in finding.readings)
