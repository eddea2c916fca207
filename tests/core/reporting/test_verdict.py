"""The verdict says what the tests carry and nothing more."""

import polars as pl
import pytest

from golden_core.reporting.coverage import Coverage
from golden_core.reporting.exhibits import Answer
from golden_core.reporting.verdict import NO_CLAIM, verdict


def series_of(**verdicts):
    rows = [
        (name, "EURUSD", horizon, f"EURUSD_h{horizon}", found)
        for name, outcomes in verdicts.items()
        for horizon, found in enumerate(outcomes, start=1)
    ]
    return pl.DataFrame(rows, schema=["forecaster", "pair", "horizon", "series", "verdict"], orient="row")


def covered(present=60, asked=60):
    counts = {"done": [present], "shared": [0], "failed": [0], "missing": [asked - present]}
    return Coverage(Answer(pl.DataFrame(counts), ""), asked)


def spoken(found):
    return " ".join([found.headline, *found.further]).replace("\u202f", " ")


def test_nobody_beats_it(study):
    series = series_of(random_walk=[None] * 2, ar=["no difference"] * 2, dlinear=["no difference"] * 2)
    assert spoken(verdict(series, study, covered())) == (
        "On 2 series no forecaster beats the random walk at the 5 % level after Holm adjustment. "
        "None is significantly worse at the 5 % level after Holm adjustment."
    )


def test_winners_and_losers_are_named(study):
    series = series_of(
        random_walk=[None] * 4, ar=["better", "no difference", "better", "worse"], v01=["worse"] * 4, ets=["better"] * 4
    )
    assert spoken(verdict(series, study, covered())) == (
        "On 4 series, 2 of 3 forecasters beat the random walk at the 5 % level after Holm adjustment: "
        "ar on EURUSD_h1, EURUSD_h3; ets on 4 series. "
        "Significantly worse: ar on EURUSD_h4; v01 on 4 series."
    )


def test_one_winner_beats(study):
    series = series_of(random_walk=[None], ar=["better"], v01=["worse"])
    assert verdict(series, study, covered()).headline.startswith("On one series, 1 of 2 forecasters beats")


def test_a_smoke_study_claims_nothing(builders):
    smoke = builders.make_study(name="smoke_tiny")
    assert verdict(series_of(random_walk=[None], ar=["better"]), smoke, covered()).headline.startswith(NO_CLAIM)


def test_incomplete_is_said_first(study):
    headline = verdict(series_of(random_walk=[None], ar=["better"]), study, covered(58)).headline
    assert headline.startswith("Only 58 of 60 trials are present.")


def test_untested_combinations_are_counted(study):
    found = verdict(series_of(random_walk=[None] * 2, ar=[None, "no difference"]), study, covered())
    assert "For 1 of 2 combinations of forecaster and series there is no test." in found.further


def test_nothing_to_compare(study):
    found = verdict(series_of(random_walk=[None]), study, covered())
    assert (found.headline, found.further) == ("On one series nothing was compared with the random walk.", ())


@pytest.mark.parametrize("name", ["demo", "nosmoke"])
def test_other_studies_have_no_disclaimer(builders, name):
    headline = verdict(series_of(random_walk=[None], ar=["better"]), builders.make_study(name=name), covered()).headline
    assert "no claim" not in headline
