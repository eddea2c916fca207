"""`golden placebo`, `golden power`, `golden statistics`: how often pipeline and tests find what is there, or is not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from golden_dagster.cli.options import Overrides, StudyName, Workers, opened, table, terminal

if TYPE_CHECKING:
    import polars as pl

    from golden_core.placebo.filed import Name
    from golden_core.study import Study

app = typer.Typer(  # with a callback, for one command alone would lose its name
    no_args_is_help=True, help="Measure the statistical tests themselves.", callback=lambda: None
)

Universes = Annotated[
    int | None, typer.Option("--universes", min=1, help="Of the cheap arm, or with each R²; else the study's.")
]


def placebo(
    study: StudyName = "placebo", universes: Universes = None, overrides: Overrides = [], workers: Workers = 0
) -> None:
    """Count in how many universes of bars that nobody can forecast a skill is claimed.

    Blocks of universes that are done stay done; a kill loses the one under way. Exit status 1 if more universes claim
    than a rate of 5 % allows.
    """
    from golden_core.placebo.filed import declared
    from golden_core.placebo.verdict import faults

    found, loaded = _counted("placebo", study, universes, overrides, workers)
    against, left = faults(found, declared(loaded, "placebo"))
    for line, style in [*((line, "red") for line in against), *((line, "dim") for line in left)]:
        terminal().print(line, style=style, soft_wrap=True)
    raise typer.Exit(1 if against else 0)


def power(
    study: StudyName = "placebo", universes: Universes = None, overrides: Overrides = [], workers: Workers = 0
) -> None:
    """Count in how many universes a planted skill is claimed, beside the power that was promised.

    The forecaster `planted` knows the slope of the next return on the last, and others have to learn it.
    """
    _counted("power", study, universes, overrides, workers)


def _counted(
    name: Name, study: str, universes: int | None, overrides: list[str], workers: int
) -> tuple[pl.DataFrame, Study]:
    """Run what is missing, then count, file and print everything."""
    import polars as pl

    from golden_core.checks.universes import GATE
    from golden_core.placebo.blocks import run_blocks
    from golden_core.placebo.filed import arms_of, count_universes
    from golden_core.reporting.pictures import PICTURES, as_png
    from golden_core.store.lake import write_bytes
    from golden_core.trials.workers import stop_workers
    from golden_dagster.resources import WorkersResource

    console, (loaded, home) = terminal(), opened(study, overrides)
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
    console.print(f"written to {folder}", style="dim", soft_wrap=True)
    return found, loaded


@app.command()
def calibrate(
    simulations: Annotated[
        int, typer.Option(min=500, help="Simulations of every cell, in whole batches of 500.")
    ] = 10_000,
    workers: Workers = 0,
) -> None:
    """Measure size and power of every test that a claim may use, in worlds where the truth is known.

    Writes calibration.csv and calibration.png under the home. Exit status 1 if a test is off its size.
    """
    import polars as pl

    from golden_core.evaluation.calibrated import measure_calibration, off_size
    from golden_core.reporting.pictures import as_png, calibration_figure
    from golden_core.store.lake import Home, write_bytes
    from golden_dagster.resources import available_cores

    found, folder = measure_calibration(Home.from_environment(), simulations, jobs=workers or available_cores())
    write_bytes(as_png(calibration_figure(found)), folder / "calibration.png")
    console = terminal()
    shown = found.select("test", "world", "n", "horizon", "measure", pl.col("rate").round(4), "verdict")
    console.print(table(shown.columns, shown.iter_rows()))
    console.print(f"written to {folder}", style="dim", soft_wrap=True)
    for fault in (faults := off_size(found)):
        console.print(fault, style="red")
    raise typer.Exit(1 if faults else 0)
