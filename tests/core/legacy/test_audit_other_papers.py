"""Tables as other papers print them, scored from simulated errors, so that nothing in them may be accused."""

from __future__ import annotations

import numpy as np
import pytest

from golden_core.legacy.audit import TableError, audit_table, named_columns
from golden_core.legacy.audit.headings import is_derived, read_heading
from golden_core.legacy.audit.markup import unmarked
from golden_core.legacy.audit.printed import CellError, parse
from golden_core.legacy.audit.splits import read_splits
from golden_core.legacy.audit.table import read_table
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


@pytest.mark.parametrize(
    "text",
    [
        # Markdown and a grid of text, with prose around.
        "Table 3: results.\n\n| Model | RMSE | MSE | R² |\n|:--|--:|:-:|---|\n"
        + _lines(STOCK, lambda m, s: f"| **{m}** | {s['rmse']:.3f} | _{s['mse']:.3f}_ | **{s['r2']:.4f}** |\n"),
        "+-----+-----+\n| Model | RMSE | MSE | R2 |\n+=====+=====+\n"
        + _lines(STOCK, lambda m, s: f"| {m} | {s['rmse']:.3f} | {s['mse']:.3f} | {s['r2']:.4f} |\n+---+---+\n"),
        # LaTeX, as pandas and people write it.
        "\\begin{table}\n\\begin{tabular}{l r@{.}l rr}\n\\toprule\n"
        "Model & RMSE $\\downarrow$ & MSE & $R^{2}$ \\\\\n\\midrule\n"
        + _lines(
            STOCK,
            lambda m, s: (
                f"{m}~\\cite{{x}} & \\textbf{{{s['rmse']:.3f}}} & \\underline{{{s['mse']:.3f}}} & "
                f"$\\mathbf{{{s['r2']:.4f}}}$ \\\\[2pt] \\cmidrule(lr){{2-3}}\n"
            ),
        )
        + "\\bottomrule\n\\end{tabular}\n\\end{table}\n",
        # Columns between spaces.
        "Model    RMSE    MSE    R2\n"
        + _lines(STOCK, lambda m, s: f"{m}   {s['rmse']:.3f}   {s['mse']:.3f}   {s['r2']:.4f}\n"),
        # What a spreadsheet puts before and behind.
        "sep=;\n" + STOCK_CSV.replace(",", ";"),
        "# run 12\n" + STOCK_CSV,
        "Table 3,,,,\n" + STOCK_CSV + "Note: best in bold\n",
        HEAD + _lines(STOCK, lambda m, s: _plain(m, s).replace("\n", ",,\n")),
        STOCK_CSV.replace("GRU", HEAD + "GRU"),
        STOCK_CSV.replace("Model,RMSE,MAE", 'Model,"RMSE\n(USD)",MAE'),
        # Metrics in rows, and in a column of a long table.
        "Metric," + ",".join(MODELS) + "\n"
        + "".join(f"{k.upper()},{','.join(f'{STOCK[m][k]:.4f}' for m in MODELS)}\n" for k in ("rmse", "mse", "r2")),
        "model,metric,value\n"
        + "".join(f"{m},{k.upper()},{STOCK[m][k]:.4f}\n" for m in MODELS for k in ("rmse", "mse", "r2")),
        "Dataset,Metric," + ",".join(MODELS) + "\n"
        + "".join(
            f"{name if k == 'rmse' else ''},{k.upper()},{','.join(f'{s[m][k]:.4f}' for m in MODELS)}\n"
            for name, s in SERIES.items()
            for k in ("rmse", "mse", "r2")
        ),
        # Marks that follow numbers, and what stands in for one that is missing.
        HEAD + _lines(STOCK, lambda m, s: _plain(m, s).replace(",", "†,", 1).replace("\n", "**\n")) + "X,OOM,—,n/r,-\n",
        HEAD + _lines(STOCK, lambda m, s: f"{m},${s['rmse']:.3f},{s['mae']:.3f} USD,{s['mse']:.3f}#,{s['r2']:.4f}ᵃ\n"),
        # Rows that are made from other rows.
        STOCK_CSV + "Improvement (%),44.1,55.9,73.2,3.1\nStd. dev.,0.1,0.2,0.3,0.004\n1st count,3,2,1,0\n",
        STOCK_CSV + "Improvement,44.1%,55.9%,73.2%,3.1%\nmax,9,1,1,0.9\n",
    ],
)  # fmt: skip
def test_layouts(tmp_path, text):
    audit = audit_table(_file(tmp_path, text))
    assert audit.findings == ()
    assert len(audit.rows) == (12 if "Dataset" in text else 4)
    assert {row.name.split(" / ")[-1].strip("†~ ") for row in audit.rows} == set(MODELS)
    assert audit.test_sets  # the variances were compared
    assert all(found.number == 1 for found in audit.test_sets)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_byte_order_marks(tmp_path, encoding):
    assert len(audit_table(_file(tmp_path, STOCK_CSV, encoding=encoding)).rows) == 4


