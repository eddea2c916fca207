"""The graph: it loads for every study, and every asset says what it is, who owns it and what it holds."""

import importlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest
from support.campaigns import opened

from golden_core.preparation.catalogue import load_study, load_variant
from golden_core.store import lake
from golden_core.store.lake import PROJECT_ROOT
from golden_core.store.provenance import git_environment, git_page
from golden_core.store.schema import COMPARISONS, FORECASTS, HISTORY, METRICS
from golden_core.trials import all_trials
from golden_core.trials.outputs import read_provenance
from golden_dagster import definitions as module
from golden_dagster.definitions import definitions_for, defs, referenced
from golden_dagster.defs.leakage import leakage_scorecard
from golden_dagster.instance import study_instance
from golden_dagster.lib.failures import failure_messages
from golden_dagster.lib.metadata import learning_curve_picture
from golden_dagster.partitions import trial_key, trial_of, trial_partitions
from golden_dagster.resources import StudyResource

SNAPSHOT = Path(__file__).with_name("graph.txt")


def described(definitions):
    """Return assets, checks, jobs, schedules and sensors as sorted lines."""
    graph, repository = definitions.resolve_asset_graph(), definitions.get_repository_def()
    lines = []
    for key in graph.get_all_asset_keys():
        node = graph.get(key)
        partitions = node.partitions_def.get_partition_keys() if node.partitions_def else []
        cut = f" [{len(partitions)}: {partitions[0]} … {partitions[-1]}]" if partitions else ""
        policy = node.freshness_policy
        cut += f" (to be remade within {policy.fail_window.to_timedelta().days} days)" if policy else ""
        deps = ", ".join(sorted(parent.to_user_string() for parent in node.parent_keys))
        lines.append(f"asset {key.to_user_string()}{cut} <- {deps}".removesuffix(" <- "))
    for key in graph.asset_check_keys:
        blocks = " (blocks)" if graph.get_check_spec(key).blocking else ""
        lines.append(f"check {key.asset_key.to_user_string()}: {key.name}{blocks}")
    lines += [f"job {name}" for name in repository.job_names if not name.startswith("__")]
    lines += [f"schedule {s.name}: {s.cron_schedule} {s.execution_timezone}" for s in repository.schedule_defs]
    lines += [f"sensor {sensor.name}: {sensor.sensor_type.value}" for sensor in repository.sensor_defs]
    return "\n".join(sorted(lines)) + "\n"


def graph_of(study):
    return definitions_for(load_study(study), StudyResource(study=study)).resolve_asset_graph()


@pytest.mark.parametrize("study", ["smoke", "demo", "golden"])
def test_definitions_load(study):
    keys = {key.to_user_string() for key in graph_of(study).get_all_asset_keys()}
    models = {f"models/{name}" for name in load_study(study).forecasters}
    platform = {
        "legacy/snapshot", "legacy/published_audit", "legacy/forensics", "legacy/alignment", "leakage/scorecard",
        "statistics/calibration", "benchmarks/inference", "benchmarks/training", "benchmarks/data",
        "benchmarks/statistics", "benchmarks/table", "interpretability/sanity",
    }  # fmt: skip
    shared = {"ecb_rates", "clean_bars", "data_quality", "folds", "metrics", "leaderboard", "comparisons", "report"}
    shared |= {"explanations"} if load_study(study).explanations else set()
    assert {key for key in keys if not key.startswith("milestones/")} == shared | models | platform
    assert len(keys) - len(shared | models | platform) == 16 + 7 + 1  # milestones, exit gates, requirements


def test_the_code_location_follows_the_environment(monkeypatch):
    monkeypatch.setenv("GOLDEN_STUDY", "smoke")
    assert described(defs()) == described(definitions_for(load_study("smoke"), StudyResource(study="smoke")))


@pytest.mark.parametrize(
    ("asked", "command"),
    [
        ({"study": "hourly"}, "golden run hourly"),
        ({"overrides": {"training.epochs": 2}}, "golden run smoke --set training.epochs=2"),
    ],
)
def test_another_study_leaves_nothing_in_the_record_of_the_one_that_is_shown(asked, command, monkeypatch):
    """The report would show verdicts of checks that were never put to this study."""
    monkeypatch.setenv("GOLDEN_STUDY", "smoke")
    job, config = defs().resolve_job_def("stage_rates"), {"resources": {"study": {"config": asked}}}
    with dg.DagsterInstance.ephemeral() as instance:
        result = job.execute_in_process(instance=instance, run_config=config, raise_on_error=False)
        assert instance.get_latest_materialization_event(dg.AssetKey("ecb_rates")) is None
    (said,) = failure_messages(result.all_events)
    assert f"the record of study 'smoke', and this run is of another: `{command}` makes it" in said


