"""Alignment and validation as files: alignment.csv, alignment.md, validation_report.md. Equal inputs, equal text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import polars as pl

from golden_core.legacy.audit.wording import between, names, number
from golden_core.legacy.reproduction.alignment import Alignment
from golden_core.legacy.reproduction.blocks import alignment_tables, experiment_blocks, reading
from golden_core.legacy.reproduction.running import Run, Validation
from golden_core.legacy.reproduction.window import clock
from golden_core.legacy.reproduction.words import what_follows
from golden_core.store.lake import write_parquet, write_text
from golden_core.store.markdown import markdown_table

_ABSENT = "—"


def record_files(validation: Validation) -> dict[str, str]:
    """Return the deliverables by name."""
    return {
        "alignment.csv": alignment_csv(validation.alignment),
        "alignment.md": alignment_markdown(validation.alignment),
        "validation_report.md": validation_markdown(validation),
    }


def store_validation(validation: Validation, folder: Path) -> None:
    """Write the deliverables, and the bars and forecasts that they were made from, into a folder."""
    for name, text in record_files(validation).items():
        write_text(text, folder / name)
    write_parquet(pl.concat([run.forecasts for run in validation.runs]), folder / "forecasts.parquet")
    write_parquet(validation.runs[0].bars, folder / "bars.parquet")


def alignment_csv(alignment: Alignment) -> str:
    """Return the table with all its columns and digits."""
    return alignment.table.write_csv()


def alignment_markdown(alignment: Alignment) -> str:
    """Return the table as a page: per study and metric, the published number beside ours and the random walk's."""
    blocks = [
        "# Alignment with the historical record",
        _list(what_follows(alignment)),
        *alignment_tables(alignment),
        "## How to read this",
        _list(reading(alignment)),
        *experiment_blocks(alignment),
    ]
    return "\n\n".join(blocks) + "\n"


def validation_markdown(validation: Validation) -> str:
    """Return the report: what follows, on which bars, in which window, by which runs, with which deviations."""
    alignment = validation.alignment
    blocks = [
        "# Validation of the legacy results",
        "## What follows",
        _list(what_follows(alignment)),
        "## The bars",
        *_inputs(validation),
        "## The published test window in these bars",
        *_window(validation),
        "## The runs",
        *(block for run in validation.runs for block in _run(run)),
        "## The published numbers and ours",
        *alignment_tables(alignment, metrics=("rmse",)),
        "All four metrics are in alignment.md, all digits in alignment.csv.",
        "## How to read this",
        _list(reading(alignment)),
        *experiment_blocks(alignment),
    ]
    return "\n\n".join(blocks) + "\n"


def _inputs(validation: Validation) -> Iterator[str]:
    files, bars = validation.merged.files, validation.runs[0].bars.height
    head = ("file", "SHA-256", "bars read", "inactive", "left to the later file", "used", "first", "last")
    counts = [[f"{n:,}" for n in (file.read, file.inactive, file.superseded, file.used)] for file in files]
    yield markdown_table(
        head,
        [
            (file.name, f"`{file.sha256}`", *count, file.first, file.last)
            for file, count in zip(files, counts, strict=True)
        ],
    )
    yield (
        "Inactive are bars of one price throughout, without a volume where volumes are read. Nothing is filled in. "
        f"After cleaning there are {bars:,} bars; the original file had {validation.alignment.record.file_rows:,}."
    )
    if len(files) > 1:
        yield (
            "**The bars are of two feeds**: those before the first bar of the last file are another vendor's or "
            "another export's, and only training sees them." + _agreement(validation)
        )


def _agreement(validation: Validation) -> str:
    overlap = validation.merged.overlap
    if overlap is None:
        return " The files have no bar in common, so whether their clocks and prices agree is not known."
    return (
        f" Where both files have a bar ({overlap.bars:,} bars), their closes differ by "
        f"{number(overlap.median_difference, 3)} in the median and {number(overlap.largest_difference, 3)} at most."
    )


def _window(validation: Validation) -> Iterator[str]:
    window = validation.window
    yield f"The window was looked for, not assumed. {window.verdict[0].upper()}{window.verdict[1:]}."
    head = ("split", "published for", "targets", "first target", "last target", "target variance", "published allow")
    walk = ("fits", "random walk: MAE", "RMSE", "R²")
    yield markdown_table(
        (*head, *walk),
        [
            (
                split.shares,
                names(split.variants),
                f"{split.targets:,}",
                clock(split.first_target),
                clock(split.last_target),
                number(split.variance, 6),
                between(split.published) if split.published else _ABSENT,
                "yes" if split.fits else "no",
                number(split.random_walk.mae, 5),
                number(split.random_walk.rmse, 5),
                number(split.random_walk.r2, 6),
            )
            for split in window.splits
        ],
    )


def _run(run: Run) -> Iterator[str]:
    study = run.study
    trials = len(run.forecasts.select("forecaster", "seed").unique())
    yield (
        f"### Study {study.name}: split {run.shares}\n\n"
        f"Settings `{study.hash()}`, root seed {study.seeds.root}, {study.seeds.count} seeds, {trials} runs finished, "
        f"{len(run.failures)} failed. {run.training_windows:,} training windows of {run.bars.height:,} bars. "
        f"Epochs: {study.training.epochs} at most. Batch {study.training.batch_size:,}, {study.training.precision}."
    )
    if run.failures:
        yield _list(failure.replace("\n", " ") for failure in run.failures)
    yield "What is not as in the legacy runs:"
    rows = [(item.what, item.legacy, item.here, names(item.variants)) for item in run.deviations]
    yield markdown_table(("setting", "legacy", "here", "for"), rows)
    yield "How training went (epochs, per run: median, fewest to most):"
    head = ("variant", "runs", "trained", "best epoch", "at 1 % of the first learning rate or more", "stopped early")
    yield markdown_table(head, [_curve_cells(row) for row in _curves(run).iter_rows(named=True)])
    yield (
        "Below 1 % of the first learning rate the weights move little. What still changes then are the moving "
        "statistics of batch normalisation, which keep 99 % of themselves at every step, and with them every forecast: "
        "the number of steps matters after learning has ended."
    )


def _curves(run: Run) -> pl.DataFrame:
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
    return runs.group_by("forecaster").agg(*ranges, runs=pl.len(), early=early).sort("forecaster")


def _curve_cells(row: dict[str, Any]) -> tuple[str, ...]:
    spans = [row[name] for name in ("trained", "best", "learning")]
    ranges = [f"{span['middle']:g} ({span['fewest']} to {span['most']})" for span in spans]
    return (row["forecaster"], str(row["runs"]), *ranges, str(row["early"]))


def _list(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)
