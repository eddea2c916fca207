"""The pages of P3.M2: every kind of claim is explained, and a report without an average is seen."""

from typing import get_args

import pytest

from golden_core.milestones import protocols
from golden_core.milestones.protocols import KINDS, protocol_pages
from golden_core.store.lake import Home
from golden_core.study import ProtocolSection


@pytest.fixture
def home(tmp_path):
    return Home(tmp_path / "home", tmp_path / "reports")


def test_every_kind_of_claim_has_its_question_and_test():
    (kinds, _) = get_args(ProtocolSection.model_fields["kinds"].annotation)
    assert set(get_args(kinds)) == set(KINDS)


def test_what_was_not_measured_is_said(home):
    pages, (averages,) = protocol_pages(home)
    assert "Unmeasured for this code" in pages["statistical_protocol.md"]
    assert "calibration.csv" not in pages
    assert averages.passed
    assert "templates/claims.md" in pages


@pytest.mark.parametrize(("lost", "left"), [("averages", "over series, by stratum"), ("leaderboard", None)])
def test_a_report_without_an_average_fails_its_criterion(home, monkeypatch, lost, left):
    honest = protocols.declared
    monkeypatch.setattr(protocols, "declared", lambda: {k: v for k, v in honest().items() if k != lost})
    _, (averages,) = protocol_pages(home)
    assert averages.passed == (left is None)
    assert left is None or averages.value == left
