"""What makes a trial's code another code, and what does not."""

import textwrap

import pytest

from golden_core.trials import syntax
from golden_core.trials.code import code_hash, source_files

SOURCE = '''
"""What this module is."""

CLIP = 3.0


class Model:
    """A model."""

    def fit(self, rows: list[float]) -> float:
        """Return the mean."""
        label = "mean"
        return sum(rows) / len(rows)
'''


def hashed(text):
    return syntax._parsed(textwrap.dedent(text).encode())[0]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"""Return the mean."""', '"""Return the arithmetic mean of all rows."""'),
        ('"""A model."""', '"""Another word for it."""'),
        ('"""What this module is."""', ""),
        ("CLIP = 3.0", "CLIP = 3.0  # standard deviations"),
        ("CLIP = 3.0\n", "\n\n\nCLIP = (\n    3.0\n)\n"),
        ('        """Return the mean."""\n', ""),
    ],
)
def test_words_and_layout_are_not_code(old, new):
    assert old in SOURCE
    assert hashed(SOURCE.replace(old, new)) == hashed(SOURCE)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("3.0", "3.5"),
        ('label = "mean"', 'label = "sum"'),
        ("rows: list[float]", "rows: list[int]"),
        ("class Model", "@frozen\nclass Model"),
        ("sum(rows) / len(rows)", "sum(rows) / (len(rows))+0"),
        ("CLIP = 3.0", 'CLIP = 3.0\n"""a statement that is no docstring"""'),
    ],
)
def test_every_statement_is(old, new):
    assert old in SOURCE
    assert hashed(SOURCE.replace(old, new)) != hashed(SOURCE)


def test_a_function_that_is_nothing_but_its_docstring_can_be_hashed():
    assert hashed('def f() -> None:\n    """Do nothing."""') == hashed('def f() -> None:\n    """Nothing."""')


def test_a_forecaster_depends_on_what_it_imports_and_on_no_sibling():
    naive = source_files(("golden_core.forecasters.naive",))
    assert "golden_core.forecasters.base" in naive
    assert "golden_core.forecasters.neural" not in naive
    assert code_hash(("golden_core.forecasters.naive",)) != code_hash(("golden_core.forecasters.statistical",))
