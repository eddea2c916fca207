"""Features that look ahead at few bars, or answer from elsewhere, are found; honest ones of any memory are not."""

import tempfile
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from golden_core.inputs.features import FEATURES, Feature
from golden_core.leakage.audit import ROUNDS
from golden_core.leakage.probes import Subject, features_at_every_bar
from golden_core.preparation.catalogue import load_study
from golden_core.store.lake import Home, write_parquet

NAME = "volatility_20"
VOLATILITY = FEATURES[NAME].compute


@pytest.fixture(scope="module")
def subject():
    study = load_study("smoke", ("data.pairs=[EURUSD, USDJPY]", "forecasters={random_walk: {}}"))
    return Subject.of(study, Home.from_environment())


def plant(monkeypatch, compute, needs=("close",)):
    monkeypatch.setitem(FEATURES, NAME, Feature("planted", "", 20, needs, compute))


def found(subject):
    return [
        (one.probe, one.column, one.timestamp) for one in features_at_every_bar(subject, ROUNDS).findings if one.column
    ]


def returns(bars):
    return bars["close"].log().diff().fill_null(0.0)


def foreseen(bars, when):
    """Add the next return to an honest feature on some bars."""
    ahead = pl.Series(np.where(when.to_numpy(), returns(bars).shift(-1).fill_null(0.0).to_numpy(), 0.0))
    return VOLATILITY(bars) + ahead


def month_ends(bars):
    month = bars["timestamp"].dt.month()
    return foreseen(bars, (month != month.shift(-1)).fill_null(False))


def large_moves(bars):
    return foreseen(bars, (returns(bars).abs() > 2.5 * VOLATILITY(bars)).fill_null(False))


def late_rows(bars):
    return foreseen(bars, pl.Series(np.arange(len(bars)) > 480))


def one_pair(bars):
    return foreseen(bars, pl.repeat(bars["pair"][0] == "USDJPY", len(bars), eager=True))


def next_closure(bars):
    day = bars["timestamp"].dt.date()
    return VOLATILITY(bars) * ((day.shift(-1) - day).dt.total_days().fill_null(1) > 3).cast(pl.Float64)


def nearest_week(bars):
    table = bars.select("timestamp", "close")
    weeks = table.gather_every(5).rename({"close": "week"})
    return table.join_asof(weeks, on="timestamp", strategy="nearest")["week"].log()


def with_a_long_memory(bars):
    return returns(bars).ewm_mean(half_life=50) + foreseen(bars, pl.Series(np.arange(len(bars)) % 2 == 0))


@pytest.mark.parametrize(
    "leak", [month_ends, large_moves, late_rows, one_pair, next_closure, nearest_week, with_a_long_memory]
)
def test_a_look_ahead_at_few_bars(subject, monkeypatch, leak):
    plant(monkeypatch, leak)
    honest = subject.clean_bars.filter(pl.col("pair") == ("USDJPY" if leak is one_pair else "EURUSD"))
    ((probe, column, first), *_) = found(subject)
    assert (probe, column) == ("future_poison", NAME)
    assert first in set(honest["available_at"]) | set(subject.clean_bars["available_at"])


def test_the_first_offending_row_is_named(subject, monkeypatch):
    plant(monkeypatch, late_rows)
    ((_, _, first),) = found(subject)
    assert first == subject.clean_bars.filter(pair="EURUSD")["available_at"].sort()[481]


STORE = {}


def from_a_store(bars):
    key = bars["pair"][0]
    known = STORE.setdefault(key, bars.select("timestamp", ahead=returns(bars).shift(-1).fill_null(0.0)))
    return bars.join(known, on="timestamp", how="left", maintain_order="left")["ahead"]


def test_a_feature_that_a_store_answers_for(subject, monkeypatch):
    plant(monkeypatch, from_a_store)
    assert [place[:2] for place in found(subject)] == [("values_from_elsewhere", NAME)]


