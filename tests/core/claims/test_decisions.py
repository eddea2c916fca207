"""Claims that are carried and that are not, on forecasts made to order, and each number by another way."""

import datetime

import numpy as np
import polars as pl
import pytest
from scipy import fft, stats
from support.claims import PROTOCOL, N, decide, draw, forecast_rows, forecasts, row

from golden_core.claims.questions import STILL, questions
from golden_core.statistics import equivalence, holm, long_run, worlds
from golden_core.statistics.moments import predicts
from golden_core.store.randomness import Stream
from golden_core.store.schema import CLAIMS, FORECASTS, QUANTILES


@pytest.fixture(scope="module")
def table():
    return decide(forecasts())


def test_every_question_has_a_row_whatever_becomes_of_it(table):
    CLAIMS.conform(table)
    assert len(table) == 3 * 3 * (2 + 1)  # forecasters, kinds, two series and their pool
    assert table["tried"].unique().to_list() == [7]


def test_planted_skill_is_claimed_and_noise_is_not(table):
    for kind in ("more_accurate", "predicts"):
        assert row(table, "skilled", kind)["claimed"]
        assert row(table, "skilled", kind, "all")["claimed"]
        for pair in ("EURUSD", "all"):  # of two pairs
            assert [row(table, "skilled", kind, pair)[name] for name in ("seeds", "seeds_agreeing")] == [3, 3]
        assert not row(table, "noisy", kind)["claimed"]
    assert row(table, "still", "equivalent", "all")["claimed"]
    assert not row(table, "noisy", "equivalent")["claimed"]
    # 1 − 0.9² of the loss is gone.
    assert row(table, "skilled", "more_accurate")["effect"] == pytest.approx(0.19, abs=1e-12)
    assert row(table, "skilled", "predicts")["effect"] == pytest.approx(0.2, abs=1e-12)


def test_numbers_of_a_series_by_cosine_transform(table):
    own = forecasts().filter(pair="EURUSD")
    walk = own.filter(forecaster="random_walk")["y_true"].to_numpy() ** 2
    runs = own.filter(forecaster="noisy").partition_by("seed")
    losses = [(run["y_pred"] - run["y_true"]).to_numpy() ** 2 for run in runs]
    g = np.mean([walk - loss for loss in losses], axis=0) / walk.mean()
    df = int(0.4 * N ** (2 / 3))
    error = np.sqrt(np.square(fft.dct(g, norm="ortho")[1 : df + 1]).mean() / N)
    found = row(table, "noisy", "more_accurate")
    assert (found["n"], found["df"], found["family"]) == (N, df, 9)
    assert found["effect"] == pytest.approx(g.mean(), rel=1e-12)
    assert found["p_value"] == pytest.approx(stats.t.sf(g.mean() / error, df), rel=1e-9)
    direction = runs[0]["y_true"].to_numpy() * np.sign(np.mean([run["y_pred"].to_numpy() for run in runs], axis=0))
    spread = np.sqrt(np.square(fft.dct(direction, norm="ortho")[1 : df + 1]).mean() / N)
    assert found["p_direction"] == pytest.approx(stats.t.sf(direction.mean() / spread, df), rel=1e-9)
    half = stats.t.ppf(0.975, df) * error
    assert [found["low"], found["high"]] == pytest.approx([g.mean() - half, g.mean() + half], rel=1e-9)
    critical = stats.t.ppf(1 - 0.05 / 9, df)
    assert stats.nct.sf(critical, df, found["smallest_effect"] / error) == pytest.approx(0.8, abs=1e-5)
    reach = np.abs(g.mean() + np.array([-1, 1]) * critical * error).max()
    assert found["margin_reached"] == pytest.approx(reach, rel=1e-9)


def test_the_margin_that_is_reached_would_have_been_claimed(table):
    found = row(table, "still", "equivalent")
    own = forecasts().filter(pair="EURUSD")
    walk = own.filter(forecaster="random_walk")["y_true"].to_numpy() ** 2
    runs = own.filter(forecaster="still").partition_by("seed")
    gains = [walk - (run["y_pred"] - run["y_true"]).to_numpy() ** 2 for run in runs]
    g = np.mean(gains, axis=0) / walk.mean()
    assert equivalence(g, margin=found["margin_reached"], horizon=1) == pytest.approx(0.05 / 9, rel=1e-6)
    assert found["p_value"] == pytest.approx(float(equivalence(g, margin=0.05 * walk / walk.mean(), horizon=1)))


