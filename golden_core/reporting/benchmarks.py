"""The page `benchmarks` of a study: what was timed, on what, and three plots. Measuring is elsewhere."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import polars as pl
from matplotlib.axes import Axes

from golden_core.benchmarking.records import BenchmarkError, Run, last_runs, load_benchmarks
from golden_core.reporting.exhibits import Answer, ask, exhibit
from golden_core.reporting.figures import LINES, Plot
from golden_core.reporting.pages import template
from golden_core.reporting.svg import BLUE, Dashes, legend_key, panel, panels
from golden_core.store.lake import Home, write_text
from golden_core.store.warehouse import Warehouse
from golden_core.study import Study
from golden_core.study.faults import plural

PAGE = "benchmarks.html"

THROUGHPUT = """
SELECT subject, batch, throughput FROM benchmarks
WHERE study = $1 AND scenario IN ('single', 'batch', 'offline') AND device = 'cpu'
  AND precision IN ('float32', 'float64')
ORDER BY subject, batch
"""

# The cost of a fit where one was timed; the accuracy is the leaderboard's.
COST = """
SELECT subject, mean_ms / 1e3 AS seconds, mean AS r2_oos
FROM benchmarks JOIN summary ON forecaster = subject AND summary.study = benchmarks.study
WHERE benchmarks.study = $1 AND scenario = 'fit' AND device = 'cpu' AND precision IN ('float32', 'float64')
  AND scope = 'macro' AND pair = 'all' AND horizon = 0 AND metric = 'r2_oos' AND mean IS NOT NULL
ORDER BY subject
"""


def write_benchmarks(home: Home, study: Study) -> Path:
    """Write the page of a study from the last run of every benchmark; equal runs and tables give equal bytes.

    Raises
    ------
    BenchmarkError
        If nothing was measured for this study.
    """
    runs = last_runs(home, study.name)
    if not runs:
        raise BenchmarkError(
            f"nothing was measured for study {study.name!r}: run `golden bench inference {study.name}`"
        )
    for name in (study.name, ""):
        load_benchmarks(home, name)
    path = home.report(study.name) / PAGE
    write_text(benchmarks_page(Warehouse(home.warehouse), study, runs), path)
    return path


def benchmarks_page(warehouse: Warehouse, study: Study, runs: list[Run]) -> str:
    """Return the page of these runs, whose rows are in the warehouse."""
    return template("benchmarks.html.jinja").render(
        study=study,
        benchmarks=exhibit("benchmarks", warehouse, study),
        machines=exhibit("machines", warehouse, study),
        plots=[plot for plot in (latency(runs), throughput(warehouse, study), cost(warehouse, study)) if plot.panels],
    )


def latency(runs: list[Run]) -> Plot:
    """Plot the distribution of single-window latencies: the share of calls that took no longer."""
    samples = [run.samples.filter(scenario="single", device="cpu") for run in runs]
    frame = pl.concat(samples).filter(pl.col("precision").is_in(["float32", "float64"])).collect()

    def told(part: pl.DataFrame) -> str:
        return f"{plural(len(part), 'call')}, half of them within {np.median(1e3 * part['seconds'].to_numpy()):.3g} ms"

    return Plot(
        "latency",
        "How long does one window take? Share of calls that took no longer, of those after the warm-up. The axes of "
        "time are logarithmic and differ between panels.",
        panels("latency", frame, "subject", told, _distribution),
        Answer(frame),
    )


def throughput(warehouse: Warehouse, study: Study) -> Plot:
    """Plot windows per second against windows in a call, a line per forecaster, a few to a panel."""
    answer = ask(warehouse, THROUGHPUT, study.name)
    lines = [(str(name), part) for (name,), part in answer.frame.group_by("subject", maintain_order=True)]
    found = []
    for start in range(0, len(lines), len(LINES)):
        some = lines[start : start + len(LINES)]
        names = ", ".join(name for name, _ in some)
        found.append(panel("throughput", names, f"windows per second of {names}", partial(_throughput, some)))
    keys = tuple(legend_key("throughput", f"{place}.", *line) for place, line in enumerate(LINES, start=1))
    caption = (
        "How much do batches gain? Windows per second by windows in one call; both axes logarithmic. A panel has up "
        "to five forecasters, in the order of its title."
    )
    return Plot("throughput", caption, tuple(found), answer, keys)


def cost(warehouse: Warehouse, study: Study) -> Plot:
    """Plot accuracy against cost: out-of-sample R² by seconds of a fit, one point per forecaster."""
    answer = ask(warehouse, COST, study.name)
    frame = answer.frame
    told = "; ".join(f"{name} {seconds:.3g} s, {100 * r2:.3g} %" for name, seconds, r2 in frame.iter_rows())
    found = (panel("cost", "All forecasters", told, partial(_cost, frame), 3.5),) if told else ()
    return Plot(
        "cost",
        "What does accuracy cost? Out-of-sample R² against the random walk, mean over series, by seconds of fitting "
        "one fold of the first series with the study’s budget. Up and to the left is better.",
        found,
        answer,
    )


def _distribution(part: pl.DataFrame, axes: Axes) -> None:
    milliseconds = 1e3 * np.sort(part["seconds"].to_numpy())
    # Some hundred points look like all of them, and the page stays small.
    shares = np.unique(np.linspace(0, len(milliseconds) - 1, 300).astype(int))
    axes.step(milliseconds[shares], 100 * (shares + 1) / len(milliseconds), where="post", color=BLUE)
    axes.set_xscale("log")
    axes.set_ylim(0, 101)
    axes.set_xlabel("ms")
    axes.set_ylabel("calls, %")


def _throughput(lines: list[tuple[str, pl.DataFrame]], axes: Axes) -> None:
    style: tuple[str, Dashes]
    for (_, part), style in zip(lines, LINES, strict=False):
        axes.plot(part["batch"], part["throughput"], color=style[0], linestyle=style[1], marker=".")
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("windows in a call")
    axes.set_ylabel("windows per s")


def _cost(frame: pl.DataFrame, axes: Axes) -> None:
    axes.scatter(frame["seconds"], 100 * frame["r2_oos"], s=14, color=BLUE, zorder=3)
    for name, seconds, r2 in frame.iter_rows():
        axes.annotate(name, (seconds, 100 * r2), xytext=(3, 3), textcoords="offset points", fontsize=6.5)
    axes.set_xscale("log")
    axes.set_xlabel("seconds of a fit")
    axes.set_ylabel("R², %")
