"""Tests of all forecasters at once, on forecasts whose skill is known: losses by hand, and what must not be said."""

import datetime

import numpy as np
import polars as pl
import pytest
from support.forecasts import filled

from golden_core.reporting.best_of_many import LOSSES, _of_one, best_of_many
from golden_core.reporting.exhibits import exhibit
from golden_core.statistics import worlds
from golden_core.statistics.resampling import cosines, superior
from golden_core.statistics.skill import in_direction
from golden_core.store import schema
from golden_core.store.randomness import Stream
from golden_core.store.warehouse import Warehouse

TIMES = 600
START = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
SEEDS = {"random_walk": 1, "ar": 1, "copy": 1, "dlinear": 3}
PAIRS = ("EURUSD", "USDJPY")  # `ar` knows a fifth of what EURUSD will do, and nothing of USDJPY


def forecasts(times=TIMES):
    random = Stream(20_261_128).child("best of many").generator()
    parts = []
    for pair in PAIRS:
        truth = random.standard_normal(times) * (0.01 if pair == "EURUSD" else 0.002)
        for name, seeds in SEEDS.items():
            for seed in range(seeds):
                known = 0.2 * truth if (name, pair) == ("ar", "EURUSD") else 0.0
                noise = 0.2 * truth.std() * random.standard_normal(times) if name in {"ar", "dlinear"} else 0.0
                parts.append(pl.DataFrame({"y_true": truth, "y_pred": np.zeros(times) + known + noise}).with_columns(
                    forecaster=pl.lit(name), pair=pl.lit(pair), seed=pl.lit(seed),
                    cutoff=pl.Series([START + datetime.timedelta(days=day) for day in range(times)]),
                ))  # fmt: skip
    return pl.concat(parts).with_columns(study=pl.lit("synthetic"), horizon=pl.lit(1))


def found(tmp_path, study, frame, tried=()):
    warehouse = Warehouse(tmp_path / "warehouse.duckdb")
    blank = {name: pl.lit(0 if kind.is_numeric() else "", kind) if kind != pl.Boolean else pl.lit(value=False)
             for name, kind in schema.CLAIMS.dtypes.items()}  # fmt: skip
    claims = [schema.CLAIMS.empty()]
    claims += [pl.select(**blank | {"study": pl.lit(study.name), "tried": pl.lit(n, pl.Int64)}) for n in tried]
    loaded = {"forecasts": schema.FORECASTS.conform(filled(frame)), "claims": pl.concat(claims)}
    warehouse.load(study.name, loaded | {"economics": schema.ECONOMICS.empty()})
    return warehouse, best_of_many(warehouse, study)


def gain(frame, name, pair):
    """By hand: losses of single seeds, averaged over seeds."""
    losses = frame.filter(pair=pair).with_columns(loss=(pl.col("y_true") - pl.col("y_pred")).pow(2))
    mean = {one: losses.filter(forecaster=one)["loss"].mean() for one in (name, "random_walk")}
    return 1 - mean[name] / mean["random_walk"]


def test_a_planted_skill_is_found_and_luck_is_not(tmp_path, study):
    frame = forecasts()
    warehouse, answer = found(tmp_path, study, frame)
    rows = {row["series"]: row for row in answer.frame.iter_rows(named=True)}
    assert list(rows) == ["EURUSD_h1", "USDJPY_h1", "all pairs_h1"]
    skilled, lucky, pooled = rows.values()
    assert all((row["n"], row["forecasters"], row["reason"]) == (TIMES, 3, None) for row in rows.values())
    assert (skilled["best"], skilled["better"], skilled["kept"], skilled["kept_count"]) == ("ar", "ar", "ar", 1)
    assert skilled["p_value"] < 0.01 > skilled["walk_p"]
    assert skilled["gain"] == pytest.approx(gain(frame, "ar", "EURUSD"), rel=1e-9)
    assert lucky["p_value"] == 1  # noise costs, and a copy is no competitor
    assert (lucky["better"], lucky["walk_p"]) == ("", 1)
    assert {"random_walk", "copy"} <= set(lucky["kept"].split(", "))
    assert "dlinear" not in lucky["kept"]
    # Every pair in its own units: the mean of what is gained on each.
    assert pooled["gain"] == pytest.approx(np.mean([gain(frame, "ar", pair) for pair in PAIRS]), rel=1e-9)
    texts = [[cell.text for cell in cells] for _, cells in exhibit("best_of_many", warehouse, study, answer).rows]
    p, within = f"{skilled['p_value']:.3f}", f"{skilled['walk_p']:.3f}"
    assert texts[0][3:] == ["ar", f"{100 * skilled['gain']:.2f}", p, p, "ar", "1 of 4", within, "—"]
    assert texts[1][7] == "none"


@pytest.mark.parametrize(("tried", "families"), [(4, 1), (5, 2), (8, 2), (9, 3), (4000, 1000)])
def test_what_was_tried_elsewhere_counts(tmp_path, study, tried, families):
    """The study itself is four ways to forecast: one family."""
    row = found(tmp_path, study, forecasts(), [tried])[1].frame.row(0, named=True)
    assert row["p_tried"] == pytest.approx(min(1, families * row["p_value"]), rel=1e-12)
    assert row["better"] == ("ar" if families * row["p_value"] <= study.evaluation.significance else "")
    assert row["kept"] == "ar"


