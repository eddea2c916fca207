"""The two books of cleaning: how many rows each rule decided about, and which rows. No rule belongs here."""

from __future__ import annotations

from collections.abc import Collection

import polars as pl

from golden_core.bars.cleaning.rules import BY_NAME, PRICES, RULES, UNREMARKABLE
from golden_core.store.schema import CLEANING, LEDGER


def account_table(pair: str, rules: pl.Series, available: Collection[str]) -> pl.DataFrame:
    """Return ``schema.CLEANING``: one row per rule, those that applied to nothing or cannot apply included.

    ``rules`` names who decided about each raw row; ``available`` are columns, ``hours`` and ``others``: what rules
    need.
    """
    counts = dict(rules.value_counts().iter_rows())
    rows = [
        (pair, rule.name, rule.action, counts.get(rule.name, 0), _detail(rule.detail, rule.lacks(available)))
        for rule in RULES
    ]
    return CLEANING.conform(pl.DataFrame(rows, schema=CLEANING.dtypes, orient="row"))


def ledger_table(judged: pl.DataFrame) -> pl.DataFrame:
    """Return ``schema.LEDGER`` of raw rows with ``position`` and ``rule``, as they came and in their order."""
    absent = [pl.lit(None, pl.Float64).alias(name) for name in (*PRICES, "volume") if name not in judged.columns]
    action = pl.col("rule").replace_strict(
        {name: rule.action for name, rule in BY_NAME.items()}, return_dtype=pl.String
    )
    return LEDGER.conform(judged.with_columns(*absent, action=action).select(LEDGER.dtypes.keys()).sort("position"))


def unaccounted(account: pl.DataFrame, bars: pl.DataFrame, ledger: pl.DataFrame) -> list[str]:
    """Return what speaks against the books of one pair: account, clean bars and ledger must agree."""
    pair = str(account["pair"][0])
    stayed = int(account.filter(pl.col("action") != "quarantined")["rows"].sum())
    found = [f"{pair}: {bars.height} clean bars, but the account keeps {stayed} rows"] if bars.height != stayed else []
    remarked = account.filter(pl.col("rule") != UNREMARKABLE).select("rule", "action", "rows")
    listed = ledger.group_by("rule", "action").agg(listed=pl.len().cast(pl.Int64))
    both = remarked.join(listed, on=["rule", "action"], how="full", coalesce=True).fill_null(0).sort("rule")
    found += [
        f"{pair}: the account has {row['rows']} rows under {row['rule']} ({row['action']}), the ledger {row['listed']}"
        for row in both.filter(pl.col("rows") != pl.col("listed")).iter_rows(named=True)
    ]
    twice = ledger["position"].is_duplicated().sum()
    return [*found, *([f"{pair}: {twice} lines of the ledger are about the same row"] if twice else [])]


def _detail(text: str, lacks: str | None) -> str:
    return text if lacks is None else f"does not apply: {lacks}"
