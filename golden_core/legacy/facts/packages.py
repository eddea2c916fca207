"""Third-party packages by the name they are imported under: known ones, and those that a tree declares."""

from __future__ import annotations

import re
from collections.abc import Iterator

from golden_core.lake import PROJECT_ROOT

# A list, because what is installed here says nothing about where the code once ran.
KNOWN_MODULES = PROJECT_ROOT / "data" / "legacy" / "third_party_modules.txt"
_REQUIREMENT = re.compile(r"^[ \t]*([A-Za-z0-9][A-Za-z0-9._-]{0,100})", re.MULTILINE)


def known_modules() -> frozenset[str]:
    """Return the names under which known third-party packages are imported."""
    lines = KNOWN_MODULES.read_text(encoding="utf-8").splitlines()
    return frozenset(line for line in lines if line and not line.startswith("#"))


def is_requirements_file(path: str) -> bool:
    """Tell whether a file lists required packages, one a line."""
    name = path.rsplit("/", 1)[-1].lower()
    return name.startswith("requirements") and name.endswith((".txt", ".in"))


def required(text: bytes) -> Iterator[str]:
    """Yield the packages of a requirements file, as they would be imported."""
    for match in _REQUIREMENT.finditer(text.decode("utf-8", "replace")):
        yield match[1].lower().replace("-", "_").replace(".", "_")
