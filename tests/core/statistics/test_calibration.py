"""A small calibration: a test that is off its size is seen, refused cells are said, and chance is reproducible."""

from typing import get_args

import numpy as np
import pytest
from scipy import stats

from golden_core.claims import decisions
from golden_core.preparation.catalogue import load_study
from golden_core.statistics import calibration, long_run, worlds
from golden_core.statistics.calibration import Cell, calibrate
from golden_core.statistics.rules import refused
from golden_core.statistics.skill import Skill
from golden_core.store.randomness import Stream
from golden_core.study import ProtocolSection

STREAM = Stream(1).child("calibration")


def one(test, world="iid", n=250, horizon=1):
    return lambda cell: cell == Cell(test, world, n, horizon)


def test_the_engine_keeps_its_size_and_the_rectangle_does_not():
    table = calibrate(STREAM, simulations=2000, only=lambda c: (c.world, c.n) == ("ma", 250) and c.horizon == 24)
    sizes = table.filter(table["measure"].str.starts_with("size"))
    rates = dict(zip(sizes["test"], sizes["rate"], strict=True))
    assert rates["more_accurate"] is None  # refused
    assert 0.037 <= rates["equivalent"] <= 0.07
    assert rates["hln_rectangular"] > 0.08


def test_a_test_that_is_off_its_size_is_called_so(monkeypatch):
    # Moments three tenths of a standard error off zero; the direction is true, and no help.
    honest = calibration._accuracy

    def biased(outcome, forecast):
        g, direction = honest(outcome, forecast)
        return g + 0.3 * np.sqrt(8 / g.shape[-1]), direction

    measure = calibration._skill(worlds.equally_accurate, biased)
    monkeypatch.setitem(calibration.TESTS, "more_accurate", (measure, ("iid",)))
    table = calibrate(STREAM, simulations=500, only=one("more_accurate"))
    assert table.row(0, named=True)["verdict"] == "too large"


def verdicts(test, world, n, horizon):
    """Verdicts on all sizes of a cell."""
    table = calibrate(STREAM, simulations=500, only=one(test, world, n, horizon))
    return {row["verdict"] for row in table.filter(table["measure"].str.starts_with("size")).iter_rows(named=True)}


def errors(g):
    """Standard errors of means as if all values were independent."""
    return g.std(axis=-1) / np.sqrt(g.shape[-1])


def test_coverage_without_regard_to_overlap_is_off_its_size(monkeypatch):
    def independent(g, *, margin, horizon):
        return stats.norm.sf((margin - np.abs(g.mean(axis=-1))) / errors(g))

    assert "too large" not in verdicts("covers", "ma", 1888, 4)
    monkeypatch.setattr(calibration, "equivalence", independent)
    assert verdicts("covers", "ma", 1888, 4) == {"too large"}


def test_the_interval_of_a_share_allows_for_bursts_of_months(monkeypatch):
    """Intervals of one width under GARCH, whose coverage is true in the long run."""

    def rate():
        return calibrate(STREAM, simulations=500, only=one("coverage_interval", "slow", 1888))["rate"].item()

    assert rate() < 0.1
    monkeypatch.setattr(calibration, "LEAST_COEFFICIENTS", None)
    assert rate() > 0.2


def test_profit_of_whole_lots_without_regard_to_overlap_is_off_its_size(monkeypatch):
    """Each cutoff's return over h bars, as if no bar were in two of them."""

    def lots(_world, generator, simulations, n, horizon):
        returns, _ = worlds.garch(generator, (simulations, n + horizon - 1))
        return worlds._sums(returns, horizon), np.sign(worlds.persistent(generator, (simulations, n), 0.95))

    def independent(g, direction, *, horizon):
        return Skill(stats.norm.sf(g.mean(axis=-1) / errors(g)), g)

    assert "too large" not in verdicts("profitable", "garch", 1152, 24)
    monkeypatch.setattr(calibration, "skill", independent)
    monkeypatch.setitem(calibration.TESTS, "profitable", (calibration._skill(lots, calibration._profit), ("garch",)))
    assert verdicts("profitable", "garch", 1152, 24) == {"too large"}


