"""Alignment and validation as text: what the templates say, from the tables. Equal inputs, equal text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from golden_core.legacy.page import page
from golden_core.legacy.reproduction.alignment import Alignment
from golden_core.legacy.reproduction.errors import on_published_rows, outcomes
from golden_core.legacy.reproduction.running import Run, Validation
from golden_core.legacy.reproduction.window import clock
from golden_core.store.lake import write_parquet, write_text
from golden_core.study.whole import is_smoke

_JUDGED = ("consistent", "published_better", "published_worse")


def record_files(validation: Validation) -> dict[str, str]:
    """Return the deliverables by name: alignment.csv, alignment.md and validation_report.md."""
    return {
        "alignment.csv": validation.alignment.table.write_csv(),
        "alignment.md": _page("alignment.md.jinja", validation.alignment),
        "validation_report.md": _page("validation_report.md.jinja", validation.alignment, **vars(validation)),
    }


def store_validation(validation: Validation, folder: Path) -> None:
    """Write the deliverables, and the bars and forecasts that they were made from, into a folder."""
    for name, text in record_files(validation).items():
        write_text(text, folder / name)
    write_parquet(pl.concat([run.forecasts for run in validation.runs]), folder / "forecasts.parquet")
    write_parquet(validation.runs[0].bars, folder / "bars.parquet")


def what_follows(alignment: Alignment) -> list[str]:
    """Return what an alignment says, one claim per sentence; equal alignments give equal sentences."""
    table = alignment.table.filter(pl.col("metric") == "rmse")
    attributed = table.filter(pl.col("category").is_not_null())
    facts = {
        "smoke": any(is_smoke(study) for study in alignment.windows["study"]),
        "studies": [_against_walk(rows, alignment.significance) for rows in _parts(table, "study")],
        "judged": {verdict: table.filter(pl.col("verdict") == verdict)["variant"].to_list() for verdict in _JUDGED},
        "supported": attributed.filter(pl.col("category") != "unknown").sort("study", "variant").to_dicts(),
        "unknown": attributed.filter(pl.col("category") == "unknown")["variant"].unique().sort().to_list(),
        "record": alignment.record,
        "significance": f"{100 * alignment.significance:g} %",
        "confidence": f"{100 * alignment.confidence:g} %",
    }
    return page("what_follows.jinja", **facts, **_published_against_walk(alignment)).splitlines()


def _page(template: str, alignment: Alignment, /, **shown: Any) -> str:
    context = {
        **shown,
        "record": alignment.record,
        "tried": alignment.experiments,
        "claims": what_follows(alignment),
        "confidence": f"{100 * alignment.confidence:g} %",
        "by_metric": [rows.to_dicts() for rows in _parts(alignment.table, "study", "metric")],
        "clock": clock,
        "curves": _curves,
        "outcomes": outcomes(alignment.experiments, alignment.record, alignment.confidence),
    }
    return page(template, **context)


def _parts(table: pl.DataFrame, *columns: str) -> list[pl.DataFrame]:
    return table.partition_by(*columns, maintain_order=True)


def _published_against_walk(alignment: Alignment) -> dict[str, Any]:
    """Compare what was published with the random walk on the published rows: no run of ours is needed for that."""
    rows = alignment.record.rows
    walks = {
        variant: walk["rmse"]
        for walk in alignment.windows.iter_rows(named=True)
        for variant, row in rows.items()
        if on_published_rows(walk["targets"], walk["variance"], row, alignment.record)
    }
    return {
        "comparable": len(walks),
        "below": sorted(name for name, walk in walks.items() if rows[name].intervals["rmse"].low < walk),
        "nearest": min(((rows[name].values["rmse"] / walk, name) for name, walk in walks.items()), default=None),
    }


def _against_walk(rows: pl.DataFrame, significance: float) -> dict[str, Any]:
    """Return which variants of a study beat the random walk, and which it beats."""
    differs = rows.filter(pl.col("p_holm") < significance)
    return {
        "study": rows["study"][0],
        "variants": rows.height,
        "better": differs.filter(pl.col("statistic") < 0)["variant"].to_list(),
        "worse": differs.filter(pl.col("statistic") > 0)["variant"].to_list(),
        **{name: rows[name].sum() for name in ("seeds", "seeds_better", "seeds_worse")},
    }


def _curves(run: Run) -> list[dict[str, Any]]:
    """Per variant: epochs trained, the best of them, those that still learned, and runs that stopped early."""
    rate, loss = pl.col("learning_rate"), pl.col("validation_loss")
    runs = run.history.group_by("forecaster", "seed").agg(
        trained=pl.col("epoch").max(),
        best=pl.col("epoch").sort_by(loss).first(),
        learning=(rate >= 0.01 * run.study.training.learning_rate).sum(),
    )
    ranges = [
        pl.struct(middle=pl.col(name).median(), fewest=pl.col(name).min(), most=pl.col(name).max()).alias(name)
        for name in ("trained", "best", "learning")
    ]
    early = (pl.col("trained") < run.study.training.epochs).sum()
    return runs.group_by("forecaster").agg(*ranges, runs=pl.len(), early=early).sort("forecaster").to_dicts()