@pytest.mark.parametrize("family", ["kind", "study"])
def test_holm_runs_over_the_declared_family(family):
    table = decide(forecasts(), PROTOCOL.model_copy(update={"family": family}))
    for part in [table] if family == "study" else table.partition_by("kind"):
        assert part["family"].unique().to_list() == [len(part)]
        np.testing.assert_allclose(part["p_holm"].to_numpy(), holm(part["p_value"].to_numpy()))


def test_seeds_are_no_samples():
    few, many = (decide(forecasts(seeds=seeds)) for seeds in (1, 3))
    repeated = forecasts(seeds=1)
    drawn = repeated.filter(pl.col("forecaster") != "random_walk")
    copies = [drawn.with_columns(seed=pl.lit(seed, pl.Int32)) for seed in range(1, 9)]
    copied = decide(pl.concat([repeated, *copies]))
    np.testing.assert_allclose(copied["p_value"].to_numpy(), few["p_value"].to_numpy(), rtol=1e-9)
    assert row(copied, "noisy", "predicts")["seeds"] == 9
    assert row(many, "noisy", "predicts")["seeds"] == 3


def test_a_copy_of_the_random_walk_is_no_claim_and_still_counts():
    copied = forecasts().with_columns(y_pred=pl.when(pl.col("forecaster") == "noisy").then(0.0).otherwise("y_pred"))
    found = row(decide(copied), "noisy", "more_accurate")
    assert (found["claimed"], found["p_holm"], found["family"]) == (False, None, 9)
    assert "identical forecasts" in found["reason"]


def test_what_cannot_be_tested_says_why():
    short = decide(forecasts(n=31))
    assert not short["claimed"].any()
    assert short["reason"].unique().to_list() == [
        "fewer than 4 cosine coefficients: the series is too short for its horizon"
    ]
    gone = forecasts().filter(
        ~((pl.col("forecaster") == "noisy") & (pl.col("cutoff").dt.day() == 3) & (pl.col("seed") == 1))
    )
    uneven = decide(gone)
    assert "same cutoffs" in row(uneven, "noisy", "predicts")["reason"]
    assert "same cutoffs" in row(uneven, "noisy", "predicts", "all")["reason"]
    assert row(uneven, "skilled", "predicts")["claimed"]


def test_a_rate_that_does_not_move_has_no_test_and_says_why():
    still = forecasts().with_columns(y_true=pl.when(pair="EURUSD").then(0.0).otherwise("y_true"))
    table = decide(still)
    for kind in ("more_accurate", "equivalent"):
        found = row(table, "skilled", kind)
        assert (found["claimed"], found["p_value"], found["reason"], found["family"]) == (False, None, STILL, 9)
        pooled = row(table, "skilled", kind, "all")
        assert (pooled["reason"], pooled["seeds"], pooled["seeds_agreeing"]) == (f"EURUSD: {STILL}", 3, 0)
    assert row(table, "skilled", "more_accurate", "USDJPY")["claimed"]


def test_where_a_fifth_of_outcomes_is_zero_no_effect_on_absolute_losses_is_promised():
    zeros = pl.int_range(pl.len()).over("forecaster", "pair", "seed") % 10 < 3
    flat = forecasts().with_columns(y_true=pl.when(zeros).then(0.0).otherwise("y_true"))
    found = row(decide(flat, PROTOCOL.model_copy(update={"loss": "absolute"})), "skilled", "more_accurate")
    assert (found["claimed"], found["smallest_effect"]) == (True, None)


def test_more_noise_never_helps_a_claim_and_absolute_loss_is_asked_for():
    squared, absolute = (
        decide(forecasts(), PROTOCOL.model_copy(update={"loss": loss})) for loss in ("squared", "absolute")
    )
    assert row(absolute, "skilled", "more_accurate")["effect"] == pytest.approx(0.1, abs=1e-12)
    assert row(squared, "noisy", "more_accurate")["p_value"] > 0.99


