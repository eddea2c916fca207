"""Features: a second implementation of each, and contracts that every registered feature must keep.

The probe of causality is itself put to the test: a planted leak must not get past it.
"""

import math
from typing import get_args, get_type_hints

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from golden_core.inputs.features import FEATURES, TARGETS, Feature, FeatureError, build_features
from golden_core.inputs.windows import Target

LENGTH = 120


@pytest.fixture(scope="module")
def closes():
    returns = np.random.Generator(np.random.PCG64(1)).standard_t(3, LENGTH - 1) * 0.005
    return 1.1 * np.exp(np.concatenate([[0.0], np.cumsum(returns)]))


@pytest.fixture
def bars(make_bars, closes):
    frame = make_bars(closes, candles=True)
    return frame.with_columns(open=pl.col("close") * 1.001)


def same_bits(left, right):
    """Return whether two columns agree in every null and every bit."""
    bits = [column.fill_null(0.0).to_numpy().view(np.uint64) for column in (left, right)]
    return bool(left.is_null().equals(right.is_null()) and np.array_equal(*bits))


def futures(bars, row):
    """Return the bars with everything after a row replaced, in several ways; all of them keep the times in order."""
    past, future = bars[: row + 1], bars[row + 1 :]
    prices = ["open", "high", "low", "close"]
    noise = np.exp(np.random.Generator(np.random.PCG64(row)).standard_normal((future.height, len(prices))))
    return {
        "nan": pl.concat([past, future.with_columns(pl.lit(math.nan).alias(name) for name in prices)]),
        "null": pl.concat([past, future.with_columns(pl.lit(None, pl.Float64).alias(name) for name in prices)]),
        "noise": pl.concat([past, future.with_columns(pl.Series(n, noise[:, i]) for i, n in enumerate(prices))]),
        "reversed": pl.concat([past, future.with_columns(pl.col(name).reverse() for name in prices)]),
        "huge": pl.concat([past, future.with_columns(pl.col(name) * 1e9 for name in prices)]),
        "gone": past,
    }


def leaks(name, bars, rows):
    """Return the ways in which a later bar changes an earlier value of a feature."""
    before = build_features([name], bars)[name]
    return [
        f"{name} at row ≤ {row} changes when the future is {kind}"
        for row in rows
        for kind, changed in futures(bars, row).items()
        if not same_bits(build_features([name], changed)[name][: row + 1], before[: row + 1])
    ]


@pytest.mark.parametrize("name", sorted(FEATURES))
class TestEveryFeature:
    def test_the_future_changes_no_bit_of_the_past(self, name, bars):
        assert leaks(name, bars, range(0, LENGTH, 7)) == []

    def test_warm_up_is_exact(self, name, bars):
        values, warm_up = build_features([name], bars)[name], FEATURES[name].warm_up
        assert values.dtype == pl.Float64
        assert values[:warm_up].null_count() == warm_up
        assert values[warm_up:].null_count() == 0
        assert values[warm_up:].is_finite().all()

    def test_only_the_window_matters(self, name, bars):
        # Not even a huge value that has left the window leaves a trace, nor does where the series starts.
        warm_up = FEATURES[name].warm_up
        whole = build_features([name], bars)[name]
        for cut in (1, 7, 30):
            cut_off = build_features([name], bars[cut:])[name]
            assert same_bits(cut_off[warm_up:], whole[cut + warm_up :])
        prices, early = ["open", "high", "low", "close"], pl.int_range(pl.len()) < 30
        wild = bars.with_columns(pl.when(early).then(pl.col(n) * 1e12).otherwise(n).alias(n) for n in prices)
        assert same_bits(build_features([name], wild)[name][30 + warm_up :], whole[30 + warm_up :])

    def test_a_constant_price_is_no_trouble(self, name, make_bars):
        bars = make_bars([1.1] * 40, candles=True).with_columns(open=pl.col("close"))
        assert build_features([name], bars)[name][FEATURES[name].warm_up :].is_finite().all()

    def test_it_says_what_it_is(self, name):
        feature = FEATURES[name]
        assert feature.description
        assert feature.warm_up >= 0
        assert set(feature.needs) <= {"open", "high", "low", "close", "volume"}

    def test_what_it_needs_is_what_it_reads(self, name, bars):
        spare = [column for column in ("open", "high", "low", "close") if column not in FEATURES[name].needs]
        assert same_bits(build_features([name], bars.drop(spare))[name], build_features([name], bars)[name])


class TestThePlantedLeak:
    @pytest.mark.parametrize(
        "compute",
        [
            lambda bars: bars["close"].shift(-1),
            lambda bars: bars["close"] - bars["close"].mean(),
            lambda bars: bars["close"].rolling_mean(5, center=True),
            lambda bars: bars["close"].fill_null(strategy="backward") * bars.height,
        ],
        ids=["next bar", "whole-sample mean", "centred window", "length of the series"],
    )
    def test_it_is_caught(self, compute, bars, monkeypatch):
        monkeypatch.setitem(FEATURES, "leak", Feature("planted", "", 0, ("close",), compute))
        assert leaks("leak", bars, range(0, LENGTH, 7)) != []


