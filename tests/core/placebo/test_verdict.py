"""The rule of counting, by another way; a protocol that is too free fails it; the promise of power is the engine's."""

import numpy as np
import polars as pl
import pytest
from scipy import stats

from golden_core.checks.results import result_checks
from golden_core.checks.universes import GATE
from golden_core.placebo import filed as filing
from golden_core.placebo import verdict as verdicts
from golden_core.placebo.filed import count_universes, filed_count
from golden_core.placebo.universe import ROWS, PlaceboError
from golden_core.placebo.verdict import OPEN, SHOWN, TOO_MANY, allowed, faults, promised, verdict
from golden_core.statistics import holm, long_run, minimum_detectable
from golden_core.store.lake import Home
from golden_core.store.randomness import Stream

STREAM = Stream(13, ("placebo", "verdict"))


def rows(alpha=0.05, *, adjust=holm, universes=500, stopped=0, kinds=("more_accurate", "predicts"), tests=4, lost=0.0):
    """Return what tests give where nothing is: dependent as forecasters are, who lose a little by learning."""
    generator = STREAM.generator()
    shared = generator.standard_normal((universes, 1, 1))
    z = np.sqrt(0.5) * shared + np.sqrt(0.5) * generator.standard_normal((universes, len(kinds), tests))
    parts = []
    for number, p in enumerate(stats.norm.sf(z - lost)):
        adjusted = [adjust(of_kind) for of_kind in p]
        facts = {"universe": number, "seconds": 1.5, "n": 100, "df": 20, "family": tests}
        for kind, mine, theirs in zip(kinds, p, adjusted, strict=True):
            parts += [
                {**facts, "kind": kind, "forecaster": f"f{i}", "p_value": a, "p_holm": b, "claimed": b <= alpha}
                for i, (a, b) in enumerate(zip(mine, theirs, strict=True))
            ]
    gate = [{"universe": universes + n, "seconds": 0.5, "fault": "a leak"} for n in range(stopped)]
    schema = {"arm": pl.String, **ROWS}
    return pl.DataFrame([{"arm": "cheap", **part} for part in [*parts, *gate]], schema=schema)


@pytest.fixture(scope="module")
def honest():
    return rows(stopped=2)


@pytest.mark.parametrize(("universes", "most"), [(500, 16), (200, 4), (100, 1), (59, 0), (58, -1), (1, -1)])
def test_what_may_claim_is_the_largest_count_that_refutes_more_than_5_per_cent(universes, most):
    assert allowed(universes) == most
    # The exact upper bound of Clopper and Pearson says the same.
    within = [k for k in range(universes + 1) if stats.beta.ppf(0.95, k + 1, universes - k or 1e-9) <= 0.05]
    assert max(within, default=-1) == most


def test_between_shown_and_refuted_a_count_is_open():
    assert [verdict(k, 500) for k in (0, 16, 17, 33, 34)] == [SHOWN, SHOWN, OPEN, OPEN, TOO_MANY]
    assert verdict(0, 20) == OPEN


def test_honest_claims_are_counted_once_per_universe(honest, tiny):
    table = verdicts.false_claims(honest, tiny.protocol)
    first = table.row(0, named=True)
    by_hand = honest.filter("claimed")["universe"].n_unique()
    assert (first["claims"], first["universes"], first["stopped"], first["found"]) == ("any skill", 502, 2, by_hand)
    assert first["verdict"] == verdict(by_hand, 502)
    counts = dict(table.filter(claims="any skill").select("adjustment", "found").iter_rows())
    assert counts["Holm by study"] <= counts["Holm by kind"] < counts["none"]
    assert table.filter(claims="predicts")["verdict"].item() == "reported"


