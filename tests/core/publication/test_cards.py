"""Cards say what the warehouse says, and nothing where there is none."""

import re

import duckdb
import pytest

from golden_core.publication import cards as cards_module
from golden_core.publication.cards import FACTS, FILES, card_words, cards
from golden_core.retrials import table
from golden_core.retrials.table import retrials
from golden_core.store.lake import Home, StoredTableError
from golden_core.study.values import NEWEST
from golden_core.trials import stored
from golden_core.trials.stored import IncompleteError


def test_numbers_of_the_cards_are_those_of_the_warehouse(finished, study):
    made = cards(finished, study)
    assert set(made) == set(FILES.values())
    with duckdb.connect(str(finished.warehouse), read_only=True) as connection:
        value = connection.execute(
            "SELECT mean FROM summary WHERE study = 'smoke' AND forecaster = 'dlinear' AND scope = 'macro' "
            "AND pair = 'all' AND horizon = 0 AND metric = 'r2_oos'"
        ).fetchone()[0]
        rows = connection.execute("SELECT sum(rows) FROM cleaning WHERE pair = 'EURUSD'").fetchone()[0]
    assert re.search(rf"^\| dlinear \| {re.escape(f'{value:.4g}')} \|", made["MODEL_CARD.md"], re.MULTILINE)
    assert study.hash() in made["MODEL_CARD.md"]
    assert f"| EURUSD | {rows} | 2023-01-02" in made["DATA_CARD.md"]
    assert cards(finished, study) == made


def test_what_the_study_does_not_ask_for_is_said(finished, study):
    assert "The study has no protocol, so nothing is claimed." in cards(finished, study)["MODEL_CARD.md"]


def test_trials_that_ran_outside_a_repository_have_no_made_up_commit(finished, study, monkeypatch):
    read = cards_module.read_provenance
    monkeypatch.setattr(cards_module, "read_provenance", lambda f: read(f) | {"git": {"commit": None, "dirty": None}})
    assert set(FACTS["environment"](finished, study)["commit"]) == {"unknown"}


@pytest.mark.parametrize("content", ["", "{", "[1]"])
def test_a_damaged_account_of_the_source_is_named_with_what_cures_it(broken, study, content):
    broken.study(study.name).source.write_text(content)
    with pytest.raises(StoredTableError, match=r"source\.json is missing or damaged: `golden run STUDY` makes"):
        cards(broken, study)


def test_a_study_up_to_the_latest_day_says_so(study):
    latest = study.model_copy(update={"data": study.data.model_copy(update={"end": NEWEST})})
    assert FACTS["study"](None, latest).filter(what="to")["value"].to_list() == ["latest"]
    assert FACTS["study"](None, study).filter(what="to")["value"].to_list() == [str(study.data.end)]


def test_no_number_stands_in_the_words():
    words = [s.text or "" for card in (card_words().model, card_words().data) for s in card.sections]
    assert not [text for text in words if re.search(r"\d", text)]


def test_no_card_without_a_warehouse(study):
    with pytest.raises(IncompleteError, match="is not in the warehouse yet"):
        cards(Home.from_environment(), study)


def test_no_card_and_no_retrial_of_other_code(finished, study, monkeypatch):
    monkeypatch.setattr(stored, "evaluation_code", lambda: "another")
    with pytest.raises(IncompleteError, match=r"'smoke' was evaluated by other code than this$"):
        cards(finished, study)
    monkeypatch.setattr(table, "load_study", lambda _name: study)
    with pytest.raises(IncompleteError, match="other code than this; run: golden run retrial_puzzle_ends"):
        table.retrials_table(finished, retrials()[:1])


def test_no_card_of_other_settings(finished, study):
    other = study.model_copy(update={"description": "another one"})
    with pytest.raises(IncompleteError, match="other settings"):
        cards(finished, other)
