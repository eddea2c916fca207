"""What makes a trial's code another code, and what does not."""

import itertools
import textwrap

import pytest

from golden_core.trials import syntax
from golden_core.trials.code import code_hash, source_files
from golden_core.trials.stored import CODE

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


@pytest.mark.parametrize(("old", "new"), [
    ("3.0", "3.5"), ('label = "mean"', 'label = "sum"'), ("rows: list[float]", "rows: list[int]"),
    ("class Model", "@frozen\nclass Model"), ("sum(rows) / len(rows)", "sum(rows) / (len(rows))+0"),
    ("CLIP = 3.0", 'CLIP = 3.0\n"""a statement that is no docstring"""'),
])  # fmt: skip
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


NUMBERS = itertools.count()
PASSED_ON = {
    "relative": "from .impl import span\n",
    "absolute": "from {name}.impl import span\n",
    "renamed": "from .impl import inner as span\n",
    "a module": "from . import impl as span\n",
    "a module by its whole name": "import {name}.impl as span\n",
    "a star": "from .impl import *\n",
    "where it is needed": "try:\n    from .impl import span\nexcept ImportError:\n    span = None\n",
    "by a package within": "from .within import span\n",
    "by two that import each other": "from .round import span\nfrom .impl import *\n",
}


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Write a package with its file as given, and a module beside it that says how it uses it; return both names."""

    def write(init, use):
        name = f"passing_{next(NUMBERS)}"
        files = {
            "__init__.py": init.format(name=name) + "from .other import rest\n",
            "impl.py": "def span(): return 3\ninner = span\n",
            "other.py": "rest = 0\n",
            "within/__init__.py": "from ..impl import span as span\n",
            "round/__init__.py": "from .. import span\n",
        }
        for file, text in files.items():
            path = tmp_path / name / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        (tmp_path / f"{name}_model.py").write_text(use.format(name=name))
        return name, f"{name}_model"

    monkeypatch.syspath_prepend(tmp_path)
    return write


@pytest.mark.parametrize("use", ["from {name} import span\n", "from {name} import span as width\n"])
@pytest.mark.parametrize("form", PASSED_ON)
def test_what_a_package_passes_on_is_followed_to_where_it_comes_from(package, form, use):
    name, model = package(PASSED_ON[form], use)
    found = source_files((model,))
    assert {model, name, f"{name}.impl"} <= set(found)
    assert f"{name}.other" not in found  # which the package passes on, too, and nobody here takes
    before = code_hash((model,))
    found[f"{name}.impl"].write_text("def span(): return 4\ninner = span\n")
    code_hash.cache_clear()
    assert code_hash((model,)) != before


@pytest.mark.parametrize(
    ("init", "use"),
    [
        ("from .impl import span\n", "import {name}\n"),
        ("from .impl import span\n", "from {name} import *\n"),
        ("from .impl import inner\ndef span(): return inner()\n", "from {name} import span\n"),
    ],
    ids=["named as a whole", "a star", "its own function"],
)
def test_who_takes_a_package_whole_or_what_it_defines_depends_on_all_that_it_imports(package, init, use):
    name, model = package(init, use)
    assert {f"{name}.impl", f"{name}.other"} <= set(source_files((model,)))


def test_a_module_of_a_package_is_taken_alone(package):
    name, model = package("from .impl import span\n", "from {name} import other\nfrom {name}.other import rest\n")
    assert set(source_files((model,))) == {model, name, f"{name}.other"}


def test_an_evaluation_depends_on_its_tests_and_intervals():
    assert {f"golden_core.statistics.{name}" for name in ("multiplicity", "intervals")} <= set(source_files(CODE))
