"""Checks on bars and their quality, which need no folds."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import polars as pl

from golden_core.bars.averages import DECLARED, look_like_averages
from golden_core.bars.cleaning.account import unaccounted
from golden_core.bars.quality import bounds, parity_faults, share_faults, summarise
from golden_core.bars.verification import disordered_timestamps, implausible_prices, unexplained_days
from golden_core.checks.check import Check, Examined
from golden_core.store.lake import Home, read_table
from golden_core.study import Study

_SHARES = {
    "missing": "no_bars_missing",
    "quarantined": "few_rows_quarantined",
    "repaired": "few_rows_repaired",
    "flat": "few_bars_flat",
}


def bar_checks(study: Study) -> tuple[Check, ...]:
    """Return the checks on the bars of a study."""
    return (*(_ECB if study.data.source == "ecb" else ()), *_BARS, *_QUALITY)


def bars_of(home: Home, study: Study) -> dict[str, pl.DataFrame]:
    """Return the clean bars of every pair that has some: a partition made alone is checked alone."""
    return _by_pair(home, study, "bars")


def _by_pair(home: Home, study: Study, kind: str) -> dict[str, pl.DataFrame]:
    paths = {pair: home.study(study.name).table(kind, pair) for pair in study.data.pairs}
    return {pair: read_table(path) for pair, path in paths.items() if path.exists()}


def _of_all(home: Home, study: Study, name: str) -> pl.DataFrame:
    return read_table(home.study(study.name).root / f"{name}.parquet")


def _ecb_dates(home: Home, study: Study) -> Examined:
    calendars = _by_pair(home, study, "calendar")
    days = sum(bars.height + calendars[pair].height for pair, bars in bars_of(home, study).items())
    return Examined([fault for calendar in calendars.values() for fault in unexplained_days(calendar)], days)


def _of_bars(faults: Callable[[pl.DataFrame, Study], list[str]], home: Home, study: Study) -> Examined:
    frames = bars_of(home, study).values()
    return Examined([fault for bars in frames for fault in faults(bars, study)], sum(bars.height for bars in frames))


def _share(kind: str, home: Home, study: Study) -> Examined:
    summary = summarise(_of_all(home, study, "quality"))
    return Examined(share_faults(summary, kind, bounds(study.checks)[kind]), summary.height)


def _parity(home: Home, study: Study) -> Examined:
    table = _of_all(home, study, "parity")
    # Where no three pairs form a triangle, that is what was established.
    return Examined(parity_faults(table, study.checks), max(table.height, 1), None if table.height else "list of pairs")


def _prices(home: Home, study: Study) -> Examined:
    bars = bars_of(home, study)
    if study.data.price == "mean":
        return Examined([], len(bars), f"pairs, whose closes are {DECLARED.removeprefix('declared: closes are ')}")
    return Examined(look_like_averages(bars), len(bars))


def _accounts(home: Home, study: Study) -> Examined:
    accounts, bars, ledgers = (_by_pair(home, study, kind) for kind in ("cleaning", "bars", "ledger"))
    found = [fault for pair in accounts for fault in unaccounted(accounts[pair], bars[pair], ledgers[pair])]
    found += _altered(home, study, sorted(accounts))
    return Examined(found, sum(int(account["rows"].sum()) for account in accounts.values()))


def _altered(home: Home, study: Study, pairs: list[str]) -> list[str]:
    """Return the pairs whose tables are not what cleaning makes of the raw table, though written after it.

    Those that are older than the raw table only wait to be made anew, which staleness tells.
    """
    from golden_core.preparation.steps import bars_of_pairs, prepare_pair

    folder = home.study(study.name)
    if not folder.raw.exists():
        return []
    raw, since = bars_of_pairs(study, read_table(folder.raw)), folder.raw.stat().st_mtime_ns
    kinds = ("bars", "cleaning", "ledger", "calendar")
    return [
        f"{pair}: its bars or books are not what cleaning makes of the raw table: materialise clean_bars of {pair} anew"
        for pair in pairs
        if max(folder.table(kind, pair).stat().st_mtime_ns for kind in kinds) >= since
        and prepare_pair(home, study, pair, given=raw, write=False).changed
    ]


_ECB = (
    Check(
        "clean_bars",
        "ecb_dates_explained",
        "Every weekday without a fixing is a holiday of the European Central Bank.",
        "weekdays",
        _ecb_dates,
    ),
)

_BARS = (
    Check(
        "clean_bars",
        "prices_positive_and_plausible",
        "Every price is a positive finite number, and no one-bar return exceeds the study's bound.",
        "bars",
        partial(_of_bars, lambda bars, study: implausible_prices(bars, study.checks.max_abs_log_return)),
        blocking=True,
    ),
    Check(
        "clean_bars",
        "timestamps_unique_and_increasing",
        "Within a pair every bar is later than the one before, and known only after it opened.",
        "bars",
        partial(_of_bars, lambda bars, _study: disordered_timestamps(bars)),
        blocking=True,
    ),
)

_QUALITY = (
    *(
        Check(
            "data_quality",
            name,
            f"In no pair is the share of {kind} rows above the study's `checks.max_{kind}_share`.",
            "pairs",
            partial(_share, kind),
        )
        for kind, name in _SHARES.items()
    ),
    Check(
        "data_quality",
        "bars_are_prices",
        "In no pair are changes of closes correlated as those of means over time are, unless the study declares means.",
        "pairs",
        _prices,
        severity="warn",
    ),
    Check(
        "data_quality",
        "triangles_agree",
        "In no triangle of pairs are more bars off parity than the study's `checks.max_parity_share`.",
        "triangles",
        _parity,
    ),
    Check(
        "data_quality",
        "every_row_accounted_for",
        "Clean bars are the kept and repaired rows of the account, the ledger lists the remarked, and all are what "
        "cleaning makes of the raw table.",
        "raw rows",
        _accounts,
        blocking=True,
    ),
)
