"""The corpus as data: wide enough, well formed, and every mechanism put to use."""

from golden_core.leakage.artefacts import Finding
from golden_core.leakage.corpus.entries import CORPUS, HELD_OUT, MECHANISMS, read_entries
from golden_core.legacy.risks import LEAKAGE_CLASSES

ENTRIES = read_entries(CORPUS)
LATER = read_entries(HELD_OUT)


def test_at_least_forty_kinds_at_three_sites_over_all_classes():
    assert len(ENTRIES) >= 40
    assert len(LATER) >= 8
    assert all(len(set(entry.sites)) >= 3 for entry in (*ENTRIES, *LATER))
    assert {entry.leak_class for entry in ENTRIES} == set(LEAKAGE_CLASSES) - {"none"}
    assert set(LEAKAGE_CLASSES) >= {entry.leak_class for entry in LATER}
    assert {entry.kind for entry in ENTRIES} == {"deterministic", "statistical"}


def test_every_kind_says_why_and_where_and_every_mechanism_is_used():
    for entry in (*ENTRIES, *LATER):
        assert len(entry.reason) > 20, entry.id
        assert entry.places, entry.id
        assert all(entry.places.values()), entry.id
    assert {entry.mechanism for entry in (*ENTRIES, *LATER)} == set(MECHANISMS)
    assert len({entry.id for entry in (*ENTRIES, *LATER)}) == len(ENTRIES) + len(LATER)


def test_a_place_is_named_by_asset_and_pattern():
    entry = next(entry for entry in ENTRIES if entry.id == "scale_on_all_rows")
    site = entry.sites[0]
    right = Finding("p", "scalers", f"mean:{site.feature}", None, "")
    assert entry.names(right, site)
    assert not entry.names(Finding("p", "scalers", "mean:other", None, ""), site)
    assert not entry.names(Finding("p", "weights", f"mean:{site.feature}", None, ""), site)
