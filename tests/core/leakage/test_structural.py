"""Structural claims: a sound run keeps them, and each fault is named at its place."""

import dataclasses
import datetime as dt

import numpy as np
import polars as pl
import pytest

from golden_core.leakage.artefacts import Fit, Run
from golden_core.leakage.structural import duplicated_rows, structural

HOUR = dt.timedelta(hours=1)
UTC = pl.Datetime("us", "UTC")
PARTS = {"train": range(10, 95), "validation": range(100, 135), "test": range(140, 190)}
EMBARGO = 4  # a label of one bar, then four bars of gap


@pytest.fixture(scope="module")
def pair_raw(raw):
    return raw.filter(pair="EURUSD").unique("timestamp").sort("timestamp")


@pytest.fixture
def sound(pair_raw):
    """A sound run over one pair: one fold, two features, windows of three bars."""
    bars = pair_raw
    close = bars["close"].to_numpy()
    returns = np.append(0.0, np.diff(np.log(close)))
    features = {"r": returns, "m": np.convolve(returns, np.ones(5))[: len(returns)]}
    stamped = bars.select("timestamp", pl.col("available_at").alias("stamp"), key=pl.lit("EURUSD"))
    targets = pl.DataFrame(
        {"timestamp": bars["timestamp"][:-1], "cutoff": bars["available_at"][:-1], "stamp": bars["available_at"][1:]}
    ).with_columns(key=pl.lit("EURUSD_h1"), y=pl.Series(np.diff(np.log(close))))
    rows = np.concatenate(list(PARTS.values()))
    part = np.repeat(list(PARTS), [len(part) for part in PARTS.values()])
    key = pl.lit("EURUSD_h1/0").alias("key")
    placed = bars[rows].select("timestamp", stamp="available_at")
    folds = placed.with_columns(key, part=pl.Series(part))
    windows = placed.with_columns(
        key, *(pl.Series(n, np.stack([v[rows - 2], v[rows - 1], v[rows]], axis=1)) for n, v in features.items())
    )
    scalers = pl.DataFrame({"mean:r": [0.0]}).with_columns(key, pl.lit(bars["available_at"][95], UTC).alias("stamp"))
    made = {
        "bars": stamped, "features": stamped.with_columns(pl.Series(n, v) for n, v in features.items()),
        "targets": targets, "folds": folds, "scalers": scalers, "windows": windows,
    }  # fmt: skip
    declared = bars[:96].select("pair", "timestamp")
    return Run(made, (Fit("scalers", "EURUSD_h1/0", "scale", declared),))


def found(run, raw, **options):
    settings = {"embargo": EMBARGO, **options}
    return [(finding.probe, finding.asset) for finding in structural(run, raw, **settings)]


def changed(run, asset, frame):
    return dataclasses.replace(run, artefacts={**run.artefacts, asset: frame})


def test_a_sound_run_has_no_finding(sound, pair_raw):
    assert found(sound, pair_raw) == []


@pytest.mark.parametrize("asset", ["bars", "features", "windows"])
def test_a_row_that_may_be_used_before_its_bar_is_known(sound, pair_raw, asset):
    early = sound.artefacts[asset].with_columns(pl.col("stamp") - HOUR)
    findings = structural(changed(sound, asset, early), pair_raw)
    assert [(f.probe, f.asset, f.column) for f in findings] == [("clock_contract", asset, "stamp")]


def test_rates_of_currencies_tell_when_a_bar_of_a_pair_is_known(sound, pair_raw):
    """As reference rates do: no pair of a run is in the raw table, and all that is told of a day is told at once."""
    rates = pl.concat([pair_raw.with_columns(pair=pl.lit(currency)) for currency in ("USD", "JPY")])
    assert "clock_contract" not in [probe for probe, _ in found(sound, rates)]
    early = changed(sound, "features", sound.artefacts["features"].with_columns(pl.col("stamp") - HOUR))
    assert ("clock_contract", "features") in found(early, rates)


