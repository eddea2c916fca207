"""The verdict says what the tests carry and nothing more."""

import polars as pl
import pytest

from golden_core.reporting.coverage import Coverage
from golden_core.reporting.exhibits import Answer
from golden_core.reporting.verdict import NO_CLAIM, NO_PRICE, decided, verdict


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


ALPHA = "at the 5 % level after Holm adjustment"
SPOKEN = {
    "nobody beats it": (
        {"random_walk": [None] * 2, "ar": ["no difference"] * 2, "dlinear": ["no difference"] * 2},
        f"On 2 series no forecaster beats the random walk {ALPHA}. None is significantly worse {ALPHA}.",
    ),
    "winners and losers are named": (
        {"random_walk": [None] * 4, "ar": ["better", "no difference", "better", "worse"], "v01": ["worse"] * 4,
         "ets": ["better"] * 4},
        f"On 4 series, 2 of 3 forecasters beat the random walk {ALPHA}: ar on EURUSD_h1, EURUSD_h3; ets on 4 series. "
        "Significantly worse: ar on EURUSD_h4; v01 on 4 series.",
    ),
    "one winner beats": (
        {"random_walk": [None], "ar": ["better"], "v01": ["worse"]},
        f"On one series, 1 of 2 forecasters beats the random walk {ALPHA}: ar on EURUSD_h1. "
        "Significantly worse: v01 on EURUSD_h1.",
    ),
    "untested combinations are counted": (
        {"random_walk": [None] * 2, "ar": [None, "no difference"]},
        f"On 2 series no forecaster beats the random walk {ALPHA}. None is significantly worse {ALPHA}. "
        "For 1 of 2 combinations of forecaster and series there is no test: "
        "forecasts are the random walk’s own, too few, or missing.",
    ),
    "nothing to compare": ({"random_walk": [None]}, "On one series nothing was compared with the random walk."),
}  # fmt: skip


@pytest.mark.parametrize(("verdicts", "sentences"), SPOKEN.values(), ids=list(SPOKEN))
def test_what_is_said(study, verdicts, sentences):
    assert spoken(verdict(series_of(**verdicts), study, covered())) == sentences


@pytest.mark.parametrize(
    ("name", "present", "start"),
    [
        ("smoke_tiny", 60, NO_CLAIM),
        ("demo", 58, "Only 58 of 60 trials are present."),
        ("demo", 60, "On one series"),
        ("nosmoke", 60, "On one series"),
    ],
)
def test_no_claim_and_incompleteness_are_said_first(builders, name, present, start):
    series = series_of(random_walk=[None], ar=["better"])
    assert verdict(series, builders.make_study(name=name), covered(present)).headline.startswith(start)


def test_a_study_of_means_says_first_that_they_are_no_prices(builders):
    found = series_of(random_walk=[None], ar=["better"])
    data = builders.make_study().data
    study = builders.make_study(data=data.model_dump() | {"source": "files", "price": "mean"})
    assert verdict(found, study, covered()).headline.startswith(f"{NO_PRICE} On one series, 1 of 1")
    assert NO_PRICE not in verdict(found, builders.make_study(), covered()).headline


def test_a_page_of_claims_says_by_which_level_and_margins_they_were_decided(whole):
    """Claims at 40 %, or within 90 % of the loss, are none that a reader would take for claims."""
    page = (whole.folder / "index.html").read_text(encoding="utf-8")
    said = "at 5\u202f% over the claims of a kind (squared loss); equivalent: within 1\u202f% of the random walk’s loss"
    assert f"<p>Decided {said}.</p>" in page
    covers = {"kinds": ("covers",), "family": "study", "alpha": 0.4}
    assert decided(whole.study.protocol.model_copy(update=covers)) == (
        "at 40\u202f% over all claims (squared loss); covers: 80\u202f% of the outcomes, but for 5 points either side"
    )
