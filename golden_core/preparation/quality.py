"""The quality of a study's bars: measured, judged and put on a card from what preparation stored. Cleans nothing."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from golden_core.bars.averages import averages_verdict
from golden_core.bars.card import data_card
from golden_core.bars.cleaning.coverage import has_hours
from golden_core.bars.crosschecks import parity
from golden_core.bars.doctor import clock_verdict
from golden_core.bars.quality import Verdict, gaps, judge, quality_table, summarise
from golden_core.preparation.steps import dated_study, store, stored_table
from golden_core.store.lake import Home, hash_bytes, hash_frame, stored_json, write_text
from golden_core.study import Study


@dataclass(frozen=True, eq=False)
class Quality:
    """What was found, and whether that is new."""

    months: pl.DataFrame
    summary: pl.DataFrame
    gaps: pl.DataFrame
    parity: pl.DataFrame
    verdicts: tuple[Verdict, ...]
    card: str
    hash: str
    changed: bool


def prepare_quality(home: Home, study: Study, *, write: bool = True) -> Quality:
    """Measure the stored bars of a study; ``write=False`` only tells whether what is stored is out of date.

    Writes ``quality.parquet``, ``gaps.parquet``, ``parity.parquet`` and ``card.md`` into the study's folder.
    """
    folder, data = home.study(study.name), dated_study(home, study).data
    stored = {
        kind: {pair: stored_table(folder, kind, pair) for pair in data.pairs} for kind in ("bars", "ledger", "cleaning")
    }
    bars, ledgers = stored["bars"], stored["ledger"]
    months = pl.concat([quality_table(bars[pair], ledgers[pair], data) for pair in data.pairs])
    found = pl.concat([gaps(bars[pair], data).select(pl.lit(pair).alias("pair"), pl.all()) for pair in data.pairs])
    agreement = parity(bars, study.checks.max_parity_residual)
    clocks = {pair: _clock(bars[pair], ledgers[pair], study) for pair in data.pairs}
    prices = averages_verdict(bars, declared=data.price == "mean")
    verdicts = (*_clock_verdicts(clocks), prices, *judge(summarise(months), agreement, study.checks))
    source = {name: str(value) for name, value in stored_json(folder.source).items()}
    card = data_card(
        title=f"study {study.name}",
        source=source,
        zones={pair: verdict.detail for pair, verdict in clocks.items()},
        summary=summarise(months),
        months=months,
        account=pl.concat(stored["cleaning"].values()),
        ledger=pl.concat(ledgers.values()),
        coverage=pl.concat([_coverage(bars[pair]) for pair in data.pairs]),
        gaps=found,
        parity=agreement,
        verdicts=verdicts,
    )
    tables = {"quality": months, "gaps": found, "parity": agreement}
    changed = store({folder.root / f"{name}.parquet": table for name, table in tables.items()}, write=write)
    if not (folder.card.is_file() and folder.card.read_bytes() == card.encode()):
        changed = True
        if write:
            write_text(card, folder.card)
    identity = hash_bytes("".join([*(hash_frame(table) for table in tables.values()), card]).encode())
    return Quality(months, summarise(months), found, agreement, verdicts, card, identity, changed)


def _clock(bars: pl.DataFrame, ledger: pl.DataFrame, study: Study) -> Verdict:
    if has_hours(study.data):
        return clock_verdict(bars, ledger)
    return Verdict("times are UTC", None, "one fixing a day, at a published time: no weekends to read a clock off")


def _clock_verdicts(clocks: dict[str, Verdict]) -> list[Verdict]:
    """Return one verdict per pair that speaks against its clock, or one for all."""
    against = [Verdict(f"{v.claim}: {pair}", False, v.detail) for pair, v in clocks.items() if v.passed is False]
    return against or [next(iter(clocks.values()))]


def _coverage(bars: pl.DataFrame) -> pl.DataFrame:
    return bars.group_by("pair").agg(
        first=pl.col("timestamp").min(), last=pl.col("timestamp").max(), bars=pl.len().cast(pl.Int64)
    )
