"""The files of a report: the page, the leaderboard for papers, the CSVs. Written together, or not at all."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from golden_core.reporting import claim_figures, coverage, figures, tables, uncertainty_figures
from golden_core.reporting.best_of_many import best_of_many
from golden_core.reporting.exhibits import Answer, Exhibit, ask, declared, exhibit, latex, markdown
from golden_core.reporting.figure_files import figure_files
from golden_core.reporting.formats import count, escape_markdown, plain
from golden_core.reporting.grids import STRATA_SKILL, Grids, grids_latex, relative_error_grids, stratum_grids
from golden_core.reporting.judged import Judged
from golden_core.reporting.seed_groups import seed_groups
from golden_core.reporting.verdict import decided, verdict
from golden_core.store.lake import hash_bytes, hash_file, remove_temporaries, stored_json, temporary_prefix
from golden_core.store.provenance import library_versions
from golden_core.store.warehouse import Warehouse
from golden_core.study import Study
from golden_core.trials.code import code_hash

METRICS = "SELECT * FROM metrics WHERE study = $1 ORDER BY ALL"
COMPARISONS = "SELECT * FROM comparisons WHERE study = $1 ORDER BY ALL"
PROVENANCE = "provenance.json"
DRAWN_BY = ("Jinja2", "matplotlib", "polars")  # libraries whose next release may draw or write the same otherwise
GIVEN = (PROVENANCE, "checks.csv", "probes.csv")  # what no query of the warehouse gives
RECORD = "written.json"
JUNIT = "gate.xml"  # of the gate, which may come at any time after the report
# Tables that are on the page only where the study has this section.
_SECTIONS = {
    "intervals": "quantiles", "distributions": "quantiles", "claims": "protocol", "economics": "economics",
}  # fmt: skip


@dataclass(frozen=True)
class Report:
    """What was written, and the sentence to quote."""

    files: tuple[Path, ...]
    headline: str


def write_report(
    warehouse: Warehouse, study: Study, folder: Path, provenance: Mapping[str, Any], judged: Judged | None = None
) -> Report:
    """Write the report of a study into a folder; equal warehouse, study, provenance and verdicts give equal bytes.

    ``index.html``, ``leaderboard.md``, every table of the page as CSV and LaTeX, and ``metrics`` and ``comparisons``
    as CSV; ``checks.csv``, ``probes.csv`` and ``provenance.json`` hold the verdicts and the provenance given, and
    ``written.json`` what :func:`report_differences` compares.

    Raises
    ------
    RandomWalkMissingError
        If the random walk was not forecast wherever another forecaster was. Nothing is written then.
    """
    files, headline = render(warehouse, study, provenance, judged or Judged.of())
    hashes = {name: hash_bytes(text.encode()) for name, text in files.items()}
    record = {"made_from": _made_from(warehouse, study), "sha256": hashes}
    files[RECORD] = json.dumps(record, indent=2) + "\n"
    _replace(folder, files)
    return Report(tuple(folder / name for name in files), headline)


def report_differences(warehouse: Warehouse, study: Study, folder: Path) -> tuple[list[str], int]:
    """Return what speaks against a report, and how many files were looked at; nothing is rendered again.

    When it was written it recorded the hash of every file, and hashes of what it was made from: study, code, tables.
    """
    remedy = f"delete {folder} and run the study again"
    try:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        written, origin = dict(record["sha256"]), dict(record["made_from"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        return [f"{RECORD} does not say what was written ({type(error).__name__}: {error}); {remedy}"], 1
    found = []
    for name, digest in written.items():
        if not (path := folder / name).is_file() or hash_file(path) != digest:
            found.append(f"{name} is not what was written; {remedy}")
    now = _made_from(warehouse, study)
    other = sorted(name for name in now.keys() | origin.keys() if now.get(name) != origin.get(name))
    found += [f"the report was made from another state of {', '.join(other)}; {remedy}"] if other else []
    return found, len(written)


def _made_from(warehouse: Warehouse, study: Study) -> dict[str, str]:
    """Return a hash of everything that a report is made from, by name. Of a table's rows, whatever their order."""
    sources = [path for path in sorted(Path(__file__).parent.rglob("*")) if path.suffix in {".yaml", ".jinja", ".css"}]
    code = [code_hash((__name__,)), *map(hash_file, sources), *library_versions(DRAWN_BY).values()]
    return {"study": study.hash(), "code": hash_bytes("".join(code).encode()), **warehouse.digests(study.name)}


