"""The audit of the legacy paper's own table: v_01 stands apart, a split explains it, three headline claims fall."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import pytest

from golden_core.legacy.audit.auditing import audit_markdown, audit_record, audit_table
from golden_core.legacy.audit.claims import Claim, read_claims
from golden_core.legacy.audit.grid import TableError
from golden_core.legacy.audit.splits import SplitHypothesis, count_targets

ROOT = Path(__file__).parents[3]
TABLE = ROOT / "data/legacy/published_results.csv"
CLAIMS = ROOT / "data/legacy/published_claims.csv"
OTHERS = tuple(f"v_{number:02d}" for number in range(2, 11))

# Target variances of both windows, measured on EURUSD hourly bars that end on 2025-02-18 (population variance of the
# closes of the last 1,885 and 2,829 targets).
MEASURED = {"96/2/2": 2.38697e-4, "94/3/3": 8.26676e-4}


def _hypothesis(**changes):
    given = {"default": "96/2/2", "rows": {"v_01": "94/3/3"}, "n_rows": 94_390, "lost_rows": 3}
    return SplitHypothesis(**(given | changes))


@pytest.fixture(scope="module")
def audit():
    return audit_table(TABLE, claims=read_claims(CLAIMS), splits=_hypothesis())


def test_v01_alone_is_singled_out(audit):
    (finding,) = (found for found in audit.findings if found.kind == "target_variance")
    assert finding.verdict == "different_test_sets"
    assert finding.rows == ("v_01",)
    assert [found.rows for found in audit.test_sets] == [OTHERS, ("v_01",)]
    assert not audit.found("certainly_wrong")
    assert not audit.found("open")


def test_implied_variances_are_those_of_the_two_windows(audit):
    nine, one = (found.variance for found in audit.test_sets)
    assert MEASURED["96/2/2"] in nine
    assert MEASURED["94/3/3"] in one
    # By hand: RMSE 0.003336 ± 5e-7 and R² 0.986540 ± 5e-7 of v_01.
    half = Fraction(5, 10**7)
    rmse, r2 = Fraction("0.003336"), Fraction("0.986540")
    assert one.low == (rmse - half) ** 2 / (1 - r2 + half)
    assert one.high == (rmse + half) ** 2 / (1 - r2 - half)


def test_v01_has_the_best_r2_though_five_rows_have_a_smaller_rmse(audit):
    (ranking,) = (found for found in audit.findings if found.kind == "ranking")
    assert ranking.rows == ("v_01",)
    assert "v_01 and v_04, v_06, v_08, v_09, v_10: opposite orders by RMSE and R²" in ranking.evidence


def test_innocent_readings_of_v01(audit):
    status = {reading.name: reading.status for reading in audit.findings[0].readings}
    assert status == {
        "rounded twice": "excluded",
        "cut off, not rounded": "excluded",
        "means over seeds": "excluded",  # MSE is printed, and bounds the variance from above
        "adjusted R²": "excluded",  # it can only lower the implied variance
        "means over data sets, horizons or outputs": "open",
        "R² as squared correlation": "open",  # it can only raise it, and v_01's is high
        "look-back": "open",
        "padded zeros": "open",
    }
    (look_back,) = (reading for reading in audit.findings[0].readings if reading.name == "look-back")
    assert "If v_01 lost rows, then at least 72 % of them" in look_back.sentence  # 1 − 2.387/8.268 = 0.711…, rounded up


def test_the_given_splits_explain_the_table(audit):
    assert audit.explanation is not None
    assert audit.explanation.holds
    assert audit.explanation.needed
    found = {part.shares: (part.targets, part.rows) for part in audit.explanation.parts}
    assert found == {"94/3/3": (2829, ("v_01",)), "96/2/2": (1885, OTHERS)}
    assert all(part.variance and MEASURED[part.shares] in part.variance for part in audit.explanation.parts)


@pytest.mark.parametrize(
    "changes", [{"rows": {}}, {"rows": {"v_02": "94/3/3"}}, {"rows": {"v_01": "94/3/3", "v_02": "94/3/3"}}]
)
def test_other_splits_do_not_explain_it(changes):
    explanation = audit_table(TABLE, splits=_hypothesis(**changes)).explanation
    assert explanation is not None
    assert not explanation.holds


def test_three_headline_claims_fall_and_two_are_not_refuted(audit):
    rulings = {ruling.claim.claimed or "paired": ruling for ruling in audit.rulings}
    assert {name: ruling.falls for name, ruling in rulings.items()} == {
        "44.1": True, "55.9": True, "paired": True, "73.2": False, "32.5": False,
    }  # fmt: skip
    assert all(rulings[name].arithmetic == "right" for name in ("44.1", "55.9", "73.2", "32.5"))
    for name in ("44.1", "55.9"):
        assert rulings[name].comparison == "different_test_sets"
        assert rulings[name].sentence.startswith("Arithmetic right")
        assert "scored on different test sets (1885 and 2829 targets): the comparison shows nothing" in (
            rulings[name].sentence
        )
    assert rulings["paired"].arithmetic == "undefined"
    assert "Undefined" in rulings["paired"].sentence
    assert "1885 and 2829" in rulings["paired"].sentence


def test_without_a_hypothesis_the_claims_fall_unless_a_reading_holds():
    rulings = audit_table(TABLE, claims=read_claims(CLAIMS)).rulings
    assert [ruling.falls for ruling in rulings] == [True, True, True, False, False]
    assert "unless an open reading holds" in rulings[0].sentence


def test_the_mse_column_has_too_few_digits(audit):
    assert any(note.startswith("MSE has fewer significant digits") and "v_08" in note for note in audit.notes)


@pytest.mark.parametrize(
    ("metric", "claimed", "arithmetic"),
    [
        ("rmse", "44.2", "right"),  # 44.131 to 44.179: 44.2 begins at 44.15
        ("rmse", "44.0", "wrong"),
        ("rmse", "44", "right"),
        ("rmse", "79.1", "right_otherwise"),  # V1's excess over V8
        ("rmse", "68.8", "right_otherwise"),  # the change of MSE
        ("rmse", "-44.2", "right_otherwise"),  # the change from V1 to V8
        ("rmse", "−44.2 %", "right_otherwise"),
        ("rmse", "-44.0", "wrong"),
        ("rmse", "55.9", "wrong"),
        ("mse", "72", "right"),  # 0.0000025 … 0.0000035 over 0.0000105 … 0.0000115
        ("r2", "-0.11", "right"),
        ("r2", "-0.107", "right_otherwise"),  # percentage points
        ("r2", "5", "wrong"),
    ],
)
def test_percentages_are_recomputed_from_printed_digits(metric, claimed, arithmetic):
    claim = Claim("V8 against V1", "percent", "v_08", "v_01", metric, claimed)
    (ruling,) = audit_table(TABLE, claims=[claim]).rulings
    assert ruling.arithmetic == arithmetic, ruling.sentence


def test_a_percent_sign_of_a_claim_is_said_once():
    (ruling,) = audit_table(TABLE, claims=[Claim("V8 against V1", "percent", "v_08", "v_01", "rmse", "44.0 %")]).rulings
    assert "not 44.0 %;" in ruling.sentence


def test_audits_are_deterministic_and_plain_json(audit):
    again = audit_table(TABLE, claims=read_claims(CLAIMS), splits=_hypothesis())
    assert again == audit
    assert audit_markdown(again) == audit_markdown(audit)
    record = audit_record(audit)
    assert json.loads(json.dumps(record, allow_nan=False)) == record
    assert record["rows"][0]["cells"]["mse"] == "0.000011"


def test_the_page_says_it_in_order(audit):
    page = audit_markdown(audit)
    headings = [line for line in page.splitlines() if line.startswith("## ")]
    assert headings == [
        "## Scored on different test sets",
        "## Claims",
        "## The given splits",
        "## Rows",
        "## What could not be checked",
    ]
    assert "3 of 5 fall" in page
    assert str(ROOT) not in page


@pytest.mark.parametrize(("shares", "targets"), [("96/2/2", 1885), ("94/3/3", 2829), ("70/10/20", 18_875)])
def test_targets_of_a_split(shares, targets):
    assert count_targets(shares, 94_390, 3) == targets


def test_a_split_without_targets():
    with pytest.raises(TableError, match="leaves no target"):
        count_targets("70/10/20", 10, 3)


@pytest.mark.parametrize("shares", ["96/2", "96/2/3", "a/b/c", "", "96/2/2/0", "1.2.3/2/2"])
def test_shares_that_are_none(shares):
    with pytest.raises(TableError, match="train/validation/test"):
        count_targets(shares, 100, 3)


def test_a_hypothesis_about_an_unknown_row():
    with pytest.raises(TableError, match=r"no row 'v01'.*v_01"):
        audit_table(TABLE, splits=_hypothesis(rows={"v01": "94/3/3"}))


@pytest.mark.parametrize(
    ("claim", "message"),
    [
        (("x", "percent", "v8", "v_01", "rmse", "44.1"), "no row 'v8'"),
        (("x", "percent", "v_08", "v_01", "mape", "44.1"), "no possible MAPE"),
    ],
)
def test_claims_about_what_is_not_there(claim, message):
    with pytest.raises(TableError, match=message):
        audit_table(TABLE, claims=[Claim(*claim)])


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("x,percentage,v_08,v_01,rmse,44.1", r"claims.csv:2: column 'kind'"),
        ("x,percent,v_08,v_01,error,44.1", r"claims.csv:2: column 'metric'"),
        ("x,percent,v_08,v_01,rmse,", r"claims.csv:2: claim 'x': a percentage needs"),
        ("x,percent,v_08,v_01,rmse,many", r"claims.csv:2: claim 'x': claimed 'many' is not a number"),
        ("x,paired_test,v_08,v_01,rmse,", r"claims.csv:2: claim 'x': a paired test has no metric"),
        ("x,percent,v_08", r"claims.csv:2: column 4: the row has 3 cells, the header has 6"),
    ],
)
def test_malformed_claims(tmp_path, line, message):
    path = tmp_path / "claims.csv"
    path.write_text(f"text,kind,row,baseline,metric,claimed\n{line}\n")
    with pytest.raises(TableError, match=message):
        read_claims(path)
