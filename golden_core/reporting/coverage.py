"""What became of the trials, and whether there is enough to report at all. No score belongs here."""

from __future__ import annotations

from dataclasses import dataclass

from golden_core.evaluation.verification import count_forecasts, cutoffs_without_benchmark
from golden_core.reporting.exhibits import Answer, Cell, Row, ask
from golden_core.reporting.formats import count
from golden_core.reporting.grids import Grids, cross
from golden_core.store.warehouse import Warehouse
from golden_core.study import Study

# The page counts what it can see: a trial that claims to be done but has no forecasts is missing.
COVERAGE = """
WITH runs AS (
    SELECT DISTINCT forecaster, pair, horizon, seed, true AS run FROM forecasts WHERE study = $1
), results AS (
    SELECT DISTINCT forecaster, pair, horizon, true AS result FROM forecasts WHERE study = $1
)
SELECT forecaster, pair, horizon, pair || '_h' || horizon AS series, count(*) AS asked,
       count(*) FILTER (status = 'done' AND run) AS done,
       count(*) FILTER (status = 'shared' AND result) AS shared,
       count(*) FILTER (status = 'failed') AS failed,
       asked - done - shared - failed AS missing
FROM trials
LEFT JOIN runs USING (forecaster, pair, horizon, seed)
LEFT JOIN results USING (forecaster, pair, horizon)
WHERE study = $1
GROUP BY forecaster, pair, horizon
ORDER BY pair, horizon, forecaster
"""

SPAN = """
SELECT count(*) AS forecasts,
       CAST(min(cutoff) AT TIME ZONE 'UTC' AS DATE) AS first_day,
       CAST(max(target_at) AT TIME ZONE 'UTC' AS DATE) AS last_day
FROM forecasts WHERE study = $1
"""


class RandomWalkMissingError(LookupError):
    """There is no random walk to compare with, so there is nothing to report."""


@dataclass(frozen=True)
class Coverage:
    """How much of a study the report rests on."""

    answer: Answer
    asked: int

    @property
    def present(self) -> int:
        """Trials whose forecasts are in the warehouse, shared ones included."""
        return self._sum("done") + self._sum("shared")

    @property
    def complete(self) -> bool:
        """Whether every trial that the study asks for is present."""
        return self.present == self.asked

    def __str__(self) -> str:
        counts = {name: self._sum(name) for name in ("done", "shared", "failed", "missing")}
        counts["missing"] += max(0, self.asked - sum(counts.values()))
        named = ", ".join(f"{count(number)} {name}" for name, number in counts.items() if number)
        return f"{count(self.present)} of {count(self.asked)} trials" + (f" ({named})" if named else "")

    def _sum(self, name: str) -> int:
        return int(self.answer.frame[name].sum())


def require_random_walk(warehouse: Warehouse, study: Study) -> None:
    """Refuse to report without the random walk at every cutoff at which anything else was forecast.

    Raises
    ------
    RandomWalkMissingError
        If there are no forecasts at all, or some without the random walk's beside them; names the series.
    """
    fix = "run the random_walk trials of the study and load the warehouse again"
    if not count_forecasts(warehouse, study.name):
        raise RandomWalkMissingError(f"study {study.name}: the warehouse holds no forecasts; {fix}")
    if holes := cutoffs_without_benchmark(warehouse, study.name):
        raise RandomWalkMissingError(f"study {study.name}: {'; '.join(holes)}; {fix}")


def coverage(warehouse: Warehouse, study: Study) -> Coverage:
    """Return what became of the trials; how many there should be is computed from the study itself."""
    asked = len(study.forecasters) * len(study.data.pairs) * len(study.horizons) * study.seeds.count
    return Coverage(ask(warehouse, COVERAGE, study.name), asked)


def coverage_grids(covered: Coverage) -> Grids:
    """Return the grid series × forecaster of trials present, failed and missing."""
    return Grids(
        "coverage",
        f"What ran? Trials present by series and forecaster: {covered}. A deterministic forecaster runs once per "
        "series; its other seeds share that result (run + shared).",
        (cross(covered.answer.frame, "series", "forecaster", _trials, title="", corner="Series"),),
        (
            Cell("all run", "done"), Cell("all present, seeds shared", "shared"),
            Cell("some missing", "missing"), Cell("some failed", "failed"),
        ),
        covered.answer,
    )  # fmt: skip


def _trials(row: Row) -> Cell:
    run = f"{row['done']} + {row['shared']}" if row["shared"] else str(row["done"])
    problems = [f"{row[name]} {name}" for name in ("failed", "missing") if row[name]]
    tone = "failed" if row["failed"] else "missing" if row["missing"] else "shared" if row["shared"] else "done"
    return Cell(", ".join([run, *problems]), tone)
