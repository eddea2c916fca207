"""The evidence of campaigns, from what a home has run: the example experiment, the suite, and what is published of it.

The suite exists in two sizes. Whichever the home holds whole counts, the full one first, and the pages say which.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import polars as pl

from golden_core.benchmarking.records import last_runs, load_benchmarks
from golden_core.checks.universes import GATE
from golden_core.interpretability.filing import altered_explanations
from golden_core.milestones.designs import FEWEST_SEEDS
from golden_core.milestones.evidence import Result
from golden_core.milestones.place import Place
from golden_core.milestones.records import EvidenceError, Metadata, read_record
from golden_core.placebo.filed import declared, filed_count
from golden_core.placebo.verdict import SHOWN, faults
from golden_core.preparation.catalogue import command_of, load_study
from golden_core.publication.bundle import documents, manifest, write_results
from golden_core.publication.cards import FILES, cards
from golden_core.reporting.exhibits import exhibit, latex, latex_table
from golden_core.reporting.formats import escape_latex, plain
from golden_core.reporting.pages import JUNIT, figures_apart
from golden_core.reporting.verification import verify_report
from golden_core.store.lake import Home
from golden_core.store.warehouse import Warehouse
from golden_core.study import Study
from golden_core.trials import all_trials
from golden_core.trials.outputs import altered_trials
from golden_core.trials.stored import IncompleteError, require_whole, shown_completeness

STUDY = "demo"
VARIANT = "v08"
RECORD = ("parameter_counts", "output_parity")  # criteria of P6.M1: what the legacy record says of the parts
# Every number of theirs is a row of the warehouse, and tables of the page sum them up: megabytes that nobody reads.
LEFT_OUT = frozenset({"metrics.csv", "comparisons.csv", JUNIT})

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

    EvidenceError if the experiment does not have the parts that the plan asks for, IncompleteError if the warehouse
    does not hold the whole study, by this code.
    """
    if VARIANT not in study.forecasters or study.protocol is None:
        raise EvidenceError(f"P5.M2: study {study.name!r} lacks forecaster {VARIANT} or a protocol; give it both")
    require_whole(home, study, command_of(home, study.name))
    warehouse = Warehouse(home.warehouse)
    differences, places = verify_report(warehouse, study, home.report(study.name), runs=last_runs(home, study.name))
    said = f"{len(differences)} of {places} places of the report differ from the warehouse and the record beside it"
    return {f"reports/{name}": text for name, text in _report(home, study).items()}, (
        _reproduced(place, home, study, warehouse),
        intervals(study, warehouse),
        Result("reports_recorded", said, "none", not differences),
    )


def _report(home: Home, study: Study) -> dict[str, str]:
    """Return the files of a report by name, but for those that nobody reads."""
    files = sorted(path for path in home.report(study.name).iterdir() if path.is_file() and path.name not in LEFT_OUT)
    return {path.name: path.read_text(encoding="utf-8") for path in files}


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
    path = place.metadata("P6.M1")
    criteria = read_record(Metadata, path).criteria if path.exists() else ()
    verdicts = {criterion.id: str(criterion.verdict) for criterion in criteria}
    record = {name: verdicts.get(name, "unmeasured") for name in RECORD}
    said = [
        f"{fewest} runs at least on {runs.height} series",
        f"{looked_at - len(altered)} of {len(trials)} as recorded",
    ]
    said += [f"{name} {verdict}" for name, verdict in record.items()]
    held = not altered and looked_at == len(trials) and all(record[name] == "pass" for name in RECORD)
    threshold = f"{FEWEST_SEEDS} runs, all as recorded; P6.M1: {', '.join(RECORD)} pass"
    return Result("v08_reproduced", "; ".join(said), threshold, fewest >= FEWEST_SEEDS and held)


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


# ------------------------------------------------------------------------------------------------------------ the suite

PLACEBO = "placebo_golden"  # the same protocol where nothing can be forecast
SIZES = ("golden", "golden_two_cores")
REPORT = "reports/golden_suite"
# Sections of the appendices and the tables of the report that they take, where the study has them.
APPENDICES = {
    "Leaderboard": ("leaderboard", "series", "averages"),
    "Claims, and what is not claimed": ("claims", "best_of_many", "pairwise"),
    "Calibration": ("coverage", "levels", "distributions", "intervals"),
    "Economics": ("economics",),
    "Explanations": ("explained", "looked_at"),
    "Benchmarks": ("benchmarks", "machines"),
    "Uncertainty": ("seeds", "groups", "pairs_of_seeds", "relative-error", "strata"),
    "Alignment with the legacy record": ("alignment",),
}
_ALIGNED = ("variant", "metric", "published", "mean", "run_low", "run_high", "random_walk", "verdict")
_CARRIED = """
SELECT count(*) FILTER (claimed) AS carried,
       count(*) FILTER (claimed AND effect IS NOT NULL AND low IS NOT NULL AND p_holm <= $2) AS documented,
       count(*) FILTER (NOT claimed AND coalesce(smallest_effect, margin_reached) IS NULL AND reason IS NULL) AS silent,
       count(*) AS asked
FROM claims WHERE study = $1
"""


def suite(home: Home) -> Study:
    """Return the campaign that this home holds whole, the larger size first, or the full one where it holds none."""
    studies = [load_study(name) for name in SIZES]
    return next((study for study in studies if suite_ran(home, study)), studies[0])


def suite_ran(home: Home, study: Study) -> bool:
    """Whether the home holds every trial of the suite, and the tables made from them."""
    try:
        present, expected = shown_completeness(home, study)
    except IncompleteError:
        return False
    return present == expected


