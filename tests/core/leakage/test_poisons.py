"""Poison replaces exactly what it says, and what it leaves is untouched to the last bit."""

import polars as pl
import pytest

from golden_core.leakage.poisons import FAULTS, POISONS, faulty, poisoned

PRICES = ("open", "high", "low", "close")
KEEPING = (*(name for name in POISONS if name != "removed"), "mirrored", "trending", "reverting", "frozen")


@pytest.fixture(scope="module")
def mask(raw, middle):
    return raw["available_at"] > middle


@pytest.mark.parametrize("poison", KEEPING)
def test_times_stay_and_only_masked_values_change(raw, mask, stream, poison):
    changed = poisoned(raw, mask, poison, stream)
    assert changed.schema == raw.schema
    for name in ("pair", "timestamp", "available_at"):
        assert changed[name].equals(raw[name])
    assert changed.filter(~mask).equals(raw.filter(~mask))
    same = (changed["close"] == raw["close"]).filter(mask)
    assert same.fill_null(False).mean() < 0.05  # an order drawn at random, or reversed, may leave a bar in its place


def test_removed_bars_are_gone(raw, mask, stream):
    assert poisoned(raw, mask, "removed", stream).equals(raw.filter(~mask))


@pytest.mark.parametrize("poison", KEEPING[1:])
def test_bars_stay_consistent(raw, mask, stream, poison):
    """Or cleaning would take the poison for a broken bar, and remove it."""
    changed = poisoned(raw, mask, poison, stream)
    assert (changed["high"] >= changed.select(pl.max_horizontal(PRICES)).to_series() * (1 - 1e-12)).all()
    assert (changed["low"] <= changed.select(pl.min_horizontal(PRICES)).to_series() * (1 + 1e-12)).all()


@pytest.mark.parametrize("poison", ["huge", "mirrored"])
def test_a_copy_stays_a_copy(raw, stream, poison):
    changed = poisoned(raw, pl.repeat(True, raw.height, eager=True), poison, stream)
    assert changed.unique().height == raw.unique().height == raw.height - 1


def test_mirrored_returns_change_their_sign(raw, mask, stream):
    before, after = (
        table.filter(pair="EURUSD").unique("timestamp").sort("timestamp").with_columns(r=pl.col("close").log().diff())
        for table in (raw, poisoned(raw, mask, "mirrored", stream))
    )
    later = before["available_at"] > before["available_at"][205]
    assert pl.DataFrame({"b": before["r"], "a": after["r"]}).filter(later).select(pl.corr("a", "b")).item() < -0.7


def last_closes(raw, mask):
    """The closes of each pair before the poison, by pair and from the last one back."""
    earlier = raw.filter(~mask).sort("timestamp", descending=True)
    return {pair: table["close"].to_list() for (pair,), table in earlier.partition_by("pair", as_dict=True).items()}


def test_mirrored_prices_lie_as_far_on_the_other_side_of_the_last_close(raw, mask, stream):
    changed, closes = poisoned(raw, mask, "mirrored", stream), last_closes(raw, mask)
    for pair in closes:
        here = mask & (raw["pair"] == pair)
        product = (changed["close"] * raw["close"]).filter(here).to_numpy()
        assert product == pytest.approx(closes[pair][0] ** 2, rel=5e-3)
    assert (changed["volume"] / raw["volume"]).filter(mask).to_list() == pytest.approx([1.0] * mask.sum(), abs=5e-3)


@pytest.mark.parametrize(("poison", "back"), [("frozen", 0), ("undone", 1)])
def test_a_feed_that_stands_still_repeats_a_price_from_before_and_nobody_trades(raw, mask, stream, poison, back):
    still, closes = poisoned(raw, mask, poison, stream).filter(mask), last_closes(raw, mask)
    for row in still.iter_rows(named=True):
        assert {row[name] for name in PRICES} == {closes[row["pair"]][back]}
        assert row["volume"] == 0


MOVED = {"spike": 1.5, "slip": 100.0, "jump": 1.02, "zero": 0.0}


@pytest.mark.parametrize("kind", MOVED)
@pytest.mark.parametrize("alone", [True, False])
def test_a_price_that_is_moved_is_of_the_last_bar_known(raw, middle, kind, alone):
    turn = FAULTS.index(kind)
    planted, pairs = faulty(raw, middle, turn, alone=alone), raw["pair"].unique().sort()
    whose = pairs[turn % len(pairs)] if alone else pairs[0]
    here = (raw["available_at"] == middle) & (raw["pair"] == whose)
    untouched = ~here if alone else (raw["pair"] == whose) & ~here
    # Where kinds take turns, another pair may lose its last bar or get a second one.
    own, before = (table.filter(pair=whose) if not alone else table for table in (planted, raw))
    changed, was = (table.filter(pl.col("available_at") == middle, pair=whose) for table in (own, before))
    for name in PRICES:
        assert changed[name].to_list() == [was[name][0] * MOVED[kind]]
    assert changed["volume"].equals(was["volume"])
    rest = own.filter((pl.col("available_at") != middle) | (pl.col("pair") != whose))
    assert rest.equals(raw.filter(untouched))


def test_a_bar_that_is_bad_without_a_move_is_bad_in_every_pair(raw, middle):
    last, others = pl.col("available_at") == middle, pl.col("available_at") != middle
    before = raw.filter(pl.col("available_at") == middle - pl.duration(hours=1)).sort("pair")
    found = {}
    for kind in ("stale", "hole", "gap", "twin"):
        planted = faulty(raw, middle, FAULTS.index(kind), alone=True)
        assert planted.filter(others).equals(raw.filter(others)), kind
        found[kind] = planted.filter(last).sort("pair", "close")
    assert found["stale"].select(PRICES).equals(before.select(PRICES))
    assert all(found["hole"][name].is_nan().all() for name in PRICES)
    assert found["gap"].is_empty()
    first, second = found["twin"].gather_every(2), found["twin"].gather_every(2, 1)
    assert first.equals(raw.filter(last).sort("pair"))
    assert second["close"].to_list() == pytest.approx((first["close"] * 1.001).to_list(), rel=1e-12)


def test_it_is_seeded(raw, mask, stream):
    first, again, other = (poisoned(raw, mask, "reshuffled", one) for one in (stream, stream, stream.child("other")))
    assert first.equals(again)
    assert not first.equals(other)


def test_walked_moves_take_signs_that_persist_or_alternate(raw, mask, stream):
    agree = {}
    for poison in ("trending", "reverting"):
        one = poisoned(raw, mask, poison, stream).filter(mask, pair=raw["pair"][0]).unique("timestamp")
        signs = one.sort("timestamp")["close"].log().diff().drop_nulls().sign()
        agree[poison] = (signs * signs.shift(1)).drop_nulls().mean()
    assert agree["trending"] > 0.3 > -0.3 > agree["reverting"]
