"""Words of a release: notes from the changelog, and what a citation file must hold."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from golden_core.publication.declared import PublicationError

TAG = "v1.0-golden"
# Required by the Citation File Format 1.2.0: Druskat et al. (2021), schema.json, `required`.
CITED = ("authors", "cff-version", "message", "title")
_MILESTONES = re.compile(r"\((P\d\.M\d(?:, P\d\.M\d)*)\)\s*$")


def project_version(root: Path) -> str:
    """Return the version that pyproject.toml gives."""
    return str(tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"])


def release_notes(root: Path) -> str:
    """Return the newest section of CHANGELOG.md by milestone, and what a person still does, as Markdown.

    Raises
    ------
    PublicationError
        If the changelog has no section, or one without an entry.
    """
    path = root / "CHANGELOG.md"
    sections = re.split(r"^## ", path.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    if not sections:
        raise PublicationError(f"{path} has no section (## …): release notes are made from the newest")
    title, _, body = sections[0].partition("\n")
    entries = [" ".join(text.split()) for text in re.split(r"^- ", body, flags=re.MULTILINE)[1:]]
    if not entries:
        raise PublicationError(f"{path}: section {title.strip()!r} has no entry (- …)")
    grouped: dict[str, list[str]] = {}
    for entry in entries:
        found = _MILESTONES.search(entry)
        grouped.setdefault(found[1].split(", ")[0] if found else "Everything else", []).append(entry)
    parts = [f"# Release notes: {title.strip()}", f"Version {project_version(root)} of `pyproject.toml`.", _WAITING]
    for group in sorted(grouped):
        parts += [f"## {group}", "\n".join(f"- {entry}" for entry in grouped[group])]
    return "\n\n".join(parts) + "\n"


_WAITING = (
    f"The tag `{TAG}` is set by people: once every criterion of `golden milestones status` is signed, this section of "
    f"the changelog gets its day, and `git tag --sign {TAG} COMMIT` names the commit that `metadata.json` of P6.M3 "
    f"records."
)


def citation_faults(text: str, version: str) -> list[str]:
    """Return what is wrong with a CITATION.cff: keys that its format requires, kinds of values, another version."""
    try:
        said: Any = YAML(typ="safe", pure=True).load(text)
    except Exception as error:  # noqa: BLE001  any fault of the text is a fault of the file
        return [f"is not YAML: {error}"]
    if not isinstance(said, Mapping):
        return ["is no mapping"]
    faults = [f"lacks {key}" for key in CITED if not said.get(key)]
    if said.get("cff-version") != "1.2.0":
        faults.append(f"cff-version is {said.get('cff-version')!r}, not '1.2.0'")
    if said.get("type", "software") not in {"software", "dataset"}:
        faults.append(f"type is {said['type']!r}, neither software nor dataset")
    if str(said.get("version")) != version:
        faults.append(f"version is {said.get('version')}, the project's is {version}")
    for key in ("authors", "references"):
        faults += [f"{key} {n} is nobody" for n, one in enumerate(said.get(key) or (), 1) if not _named(one, key)]
    return faults


def _named(one: Any, key: str) -> bool:
    """Whether an author is a person or an entity with a name, or a reference has what one requires."""
    if not isinstance(one, Mapping):
        return False
    if key == "references":
        return all(one.get(name) for name in ("authors", "title", "type"))
    return any(isinstance(one.get(name), str) and one[name] for name in ("name", "family-names", "given-names"))
