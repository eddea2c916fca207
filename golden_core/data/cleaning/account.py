"""The two books of cleaning: how many rows each rule decided about, and which rows. No rule belongs here."""

from __future__ import annotations

from collections.abc import Collection

import polars as pl

from golden_core.data.cleaning.rules import BY_NAME, PRICES, RULES
from golden_core.schema import CLEANING, LEDGER


def account_table(pair: str, rules: pl.Series, available: Collection[str]) -> pl.DataFrame:
    """Return ``schema.CLEANING``: one row per rule, those that applied to nothing or cannot apply included.

    Parameters
    ----------
    pair : str
    rules : (N,) String
        The rule that decided about each raw row.
    available : collection of str
        Columns of the bars, ``hours`` and ``others``: what rules may need.
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


def _detail(text: str, lacks: str | None) -> str:
    return text if lacks is None else f"does not apply: {lacks}"
