"""Tables as other papers print them, scored from simulated errors, so that nothing in them may be accused."""

from __future__ import annotations

import numpy as np
import pytest

from golden_core.legacy.audit.auditing import audit_table
from golden_core.legacy.audit.grid import TableError
from golden_core.legacy.audit.headings import is_derived
from golden_core.legacy.audit.layout import named_columns
from golden_core.legacy.audit.printed import CellError, parse
from golden_core.legacy.audit.splits import read_splits
from golden_core.store.randomness import Stream

MODELS = ("ARIMA", "LSTM", "GRU", "Ours")
SUPERSCRIPTS = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")


def _scores(name, *, start=150.0, step=2.0, count=300):
    """Return MAE, MSE, RMSE and R² of the models on one series of prices."""
    generator = Stream(7, ("tests", "audit", "papers", name)).generator()
    y = start + np.cumsum(generator.normal(0, step, count))
    found = {}
    for model, size in zip(MODELS, (3.0, 2.0, 1.7, 1.2), strict=True):
        error = size * step * generator.standard_t(4, size=count)
        mse = float(np.mean(error**2))
        found[model] = {"mae": float(np.mean(np.abs(error))), "mse": mse, "rmse": mse**0.5, "r2": 1 - mse / y.var()}
    return found


STOCK = _scores("stock")
FX = _scores("fx", start=1.1, step=0.0008)
SERIES = {name: _scores(name, step=step) for name, step in (("AAPL", 1.0), ("IBM", 3.0), ("DAX", 8.0))}


def _file(tmp_path, text, name="table.csv", encoding="utf-8"):
    path = tmp_path / name
    path.write_bytes(text.encode(encoding))
    return path


def _lines(scores, row):
    return "".join(row(model, found) for model, found in scores.items())


def _plain(m, s):
    return f"{m},{s['rmse']:.3f},{s['mae']:.3f},{s['mse']:.3f},{s['r2']:.4f}\n"


HEAD = "Model,RMSE,MAE,MSE,R2\n"
STOCK_CSV = HEAD + _lines(STOCK, _plain)


@pytest.mark.parametrize("text", [
    # Markdown and a grid of text, with prose around.
    "Table 3: results.\n\n| Model | RMSE | MSE | R² |\n|:--|--:|:-:|---|\n"
    + _lines(STOCK, lambda m, s: f"| **{m}** | {s['rmse']:.3f} | _{s['mse']:.3f}_ | **{s['r2']:.4f}** |\n"),
    # Rows that no bar closes.
    "| Model | RMSE | MSE | R² |\n|---|---|---|---|\n"
    + _lines(STOCK, lambda m, s: f"| {m} | {s['rmse']:.3f} | {s['mse']:.3f} | {s['r2']:.4f}\n"),
    "+-----+-----+\n| Model | RMSE | MSE | R2 |\n+=====+=====+\n"
    + _lines(STOCK, lambda m, s: f"| {m} | {s['rmse']:.3f} | {s['mse']:.3f} | {s['r2']:.4f} |\n+---+---+\n"),
    "| Model | $\\mathrm{RMSE}$ | MSE | $R^2$ | R<sup>2</sup> (%) std |\n|---|---|---|---|---|\n"
    + _lines(
        STOCK,
        lambda m, s: (
            f"| <b>{m}</b> | $\\mathbf{{{s['rmse']:.3f}}}$ | <strong>{s['mse']:.3f}</strong><sup>a</sup> "
            f"| \\textbf{{{100 * s['r2']:.2f}\\%}} | 0.1 |\n"
        ),
    ),
    # What a spreadsheet puts before and behind.
    "sep=;\n" + STOCK_CSV.replace(",", ";"),
    "# run 12\n" + STOCK_CSV,
    "Table 3,,,,\nModel,0.5 h RMSE,0.5 h MAE,0.5 h MSE,0.5 h R2\n" + _lines(STOCK, _plain),
    "Table 3,,,,\n" + STOCK_CSV + "Note: best in bold\n",
    HEAD + _lines(STOCK, lambda m, s: _plain(m, s).replace("\n", ",,\n")),
    STOCK_CSV.replace("GRU", HEAD + "GRU"),
    STOCK_CSV.replace("Model,RMSE,MAE", 'Model,"RMSE\n(USD)",MAE'),
    # Marks that follow numbers, and what stands in for one that is missing.
    HEAD + _lines(STOCK, lambda m, s: _plain(m, s).replace(",", "†,", 1).replace("\n", "**\n")) + "X,OOM,—,n/r,-\n",
    HEAD + _lines(STOCK, lambda m, s: f"{m},${s['rmse']:.3f},{s['mae']:.3f} USD,{s['mse']:.3f}#,{s['r2']:.4f}ᵃ\n"),
    # Rows that are made from other rows.
    STOCK_CSV + "Improvement (%),44.1,55.9,73.2,3.1\nStd. dev.,0.1,0.2,0.3,0.004\n1st count,3,2,1,0\n",
    STOCK_CSV + "Improvement,44.1%,55.9%,73.2%,3.1%\nmax,9,1,1,0.9\n",
    STOCK_CSV + "Change (%),-44.1,-55.9,-73.2,3.1\n",
    STOCK_CSV + "LSTM beside ours,+0.1,-0.3,+0.2,-0.1\nGRU beside ours,−0.1,0.3,-0.2,0\n",
])  # fmt: skip
def test_layouts(tmp_path, text):
    audit = audit_table(_file(tmp_path, text))
    assert audit.findings == ()
    assert len(audit.rows) == 4
    assert {row.name.split(" / ")[-1].strip("†~ ") for row in audit.rows} == set(MODELS)
    assert audit.test_sets  # the variances were compared
    assert all(found.number == 1 for found in audit.test_sets)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_byte_order_marks(tmp_path, encoding):
    assert len(audit_table(_file(tmp_path, STOCK_CSV, encoding=encoding)).rows) == 4