def test_pairs_that_share_the_dollar_are_one_sample_and_not_many():
    """Seven martingales with one factor, forecasts that go with it and know nothing: 5 % of true nulls are rejected."""
    simulations, n, pairs = 2000, 250, 7
    chance = Stream(4).child("claims", "dollar").generator()
    dollar, own = chance.standard_normal((simulations, 1, n)), chance.standard_normal((simulations, pairs, n))
    y = 0.8 * dollar + 0.6 * own
    forecast = worlds.persistent(chance, (simulations, 1, n), 0.7) + 0.3 * worlds.persistent(chance, y.shape, 0.7)
    moments = predicts(y, forecast)
    rejected = {
        "averaged": long_run(moments.mean(axis=1), horizon=1, alternative="greater").p_value,
        "as samples": long_run(moments.reshape(simulations, -1), horizon=1, alternative="greater").p_value,
    }
    shares = {name: (p_value <= 0.05).mean() for name, p_value in rejected.items()}
    assert 0.037 <= shares["averaged"] <= 0.063
    assert shares["as samples"] > 0.1
    # What a protocol decides about all pairs is the first of the two.
    first = datetime.datetime(2020, 1, 1, 15, tzinfo=datetime.UTC)
    table = pl.concat(
        forecast_rows(name, f"P{pair}", 0, first, y[0, pair], known[pair])
        for pair in range(pairs)
        for name, known in (("random_walk", np.zeros((pairs, n))), ("walker", forecast[0]))
    )
    units = np.square(y[0]).mean(axis=1, keepdims=True)
    pooled = [
        float(long_run(moment.mean(axis=0), horizon=1, alternative="greater").p_value)
        for moment in (moments[0] / units, y[0] * np.sign(forecast[0]) / np.sqrt(units))
    ]
    decided = row(decide(FORECASTS.conform(table)), "walker", "predicts", "all")
    assert (decided["n"], decided["p_value"]) == (n, pytest.approx(max(pooled), rel=1e-9))
    assert decided["p_direction"] == pytest.approx(pooled[1], rel=1e-9)


@pytest.mark.parametrize("loss", ["squared", "absolute"])
def test_who_is_right_by_size_alone_knows_nothing(loss):
    """One forecast in four is large and right, three are small and wrong: less is lost, and no direction pays."""
    y = 0.005 * draw("y", "EURUSD")
    right = np.arange(N) % 4 == 0
    bent = forecasts(pairs=("EURUSD",)).with_columns(
        y_pred=pl.when(pl.col("forecaster") == "noisy")
        .then(pl.Series(np.tile(np.where(right, 0.5 * y, -0.01 * y), 10)))
        .otherwise("y_pred")
    )
    table = decide(bent, PROTOCOL.model_copy(update={"scopes": ("series",), "loss": loss}))
    for kind in ("more_accurate", "predicts"):
        found = row(table, "noisy", kind)
        assert found["low"] > 0
        assert (found["claimed"], found["p_value"]) == (False, found["p_direction"])
        assert found["p_direction"] > 0.99
        assert row(table, "skilled", kind)["claimed"]
    assert row(table, "noisy", "equivalent")["p_direction"] is None


@pytest.mark.parametrize("follows", [0.5, 1.0, 2.0])
@pytest.mark.parametrize(("loss", "law"), [("squared", "normal"), ("absolute", "normal"), ("absolute", "laplace")])
def test_what_a_forecast_would_earn_if_the_outcome_followed_it(loss, law, follows):
    """Of y = βf + e, claim and direction have the means that are told, so that either gives the other its effect."""
    n = 200_000
    forecast = 0.05 * draw("f", size=n)
    noise = draw("e", size=n)
    if law == "laplace":
        noise = stats.laplace.ppf(stats.norm.cdf(noise)) / np.sqrt(2)
    y = follows * forecast + noise
    first = datetime.datetime(2010, 1, 1, 15, tzinfo=datetime.UTC)
    rows = [forecast_rows(name, "EURUSD", 0, first, y, f) for name, f in (("random_walk", 0 * y), ("own", forecast))]
    protocol = PROTOCOL.model_copy(update={"loss": loss, "kinds": ("more_accurate", "predicts")})
    for question in questions(FORECASTS.conform(pl.concat(rows)), QUANTILES.empty(), [], protocol):
        known = question.direction
        assert known.moment.mean() == pytest.approx(follows * known.one, abs=4 / np.sqrt(n))
        error = 4 * question.by_seed.std() / np.sqrt(n)
        # A fifth of the outcomes says of a law with an edge at zero that it is flatter than it is.
        error += 0.15 * known.gain if (question.kind, law) == ("more_accurate", "laplace") else 0.0
        assert question.by_seed.mean() == pytest.approx(follows * known.gain - known.cost, abs=error)
        assert error < 0.4 * known.gain
