"""The page as a reader gets it: complete, inert, and every number the answer to its own query."""

import itertools
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from golden_core.reporting import pages
from golden_core.reporting.best_of_many import best_of_many
from golden_core.reporting.coverage import coverage
from golden_core.reporting.exhibits import Answer, declared, exhibit
from golden_core.reporting.figures import learning_curves
from golden_core.reporting.pages import report_differences, write_report
from golden_core.reporting.tables import leaderboard
from golden_core.reporting.verification import renew_reports
from golden_core.store.lake import Home
from golden_core.store.provenance import library_versions
from golden_core.store.warehouse import Warehouse
from golden_core.study.values import NEWEST

TABLES = (
    "leaderboard", "series", "seeds", "best_of_many", "averages", "levels", "data", "cleaning", "closures", "folds",
    "relative-error", "strata", "coverage", "pairwise",
)  # fmt: skip
FILES = (
    *(f"{name}{suffix}" for name in TABLES for suffix in (".csv", ".tex")),
    *("leaderboard.md", "metrics.csv", "comparisons.csv", "checks.csv", "probes.csv", "provenance.json", "index.html"),
    "written.json",
)


@pytest.fixture(scope="module")
def exhibits(warehouse, study):
    answers = dict(zip(("leaderboard", "series"), pages._scores(warehouse, study), strict=True))
    handed_in = {"checks", "probes", "groups", "pairs_of_seeds", "best_of_many"}  # no query gives them
    return [exhibit(name, warehouse, study, answers.get(name)) for name in declared() if name not in handed_in]


def test_every_table_is_the_answer_to_the_query_under_it(exhibits, page, warehouse):
    shown = [table for table in exhibits if table.name in page.cells]
    # Nothing failed, nothing more asked; what was timed has a page of its own.
    unasked = {"failures", "intervals", "distributions", "claims", "economics", "benchmarks", "machines"}
    unasked |= {"explained", "looked_at"}
    assert {table.name for table in exhibits} - {table.name for table in shown} == unasked
    for table in shown:
        answer = Answer(warehouse.query(page.queries[table.name]), "")
        expected = [[cell.text for cell in cells] for _, cells in replace(table, answer=answer).rows]
        assert page.cells[table.name][1:] == expected
        assert expected


def test_a_number_on_the_page_is_the_number_in_the_warehouse(page, warehouse, study):
    mean, low, high = warehouse.query(
        "SELECT mean, t_low, t_high FROM summary WHERE study = ? AND forecaster = 'dlinear' AND scope = 'macro' "
        "AND pair = 'all' AND horizon = 0 AND metric = 'r2_oos'",
        [study.name],
    ).row(0)
    row = next(cells for cells in page.cells["leaderboard"] if "dlinear" in cells)
    assert row[2:4] == [f"{100 * mean:.2f}".replace("-", "−"), f"[{100 * low:.2f}, {100 * high:.2f}]".replace("-", "−")]


def test_grids_show_the_answers_too(page, warehouse):
    series = warehouse.query(page.queries["relative-error"]).filter(pl.col("forecaster") == "dlinear")
    expected = [f"{100 * value:.2f}".replace("-", "−") for value in series["relative_rmse"]]
    assert [cell for row in page.cells["relative-error"][4:6] for cell in row[1:]] == expected
    assert page.cells["coverage"][1] == ["EURUSD_h1", "1 + 4", "5", "1 + 4"]


def test_every_figure_has_a_query_that_runs(page, warehouse):
    figures = {attributes["id"] for tag, attributes in page.elements if tag == "figure"}
    assert figures == set(page.queries)
    assert {"forest", "gain", "curves", "coverage", "relative-error", "leaderboard"} <= figures
    assert all(len(warehouse.query(sql)) for sql in page.queries.values())


def test_no_spread_for_deterministic_forecasters(page):
    intervals = {cells[1]: cells[3] for cells in page.cells["leaderboard"][1:]}
    assert intervals["ar"] == intervals["random_walk"] == "—"
    assert intervals["dlinear"].startswith("[")
    assert "a deterministic forecaster gives the same forecasts whatever the seed" in page.words


def test_r2_on_levels_appears_once_and_with_the_remark(page):
    assert [name for name, rows in page.cells.items() if "R² on levels" in rows[0]] == ["levels"]
    assert [name for name, sql in page.queries.items() if "r2_levels" in sql] == ["levels"]
    assert "near one for a random walk" in page.words