def test_a_bar_that_is_printed_twice_is_known_when_its_first_print_is(sound, pair_raw):
    late = pair_raw.with_columns(pl.col("available_at") + 3 * HOUR)
    for more, expected in ((0, []), (1, [("test_rows_in_fit", "scalers")])):
        declared = pair_raw[: PARTS["test"].start + more].select("pair", "timestamp")
        run = dataclasses.replace(sound, fits=(Fit("scalers", "EURUSD_h1/0", "scale", declared),))
        assert found(run, pl.concat([late, pair_raw])) == expected


def test_one_early_row_is_named(sound, pair_raw):
    features = sound.artefacts["features"]
    late = pl.col("timestamp") == features["timestamp"][77]
    early = features.with_columns(pl.when(late).then(pl.col("stamp") - HOUR).otherwise("stamp").alias("stamp"))
    (finding,) = structural(changed(sound, "features", early), pair_raw)
    assert finding.timestamp == features["stamp"][76]
    assert finding.detail.startswith("1 rows may be used too early")


def test_a_target_that_is_known_by_its_cutoff(sound, pair_raw):
    targets = sound.artefacts["targets"].with_columns(stamp=pl.col("cutoff"))
    assert ("clock_contract", "targets") in found(changed(sound, "targets", targets), pair_raw, embargo=0)


@pytest.mark.parametrize("part", ["train", "validation"])
@pytest.mark.parametrize(("extra", "probe"), [(1, "embargo"), (4, "embargo"), (5, "purge")])
def test_a_part_that_comes_too_close_to_the_next(sound, pair_raw, part, extra, probe):
    """Four bars of gap: with one row more it is short, with five the last label touches the next part."""
    stop = PARTS[part].stop
    more = pair_raw[stop : stop + extra].select("timestamp", stamp="available_at")
    more = more.with_columns(key=pl.lit("EURUSD_h1/0"), part=pl.lit(part)).select(sound.artefacts["folds"].columns)
    run = changed(sound, "folds", pl.concat([sound.artefacts["folds"], more]))
    assert (probe, "folds") in found(run, pair_raw)
    assert (("purge", "folds") in found(run, pair_raw)) == (probe == "purge")


def test_a_row_in_two_parts(sound, pair_raw):
    folds = sound.artefacts["folds"]
    again = folds.filter(part="test")[:1].with_columns(part=pl.lit("train"))
    run = changed(sound, "folds", pl.concat([folds, again]))
    without = {asset: frame for asset, frame in run.artefacts.items() if asset != "windows"}  # it needs no statistics
    for one in (run, Run(without, run.fits)):
        assert {"row_in_two_parts", "purge"} <= {probe for probe, _ in found(one, pair_raw)}


@pytest.mark.parametrize("purpose", ["scale", "train", "stop_early", "select", "calibrate"])
def test_a_fit_that_declares_a_test_row(sound, pair_raw, purpose):
    first_test = PARTS["test"].start
    for count, caught in ((first_test, False), (first_test + 1, True)):
        fit = Fit("scalers", "EURUSD_h1/0", purpose, pair_raw[:count].select("pair", "timestamp"))
        run = dataclasses.replace(sound, fits=(fit,))
        expected = [("test_rows_in_fit", "scalers")] if caught else []
        assert found(run, pair_raw) == expected


def test_what_lacks_the_columns_of_a_claim_is_not_judged(sound, pair_raw):
    bare = {asset: frame.drop("timestamp", strict=False) for asset, frame in sound.artefacts.items()}
    assert structural(Run(bare, sound.fits), pair_raw, embargo=EMBARGO) == []
    for asset, column in (("folds", "part"), ("folds", "timestamp"), ("targets", "cutoff"), ("targets", "y")):
        one = changed(sound, asset, sound.artefacts[asset].drop(column))
        assert structural(one, pair_raw, embargo=EMBARGO) == [], (asset, column)


START = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
TRAIN, TEST = 1200, 400


def market(generator, *, tick=0.0, flat=0.0):
    """Return one-bar log returns in standard deviations, rounded to ticks, some of them zero, calm in stretches."""
    calm = np.exp(np.convolve(generator.normal(0, 0.1, TRAIN + TEST + 200), np.ones(60), "same"))
    returns = generator.standard_t(4, TRAIN + TEST + 200) * calm
    returns[generator.random(len(returns)) < flat] = 0.0
    return np.round(returns / tick) * tick if tick else returns


def rows_of(returns, length):
    """Return windows [N, L] of returns and of their five-bar sums, and the next return."""
    sums = np.convolve(returns, np.ones(5))[: len(returns)]
    windows = [np.lib.stride_tricks.sliding_window_view(values, length)[100:] for values in (returns, sums)]
    count = TRAIN + TEST
    return windows[0][:count].copy(), windows[1][:count].copy(), returns[100 + length : 100 + length + count].copy()


def findings(r, s, y):
    times = pl.Series([START + dt.timedelta(hours=i) for i in range(len(y))], dtype=pl.Datetime("us", "UTC"))
    key = pl.lit("EURUSD_h1/0").alias("key")
    windows = pl.DataFrame({"timestamp": times, "stamp": times, "r": r, "s": s}).with_columns(key)
    part = np.repeat(["train", "test"], [TRAIN, len(y) - TRAIN])
    rows = pl.DataFrame({"timestamp": times, "cutoff": times, "y": y, "part": part}).with_columns(key)
    return list(duplicated_rows(Run({"windows": windows}, ()), rows))


@pytest.fixture
def generator(stream):
    return stream.child("duplicates").generator()


@pytest.mark.parametrize("length", [1, 2, 5, 20])
@pytest.mark.parametrize(("tick", "flat"), [(0.0, 0.0), (0.01, 0.0), (0.01, 0.3), (0.1, 0.1), (0.0, 0.9)])
def test_no_market_is_accused_of_repeating_itself(generator, length, tick, flat):
    for _ in range(3):
        assert findings(*rows_of(market(generator, tick=tick, flat=flat), length)) == []


@pytest.mark.parametrize("length", [2, 5, 20])
@pytest.mark.parametrize("noise", [0.0, 1e-5])
def test_copies_of_training_rows_are_found(generator, length, noise):
    r, s, y = rows_of(market(generator, tick=0.01, flat=0.1), length)
    chosen = generator.integers(0, TRAIN, 80)
    for values in (r, s, y):
        values[TRAIN : TRAIN + 80] = values[chosen] + noise * generator.standard_normal(values[chosen].shape)
    (finding,) = findings(r, s, y)
    assert (finding.probe, finding.asset, finding.column) == ("copied_row", "windows", "r")
    assert finding.timestamp >= START + dt.timedelta(hours=TRAIN)


@pytest.mark.parametrize(("copies", "told"), [(1, 0), (5, 1)])
def test_a_twin_that_chance_explains_is_no_copy(generator, copies, told):
    """Of windows of two bars 0.007 twins are expected among four hundred: one may be, five are not."""
    rows = rows_of(market(generator), 2)
    for values in rows:
        values[TRAIN : TRAIN + copies] = values[:copies]
    assert len(findings(*rows)) == told


def test_copies_are_found_beside_a_feature_that_never_moves(generator):
    r, s, y = rows_of(market(generator), 5)
    s[:] = 1.0
    for values in (r, y):
        values[TRAIN : TRAIN + 80] = values[:80]
    assert [finding.probe for finding in findings(r, s, y)] == ["copied_row"]


def test_a_twin_with_another_label_is_no_copy(generator):
    r, s, y = rows_of(market(generator), 5)
    for values in (r, s):
        values[TRAIN : TRAIN + 80] = values[:80]
    assert findings(r, s, y) == []
