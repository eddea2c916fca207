"""Scalers: values by hand, dependence on the training rows alone, and the check that catches a leak."""

import dataclasses
import datetime
import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.folds import even_clock, part, walk_forward_section
from support.folds import fold as make_fold

from golden_core.splits.labels import log_returns_ahead
from golden_core.splits.scaling import fit_scalers, scaler_mismatches, standardise
from golden_core.splits.segments import positions
from golden_core.splits.walk_forward import walk_forward
from golden_core.store import schema
from golden_core.store.randomness import Stream

HORIZON = 4
TARGETS = ["log_return", "close"]
SPLITS = walk_forward_section(train=80, validation=30, test=30, step=30, embargo=2)


def market(n=300):
    """Bars and three features that are null for the first nine bars."""
    generator = Stream(1, ("market",)).generator()
    opened = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    days = pl.datetime_range(opened, opened + datetime.timedelta(days=n - 1), "1d", time_unit="us", eager=True)
    bars = pl.DataFrame({"timestamp": days.cast(schema.UTC_TIME)}).with_columns(
        pl.lit("EURUSD").alias("pair"),
        pl.col("timestamp").alias("available_at"),
        close=pl.Series(1.1 * np.exp(np.cumsum(generator.normal(0, 0.005, n)))),
    )
    features = bars.select(
        "timestamp",
        log_return=pl.col("close").log().diff(),
        momentum=pl.col("close").log().diff(9),
        close=pl.col("close"),
    )
    return bars, features


def folds_of(n=300, splits=SPLITS):
    return walk_forward(range(9, n - HORIZON), splits, even_clock(n, HORIZON)).folds


def fit(folds, features, bars, target="log_return"):
    return fit_scalers("study", "EURUSD", HORIZON, folds, features, bars, target)


def poison(frame, keep):
    """NaN in every number outside the kept rows."""
    kept = np.isin(np.arange(frame.height), keep)
    return frame.with_columns(
        pl.when(pl.Series(kept)).then(pl.col(name)).otherwise(math.nan).alias(name)
        for name, dtype in frame.schema.items()
        if dtype == pl.Float64
    )


def test_values_by_hand():
    bars, _ = market(8)
    bars = bars.with_columns(close=pl.Series([1.0, 2.0, 4.0, 2.0, 8.0, 1.0, 1.0, 1.0]))
    features = bars.select("timestamp", x=pl.Series([9.0, 1.0, 3.0, 5.0, 9.0, 9.0, 9.0, 9.0]))
    fold = make_fold(0, range(1, 4), range(5, 6), range(7, 8))
    scalers = fit_scalers("study", "EURUSD", 1, [fold], features, bars, "log_return")
    # x over rows 1–3 is 1, 3, 5; the one-bar returns of rows 1–3 are log 2 · (1, −1, 2).
    assert scalers.select("fold", "column", "rows").rows() == [(0, "x", 3), (0, "target", 3)]
    assert scalers["mean"].to_list() == pytest.approx([3, math.log(2) * 2 / 3])
    assert scalers["scale"].to_list() == pytest.approx([math.sqrt(8 / 3), math.log(2) * math.sqrt(14) / 3])
    # The closes at the ends of the labels of rows 1–3 are 4, 2, 8.
    close = fit_scalers("study", "EURUSD", 1, [fold], features, bars, "close").filter(column="target")
    assert close["mean"].item() == pytest.approx(14 / 3)
    assert close["scale"].item() == pytest.approx(math.sqrt(56) / 3)


