"""Effects of claims, pairs and ranks: numbers by hand, and what there are too few of is said."""

import re
from importlib.resources import files

import numpy as np
import polars as pl
import pytest
from scipy import stats

from golden_core.reporting import claim_figures
from golden_core.reporting.claim_figures import EFFECTS, claim_forest, critical_difference
from golden_core.reporting.exhibits import ask, declared


def test_an_effect_has_the_interval_of_its_claim_and_the_margin_of_equivalence(whole):
    rows = ask(whole.warehouse, EFFECTS, whole.study.name).frame
    claims = whole.claims.filter(pl.col("effect").is_not_null())
    # One effect has two claims, that it is above zero and that it lies within the margin; of five bars one alone.
    losses = claims.with_columns(pl.col("kind").replace({"equivalent": "more_accurate"}))
    assert rows.height == losses.unique(["forecaster", "kind", "scope", "pair", "horizon"]).height
    (row,) = rows.filter(forecaster="ar", measure="loss removed", label="EURUSD_h1").iter_rows(named=True)
    claim = claims.filter(forecaster="ar", kind="more_accurate", pair="EURUSD", horizon=1).row(0, named=True)
    assert [row[name] for name in ("effect", "low", "high")] == [claim[name] for name in ("effect", "low", "high")]
    assert (row["margin"], row["above"], row["within"]) == (0.01, True, False)
    covariances = rows.filter(measure="covariance")
    assert covariances["margin"].null_count() == covariances.height > 0  # equivalence is not about a covariance


def test_every_effect_is_a_mark_and_a_carried_claim_is_filled(whole):
    plot = claim_forest(whole.warehouse, whole.study)
    titles = [f"{name}: {measure}" for measure in ("covariance", "loss removed") for name in ("ar", "dlinear")]
    assert [panel.title for panel in plot.panels] == titles
    assert plot.panels[2].svg.count("#1f5f8b") > plot.panels[3].svg.count("#1f5f8b") == 0


def test_pairs_are_compared_as_by_hand(whole_page, tables):
    errors = tables["summary"].filter(scope="series", metric="rmse").sort("pair", "horizon")
    ar, network = (errors.filter(forecaster=name)["mean"].to_numpy() for name in ("ar", "dlinear"))
    heading, first, *_ = whole_page.cells["pairwise"]
    assert heading == ["Forecaster", "ar", "dlinear", "random_walk"]
    typical = f"{100 * np.median(ar / network - 1):.2f}".replace("-", "−")
    assert first[:3] == ["ar", "—", f"{typical} ({int((ar < network).sum())} of 4)"]


def test_ranks_and_their_critical_difference_are_those_of_the_closed_forms(whole, tables):
    plot = critical_difference(whole.warehouse, whole.study)
    wide = (
        tables["summary"]
        .filter(scope="series", metric="rmse")
        .pivot("forecaster", index=["pair", "horizon"], values="mean")
    )
    values = wide.select("ar", "dlinear", "random_walk").to_numpy()
    ranks = stats.rankdata(values, axis=1).mean(axis=0)
    friedman = 12 * 4 / (3 * 4) * ((ranks - 2) ** 2).sum()
    apart = 2.343 * np.sqrt(3 * 4 / (6 * 4))  # Demšar (2006), table 5: q of three at 5 %
    assert f"critical difference of {apart:.2f} " in plot.caption
    assert f"χ² {friedman:.2f}, p" in plot.caption
    shown = plot.answer.frame.group_by("forecaster").agg(pl.col("place").mean()).sort("forecaster")["place"]
    assert shown.to_list() == ranks.tolist()
    assert "describes and never decides" in plot.caption
    assert not [tone for tone in ("#1f5f8b", "#a6411f") if tone in plot.panels[0].svg]  # elsewhere they are verdicts


def test_equal_errors_share_a_rank_and_too_few_are_not_ranked(whole, monkeypatch):
    tied = "WITH summary AS (SELECT * REPLACE (CAST(1 AS DOUBLE) AS mean) FROM main.summary), errors AS"
    monkeypatch.setattr(claim_figures, "RANKS", claim_figures.RANKS.replace("WITH errors AS", tied))
    assert set(critical_difference(whole.warehouse, whole.study).answer.frame["place"]) == {2.0}
    one = claim_figures.RANKS.replace("FROM whole", "FROM whole WHERE series = 'EURUSD_h1'")
    monkeypatch.setattr(claim_figures, "RANKS", one)
    plot = critical_difference(whole.warehouse, whole.study)
    assert plot.panels == ()
    assert "too few forecasters or series" in plot.caption


def test_every_caption_asks_a_question(whole_page):
    captions = re.findall(r"<figcaption[^>]*>(.*?)</figcaption>", whole_page.html, flags=re.DOTALL)
    assert len(captions) > 20
    assert [caption for caption in captions if "?" not in caption.partition(". ")[0]] == []


def test_no_number_is_typed_into_a_template_or_a_caption():
    """Every number of a page comes from the study, a rule of the code or the warehouse; units and years are words."""
    folder = files("golden_core.reporting")
    page = folder.joinpath("templates/report.html.jinja").read_text(encoding="utf-8")
    texts = [re.sub(r"\{[{%#].*?[}%#]\}|<[^>]*>", "", page, flags=re.DOTALL)]
    for said in declared().values():
        texts += [re.sub(r"\{[{%].*?[}%]\}", "", said.get(part, "")) for part in ("caption", "note")]
    typed = [number for text in texts for number in re.findall(r"\d[\d.e-]*", text)]
    years = {number for number in typed if re.fullmatch(r"(19|20)\d\d", number)}  # of publications
    assert set(typed) - years == {"1e-4", "1."}  # basis points; an undefined test counts as p = 1


@pytest.mark.parametrize(
    ("pairs", "said"),
    [
        (("EURUSD", "USDJPY"), "series share the dollar and the period, and"),
        (("EURGBP", "AUDNZD"), "series share the period, and often a currency, and"),
    ],
)
def test_what_series_share_is_said_of_the_pairs_that_there_are(whole, pairs, said):
    """The dollar is in no cross."""
    study = whole.study.model_copy(update={"data": whole.study.data.model_copy(update={"pairs": pairs})})
    assert said in critical_difference(whole.warehouse, study).caption
