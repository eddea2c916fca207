"""The statistical probes: silent on honest pipelines, loud where something knows too much, and saying where."""

import numpy as np
import polars as pl
import pytest

from golden_core.leakage.artefacts import Run
from golden_core.leakage.corpus.entries import CORPUS, clean_specimen, planted_specimen, read_entries
from golden_core.leakage.questions import Question, halves
from golden_core.leakage.statistical import (
    Screen,
    one_sided_market,
    permuted_skill,
    shifted_timestamps,
    statistical,
    too_good_features,
    too_good_forecasts,
)
from golden_core.leakage.surrogates import permuted_targets
from golden_core.store.randomness import Stream

STREAM = Stream(8).child("test_statistical")
ENTRIES = {entry.id: entry for entry in read_entries(CORPUS)}


def screen(specimen):
    return Screen(level=5e-4, tolerated=0.03, horizons=specimen.plan.horizons, permutations=1)


@pytest.fixture(scope="module")
def honest():
    specimen = clean_specimen(STREAM)
    return specimen, specimen.pipeline.run(specimen.raw)


def test_a_half_of_a_question_asks_of_its_own_rows_alone():
    first, second = halves(Question("foresees", np.ones((5, 1)), np.arange(5.0)))
    assert (first.words, first.factors[:, 0].tolist()) == ("foresees in the first half", [1, 1, 0, 0, 0])
    assert (second.words, second.factors[:, 0].tolist()) == ("foresees in the second half", [0, 0, 1, 1, 1])


@pytest.mark.parametrize("number", range(5))
def test_honest_pipelines_raise_no_alarm(number):
    specimen = clean_specimen(STREAM.child(number))
    assert statistical(specimen.pipeline, specimen.raw, screen(specimen), STREAM) == []


def test_a_feature_that_holds_the_next_return_is_named(honest):
    specimen, run = honest
    closes = (
        run.artefacts["bars"]
        .sort("key", "stamp")
        .select("key", "stamp", pl.col("close").log().shift(-1).over("key") - pl.col("close").log())
    )
    leaky = (
        run.artefacts["features"]
        .join(closes, on=["key", "stamp"], how="left")
        .with_columns(body=pl.col("close"))
        .drop("close")
    )
    found = too_good_features(Run({**run.artefacts, "features": leaky}, ()), screen(specimen))
    assert {(finding.asset, finding.column) for finding in found} == {("features", "body")}
    assert "next 1 bars" in found[0].detail


def test_a_feature_two_bars_early_shows_when_it_is_delayed(honest):
    specimen, run = honest
    ahead = pl.col("close").log().shift(-3).over("key") - pl.col("close").log().shift(-2).over("key")
    moves = run.artefacts["bars"].sort("key", "stamp").select("key", "stamp", ahead.alias("ahead"))
    leaky = (
        run.artefacts["features"]
        .join(moves, on=["key", "stamp"], how="left")
        .with_columns(ret3=pl.col("ahead"))
        .drop("ahead")
    )
    found = shifted_timestamps(Run({**run.artefacts, "features": leaky}, ()), screen(specimen))
    assert {finding.column for finding in found} == {"ret3"}
    assert "taken 2 bars late" in found[0].detail


def test_forecasts_with_foresight_are_too_good_and_honest_ones_are_not(honest):
    specimen, run = honest
    assert too_good_forecasts(run, screen(specimen)) == []
    found = statistical(*_planted("pretrained_on_test", 2), STREAM)
    assert any(finding.probe == "too_good_forecast" and finding.column == "y_pred" for finding in found)


def test_a_market_without_its_falling_bars_is_one_sided():
    pipeline, raw, strict = _planted("falling_bars_lost", 1)
    assert [finding.asset for finding in one_sided_market(pipeline.run(raw), strict)] == ["bars"]


def test_a_wrong_target_is_told_from_a_wrong_feature():
    found = statistical(*_planted("target_of_the_same_bar", 0), STREAM)
    assert (found[0].asset, found[0].column) == ("targets", "y")


def test_skill_that_survives_permuted_targets_is_found():
    entry = ENTRIES["target_copy"]
    specimen = planted_specimen(entry, entry.sites[0], STREAM)
    found = permuted_skill(specimen.pipeline, specimen.raw, screen(specimen), STREAM)
    assert {finding.probe for finding in found} == {"permuted_targets"}


def test_permuted_bars_keep_rows_moves_and_what_pairs_have_in_common(honest):
    specimen, _ = honest
    raw = specimen.raw
    changed = permuted_targets(raw, STREAM)
    assert changed.select("pair", "timestamp", "available_at").equals(raw.select("pair", "timestamp", "available_at"))
    good = changed.filter(pl.col("close").is_finite())
    assert (good["high"] >= good["low"]).all()
    moves = [_moves(frame) for frame in (raw, changed)]
    assert np.corrcoef(*moves[1])[0, 1] == pytest.approx(np.corrcoef(*moves[0])[0, 1], abs=0.15)
    assert np.abs(moves[1]).mean() == pytest.approx(np.abs(moves[0]).mean(), rel=0.1)
    assert changed["close"].to_numpy().tolist() != raw["close"].to_numpy().tolist()


def _planted(name, site):
    entry = ENTRIES[name]
    specimen = planted_specimen(entry, entry.sites[site], STREAM.child(name))
    return specimen.pipeline, specimen.raw, screen(specimen)


def _moves(raw):
    """Return the hourly moves of both pairs at the times that both have, without bad prints."""
    first = raw.filter(pl.col("close").is_finite()).unique(["pair", "timestamp"], keep="first", maintain_order=True)
    wide = first.pivot("pair", index="timestamp", values="close").drop_nulls(["EURUSD", "GBPUSD"])
    moves = np.diff(np.log(wide.select("EURUSD", "GBPUSD").to_numpy()), axis=0)
    return moves[(np.abs(moves) < 0.02).all(axis=1)].T
