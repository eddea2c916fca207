"""The data card: what bars are, where they come from, and what cleaning found, as Markdown. No number is made here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import polars as pl

from golden_core.bars.quality import Verdict
from golden_core.store.markdown import markdown_table
from golden_core.store.schema import LEDGER

WORST = 12  # months and gaps listed one by one
EXAMPLES = 3  # rows of each rule
WORDS = {True: "pass", False: "**FAIL**", None: "not applicable"}


def data_card(
    *,
    title: str,
    source: Mapping[str, str],
    zones: Mapping[str, str],
    summary: pl.DataFrame,
    months: pl.DataFrame,
    account: pl.DataFrame,
    ledger: pl.DataFrame,
    coverage: pl.DataFrame,
    gaps: pl.DataFrame,
    parity: pl.DataFrame,
    verdicts: Sequence[Verdict],
    notes: Sequence[str] = (),
) -> str:
    """Return the card as Markdown, the same text for the same facts; tables are as ``schema`` calls them.

    ``source`` is what the source says of itself, its ``licence`` a line of its own; ``zones`` is the evidence for each
    pair's clock; ``coverage`` and ``gaps`` have ``pair``, ``first``, ``last``, ``bars``; ``summary`` is
    ``quality.summarise``, ``months`` ``schema.QUALITY``.
    """
    licence = source.get("licence", "") or "not stated: ask the vendor before passing anything on"
    sections = [
        (
            "Verdicts",
            _rows(("claim", "verdict", "detail"), [(v.claim, WORDS[v.passed], v.detail) for v in verdicts]),
        ),
        ("Source", _pairs({**{k: v for k, v in source.items() if k != "licence"}, "licence": licence})),
        ("Coverage", _table(coverage)),
        ("Clock", _pairs(zones)),
        ("Quality", _table(_turned(summary))),
        ("Cleaning", _account(account)),
        ("Rows repaired or quarantined", _changed(ledger)),
        ("Gaps that nothing explains", _gaps(gaps)),
        ("Worst months", _worst(months)),
        ("Cross-checks", _table(parity) if parity.height else "No three pairs form a triangle."),
        ("Notes", "\n".join(f"- {_cell(note)}" for note in notes) if notes else "None."),
    ]
    body = "\n\n".join(f"## {name}\n\n{text}" for name, text in sections)
    return f"# Data card: {_cell(title)}\n\n{body}\n"


def _account(account: pl.DataFrame) -> str:
    """Return one row per rule, summed over pairs; a rule that does not apply to some pairs says so for them."""
    rules = account.group_by("rule", "action", "detail", maintain_order=True).agg(
        pl.col("rows").sum(), pairs=(pl.col("rows") > 0).sum()
    )
    return _table(rules.select("rule", "action", "rows", "pairs", "detail"))


def _changed(ledger: pl.DataFrame) -> str:
    """Return the first rows of every rule that repairs or quarantines, as they came."""
    changed = ledger.filter(pl.col("action") != "kept")
    if changed.is_empty():
        return "None."
    shown = changed.group_by("rule", maintain_order=True).head(EXAMPLES).select(LEDGER.dtypes.keys())
    return f"{changed.height:,} rows, as they came; the first {EXAMPLES} of each rule:\n\n{_table(shown)}"


def _gaps(gaps: pl.DataFrame) -> str:
    if gaps.is_empty():
        return "None."
    longest = gaps.sort("bars", "pair", "first", descending=[True, False, False])
    count = f"{gaps.height:,} gaps, {gaps['bars'].sum():,} bars. Nothing is filled in. The longest:"
    return f"{count}\n\n{_table(longest.head(WORST))}"


def _worst(months: pl.DataFrame) -> str:
    faults = pl.sum_horizontal("missing", "repaired", pl.col("quarantined") - pl.col("filled").fill_null(0))
    marked = months.with_columns(faults=faults).filter(pl.col("faults") > 0)
    if marked.is_empty():
        return "No month has a missing, repaired or quarantined bar."
    ranked = marked.sort("faults", "pair", "month", descending=[True, False, False]).head(WORST).drop("faults")
    return f"{marked.height} of {months.height} months have a fault; the worst:\n\n{_table(ranked)}"


def _turned(summary: pl.DataFrame) -> pl.DataFrame:
    """Return one column per pair: a card is narrow and has more counts than pairs."""
    shown = summary.select(
        pl.col("pair"), *(pl.col(name).map_elements(_cell, pl.String) for name in summary.columns if name != "pair")
    )
    return shown.drop("pair").transpose(
        include_header=True, header_name="count", column_names=summary["pair"].to_list()
    )


def _pairs(values: Mapping[str, str]) -> str:
    return _rows(("what", "value"), values.items()) if values else "Nothing is known."


def _table(frame: pl.DataFrame) -> str:
    return _rows(frame.columns, frame.iter_rows())


def _rows(heads: Iterable[str], rows: Iterable[Iterable[Any]]) -> str:
    return markdown_table(list(heads), [[_cell(value) for value in row] for row in rows])


def _cell(value: Any) -> str:
    """Return a value as text of one table cell: nothing that Markdown or HTML would take for its own."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.10g}" if abs(value) >= 1 else f"{value:.4g}"
    text = str(value).replace("&", "&amp;").replace("<", "&lt;").replace("|", "\\|")
    return " ".join(text.split()) or "–"