def test_definitions_are_made_once_for_a_study_as_it_is(tmp_path, monkeypatch):
    made, mine = [], tmp_path / "mine.yaml"
    monkeypatch.setattr(module, "definitions_for", lambda study: made.append(study) or definitions_for(study))
    monkeypatch.setenv("GOLDEN_STUDY", str(mine))
    for epochs in (1, 1, 2):
        study = load_study("smoke", [f"training.epochs={epochs}"])
        mine.write_text(json.dumps(study.model_dump(mode="json")))  # which is YAML too
        assert module.defs().get_repository_def() is module.defs().get_repository_def()
    assert [study.training.epochs for study in made] == [1, 2]


def test_the_graph_is_as_it_was():
    """What was meant to change is written down with GOLDEN_SNAPSHOT=write, and read in the diff."""
    shown = described(definitions_for(load_study("smoke"), StudyResource(study="smoke")))
    if os.environ.get("GOLDEN_SNAPSHOT") == "write":
        SNAPSHOT.write_text(shown, encoding="utf-8")
    assert shown == SNAPSHOT.read_text(encoding="utf-8")


def test_every_asset_explains_itself():
    graph = graph_of("demo")
    for key in graph.get_all_asset_keys():
        node = graph.get(key)
        assert node.description, key
        assert node.owners, key
        assert node.group_name != "default", key
        assert node.kinds, key
        assert node.code_version, key


@pytest.mark.parametrize(
    "key", ["leakage/scorecard", "legacy/published_audit", "legacy/forensics", "milestones/requirements"]
)
def test_an_asset_of_shipped_facts_is_another_with_other_facts(monkeypatch, tmp_path, key):
    folder = key.split("/")[0]
    module, study = importlib.import_module(f"golden_dagster.defs.{folder}"), load_study("smoke")

    def version():
        importlib.reload(module)
        graph = definitions_for(study).resolve_asset_graph()
        return graph.get(dg.AssetKey(key.split("/"))).code_version

    before = version()
    shutil.copytree(lake.shipped(), tmp_path / "data")
    edited = sorted((tmp_path / "data" / folder).glob("*.yaml"))[0]
    edited.write_text(edited.read_text() + "# another fact\n")
    try:
        with monkeypatch.context() as patched:
            patched.setattr(lake, "shipped", lambda *parts: (tmp_path / "data").joinpath(*parts))
            assert version() != before
    finally:
        assert version() == before


@pytest.mark.parametrize("key", ["placebo/universes", "placebo/false_claims", "placebo/power"])
def test_universes_of_other_settings_are_others(key):
    studies = [load_variant("placebo", overrides) for overrides in ([], ["seeds.root=99"])]
    graphs = [definitions_for(study).resolve_asset_graph() for study in studies]
    assert len({graph.get(dg.AssetKey(key.split("/"))).code_version for graph in graphs}) == 2


def test_edges_and_partitions():
    graph, study = graph_of("demo"), load_study("demo")
    assert graph.get(dg.AssetKey("clean_bars")).partitions_def.get_partition_keys() == list(study.data.pairs)
    model = graph.get(dg.AssetKey(["models", "v08"]))
    assert model.parent_keys == {dg.AssetKey("folds")}
    expected = len(study.data.pairs) * len(study.horizons) * study.seeds.count
    assert len(model.partitions_def.get_partition_keys()) == expected
    models = {dg.AssetKey(["models", f]) for f in study.forecasters}
    assert graph.get(dg.AssetKey("metrics")).parent_keys == models | {dg.AssetKey("explanations")}
    explained = {dg.AssetKey(["models", f]) for f in study.explanations.forecasters}
    assert graph.get(dg.AssetKey("explanations")).parent_keys == explained


def test_partition_keys_name_trials():
    study = load_study("golden")
    keys = {str(key) for key in trial_partitions(study).get_partition_keys()}
    trials = [trial for trial in all_trials(study) if trial.forecaster == "v08"]
    assert {trial_key(trial) for trial in trials} == keys
    assert all(trial_of("v08", trial_key(trial)) == trial for trial in trials)


def test_every_run_of_the_command_line_belongs_to_a_job(finished):
    """As the web UI looks it up: by name."""
    repository = definitions_for(load_study("smoke"), StudyResource(study="smoke")).get_repository_def()
    names = {job.name for job in repository.get_all_jobs()}  # all of them load: no name is an op's too
    with study_instance(finished, "smoke") as instance:
        recorded = {run.job_name for run in instance.get_runs()}
    stages = ("rates", "bars", "data_quality", "folds", "models", "metrics_and_report")
    assert {f"stage_{name}" for name in stages} == recorded
    assert recorded | {"gate", "stage_input_checks", "study", "legacy", "milestones", "leakage_scorecard"} <= names


def test_the_usage_page_names_every_job():
    page = (PROJECT_ROOT / "docs/usage.md").read_text(encoding="utf-8")
    names = definitions_for(load_study("demo"), StudyResource(study="demo")).get_repository_def().job_names
    assert [name for name in names if f"`{name}`" not in page and not name.startswith("__")] == []


