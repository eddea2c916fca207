"""The picture of the layout in docs/architecture.md is the tree: no folder is missing, and none is made up."""

import re

import pytest

from golden_core.store.lake import PROJECT_ROOT

PACKAGES = ("golden_core", "golden_dagster", "data", "tests", "docs")
PAGE = (PROJECT_ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
LAYOUT = PAGE[PAGE.index("## Layout") : PAGE.index("Imports point down")]


def pictured(package):
    """The lines of the picture that belong to a top folder."""
    (block,) = re.findall(rf"^    {package}/(.*?)(?=^    \S|\Z)", LAYOUT, re.MULTILINE | re.DOTALL)
    return block


@pytest.mark.parametrize("package", PACKAGES)
def test_every_folder_and_top_module_is_in_the_picture(package):
    words = set(re.findall(r"[\w.]+/?", pictured(package)))
    for path in (PROJECT_ROOT / package).iterdir():
        if path.name.startswith(("_", ".")) or path.suffix in {".typed", ".md"} or path.name == "conftest.py":
            continue
        assert f"{path.name}/" in words if path.is_dir() else path.name in words, path


@pytest.mark.parametrize("package", PACKAGES)
def test_every_folder_and_module_of_the_picture_exists(package):
    for line in pictured(package).splitlines():
        for name in re.findall(r"^      ((?:[\w.]+[/ ] ?)+)", line + " "):
            for word in (word for word in name.split() if word.endswith(("/", ".py", ".yaml"))):
                assert (PROJECT_ROOT / package / word).exists(), f"{package}/{word}"
