"""The steering note says where everything stands, and the note before it is kept."""

import datetime

import pytest

from golden_core.milestones.place import Place
from golden_core.milestones.records import EvidenceError
from golden_core.milestones.registry import load_registry
from golden_core.milestones.steering import PAGE, steer

MONDAY = datetime.datetime(2026, 3, 2, 9, tzinfo=datetime.UTC)


def test_a_note_is_dated_and_the_one_before_is_kept(tmp_path):
    place, registry = Place(tmp_path, tmp_path / "evidence"), load_registry()
    page = steer(place, registry, MONDAY)
    first = page.read_text(encoding="utf-8")
    assert "## Status of 2026-03-02 09:00 UTC" in first
    assert all(f"| {milestone.id} | Planned | nobody |" in first for milestone in registry.milestones)
    assert "P6.M3 needs an owner" in first

    steer(place, registry, MONDAY + datetime.timedelta(days=7))
    assert "2026-03-09" in page.read_text(encoding="utf-8")
    kept = [path for path in place.archive.rglob(PAGE) if path.read_text(encoding="utf-8") == first]
    assert len(kept) == 1
    assert f"steering/{PAGE}" in (place.archive / "index.csv").read_text(encoding="utf-8")


def test_two_notes_of_one_moment_are_refused(tmp_path):
    place, registry = Place(tmp_path, tmp_path / "evidence"), load_registry()
    steer(place, registry, MONDAY)
    steer(place, registry, MONDAY)
    with pytest.raises(EvidenceError, match="exists already"):
        steer(place, registry, MONDAY)
