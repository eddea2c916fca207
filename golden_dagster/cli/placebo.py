"""`golden placebo` and `golden power`: how often the pipeline claims what is not there, and what is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from golden_dagster.cli.options import Overrides, StudyName, Workers, table, teaching, terminal

if TYPE_CHECKING:
    import polars as pl

    from golden_core.placebo.filed import Name

Universes = Annotated[
    int | None,
    typer.Option("--universes", min=1, help="Of the cheap arm, or with each R²; else the study's."),
]


def placebo(
    study: StudyName = "placebo",
    universes: Universes = None,
    overrides: Overrides = [],  # noqa: B006
    workers: Workers = 0,
) -> None:
    """Count in how many universes of bars that nobody can forecast a skill is claimed.

    Blocks of universes that are done stay done; a kill loses the one under way. Exit status 1 if more universes claim
    than a rate of 5 % allows.
    """
    with teaching():
        from golden_core.placebo.filed import declared
        from golden_core.placebo.verdict import faults
        from golden_core.preparation.catalogue import load_variant

        found = _counted("placebo", study, universes, overrides, workers)
        against, left = faults(found, declared(load_variant(study, overrides), "placebo"))
        for line, style in [*((line, "red") for line in against), *((line, "dim") for line in left)]:
            terminal().print(line, style=style, highlight=False, soft_wrap=True)
        raise typer.Exit(1 if against else 0)


def power(
    study: StudyName = "placebo",
    universes: Universes = None,
    overrides: Overrides = [],  # noqa: B006
    workers: Workers = 0,
) -> None:
    """Count in how many universes a planted skill is claimed, beside the power that was promised.

    The forecaster `planted` knows the slope of the next return on the last, and others have to learn it.
    """
    with teaching():
        _counted("power", study, universes, overrides, workers)


def _counted(name: Name, study: str, universes: int | None, overrides: list[str], workers: int) -> pl.DataFrame:
    """Run what is missing, then count, file and print everything."""
    import polars as pl

    from golden_core.checks.universes import GATE
    from golden_core.placebo.blocks import run_blocks
    from golden_core.placebo.filed import arms_of, count_universes
    from golden_core.preparation.catalogue import load_variant
    from golden_core.reporting.placebo_figures import PICTURES, as_png
    from golden_core.store.lake import Home, write_bytes
    from golden_core.trials.campaign import stop_workers
    from golden_dagster.resources import WorkersResource

    loaded, home, console = load_variant(study, overrides), Home.from_environment(), terminal()
    arms, count = arms_of(loaded, name, universes), WorkersResource(workers=workers).count
    try:
        with console.status("universes") as status:
            for done, total in run_blocks(home, loaded, arms, GATE, workers=count):
                status.update(f"{done} of {total} blocks of universes")
    finally:
        stop_workers()
    found = count_universes(home, loaded, name, GATE, universes)
    folder = home.study(loaded.name).root / "placebo"
    write_bytes(as_png(PICTURES[name](found)), folder / f"{name}.png")
    shown = found.with_columns(pl.col(pl.Float64).round(4))
    console.print(table(shown.columns, (["" if c is None else c for c in row] for row in shown.iter_rows())))
    console.print(f"written to {folder}", style="dim", highlight=False, soft_wrap=True)
    return found
