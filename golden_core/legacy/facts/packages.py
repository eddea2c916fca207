"""Third-party packages by the name they are imported under: known ones, and those that a tree declares."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator

from golden_core.store.lake import shipped

# A list, because what is installed here says nothing about where the code once ran.
KNOWN_MODULES = shipped("legacy", "third_party_modules.txt")
_LISTED = re.compile(r"^[ \t]*-[ \t]+['\"]?([A-Za-z0-9][A-Za-z0-9._-]{0,100})", re.MULTILINE)
_REQUIREMENT = re.compile(r"^[ \t]*([A-Za-z0-9][A-Za-z0-9._-]{0,100})", re.MULTILINE)


def known_modules() -> frozenset[str]:
    """Return the names, in lower case, under which known third-party packages are imported."""
    lines = KNOWN_MODULES.read_text(encoding="utf-8").splitlines()
    return frozenset(line.lower() for line in lines if line and not line.startswith("#"))


def required(path: str, text: bytes) -> Iterator[str]:
    """Yield the packages that a file declares, in lower case as they would be imported.

    Parameters
    ----------
    path : str
        Tells what kind of file it is: requirements.txt, environment.yml of conda, pyproject.toml; others declare none.
    text : bytes
        Its content.
    """
    name = path.rsplit("/", 1)[-1].lower()
    decoded = text.decode("utf-8", "replace")
    found: Iterable[str] = ()
    if name.startswith("requirements") and name.endswith((".txt", ".in")):
        found = _REQUIREMENT.findall(decoded)
    elif name.startswith(("environment", "conda")) and name.endswith((".yml", ".yaml")):
        found = _LISTED.findall(decoded)
    elif name == "pyproject.toml":
        found = _of_project(decoded)
    yield from (package.lower().replace("-", "_").replace(".", "_") for package in found)


def _of_project(text: str) -> Iterator[str]:
    try:
        project = tomllib.loads(text).get("project", {})
    except (tomllib.TOMLDecodeError, RecursionError):
        return
    lines = project.get("dependencies") if isinstance(project, dict) else None
    for line in lines if isinstance(lines, list) else []:
        yield from _REQUIREMENT.findall(str(line))
