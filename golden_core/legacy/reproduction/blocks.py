"""Blocks that both pages of an alignment have: the numbers side by side, how to read them, what was tried."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import polars as pl

from golden_core.legacy.audit.headings import NAMES, Metric
from golden_core.legacy.audit.wording import number
from golden_core.legacy.reproduction.alignment import Alignment
from golden_core.legacy.reproduction.experiments import outcomes
from golden_core.store.markdown import markdown_table

_ABSENT = "—"
_VERDICTS = {
    "consistent": "could be one more run of ours",
    "published_better": "published better than our runs allow",
    "published_worse": "published worse than our runs allow",
    "other_test_set": "published on other test rows",
    "undecided": "undecided: no interval of one more run",
}


def alignment_tables(alignment: Alignment, metrics: Sequence[Metric] = ("mae", "mse", "rmse", "r2")) -> Iterator[str]:
    """Yield a table per study and metric, then the tests against the random walk."""
    percent = f"{100 * alignment.confidence:g} %"
    head = (
        *("variant", "published", "ours: mean ± SD", f"mean, {percent}", f"one more run, {percent}", "seeds", "z"),
        *("random walk", "verdict", "category", "experiment"),
    )
    for (study, metric), rows in alignment.table.group_by(["study", "metric"], maintain_order=True):
        if metric in metrics:
            first = rows.row(0, named=True)
            title = f"### {NAMES[metric]} in study {study}: {first['targets']:,} targets of variance "
            yield title + number(first["variance"], 6)
            yield markdown_table(head, [_alignment_cells(row) for row in rows.iter_rows(named=True)])
    yield "### Against the random walk: Diebold–Mariano, squared errors of log returns"
    tests = alignment.table.filter(pl.col("metric") == "rmse")
    heading = ("study", "variant", "statistic", "p (Holm)", "seeds", "seeds that beat it", "seeds that lose to it")
    yield markdown_table(heading, [_test_cells(row) for row in tests.iter_rows(named=True)])


def _alignment_cells(row: dict[str, Any]) -> tuple[str, ...]:
    return (
        row["variant"],
        number(row["published"], 6),
        _mean(row["mean"], row["sd"]),
        _range(row["mean_low"], row["mean_high"]),
        _range(row["run_low"], row["run_high"]),
        str(row["seeds"]),
        _ABSENT if row["z"] is None else f"{row['z']:+.2f}",
        number(row["random_walk"], 6),
        _VERDICTS[row["verdict"]],
        row["category"] or _ABSENT,
        row["experiment"] or _ABSENT,
    )


def _test_cells(row: dict[str, Any]) -> tuple[str, ...]:
    statistic, p = row["statistic"], row["p_holm"]
    return (
        row["study"],
        row["variant"],
        _ABSENT if statistic is None else f"{statistic:+.2f}",
        _ABSENT if p is None else "< 0.001" if p < 0.001 else f"{p:.3f}",
        str(row["seeds"]),
        str(row["seeds_better"]),
        str(row["seeds_worse"]),
    )


def reading(alignment: Alignment) -> Iterator[str]:
    """Yield what a reader must know of the tables, a sentence or two each."""
    yield "Errors are of prices, as published; log returns are the space of the tests against the random walk."
    yield (
        "The verdict asks whether the published number, with its rounding, lies in the interval of one more run, at "
        f"{100 * alignment.confidence:g} %: on logarithms of errors, m ± t · s · √(1 + 1/seeds), with their mean and "
        "deviation; R² enters as log(1 − R²). z is (log published − m) / s, and positive where the published number is "
        "the larger one."
    )
    yield (
        "A published number is compared only where it can have been scored on these rows: as many as in its split, "
        "with a variance of their targets that RMSE² / (1 − R²) of the published row allows."
    )
    yield (
        "A category (data, split, initialisation, optimiser, precision, selection) is given only where a recorded "
        "experiment supports it: the same runs with one thing changed, which are typically nearer to the published "
        "number, and of which it could be one more. Else it is unknown."
    )
    yield "R² of price levels is near one for any forecast that stays near the last price; it is no evidence of skill."


def experiment_blocks(alignment: Alignment) -> Iterator[str]:
    """Yield what was changed in each experiment, and what its runs gave; nothing where there are none."""
    if not alignment.experiments:
        return
    yield "## Experiments"
    rows = [(item.id, item.category, item.change) for item in alignment.experiments]
    yield markdown_table(("id", "category", "what was changed"), rows)
    percent = f"{100 * alignment.confidence:g} %"
    head = (
        "id",
        "variant",
        "published RMSE",
        "mean ± SD with the change",
        f"one more run, {percent}",
        "seeds",
        "verdict",
    )
    found = outcomes(alignment.experiments, alignment.record, alignment.confidence)
    published = {row.variant: row.values["rmse"] for row in alignment.record.rows.values()}
    cells = [
        (
            one.id,
            variant,
            number(published[variant], 6),
            _mean(one.spreads["rmse"].mean, one.spreads["rmse"].sd),
            _range(one.spreads["rmse"].run_low, one.spreads["rmse"].run_high),
            str(one.spreads["rmse"].seeds),
            _VERDICTS[one.verdicts["rmse"]],
        )
        for variant in sorted(found)
        for one in found[variant]
    ]
    yield markdown_table(head, cells)


def _mean(mean: float, sd: float | None) -> str:
    return number(mean, 6) + ("" if sd is None else f" ± {number(sd, 3)}")


def _range(low: float | None, high: float | None) -> str:
    return _ABSENT if low is None or high is None else f"{number(low, 4)} … {number(high, 4)}"