@pytest.mark.parametrize(
    ("above", "below"),
    [
        ("Model,AAPL,,IBM,,DAX,", ",RMSE,R2,RMSE,R2,RMSE,R2"),
        ("Model,AAPL,AAPL,IBM,IBM,DAX,DAX", "Model,RMSE,R2,RMSE,R2,RMSE,R2"),
        ("Methods,AAPL [3],,IBM [4],,DAX [5],", "Metric,RMSE,R2,RMSE,R2,RMSE,R2"),
        ("Model,RMSE,R2,RMSE,R2,RMSE,R2", ",AAPL,AAPL,IBM,IBM,DAX,DAX"),
        ("Model,RMSE,R2,RMSE,R2,RMSE,R2", ",24,24,48,48,96,96"),
        ("Model,Train,,Validation,,Test,", ",RMSE,R²,RMSE,R²,RMSE,R²"),
    ],
)
def test_headings_in_two_rows(tmp_path, above, below):
    cells = {m: [f"{s[m]['rmse']:.3f},{s[m]['r2']:.4f}" for s in SERIES.values()] for m in MODELS}
    rows = "".join(f"{m},{','.join(listed)}\n" for m, listed in cells.items())
    audit = audit_table(_file(tmp_path, f"{above}\n{below}\n{rows}"))
    assert audit.findings == ()
    assert [len(found.rows) for found in audit.test_sets] == [4, 4, 4]
    # The parts are test sets: one row with another's error does not share their variance.
    broken = rows.replace(f"{SERIES['IBM']['GRU']['rmse']:.3f}", f"{SERIES['IBM']['GRU']['rmse'] * 1.1:.3f}")
    (finding, *_) = audit_table(_file(tmp_path, f"{above}\n{below}\n{broken}")).findings
    assert finding.kind == "target_variance"
    assert [name.split(" / ")[-1] for name in finding.rows] == ["GRU"]


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


@pytest.mark.parametrize(
    ("heading", "factor"),
    [
        ("RMSE (×10⁻⁴)", 1e4), ("RMSE [1e-4]", 1e4), ("RMSE ($\\times 10^{-4}$)", 1e4), ("RMSE (x 10-4)", 1e4),
        ("RMSE×10^4", 1e4), ("10⁴·RMSE", 1e4), ("RMSE * 1e4", 1e4), ("RMSE (x1000)", 1e3), ('"RMSE × 10,000"', 1e4),
    ],
)  # fmt: skip
def test_powers_of_ten_of_both_senses(tmp_path, heading, factor):
    rows = _lines(FX, lambda m, s: f"{m},{s['mae']:.6f},{s['rmse'] * factor:.3f},{s['mse']:.4e},{s['r2']:.4f}\n")
    audit = audit_table(_file(tmp_path, f"Model,MAE,{heading},MSE,R2\n{rows}"))
    assert audit.findings == ()


