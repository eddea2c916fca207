"""The doctor: files with planted faults fail for the right reason, sound ones pass, and the card says why."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from golden_core.bars.card import data_card
from golden_core.bars.crosschecks import compare_sources
from golden_core.bars.doctor import Diagnosis, Patient, coverage_of, examine, open_file
from golden_core.bars.quality import Verdict, summarise
from golden_core.market.clock import expected_opens
from golden_core.market.local_time import from_utc
from golden_core.preparation.catalogue import load_study
from golden_core.store.schema import BARS, CLEANING, LEDGER, PARITY, QUALITY
from golden_core.vendors.base import VendorError

CHECKS = load_study("legacy").checks
HOURLY = Path(__file__).parents[4] / "shared/data/hourly"
PRICES = ("open", "high", "low", "close")


@pytest.fixture(scope="module")
def feed() -> pl.DataFrame:
    """Return a year of sound candles, in UTC."""
    expected = expected_opens(dt.date(2023, 1, 2), dt.date(2023, 12, 31), "1h")
    opens = expected.filter(pl.col("closure").is_null())["timestamp"]
    rng = np.random.default_rng(7)
    close = np.round(1.08 * np.exp(np.cumsum(rng.normal(0, 8e-4, len(opens)))), 5)
    frame = pl.DataFrame({"timestamp": opens, "open": np.concatenate([close[:1], close[:-1]]), "close": close})
    return frame.select(
        "timestamp", "open",
        high=pl.max_horizontal("open", "close") + pl.lit(np.round(rng.uniform(1e-5, 9e-4, len(opens)), 5)),
        low=pl.min_horizontal("open", "close") - pl.lit(np.round(rng.uniform(1e-5, 9e-4, len(opens)), 5)),
        close="close",
        volume=pl.lit(rng.integers(500, 5000, len(opens)).astype(float)),
    )  # fmt: skip


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes a table as EURUSD.parquet or .csv, its times as a clock shows them."""

    def made(table: pl.DataFrame, *, clock: str | None = None, suffix: str = ".parquet") -> Path:
        path = tmp_path / f"EURUSD{suffix}"
        shown = table.with_columns(timestamp=from_utc(table["timestamp"], clock)) if clock else table
        shown.write_parquet(path) if suffix == ".parquet" else shown.write_csv(
            path, datetime_format="%Y-%m-%dT%H:%M:%S"
        )
        return path

    return made


def patient(table: pl.DataFrame) -> Patient:
    """Return a table as if it had been read: readers refuse some files whole that the doctor could still examine."""
    hour = pl.col("timestamp").dt.offset_by("1h")
    bars = table.with_columns(pair=pl.lit("EURUSD"), available_at=hour)
    return Patient(bars.select(name for name in BARS.dtypes if name in bars.columns), "1h", "UTC", "not read")


def failed(diagnosis: Diagnosis) -> list[str]:
    return [verdict.claim for verdict in diagnosis.verdicts if verdict.passed is False]


def rows(diagnosis: Diagnosis) -> dict[str, int]:
    return {rule: count for rule, count in diagnosis.cleaned.account.select("rule", "rows").iter_rows() if count}


def where(fault: pl.Expr, table: pl.DataFrame, **values: pl.Expr | float) -> pl.DataFrame:
    return table.with_columns(pl.when(fault).then(value).otherwise(name).alias(name) for name, value in values.items())


def every(count: int) -> pl.Expr:
    return pl.int_range(pl.len()) % count == 20


def test_a_sound_file_passes(feed: pl.DataFrame, write: Callable[..., Path]) -> None:
    found = examine(open_file(write(feed)), CHECKS)
    assert found.passed
    assert failed(found) == []
    assert rows(found) == {"unremarkable": feed.height}
    assert "| times are UTC | pass | UTC explains" in found.card
    assert "| missing bars | pass |" in found.card


@pytest.mark.parametrize("clock", ["EET_US", "UTC+02:00", "Europe/Berlin", "UTC"])
def test_a_declared_clock_is_read(clock: str, feed: pl.DataFrame, write: Callable[..., Path]) -> None:
    path = write(feed, clock=clock, suffix=".csv")
    assert examine(open_file(path, zone=clock), CHECKS).passed
    assert open_file(path, zone=clock).bars["timestamp"].equals(feed["timestamp"])


