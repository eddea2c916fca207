"""Poison replaces exactly what it says, and what it leaves is untouched to the last bit."""

import polars as pl
import pytest

from golden_core.leakage.poisons import POISONS, poisoned

PRICES = ("open", "high", "low", "close")
KEEPING = (*(name for name in POISONS if name != "removed"), "mirrored")


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


def test_it_is_seeded(raw, mask, stream):
    first, again, other = (poisoned(raw, mask, "reshuffled", one) for one in (stream, stream, stream.child("other")))
    assert first.equals(again)
    assert not first.equals(other)


def test_an_unknown_poison(raw, mask, stream):
    with pytest.raises(ValueError, match="no poison is called 'arsenic'; known: nan, huge"):
        poisoned(raw, mask, "arsenic", stream)


def test_walked_and_frozen_futures_leave_the_past_and_do_what_they_say(raw, stream):
    cut = raw["timestamp"].sort()[raw.height // 2]
    mask = raw["available_at"] > cut
    for poison in ("trending", "reverting", "frozen"):
        changed = poisoned(raw, mask, poison, stream)
        assert changed.filter(~mask).equals(raw.filter(~mask)), poison
        assert changed.select("pair", "timestamp", "available_at").equals(
            raw.select("pair", "timestamp", "available_at")
        )
        assert not changed.filter(mask)["close"].equals(raw.filter(mask)["close"]), poison
    frozen = poisoned(raw, mask, "frozen", stream).filter(mask)
    assert (frozen["high"] == frozen["low"]).all()
    assert frozen.group_by("pair").agg(pl.col("close").n_unique())["close"].to_list() == [1] * raw["pair"].n_unique()
    agree = {}
    for poison in ("trending", "reverting"):
        one = (
            poisoned(raw, mask, poison, stream).filter(mask, pair=raw["pair"][0]).unique("timestamp").sort("timestamp")
        )
        signs = one["close"].log().diff().drop_nulls().sign()
        agree[poison] = (signs * signs.shift(1)).drop_nulls().mean()
    assert agree["trending"] > 0.3 > -0.3 > agree["reverting"]