@pytest.mark.parametrize("heading", ["RMSE (pips)", "RMSE (bps)", "RMSE [pips]", "RMSE (points)"])
def test_a_unit_that_one_heading_tells_explains_a_factor(tmp_path, heading):
    rows = _lines(FX, lambda m, s: f"{m},{s['mae']:.6f},{s['rmse'] * 1e4:.3f},{s['mse']:.4e}\n")
    audit = audit_table(_file(tmp_path, f"Model,MAE,{heading},MSE\n{rows}"))
    assert audit.findings
    assert {finding.verdict for finding in audit.findings} == {"open"}
    assert all(any(r.name == "declared units" for r in finding.readings) for finding in audit.findings)


def test_a_told_unit_is_no_excuse_for_one_row(tmp_path):
    rows = _lines(STOCK, lambda m, s: f"{m},{s['rmse']:.3f},{s['mse'] * (0.8 if m == 'GRU' else 1):.3f}\n")
    (finding,) = audit_table(_file(tmp_path, f"Model,RMSE (USD),MSE\n{rows}")).findings
    assert (finding.verdict, finding.rows) == ("certainly_wrong", ("GRU",))


@pytest.mark.parametrize(
    "style",
    ["{a}×10{s}", "{a} × 10^{b}", "{a}⋅10{s}", "{a}∙10{s}", "{a} x 10^({b})", "${a}\\times 10^{{{b}}}$", "{a}✕10{s}",
     "{a} \\cdot 10^{{{b}}}", "{a}*10^{b}", "{a}*10**{b}", "{a}E{b}", "{a}×10<sup>{b}</sup>"],
)  # fmt: skip
def test_scientific_notation(tmp_path, style):
    def cell(x):
        a, b = f"{x:.3e}".split("e")
        return style.format(a=a, b=int(b), s=str(int(b)).translate(SUPERSCRIPTS))

    rows = _lines(FX, lambda m, s: f"{m},{cell(s['rmse'])},{cell(s['mse'])},{cell(s['mae'])},{s['r2']:.4f}\n")
    assert audit_table(_file(tmp_path, f"Model,RMSE,MSE,MAE,R2\n{rows}")).findings == ()


@pytest.mark.parametrize(
    ("text", "value", "spread"),
    [
        ("$8.668 \\pm 1.545$", 8.668, True),
        ("8.387 [8.287, 8.487]", 8.387, True),
        ("8.387 (8.287; 8.487)", 8.387, True),
        ("0.50 (-13.2%)", 0.5, False),
        ("0.50 (2)", 0.5, False),
        ("0.50 [12]", 0.5, False),
        ("12.5 pips", 12.5, False),
        ("€12.5", 12.5, False),
        ("0.93^a", 0.93, False),
        ("<b>0.93</b><sup>b</sup>", 0.93, False),
    ],
)
def test_what_stands_around_a_number(text, value, spread):
    found = parse(text, decimal_comma=False)
    assert found is not None
    assert (float(found.value), found.spread) == (value, spread)


def test_a_power_of_ten_in_brackets_is_not_dropped():
    """7.071(-3) is 0.007071 to a Fortran programmer; without its brackets it would be called wrong."""
    with pytest.raises(CellError, match="may be a power of ten"):
        parse("7.071(-3)", decimal_comma=False)


@pytest.mark.parametrize(
    ("heading", "metric", "sample"),
    [
        ("Root Mean Sq. Error", "rmse", ""), ("Root MSE", "rmse", ""), ("√MSE", "rmse", ""), ("RMS error", "rmse", ""),
        ("Mean Abs. Error", "mae", ""), ("Genauigkeit (RMSE)", "rmse", ""), ("R2 (test)", "r2", "test"),
        ("Val MSE loss", "mse", "validation"), ("ＲＭＳＥ", "rmse", ""), ("VAR RMSE", "rmse", ""),
        ("\\textbf{RMSE} $\\downarrow$", "rmse", ""), ("R<sup>2</sup>", "r2", ""),
    ],
)  # fmt: skip
def test_more_headings(heading, metric, sample):
    found = read_heading(heading)
    assert found is not None
    assert (found.metric, found.sample) == (metric, sample)