def test_the_page_loads_nothing_and_runs_nothing(page):
    tags = {tag for tag, _ in page.elements}
    assert not tags & {"script", "link", "img", "iframe", "object", "embed", "form", "base"}
    attributes = [(name, value) for _, found in page.elements for name, value in found.items()]
    assert not [name for name, _ in attributes if name.startswith("on") or name in ("src", "srcset", "action")]
    assert all(value.startswith("#") for name, value in attributes if name in ("href", "xlink:href"))
    assert "@import" not in page.html
    assert all(target.startswith("#") for target in re.findall(r"url\(([^)]*)\)", page.html))
    policy = next(found for tag, found in page.elements if found.get("http-equiv") == "Content-Security-Policy")
    assert policy["content"] == "default-src 'none'; style-src 'unsafe-inline'"


def test_the_page_can_be_read_without_seeing_it(page):
    by_tag = {}
    for tag, attributes in page.elements:
        by_tag.setdefault(tag, []).append(attributes)
    assert by_tag["html"] == [{"lang": "en"}]
    assert len(by_tag["h1"]) == len(by_tag["main"]) == 1
    assert all(found.get("scope") in ("col", "row") for found in by_tag["th"])
    seen = [found for found in by_tag["svg"] if not found.get("aria-hidden")]
    assert all(found.get("role") == "img" and found["aria-label"] for found in seen)
    scrolling = [found for found in by_tag["div"] if found.get("class") == "scroll"]
    assert scrolling
    assert all(found["tabindex"] == "0" and found["role"] == "region" for found in scrolling)
    assert page.html.startswith("<!DOCTYPE html>")
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert all(deeper - level <= 1 for level, deeper in itertools.pairwise(levels))


def test_ids_are_unique_and_references_lead_somewhere(whole_page):
    ids = [found["id"] for _, found in whole_page.elements if "id" in found]
    assert len(ids) == len(set(ids))
    wanted = [found["href"] for _, found in whole_page.elements if found.get("href")]
    wanted += [found["xlink:href"] for _, found in whole_page.elements if found.get("xlink:href")]
    wanted += ["#" + found["aria-labelledby"] for _, found in whole_page.elements if found.get("aria-labelledby")]
    wanted += re.findall(r"url\(([^)]*)\)", whole_page.html)
    assert {target.removeprefix("#") for target in wanted} <= set(ids)


def test_a_complete_study_has_no_banner(page):
    assert not [found for _, found in page.elements if "banner" in (found.get("class") or "")]
    assert "60 of 60 trials" in page.words


def test_an_incomplete_study_says_so_in_red(incomplete_page):
    assert [tag for tag, found in incomplete_page.elements if found.get("class") == "banner alarm"] == ["p"]
    said = "Incomplete. This report rests on 58 of 60 trials (26 done, 32 shared, 1 failed, 1 missing)"
    assert said in incomplete_page.words
    assert incomplete_page.words.count("Only 58 of 60 trials are present.") == 1
    assert "3, 1 failed, 1 missing" in incomplete_page.cells["coverage"][-1]


def test_error_texts_are_shown_and_inert(incomplete_page, builders):
    assert incomplete_page.cells["failures"][1][-1] == builders.INJECTION
    assert "<script" not in incomplete_page.html.lower()


def test_names_and_facts_are_inert(tmp_path, builders):
    hostile = "v_<script>1</script>|&$"
    kinds = {"random_walk": {}, hostile: {}}
    study = builders.make_study(name="hostile", description="</style><script>2</script>", forecasters=kinds)
    seeded = {"random_walk": 0, hostile: 1}
    noise = {"random_walk": 0.0, hostile: 0.5}
    forecasts = builders.make_forecasts(study, 60, seeded, lambda name, _: (0.0, noise[name]))
    made = Warehouse(tmp_path / "warehouse.duckdb")
    made.load(study.name, builders.make_tables(study, forecasts, builders.make_trials(study, seeded), (hostile,)))
    write_report(made, study, tmp_path / "report", {"command": "</pre><script>3</script>", "<script>": ["<script>"]})
    page = builders.Page((tmp_path / "report" / "index.html").read_text(encoding="utf-8"))
    assert "<script" not in page.html.lower()
    assert page.html.count("</style>") == 1
    assert hostile in [cells[1] for cells in page.cells["leaderboard"]]
    latex, markdown = ((tmp_path / "report" / f"leaderboard.{kind}").read_text("utf-8") for kind in ("tex", "md"))
    assert r"v\_\textless{}script\textgreater{}1" in latex
    assert r"v\_\<script\>1\</script\>\|&$" in markdown


