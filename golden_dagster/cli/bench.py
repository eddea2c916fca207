"""`golden bench`: measurements that anyone can repeat; each prints ratios of things measured in one run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from golden_dagster.cli.options import Overrides, StudyName, Workers, finished, opened, terminal

if TYPE_CHECKING:
    from rich.console import Console

    from golden_core.benchmarking.forecasters import Effort, Measured
    from golden_core.benchmarking.measurement import Measurement
    from golden_core.store.lake import Home
    from golden_core.study import Study

app = typer.Typer(no_args_is_help=True, help="Measure the platform itself.")

Only = Annotated[list[str], typer.Option("--forecaster", help="One of the study's; repeatable. By default all.")]
Seconds = Annotated[float, typer.Option(min=0.0, max=3600.0, help="How long every scenario is measured at least.")]
Samples = Annotated[int, typer.Option(min=0, help="Calls at least; 0 for the number that the plan declares.")]
Threads = Annotated[int, typer.Option(min=1, max=1024, help="Threads of a call.")]
Device = Annotated[Literal["cpu", "cuda"], typer.Option(help="Where networks compute.")]
Benchmark = Literal["inference", "training", "data", "statistics", "startup", "orchestration", "cohort", "leakage"]
Precision = Annotated[Literal["float32", "bfloat16", "tf32"], typer.Option(help="Number format of networks.")]


@app.command()
def inference(
    study: StudyName = "demo",
    overrides: Overrides = [],
    only: Only = [],
    batch: Annotated[list[int], typer.Option(min=1, help="Windows in a call; repeatable.")] = [8, 64, 512],
    seconds: Seconds = 2.0,
    samples: Samples = 0,
    threads: Threads = 1,
    device: Device = "cpu",
    precision: Precision = "float32",
) -> None:
    """Time forecasts of a study's forecasters: one window, batches, all at once; cold and warm starts; copies.

    A percentile is given only where enough calls carry it: 24,576 for the 90th (--samples).
    """
    from golden_core.benchmarking import forecasters

    asked = forecasters.Effort(seconds, samples or None, batch, threads, device, precision)
    _of_study("inference", forecasters.inference, study, overrides, only, asked)


@app.command()
def orchestration(
    trials: Annotated[list[int], typer.Option(help="How many partitions; repeatable.")] = [60, 210],
    workers: Workers = 0,
) -> None:
    """Time pure training, the joblib campaign and the Dagster campaign, for trivial and for real trials."""
    from golden_dagster.benchmarks.orchestration import measure, view

    console = terminal()
    try:
        rows = measure(trials, workers, note=_dim(console))
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    console.print(view(rows))
    _filed(console, "orchestration", "", [one for row in rows for one in row.measurements()])


@app.command()
def training(
    context: typer.Context,
    study: Annotated[
        str | None, typer.Argument(metavar="STUDY", help="Time whole fits of its forecasters; without, the ports.")
    ] = None,
    overrides: Overrides = [],
    only: Only = [],
    seconds: Seconds = 2.0,
    samples: Samples = 0,
    variant: Annotated[str, typer.Option(help="Which legacy variant, v01 … v10.")] = "v08",
    batch: Annotated[int, typer.Option(min=2, help="Windows per step.")] = 5000,
    threads: Annotated[list[int], typer.Option(min=1, max=1024, help="Threads of a step; repeatable.")] = [1, 2],
    steps: Annotated[int, typer.Option(min=1, help="Steps of each implementation, per number of threads.")] = 9,
    precision: Annotated[Literal["float32", "bfloat16"], typer.Option(help="Of the network.")] = "float32",
) -> None:
    """Time a legacy variant's training beside a port with one module per expert and head, outputs being equal.

    With a STUDY, time whole fits of its forecasters. Exit status 1 if a variant is less than 1.5 times as fast as its
    port with some number of threads.
    """
    from golden_core.benchmarking.training import REQUIRED, measure
    from golden_core.models.architecture import VARIANTS
    from golden_dagster.benchmarks.views import training_view

    if study is not None:
        from golden_core.benchmarking import forecasters

        _refuse(context, ("variant", "batch", "steps"), "says nothing with a STUDY")
        if len(threads) > 1:
            _refuse(context, ("threads",), "is one number with a STUDY")
        asked = forecasters.Effort(seconds, samples or None, threads=threads[0], precision=precision)
        _of_study("training", forecasters.fits, study, overrides, only, asked)
        return
    _refuse(context, ("overrides", "only", "seconds", "samples"), "says nothing without a STUDY")
    if variant not in VARIANTS:
        raise typer.BadParameter(f"{variant!r} is none of {VARIANTS[0]} … {VARIANTS[-1]}", param_hint="--variant")
    console = terminal()
    found = measure(variant, batch_size=batch, threads=threads, steps=steps, precision=precision, note=_dim(console))
    console.print(training_view(found))
    _filed(console, "training", "", [row for one in found for row in one.rows()])
    raise typer.Exit(0 if all(one.ratio >= REQUIRED for one in found) else 1)


def _refuse(context: typer.Context, names: Sequence[str], why: str) -> None:
    """Refuse options that were given and would be passed over."""
    for one in context.command.params:
        source = context.get_parameter_source(str(one.name))
        if one.name in names and source and source.name == "COMMANDLINE":
            raise typer.BadParameter(f"{one.opts[0]} {why}")


@app.command()
def data(study: StudyName = "demo", overrides: Overrides = [], seconds: Seconds = 2.0, samples: Samples = 0) -> None:
    """Time the way from the source's table to windows: cleaning, folds, features, for the study's first series."""
    from golden_core.benchmarking.forecasters import Effort
    from golden_core.benchmarking.platform import data_parts

    console, (loaded, home) = terminal(), opened(study, overrides)
    _filed(console, "data", loaded.name, data_parts(home, loaded, Effort(seconds, samples or None), _dim(console)))


@app.command()
def statistics(seconds: Seconds = 2.0, samples: Samples = 0) -> None:
    """Time the tests that decide claims, on losses of ten forecasters at 1,888 times."""
    from golden_core.benchmarking.forecasters import Effort
    from golden_core.benchmarking.platform import statistics_parts

    console = terminal()
    _filed(console, "statistics", "", statistics_parts(Effort(seconds, samples or None), _dim(console)))


@app.command()
def startup(study: StudyName = "golden", seconds: Seconds = 2.0, samples: Samples = 0) -> None:
    """Time what people and daemons wait for before anything happens: imports, --help, definitions of a study."""
    from golden_core.benchmarking.forecasters import Effort
    from golden_core.preparation.catalogue import load_study
    from golden_dagster.benchmarks.startup import starts

    load_study(study)  # a mistake in its name is one message, not that of a process
    console = terminal()
    _filed(console, "startup", "", starts(study, Effort(seconds, samples or None), _dim(console)))


@app.command()
def show(study: StudyName = "demo", overrides: Overrides = []) -> None:
    """Write the page of what was last measured for a study, beside its report."""
    _write_page(terminal(), *opened(study, overrides))


@app.command()
def accept(benchmark: Annotated[Benchmark, typer.Argument(metavar="BENCHMARK", help="The one that was run.")]) -> None:
    """Make the last runs of a benchmark the baseline of this class of machine, to which later runs are compared."""
    from golden_core.benchmarking.records import accept as accepted
    from golden_core.store.lake import Home

    for name in accepted(Home.from_environment(), benchmark):
        terminal().print(f"accepted: {benchmark}, run {name}")


@app.command()
def cohort(
    study: StudyName = "golden",
    overrides: Overrides = [],
    forecaster: Annotated[str, typer.Option(help="One of the study's that trains a network.")] = "v08",
    members: Annotated[int, typer.Option(min=0, help="Networks in the cohort; 0 means 70 on a card, 4 without.")] = 0,
    epochs: Annotated[int, typer.Option(min=1, help="Epochs that are timed, after one that is not.")] = 2,
    device: Annotated[Literal["auto", "cpu", "cuda"], typer.Option(help="Where the cohort trains.")] = "auto",
) -> None:
    """Time one network trained alone and many together, as a share of the peak of a matrix product in the same run."""
    from golden_core.benchmarking.cohort import measure
    from golden_core.sources import dated
    from golden_core.training.device import DeviceError, best_kind
    from golden_dagster.benchmarks.views import cohort_view, said_of_study

    console, kind = terminal(), best_kind() if device == "auto" else device
    loaded, home = opened(study, overrides)
    count = members or {"cpu": 4, "cuda": 70}[kind]
    try:
        asked = loaded.model_copy(update={"data": dated(loaded.data, loaded.seeds.root, home.root)})
        found = measure(asked, forecaster, kind, members=count, epochs=epochs, note=_dim(console))
    except (ValueError, DeviceError) as error:
        raise typer.BadParameter(str(error)) from None
    console.print(cohort_view(found))
    console.print(said_of_study(found), soft_wrap=True)
    _filed(console, "cohort", loaded.name, list(found.measurements()))
    _write_page(console, loaded, home)


@app.command()
def scale(
    study: StudyName = "demo",
    pairs: Annotated[int, typer.Option(min=1, help="Pairs to plan for.")] = 100,
    horizons: Annotated[int, typer.Option(min=1, help="Its horizons.")] = 10,
    seeds: Annotated[int, typer.Option(min=1, help="Its seeds.")] = 20,
    forecasters: Annotated[int, typer.Option(min=1, help="Its forecasters, of the mix that the study has.")] = 20,
    on: Annotated[list[int], typer.Option(min=1, help="Workers to plan for; repeatable.")] = [2, 16, 128, 1024],
    workers: Workers = 0,
) -> None:
    """Plan a larger campaign from what a finished study has cost here: hours by workers, and the bottleneck."""
    from golden_dagster.benchmarks.scale import Size, costs, plan

    console = terminal()
    with finished(study, []) as (loaded, home):
        found = costs(home, loaded, workers, note=_dim(console))
    console.print(plan(found, Size(pairs, horizons, seeds, forecasters), on))


@app.command()
def leakage(study: StudyName = "demo", overrides: Overrides = []) -> None:
    """Measure what the leakage checks of a run cost beside its campaign: minutes for the demo.

    Exit status 1 if they cost more than a tenth of the rest.
    """
    from golden_dagster.benchmarks.leakage import ALLOWED, measure, view

    console = terminal()
    found = measure(study, overrides, note=_dim(console))
    console.print(view(found))
    _filed(console, "leakage", found.study, found.measurements())
    raise typer.Exit(0 if found.share <= ALLOWED else 1)


def _of_study(
    benchmark: str, measured: Callable[..., Measured], study: str, overrides: list[str], only: list[str], effort: Effort
) -> None:
    """Measure forecasters of a study, file the run and write the study's page."""
    from golden_core.store.kernels import require

    console, (loaded, home) = terminal(), opened(study, overrides)
    require(loaded.training.kernels)
    try:
        found, left_out = measured(home, loaded, only, effort, _dim(console))
    except (ValueError, RuntimeError) as error:  # refused, or a start in a process of its own that failed
        raise typer.BadParameter(str(error)) from None
    _filed(console, benchmark, loaded.name, found)
    _write_page(console, loaded, home)
    for name in left_out:
        console.print(name, style="red", soft_wrap=True)
    if left_out:
        raise typer.Exit(1)


