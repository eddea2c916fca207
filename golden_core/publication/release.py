"""Words of a release: notes from the changelog, and the version they are of."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from golden_core.publication.declared import PublicationError

TAG = "v1.0-golden"
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
