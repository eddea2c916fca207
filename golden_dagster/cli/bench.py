"""`golden bench`: measurements that anyone can repeat; each prints ratios of things measured in one run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from golden_dagster.cli.options import Overrides, StudyName, Workers, table, teaching, terminal

if TYPE_CHECKING:
    from rich.table import Table

    from golden_core.benchmarking.training import Comparison

app = typer.Typer(no_args_is_help=True, help="Measure the platform itself.")


@app.command()
def orchestration(
    trials: Annotated[list[int], typer.Option(help="How many partitions; repeatable.")] = [60, 210],  # noqa: B006
    workers: Workers = 0,
) -> None:
    """Time pure training, the joblib campaign and the Dagster campaign, for trivial and for real trials."""
    with teaching():
        from golden_dagster.benchmarks.orchestration import measure, view

        console = terminal()
        try:
            rows = measure(trials, workers, note=lambda text: console.print(text, style="dim"))
        except ValueError as error:
            raise typer.BadParameter(str(error)) from None
        console.print(view(rows))


@app.command()
def training(
    variant: Annotated[str, typer.Option(help="Which legacy variant, v01 … v10.")] = "v08",
    batch: Annotated[int, typer.Option(min=2, help="Windows per step.")] = 5000,
    threads: Annotated[list[int], typer.Option(min=1, help="Threads of a step; repeatable.")] = [1, 2],  # noqa: B006
    steps: Annotated[int, typer.Option(min=1, help="Steps of each implementation, per number of threads.")] = 9,
) -> None:
    """Time a legacy variant's training beside a port with one module per expert and head, outputs being equal.

    Exit status 1 if it is less than 1.5 times as fast with some number of threads.
    """
    with teaching():
        from golden_core.benchmarking.training import REQUIRED, measure
        from golden_core.models.architecture import VARIANTS

        if variant not in VARIANTS:
            raise typer.BadParameter(f"{variant!r} is none of {VARIANTS[0]} … {VARIANTS[-1]}", param_hint="--variant")
        console = terminal()
        found = measure(
            variant,
            batch_size=batch,
            threads=threads,
            steps=steps,
            note=lambda text: console.print(text, style="dim", highlight=False),
        )
        console.print(_training_view(found))
        raise typer.Exit(0 if all(one.ratio >= REQUIRED for one in found) else 1)


@app.command()
def scale(
    study: StudyName = "demo",
    pairs: Annotated[int, typer.Option(min=1)] = 100,
    horizons: Annotated[int, typer.Option(min=1)] = 10,
    seeds: Annotated[int, typer.Option(min=1)] = 20,
    forecasters: Annotated[int, typer.Option(min=1)] = 20,
    on: Annotated[list[int], typer.Option(min=1, help="Workers to plan for; repeatable.")] = [2, 16, 128, 1024],  # noqa: B006
    workers: Workers = 0,
) -> None:
    """Plan a larger campaign from what a finished study here has cost: hours on n workers, and the bottleneck."""
    with teaching():
        from golden_core.preparation.catalogue import load_variant
        from golden_core.store.lake import Home
        from golden_dagster.benchmarks.scale import Size, costs, plan

        console = terminal()
        found = costs(
            Home.from_environment(), load_variant(study), workers, note=lambda text: console.print(text, style="dim")
        )
        console.print(plan(found, Size(pairs, horizons, seeds, forecasters), on))


@app.command()
def leakage(study: StudyName = "demo", overrides: Overrides = []) -> None:  # noqa: B006
    """Measure what the leakage checks of a run cost beside its campaign: minutes for the demo.

    Exit status 1 if they cost more than a tenth of the rest.
    """
    with teaching():
        from golden_dagster.benchmarks.leakage import ALLOWED, measure, view

        console = terminal()
        found = measure(study, overrides, note=lambda text: console.print(text, style="dim", highlight=False))
        console.print(view(found))
        raise typer.Exit(0 if found.share <= ALLOWED else 1)


def _training_view(found: list[Comparison]) -> Table:
    columns = "threads", "straightforward", "this platform", "times as fast", "in processor time", "outputs differ by"
    rows = (
        (
            one.threads,
            *(f"{one.epoch_seconds(times):.2f}" for times in (one.reference, one.network)),
            f"{one.ratio:.2f}",
            f"{one.cpu_ratio:.2f}",
            f"{one.difference:.1e} of their range",
        )
        for one in found
    )
    title = f"Seconds per epoch of {found[0].variant}, batch {found[0].batch_size}"
    caption = "Medians; the implementations take turns, ratios are of neighbouring steps."
    return table(columns, rows, title=title, caption=caption)