def test_provenance_is_on_the_page(page, study):
    for fact in (study.hash(), "0123456789abcdef0123456789abcdef01234567", "A processor & co.", "2.13.0", "ab" * 32):
        assert fact in page.words
    assert "golden run synthetic && golden report synthetic" in page.words


@pytest.mark.parametrize(("dirty", "shown"), [(True, True), (False, False), (None, False)])
@pytest.mark.usefixtures("_undrawn")
def test_a_dirty_tree_is_said_aloud(warehouse, study, tmp_path, dirty, shown):
    write_report(warehouse, study, tmp_path / "report", {"git": {"commit": "0", "dirty": dirty}})
    assert ("Uncommitted changes." in (tmp_path / "report" / "index.html").read_text(encoding="utf-8")) is shown


@pytest.mark.usefixtures("_undrawn")
def test_a_smoke_study_carries_no_claim(tmp_path, builders):
    study = builders.make_study(name="smoke", seeds={"root": 1, "count": 2})
    forecasts = builders.make_forecasts(study, 60)
    made = Warehouse(tmp_path / "warehouse.duckdb")
    made.load(study.name, builders.make_tables(study, forecasts, builders.make_trials(study), ("dlinear",)))
    report = write_report(made, study, tmp_path / "report", {})
    page = builders.Page((tmp_path / "report" / "index.html").read_text(encoding="utf-8"))
    assert report.headline.startswith("This is a smoke study")
    assert "Smoke study. It exercises the plumbing; its numbers carry no claim." in page.words


def test_the_same_warehouse_gives_the_same_bytes(folder, warehouse, study, tables, tmp_path, builders):
    shuffled = Warehouse(tmp_path / "warehouse.duckdb")
    shuffled.load(study.name, {name: table.reverse() for name, table in tables.items()})
    for made in (warehouse, shuffled):
        write_report(made, study, tmp_path / "again", builders.PROVENANCE)
        for name in FILES:
            assert (tmp_path / "again" / name).read_bytes() == (folder / name).read_bytes(), name


@pytest.mark.usefixtures("_undrawn")
def test_files_and_headline_are_reported(warehouse, study, tmp_path):
    report = write_report(warehouse, study, tmp_path / "report", {})
    assert [path.name for path in report.files] == list(FILES)
    assert sorted(path.name for path in (tmp_path / "report").iterdir()) == sorted(FILES)
    markdown = (tmp_path / "report" / "leaderboard.md").read_text(encoding="utf-8")
    assert report.headline.replace("_", r"\_") in markdown
    assert report.headline.startswith("On 4 series, 1 of 2 forecasters beats the random walk")


@pytest.fixture
def own(tmp_path, folder, warehouse):
    """A copy of the complete report and of its warehouse, for a test to change."""
    copied = shutil.copy(warehouse.path, tmp_path / "warehouse.duckdb")
    return Warehouse(Path(copied)), Path(shutil.copytree(folder, tmp_path / "report"))


def test_a_report_is_what_was_written_whatever_the_order_of_rows(own, study, tables):
    made, folder = own
    assert report_differences(made, study, folder) == ([], len(FILES) - 1)
    made.load(study.name, {name: table.reverse() for name, table in tables.items()})
    assert report_differences(made, study, folder) == ([], len(FILES) - 1)


def test_what_the_report_was_not_made_from_is_named(own, study, tables, builders, monkeypatch):
    made, folder = own
    made.load(study.name, {"summary": tables["summary"].with_columns(pl.col("mean") + 1e-9)})
    (found,) = report_differences(made, study, folder)[0]
    assert found.startswith("the report was made from another state of summary; delete ")
    monkeypatch.setattr(pages, "code_hash", lambda _: "another")
    (found,) = report_differences(made, builders.make_study(target="close"), folder)[0]
    assert found.startswith("the report was made from another state of code, study, summary; delete ")