def test_without_the_direction_a_level_is_said_to_foretell(monkeypatch):
    """Its score has the law of Dickey and Fuller's statistic; the direction's has Student's."""
    assert "too large" not in verdicts("predicts", "level", 250, 1)
    monkeypatch.setattr(
        calibration,
        "skill",
        lambda g, _, *, horizon: Skill(long_run(g, horizon=horizon, alternative="greater").p_value, g),
    )
    assert verdicts("predicts", "level", 250, 1) == {"too large"}


def test_every_kind_of_claim_is_measured_by_the_rules_that_decide_it():
    (kinds, _) = get_args(ProtocolSection.model_fields["kinds"].annotation)
    assert set(get_args(kinds)) <= set(calibration.TESTS)
    shipped = load_study("demo").protocol
    assert (shipped.coverage.level, shipped.coverage.margin) == (worlds.LEVEL, worlds.MARGIN)
    level = decisions._rarest(shipped)
    for cell in calibration.cells():
        if cell.test == "covers" and cell.world != "rare":
            assert cell.refused == bool(refused("covers", cell.n, cell.horizon, level=level))


def test_refused_cells_stay_in_the_table():
    table = calibrate(STREAM, simulations=500, only=one("superior", n=250, horizon=24))
    assert table.row(0, named=True) == {
        "test": "superior", "world": "iid", "n": 250, "horizon": 24, "measure": "size",
        "simulations": 0, "rate": None, "low": None, "high": None, "verdict": "refused by rule",
    }  # fmt: skip


@pytest.mark.parametrize(("kind", "n", "horizon", "part"), [
    ("more_accurate", 250, 24, "5 cosine coefficients"), ("more_accurate", 1151, 24, "a test of skill needs 1152"),
    ("more_accurate", 1152, 24, ""), ("predicts", 250, 4, ""), ("equivalent", 250, 24, ""),
    ("more_accurate", 191, 24, "too short"), ("predicts", 250, 24, "5 cosine coefficients"),
    ("superior", 319, 4, "needs 320"), ("superior", 320, 4, "needs 12"), ("superior", 400, 5, "needs 12"),
    ("superior", 500, 5, ""),
    ("superior", 250, 1, "7 halved"), ("confidence_set", 320, 4, ""), ("covers", 250, 4, "6.2 independent misses"),
    ("coverage_interval", 250, 4, ""), ("profitable", 191, 24, "too short"),
    ("profitable", 200, 24, "4 cosine coefficients"),
])  # fmt: skip
def test_rules(kind, n, horizon, part):
    assert part in refused(kind, n, horizon)
    assert bool(part) == bool(refused(kind, n, horizon))


def test_nothing_simulated_is_not_said_to_be_refused():
    with pytest.raises(ValueError, match="a rate needs simulations, got 0"):
        calibrate(Stream(1), simulations=0, only=lambda cell: cell == Cell("more_accurate", "iid", 250, 1))


def test_the_same_table_whoever_shares_the_work():
    only = one("covers", "garch")
    assert calibrate(STREAM, simulations=1000, only=only).equals(calibrate(STREAM, simulations=1000, only=only, jobs=2))


def test_worlds_are_what_they_say():
    generator = STREAM.child("worlds").generator()
    sums = worlds.overlapping(generator, (2000, 60), 4)
    lags = [float((sums[:, lag:] * sums[:, : 60 - lag]).mean()) for lag in range(6)]
    np.testing.assert_allclose(lags, [1, 0.75, 0.5, 0.25, 0, 0], atol=0.03)
    returns, known = worlds.garch(generator, (4000, 200))
    assert returns.var() == pytest.approx(1, abs=0.03)
    assert np.corrcoef(known[:, 100] ** 2, returns[:, 100] ** 2)[0, 1] > 0.1
    noise = worlds.persistent(generator, (2000, 50), 0.95)
    assert noise.std() == pytest.approx(worlds.NOISE, rel=0.03)
    assert np.corrcoef(noise[:, 10], noise[:, 11])[0, 1] == pytest.approx(0.95, abs=0.02)
