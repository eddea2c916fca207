"""The quality of a feed by pair and month, and what speaks against using it. Thresholds are the study's."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from golden_core.bars.cleaning.coverage import Covered, expected_bars, has_hours, share_of_week
from golden_core.bars.cleaning.own import flat_bars
from golden_core.bars.cleaning.rules import PRICES
from golden_core.store.schema import QUALITY
from golden_core.study.sections import ChecksSection

SPIKES = ("off_scale_price", "refuted_spike", "reverting_spike")
STYLES = ("flat_while_closed", "weekend_stub")  # how some vendors write weekends: explained, and no fault
SHARES = ("missing", "quarantined", "repaired", "flat")
_MONTH = pl.col("timestamp").dt.truncate("1mo").dt.date()


def quality_table(
    bars: pl.DataFrame, ledger: pl.DataFrame, covered: Covered, *, whole_range: bool = True
) -> pl.DataFrame:
    """Return ``schema.QUALITY`` of one pair, by month; bars and ledger of one cleaning hold every raw row.

    With ``whole_range`` bars are expected on all days of the range, otherwise from the first bar to the last.
    """
    pair = str((bars if bars.height else ledger)["pair"][0])
    tables = [_asked(bars, covered, whole_range=whole_range), _fates(bars, ledger), _looks(bars, ledger)]
    if has_hours(covered):
        share = share_of_week(pl.col("timestamp"), pl.col("available_at"))
        tables.append(_monthly(bars.filter(share.is_between(0, 1, closed="none")), partial=pl.len()))
    months = pl.concat([table.select("month") for table in tables]).unique().sort("month")
    for table in tables:
        months = months.join(table, on="month", how="left", maintain_order="left")
    counts = [name for name, dtype in QUALITY.dtypes.items() if dtype == pl.Int64]
    applies = {
        "partial": has_hours(covered),
        "filled": has_hours(covered),
        "flat": set(PRICES) <= set(bars.columns),
        "zero_volume": "volume" in bars.columns,
    }
    return QUALITY.conform(
        months.with_columns(
            pl.lit(pair).alias("pair"),
            *(
                (pl.col(name).fill_null(0) if applies.get(name, True) else pl.lit(None)).cast(pl.Int64).alias(name)
                for name in counts
            ),
        )
    )


def gaps(bars: pl.DataFrame, covered: Covered, *, whole_range: bool = True) -> pl.DataFrame:
    """Return every gap that no closure explains: ``first`` and ``last`` missing open, and ``bars``."""
    asked = _expected(bars, covered, whole_range=whole_range).filter(pl.col("closure").is_null())
    absent = asked.with_columns(run=pl.col("there").cum_sum()).filter(~pl.col("there"))
    found = absent.group_by("run", maintain_order=True).agg(
        first=pl.col("timestamp").first(), last=pl.col("timestamp").last(), bars=pl.len().cast(pl.Int64)
    )
    return found.drop("run")


def summarise(quality: pl.DataFrame) -> pl.DataFrame:
    """Return one row per pair: the counts summed, the longest gap, and the shares that a study limits.

    Fills of closed hours and stubs of weekends count in no share: they are a vendor's style, not a fault.
    """
    counts = [name for name, dtype in QUALITY.dtypes.items() if dtype == pl.Int64 and name != "longest_gap"]
    sums = [pl.when(pl.col(name).count() > 0).then(pl.col(name).sum()).alias(name) for name in counts]
    table = quality.group_by("pair", maintain_order=True).agg(
        *sums, pl.col("longest_gap").max(), months=pl.len().cast(pl.Int64)
    )
    filled = pl.col("filled").fill_null(0)
    rows = pl.sum_horizontal("kept", "repaired", "quarantined") - filled
    return table.with_columns(
        missing_share=_share(pl.col("missing"), pl.col("expected")),
        quarantined_share=_share(pl.col("quarantined") - filled, rows),
        repaired_share=_share(pl.col("repaired"), rows),
        flat_share=_share(pl.col("flat"), rows),
    )


def share_faults(summary: pl.DataFrame, kind: str, bound: float) -> list[str]:
    """Return a sentence for every pair whose share of missing, quarantined, repaired or flat bars is above a bound."""
    share = f"{kind}_share"
    return [
        f"{row['pair']}: {row[kind] - (row['filled'] or 0 if kind == 'quarantined' else 0):,} {_NOUNS[kind]} "
        f"({_percent(row[share], bound)}), at most {_percent(bound, row[share])} allowed"
        for row in summary.filter(pl.col(share) > bound).iter_rows(named=True)
    ]


def parity_faults(parity: pl.DataFrame, checks: ChecksSection) -> list[str]:
    """Return a sentence for every triangle with too many bars beyond the plausible residual, or none to compare."""
    beyond = parity.filter(pl.col("flagged") > pl.col("bars") * checks.max_parity_share)
    apart = parity.filter(pl.col("bars") == 0)["triangle"]
    return [f"{name}: its pairs have no bar of the same time, so nothing was compared" for name in apart] + [
        f"{row['triangle']}: {row['flagged']:,} of {row['bars']:,} bars are further than "
        f"{checks.max_parity_residual:g} from parity (at most {checks.max_parity_share:.3%} allowed); "
        f"the largest residual is {row['max_abs']:.4g}"
        for row in beyond.iter_rows(named=True)
    ]


@dataclass(frozen=True)
class Verdict:
    """One claim about a feed: what holds it up or speaks against it. ``None``: it cannot be checked here."""

    claim: str
    passed: bool | None
    detail: str


def judge(summary: pl.DataFrame, parity: pl.DataFrame, checks: ChecksSection) -> list[Verdict]:
    """Hold shares (``summarise``) and triangles (``schema.PARITY``) against the study's bounds."""
    found = []
    for kind, bound in bounds(checks).items():
        known = summary[f"{kind}_share"].drop_nulls()
        faults = share_faults(summary, kind, bound)
        worst = f"at most {max(known):.3%} of a pair, {bound:.3%} allowed" if len(known) else "does not apply"
        found.append(Verdict(f"{kind} bars", not faults if len(known) else None, "; ".join(faults) or worst))
    faults = parity_faults(parity, checks)
    sound = (
        f"{parity.height} triangles within {checks.max_parity_residual:g}" if parity.height else "no triangle of pairs"
    )
    return [*found, Verdict("triangular parity", not faults if parity.height else None, "; ".join(faults) or sound)]


