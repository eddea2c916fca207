"""The evidence of P5.M2: the report of the example experiment, as the home has it, and what is found in its tables."""

from __future__ import annotations

import polars as pl

from golden_core.benchmarking.records import last_runs
from golden_core.milestones.designs import FEWEST_SEEDS
from golden_core.milestones.evidence import Result
from golden_core.milestones.place import Place
from golden_core.milestones.records import EvidenceError, Metadata, read_record
from golden_core.reporting.verification import verify_report
from golden_core.store.lake import Home
from golden_core.store.warehouse import Warehouse
from golden_core.study import Study
from golden_core.trials import all_trials
from golden_core.trials.outputs import altered_trials
from golden_core.trials.stored import shown_completeness

STUDY = "demo"
VARIANT = "v08"
RECORD = ("parameter_counts", "output_parity")  # criteria of P6.M1: what the legacy record says of the parts
REPORT = "reports"
# Every number of theirs is a row of the warehouse, and tables of the page sum them up: megabytes that nobody reads.
LEFT_OUT = frozenset({"metrics.csv", "comparisons.csv"})

# A claim that is refused has a reason in place of numbers; so has a summary over one seed, which has no spread.
_INTERVALS = """
SELECT 'claims' AS what, count(*) FILTER (reason IS NULL) AS asked,
       count(*) FILTER (reason IS NULL AND effect IS NOT NULL AND low IS NOT NULL AND high IS NOT NULL) AS told
FROM claims WHERE study = $1
UNION ALL
SELECT 'summaries', count(*) FILTER (seeds > 1),
       count(*) FILTER (seeds > 1 AND sd IS NOT NULL AND t_low IS NOT NULL AND bootstrap_low IS NOT NULL)
FROM summary WHERE study = $1
"""


def experiment_ran(home: Home, study: Study) -> bool:
    """Whether there is a report of the study in this home."""
    return (home.report(study.name) / "index.html").is_file()


def experiment_pages(place: Place, home: Home, study: Study) -> tuple[dict[str, str], tuple[Result, ...]]:
    """Return the report of an experiment as deliverables, and what is found for the machine criteria of P5.M2.

    Raises
    ------
    EvidenceError
        If the experiment does not have the parts that the plan asks for, or has not been run whole.
    IncompleteError
        If the warehouse does not hold the study.
    """
    if VARIANT not in study.forecasters or study.protocol is None:
        raise EvidenceError(f"P5.M2: study {study.name!r} lacks forecaster {VARIANT} or a protocol; give it both")
    present, expected = shown_completeness(home, study)
    if present < expected:
        raise EvidenceError(f"P5.M2: {present} of {expected} trials are there; `golden run {study.name}` runs the rest")
    warehouse, folder = Warehouse(home.warehouse), home.report(study.name)
    results = (
        _reproduced(place, home, study, warehouse),
        intervals(study, warehouse),
        _recorded(study, warehouse, home),
    )
    files = sorted(path for path in folder.iterdir() if path.is_file() and path.name not in LEFT_OUT)
    return {f"{REPORT}/{path.name}": path.read_text(encoding="utf-8") for path in files}, results


def _reproduced(place: Place, home: Home, study: Study, warehouse: Warehouse) -> Result:
    """Hold the runs of the legacy parts against their own records, and against the legacy record of P6.M1."""
    runs = warehouse.query(
        "SELECT pair, horizon, count(*) AS runs FROM trials WHERE study = ? AND forecaster = ? AND status = 'done' "
        "GROUP BY pair, horizon",
        [study.name, VARIANT],
    )
    trials = [trial for trial in all_trials(study) if trial.forecaster == VARIANT]
    altered, looked_at = altered_trials(home, study, trials)
    fewest = int(runs["runs"].min() or 0)  # type: ignore[arg-type]
    record = _legacy_record(place)
    said = [
        f"{fewest} runs at least on {runs.height} series",
        f"{looked_at - len(altered)} of {len(trials)} as recorded",
    ]
    said += [f"{name} {verdict}" for name, verdict in record.items()]
    held = not altered and looked_at == len(trials) and all(record[name] == "pass" for name in RECORD)
    threshold = f"{FEWEST_SEEDS} runs, all as recorded; P6.M1: {', '.join(RECORD)} pass"
    return Result("v08_reproduced", "; ".join(said), threshold, fewest >= FEWEST_SEEDS and held)


def _legacy_record(place: Place) -> dict[str, str]:
    path = place.metadata("P6.M1")
    found = read_record(Metadata, path).criteria if path.exists() else ()
    verdicts = {criterion.id: str(criterion.verdict) for criterion in found}
    return {name: verdicts.get(name, "unmeasured") for name in RECORD}


def intervals(study: Study, warehouse: Warehouse) -> Result:
    """Report whether every claim and summary that is told has its interval, and every stratum asked for is there."""
    rows = warehouse.query(_INTERVALS, [study.name])
    strata = warehouse.query(
        "SELECT DISTINCT stratum_kind FROM metrics WHERE study = ? AND stratum_kind <> 'all' ORDER BY 1", [study.name]
    )["stratum_kind"].to_list()
    said = [f"{told} of {asked} {what}" for what, asked, told in rows.iter_rows()]
    told = rows.select((pl.col("asked") == pl.col("told")).all() & (pl.col("asked") > 0).all()).item()
    value = f"{', '.join(said)} with interval; strata: {', '.join(strata) or 'none'}"
    threshold = f"all; {', '.join(sorted(study.evaluation.strata))}"
    return Result("intervals_automatic", value, threshold, bool(told) and strata == sorted(study.evaluation.strata))


def _recorded(study: Study, warehouse: Warehouse, home: Home) -> Result:
    found, places = verify_report(warehouse, study, home.report(study.name), runs=last_runs(home, study.name))
    value = f"{len(found)} of {places} places of the report differ from the warehouse and the record beside it"
    return Result("reports_recorded", value, "none", not found)
