"""Benchmarks as a person reads them: the rows of a filed run, and the ratios of those that compare in one run."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

from golden_dagster.cli.options import table

if TYPE_CHECKING:
    import polars as pl
    from rich.table import Table

    from golden_core.benchmarking.cohort import CohortRun
    from golden_core.benchmarking.training import Comparison


def run_view(benchmark: str, measured: pl.DataFrame) -> Table:
    """Return the rows of a run: times in milliseconds, with a dash where too few calls carry a percentile."""
    columns = "subject", "scenario", "batch", "calls", "steady", "mean ms", "p50", "p90", "p99", "per s", "% of peak"
    rows = (
        (
            row["subject"],
            f"{row['scenario']} {row['device']} {row['precision']} × {row['threads']}",
            f"{row['batch']:,}",
            f"{row['samples']:,}",
            "yes" if row["steady"] else "no",
            *(_milliseconds(row, name) for name in ("mean", "p50", "p90", "p99")),
            f"{row['throughput']:,.1f}",
            "—" if row["peak_share"] is None else f"{100 * row['peak_share']:.1f}",
        )
        for row in measured.iter_rows(named=True)
    )
    caption = f"— : too few calls; ≤ : not exceeded with 99 % confidence. Load per core {measured['load'][0]:.1f}."
    return table(columns, rows, title=f"{benchmark} on {measured['machine'][0]}", caption=caption)


def cohort_view(found: CohortRun) -> Table:
    """Return how fast one network trains alone, and many together."""
    rows = (
        (one.subject, one.networks, f"{one.windows_per_second:,.0f}", f"{found.share(one):.1%}") for one in found.speeds
    )
    title = f"Training {found.forecaster} of study {found.study}, cohorts on {found.card or 'the processor'}"
    caption = (
        f"A window costs {found.operations / 1e6:.2f} MFLOP forward and backward; a float32 matrix product on the "
        f"cohort's device gave {found.speeds[-1].peak / 1e9:,.0f} GFLOP/s. The single trainer is held against the "
        "processor's."
    )
    return table(("trained", "networks", "windows/s", "of the peak"), rows, title=title, caption=caption)


def said_of_study(found: CohortRun) -> str:
    """Return what follows for the study, and what was not measured."""
    time = datetime.timedelta(seconds=round(found.study_seconds))
    said = (
        f"the networks of study {found.study} see {found.study_windows / 1e6:,.1f} million windows if none stops "
        f"early: {time} at this speed, if all cost what {found.forecaster} does"
    )
    if found.kind == "cuda":
        return said
    return f"{said}\non a card: unmeasured, for there is none here; where there is: golden bench cohort --device cuda"


def training_view(found: list[Comparison]) -> Table:
    """Return how much faster a variant trains than one module per expert, for every number of threads."""
    columns = "threads", "straightforward", "this platform", "times as fast", "outputs differ by"
    rows = (
        (
            one.threads,
            *(f"{one.epoch_seconds(times):.2f}" for times in (one.reference, one.network)),
            f"{one.ratio:.2f}",
            f"{one.difference:.1e} of their range",
        )
        for one in found
    )
    title = f"Seconds per epoch of {found[0].variant}, batch {found[0].batch_size}"
    caption = "Medians; the implementations take turns, ratios are of neighbouring steps."
    return table(columns, rows, title=title, caption=caption)


def _milliseconds(row: dict[str, Any], name: str) -> str:
    bound = row.get(f"{name}_bound_ms")
    if (value := row[f"{name}_ms"]) is not None:
        return f"{value:.3f}"
    return "—" if bound is None else f"≤ {bound:.3f}"