def suite_pages(place: Place, home: Home, study: Study) -> tuple[dict[str, bytes | str], tuple[Result, ...]]:
    """Return report, figures and appendices as deliverables, and what is found for the machine criteria of P6.M2.

    IncompleteError if the warehouse does not hold the whole study, by this code.
    """
    require_whole(home, study, command_of(home, study.name))
    warehouse, report = Warehouse(home.warehouse), _report(home, study)
    pages: dict[str, bytes | str] = {f"{REPORT}/{name}": text for name, text in report.items()}
    pages |= {f"{REPORT}/figures/{name}": content for name, content in figures_apart(warehouse, study).items()}
    tables = {name.removesuffix(".tex"): text for name, text in report.items() if name.endswith(".tex")}
    tables |= _alignment(place)
    if last_runs(home, study.name):
        load_benchmarks(home, study.name)
        tables |= {name: latex(exhibit(name, warehouse, study)) for name in ("benchmarks", "machines")}
    pages |= {
        f"appendices/{name}.tex": tables[name] for names in APPENDICES.values() for name in names if name in tables
    }
    pages["appendices/appendices.tex"] = _appendices(study, tables)
    complete, documented = intervals(study, warehouse), _documented(study, warehouse)
    differences, places = verify_report(warehouse, study, home.report(study.name), runs=last_runs(home, study.name))
    held = f"all {len(all_trials(study))} trials; {complete.value}; {len(differences)} of {places} places differ"
    threshold = f"0 holes; {complete.threshold}; 0 places"
    results = (
        Result("metrics_complete", held, threshold, complete.passed and not differences),
        documented,
        _archived(home, study),
    )
    return pages, results


def placebo_pages(home: Home) -> tuple[dict[str, str], tuple[Result, ...]]:
    """Return how often the suite's protocol claims a skill where there is none; nothing where nobody has counted."""
    study = load_study(PLACEBO)
    filed = filed_count(home, study, "placebo", GATE)
    if filed is None:
        return {}, ()
    row = filed.table.row(0, named=True)
    said = f"{row['found']} of {row['universes']} universes claim a skill"
    said += "" if filed.current else f", by the code of {filed.commit}, which has changed"
    against = [fault for part in faults(filed.table, declared(study, "placebo")) for fault in part]
    said += "".join(f"; {fault}" for fault in against)
    passed = filed.current and row["verdict"] == SHOWN and not against
    found = Result("placebo_silent", said, f"at most {row['allowed']}, by the code of today", passed)
    return {"placebo.csv": filed.table.write_csv()}, (found,)


def _appendices(study: Study, tables: dict[str, str]) -> str:
    r"""Return a LaTeX file that takes in the tables; needs ``\usepackage{booktabs}``."""
    lines = [r"\appendix", f"% Study {study.name}, sha256 {study.hash()}", escape_latex(study.description)]
    for title, names in APPENDICES.items():
        taken = [rf"\input{{{name}}}" for name in names if name in tables]
        lines += ["", rf"\section{{{title}}}", *(taken or ["This study has no such table."])]
    return "\n".join(lines) + "\n"


def _alignment(place: Place) -> dict[str, str]:
    """Return what P6.M1 filed of the legacy record; nothing where it has not."""
    path = place.evidence / "P6.M1" / "alignment.csv"
    if not path.exists():
        return {}
    table = pl.read_csv(path).select(_ALIGNED)
    rows = [[f"{cell:.4g}" if isinstance(cell, float) else plain(cell) for cell in row] for row in table.iter_rows()]
    caption = "The published errors of the legacy runs, beside five seeds on the recovered window; from P6.M1."
    return {"alignment": latex_table("alignment", caption, "llrrrrrl", _ALIGNED, rows)}


def _documented(study: Study, warehouse: Warehouse) -> Result:
    alpha = study.protocol.alpha if study.protocol else 0.0
    carried, documented, silent, asked = warehouse.query(_CARRIED, [study.name, alpha]).row(0)
    said = f"{documented} of {carried} claims carried, of {asked} asked, with effect, interval and p by Holm; "
    said += f"{silent} not carried without the effect or margin that would have been"
    return Result("significance_documented", said, "all; 0", asked > 0 and documented == carried and not silent)


def _archived(home: Home, study: Study) -> Result:
    runs = len(last_runs(home, study.name))
    faults, files = altered_explanations(home, study) if study.explanations else (["no explanations asked for"], 0)
    said = f"{'; '.join(faults) or f'{files} files of explanations as written'}; {runs} benchmarks of the study filed"
    return Result("artifacts_archived", said, "explanations as written; 1 benchmark", not faults and runs > 0)


_ARCHIVE = "README.md"  # of the archive alone
READ = ("CHANGELOG.md", "pyproject.toml")


def publication_pages(place: Place, home: Home, study: Study) -> dict[str, str]:
    """Return the deliverables of P6.M3: cards, papers for people to fill in, notes, and every archived result's hash.

    ``bundle.csv`` lists tables, study, manifests and inputs: what does not change with the next commit. The rest of an
    archive is listed in the bag's own manifest. IncompleteError if the warehouse does not hold the whole suite.
    """
    pages = cards(home, study)
    papers = documents(place.repository, study, None)  # which is signed later, and with it another one
    papers = {name: text for name, text in papers.items() if name != _ARCHIVE}
    papers["release.md"] = papers.pop("release_notes.md")
    with tempfile.TemporaryDirectory(prefix="golden-bundle-") as scratch:
        write_results(home, study, Path(scratch))
        (Path(scratch) / "results.json").unlink()  # names the commit
        listed = manifest(Path(scratch)).write_csv()
    return {**{name: pages[name] for name in FILES.values()}, **papers, "bundle.csv": listed}