@pytest.mark.parametrize("target", TARGETS)
def test_conforms_and_verifies(target):
    bars, features = market()
    scalers = fit(folds_of(), features, bars, target)
    assert scalers.equals(schema.SCALERS.conform(scalers))
    assert scalers.height == 4 * len(folds_of())
    assert scaler_mismatches(scalers, folds_of(), features, bars, target) == []


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("window", ["rolling", "expanding"])
def test_depend_on_the_training_rows_alone_bitwise(target, window):
    bars, features = market()
    folds = folds_of(splits=SPLITS.model_copy(update={"window": window}))
    whole = fit(folds, features, bars, target)
    for fold in folds:
        (train,) = fold.train.rows
        labelled = range(train.start, train.stop + HORIZON)
        blind = fit([fold], poison(features, train), poison(bars, labelled), target)
        assert blind.equals(whole.filter(fold=fold.index))  # equal to the last bit: no tolerance


@pytest.mark.parametrize("target", TARGETS)
def test_poison_on_a_training_row_is_noticed(target):
    bars, features = market()
    fold = folds_of()[1]
    (train,) = fold.train.rows
    with pytest.raises(ValueError, match=r"EURUSD horizon 4 fold 1: column 'log_return' is not finite on 1 of 74"):
        fit([fold], poison(features, train[:-1]), bars, target)
    with pytest.raises(ValueError, match="column 'target' is not finite on 1 of 74"):
        fit([fold], features, poison(bars, range(train.start, train.stop + HORIZON - 1)), target)


@pytest.mark.parametrize("target", TARGETS)
def test_runs_of_training_rows_are_described_together_and_nothing_between_them_is_read(target):
    bars, features = market()
    runs = (range(20, 50), range(70, 75), range(120, 180))
    fold = dataclasses.replace(make_fold(0, range(1), range(200, 220), range(230, 260)), train=part(*runs))
    found = fit([fold], features, bars, target)
    rows = positions(runs)
    closes = bars["close"].to_numpy()
    label = closes[rows + HORIZON] if target == "close" else np.log(closes[rows + HORIZON] / closes[rows])
    columns = np.vstack([features.drop("timestamp").to_numpy()[rows].T, label])
    np.testing.assert_allclose(found["mean"], columns.mean(axis=1), rtol=1e-12)
    np.testing.assert_allclose(found["scale"], columns.std(axis=1), rtol=1e-12)
    assert found["rows"].to_list() == [95] * 4
    assert scaler_mismatches(found, [fold], features, bars, target) == []
    read = {row + step for row in rows.tolist() for step in range(HORIZON + 1)}
    assert fit([fold], poison(features, rows), poison(bars, sorted(read)), target).equals(found)
    whole = dataclasses.replace(fold, train=part(range(20, 180)))
    assert len(scaler_mismatches(found, [whole], features, bars, target)) == 4


@given(st.integers(0, 100))
def test_appended_bars_change_no_scaler(appended):
    bars, features = market(400)
    n = 300 + appended
    before = fit(folds_of(300), features[:300], bars[:300])
    after = fit(folds_of(n), features[:n], bars[:n])
    assert after[: before.height].equals(before)


@pytest.mark.parametrize("target", TARGETS)
def test_the_check_is_red_for_a_full_sample_fit(target):
    bars, features = market()
    folds = folds_of()
    full = [dataclasses.replace(fold, train=part(range(9, 300 - HORIZON))) for fold in folds]
    found = scaler_mismatches(fit(full, features, bars, target), folds, features, bars, target)
    assert len(found) == 4 * len(folds)
    shifted = [range(run.start + 1, run.stop + 1) for fold in folds for run in fold.train.rows]
    same_length = [dataclasses.replace(fold, train=part(run)) for fold, run in zip(folds, shifted, strict=True)]
    found = scaler_mismatches(fit(same_length, features, bars, target), folds, features, bars, target)
    assert len(found) == 4 * len(folds)


def test_the_check_is_red_for_one_statistic_of_one_column():
    bars, features = market()
    folds = folds_of()
    scalers = fit(folds, features, bars)
    chosen = (pl.col("fold") == 2) & (pl.col("column") == "momentum")
    for name, wrong in (("mean", pl.col("mean") + 1e-6), ("scale", math.nan), ("rows", pl.col("rows") + 1)):
        planted = scalers.with_columns(pl.when(chosen).then(wrong).otherwise(name).alias(name))
        (sentence,) = scaler_mismatches(planted, folds, features, bars, "log_return")
        assert sentence.startswith("fold 2 column momentum: stored mean ")


