"""P6.M3: what its maker gives is what the plan declares, and nothing is signed or tagged."""

import pytest
from support.campaigns import OVERRIDES

from golden_core.milestones.place import Place
from golden_core.milestones.registry import load_registry, matches
from golden_core.milestones.suite import publication_pages, suite_ran
from golden_core.preparation.catalogue import load_study, load_variant
from golden_core.store.lake import Home, workplace
from golden_core.trials.stored import IncompleteError


def test_the_deliverables_are_those_of_the_plan_and_come_out_again(finished):
    study, place = load_variant("smoke", OVERRIDES), Place.from_environment(workplace())
    pages = publication_pages(place, finished, study)
    declared = load_registry().milestone("P6.M3").patterns
    assert all(any(matches(name, pattern) for pattern in declared) for name in pages)
    assert all(any(matches(name, pattern) for name in pages) for pattern in declared)
    listed = pages["bundle.csv"].splitlines()
    assert listed[0] == "path,bytes,sha256"
    assert sum(line.startswith("tables/forecasts.parquet,") for line in listed) == 1
    assert publication_pages(place, finished, study) == pages


def test_the_papers_for_people_are_open(finished):
    study, place = load_variant("smoke", OVERRIDES), Place.from_environment(workplace())
    pages = publication_pages(place, finished, study)
    assert "Open: nobody has gone through it." in pages["external_review.md"]
    assert "Reviewer: ______" in pages["external_review.md"]
    assert "Open: to be filled in by people" in pages["post_mortem.md"]
    assert "The tag `v1.0-golden` is set by people" in pages["release.md"]
    assert "swh:1:rev:COMMIT" in pages["persistent_identifiers.md"]  # the next commit changes no evidence
    assert load_registry().milestone("P6.M3").criterion("external_review").human


def test_nothing_without_the_suite():
    home, study = Home.from_environment(), load_study("golden")
    assert not suite_ran(home, study)
    with pytest.raises(IncompleteError, match="not in the warehouse yet"):
        publication_pages(Place.from_environment(workplace()), home, study)