def test_a_report_that_another_release_may_draw_otherwise_is_made_again(own, study, monkeypatch):
    """Or it would count as up to date, and `golden report verify` find that it is not what the warehouse gives."""
    made, folder = own
    monkeypatch.setattr("importlib.metadata.version", lambda name: "99" if name == "matplotlib" else "1")
    library_versions.cache_clear()
    (found,) = report_differences(made, study, folder)[0]
    library_versions.cache_clear()
    assert found.startswith("the report was made from another state of code; delete ")


@pytest.mark.parametrize("name", ["leaderboard.tex", "strata.csv", "provenance.json", "index.html", "written.json"])
def test_a_file_changed_or_lost_is_named(own, study, name):
    made, folder = own
    (folder / name).write_text("{}", encoding="utf-8")
    assert report_differences(made, study, folder)[0][0].startswith(f"{name} ")
    (folder / name).unlink()
    assert report_differences(made, study, folder)[0][0].startswith(f"{name} ")


@pytest.mark.usefixtures("_undrawn")
def test_a_failure_leaves_the_old_report(warehouse, study, tmp_path, monkeypatch):
    write_report(warehouse, study, tmp_path / "report", {"command": "the first"})
    old = {path.name: path.read_bytes() for path in (tmp_path / "report").iterdir()}

    def full_disk(self, *_args, **_kwargs):
        raise OSError("no space left on device")

    monkeypatch.setattr(pages.Path, "write_text", full_disk)
    with pytest.raises(OSError, match="no space"):
        write_report(warehouse, study, tmp_path / "report", {"command": "the second"})
    assert {path.name: path.read_bytes() for path in (tmp_path / "report").iterdir()} == old
    assert [path.name for path in tmp_path.iterdir()] == ["report"]


WRITER = """
import sys
from pathlib import Path
from golden_core.reporting.pages import _replace

class Slow(dict):
    def items(self):
        yield "written.json", "{}"
        print(flush=True)
        sys.stdin.read()

_replace(Path(sys.argv[1]), Slow({"written.json": "{}"}))
"""


def test_what_a_killed_writer_left_goes_and_what_a_living_one_writes_stays(tmp_path):
    folder = tmp_path / "reports" / "demo"
    command, pipe = [sys.executable, "-c", WRITER, str(folder)], subprocess.PIPE
    process = subprocess.Popen(command, stdin=pipe, stdout=pipe)
    try:
        process.stdout.readline()
        (folder / f".benchmarks.html.{process.pid}-abc.tmp").touch()
        pages._replace(folder, {"written.json": "{}"})
        assert len(list(folder.parent.rglob(".*.tmp"))) == 2
    finally:
        process.kill()
        process.communicate()
    assert renew_reports(Home(tmp_path, folder.parent)) == [], "what was left is no report"
    (folder.parent / ".mine.tmp").touch()
    pages._replace(folder, {"written.json": "{}"})
    assert [path.name for path in folder.parent.rglob(".*")] == [".mine.tmp"], "only what is ours goes"


def test_against_a_price_that_stands_still_nothing_is_told(study, forecasts, tmp_path, builders):
    """A currency that is pegged: the random walk makes no error, so that nothing is relative to it."""
    still = pl.col("pair") == "EURUSD"
    pegged = forecasts.with_columns(
        y_true=pl.when(still).then(0.0).otherwise("y_true"),
        true_close=pl.when(still).then("last_close").otherwise("true_close"),
    )
    warehouse = Warehouse(tmp_path / "warehouse.duckdb")
    warehouse.load(study.name, builders.make_tables(study, pegged, builders.make_trials(study), ("dlinear",)))
    write_report(warehouse, study, tmp_path / "report", {})
    for name in ("series", "relative-error", "pairwise", "best_of_many"):
        assert not re.search("inf|nan", (tmp_path / "report" / f"{name}.csv").read_text(), re.IGNORECASE), name
    best = best_of_many(warehouse, study).frame
    assert best.filter(series="EURUSD_h1").select("best", "gain").row(0) == (None, None)
    assert best.filter(series="USDJPY_h1")["best"].item() is not None


@pytest.mark.usefixtures("_undrawn")
def test_what_the_report_before_had_more_of_goes(incomplete, warehouse, study, tmp_path):
    """A trial failed and was mended: the table of failures is no file of a report without any."""
    write_report(incomplete, study, tmp_path / "report", {})
    (tmp_path / "report" / "mine.txt").write_text("not of the report", encoding="utf-8")
    assert (tmp_path / "report" / "failures.csv").exists()
    write_report(warehouse, study, tmp_path / "report", {})
    assert sorted(path.name for path in (tmp_path / "report").iterdir()) == sorted([*FILES, "mine.txt"])