def render(
    warehouse: Warehouse, study: Study, provenance: Mapping[str, Any], judged: Judged
) -> tuple[dict[str, str], str]:
    """Return the text of every file of a report by name, and the sentence to quote; nothing is written."""
    with warehouse.kept_open():
        coverage.require_random_walk(warehouse, study)
        covered = coverage.coverage(warehouse, study)
        board, series = _scores(warehouse, study)
        answers = {
            "leaderboard": board,
            "series": series,
            "checks": Answer(judged.checks),
            "probes": Answer(judged.probes),
        }
        answers |= {**seed_groups(warehouse, study), "best_of_many": best_of_many(warehouse, study)}
        exhibits = {name: exhibit(name, warehouse, study, answers.get(name)) for name in declared()}
        words = verdict(series.frame, study, covered)
        sentences = map(escape_markdown, (study.name, words.headline, *words.further))
        ranked = board.frame["forecaster"].to_list()
        grids = {
            "relative_error": relative_error_grids(series),
            "strata": stratum_grids(ask(warehouse, STRATA_SKILL, study.name), ranked),
            "coverage": coverage.coverage_grids(covered),
            "pairwise": claim_figures.pairwise_grids(warehouse, study),
        }
        context = {
            "verdict": words,
            "covered": covered,
            "facts": _facts(warehouse, study, covered),
            "judged": judged,
            "decided": decided(study.protocol) if study.protocol else "",
            **_plots(warehouse, study, series, ranked),
            **grids,
            **exhibits,
        }
        files = {
            **_table_files(study, exhibits.values(), grids.values()),
            "leaderboard.md": "# " + "\n\n".join([*sentences, markdown(exhibits["leaderboard"])]),
            "metrics.csv": ask(warehouse, METRICS, study.name).frame.write_csv(),
            "comparisons.csv": ask(warehouse, COMPARISONS, study.name).frame.write_csv(),
            "checks.csv": judged.checks.write_csv(),
            "probes.csv": judged.probes.write_csv(),
            PROVENANCE: json.dumps(provenance, indent=2, ensure_ascii=False) + "\n",
            "index.html": _html_page(study, provenance, context),
        }
    return files, words.headline


def figures_apart(warehouse: Warehouse, study: Study) -> dict[str, bytes]:
    """Return the figures of a report as files for manuscripts, by name."""
    with warehouse.kept_open():
        board, series = _scores(warehouse, study)
        return figure_files(_plots(warehouse, study, series, board.frame["forecaster"].to_list()).values())


def _scores(warehouse: Warehouse, study: Study) -> tuple[Answer, Answer]:
    name, alpha = study.name, study.evaluation.significance
    board = tables.leaderboard(warehouse, name, significance=alpha)
    return board, tables.series_table(warehouse, name, significance=alpha)


def _plots(warehouse: Warehouse, study: Study, series: Answer, ranked: list[str]) -> dict[str, figures.Plot]:
    """Return every figure of the page; some are of what not every study asks for."""
    plots = {
        "forest": claim_figures.forest(series, study),
        "gain": figures.cumulative_gain(warehouse, study, ranked),
        "equity": figures.equity(warehouse, study, ranked),
        "curves": figures.learning_curves(warehouse, study),
        "ranks": claim_figures.critical_difference(warehouse, study),
    }
    asked = {"effects": claim_figures.claim_forest} if study.protocol else {}
    if study.quantiles:
        asked["calibration"] = uncertainty_figures.coverage_by_level
        asked |= {"pit": uncertainty_figures.pit_histogram, "fan": uncertainty_figures.fan_chart}
    return plots | {name: draw(warehouse, study) for name, draw in asked.items()}