@pytest.mark.parametrize(
    "headings",
    [
        "RMSE (train),RMSE (test),R2 (train),R2 (test)",
        "RMSE (z-score),RMSE ($),R2 (z-score),R2 ($)",
        "Train RMSE,OOS RMSE,Train R2,OOS R2",
    ],
)
def test_brackets_tell_columns_apart(tmp_path, headings):
    first, second = SERIES["AAPL"], SERIES["DAX"]
    rows = "".join(
        f"{m},{first[m]['rmse']:.3f},{second[m]['rmse']:.3f},{first[m]['r2']:.4f},{second[m]['r2']:.4f}\n"
        for m in MODELS
    )
    audit = audit_table(_file(tmp_path, f"Model,{headings}\n{rows}"))
    assert audit.findings == ()
    assert len(audit.test_sets) == 2


@pytest.mark.parametrize(
    "heading",
    ["Train MSE", "Val MSE", "MSE (validation)", "Val MSE loss", "MSE (normalized)", "Scaled MSE", "RMSE std"],
)
def test_columns_of_other_errors_are_not_held_against_these(tmp_path, heading):
    rows = _lines(STOCK, lambda m, s: f"{m},{s['mse'] / 390:.5f},{s['rmse']:.3f},{s['mae']:.3f},{s['r2']:.4f}\n")
    audit = audit_table(_file(tmp_path, f"Model,{heading},RMSE,MAE,R2\n{rows}"))
    assert audit.findings == ()
    assert len(audit.test_sets) == 1


@pytest.mark.parametrize(("heading", "factor", "verdicts"), [
    ("RMSE (×10⁻⁴)", 1e4, set()), ("RMSE [1e-4]", 1e4, set()), ("RMSE (x 10-4)", 1e4, set()),
    ("RMSE (x1000)", 1e3, set()), ('"RMSE × 10,000"', 1e4, set()),
    ("RMSE×10^4", 1e4, {"open"}), ("10⁴·RMSE", 1e4, {"open"}), ("RMSE * 1e4", 1e4, {"open"}),
])  # fmt: skip
def test_a_power_of_ten_is_the_unit_and_its_other_sense_is_left_open(tmp_path, heading, factor, verdicts):
    rows = _lines(FX, lambda m, s: f"{m},{s['mae']:.6f},{s['rmse'] * factor:.5g},{s['mse']:.4e},{s['r2']:.4f}\n")
    audit = audit_table(_file(tmp_path, f"Model,MAE,{heading},MSE,R2\n{rows}"))
    assert {finding.verdict for finding in audit.findings} == verdicts