def test_planted_faults_fail_their_own_claim(feed: pl.DataFrame) -> None:
    epoch = where(every(50), feed, timestamp=pl.lit(0).cast(feed.schema["timestamp"]))
    slips = where(every(50), feed, **{name: pl.col(name) * 100 for name in PRICES})
    absurd = where(every(50), feed, close=pl.lit(1965.0))
    flat = where(every(50), feed, **{name: pl.col("open") for name in PRICES})
    stretch = feed.filter(~pl.int_range(pl.len()).is_between(1000, 1100))
    crossed = feed.rename({"high": "close", "close": "high"}).select(feed.columns)
    cases = {
        "epoch_zero": (epoch, ["missing bars", "quarantined bars"]),
        "decimal_slip": (slips, ["repaired bars"]),
        "off_scale_price": (absurd, ["missing bars", "quarantined bars"]),
        "flat_bar": (flat, ["flat bars"]),
        "unremarkable": (stretch, ["missing bars"]),
        "inconsistent_range": (crossed, ["bars that stay"]),
    }
    for rule, (table, claims) in cases.items():
        found = examine(patient(table), CHECKS)
        assert set(claims) <= set(failed(found)), (rule, found.verdicts)
        assert rule in rows(found)
        assert rule == "unremarkable" or rule in found.card
        assert not found.passed
        assert all(f"| {claim} | **FAIL** |" in found.card for claim in claims)


@pytest.mark.parametrize(("factor", "passed"), [(1.0001, True), (1.2, False)])
def test_prices_far_apart_are_not_of_one_pair(factor: float, passed: bool, feed: pl.DataFrame) -> None:
    """Pairs of the dollar move alike: that two files correlate does not make them one pair."""
    other = patient(feed.with_columns(pl.col(name) * factor for name in PRICES))
    verdict = next(v for v in examine(patient(feed), CHECKS, other).verdicts if v.claim == "the second source agrees")
    assert verdict.passed is passed
    assert verdict.detail.endswith("these are not prices of one pair") is not passed


def test_nothing_left_is_a_failure_too(feed: pl.DataFrame) -> None:
    found = examine(patient(feed.with_columns(close=pl.lit(-1.0))), CHECKS)
    assert failed(found) == ["bars that stay"]
    assert "cleaning left none of 6,198 rows of EURUSD: 6,198 unusable_price" in found.card


def test_a_file_of_closes_is_examined_as_far_as_it_goes(feed: pl.DataFrame) -> None:
    found = examine(patient(feed.select("timestamp", "close")), CHECKS)
    assert found.passed
    assert next(v for v in found.verdicts if v.claim == "flat bars").passed is None
    assert "does not apply: the bars have no open, high, low" in found.card


def test_one_stray_date_does_not_stretch_the_range(feed: pl.DataFrame) -> None:
    for year in (1970, 2150):
        stray = pl.lit(dt.datetime(year, 1, 1, tzinfo=dt.UTC)).cast(feed.schema["timestamp"])
        bars = patient(where(pl.int_range(pl.len()) == 5, feed, timestamp=stray)).bars
        found = coverage_of(bars, "1h", "UTC")
        assert (found.start.year, found.end.year) == (2023, 2023)


def test_what_cannot_be_opened_says_why(feed: pl.DataFrame, write: Callable[..., Path], tmp_path: Path) -> None:
    naive = feed.with_columns(pl.col("timestamp").dt.replace_time_zone(None))
    with pytest.raises(VendorError, match="does not state its clock, and none is declared"):
        open_file(write(naive))
    feed.write_parquet(tmp_path / "bars.parquet")
    with pytest.raises(VendorError, match="mentions no pair; declare it with --pair"):
        open_file(tmp_path / "bars.parquet")
    assert open_file(tmp_path / "bars.parquet", pair="EURUSD").bars["pair"][0] == "EURUSD"
    with pytest.raises(VendorError, match="there is no file"):
        open_file(tmp_path / "GBPUSD.parquet")


def test_the_pair_may_stand_in_the_nearest_folder(feed: pl.DataFrame, tmp_path: Path) -> None:
    (tmp_path / "GBPUSD" / "EURUSD" / "2023").mkdir(parents=True)
    path = tmp_path / "GBPUSD" / "EURUSD" / "2023" / "hours.parquet"
    feed.write_parquet(path)
    assert open_file(path).bars["pair"][0] == "EURUSD"


