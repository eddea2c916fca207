"""Bars of hours: on the calendar, whole, with the season and the skill that the settings say, and prefixes kept."""

import numpy as np
import polars as pl
import pytest

from golden_core.bars.cleaning import clean
from golden_core.checks.universes import input_faults
from golden_core.placebo.blocks import placebo_arms, power_arms
from golden_core.placebo.universe import Gate, universe_rows
from golden_core.preparation.catalogue import load_study
from golden_core.sources import SourceError, source
from golden_core.study.values import freeze


@pytest.fixture(scope="module")
def study():
    return load_study("placebo_hours")


def read(study, seed=3, **changed):
    settings = freeze({**study.data.settings, **{k: changed.pop(k) for k in ("r2", "season") if k in changed}})
    data = study.data.model_copy(update={"settings": settings, **changed})
    return source("synthetic_hours").read(data, seed, None)


@pytest.mark.parametrize("bar", ["1h", "4h"])
def test_cleaning_has_nothing_to_do(study, bar):
    data = study.data.model_copy(update={"bar": bar})
    raw = read(study, bar=bar).filter(pair="EURUSD")
    cleaned = clean(raw, data, max_abs_log_return=0.15)
    assert cleaned.bars.equals(raw)
    assert cleaned.calendar.is_empty()
    low, high = pl.min_horizontal("open", "close"), pl.max_horizontal("open", "close")
    assert raw.select(((pl.col("low") <= low) & (pl.col("high") >= high)).all()).item()
    assert (raw["open"][1:] == raw["close"][:-1]).all()


def test_more_days_leave_the_earlier_bars_as_they_were_and_pairs_differ(study):
    long, short = read(study), read(study, end=study.data.start.replace(month=3))
    for pair in study.data.pairs:
        whole, part = (table.filter(pair=pair) for table in (long, short))
        assert whole.head(part.height).equals(part)
    changes = [long.filter(pair=pair)["close"].log().diff().drop_nulls().to_numpy() for pair in study.data.pairs]
    assert abs(np.corrcoef(changes)[0, 1]) < 0.1


def test_hours_move_as_the_season_says_and_returns_as_r2(study):
    season = tuple([0.5] * 12 + [1.5] * 12)
    frames = [read(study, seed=seed, season=season, r2=0.04).filter(pair="EURUSD") for seed in range(8)]
    moves = [f.select(hour=pl.col("timestamp").dt.hour(), r=pl.col("close").log().diff()).drop_nulls() for f in frames]
    spread = [m.group_by(pl.col("hour") < 12).agg(pl.col("r").std()).sort("hour")["r"].to_list() for m in moves]
    wild, calm = np.mean(spread, axis=0)
    assert wild / calm == pytest.approx(3, abs=0.3)
    slopes = [np.corrcoef(m["r"][:-1], m["r"][1:])[0, 1] for m in moves]
    assert np.mean(slopes) == pytest.approx(0.2, abs=4 * np.std(slopes, ddof=1) / np.sqrt(8))
    size = np.sqrt(np.mean([np.square(m["r"].to_numpy()).mean() for m in moves]))
    assert size == pytest.approx(study.data.settings["volatility"], rel=0.15)


def test_another_clock_is_refused(study):
    with pytest.raises(SourceError, match="must be UTC"):
        read(study, time_zone="Europe/Berlin")


def test_universes_of_hours_pass_the_gate(study):
    quick = Gate(lambda home, one, _thorough: input_faults(home, one, False), lambda *_: [], "golden_core.placebo")
    small = study.model_copy(
        update={
            "data": study.data.model_copy(update={"pairs": ("EURUSD",), "start": study.data.start.replace(month=5)}),
            "splits": study.splits.model_copy(update={"train": 300, "validation": 80, "test": 400, "step": 400}),
            "horizons": (1,),
        }
    )
    cheap, planted = (
        universe_rows(small, arm, 1, quick, thorough=False) for arm in (placebo_arms(small)[0], power_arms(small)[-1])
    )
    assert set(cheap["kind"]) == {"more_accurate", "predicts", "equivalent", "profitable"}
    assert set(planted["kind"]) == {"more_accurate", "predicts"}
    assert cheap["fault"].null_count() == cheap.height
