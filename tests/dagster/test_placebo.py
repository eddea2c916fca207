"""`golden placebo`, `golden power` and their assets: a partition per block, tables filed, a run that goes on."""

import os
import signal

import dagster as dg
import pytest
from support.commands import golden as called

from golden_core.checks import universes
from golden_core.placebo import blocks
from golden_core.preparation.catalogue import load_variant
from golden_core.store.lake import Home
from golden_dagster.definitions import definitions_for
from golden_dagster.resources import StudyResource, WorkersResource

TINY = {
    "data.pairs": ["EURUSD"], "data.start": "2023-06-01", "horizons": [1], "splits.train": 200, "splits.validation": 60,
    "splits.test": 300, "splits.step": 300, "protocol.kinds": ["more_accurate"], "protocol.scopes": ["series"],
    "forecasters": {"random_walk": {}, "drift": {}}, "name": "tiny_universes",
    "placebo": "{cheap: {forecasters: [drift], universes: 3}, network: null, block: 2, "
    "power: {forecasters: [drift], r2: [0.2], universes: 2}}",
}  # fmt: skip
RESOURCE = StudyResource(study="placebo", overrides=TINY)


honest = universes.repeated_checks


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("GOLDEN_HOME", str(tmp_path))
    # The probes of code cost seconds, and what they find is tested elsewhere.
    monkeypatch.setattr(universes, "sampled_checks", lambda *_: {})
    monkeypatch.setattr(universes, "_OF_CODE", ("nothing_sees_the_future", *universes._OF_CODE))
    monkeypatch.setattr(universes, "repeated_checks", lambda study: honest(study)[:2])
    return Home.from_environment()


def golden(command, *more):
    sets = [part for text in RESOURCE.settings for part in ("--set", text)]
    return called(command, "placebo", *sets, "--workers", "1", *more, env={"COLUMNS": "240"})


def test_the_commands_count_file_and_go_on(home):
    said = golden("placebo", "--universes", "2")
    assert said.exit_code == 0, said.output
    assert "any skill" in said.output
    folder = home.study("tiny_universes").root / "placebo"
    before = {path.name: path.stat().st_mtime_ns for path in folder.glob("cheap_*.parquet")}
    assert len(before) == 1
    assert golden("placebo").exit_code == 0
    after = {path.name: path.stat().st_mtime_ns for path in folder.glob("cheap_*.parquet")}
    assert len(after) == 2
    assert before.items() <= after.items()
    power = golden("power")
    assert power.exit_code == 0, power.output
    assert "planted" in power.output
    assert {"placebo.csv", "placebo.json", "placebo.png", "power.csv", "power.png"} <= {
        p.name for p in folder.iterdir()
    }


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_command_that_is_told_to_end_keeps_what_is_finished_and_says_so(home, monkeypatch, number):
    honest_rows = blocks.universe_rows

    def told(study, arm, universe, gate, **options):
        if universe == 2:  # of the second block
            os.kill(os.getpid(), number)
        return honest_rows(study, arm, universe, gate, **options)

    monkeypatch.setattr(blocks, "universe_rows", told)
    before = signal.getsignal(number)
    said = golden("placebo")
    assert said.exit_code == 128 + number
    assert f"interrupted by {number.name}; give the same command again: what is finished is kept" in said.output
    assert len(list((home.study("tiny_universes").root / "placebo").glob("cheap_*.parquet"))) == 1
    assert signal.getsignal(number) == before


def test_a_study_without_the_section_is_told_so(home):
    said = called("placebo", "smoke")
    assert said.exit_code == 2
    assert "study 'smoke' has no section `placebo`" in said.output


def test_a_partition_is_a_block_and_the_tables_wait_for_all(home):
    study = load_variant("placebo", RESOURCE.settings)
    definitions = definitions_for(study, RESOURCE, workers=WorkersResource(backend="sequential", workers=1))
    graph = definitions.resolve_asset_graph()
    node = graph.get(dg.AssetKey(["placebo", "universes"]))
    assert node.partitions_def.get_partition_keys() == ["cheap_000", "cheap_001", "power_0.2_000"]
    assert (
        dg.AssetCheckKey(dg.AssetKey(["placebo", "false_claims"]), "placebo_claims_nothing") in graph.asset_check_keys
    )
    assets = [one for one in definitions.assets if any(key.path[0] == "placebo" for key in one.keys)]
    for one in assets:
        for spec in one.specs:
            assert spec.description, spec.key
            assert spec.owners, spec.key
    given = {"study": RESOURCE, "workers": WorkersResource(backend="sequential", workers=1)}
    with dg.DagsterInstance.ephemeral() as instance:

        def made(name, partition=None):
            chosen = dg.AssetSelection.assets(f"placebo/{name}")
            return dg.materialize(
                assets, selection=chosen, resources=given, instance=instance, partition_key=partition,
                raise_on_error=False,
            )  # fmt: skip

        assert not made("false_claims").success
        assert made("universes", "cheap_000").success
        assert instance.get_materialized_partitions(dg.AssetKey(["placebo", "universes"])) == {"cheap_000"}
        counted = made("false_claims")
        assert counted.success
        assert made("universes", "power_0.2_000").success
        assert made("power").success