@pytest.mark.parametrize("folder", [lambda: Path(tempfile.gettempdir()), Path.home])
def test_what_an_honest_run_left_in_a_folder_does_not_answer_for_a_poisoned_one(subject, monkeypatch, folder):
    def cached(bars):
        path = folder() / f"golden-test-cache-{bars['pair'][0]}.parquet"
        if not path.exists():
            write_parquet(bars.select("timestamp", ahead=returns(bars).shift(-1).fill_null(0.0)), path)
        return bars.join(pl.read_parquet(path), on="timestamp", how="left", maintain_order="left")["ahead"]

    plant(monkeypatch, cached)
    assert ("future_poison", NAME) in [place[:2] for place in found(subject)]


def test_a_feature_that_reads_the_campaigns_lake(subject, monkeypatch):
    path = subject.home.study("smoke").table("bars", "EURUSD")
    write_parquet(subject.clean_bars.filter(pair="EURUSD"), path)

    def reads(bars):
        pl.read_parquet(path)
        return VOLATILITY(bars)

    plant(monkeypatch, reads)
    assert [place[:2] for place in found(subject)] == [("lake_read", NAME)]
    monkeypatch.setitem(FEATURES, NAME, Feature("honest", "", 20, ("close",), VOLATILITY))
    assert found(subject) == []


def expanding(bars):
    known = pl.Series(np.arange(1, len(bars) + 1), dtype=pl.Float64)
    return returns(bars) - returns(bars).cum_sum() / known


def online(bars):
    level, out = 0.0, []
    for move in returns(bars):
        level += 0.05 * (move - level)
        out.append(move - level)
    return pl.Series(out)


HONEST = {
    "an expanding mean": expanding,
    "an average of all history": lambda bars: returns(bars).ewm_mean(half_life=50),
    "learnt online": online,
    "the rank in the past": lambda bars: pl.Series(
        [float((bars["close"][:i] < bars["close"][i]).sum()) / max(i, 1) for i in range(len(bars))]
    ),
    "the highest so far": lambda bars: (bars["close"] / bars["close"].cum_max()).log(),
    "the last completed week": lambda bars: bars["close"].log() - bars["close"].log().shift(5).fill_null(0.0),
    "constant": lambda bars: pl.repeat(1.0, len(bars), eager=True),
    "the number of the bar": lambda bars: pl.Series(np.arange(len(bars), dtype=float)) + 0 * bars["close"],
    "missing at first, and here and there": lambda bars: pl.select(
        pl.when(pl.lit(np.arange(len(bars)) % 7 > 0)).then(VOLATILITY(bars))
    ).to_series(),
}


@pytest.mark.parametrize("name", HONEST)
def test_no_honest_feature_is_accused(subject, monkeypatch, name):
    needs = () if name in ("the number of the bar",) else ("close",)
    plant(monkeypatch, HONEST[name], needs)
    assert found(subject) == []


def test_a_feature_that_refuses_gaps_is_noted_and_not_accused(subject, monkeypatch):
    whole = {pair: len(subject.clean_bars.filter(pair=pair)) for pair in ("EURUSD", "USDJPY")}

    def regular(bars):
        if len(bars) < whole[bars["pair"][0]]:
            raise ValueError("a bar is missing")
        return VOLATILITY(bars)

    plant(monkeypatch, regular)
    report = features_at_every_bar(subject, ROUNDS)
    assert report.findings == ()
    assert all("(removed): ValueError: a bar is missing" in refusal for refusal in report.refused)
    assert report.refused


def test_no_feature_of_the_project_is_accused():
    names = ", ".join(name for name, one in FEATURES.items() if set(one.needs) <= {"close"})
    study = load_study("smoke", (f"features=[{names}]", "forecasters={random_walk: {}}"))
    assert features_at_every_bar(Subject.of(study, Home.from_environment()), ROUNDS).findings == ()