@pytest.mark.parametrize(
    ("made", "right"),
    [({}, True), ({"alpha": 0.3}, False), ({"adjust": lambda p: p}, False)],
    ids=["as it should be", "inflated alpha", "without Holm"],
)
def test_the_check_fails_where_the_protocol_is_too_free(tmp_path, tiny, monkeypatch, made, right):
    home, study = Home(tmp_path / "home", tmp_path / "reports"), tiny
    (check,) = (one for one in result_checks(study) if one.name == "placebo_claims_nothing")
    found = check.decide(home, study)
    assert (found.severity, found.examined) == ("warn", 0)
    assert "golden placebo" in found.findings[0]
    monkeypatch.setattr(filing, "block_rows", lambda *_: rows(**made, kinds=("more_accurate",), tests=8, lost=0.3))
    count_universes(home, study, "placebo", GATE)
    assert bool(check.faults(home, study)) != right
    found = check.decide(home, study)
    assert found.examined == 500
    if not right:
        assert "claim a skill where there is none" in found.findings[0]


def test_a_smaller_arm_is_open_until_it_refutes_and_what_is_missing_is_said():
    table = pl.DataFrame(
        {"arm": ["cheap", "network"], "universes": [500, 60], "found": [3, 2], "allowed": [16, 0],
         "verdict": [verdict(3, 500), verdict(2, 60)]}
    )  # fmt: skip
    assert faults(table, {"cheap": 500, "network": 100}) == ([], ["60 of 100 universes of arm network are done"])
    worse = table.with_columns(found=pl.Series([17, 9]), verdict=pl.Series([verdict(17, 500), verdict(9, 60)]))
    against, _ = faults(worse, {"cheap": 500, "network": 60})
    assert [line.split(":")[0] for line in against] == ["arm cheap", "arm network"]
    # Of a few hundred universes a right pipeline may have more than refute 5 %: nothing is said before all are done.
    assert len(faults(worse, {"cheap": 1000, "network": 60})[0]) == 1


@pytest.mark.parametrize("stopped", [True, False])
def test_where_nothing_was_tested_few_claims_show_nothing(tiny, stopped):
    tested = rows(universes=470, lost=1.0)
    what = {"fault": "drift fails"} if stopped else {"kind": "predicts", "claimed": False, "reason": "too short"}
    other = [{"arm": "cheap", "universe": 470 + n, "seconds": 1.0, **what} for n in range(30)]
    table = verdicts.false_claims(pl.concat([tested, pl.DataFrame(other, schema=tested.schema)]), tiny.protocol)
    assert table.row(0, named=True)["verdict"] == OPEN
    (said,), _ = faults(table, {"cheap": 500})
    assert said.endswith("but in too many no skill was tested")
    fewer = pl.concat([tested, pl.DataFrame(other[:20], schema=tested.schema)])
    assert verdicts.false_claims(fewer, tiny.protocol).row(0, named=True)["verdict"] == SHOWN


def test_a_curve_of_power_leaves_out_no_arm_that_was_stopped(tmp_path, tiny, monkeypatch):
    done = rows(universes=2).with_columns(arm=pl.lit("power_0.001"), effect=pl.lit(0.1), smallest_effect=pl.lit(0.1))
    what = {"arm": "power_0.2", "universe": 0, "fault": "ar fails", "seconds": 1.0}
    stopped = pl.DataFrame([what], schema=done.schema)
    monkeypatch.setattr(filing, "block_rows", lambda *_: pl.concat([done, stopped]))
    with pytest.raises(PlaceboError, match=r"no universe of arm power_0\.2 .* all were stopped: ar fails"):
        count_universes(Home(tmp_path, tmp_path), tiny, "power", GATE)


def test_the_arm_that_has_to_show_the_rate_is_the_first_declared_and_not_the_first_done(tiny):
    table = verdicts.false_claims(rows(universes=60).with_columns(arm=pl.lit("network")), tiny.protocol)
    table = table.with_columns(found=pl.lit(1), verdict=pl.lit(OPEN))
    assert faults(table, {"cheap": 500, "network": 60}) == ([], ["0 of 500 universes of arm cheap are done"])


