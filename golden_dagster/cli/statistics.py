"""`golden statistics`: what the tests of the platform are worth, measured."""

from __future__ import annotations

from typing import Annotated

import typer

from golden_dagster.cli.options import Workers, table, teaching, terminal

app = typer.Typer(no_args_is_help=True, help="Measure the statistical tests themselves.")


@app.callback()
def _statistics() -> None:
    """Keep `calibrate` a command of its own."""


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
    with teaching():
        import polars as pl

        from golden_core.evaluation.calibrated import measure_calibration, off_size
        from golden_core.reporting.calibration_figure import calibration_figure
        from golden_core.store.lake import Home, write_bytes
        from golden_dagster.resources import available_cores

        found, folder = measure_calibration(Home.from_environment(), simulations, jobs=workers or available_cores())
        write_bytes(calibration_figure(found), folder / "calibration.png")
        console = terminal()
        shown = found.select("test", "world", "n", "horizon", "measure", pl.col("rate").round(4), "verdict")
        console.print(table(shown.columns, shown.iter_rows()))
        console.print(f"written to {folder}", style="dim", highlight=False, soft_wrap=True)
        faults = off_size(found)
        for fault in faults:
            console.print(fault, style="red", highlight=False)
        raise typer.Exit(1 if faults else 0)