class TestCard:
    CARD = staticmethod(
        functools.partial(
            data_card,
            title="a | b",
            source={"file": "<script>x</script>\nnext", "licence": ""},
            zones={},
            summary=summarise(QUALITY.empty()),
            months=QUALITY.empty(),
            account=CLEANING.empty(),
            ledger=LEDGER.empty(),
            coverage=pl.DataFrame({"pair": ["EURUSD"], "bars": [1234567]}),
            gaps=pl.DataFrame(schema={"pair": pl.String, "first": pl.Date, "last": pl.Date, "bars": pl.Int64}),
            parity=PARITY.empty(),
            verdicts=(Verdict("a", True, "x"), Verdict("b", False, "y"), Verdict("c", None, "")),
        )
    )

    def test_an_empty_one_says_so(self) -> None:
        card = self.CARD()
        assert "# Data card: a \\| b" in card
        assert "| licence | not stated: ask the vendor before passing anything on |" in card
        assert "| file | &lt;script>x&lt;/script> next |" in card
        assert "| a | pass | x |\n| b | **FAIL** | y |\n| c | not applicable | – |" in card
        assert "1,234,567" in card

    def test_it_is_the_same_for_the_same_facts(self) -> None:
        assert self.CARD() == self.CARD()


BROKER = ("AUDUSD", "EURUSD", "GBPUSD", "NZDUSD", "USDCAD", "USDCHF", "USDJPY")


def _shared(name: str) -> Path:
    path = HOURLY / f"{name}.parquet"
    if not path.exists():
        pytest.skip(f"{path} is absent")
    return path


@pytest.mark.shared
@pytest.mark.parametrize("name", [*(f"{pair}_broker_2010_2025" for pair in BROKER), "EURUSD_dukascopy_2015_2025"])
def test_the_real_hourly_files(name: str) -> None:
    """All pass; what they have is known: a broker's Friday stubs and outage, a bank's filled holidays."""
    found = examine(open_file(_shared(name)), CHECKS)
    assert failed(found) == []
    assert next(verdict for verdict in found.verdicts if verdict.claim == "times are UTC").passed
    quarantined = set(found.cleaned.ledger.filter(action="quarantined")["rule"])
    longest = found.quality["longest_gap"].max()
    if "broker" in name:
        assert quarantined == {"outside_trading_week"}
        assert longest == (27 if "USDCHF" in name else 11)  # the franc's broken floor; 2 July 2024 in all pairs
    else:
        assert quarantined == {"flat_while_closed"}
        assert longest == 0


@pytest.mark.shared
def test_the_franc_is_no_spike() -> None:
    found = examine(open_file(_shared("USDCHF_broker_2010_2025")), CHECKS)
    jumps = found.cleaned.ledger.filter(rule="implausible_jump")
    assert jumps["timestamp"].to_list() == [
        dt.datetime(2011, 9, 6, 7, tzinfo=dt.UTC),
        dt.datetime(2015, 1, 15, 9, tzinfo=dt.UTC),
    ]
    assert set(jumps["timestamp"]) <= set(found.cleaned.bars["timestamp"])


@pytest.mark.shared
def test_two_real_sources_keep_one_clock() -> None:
    left, right = (examine(open_file(_shared(f"EURUSD_{name}")), CHECKS).cleaned.bars for name in (
        "broker_2010_2025", "dukascopy_2015_2025"))  # fmt: skip
    found = compare_sources(left, right)
    assert found.offset_hours == 0
    assert found.bars > 60_000
    assert abs(found.level_difference) < 5e-5
    assert set(found.by_month["offset_hours"]) == {0}


def test_days_of_a_clock_are_looked_for_where_it_begins_them(tmp_path: Path) -> None:
    """Bars stamped in UTC do not say so: an import of whole days is examined by the clock that is declared again."""
    days = pl.date_range(dt.date(2022, 1, 3), dt.date(2023, 12, 29), "1d", eager=True)
    days = days.filter(days.dt.weekday() <= 5)
    opens = days.cast(pl.Datetime("us")).dt.replace_time_zone("Europe/Berlin").dt.convert_time_zone("UTC")
    rng = np.random.default_rng(3)
    closes = 1.1 * np.exp(np.cumsum(rng.normal(0, 5e-3, len(days))))
    path = tmp_path / "EURUSD.parquet"
    pl.DataFrame({"timestamp": opens, "close": closes}).write_parquet(path)
    found = {zone: _missing(open_file(path, zone=zone)) for zone in ("Europe/Berlin", None)}
    assert found["Europe/Berlin"] is True
    assert found[None] is False


def _missing(patient: Patient) -> bool | None:
    return next(one.passed for one in examine(patient, CHECKS).verdicts if one.claim == "missing bars")
