"""Which storage a person writes into, whatever folder they stand in and however Dagster was started."""

from pathlib import Path

import dagster as dg
import pytest
from support.commands import golden

from golden_core.preparation.catalogue import claim_name, load_study, load_variant, recorded_study, study_path
from golden_core.store.lake import PROJECT_ROOT, Home, stored_json
from golden_dagster.instance import study_instance


def storage(instance):
    return Path(instance.get_ref().storage_data.config_dict["base_dir"])


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A checkout of its own: a folder with the project's dagster.yaml, and DAGSTER_HOME that points at it."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "dagster.yaml").write_bytes((PROJECT_ROOT / "dagster.yaml").read_bytes())
    monkeypatch.delenv("GOLDEN_HOME")
    monkeypatch.setenv("DAGSTER_HOME", str(folder))
    monkeypatch.chdir(folder)
    return folder


def test_the_study_of_the_environment_has_its_own_storage(project, monkeypatch):
    for study in ("demo", "smoke"):
        monkeypatch.setenv("GOLDEN_STUDY", study)
        with dg.DagsterInstance.get() as instance, study_instance(Home.from_environment(), study) as own:
            assert storage(instance) == storage(own) == project / ".golden" / "dagster" / study / "storage"
            assert instance.storage_directory() == own.storage_directory()
            run = dg.DagsterRun(job_name="noticed")
            instance.add_run(run)
            assert own.has_run(run.run_id)
    assert [path.name for path in sorted((project / ".golden" / "dagster").iterdir())] == ["demo", "smoke"]


def test_dagster_started_elsewhere_begins_no_second_home(project, tmp_path, monkeypatch):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    with pytest.raises(dg.DagsterInvariantViolationError, match=f"start this in {project}, or set GOLDEN_HOME"):
        dg.DagsterInstance.get()
    assert not list(elsewhere.iterdir())
    monkeypatch.setenv("GOLDEN_HOME", str(project / ".golden"))
    with dg.DagsterInstance.get() as instance:
        assert storage(instance) == project / ".golden" / "dagster" / "demo" / "storage"


@pytest.mark.parametrize("named", [None, ".golden", "results"])
def test_a_subfolder_leads_to_the_home_of_its_project(named, project, monkeypatch):
    if named:
        monkeypatch.setenv("GOLDEN_HOME", named)
    expected = Home.from_environment()
    assert expected.root == project / (named or ".golden")
    assert expected.reports == (expected.root / "reports" if named else project / "reports")
    (project / "docs" / "deep").mkdir(parents=True)
    monkeypatch.chdir(project / "docs" / "deep")
    assert Home.from_environment() == expected


def test_a_home_that_leads_to_itself_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setenv("GOLDEN_HOME", str(tmp_path / "loop"))
    (tmp_path / "loop").symlink_to("loop")
    result = golden("run", "smoke")
    assert result.exit_code == 2
    assert "Too many levels of symbolic links; name another place" in result.output


def test_a_variant_is_found_again_by_its_own_name(tmp_path):
    home, overrides = Home(tmp_path / "home", tmp_path / "reports"), ["training.epochs=3"]
    variant = load_variant("smoke", overrides)
    claim_name(home, variant, "smoke", overrides)
    assert recorded_study(home, variant.name) == variant


def test_a_shipped_study_is_the_same_by_name_and_by_path(tmp_path):
    home, study = Home(tmp_path / "home", tmp_path / "reports"), load_study("smoke")
    claim_name(home, study, "smoke", [])
    claim_name(home, study, str(study_path("smoke").resolve()), [])
    assert stored_json(home.study("smoke").origin) == {"file": "smoke", "command": "golden run smoke"}


@pytest.mark.parametrize("name", ["what?", "a%20home", "home [2]", "a*", "back\\slash", "odd\udcff"])
def test_a_home_that_libraries_would_look_for_elsewhere_is_refused(name, tmp_path, monkeypatch):
    """Dagster makes a URL of the path without quoting it, DuckDB another folder of it, and polars wants text."""
    monkeypatch.setenv("GOLDEN_HOME", str(tmp_path / name))
    result = golden("status", "smoke")
    assert (result.exit_code, len(result.output.splitlines())) == (2, 1)
    assert "name another home" in result.output
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", ["status", "run", "leaderboard"])
def test_a_home_that_is_a_file_is_refused(command, tmp_path, monkeypatch):
    """``golden status`` counted what is missing in it, and ``golden leaderboard`` advised to run."""
    (tmp_path / "home").write_text("mine")
    monkeypatch.setenv("GOLDEN_HOME", str(tmp_path / "home"))
    result = golden(command, "smoke")
    said = f"{tmp_path / 'home'}: is a file, and a home is a folder: name another place, or move it away\n"
    assert (result.exit_code, result.output) == (2, said)


@pytest.mark.parametrize("command", [("status", "smoke"), ("run", "~nobodyhere/study.yaml")])
def test_the_folder_of_nobody_is_one_line(command, tmp_path, monkeypatch):
    monkeypatch.setenv("GOLDEN_HOME", "~nobodyhere/home" if "smoke" in command else str(tmp_path))
    result = golden(*command)
    assert (result.exit_code, len(result.output.splitlines())) == (2, 1)
    assert "there is no such user; write the path in full" in result.output
