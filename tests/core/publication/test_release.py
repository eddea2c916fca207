"""The citation is one, and the release notes hold the newest section of the changelog."""

from pathlib import Path

import pytest
from ruamel.yaml import YAML

from golden_core.publication.bundle import project_version, release_notes
from golden_core.publication.declared import PublicationError

ROOT = Path.cwd()


def test_the_citation_has_what_its_format_requires():
    """Citation File Format 1.2.0: Druskat et al. (2021), schema.json."""
    said = YAML(typ="safe", pure=True).load(ROOT / "CITATION.cff")
    assert said["cff-version"] == "1.2.0"
    assert said["type"] == "software"
    assert said["version"] == project_version(ROOT)
    assert all(said[key] for key in ("authors", "message", "title"))
    assert all(one.keys() & {"name", "family-names", "given-names"} for one in said["authors"])
    assert all(one[key] for one in said["references"] for key in ("authors", "title", "type"))


def changelog(tmp_path, text):
    (tmp_path / "CHANGELOG.md").write_text(text, encoding="utf-8")
    (tmp_path / "pyproject.toml").write_text('[project]\nversion = "0.1.0"\n', encoding="utf-8")
    return tmp_path


def test_notes_are_the_newest_section_by_milestone(tmp_path):
    text = "# Changelog\n\n## Unreleased\n\n- Two\n  lines. (P5.M1, P2.M1)\n- One. (P2.M1)\n\n## 0.0.1\n\n- Old.\n"
    notes = release_notes(changelog(tmp_path, text))
    assert notes.index("## P2.M1\n\n- One. (P2.M1)") < notes.index("## P5.M1\n\n- Two lines. (P5.M1, P2.M1)")
    assert "Old" not in notes


@pytest.mark.parametrize(("text", "message"), [("# Changelog\n", "has no section"), ("## New\n", "has no entry")])
def test_a_changelog_without_news_is_refused(text, message, tmp_path):
    with pytest.raises(PublicationError, match=message):
        release_notes(changelog(tmp_path, text))