@pytest.mark.parametrize("heading", ["RMSE (pips)", "RMSE (bps)", "RMSE [pips]", "RMSE (points)"])
def test_a_unit_that_one_heading_tells_explains_a_factor(tmp_path, heading):
    rows = _lines(FX, lambda m, s: f"{m},{s['mae']:.6f},{s['rmse'] * 1e4:.3f},{s['mse']:.4e}\n")
    audit = audit_table(_file(tmp_path, f"Model,MAE,{heading},MSE\n{rows}"))
    assert audit.findings
    assert {finding.verdict for finding in audit.findings} == {"open"}
    assert all(any(r.name == "declared units" for r in finding.readings) for finding in audit.findings)


@pytest.mark.parametrize("heading", ["Loss (MSE)", "MSE loss", "Test loss (MSE)"])
def test_a_loss_may_be_of_scaled_targets(tmp_path, heading):
    rows = _lines(STOCK, lambda m, s: f"{m},{s['mse'] / 390:.6f},{s['rmse']:.3f},{s['mae']:.3f},{s['r2']:.4f}\n")
    audit = audit_table(_file(tmp_path, f"Model,{heading},RMSE,MAE,R2\n{rows}"))
    assert {finding.verdict for finding in audit.findings} == {"open"}


def test_a_told_unit_is_no_excuse_for_one_row(tmp_path):
    rows = _lines(STOCK, lambda m, s: f"{m},{s['rmse']:.3f},{s['mse'] * (0.8 if m == 'GRU' else 1):.3f}\n")
    (finding,) = audit_table(_file(tmp_path, f"Model,RMSE (USD),MSE\n{rows}")).findings
    assert (finding.verdict, finding.rows) == ("certainly_wrong", ("GRU",))


@pytest.mark.parametrize(
    "style",
    ["{a}×10{s}", "{a} × 10^{b}", "{a}⋅10{s}", "{a}∙10{s}", "{a} x 10^({b})", "{a}✕10{s}",
     "{a}*10^{b}", "{a}*10**{b}", "{a}E{b}"],
)  # fmt: skip
def test_scientific_notation(tmp_path, style):
    def cell(x):
        a, b = f"{x:.3e}".split("e")
        return style.format(a=a, b=int(b), s=str(int(b)).translate(SUPERSCRIPTS))

    rows = _lines(FX, lambda m, s: f"{m},{cell(s['rmse'])},{cell(s['mse'])},{cell(s['mae'])},{s['r2']:.4f}\n")
    assert audit_table(_file(tmp_path, f"Model,RMSE,MSE,MAE,R2\n{rows}")).findings == ()


@pytest.mark.parametrize(("text", "value", "spread"), [
    ("8.387 [8.287, 8.487]", 8.387, True), ("8.387 (8.287; 8.487)", 8.387, True), ("8.387 (8.287–8.487)", 8.387, True),
    ("0.01 [-0.02--0.01]", 0.01, True), ("0.5 (3-5)", 0.5, False), ("3.8 (±0.2)", 3.8, True),
    ("3.8 [+/- 0.2]", 3.8, True), ("0.50 (-13.2%)", 0.5, False), ("0.50 (2)", 0.5, False), ("0.50 [12]", 0.5, False),
    ("12.5 pips", 12.5, False), ("€12.5", 12.5, False),
    ("0.93^a", 0.93, False), ("2.810**", 2.81, False), ("11.410***", 11.41, False),
])  # fmt: skip
def test_what_stands_around_a_number(text, value, spread):
    found = parse(text, decimal_comma=False)
    assert found is not None
    assert (float(found.value), found.spread) == (value, spread)


def test_a_power_of_ten_in_brackets_is_not_dropped():
    """7.071(-3) is 0.007071 to a Fortran programmer; without its brackets it would be called wrong."""
    with pytest.raises(CellError, match="may be a power of ten"):
        parse("7.071(-3)", decimal_comma=False)


