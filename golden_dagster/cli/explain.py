"""`golden explain`: what the networks of a study look at, and which methods can be believed."""

from __future__ import annotations

from typing import Annotated

import typer

from golden_dagster.cli.options import As, Overrides, StudyName, Workers, opened, table, terminal

_COLUMNS = (
    "forecaster", "pair", "horizon", "seed", "method", "incomplete", "randomised", "deletion_p", "insertion_p",
    "other_methods", "other_seeds",
)  # fmt: skip


def explain(
    study: StudyName = "demo",
    overrides: Overrides = [],
    name: As = None,
    workers: Workers = 0,
    sanity: Annotated[bool, typer.Option("--sanity", help="Measure the methods where the truth is known.")] = False,
) -> None:
    """Explain the networks that a study names, from the checkpoints of its finished trials.

    Prints what the sanity checks say of every method on every network. With --sanity no study is looked at: every
    method takes every sanity check, and exit status 1 says that one failed, or that its control passed.
    """
    if sanity:
        raise typer.Exit(_sanity())
    from golden_core.interpretability.explain import explain_study
    from golden_core.store.kernels import require
    from golden_dagster.resources import available_cores

    console, (loaded, home) = terminal(), opened(study, overrides, name)
    require(loaded.training.kernels)
    if loaded.explanations is None:
        raise typer.BadParameter(f"study {loaded.name!r}: no section `explanations`; `golden study show demo` has one")
    verdicts, _ = explain_study(home, loaded, workers=workers or available_cores())
    rows = (map(_cell, row) for row in verdicts.select(*_COLUMNS, "reported").iter_rows())
    console.print(table((*_COLUMNS, "reported"), rows))
    for reason, count in verdicts.drop_nulls("reason")["reason"].value_counts(sort=True).iter_rows():
        console.print(f"  {count} kept back: {reason}", style="dim")
    console.print(f"written to {home.study(loaded.name).explained()}", style="dim", soft_wrap=True)


def _cell(value: object) -> str:
    if value is None or isinstance(value, bool):
        return "yes" if value else "–" if value is None else "no"
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _sanity() -> int:
    import polars as pl

    from golden_core.interpretability.testbed import measure_sanity
    from golden_core.store.lake import Home

    found, folder = measure_sanity(Home.from_environment())
    console = terminal()
    shown = found.with_columns(pl.col("value", "control_value").round_sig_figs(3)).drop("decides")
    console.print(table(shown.columns, shown.iter_rows()))
    console.print(f"written to {folder}", style="dim", soft_wrap=True)
    return 1 if found.filter("decides", ~pl.col("passes") | ~pl.col("control_fails")).height else 0