class TestValues:
    """Each feature against numpy, written down once more from its definition."""

    @pytest.mark.parametrize(
        ("name", "expected"),
        [
            ("log_close", lambda c, t: np.log(c[t])),
            ("log_return", lambda c, t: np.log(c[t] / c[t - 1])),
            ("log_return_5", lambda c, t: np.log(c[t] / c[t - 5])),
            ("momentum_20", lambda c, t: np.log(c[t] / c[t - 20])),
            ("volatility_20", lambda c, t: np.std(np.diff(np.log(c[t - 20 : t + 1])), ddof=1)),
            ("ma_ratio_20", lambda c, t: np.log(c[t]) - np.mean(np.log(c[t - 19 : t + 1]))),
            ("close", lambda c, t: c[t]),
            ("open", lambda c, t: c[t] * 1.001),
            ("high", lambda c, t: c[t] * 1.01),
            ("low", lambda c, t: c[t] * 0.99),
        ],
    )
    def test_definition(self, name, expected, bars, closes):
        found = build_features([name], bars)[name].to_numpy()
        for row in range(FEATURES[name].warm_up, LENGTH):
            assert found[row] == pytest.approx(expected(closes, row), rel=1e-9, abs=1e-15)

    def test_weekdays_lie_on_a_circle(self, make_bars):
        found = build_features(["day_of_week_sin", "day_of_week_cos"], make_bars([1.1] * 24 * 14))
        angle = np.unwrap(np.arctan2(*found.select("day_of_week_sin", "day_of_week_cos").to_numpy().T))
        steps = np.diff(angle[::24])  # 1 January 2024 is a Monday; a week brings the angle round
        assert steps == pytest.approx(np.full(13, 2 * math.pi / 7))
        assert angle[0] == pytest.approx(2 * math.pi / 7)

    @given(st.lists(st.floats(0.5, 2.0), min_size=21, max_size=60))
    def test_volatility_agrees_with_numpy_on_anything(self, prices):
        bars = pl.DataFrame({"pair": "X", "timestamp": range(len(prices)), "close": prices})
        found = build_features(["volatility_20"], bars)["volatility_20"].to_numpy()[20:]
        returns = np.lib.stride_tricks.sliding_window_view(np.diff(np.log(prices)), 20)
        assert found == pytest.approx(returns.std(axis=1, ddof=1), rel=1e-9, abs=1e-12)


class TestBuilding:
    def test_columns_come_in_the_order_asked_for(self, bars):
        found = build_features(["momentum_20", "close"], bars)
        assert found.columns == ["timestamp", "momentum_20", "close"]
        assert found["timestamp"].equals(bars["timestamp"])

    def test_a_missing_column_names_feature_and_pair(self, make_bars):
        message = r"feature 'high' needs the column 'high', which the bars of EURUSD do not"
        with pytest.raises(FeatureError, match=message):
            build_features(["close", "high"], make_bars([1.1, 1.2]))

    def test_an_unknown_name_suggests_another(self, bars):
        with pytest.raises(FeatureError, match=r"no feature is called 'log_retrun'; did you mean 'log_return'\?"):
            build_features(["log_retrun"], bars)
        with pytest.raises(FeatureError, match=r"no feature is called 'zzz'; known: close, .*, volatility_20"):
            build_features(["zzz"], bars)

    @pytest.mark.parametrize("order", [[1, 0, 2], [0, 1, 1]])
    def test_bars_out_of_order_would_look_ahead(self, order, bars):
        with pytest.raises(FeatureError, match=r"the bars of EURUSD are not in the order of time: clean them first"):
            build_features(["close"], bars[order])

    def test_two_pairs_would_mix(self, bars):
        both = pl.concat([bars[:1], bars[1:2].with_columns(pair=pl.lit("USDJPY"))])
        with pytest.raises(FeatureError, match=r"from the bars of one pair, got EURUSD, USDJPY"):
            build_features(["close"], both)

    def test_targets_are_those_a_window_knows(self):
        assert set(TARGETS) == set(get_args(get_type_hints(Target)["name"]))

    def test_features_of_the_real_history(self, make_data, tmp_path):
        from golden_core.sources.ecb import Ecb

        data = make_data()
        bars = Ecb().bars(Ecb().read(data, 0, tmp_path), data, "EURUSD")
        names = [name for name, feature in FEATURES.items() if set(feature.needs) <= {"close"}]
        found = build_features(names, bars)
        assert found.drop("timestamp").null_count().row(0) == tuple(FEATURES[name].warm_up for name in names)
        assert found.drop("timestamp").drop_nulls().to_numpy().dtype == np.float64
        assert np.isfinite(found.drop("timestamp").drop_nulls().to_numpy()).all()
