"""What strategies come to: planted skill pays, costs eat it, idle ones are said to be idle, and every number twice."""

import datetime
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from scipy import stats
from support.forecasts import filled
from support.money import bars, section

from golden_core.economics import sharpe
from golden_core.economics.strategies import IDLE, UNEVEN, strategies
from golden_core.economics.tables import LEAST_TRADES, SELDOM, economics_table, equity_table
from golden_core.preparation.catalogue import load_study
from golden_core.statistics import long_run
from golden_core.statistics.long_run import TOO_SHORT
from golden_core.store.randomness import Stream
from golden_core.store.schema import ECONOMICS, EQUITY, FORECASTS

N, HORIZON = 600, 5
SEEDS = {"random_walk": 1, "knows": 3, "guesses": 3}
SETTINGS = load_study("smoke").model_dump() | {"economics": section().model_dump()}
STUDY = type(load_study("smoke")).model_validate(SETTINGS)


def forecasts(pairs=("EURUSD",), n=N):
    """Forecasts at the closes of hourly bars 50 … 50 + n: one that sees the next five opens, dimly, and a guess."""
    rows = []
    for pair in pairs:
        known, opened = bars(pair)["available_at"], bars(pair)["open"].to_numpy()
        at = np.arange(50, 50 + n)
        y = np.log(opened[at + 1 + HORIZON] / opened[at + 1])
        for name, seeds in SEEDS.items():
            for seed in range(seeds):
                noise = Stream(14).child(name, pair, seed).generator().normal(0, y.std(), n)
                y_pred = {"random_walk": 0 * y, "knows": y + noise, "guesses": noise}[name]
                facts = {"study": STUDY.name, "forecaster": name, "pair": pair, "horizon": HORIZON, "seed": seed}
                frame = pl.DataFrame({"cutoff": known[50 : 50 + n], "y_true": y, "y_pred": y_pred})
                target = pl.col("cutoff") + datetime.timedelta(hours=HORIZON)
                rows.append(filled(frame, **facts, target_at=target, volatility=0.002))
    return FORECASTS.conform(pl.concat(rows))


@pytest.fixture(scope="module")
def traded():
    both = pl.concat([bars("EURUSD"), bars("USDJPY")])
    return list(strategies(forecasts(("EURUSD", "USDJPY")), both, section()))


@pytest.fixture(scope="module")
def table(traded):
    return economics_table(STUDY, traded, 3, Stream(1).child("economics"))


def judged(table, costs=None, tried=3):
    return economics_table(STUDY, list(strategies(table, bars(), costs or section())), tried, Stream(1))


def row(table, forecaster, pair="EURUSD"):
    return table.row(by_predicate=(pl.col("forecaster") == forecaster) & (pl.col("pair") == pair), named=True)


def test_every_forecaster_has_a_row_on_every_series(table):
    ECONOMICS.conform(table)
    assert len(table) == 6
    assert table["n"].unique().to_list() == [N + HORIZON]
    assert table["filled_at"].unique().to_list() == ["open of the next bar"]


def test_skill_pays_and_a_guess_pays_its_costs(table):
    knows, guesses = row(table, "knows"), row(table, "guesses")
    assert knows["low"] > 0 > guesses["net"]
    assert knows["probabilistic"] > 0.999
    assert knows["deflated"] < knows["probabilistic"]
    assert guesses["probabilistic"] < 0.5
    assert knows["sharpe"] > knows["sharpe_delayed"] > 0
    assert knows["half_spread_pips"] < knows["break_even_pips"]
    assert guesses["half_spread_pips"] > guesses["break_even_pips"]
    assert knows["bootstrap_low"] < knows["sharpe"] < knows["bootstrap_high"]
    for one in (knows, guesses):
        assert one["net"] == pytest.approx(one["gross"] - one["spread"] - one["slippage"] + one["swap"], rel=1e-12)
        assert one["sharpe"] < one["sharpe_gross"]
    assert knows["overfitting"] == guesses["overfitting"] == 0.0


