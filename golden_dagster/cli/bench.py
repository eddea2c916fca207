"""`golden bench`: measurements that anyone can repeat; each prints ratios of things measured in one run."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from golden_dagster.cli.options import Overrides, StudyName, Workers, table, teaching, terminal

if TYPE_CHECKING:
    from rich.table import Table

    from golden_core.benchmarking.cohort import CohortRun
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
def cohort(
    study: StudyName = "golden",
    overrides: Overrides = [],  # noqa: B006
    forecaster: Annotated[str, typer.Option(help="One of the study's that trains a network.")] = "v08",
    members: Annotated[int, typer.Option(min=0, help="Networks in the cohort; 0 means 70 on a card, 4 without.")] = 0,
    epochs: Annotated[int, typer.Option(min=1, help="Epochs that are timed, after one that is not.")] = 2,
    device: Annotated[Literal["auto", "cpu", "cuda"], typer.Option(help="Where the cohort trains.")] = "auto",
) -> None:
    """Time one network trained alone and many together, as a share of the peak of a matrix product in the same run."""
    with teaching():
        from golden_core.benchmarking.cohort import measure
        from golden_core.preparation.catalogue import load_variant
        from golden_core.training.device import DeviceError, best_kind

        console, kind = terminal(), best_kind() if device == "auto" else device
        try:
            found = measure(
                load_variant(study, overrides),
                forecaster,
                kind,
                members=members or {"cpu": 4, "cuda": 70}[kind],
                epochs=epochs,
                note=lambda text: console.print(text, style="dim", highlight=False),
            )
        except (ValueError, DeviceError) as error:
            raise typer.BadParameter(str(error)) from None
        console.print(_cohort_view(found))
        console.print(_of_the_study(found), highlight=False, soft_wrap=True)


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


def _cohort_view(found: CohortRun) -> Table:
    rows = ((one.subject, one.networks, f"{one.windows_per_second:,.0f}", f"{one.share:.1%}") for one in found.speeds)
    title = f"Training {found.forecaster} of study {found.study}, cohorts on {found.card or 'the processor'}"
    caption = (
        f"A window costs {found.operations / 1e6:.2f} MFLOP forward and backward; a float32 matrix product on the "
        f"cohort's device gave {found.peak / 1e9:,.0f} GFLOP/s. The single trainer is held against the processor's."
    )
    return table(("trained", "networks", "windows/s", "of the peak"), rows, title=title, caption=caption)


def _of_the_study(found: CohortRun) -> str:
    """Return what follows for the study, and what was not measured."""
    time = datetime.timedelta(seconds=round(found.study_seconds))
    said = (
        f"the networks of study {found.study} see {found.study_windows / 1e6:,.1f} million windows if none stops "
        f"early: {time} at this speed, if all cost what {found.forecaster} does"
    )
    if found.kind == "cuda":
        return said
    return f"{said}\non a card: unmeasured, for there is none here; where there is: golden bench cohort --device cuda"


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
