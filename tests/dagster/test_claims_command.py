"""`golden claims` prints what is carried, counts the rest with the reason, and refuses a study without a protocol."""

import datetime

import numpy as np
import polars as pl
import pytest
from support.claims import forecast_rows
from support.commands import golden, said

from golden_core.claims.decisions import claims_table
from golden_core.preparation.catalogue import load_study
from golden_core.store.lake import Home
from golden_core.store.randomness import Stream
from golden_core.store.warehouse import Warehouse
from golden_core.trials import stored
from golden_core.trials.registration import Standing

N = 400


@pytest.fixture
def asked(tmp_path, monkeypatch):
    """A home whose warehouse holds claims of the demo: one forecaster that knows, and one that does not."""
    monkeypatch.setenv("GOLDEN_HOME", str(tmp_path))
    study, home = load_study("demo"), Home.from_environment()
    y = 0.01 * Stream(5).child("claims").generator().standard_normal(N)
    known = {"random_walk": 0 * y, "ar": 0.2 * y, "drift": np.roll(y, 1)}
    first = datetime.datetime(2020, 1, 1, 15, tzinfo=datetime.UTC)
    made = [forecast_rows(name, "EURUSD", 0, first, y, y_pred) for name, y_pred in known.items()]
    forecasts = pl.concat(made).with_columns(study=pl.lit("demo"))
    asked = study.protocol.model_copy(update={"kinds": ("more_accurate", "predicts", "equivalent")})
    single = asked.model_copy(update={"kinds": ("more_accurate",), "scopes": ("series",)})
    for name, registered in (("demo", True), ("late", False), ("smoke_late", False), ("single", True)):
        protocol = single if name == "single" else asked
        table = claims_table(name, forecasts, protocol, 0.95, Standing(registered, 2))
        Warehouse(home.warehouse).load(name, {"claims": table})
    monkeypatch.setattr(stored, "shown_completeness", lambda *_: (5, 240))
    return lambda *arguments: golden("claims", *arguments, env={"COLUMNS": "200"})


def test_claims_are_printed_and_non_claims_counted(asked):
    said = asked("demo").output
    assert "ar" in said
    assert "drift" not in said
    assert "4 of 12 claims asked about are carried by the evidence" in said
    assert "8 are not: the test does not reject" in said
    assert "incomplete: 5 of 240 trials" in said
    assert "stale: evaluated by other code than this; golden run demo evaluates again" in said
    assert "drift" in asked("demo", "--all").output
    assert all(unit in said for unit in ("Effect (%)", "interval (%)", "Found from", "Within (%)"))


def test_one_claim_is_told_in_the_singular(asked):
    said = asked("demo", "--as", "single").output
    assert "1 of 2 claims asked about is carried by the evidence" in said
    assert "1 is not: the test does not reject" in said


def test_by_which_level_and_margins_it_was_decided(asked):
    """Claims at 40 %, or within 90 % of the loss, are none that a reader would take for claims."""
    percent = "\u202f%"
    said = asked("demo").output
    assert f"decided at 5{percent} over the claims of a kind (squared loss); equivalent: within 1{percent} of" in said
    assert f"covers: 80{percent} of the outcomes, but for 5 points either side" in said
    generous = ("--as", "late", "--set", "protocol.alpha=0.4", "--set", "protocol.margin=0.9")
    assert f"decided at 40{percent} over the claims of a kind (squared loss); equivalent: within 90{percent} of" in (
        asked("demo", *generous).output
    )


def test_what_the_ledger_says_stands_below(asked):
    first, late = asked("demo").output, asked("demo", "--as", "late", "--set", "seeds.root=3").output
    assert "tried on these rates in this home: 2 ways to forecast" in first
    assert "not registered" not in first
    assert (
        "not registered: a test part was opened before this protocol stood, or with more to ask, or elsewhere" in late
    )


def test_what_a_smoke_study_carries_is_no_claim(asked):
    """One seed, or none: its page says so at the top."""
    assert "no claim" not in asked("demo").output
    late = asked("demo", "--as", "smoke_late", "--set", "seeds.count=2").output
    assert "smoke study: it exercises the plumbing, and its numbers carry no claim" in late


def test_a_study_without_a_protocol_claims_nothing(asked):
    found = asked("smoke")
    assert found.exit_code == 2
    assert "no section `protocol`" in found.output
    assert "`golden study show demo` has one" in said(found)


def test_a_study_that_asks_for_no_explanations_is_told_where_to_see_some(finished):
    found = golden("explain", "smoke")
    assert found.exit_code == 2
    assert "study 'smoke': no section `explanations`; `golden study show demo` has one" in said(found)


def test_a_study_that_was_not_run_is_told_how_to_be(tmp_path, monkeypatch):
    monkeypatch.setenv("GOLDEN_HOME", str(tmp_path))
    for command, lacks in (
        (["claims"], "not in the warehouse yet"),
        (["report", "figures", "--to", str(tmp_path)], "not in the warehouse yet"),
        (["clean"], "no trial can be told from an old one"),
        (["lake", "export", "--to", str(tmp_path / "trials.zip")], f"has no finished trial in {tmp_path}"),
    ):
        result = golden(*command, "demo", "--set", "training.epochs=2")
        assert result.output.rstrip().endswith(f"{lacks}; run: golden run demo --set training.epochs=2")
        assert result.exit_code == 2
    assert golden("bench", "scale", "demo").output.rstrip().endswith("to extrapolate from; run: golden run demo")
    assert not (tmp_path / "studies").exists()  # who only looks begins nothing