def test_the_random_walk_trades_nothing_and_says_so(table):
    idle = row(table, "random_walk")
    assert (idle["reason"], idle["net"], idle["turnover"], idle["sharpe"], idle["deflated"]) == (IDLE, 0, 0, None, None)
    assert idle["break_even_pips"] is None


def test_the_numbers_of_a_row_by_another_way(traded, table):
    """One net return series, the mean over seeds, behind ratio, interval, both probabilities and the drawdown."""
    by_name = {(one.forecaster, one.pair): one for one in traded}
    r, other = (by_name[name, "USDJPY"].account.net.mean(axis=0) for name in ("knows", "guesses"))
    found, year = row(table, "knows", "USDJPY"), 24 * 365.25
    assert found["net"] == pytest.approx(year * r.mean(), rel=1e-12)
    ratio = r.mean() / r.std()
    assert found["sharpe"] == pytest.approx(np.sqrt(year) * ratio, rel=1e-12)
    engine = long_run(sharpe.sharpe_moment(r), horizon=HORIZON, level=STUDY.evaluation.confidence)
    assert [found["low"], found["high"]] == pytest.approx([np.sqrt(year) * engine.low, np.sqrt(year) * engine.high])
    error = np.sqrt((1 - stats.skew(r) * ratio + (stats.kurtosis(r) + 2) / 4 * ratio**2) / (len(r) - 1))
    assert found["probabilistic"] == pytest.approx(stats.norm.cdf(ratio / error), rel=1e-9)
    between = np.std([ratio, other.mean() / other.std()], ddof=1)
    assert found["deflated"] == pytest.approx(
        stats.norm.cdf((ratio - between * sharpe.expected_maximum(3)) / error), rel=1e-9
    )
    kept = by_name["knows", "USDJPY"].account
    assert found["half_spread_pips"] == pytest.approx(100 * kept.spread.sum() / kept.traded.sum(), rel=1e-9)
    assert 0.4 <= found["half_spread_pips"] <= 1.6, "of London's 0.4 to 1.6 where nobody is at work"
    equity = np.concatenate([[0.0], np.cumsum(r)])
    assert found["drawdown"] == pytest.approx(max(equity[: k + 1].max() - equity[k] for k in range(len(equity))))


def test_break_even_is_the_half_spread_at_which_nothing_is_left(table):
    pips = row(table, "guesses")["break_even_pips"]
    free = row(judged(forecasts(), section(spread=0.0)), "guesses")
    assert free["break_even_pips"] == pytest.approx(pips, rel=1e-9)
    paid = free["net"] / free["turnover"] * bars()["open"].mean() / 1e-4  # turnover is in value, pips in units
    assert paid == pytest.approx(pips, rel=0.02)


def test_more_tried_deflates_more(traded, table):
    many = row(economics_table(STUDY, traded, 5000, Stream(1).child("economics")), "knows")
    assert many["tried"] == 5000
    assert many["deflated"] < row(table, "knows")["deflated"]
    assert row(economics_table(STUDY, traded, 0, Stream(1)), "knows")["tried"] == 3  # at least those that stand here


def test_copies_of_a_strategy_are_one_strategy(traded, table):
    """Under the sign rule whoever is always long is the same strategy: copies neither ease the bar nor overfit."""
    here = [one for one in traded if one.pair == "EURUSD"]
    knows = next(one for one in here if one.forecaster == "knows")
    copies = [replace(knows, forecaster=f"copy {place}") for place in range(8)]
    among = row(economics_table(STUDY, [*copies, *here], 11, Stream(1)), "knows")
    alone = row(economics_table(STUDY, here, 11, Stream(1)), "knows")
    assert (among["deflated"], among["overfitting"]) == (alone["deflated"], alone["overfitting"])
    nobody_else = row(economics_table(STUDY, [*copies, knows], 11, Stream(1)), "knows")
    assert (nobody_else["deflated"], nobody_else["overfitting"]) == (None, None)


