"""Numbers as text, and text that is safe in Markdown and LaTeX."""

import datetime
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import UndefinedError

from golden_core.reporting.exhibits import Answer, Column, Exhibit, declared, latex, markdown
from golden_core.reporting.formats import (
    ABSENT,
    count,
    decimals,
    escape_latex,
    escape_markdown,
    interval,
    level,
    percent,
    plain,
    probability,
    significant,
)


def number(text):
    return float(text.replace("−", "-").replace("\u202f", ""))


@given(st.floats(-1e6, 1e6), st.integers(0, 4))
def test_text_is_the_number_rounded(value, places):
    assert number(decimals(value, places)) == pytest.approx(value, abs=0.50001 * 10.0**-places)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.00023456, "0.000235"), (0.069, "0.0690"), (-1.3846, "−1.38"), (28.264, "28.3"), (74152.8, "74\u202f153"),
     (0, "0.00"), (None, ABSENT), (math.nan, ABSENT)],
)  # fmt: skip
def test_a_number_of_any_size_has_three_digits(value, text):
    assert significant(value) == text


@given(st.floats(-1, 1))
def test_no_negative_zero(value):
    text = decimals(value, 2)
    assert not (text.startswith("−") and number(text) == 0)


@pytest.mark.parametrize("nothing", [None, math.nan, math.inf, "text"])
def test_what_is_not_a_number_is_a_dash(nothing):
    assert decimals(nothing, 2) == count(nothing) == ABSENT


@pytest.mark.parametrize(("style", "value", "text"), [
    (percent, -0.012345, "−1.23"), (count, 1234567, "1\u202f234\u202f567"), (probability, 0.0499, "0.050"),
    (probability, 0.0009, "<\u202f0.001"), (probability, None, ABSENT), (level, 0.05, "5\u202f%"),
    (level, 0.999, "99.9\u202f%"), (plain, datetime.date(2020, 1, 31), "2020-01-31"),
    (plain, datetime.datetime(2020, 1, 31, 15, 4, tzinfo=datetime.UTC), "2020-01-31 15:04"), (plain, "", ABSENT),
])  # fmt: skip
def test_styles(style, value, text):
    assert style(value) == text


@given(st.text(alphabet="ab_&%$#{}~^\\<>|", max_size=20))
def test_latex_leaves_no_special_character_bare(text):
    escaped = escape_latex(text)
    for command in (r"\textbackslash{}", r"\textasciitilde{}", r"\textasciicircum{}", r"\textless{}", r"\textgreater{}",
                    r"\textbar{}", r"\&", r"\%", r"\$", r"\#", r"\_", r"\{", r"\}"):  # fmt: skip
        escaped = escaped.replace(command, "")
    assert set(escaped) <= {"a", "b"}


def test_hyphens_stay_hyphens_in_latex():
    """Two of them are a dash there, and an option of a command would not be one."""
    assert escape_latex("run --as a---b – c") == r"run -{}-as a-{}-{}-b \textendash{} c"


def test_latex_knows_every_character_that_tables_are_made_of():
    """Its fonts have Latin letters and quotation marks; another character, such as a Greek one, ends the run."""
    words = "".join(str(told) for told in declared().values())
    assert {letter for letter in escape_latex(words) if ord(letter) > 255} <= {"“", "”"}


def test_markdown_cells_cannot_break_the_table():
    assert escape_markdown("a|b_c\n<d>") == r"a\|b\_c \<d\>"


@pytest.fixture
def exhibit():
    import polars as pl

    frame = pl.DataFrame({"name": ["a_b", "c|d & 5%"], "low": [-0.5, None], "high": [0.25, None]})
    columns = (
        Column("Name", "name | plain", kind="heading"),
        Column("Interval", "interval(low, high)", unit="%"),
        Column("Fixed", "'1'", kind="text"),
    )
    return Exhibit("example", "Caption with 5 % and x_y.", columns, Answer(frame, "SELECT 1"), note="A note.")


def test_latex_table(exhibit):
    text = latex(exhibit)
    assert r"\begin{tabular}{lrl}" in text
    assert all(rule in text for rule in (r"\toprule", r"\midrule", r"\bottomrule"))
    assert r"{}a\_b & [$-$50.00, 25.00] & 1 \\" in text
    assert r"{}c\textbar{}d \& 5\% & \textemdash{} & 1 \\" in text
    assert text.count("{") == text.count("}")


def test_markdown_table(exhibit):
    caption, table, note = markdown(exhibit).strip().split("\n\n")
    assert (caption, note) == (r"Caption with 5 % and x\_y.", "A note.")
    rows = table.split("\n")
    assert rows[1] == "| :--- | ---: | :--- |"
    assert {row.replace(r"\|", "").count("|") for row in rows} == {4}


@pytest.mark.parametrize(("low", "high"), [(-0.5, None), (math.nan, 0.1)])
def test_an_interval_with_one_end_is_no_interval(low, high):
    assert interval(low, high) == ABSENT


def test_a_column_that_the_answer_lacks_is_an_error_not_an_empty_cell():
    with pytest.raises(UndefinedError, match="rnak"):
        Column("Rank", "rnak | count").cell({"rank": 1})