@pytest.mark.parametrize("root", [8, 12, 61])
def test_what_goes_back_to_a_level_needs_a_direction_too(tmp_path, study, root):
    """Three wandering prices that the mean of their past is said to foretell, by losses alone."""
    outcomes, backs = worlds.many("level", Stream(root).generator(), 1, TIMES, 1, 1)
    y, f = outcomes[0], backs[0, :, 0]
    resamples = cosines(TIMES, horizon=1, reps=999, generator=Stream(root).child("by hand").generator())
    assert superior(y**2, ((y - f) ** 2)[:, np.newaxis], resamples) < 0.02
    walk = forecasts().filter(forecaster="random_walk", pair="EURUSD").with_columns(y_true=y)
    frame = pl.concat([walk, walk.with_columns(forecaster=pl.lit("ar"), y_pred=f)])
    warehouse, answer = found(tmp_path, study, frame)
    assert answer.frame["p_value"].item() > 0.1
    assert answer.frame["better"].item() == ""
    np.testing.assert_allclose(turned(warehouse, study), by_hand(y, f), rtol=1e-12)


def test_a_silent_forecast_keeps_its_direction(tmp_path, study):
    own = forecasts().filter(forecaster="ar", pair="USDJPY").sort("cutoff")
    y, f = own["y_true"].to_numpy(), own["y_pred"].to_numpy().copy()
    f[np.abs(f) < 0.0005] = f[:9] = 0.0
    silent = own.with_columns(y_pred=f)
    walk = silent.with_columns(forecaster=pl.lit("random_walk"), y_pred=0.0)
    warehouse = found(tmp_path, study, pl.concat([silent, walk]))[0]
    assert (turned(warehouse, study)[:9] == 0).all()
    np.testing.assert_allclose(turned(warehouse, study), by_hand(y, f), rtol=1e-12)


def turned(warehouse, study):
    """What the query says that the direction of `ar` earns."""
    rows = warehouse.query(LOSSES.format(loss="0.0"), (study.name,))
    return rows.filter(pl.col("forecaster") == "ar")["turned"].to_numpy()


def by_hand(y, f):
    return in_direction(y, f).moment / np.sqrt(np.square(y).mean())


def test_every_horizon_of_the_study_is_its_own_try(tmp_path, study):
    """Four forecasters at two horizons are eight ways, and the study was asked for nothing else."""
    later = forecasts().with_columns(horizon=pl.lit(5))
    rows = found(tmp_path, study, pl.concat([forecasts(), later]), [8])[1].frame
    assert rows["series"].to_list()[:2] == ["EURUSD_h1", "EURUSD_h5"]
    assert rows["p_tried"].equals(rows["p_value"])


def test_the_same_again_and_another_root_moves_a_little(tmp_path, study):
    frame = forecasts().filter(pl.col("pair") == "EURUSD").with_columns(y_pred=pl.col("y_pred") * 0.3)
    warehouse, answer = found(tmp_path, study, frame)
    assert best_of_many(warehouse, study).frame.equals(answer.frame)
    assert answer.frame["series"].to_list() == ["EURUSD_h1"]  # of one pair nothing is pooled


def test_who_lacks_a_cutoff_is_left_out_and_too_few_times_are_not_tested(tmp_path, study):
    frame = forecasts()
    gap = (pl.col("forecaster") == "ar") & (pl.col("pair") == "EURUSD") & (pl.col("cutoff") == START)
    rows = found(tmp_path, study, frame.filter(~gap))[1].frame.rows(named=True)
    assert [row["forecasters"] for row in rows] == [2, 3, 2]
    (tmp_path / "short").mkdir()
    warehouse, short = found(tmp_path / "short", study, forecasts(60))
    assert set(short.frame["reason"]) == {"60 times at horizon 1: a test of many needs 80"}
    assert short.frame["p_value"].null_count() == short.frame.height
    texts = [cell.text for cell in exhibit("best_of_many", warehouse, study, short).rows[0][1]]
    assert texts[5:10] == ["—"] * 5


def test_alone_the_random_walk_has_no_rivals(tmp_path, study):
    assert found(tmp_path, study, forecasts().filter(forecaster="random_walk"))[1].frame.is_empty()


def test_more_times_than_the_study_has_resamples_for(study):
    """Hours of ten years have more cosines than a hundred resamples could mix."""
    few = study.model_copy(update={"evaluation": study.evaluation.model_copy(update={"bootstrap_resamples": 100})})
    drawn = Stream(20_261_128).child("hours").generator().standard_normal((35_000, 2))
    losses, turned = pl.DataFrame(drawn**2, ["random_walk", "ar"]), pl.DataFrame(drawn[:, 1:], ["ar"])
    n, *_, p_value, _, better, kept, count, _, reason = _of_one(losses, turned, 1, few, "hours", 1.0)
    assert (n, better, kept, count, reason) == (35_000, "", "random_walk, ar", 2, None)
    assert p_value > 0.05


def test_copies_alone_are_not_tested_and_the_reason_stands_there(tmp_path, study):
    _, answer = found(tmp_path, study, forecasts().filter(pl.col("forecaster").is_in(["random_walk", "copy"])))
    for row in answer.frame.iter_rows(named=True):
        assert (row["p_value"], row["better"], row["kept_count"]) == (None, None, None)
        assert "identical forecasts" in row["reason"]