def test_only_what_belongs_to_a_study_is_partitioned():
    """What "Materialize all" asks for are the partitions of the first asset: those of the study's pairs."""
    graph = graph_of("smoke")
    cut = {key for key in graph.get_all_asset_keys() if graph.get(key).partitions_def}
    assert {key.path[0] for key in cut} == {"clean_bars", "folds", "models"}


@pytest.mark.parametrize(
    ("page", "dirty", "linked"),
    [(None, False, False), ("https://github.com/a/b", True, False), ("https://github.com/a/b", False, True)],
)
def test_code_references_lead_to_the_page_only_where_it_holds_this_code(page, dirty, linked):
    (found,) = referenced([leakage_scorecard], page, {"commit": "0" * 40, "dirty": dirty})
    (where,) = found.metadata_by_key[dg.AssetKey(["leakage", "scorecard"])]["dagster/code_references"].code_references
    if linked:
        assert where.url.startswith(f"{page}/tree/{'0' * 40}/golden_dagster/defs/leakage.py#L")
    else:
        assert where.file_path.endswith("golden_dagster/defs/leakage.py")


@pytest.mark.parametrize(
    ("origin", "page"),
    [
        ("git@github.com:somebody/golden.git", "https://github.com/somebody/golden"),
        ("https://somebody:secret@gitlab.com/group/golden.git", "https://gitlab.com/group/golden"),
        ("/srv/git/golden.git", None),
        ("https://github.com.example.org/somebody/golden", None),
    ],
)
def test_the_page_of_a_checkout_is_that_of_its_origin(origin, page, tmp_path):
    for command in (["init", "--quiet"], ["remote", "add", "origin", origin]):
        subprocess.run(["git", "-C", str(tmp_path), *command], check=True, env=git_environment())
    assert git_page(tmp_path) == page


def test_columns_of_published_tables_come_from_columns_that_there_are(finished):
    """Lineage is typed in by hand: every column at both ends exists in the schema of its table."""
    tables = {dg.AssetKey(["models", name]): FORECASTS for name in ("random_walk", "ar", "dlinear")}
    tables |= {dg.AssetKey("metrics"): METRICS, dg.AssetKey("comparisons"): COMPARISONS}
    with study_instance(finished, "smoke") as instance:
        for name in ("metrics", "comparisons", "leaderboard"):
            made = instance.get_latest_materialization_event(dg.AssetKey(name)).asset_materialization.metadata
            lineage = made["dagster/column_lineage"].value.deps_by_column
            assert made["dagster/uri"].value.startswith("file://")
            assert made["dagster/table_name"].value.endswith(name)
            own = tables.get(dg.AssetKey(name))
            columns = set(own.dtypes) if own else {c.name for c in made["dagster/column_schema"].value.columns}
            assert set(lineage) <= columns
            ends = [dep for deps in lineage.values() for dep in deps]
            assert ends
            assert all(dep.column_name in tables[dep.asset_key].dtypes for dep in ends)


def test_what_cleaning_did_fits_into_its_cell(finished):
    """The UI gives a table a third of the page: sentences in it stand a word to a line, and the last are cut off."""
    with study_instance(finished, "smoke") as instance:
        made = instance.get_latest_materialization_event(dg.AssetKey("clean_bars")).asset_materialization.metadata
    assert [column.name for column in made["cleaning"].schema.columns] == ["rule", "action", "rows"]


def test_what_has_no_learning_curve_loads_nothing_to_draw_one(monkeypatch):
    for name in ("matplotlib", "matplotlib.figure", "matplotlib.ticker"):
        monkeypatch.setitem(sys.modules, name, None)
    assert learning_curve_picture(HISTORY.empty()) is None


def test_a_trained_trial_shows_its_learning_curve(finished):
    with study_instance(finished, "smoke") as instance:
        made = [instance.get_latest_materialization_event(dg.AssetKey(["models", n])) for n in ("ar", "dlinear")]
    of_ar, of_dlinear = (event.asset_materialization.metadata for event in made)
    assert "learning_curve" not in of_ar
    assert "data:image/png;base64," in of_dlinear["learning_curve"].value
    assert len(of_dlinear["learning_curve"].value) < 20_000  # one per trial in the record


def test_a_trial_found_done_keeps_the_seconds_of_its_training(broken):
    key = dg.AssetKey(["models", "dlinear"])
    with opened() as campaign:
        one = dg.AssetSelection.assets(key).without_checks()
        assert campaign.run_selection("again", one, {"dagster/partition": "s00|EURUSD_h1"}).success
        again = campaign.instance.get_latest_materialization_event(key).asset_materialization.metadata
    trained = read_provenance(Path(again["folder"].value))["wall_seconds"]
    assert again["seconds"].value == round(trained, 3) > 0