def test_too_few_returns_have_a_ratio_and_no_chance_of_skill():
    few = row(judged(forecasts(n=2)), "knows")
    assert few["reason"] == TOO_SHORT
    assert few["sharpe"] > 0
    assert (few["low"], few["probabilistic"], few["deflated"]) == (None, None, None)


def test_who_trades_seldom_has_a_ratio_and_no_chance_of_skill(table):
    """One forecast in fifty is traded: each lot is bought and sold, and neither may stand for six hundred bars."""

    def traded_every(nth):
        faint = forecasts().with_columns(pl.when(pl.int_range(pl.len()) % nth == 5).then("y_pred").otherwise(0.0))
        return row(judged(faint), "knows")

    seldom, enough = traded_every(50), traded_every(2 * N // LEAST_TRADES)
    assert enough["reason"] is None
    assert seldom["reason"] == SELDOM.format(2 * N // 50, LEAST_TRADES)
    assert seldom["sharpe"] is not None
    told = ("low", "high", "bootstrap_low", "bootstrap_high", "probabilistic", "deflated")
    assert [seldom[name] for name in told] == [None] * len(told)
    assert None not in [row(table, "knows")[name] for name in told]


@pytest.mark.parametrize(("trades", "least", "most"), [(6, 0.25, 1.0), (LEAST_TRADES, 0.0, 0.08)])
def test_the_rule_is_where_the_interval_keeps_its_promise(trades, least, most):
    """Returns that nobody can foresee, of lots of one bar: of three lots the interval leaves zero out in a third."""
    draw, returns = Stream(15).child("seldom").generator(), np.zeros((2000, 1500))
    held = draw.random(returns.shape).argsort(axis=1)[:, : trades // 2]  # a lot is bought and sold
    np.put_along_axis(returns, held, draw.standard_normal(held.shape), axis=1)
    found = long_run(sharpe.sharpe_moment(returns), horizon=1)
    assert least <= ((found.low > 0) | (found.high < 0)).mean() <= most


def test_no_block_of_the_bootstrap_is_shorter_than_what_a_forecast_looks_ahead(traded):
    costs = [STUDY.economics.model_copy(update={"bootstrap_block": block}) for block in (1, HORIZON)]
    studies = [STUDY.model_copy(update={"economics": one}) for one in costs]
    short, whole = (economics_table(study, traded, 3, Stream(1)) for study in studies)
    assert short.equals(whole)


def test_equity_ends_where_the_returns_add_up(traded, table):
    equity = equity_table(STUDY.name, traded)
    EQUITY.conform(equity)
    for one in traded:
        last = equity.filter(forecaster=one.forecaster, pair=one.pair)
        assert last["net"][-1] == pytest.approx(one.returns.sum(), abs=1e-12)
        assert last["timestamp"][-1] == one.account.times[-1]
        assert len(last) == 1  # all within a month of March 2024
    net = row(table, "knows")["net"] * (N + HORIZON) / (24 * 365.25)
    assert equity.filter(forecaster="knows", pair="EURUSD")["net"][0] == pytest.approx(net)


def test_a_forecaster_that_lacks_cutoffs_is_not_judged():
    gone = forecasts().filter(~((pl.col("forecaster") == "knows") & (pl.col("seed") == 1) & (pl.col("y_true") > 0.008)))
    table = judged(gone)
    assert row(table, "knows")["reason"] == UNEVEN
    assert row(table, "knows")["sharpe"] is None
    assert row(table, "guesses")["sharpe"] is not None


def test_who_never_trades_leaves_no_judgement_on_a_series():
    table = judged(forecasts().filter(forecaster="random_walk"), tried=1)
    assert table["reason"].to_list() == [IDLE]
    assert table["overfitting"].to_list() == [None]
