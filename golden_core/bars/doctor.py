"""One file examined as a study's data are: cleaning, calendar, clock, and the verdicts of a study's thresholds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from golden_core.bars.averages import averages_verdict
from golden_core.bars.card import data_card
from golden_core.bars.cleaning import Cleaned, Coverage, clean
from golden_core.bars.cleaning.coverage import coverage_of
from golden_core.bars.crosschecks import FEWEST, compare_sources
from golden_core.bars.importing import read_hashed
from golden_core.bars.quality import Verdict, gaps, judge, quality_table, summarise
from golden_core.market.local_time import ZoneError
from golden_core.market.zones import active_times, verify_zone
from golden_core.store.schema import PARITY, QUALITY
from golden_core.study.sections import ChecksSection
from golden_core.vendors.base import VendorError
from golden_core.vendors.detect import AUTO
from golden_core.vendors.paired import pairs_in

UNRELATED = 0.5  # correlation of one-bar returns: two feeds of one pair have more, whatever their spreads
APART = 0.01  # median log price: sides of one pair are never so far apart, and dollar pairs move alike
SHOWN = 6


@dataclass(frozen=True, eq=False)
class Patient:
    """Bars of one file (``schema.BARS`` of one pair, not cleaned), the clock they were read by and its ``evidence``.

    ``source`` has file, hash, format, side and licence, ``notes`` what was decided in reading.
    """

    bars: pl.DataFrame
    bar: str
    zone: str
    evidence: str
    source: dict[str, str] = field(default_factory=dict)
    notes: Sequence[str] = ()


@dataclass(frozen=True, eq=False)
class Diagnosis:
    """What the doctor found."""

    cleaned: Cleaned
    quality: pl.DataFrame
    verdicts: tuple[Verdict, ...]
    card: str

    @property
    def passed(self) -> bool:
        """Whether no verdict speaks against the file."""
        return all(verdict.passed is not False for verdict in self.verdicts)


def open_file(
    path: Path,
    *,
    pair: str | None = None,
    zone: str | None = None,
    format: str = AUTO,
    columns: Mapping[str, str | None] | None = None,
) -> Patient:
    """Read a file of any known format; the pair is by default what its name, or a folder above it, mentions."""
    if not path.exists():
        raise VendorError(f"there is no file {path}")
    mentions = (set(pairs_in(place.name)) for place in (path, *path.absolute().parents))
    named = next((found for found in mentions if found), set())
    if pair is None and len(named) != 1:
        raise VendorError(f"{path}: its name mentions {', '.join(sorted(named)) or 'no pair'}; declare it with --pair")
    reading, sha256 = read_hashed(path, pair or named.pop(), format=format, zone=zone, columns=columns)
    return Patient(
        bars=reading.bars,
        bar=reading.bar,
        zone=zone or reading.zone,  # rows with offsets of their own do not say where the vendor's day begins
        evidence=reading.evidence.summary,
        source={
            "file": path.name,
            "sha256": sha256,
            "rows": f"{reading.bars.height:,}",
            "format": f"{reading.claim.format}: {reading.claim.because}",
            "bar": reading.bar,
            "side": reading.side or "not stated",
            "licence": "",
        },
        notes=reading.notes,
    )


def examine(patient: Patient, checks: ChecksSection, against: Patient | None = None) -> Diagnosis:
    """Clean the bars of one file, measure their quality, and judge it by a study's thresholds.

    Bars are expected from the first clean one to the last. A second source of the pair is cleaned likewise and
    compared.
    """
    pair = str(patient.bars["pair"][0])
    coverage = coverage_of(patient.bars, patient.bar, patient.zone)
    cleaned = clean(patient.bars, coverage, max_abs_log_return=checks.max_abs_log_return)
    if cleaned.bars.is_empty():
        none_left = f"cleaning left none of {patient.bars.height:,} rows of {pair}: {_rules(cleaned.account)}"
        return _diagnosis(patient, cleaned, coverage, QUALITY.empty(), (Verdict("bars that stay", False, none_left),))
    quality = quality_table(cleaned.bars, cleaned.ledger, coverage, whole_range=False)
    judged = judge(summarise(quality), PARITY.empty(), checks)
    prices = averages_verdict({pair: cleaned.bars})
    verdicts = [
        clock_verdict(cleaned.bars, cleaned.ledger),
        prices,
        *judged,
    ]
    if against is not None:
        theirs = coverage_of(against.bars, against.bar, against.zone)
        other = clean(against.bars, theirs, max_abs_log_return=checks.max_abs_log_return)
        verdicts.append(sources_verdict(cleaned.bars, other.bars, patient.bar, against.bar))
    return _diagnosis(patient, cleaned, coverage, quality, tuple(verdicts))


def _rules(account: pl.DataFrame) -> str:
    counted = account.filter(pl.col("rows") > 0).sort("rows", descending=True)
    return ", ".join(f"{rows:,} {rule}" for rule, rows in counted.select("rule", "rows").iter_rows())


def sources_verdict(left: pl.DataFrame, right: pl.DataFrame, left_bar: str, right_bar: str) -> Verdict:
    """Return whether two sources of one pair keep one clock in every month, and in words how their closes differ."""
    claim = "the second source agrees"
    if left_bar != right_bar:
        return Verdict(claim, None, f"bars of {left_bar} and of {right_bar} are not compared: resample one file")
    found = compare_sources(left, right)
    if found.offset_hours is None or found.correlation is None:
        return Verdict(claim, None, f"{found.bars:,} bars in common, fewer than {FEWEST}")
    detail = (
        f"{found.bars:,} bars in common, returns correlate at {found.correlation:.4f} with the second clock moved by "
        f"{found.offset_hours:+d} h, {found.share_equal:.1%} of closes are equal, median log(first/second) is "
        f"{found.level_difference:.2e}"
    )
    if found.correlation < UNRELATED or abs(found.level_difference) > APART:
        return Verdict(claim, False, f"{detail}: these are not prices of one pair")
    moved = found.by_month.filter(pl.col("offset_hours") != 0)
    months = [f"{month:%Y-%m} by {hours:+d} h" for month, hours in moved.head(SHOWN).iter_rows()]
    more = f" and {moved.height - SHOWN} months more" if moved.height > SHOWN else ""
    moves = f"; the second clock differs in {', '.join(months)}{more}" if months else ""
    return Verdict(claim, found.offset_hours == 0 and not months, detail + moves)


def clock_verdict(bars: pl.DataFrame, ledger: pl.DataFrame) -> Verdict:
    """Return whether the trading weeks contradict that stored times are UTC.

    Rows that cleaning took for weekends speak too: without them any clock would look more like UTC than it is.
    """
    weekends = ledger.filter(pl.col("rule") == "outside_trading_week").select(
        name for name in bars.columns if name in ledger.columns
    )
    stored = pl.concat([bars.select(weekends.columns), weekends])
    naive = stored.with_columns(pl.col("timestamp").dt.replace_time_zone(None))
    try:
        evidence = verify_zone(active_times(naive), "UTC")
    except ZoneError as error:
        return Verdict("times are UTC", False, " ".join(str(error).split()))
    return Verdict("times are UTC", None if evidence.verdict == "unverifiable" else True, evidence.summary)


def _diagnosis(
    patient: Patient, cleaned: Cleaned, coverage: Coverage, quality: pl.DataFrame, verdicts: tuple[Verdict, ...]
) -> Diagnosis:
    pair = str(patient.bars["pair"][0])
    bars, some = cleaned.bars, cleaned.bars.height > 0
    card = data_card(
        title=patient.source.get("file", pair),
        source=patient.source,
        zones={pair: f"read as {patient.zone}. {patient.evidence}"},
        summary=summarise(quality),
        months=quality,
        account=cleaned.account,
        ledger=cleaned.ledger,
        coverage=bars.group_by("pair").agg(
            first=pl.col("timestamp").min(), last=pl.col("timestamp").max(), bars=pl.len().cast(pl.Int64)
        ),
        gaps=gaps(bars, coverage, whole_range=False).select(pl.lit(pair).alias("pair"), pl.all()) if some else _NO_GAPS,
        parity=PARITY.empty(),
        verdicts=verdicts,
        notes=patient.notes,
    )
    return Diagnosis(cleaned, quality, verdicts, card)


_NO_GAPS = pl.DataFrame(schema={"pair": pl.String, "first": pl.Date, "last": pl.Date, "bars": pl.Int64})
