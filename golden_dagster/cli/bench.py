"""`golden bench`: measurements that anyone can repeat; each prints ratios of things measured in one run."""

from __future__ import annotations

from typing import Annotated

import typer

from golden_dagster.cli.options import Workers, teaching, terminal

app = typer.Typer(no_args_is_help=True, help="Measure the platform itself.")


@app.command()
def orchestration(
    trials: Annotated[list[int], typer.Option(help="How many partitions; repeatable.")] = [60, 210],  # noqa: B006
    workers: Workers = 0,
) -> None:
    """Time pure training, the joblib campaign and the Dagster campaign, for trivial and for real trials."""
    with teaching():
        from golden_dagster.benchmark import measure, view

        console = terminal()
        rows = measure(trials, workers, note=lambda text: console.print(text, style="dim"))
        console.print(view(rows))
