"""What follows from an alignment, in sentences: each is computed from the tables. No layout here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import polars as pl

from golden_core.legacy.audit.wording import names
from golden_core.legacy.reproduction.alignment import Alignment
from golden_core.legacy.reproduction.runs import on_published_rows
from golden_core.study.sections import is_smoke

NEVER_EXACTLY = (
    "A published number cannot be reproduced exactly without the original file: it had {rows:,} rows, and every number "
    "depends on each of them. Nor would the file be enough, because no seed fixed the starting weights, so a second "
    "legacy run on it would have given other numbers. What can be asked, and is asked here, is whether a published "
    "number could be one more run of the same network on these bars."
)


def what_follows(alignment: Alignment) -> list[str]:
    """Return what an alignment says, one claim per sentence; equal alignments give equal sentences."""
    table = alignment.table.filter(pl.col("metric") == "rmse")
    return [
        *_smoke(alignment),
        *_published_against_walk(alignment),
        *_ours_against_walk(table, alignment),
        *_consistency(table, alignment),
        *_reasons(table),
        NEVER_EXACTLY.format(rows=alignment.record.file_rows),
    ]


def _smoke(alignment: Alignment) -> Iterator[str]:
    if any(is_smoke(study) for study in alignment.windows["study"]):
        yield "This is a smoke run: it shows that everything works, and carries no claim about any variant."


def _published_against_walk(alignment: Alignment) -> Iterator[str]:
    """Compare what was published with the random walk on the published rows: no run of ours is needed for that."""
    record = alignment.record
    walks = {
        variant: walk["rmse"]
        for walk in alignment.windows.iter_rows(named=True)
        for variant, row in record.rows.items()
        if on_published_rows(walk["targets"], walk["variance"], row, record)
    }
    if not walks:
        yield (
            "The target variance of these bars is not one that the published numbers allow, so no published number is "
            "compared with anything on them."
        )
        return
    below = sorted(name for name, walk in walks.items() if record.rows[name].intervals["rmse"].low < walk)
    ratio, best = min((record.rows[variant].values["rmse"] / walk, variant) for variant, walk in walks.items())
    yield (
        "The random walk was not published beside the variants. On the published test rows, "
        f"{_count(below, len(walks))} published RMSEs can be below the random walk's; the nearest to it, of {best}, is "
        f"{ratio:.2f} times as large."
    )


def _ours_against_walk(table: pl.DataFrame, alignment: Alignment) -> Iterator[str]:
    level = f"{100 * alignment.significance:g} %"
    for study, rows in _by_study(table):
        differs = pl.col("p_holm") < alignment.significance
        better = rows.filter(differs & (pl.col("statistic") < 0))["variant"].to_list()
        worse = rows.filter(differs & (pl.col("statistic") > 0))["variant"].to_list()
        open_ = rows.height - len(better) - len(worse)
        yield (
            f"Study {study}: {_count(better, rows.height)} variants beat the random walk at {level} (Diebold–Mariano "
            f"on seed-averaged forecasts, Holm-adjusted); the random walk beats {_count(worse, rows.height)}; for "
            f"{open_} no difference is shown. Of {rows['seeds'].sum()} single runs, {rows['seeds_better'].sum()} beat "
            f"the random walk and {rows['seeds_worse'].sum()} lose to it."
        )


def _consistency(table: pl.DataFrame, alignment: Alignment) -> Iterator[str]:
    judged = table.filter(pl.col("verdict").is_in(["consistent", "published_better", "published_worse"]))
    percent = f"{100 * alignment.confidence:g} %"
    if judged.is_empty():
        yield "No published RMSE could be judged: that takes two runs or more on the published rows."
        return
    found = {verdict: _variants(judged, verdict) for verdict in ("consistent", "published_better", "published_worse")}
    yield (
        f"Of {judged.height} published RMSEs held against runs on their own rows, "
        f"{_listed(found['consistent'])} could be one more run of ours (interval of one more run, {percent}), "
        f"{_listed(found['published_better'])} smaller than our runs allow, {_listed(found['published_worse'])} "
        "larger. The intervals take the logarithms of errors for normal, and are not adjusted for the number of "
        "variants."
    )


def _reasons(table: pl.DataFrame) -> Iterator[str]:
    supported = table.filter(pl.col("category").is_not_null() & (pl.col("category") != "unknown"))
    for row in supported.sort("study", "variant").iter_rows(named=True):
        whose, category, by = f"{row['variant']} in study {row['study']}", row["category"], row["experiment"]
        yield (
            f"{whose}: the deviation is of the category split, as {by} shows."
            if category == "split"
            else f"{whose}: {by} supports the category {category}, since the published number could be one more of its "
            "runs. That the legacy run differed from ours in this is not shown."
        )
    unknown = table.filter(pl.col("category") == "unknown")["variant"].unique().sort().to_list()
    if unknown:
        yield (f"For {names(unknown)} the category of the deviation is unknown: no recorded experiment supports one.")


def _variants(table: pl.DataFrame, verdict: str) -> list[str]:
    found: list[str] = table.filter(pl.col("verdict") == verdict)["variant"].to_list()
    return found


def _by_study(table: pl.DataFrame) -> Iterator[tuple[str, pl.DataFrame]]:
    for (study,), rows in table.group_by(["study"], maintain_order=True):
        yield str(study), rows


def _count(variants: Sequence[str], of: int) -> str:
    return f"{len(variants)} of {of}" + (f" ({names(variants)})" if variants else "")


def _listed(variants: Sequence[str]) -> str:
    return f"{len(variants)} ({names(variants)})" if variants else "none"