@pytest.mark.parametrize(
    "heading",
    ["RMSE var", "R² (adj.)", "RMSE (normalized)", "MSE (log)", "1 − R²", "RMSE²", "Weighted MAE", "MSLE", "RMSPE"],
)
def test_more_headings_of_other_things(heading):
    assert read_heading(heading) is None


def test_names_of_derived_rows():
    derived = ("Improvement over LSTM", "Std. dev.", "Δ (%)", "25%", "Avg. rank", "1st count", "max", "p-value", "SD")
    models = ("VAR", "VAR(1)", "SE-ResNet", "Min-Max LSTM", "Gain-shape VQ", "Mean", "Average", "Delta-RNN", "MAX-pool")
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
    assert "mixed_units" not in {finding.kind for finding in findings}


def test_ends_of_names_may_tell_test_sets_apart(tmp_path):
    rows = "".join(f"{m} ({n}),{s[m]['rmse']:.3f},{s[m]['r2']:.4f}\n" for m in MODELS for n, s in SERIES.items())
    (finding, *_) = audit_table(_file(tmp_path, "Model,RMSE,R2\n" + rows)).findings
    assert finding.verdict == "open"
    assert any("The ends of names may tell test sets apart" in reading.sentence for reading in finding.readings)


def test_folds_are_test_sets(tmp_path):
    rows = "".join(f"Fold {i},{s['GRU']['rmse']:.3f},{s['GRU']['r2']:.4f}\n" for i, s in enumerate(SERIES.values()))
    assert audit_table(_file(tmp_path, ",RMSE,R2\n" + rows)).findings == ()


def test_what_was_not_read_is_said(tmp_path):
    text = "Model,Params,NRMSE,RMSE,MSE\nA,12.5,0.1,2.0,4.0\nB,13.5,0.2,3.0,9.0\nRank,1,1,1,2\n"
    notes = audit_table(_file(tmp_path, text)).notes
    assert "Columns that were not read: Params, NRMSE." in notes
    assert "Rows that are made from other rows were left out: Rank." in notes


def test_places_survive_turning(tmp_path):
    text = "Metric,A,B\nRMSE,0.5,0.6\nMSE,0.25,abc\n"
    with pytest.raises(TableError, match=r"table.csv:3: column 3 \('MSE'\): 'abc' is not a number"):
        audit_table(_file(tmp_path, text))
    twice = "model,metric,value\nA,RMSE,1.0\nA,RMSE,2.0\nA,MSE,1.0\n"
    with pytest.raises(TableError, match=r"table.csv:3: column 3 \('value'\): RMSE of A stands twice"):
        read_table(_file(tmp_path, twice), None)


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"PK\x03\x04rest", "is a workbook or another archive, not text; save the table as CSV"),
        (b"%PDF-1.7", "is a PDF"),
        (b"<html><table></table></html>", "is a web page"),
        (b'[{"model": "A", "RMSE": 1}]', "is JSON"),
        (b"0.5,0.3\n0.4,0.2\n", "table.csv:1: holds numbers, not headings"),
        (b'model,RMSE\n"A,1\nB,2\n', "table.csv:2: a quotation mark is not closed"),
    ],
)
def test_files_that_are_no_table(tmp_path, raw, message):
    path = tmp_path / "table.csv"
    path.write_bytes(raw)
    with pytest.raises(TableError, match=message):
        audit_table(path)