def _write_page(console: Console, study: Study, home: Home) -> None:
    """Write the page of a study's benchmarks, and the report beside it, which lists them."""
    from golden_core.reporting.benchmarks import write_benchmarks
    from golden_core.reporting.verification import renew_report
    from golden_core.store.warehouse import Warehouse

    page = write_benchmarks(home, study)
    renewed = renew_report(Warehouse(home.warehouse), study, home.report(study.name))
    console.print(f"written: {page}{', and the report beside it' * renewed}", soft_wrap=True)


def _filed(console: Console, benchmark: str, study: str, found: Sequence[Measurement]) -> None:
    """File a run and print its rows, the slowest regressions last."""
    from golden_core.benchmarking.records import file_run, regressions
    from golden_core.reporting.verification import renew_reports
    from golden_core.store.lake import Home
    from golden_dagster.benchmarks.views import run_view

    if not found:
        raise typer.BadParameter("none of these forecasters computes on that device or in that number format")
    home = Home.from_environment()
    run = file_run(home, benchmark, study, found)
    console.print(run_view(benchmark, run.rows))
    console.print(f"filed: {run.folder}")
    if not study:  # every report of the home lists it; a large one takes a minute to write
        with console.status("reports that list it …"):
            renewed = renew_reports(home)
        if renewed:
            console.print(f"reports that list it, written again: {', '.join(renewed)}")
    for slower in regressions(home)[0]:
        console.print(f"slower: {slower}", style="red")


def _dim(console: Console) -> Callable[[str], None]:
    return lambda text: console.print(text, style="dim")
