"""The citation is one, and the release notes hold the newest section of the changelog."""

from pathlib import Path

import pytest

from golden_core.publication.declared import PublicationError
from golden_core.publication.release import citation_faults, project_version, release_notes

ROOT = Path.cwd()
CITATION = (ROOT / "CITATION.cff").read_text(encoding="utf-8")


def test_the_citation_has_what_its_format_requires():
    assert citation_faults(CITATION, project_version(ROOT)) == []


@pytest.mark.parametrize(
    ("before", "after", "fault"),
    [
        ("title:", "titel:", "lacks title"),
        ("cff-version: 1.2.0", "cff-version: 1.1.0", "cff-version is '1.1.0', not '1.2.0'"),
        ("type: software", "type: model", "type is 'model', neither software nor dataset"),
        ("version: 1.0.0", "version: 1.1.0", "version is 1.1.0, the project's is 1.0.0"),
        ("  - name: The Golden developers", "  - nom: The Golden developers", "authors 1 is nobody"),
        ("    title: Euro", "    titel: Euro", "references 1 is nobody"),
    ],
)
def test_a_fault_of_the_citation_is_named(before, after, fault):
    assert before in CITATION
    assert fault in citation_faults(CITATION.replace(before, after, 1), "1.0.0")


def test_what_is_no_mapping_is_no_citation():
    assert citation_faults("- a", "0.1.0") == ["is no mapping"]
    assert citation_faults("a: [", "0.1.0")[0].startswith("is not YAML")


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
