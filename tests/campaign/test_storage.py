"""Four campaigns at once, on SQLite and on PostgreSQL: every trial is recorded, in Dagster and in the warehouse."""

import multiprocessing
import os
import signal
from contextlib import closing, nullcontext
from pathlib import Path

import dagster as dg
import psycopg2
import pytest
from support.postgres import PASSWORD, postgres

from golden_core import checks
from golden_core.preparation import prepare_pair, prepare_raw, prepare_series
from golden_core.preparation.catalogue import load_variant
from golden_core.store.health import StorageError
from golden_core.store.lake import Home
from golden_core.store.warehouse import Warehouse
from golden_core.trials import all_trials
from golden_dagster.campaign import open_campaign
from golden_dagster.doctor import examine
from golden_dagster.instance import instance_folder, study_instance
from golden_dagster.partitions import trial_key
from golden_dagster.resources import WorkersResource

NAMES = [f"smoke_{number}" for number in range(4)]


def overrides(name):
    return [f"name={name}", "forecasters={random_walk: {}, drift: {}}", "data.pairs=[EURUSD]", "seeds.count=3"]


def run_to_metrics(name, environment):
    """Run one campaign as far as the warehouse, without checks: what is asked here is what gets lost."""
    os.environ.update(environment)
    checks.verified_input_faults = lambda *_: []  # in a process of its own
    with open_campaign("smoke", overrides(name), workers=WorkersResource(backend="sequential")) as campaign:
        prepare_raw(campaign.home, campaign.study)
        prepare_pair(campaign.home, campaign.study, "EURUSD")
        prepare_series(campaign.home, campaign.study, "EURUSD", 1)
        models = [dg.AssetKey(["models", "random_walk"]), dg.AssetKey(["models", "drift"])]
        for keys in (models, [dg.AssetKey("metrics")]):
            partitions = campaign.definitions.resolve_asset_graph().get(keys[0]).partitions_def
            ends = [str(k) for k in partitions.get_partition_keys()] if partitions else []
            sides = {"start": ends[0], "end": ends[-1]} if ends else {}
            tags = {f"dagster/asset_partition_range_{side}": end for side, end in sides.items()}
            selection = dg.AssetSelection.assets(*keys) - dg.AssetSelection.all_asset_checks()
            assert campaign.run_selection(f"only_{keys[0].path[-1]}", selection, tags).success, keys


@pytest.fixture(scope="module")
def processes():
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["golden_dagster.campaign", "golden_core.evaluation.campaign", "golden_core.checks"])
    return context


@pytest.mark.endurance
@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_four_campaigns_at_once_lose_nothing(kind, tmp_path, processes, monkeypatch):
    with postgres() if kind == "postgres" else nullcontext({}) as server:
        environment = {"GOLDEN_HOME": str(tmp_path / "home"), **server}
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        home = Home.from_environment()
        for name in NAMES:  # a storage that is there, as after any first run
            with study_instance(home, name):
                pass
        running = [processes.Process(target=run_to_metrics, args=(name, environment)) for name in NAMES]
        for process in running:
            process.start()
        for process in running:
            process.join(300)
        assert [process.exitcode for process in running] == [0] * len(NAMES)
        for name in NAMES:
            trials = all_trials(load_variant("smoke", overrides(name)))
            with study_instance(home, name) as instance:
                for model in ("random_walk", "drift"):
                    made = instance.get_materialized_partitions(dg.AssetKey(["models", model]))
                    assert made == {trial_key(trial) for trial in trials if trial.forecaster == model}
                assert instance.get_runs_count() == 2
        rows = Warehouse(home.warehouse).query("SELECT study, count(*) FROM trials GROUP BY study ORDER BY study")
        assert rows.rows() == [(name, len(trials)) for name in NAMES]
        stored = list((tmp_path / "home" / "dagster").rglob("*.db"))
        assert bool(stored) == (kind == "sqlite")
        assert all("only here" not in path.read_text() for path in home.root.rglob("dagster.yaml"))


def stopped_between_two_questions(home, pid):
    with study_instance(home, "smoke") as instance:
        assert instance.get_runs_count() == 0
        os.kill(int(pid.read_text().split()[0]), signal.SIGQUIT)
        for _ in range(2):
            instance.get_runs_count()


def test_a_server_is_found_as_libpq_finds_it_and_its_faults_are_one_line(tmp_path, monkeypatch):
    home = Home.from_environment()
    with postgres() as server:
        for name, value in (server | {"PGHOST": server["SOCKET"], "PGPASSFILE": str(tmp_path / "pass")}).items():
            monkeypatch.setenv(name, value)
        monkeypatch.delenv("PGPASSWORD")
        (tmp_path / "pass").write_text(f"*:*:*:*:{PASSWORD}\n")
        (tmp_path / "pass").chmod(0o600)
        with closing(psycopg2.connect("")) as connection, connection, connection.cursor() as cursor:
            cursor.execute(f"CREATE ROLE weak LOGIN PASSWORD '{PASSWORD}'")
        monkeypatch.setenv("PGUSER", "weak")
        with pytest.raises(StorageError, match=r"postgres: permission denied for database \w+; see docs/storage.md$"):
            instance_folder(home, "smoke")
        monkeypatch.setenv("PGUSER", "golden")
        lost = r"^PostgreSQL fails as Dagster's storage: .*socket .* failed: .*; give the same command again: [\w ]+$"
        with pytest.raises(StorageError, match=lost):
            stopped_between_two_questions(home, Path(server["SOCKET"]) / "data" / "postmaster.pid")
        level, said = {one.subject: (one.level, one.said) for one in examine(home)}["runs of smoke"]
        assert (level, "no PostgreSQL for GOLDEN_STORAGE=postgres" in said) == ("fail", True)
        monkeypatch.setenv("GOLDEN_STORAGE", "sqlite")
        assert {one.subject: one.said for one in examine(home)}["runs of smoke"] == "no storage here"
    assert not (home.instance("smoke") / "storage").exists()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"GOLDEN_STORAGE": "mysql"}, "GOLDEN_STORAGE=mysql: there is sqlite"),
        ({}, 'no PostgreSQL for GOLDEN_STORAGE=postgres: connection to server at "127.0.0.1", port 1 failed'),
        ({"PGHOST": "/nowhere"}, "connection to server on socket .* failed: No such file or directory; see docs"),
    ],
)
def test_a_storage_that_cannot_be_used_is_said_in_one_line(settings, said, monkeypatch):
    server = dict.fromkeys(("PGUSER", "PGPASSWORD", "PGDATABASE"), "golden") | {"PGHOST": "127.0.0.1", "PGPORT": "1"}
    for name, value in {"GOLDEN_STORAGE": "postgres", **server, **settings}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(StorageError, match=said) as refused:
        instance_folder(Home.from_environment(), "smoke")
    assert "\n" not in str(refused.value)