def test_names_of_derived_rows():
    derived = ("Improvement over LSTM", "Std. dev.", "Δ (%)", "25%", "Avg. rank", "1st count", "max", "p-value", "SD")
    derived += ("Change (%)", "Percent change", "Relative change from naive", "Gain over LSTM", "Delta vs. best")
    models = ("VAR", "VAR(1)", "SE-ResNet", "Min-Max LSTM", "Gain-shape VQ", "Mean", "Average", "Delta-RNN", "MAX-pool")
    models += ("Change-point model", "Absolute")
    assert all(is_derived(name) for name in derived)
    assert not any(is_derived(name) for name in models)


def test_carried_zeros_do_not_count_as_digits(tmp_path):
    """Rounded to two digits, 9548 is 9500 and 0.00996 is often printed as 0.0100: that column has two digits."""
    path = _file(tmp_path, "model,RMSE,MSE\nA,0.0998,0.0100\nB,97.714,9500\nC,5.4772,30\n")
    assert audit_table(path, averaging="none").findings == ()


def test_a_truncated_table_is_not_in_two_units(tmp_path):
    rows = "A,0.0399,0.001\nB,0.0391,0.001\nC,0.0411,0.001\n"  # 0.00159, 0.00153 and 0.00169, cut off
    findings = audit_table(_file(tmp_path, "model,RMSE,MSE\n" + rows), averaging="none").findings
    assert {finding.verdict for finding in findings} == {"open"}


@pytest.mark.parametrize("name", ["{m} ({n})", "{m} {place}-step", "{m}_{place} days", "{m} (h={place})"])
def test_ends_of_names_may_tell_test_sets_apart(tmp_path, name):
    rows = "".join(
        f"{name.format(m=m, n=n, place=place)},{s[m]['rmse']:.3f},{s[m]['r2']:.4f}\n"
        for m in MODELS
        for place, (n, s) in enumerate(SERIES.items(), start=1)
    )
    (finding, *_) = audit_table(_file(tmp_path, "Model,RMSE,R2\n" + rows)).findings
    assert finding.verdict == "open"
    assert any("The ends of names may tell test sets apart" in reading.sentence for reading in finding.readings)


def _horizons(seed):
    """Yield model, horizon and scores; a longer horizon has a few targets less, and another variance."""
    generator = Stream(seed, ("tests", "audit", "papers", "horizons")).generator()
    count = int(generator.integers(60, 1500))
    y = 1.1 + np.cumsum(generator.normal(0, 0.0033, count))
    for model in ("LSTM", "GRU", "Transformer", "ARIMA")[: int(generator.integers(3, 5))]:
        error = generator.normal(0, 0.0033 * generator.uniform(0.3, 3), count)
        for h in (1, 3, 6, 12, 24):
            rmse = float(np.sqrt(np.mean(error[h:] ** 2) * h))
            yield model, h, f"{rmse:.4g},{1 - rmse**2 / y[h:].var():.4g}"


@pytest.mark.parametrize(("heading", "row"), [
    ("Model", "{m}-{h}h"), ("Model", '"{m}, {h}-hour-ahead"'), ("Model", "{m} {h} steps ahead"), ("Model", "{m}{h}"),
    ("Model,k", "{m},{h}"), ("Forecast step,Model", "{h},{m}"),
])  # fmt: skip
def test_horizons_however_they_are_told_are_not_one_test_set(tmp_path, heading, row):
    for seed in range(15):
        rows = "".join(f"{row.format(m=m, h=h)},{scores}\n" for m, h, scores in _horizons(seed))
        findings = audit_table(_file(tmp_path, f"{heading},RMSE,R2\n{rows}")).findings
        assert {finding.verdict for finding in findings} <= {"open"}, (seed, findings[0].sentence)


def test_a_number_that_one_row_has_alone_does_not_excuse_it(tmp_path):
    better = STOCK | {"Ours": STOCK["Ours"] | {"rmse": 0.8 * STOCK["Ours"]["rmse"]}}
    rows = "".join(f"{m},{64 if m == 'Ours' else 32},{s['rmse']:.3f},{s['r2']:.4f}\n" for m, s in better.items())
    (finding, *_) = audit_table(_file(tmp_path, "Model,Units,RMSE,R2\n" + rows), averaging="none").findings
    assert finding.verdict == "different_test_sets"