def test_hostile_marks_end():
    for text in ("<b>" * 50_000, "\\a{" * 50_000, "{" * 50_000, "**" * 50_000, "<b>" * 100, "\\a{" * 100):
        assert unmarked(text) is not None


def test_options_are_read():
    assert named_columns(["mae=mean |e|", "rmse="]) == {"mae": ["mean |e|"], "rmse": []}
    with pytest.raises(TableError, match="'mae' is not KEY=HEADING"):
        named_columns(["mae"])
    found = read_splits(["96/2/2", "v_01=94/3/3"], n_rows=100, lost_rows=3)
    assert (found.default, found.rows) == ("96/2/2", {"v_01": "94/3/3"})
    with pytest.raises(TableError, match="give one split without a row"):
        read_splits(["v_01=94/3/3"], n_rows=100, lost_rows=3)


@pytest.mark.parametrize(
    ("heading", "sign"),
    [
        ("Improvement over LSTM (%)", 1),
        ("RMSE reduction vs. LSTM [%]", 1),
        ("Gain compared to LSTM", 1),
        ("Δ vs LSTM (%)", -1),
        ("RMSE change relative to LSTM (%)", -1),
    ],
)
def test_columns_of_improvements_are_recomputed(tmp_path, heading, sign):
    base = STOCK["LSTM"]["rmse"]

    def table(wrong=""):
        told = {m: "-" if m == "LSTM" else f"{sign * 100 * (1 - s['rmse'] / base):.1f}" for m, s in STOCK.items()}
        told |= {"Ours": wrong} if wrong else {}
        rows = _lines(STOCK, lambda m, s: f"{m},{s['rmse']:.3f},{s['mae']:.3f},{s['r2']:.4f},{told[m]}\n")
        return audit_table(_file(tmp_path, f"Model,RMSE,MAE,R2,{heading}\n{rows}"))

    audit = table()
    assert [(ruling.claim.row, ruling.falls) for ruling in audit.rulings] == [
        ("ARIMA", False), ("GRU", False), ("Ours", False)
    ]  # fmt: skip
    assert not any("not read" in note for note in audit.notes)
    assert [ruling.arithmetic for ruling in table(wrong="55.9").rulings][-1] == "wrong"


def test_improvements_of_means_are_not_recomputed(tmp_path):
    """A mean of improvements is not the improvement of means."""
    text = "Model,RMSE,Improvement over A (%)\nA,2.0±0.1,-\nB,1.0±0.1,44.1\n"
    audit = audit_table(_file(tmp_path, text))
    assert audit.rulings == ()
    assert "Columns that were not read: Improvement over A (%)." in audit.notes


@pytest.mark.parametrize(("mae", "status"), [(0.46, "open"), (460.0, "excluded")])
def test_errors_of_0_and_1_are_named_where_mae_is_mse(tmp_path, mae, status):
    rows = "".join(f"{m},{mae * f:.5g},{mae * f:.5g}\n" for m, f in zip(MODELS, (1, 0.83, 0.71, 0.457), strict=True))
    (finding,) = audit_table(_file(tmp_path, "Model,MAE,MSE\n" + rows)).findings
    assert finding.sentence.startswith("MAE = MSE")
    assert [r.status for r in finding.readings if r.name == "labels of 0 and 1"] == [status]


def test_scattered_rows_that_agree_in_pairs_are_left_open(tmp_path):
    """RMSE averaged over seeds, and R²: each row has its own variance below the true one, and some meet by accident."""
    shifts = (1.0, 1.0, 0.93, 0.93, 0.93, 0.96, 0.96, 0.90, 0.90, 0.85)
    rows = "".join(f"m{i},{(v * (0.3 + 0.02 * i)) ** 0.5:.4f},{0.7 - 0.02 * i:.4f}\n" for i, v in enumerate(shifts))
    findings = audit_table(_file(tmp_path, "Model,RMSE,R2\n" + rows)).findings
    assert findings
    assert {finding.verdict for finding in findings} == {"open"}


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