def test_csvs_hold_the_tables_in_full(folder, warehouse, study, tables):
    metrics = pl.read_csv(folder / "metrics.csv", schema_overrides={"stratum": pl.String})
    assert len(metrics) == len(tables["metrics"])
    assert metrics["value"].sum() == pytest.approx(tables["metrics"]["value"].sum(), rel=1e-12)
    assert len(pl.read_csv(folder / "comparisons.csv")) == len(tables["comparisons"])
    board = pl.read_csv(folder / "leaderboard.csv")
    assert board["r2_oos"].to_list() == leaderboard(warehouse, study.name, significance=0.05).frame["r2_oos"].to_list()


def test_a_study_up_to_the_latest_day_says_so(warehouse, study):
    latest = study.model_copy(update={"data": study.data.model_copy(update={"end": NEWEST})})
    caption = " ".join(exhibit("data", warehouse, latest).caption.split())
    assert f"asked for from {study.data.start} to latest. From and to" in caption


def test_data_summary_counts(page):
    assert page.cells["data"][1] == ["EURUSD", "782", "2019-04-18", "2020-07-23", "3", "1", "4", "3", "1"]
    assert page.cells["closures"][1][:3] == ["unexplained", "2", "2"]
    assert page.cells["folds"][1][:4] == ["EURUSD_h1", "0", "2019-04-18 – 2019-11-03", "190"]
    assert page.cells["folds"][1][-4:] == ["2", "4", "10", "10"]  # purged, embargoed, crossing closures, dropped


def test_verdicts_of_checks_and_what_the_probes_compared_are_on_the_page(whole_page):
    assert whole_page.cells["checks"][1:] == [
        ["nothing_sees_the_future", "folds", "failed", "yes", "feature 'volatility_20' <b>changes</b>"],
        ["forecasts_reproduce_bitwise", "metrics", "not run", "—", "—"],
        ["embargo_kept", "folds", "passed", "yes", "12 fold parts examined"],
    ]
    assert whole_page.cells["probes"][1] == ["nothing_sees_the_future", "features", "reversed", "102"]
    assert "1 passed, 1 not run, 1 failed." in whole_page.words
    classes = [found.get("class") or "" for _, found in whole_page.elements]
    assert [one for one in classes if "banner" in one] == ["banner alarm"]
    assert not whole_page.queries.keys() & {"checks", "probes"}


def test_skill_by_stratum_is_the_mean_of_the_metrics(page, tables):
    """By hand for one forecaster and year; the random walk is the measure and has no row."""
    year = tables["metrics"].filter(metric="r2_oos", stratum_kind="year", forecaster="dlinear", stratum="2020")
    assert page.cells["strata"][0][:2] == ["Forecaster", "2020"]
    assert [row[0] for row in page.cells["strata"][1:]] == ["ar", "dlinear"]
    assert page.cells["strata"][2][1] == f"{100 * year['value'].mean():.2f}".replace("-", "−")


@pytest.mark.usefixtures("_undrawn")
def test_a_study_without_networks_has_no_learning_curves(warehouse, study, tables, tmp_path):
    made = Warehouse(tmp_path / "warehouse.duckdb")
    made.load(study.name, {**tables, "history": tables["history"].clear()})
    write_report(made, study, tmp_path / "report", {})
    html = (tmp_path / "report" / "index.html").read_text(encoding="utf-8")
    assert "No forecaster of this study trains by epochs." in html


def test_one_is_no_plural(warehouse, study, tables, tmp_path):
    one = study.model_copy(update={"horizons": (1,)})
    facts = pages._facts(warehouse, one, coverage(warehouse, study))
    assert facts["Series"] == f"{len(study.data.pairs)} ({len(study.data.pairs)} pairs × 1 horizon)"
    short = Warehouse(tmp_path / "warehouse.duckdb")
    short.load(study.name, tables | {"history": tables["history"].filter(pl.col("epoch") == 1).head(1)})
    assert "losses over 1 epoch; " in (curve := learning_curves(short, study).panels[0].svg)
    assert ", 1 run&#34;" in curve or ', 1 run"' in curve