def test_the_check_is_red_for_missing_and_foreign_rows_and_the_wrong_target():
    bars, features = market()
    folds = folds_of()
    scalers = fit(folds, features, bars)
    (missing,) = scaler_mismatches(scalers[1:], folds, features, bars, "log_return")
    assert missing.startswith("fold 0 column log_return: stored mean missing")
    (foreign,) = scaler_mismatches(scalers, folds, features.drop("close"), bars, "log_return")[:1]
    assert "its training rows give missing" in foreign
    assert len(scaler_mismatches(scalers, folds, features, bars, "close")) == len(folds)


@pytest.mark.parametrize("constant", [0.0, 0.1, 1e9 + 0.1])
def test_a_constant_feature_is_refused(constant):
    # The mean of n copies of 0.1 is not 0.1, so the computed deviation of a constant is not always zero.
    bars, features = market()
    features = features.with_columns(momentum=pl.lit(constant))
    with pytest.raises(ValueError, match="EURUSD horizon 4 fold 0: column 'momentum' is a constant series"):
        fit(folds_of(), features, bars)


def test_what_cannot_be_scaled_is_refused():
    bars, features = market()
    early = make_fold(0, range(5, 60), range(70, 80), range(90, 100))
    for words, folds, columns, prices in (
        ("column 'target' is a constant series", folds_of(), features, bars.with_columns(close=pl.lit(1.1))),
        ("column 'momentum' is not finite on 4 of 55 training rows", [early], features, bars),
        ("EURUSD: features and bars have different timestamps", folds_of(), features[1:], bars),
    ):
        with pytest.raises(ValueError, match=words):
            fit(folds, columns, prices)


def test_standardised_training_rows_have_mean_zero_and_scale_one():
    bars, features = market()
    fold = folds_of()[1]
    scaled = standardise(features, fit([fold], features, bars))
    assert scaled.shape == (300, 3)
    assert scaled.dtype == np.float32
    assert scaled.flags.c_contiguous
    train = scaled[positions(fold.train.rows)].astype(np.float64)
    np.testing.assert_allclose(train.mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(train.std(axis=0), 1, atol=1e-6)
    assert np.isnan(scaled[:9, 1]).all()
    assert np.isfinite(scaled[9:]).all()


def test_standardise_matches_columns_by_name_and_by_hand():
    bars, features = market()
    scalers = fit([folds_of()[0]], features, bars)
    shuffled = standardise(features, scalers.reverse())
    assert np.array_equal(shuffled, standardise(features, scalers), equal_nan=True)
    reordered = standardise(features.select("timestamp", "close", "momentum", "log_return"), scalers)
    assert np.array_equal(reordered, shuffled[:, ::-1], equal_nan=True)
    mean, scale = scalers.filter(column="close").select("mean", "scale").row(0)
    assert reordered[50, 0] == np.float32((features["close"][50] - mean) / scale)


def test_standardise_refuses_scalers_of_two_folds_or_other_features():
    bars, features = market()
    scalers = fit(folds_of()[:2], features, bars)
    with pytest.raises(ValueError, match="hold each of"):
        standardise(features, scalers)
    with pytest.raises(ValueError, match="hold each of"):
        standardise(features.with_columns(new=pl.lit(1.0)), scalers.filter(fold=0))


@given(st.lists(st.floats(0.01, 200), min_size=1, max_size=50), st.integers(1, 60))
def test_log_returns_ahead_agrees_with_the_definition(closes, horizon):
    ahead = log_returns_ahead(np.array(closes), horizon)
    n = len(closes)
    expected = [math.log(closes[i + horizon] / closes[i]) if i + horizon < n else math.nan for i in range(n)]
    np.testing.assert_allclose(ahead, expected, rtol=1e-12, atol=1e-15)
