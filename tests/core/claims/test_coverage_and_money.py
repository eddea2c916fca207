"""Claims that an interval covers and that trading pays: carried where it is so, refused with a reason elsewhere."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from scipy import fft, stats
from scipy.special import nctdtrinc
from support.claims import PROTOCOL, N, decide, draw, forecasts, row
from support.money import bars, section

from golden_core.claims.questions import ENDLESS, GAPS, POINT_ONLY
from golden_core.economics.costs import quotes
from golden_core.economics.ledger import Account
from golden_core.economics.strategies import IDLE, Strategy
from golden_core.statistics import equivalence
from golden_core.store.schema import QUANTILES
from golden_core.study import ProtocolSection
from golden_core.study.protocol import CoverageClaim

COVERS = PROTOCOL.model_copy(update={"kinds": ("covers",), "coverage": CoverageClaim(level=0.8, margin=0.08)})
PROFITABLE = PROTOCOL.model_copy(update={"kinds": ("profitable",)})
# How wide each forecaster's quantiles are, against those that cover; still gives none.
WIDTHS = {"random_walk": 1.0, "skilled": 1.0, "noisy": 0.6}


def quantiles(table):
    size = pl.when(pl.col("pair") == "USDJPY").then(0.01).otherwise(0.005)
    width = pl.col("forecaster").replace_strict(WIDTHS, default=None) * size
    given = table.filter(pl.col("forecaster").is_in(list(WIDTHS)))
    levels = pl.DataFrame({"level": [0.1, 0.5, 0.9]})
    ends = pl.col("level").replace_strict({0.1: stats.norm.ppf(0.1), 0.5: 0.0, 0.9: stats.norm.ppf(0.9)})
    beside = given.join(levels, how="cross").with_columns(value=ends * width, rearranged=pl.lit(value=False))
    return QUANTILES.conform(beside.select(*QUANTILES.dtypes))


@pytest.fixture(scope="module")
def covered():
    return decide(forecasts(), COVERS, quantiles=quantiles(forecasts()))


def test_an_interval_that_covers_is_a_claim_and_one_too_narrow_is_none(covered):
    assert len(covered) == 4 * 3  # of the random walk too: here it is held against no one
    for forecaster in ("random_walk", "skilled"):
        assert row(covered, forecaster, "covers")["claimed"]
        assert row(covered, forecaster, "covers", "all")["claimed"]
        assert row(covered, forecaster, "covers")["seeds_agreeing"] == row(covered, forecaster, "covers")["seeds"]
    narrow = row(covered, "noisy", "covers")
    assert not narrow["claimed"]
    assert narrow["effect"] < -0.2
    assert narrow["seeds_agreeing"] == 0
    assert narrow["margin"] == 0.08
    assert narrow["smallest_effect"] > 0


def test_coverage_by_hand(covered):
    own = forecasts().filter(forecaster="skilled", pair="EURUSD", seed=0)
    hits = own["y_true"].abs().to_numpy() <= 0.005 * stats.norm.ppf(0.9)
    found = row(covered, "skilled", "covers")
    assert found["effect"] == pytest.approx(hits.mean() - 0.8, rel=1e-12)
    df = int(0.4 * N ** (2 / 3))
    error = np.sqrt(np.square(fft.dct(hits.astype(float), norm="ortho")[1 : df + 1]).mean() / N)
    p_value = max(stats.t.sf((0.08 - found["effect"]) / error, df), stats.t.sf((0.08 + found["effect"]) / error, df))
    assert found["p_value"] == pytest.approx(p_value, rel=1e-9)


def test_a_point_forecaster_covers_nothing_and_says_why(covered):
    for pair in ("EURUSD", "all"):
        silent = row(covered, "still", "covers", pair)
        assert (silent["reason"], silent["p_value"], silent["claimed"]) == (POINT_ONLY, None, False)
    assert covered["family"].unique().to_list() == [12]
    some = quantiles(forecasts()).filter(~((pl.col("forecaster") == "skilled") & (pl.col("cutoff").dt.day() == 3)))
    assert row(decide(forecasts(), COVERS, quantiles=some), "skilled", "covers")["reason"] == GAPS
    later = (pl.col("seed") == 2) & (pl.col("forecaster") == "skilled")
    shifted = pl.when(later).then(pl.col("cutoff") + pl.duration(days=1)).otherwise("cutoff")
    other = forecasts().with_columns(cutoff=shifted)
    assert row(decide(other, COVERS, quantiles=quantiles(other)), "skilled", "covers")["reason"] == GAPS


def test_coverage_that_too_few_misses_decide_is_refused():
    rare = COVERS.model_copy(update={"coverage": CoverageClaim(level=0.8, margin=0.08)})
    few = forecasts(n=90)
    found = decide(few, rare, quantiles=quantiles(few))
    assert "independent misses expected" in row(found, "skilled", "covers")["reason"]


def test_intervals_that_always_hold_have_no_test_and_say_so():
    wide = quantiles(forecasts()).with_columns(value=50 * pl.col("value"))
    found = row(decide(forecasts(), COVERS, quantiles=wide), "skilled", "covers")
    assert (found["claimed"], found["p_value"]) == (False, None)
    assert found["reason"] == "no spread: every interval holds what came, or none does"


@pytest.mark.parametrize(("each", "claimed"), [(20, True), (5, False)])
def test_intervals_without_an_end_cover_nothing(each, claimed):
    """Adaptive intervals may have no end for a while: each holds whatever comes. Beyond the margin that decides."""
    given = quantiles(forecasts())
    endless = (pl.col("cutoff").dt.ordinal_day() % each == 0) & (pl.col("level") == 0.9)
    found = row(
        decide(forecasts(), COVERS, quantiles=given.with_columns(
            value=pl.when(endless & (pl.col("forecaster") == "skilled")).then(np.inf).otherwise("value")
        )),
        "skilled", "covers",
    )  # fmt: skip
    assert found["claimed"] == claimed
    assert (found["reason"] == ENDLESS.format(0.2)) == (not claimed)


def strategy(forecaster, pair, net, reason="", at=slice(None)):
    times = bars(pair)["timestamp"][:N][at]
    nothing = np.zeros_like(net)
    kept = Account(times, net.mean(axis=0), nothing + 1, net, nothing, nothing, nothing, nothing + 1, nothing)
    return Strategy(forecaster, pair, 1, quotes(bars(pair), pair, section()), kept, kept, reason)


def traded(shift=0.3):
    """Returns over 600 hours: skilled earns 0.3 standard deviations a bar, noisy nothing, still never trades."""
    for pair in ("EURUSD", "USDJPY"):
        yield strategy("skilled", pair, 1e-4 * np.stack([draw("net", pair, s) + shift for s in range(3)]))
        yield strategy("noisy", pair, 1e-4 * np.stack([draw("noise", pair, s) for s in range(3)]))
        yield strategy("still", pair, np.zeros((3, N)), IDLE)
        yield strategy("random_walk", pair, np.zeros((1, N)), IDLE)


def test_what_earns_is_a_claim_and_noise_is_none():
    table = decide(forecasts(), PROFITABLE, traded=list(traded()))
    assert len(table) == 3 * 3
    for pair in ("EURUSD", "USDJPY", "all"):
        assert row(table, "skilled", "profitable", pair)["claimed"]
        assert not row(table, "noisy", "profitable", pair)["claimed"]
        assert row(table, "still", "profitable", pair)["reason"] == IDLE
    found = row(table, "skilled", "profitable")
    net = next(iter(traded())).account.net.mean(axis=0)
    assert found["effect"] == pytest.approx(24 * 365.25 * net.mean(), rel=1e-12)  # a year of hourly bars
    assert found["margin"] is None
    assert found["seeds_agreeing"] == 3
    assert 0 < found["smallest_effect"] < found["effect"]


def test_a_loss_is_no_claim_however_certain():
    table = decide(forecasts(), PROFITABLE, traded=list(traded(-0.3)))
    assert row(table, "skilled", "profitable")["p_value"] > 0.999
    assert not table["claimed"].any()


def others(forecaster):
    return [other for other in traded() if (other.pair, other.forecaster) != ("EURUSD", forecaster)]


def asked_of(forecaster, moves, position, paid=0.0):
    """What is asked about the profit of one forecaster on EURUSD that held this while the price moved so."""
    one = strategy(forecaster, "EURUSD", moves * position)
    kept = replace(one.account, moves=moves, position=position, spread=np.full(position.shape, paid))
    table = decide(forecasts(), PROFITABLE, traded=[replace(one, account=kept), *others(forecaster)])
    return row(table, forecaster, "profitable")


def test_profit_of_large_positions_alone_is_no_skill():
    """One position in four is large and earns, three are small and lose: there is profit, and no skill."""
    large = np.arange(N) % 4 == 0
    moves = 1e-4 * (draw("net", "EURUSD", 0) + np.where(large, 2.0, -0.7))
    found = asked_of("skilled", moves, np.where(large, 1.0, 0.1) * np.ones((3, 1)))
    assert found["low"] > 0
    assert (found["claimed"], found["p_value"] == found["p_direction"]) == (False, True)


def test_lots_that_cancel_are_no_position():
    """The rounding of their sum has a sign as any number has; and who holds nothing has the direction he had."""
    moves, idle = 1e-4 * draw("noise", "EURUSD", 0), np.arange(N) % 3 == 1
    p_direction = [
        asked_of("noisy", moves, np.where(idle, rest, 1.0) * np.ones((3, 1)))["p_direction"] for rest in (0, -1e-17, 1)
    ]
    assert 0.001 < p_direction[0] < 0.999
    assert p_direction == [pytest.approx(p_direction[0], rel=1e-9)] * 3


def test_the_smallest_profit_is_one_that_the_direction_finds_too():
    """Earned for each unit held where moves follow positions, less the costs: positions of two sizes, by hand."""
    position, moves = np.where(np.arange(N) % 5 == 0, 10.0, 0.1) * np.ones((3, 1)), 1e-4 * draw("noise", "EURUSD", 0)
    found = asked_of("noisy", moves, position, paid=2e-5)
    year, df = 24 * 365.25, int(0.4 * N ** (2 / 3))
    needed = [
        nctdtrinc(df, 0.2, stats.t.ppf(1 - 0.05 / found["family"], df))
        * np.sqrt(np.square(fft.dct(moment, norm="ortho")[1 : df + 1]).mean() / N)
        for moment in (moves, position[0] * moves)
    ]
    follows = needed[0] / np.abs(position).mean()
    assert found["smallest_effect"] == pytest.approx(year * (follows * np.square(position).mean() - 2e-5), rel=1e-6)
    assert found["smallest_effect"] > 1.2 * year * needed[1]


def without(pair, rows):
    """Strategies of which those on one pair lack some bars."""
    for one in traded():
        kept = np.delete(np.arange(N), rows if one.pair == pair else [])
        yield strategy(one.forecaster, one.pair, one.account.net[:, kept], one.reason, kept)


def test_a_pool_is_of_the_times_that_all_pairs_have():
    gone = [0, 17, 400]
    shorter = {one.pair: one for one in without("USDJPY", gone) if one.forecaster == "skilled"}
    found = row(decide(forecasts(), PROFITABLE, traded=list(without("USDJPY", gone))), "skilled", "profitable", "all")
    nets = np.delete(shorter["EURUSD"].account.net, gone, axis=1), shorter["USDJPY"].account.net
    assert found["n"] == N - len(gone)
    assert found["effect"] == pytest.approx(24 * 365.25 * np.mean(nets), rel=1e-12)


@pytest.mark.parametrize(("lost", "reason"), [(30, None), (31, "the pairs have too few times in common")])
def test_pairs_of_other_times_have_no_pool(lost, reason):
    table = decide(forecasts(), PROFITABLE, traded=list(without("EURUSD", range(lost))))
    assert row(table, "skilled", "profitable", "all")["reason"] == reason


def test_pairs_of_other_seeds_have_no_pool():
    table = forecasts()
    fewer = table.filter(~((pl.col("pair") == "USDJPY") & (pl.col("seed") == 2)))
    found = row(decide(fewer), "skilled", "more_accurate", "all")
    assert found["reason"] == "the pairs do not have the same seeds"


def test_equivalence_of_coverage_keeps_its_size_at_the_margin():
    """True coverage at the upper and the lower margin: the claim is made in no more than about five of a hundred."""
    for truth in (0.72, 0.88):
        hits = (draw("size", truth, size=(2000, 250)) < stats.norm.ppf(truth)) - 0.8
        rate = (equivalence(hits, margin=0.08, horizon=1) <= 0.05).mean()
        assert rate <= 0.075


def test_the_protocol_declares_what_it_asks_about():
    said = COVERS.model_dump(mode="json")
    assert said["coverage"] == {"level": 0.8, "margin": 0.08}
    assert "coverage" not in PROTOCOL.model_dump(mode="json")  # and so the hash of a protocol without it stays
    assert ProtocolSection.model_validate(COVERS.model_dump()) == COVERS