def test_a_changed_table_is_none_and_other_code_is_said(tmp_path, tiny, monkeypatch):
    home = Home(tmp_path / "home", tmp_path / "reports")
    monkeypatch.setattr(filing, "block_rows", lambda *_: rows(universes=60))
    table = count_universes(home, tiny, "placebo", GATE)
    filed = filed_count(home, tiny, "placebo", GATE)
    assert filed.current
    assert filed.table["found"].equals(table["found"])
    other = tiny.model_copy(update={"context_length": 4})
    assert not filed_count(home, other, "placebo", GATE).current
    path = home.study(tiny.name).root / "placebo" / "placebo.csv"
    path.write_text(path.read_text().replace("reported", "at most 5 %"))
    assert filed_count(home, tiny, "placebo", GATE) is None


def test_a_point_of_the_curve_of_power_by_hand(tiny):
    """Four universes of two arms: who knows the slope is worth R², or twice that; who learns it, the mean effect."""
    claimed, effects, smallest = [True, False, True, True], [0.1, 0.3, 0.2, 0.4], [0.2, 0.1, 0.2, 0.3]
    told = [
        {"arm": arm, "universe": number, "forecaster": name, "kind": kind, "claimed": claimed[number],
         "effect": effects[number], "smallest_effect": smallest[number], "df": 20, "family": 2, "seconds": number + 1.0}
        for arm in ("low", "high") for name in ("planted", "ar") for kind in ("more_accurate", "predicts")
        for number in range(4)
    ]  # fmt: skip
    stopped = [{"arm": "high", "universe": 4, "fault": "ar fails", "seconds": 1.0}]
    curve = verdicts.found_skill(
        pl.DataFrame([*told, *stopped], schema={"arm": pl.String, **ROWS}), {"low": 0.05, "high": 0.2}, tiny.protocol
    )
    assert curve.select("r2", "forecaster", "kind").rows() == [
        (r2, name, kind) for kind in ("more_accurate", "predicts") for name in ("planted", "ar") for r2 in (0.05, 0.2)
    ]
    detectable = np.sqrt(np.square(smallest).mean())
    worth = {("planted", "more_accurate"): 1.0, ("planted", "predicts"): 2.0}
    for row in curve.iter_rows(named=True):
        assert (row["universes"], row["found"], row["share"], row["seconds"]) == (4, 3, 0.75, 2.5)
        assert row["stopped"] == (1 if row["r2"] == 0.2 else 0)
        assert (row["low"], row["high"]) == pytest.approx((stats.beta.ppf(0.025, 3, 2), stats.beta.ppf(0.975, 4, 1)))
        assert (row["effect"], row["smallest_effect"]) == pytest.approx((0.25, detectable))
        true = worth.get((row["forecaster"], row["kind"]), 0.25 / row["r2"]) * row["r2"]
        assert row["promised"] == pytest.approx(promised(true, detectable, 20, tiny.protocol.alpha / 2, 0.8))


def test_the_promise_is_the_engines_own(tiny):
    """At the smallest effect it is the protocol's power, at none the level, and between them what simulation gives."""
    n, alpha, reps = 300, 0.05, 4000
    g = STREAM.child("promise").generator().standard_normal((reps, n))
    smallest = float(np.sqrt(np.square(minimum_detectable(g, horizon=1)).mean()))
    tested = long_run(g, horizon=1, alternative="greater")
    assert promised(smallest, smallest, tested.df, alpha, 0.8) == pytest.approx(0.8)
    assert promised(0.0, smallest, tested.df, alpha, 0.8) == pytest.approx(alpha)
    for effect in (0.5 * smallest, 1.3 * smallest):
        met = (long_run(g + effect, horizon=1, alternative="greater").p_value <= alpha).mean()
        assert promised(effect, smallest, tested.df, alpha, 0.8) == pytest.approx(met, abs=0.03)
