"""What is printed is what was said: lists in settings and names in brackets are no markup."""

import io
import os
import subprocess
import sys

import polars as pl
import pytest
from rich.console import Console
from support.commands import golden

from golden_core.preparation.catalogue import load_study, study_names
from golden_core.reporting.exhibits import Answer, exhibit
from golden_core.trials.estimate import Estimate
from golden_dagster.cli.options import coloured, table, terminal
from golden_dagster.cli.run import _leaderboard_view, _standing


@pytest.mark.parametrize("text", ["explanations={forecasters: [v08]}", "[/x]", "[red]red[/red]"])
def test_brackets_are_printed(capsys, text):
    terminal().print(text)
    terminal().print(coloured("failed", "red", f" {text}"))
    terminal().print(table(("a", "b"), [(text, coloured(text, "red"))], title=text, caption=text))
    assert capsys.readouterr().out.count(text) == 6


def test_a_title_wider_than_its_table_is_one_line(capsys):
    terminal().print(table(("a",), [("b",)], title="Trials of study smoke: 24"))
    assert capsys.readouterr().out.startswith("Trials of study smoke: 24\n")


def test_a_terminal_without_a_character_ends_no_command():
    """A schedule's machine may have a locale of ASCII or Latin 1; tables are drawn with more."""
    code = """
import contextlib, sys
from golden_dagster.cli import main
from golden_dagster.cli.options import terminal
sys.argv = ["golden", "--version"]
with contextlib.suppress(SystemExit):
    main()
terminal().print("R²")
"""
    environment = os.environ | {"PYTHONIOENCODING": "ascii"}
    said = subprocess.run([sys.executable, "-c", code], env=environment, check=True, capture_output=True).stdout
    assert said.endswith(b"R\\xb2\n")


def test_the_command_to_go_on_with_is_the_one_that_was_given(capsys):
    asked = "forecasters={random_walk: {}, ar: {max_order: 1}}"
    terminal().print(_standing("smoke", [asked, "data.pairs=[EURUSD]"], "SIGTERM"), soft_wrap=True)
    said = capsys.readouterr().out
    assert said.endswith(f"golden run smoke --set '{asked}' --set 'data.pairs=[EURUSD]'\n")


def test_a_forecaster_without_a_forecast_has_dashes_and_not_none():
    """Its rank and seeds are undefined like its scores: Python's word for it is no answer."""
    scores = ("r2_oos", "r2_oos_low", "r2_oos_high", "mase", "rmse_bp", "directional_accuracy")
    none = pl.lit(None)
    counts = ("rank", "seeds", "tested", "better", "worse", "series", "forecasts")
    shown = printed(pl.select(forecaster=pl.lit("mine"), **dict.fromkeys((*scores, *counts), none)), 200)
    assert "mine" in shown
    assert "None" not in shown


def printed(board, width):
    study, console = load_study("smoke"), Console(width=width, record=True, file=io.StringIO(), force_terminal=True)
    found = exhibit("leaderboard", None, study, Answer(board))
    console.print(_leaderboard_view(found, study, console))
    return console.export_text()


def test_a_leaderboard_says_on_a_narrow_terminal_what_the_page_says_and_cuts_nothing_off():
    facts = {"rank": 4, "r2_oos": -0.0562, "r2_oos_low": -0.0587, "r2_oos_high": -0.0535, "mase": 0.876}
    facts |= {"rmse_bp": 149.63, "directional_accuracy": 0.498, "seeds": 5, "better": 0, "worse": 4}
    board = pl.DataFrame([{"forecaster": "random_walk_garch", "tested": 21, "series": 21, "forecasts": 73500} | facts])
    wide, narrow = printed(board, 140), printed(board, 80)
    assert all(cell in wide for cell in ("−5.62", "[−5.87, −5.35]", "0.876", "149.63", "49.8", "4 of 21"))
    assert all(cell in narrow for cell in ("random_walk_garch", "−5.62", "[−5.87, −5.35]", "0 of 21", "4 of 21"))
    assert "A wider terminal also shows:" in narrow
    untested = printed(board.with_columns(tested=0, better=0, worse=0), 80)
    assert "0 of" not in untested
    assert not [text for text in (wide, narrow, untested) if "…" in text]


def test_seeds_that_share_a_failed_trial_say_so_once(tmp_path, monkeypatch):
    """A deterministic forecaster runs once per series: one fault, one line."""
    monkeypatch.setenv("GOLDEN_HOME", str(tmp_path))
    facts = {"forecaster": ["mine"] * 2, "seed": [0, 1], "status": ["failed"] * 2, "error": ["it broke"] * 2}
    monkeypatch.setattr("golden_core.trials.trial_status", lambda *_: pl.DataFrame(facts))
    said = golden("status", "smoke").output
    assert said.count("it broke") == 1


def test_descriptions_of_studies_stand_in_one_column():
    said = golden("study", "list").output.splitlines()
    names = study_names()
    begins = {line.index(load_study(name).description) for name, line in zip(names, said, strict=True)}
    assert begins == {max(map(len, names)) + 1}


def test_trials_of_no_time_are_not_said_to_take_none():
    """Checks and report take a minute beside trials of milliseconds: 0:00:00 for all of it would be read so."""
    said = Estimate(2, 0.01, 0.0, 10, ()).said(2)
    assert said.startswith("2 trials to run: about 0:00:01 on 2 workers, beside the checks and the report, and ")
    said = Estimate(1, 0.01, 0.0, 1, ()).said(1)
    assert said.startswith("1 trial to run: about 0:00:01 on 1 worker, beside")
    assert said.endswith(", as 1 finished trial of this home took")