def test_folds_are_test_sets(tmp_path):
    rows = "".join(f"Fold {i},{s['GRU']['rmse']:.3f},{s['GRU']['r2']:.4f}\n" for i, s in enumerate(SERIES.values()))
    assert audit_table(_file(tmp_path, ",RMSE,R2\n" + rows)).findings == ()


@pytest.mark.parametrize(
    "headings",
    [
        "Mittlerer quadratischer Fehler (MSE);Wurzel daraus (RMSE);Mittlerer absoluter Fehler (MAE);Gütemaß (R²)",
        "ECM (MSE);RECM (RMSE);EAM (MAE);R2",
        "Squared loss (MSE);Typical error (RMSE);Size of errors (MAE);Explained share (R²)",
    ],
)
def test_words_before_a_metric_in_brackets_are_its_name_and_no_test_set(tmp_path, headings):
    rows = _lines(STOCK, lambda m, s: f"{m};{s['mse']:.3f};{s['rmse']:.3f};{s['mae']:.3f};{s['r2']:.4f}\n")
    audit = audit_table(_file(tmp_path, f"Modell;{headings}\n{rows}"))
    assert audit.findings == ()
    assert [found.rows for found in audit.test_sets] == [MODELS]


@pytest.mark.parametrize("label", ["{}", "LSTM {}", "LSTM ({})", "{} (H1)"])
@pytest.mark.parametrize("mark", ["/", "", "-"])
def test_a_pair_in_the_name_of_a_row_is_its_test_set(tmp_path, label, mark):
    pairs = (f"EUR{mark}USD", f"USD{mark}JPY", f"GBP{mark}USD")
    rows = "".join(
        f"{label.format(pair)},{s['GRU']['rmse']:.4f},{s['GRU']['r2']:.4f}\n"
        for pair, s in zip(pairs, SERIES.values(), strict=True)
    )
    audit = audit_table(_file(tmp_path, ",RMSE,R2\n" + rows))
    assert audit.findings == ()
    assert [found.name for found in audit.test_sets] == ["EURUSD", "USDJPY", "GBPUSD"]


@pytest.mark.parametrize("text", [
    "Element,Model,RMSE,R2\nCu,PLS,0.30,0.950\nMn,PLS,0.20,0.900\nMg,PLS,0.26,0.945\nSi,PLS,0.70,0.970\n",
    "Element,RMSE,R2,Best model\nCu,0.30,0.950,PLS\nMn,0.20,0.900,SVR\nMg,0.26,0.945,PLS\nSi,0.70,0.970,RF\n",
    "Model,Split,MSE,R2\nSale,Train,.0036,0.960\nRent,Train,.0016,0.820\nSale,Test,.0144,0.850\nRent,Test,.0028,0.700\n",
])  # fmt: skip
def test_models_that_are_told_of_other_things_are_not_what_the_rows_compare(tmp_path, text):
    audit = audit_table(_file(tmp_path, text))
    assert {finding.verdict for finding in audit.findings} == {"open"}
    assert [row.name[:2] for row in audit.rows] in (["Cu", "Mn", "Mg", "Si"], ["Tr", "Tr", "Te", "Te"])


def test_what_was_not_read_is_said(tmp_path):
    text = "Model,Params,NRMSE,RMSE,MSE\nA,12.5,0.1,2.0,4.0\nB,13.5,0.2,3.0,9.0\nRank,1,1,1,2\n"
    notes = audit_table(_file(tmp_path, text)).notes
    assert "Columns that were not read: Params, NRMSE." in notes
    assert "Rows that are made from other rows were left out: Rank." in notes


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"PK\x03\x04\0rest", "is no text; save the table as CSV"),
        (b"%PDF-1.7\n%\xe2\xe3", "table.csv:2: is not UTF-8 text; save the table as CSV"),
        (b"<html><table></table></html>", "is a web page, JSON or LaTeX; save the table as CSV"),
        (b'[{"model": "A", "RMSE": 1}]', "is a web page, JSON or LaTeX"),
        (b"\\begin{tabular}{lr}\nModel & RMSE", "is a web page, JSON or LaTeX"),
        (b"Metric,A,B\nRMSE,0.5,0.6\nMSE,0.25,0.36\n", "table.csv:1: the metrics stand in rows; exchange rows and col"),
        (b"Data,Metric,A\nx,RMSE,0.5\n,MAE,0.4\n", "table.csv:1: the metrics stand in rows"),
        (b"Metric,A\nTest R2,0.5 of 1\nTest RMSE,2.5 of 9\n", "table.csv:1: the metrics stand in rows"),
        (b"Model,AAPL,,IBM,\n,RMSE,R2,RMSE,R2\nA,1,0,2,0\n", "table.csv:2: column 4: 'RMSE' is the heading of an"),
        (b"0.5,0.3\n0.4,0.2\n", "table.csv:1: holds numbers, not headings"),
        (b'model,RMSE\n"A,1\nB,2\n', "table.csv:2: a quotation mark is not closed"),
    ],
)
def test_files_that_are_no_table(tmp_path, raw, message):
    path = tmp_path / "table.csv"
    path.write_bytes(raw)
    with pytest.raises(TableError, match=message):
        audit_table(path)