def bounds(checks: ChecksSection) -> dict[str, float]:
    """Return the study's bound on each share."""
    return {kind: getattr(checks, f"max_{kind}_share") for kind in SHARES}


_NOUNS = {
    "missing": "bars are missing that the calendar asks for",
    "quarantined": "rows are quarantined",
    "repaired": "rows are repaired",
    "flat": "rows are flat",
}


def _percent(share: float, other: float) -> str:
    """Return a share in percent, with as many digits as tell it from another."""
    digits = next((some for some in range(3, 15) if f"{share:.{some}%}" != f"{other:.{some}%}"), 3)
    return f"{share:.{digits}%}"


def _share(part: pl.Expr, whole: pl.Expr) -> pl.Expr:
    return pl.when(whole > 0).then(part / whole)


def _expected(bars: pl.DataFrame, covered: Covered, *, whole_range: bool) -> pl.DataFrame:
    """Return the expected bars with ``there``: whether each one is."""
    asked = expected_bars(bars, covered)
    if not whole_range:
        asked = asked.filter(pl.col("timestamp").is_between(bars["timestamp"].min(), bars["timestamp"].max()))
    return asked.with_columns(there=pl.col("timestamp").is_in(bars["timestamp"].implode()))


def _asked(bars: pl.DataFrame, covered: Covered, *, whole_range: bool) -> pl.DataFrame:
    expected, open_ = _expected(bars, covered, whole_range=whole_range), pl.col("closure").is_null()
    found = _monthly(
        expected,
        expected=open_.sum(),
        present=(open_ & pl.col("there")).sum(),
        missing=(open_ & ~pl.col("there")).sum(),
        explained=(~open_ & ~pl.col("there")).sum(),
    )
    asked = expected.filter(open_).with_columns(run=pl.col("there").cum_sum()).filter(~pl.col("there"))
    # A gap over the end of a month is as long in both: cut there, the longest of a pair would be too short.
    runs = asked.with_columns(longest_gap=pl.len().over("run")).group_by(month=_MONTH).agg(pl.max("longest_gap"))
    return found.join(runs, on="month", how="left")


def _fates(bars: pl.DataFrame, ledger: pl.DataFrame) -> pl.DataFrame:
    """Count the fates of raw rows: an unremarkable one is a bar without a line in the ledger."""
    action, rule = pl.col("action"), pl.col("rule")
    remarked = _monthly(
        ledger,
        remarked=(action == "kept").sum(),
        repaired=(action == "repaired").sum(),
        quarantined=(action == "quarantined").sum(),
        filled=rule.is_in(STYLES).sum(),
        spikes=rule.is_in(SPIKES).sum(),
    )
    every = _monthly(bars, bars=pl.len().cast(pl.Int64))
    found = every.join(remarked, on="month", how="full", coalesce=True).fill_null(0)
    return found.with_columns(kept=pl.col("bars") - pl.col("repaired")).drop("bars", "remarked")


def _looks(bars: pl.DataFrame, ledger: pl.DataFrame) -> pl.DataFrame:
    """Count what rows look like: those that stayed, and those that went for their looks; others count by their rule."""
    lost = ledger.filter(pl.col("rule") == "flat_without_trade")
    columns = [name for name in (*PRICES, "volume") if name in bars.columns]
    raw = pl.concat([bars.select("timestamp", *columns), lost.select("timestamp", *columns)])
    found = {}
    if set(PRICES) <= set(columns):
        found["flat"] = flat_bars().sum()
    if "volume" in columns:
        found["zero_volume"] = (pl.col("volume") == 0).sum()
    return _monthly(raw, **found)


def _monthly(table: pl.DataFrame, **counts: pl.Expr) -> pl.DataFrame:
    return table.group_by(month=_MONTH).agg(**counts).sort("month")