def _table_files(study: Study, exhibits: Iterable[Exhibit], grids: Iterable[Grids]) -> dict[str, str]:
    """Return every table on the page that has rows as LaTeX, with what it shows, and as CSV, with every digit."""
    files: dict[str, str] = {}
    for shown in exhibits:
        asked = shown.name not in _SECTIONS or getattr(study, _SECTIONS[shown.name]) is not None
        if asked and shown.answer.frame.height:
            files |= {f"{shown.name}.csv": shown.answer.frame.write_csv(), f"{shown.name}.tex": latex(shown)}
    for grid in grids:
        if grid.grids:
            files |= {f"{grid.name}.csv": grid.answer.frame.write_csv(), f"{grid.name}.tex": grids_latex(grid)}
    return files


@cache
def template(name: str) -> Template:
    """Return the template of a page."""
    # Escaped whatever the template is called: names and error texts are other people's.
    return Environment(
        loader=PackageLoader("golden_core.reporting"), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    ).get_template(name)  # fmt: skip


def _html_page(study: Study, provenance: Mapping[str, Any], context: Mapping[str, Any]) -> str:
    facts = dict(flatten(provenance))
    return template("report.html.jinja").render(
        study=study,
        settings=json.dumps(json.loads(study.canonical()), indent=2, ensure_ascii=False),
        provenance={"study": study.name, "study_hash": study.hash(), **facts},
        dirty=facts.get("git.dirty") == "yes",
        **context,
    )


def flatten(facts: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield dotted name and text of every fact in nested mappings, in the order given."""
    for name, value in facts.items():
        path = f"{prefix}{name}"
        if isinstance(value, Mapping):
            yield from flatten(value, f"{path}.")
        elif isinstance(value, list | tuple):
            yield from flatten({str(place): item for place, item in enumerate(value)}, f"{path}.")
        else:
            yield path, ("yes" if value else "no") if isinstance(value, bool) else plain(value)


def _facts(warehouse: Warehouse, study: Study, covered: coverage.Coverage) -> dict[str, str]:
    span = ask(warehouse, coverage.SPAN, study.name).frame.row(0, named=True)
    pairs, horizons = len(study.data.pairs), len(study.horizons)
    return {
        "Series": f"{pairs * horizons} ({pairs} pair{'s' * (pairs > 1)} × {horizons} horizon{'s' * (horizons > 1)})",
        "Forecasters": count(len(study.forecasters)),
        "Seeds": count(study.seeds.count),
        "Trials": f"{count(covered.present)} of {count(covered.asked)}",
        "Forecasts": count(span["forecasts"]),
        "Test period": f"{span['first_day']} – {span['last_day']}",
    }


def _replace(folder: Path, files: Mapping[str, str]) -> None:
    """Write everything beside the folder first, so that a failure leaves the old report as it was."""
    folder.mkdir(parents=True, exist_ok=True)
    remove_temporaries(folder.parent, f"{folder.name}.*")  # left by a killed process
    remove_temporaries(folder)
    before = stored_json(folder / RECORD, sha256=dict).get("sha256", {})
    with tempfile.TemporaryDirectory(prefix=temporary_prefix(folder), suffix=".tmp", dir=folder.parent) as name:
        for file, text in files.items():
            (Path(name) / file).write_text(text, encoding="utf-8", newline="\n")
        for path in [path for path in folder.iterdir() if path.name in before.keys() - files]:
            path.unlink()  # such as the table of what failed, once nothing does
        for file in files:
            (Path(name) / file).replace(folder / file)