def test_options_are_read():
    assert named_columns(["mae=mean |e|", "rmse="]) == {"mae": ["mean |e|"], "rmse": []}
    with pytest.raises(TableError, match="'mae' is not KEY=HEADING"):
        named_columns(["mae"])
    found = read_splits(["96/2/2", "v_01=94/3/3"], n_rows=100, lost_rows=3)
    assert (found.default, found.rows) == ("96/2/2", {"v_01": "94/3/3"})
    for texts in (["v_01=94/3/3"], ["96/2/2", "94/3/3"], ["96/2/2", "v_01=94/3/3", "v_01=95/3/2"]):
        with pytest.raises(TableError, match=f"give one split without a row.* each row once; got {', '.join(texts)}"):
            read_splits(texts, n_rows=100, lost_rows=3)


def test_scattered_rows_that_agree_in_pairs_are_left_open(tmp_path):
    """RMSE averaged over seeds, and R²: each row has its own variance below the true one, and some meet by accident."""
    shifts = (1.0, 1.0, 0.93, 0.93, 0.93, 0.96, 0.96, 0.90, 0.90, 0.85)
    rows = "".join(f"m{i},{(v * (0.3 + 0.02 * i)) ** 0.5:.4f},{0.7 - 0.02 * i:.4f}\n" for i, v in enumerate(shifts))
    findings = audit_table(_file(tmp_path, "Model,RMSE,R2\n" + rows)).findings
    assert findings
    assert {finding.verdict for finding in findings} == {"open"}


def test_spreads_and_powers_of_ten_in_latex(tmp_path):
    rows = "A,$2.00 \\pm 0.50$,$4.25\\times10^{0}$\nB,$3.00 \\pm 0.40$,$9.16\\times 10^{0}$\n"
    audit = audit_table(_file(tmp_path, "Model,RMSE,MSE\n" + rows))
    assert audit.findings == ()
    assert [(row.averaged, float(row.cells["mse"].value)) for row in audit.rows] == [(True, 4.25), (True, 9.16)]


def test_means_over_folds_that_are_printed_with_their_spread_are_open(tmp_path):
    rows = ""
    for model in MODELS:
        runs = [scores[model] for scores in SERIES.values()]
        means = {k: (np.mean([r[k] for r in runs]), np.std([r[k] for r in runs])) for k in ("rmse", "mse", "r2")}
        rows += f"{model}," + ",".join(f"{mean:.4f} ± {spread:.4f}" for mean, spread in means.values()) + "\n"
    findings = audit_table(_file(tmp_path, "Model,RMSE,MSE,R2\n" + rows)).findings
    assert findings
    assert {finding.verdict for finding in findings} == {"open"}


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("RMSE Imp. (%)", "MAE Imp. (%)"),
        ("RMSE ↓ (%)", "MAE ↓ (%)"),
        ("RMSE DM stat", "MAE DM stat"),
        ("CV(RMSE)", "p"),
    ],
)
def test_columns_made_from_errors_are_no_errors(tmp_path, first, second):
    rows = _lines(STOCK, lambda m, s: f"{m},{s['rmse']:.3f},8.1,{s['mae']:.3f},9.9\n")
    audit = audit_table(_file(tmp_path, f"Model,RMSE,{first},MAE,{second}\n{rows}"))
    assert audit.findings == ()
    assert [set(row.cells) for row in audit.rows] == [{"rmse", "mae"}] * 4
