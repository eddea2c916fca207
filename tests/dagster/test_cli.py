"""The command line: help at once, faults in one line each, exit statuses that scripts can rely on."""

import errno
import importlib.metadata
import json
import os
import re
import socket
import subprocess
import sys
import threading
import zipfile
from pathlib import Path

import pytest
from support.commands import golden, said
from support.keras_files import random_network, write_keras_file
from typer.main import get_command

from golden_core.preparation.catalogue import study_names
from golden_core.store.lake import PROJECT_ROOT
from golden_dagster.cli.application import app, flowed
from golden_dagster.cli.options import TEACHING

PROGRAM = get_command(app)
FETCH = ("data", "fetch", "dukascopy", "--pairs", "EURUSD", "--from", "2024-01-01", "--to", "2024-01-02")


@pytest.mark.parametrize("command", [*PROGRAM.commands])
def test_every_command_explains_itself(command):
    result = golden(command, "--help")
    assert result.exit_code == 0
    assert len(result.output.split()) > 20
    group = PROGRAM.commands[command]
    for one in getattr(group, "commands", {command: group}).values():
        assert not [parameter.name for parameter in one.params if not getattr(parameter, "help", "said")]


def with_a_study(group=PROGRAM, words=()):
    """Every command that is about a study, by its words."""
    for name, one in group.commands.items():
        if hasattr(one, "commands"):
            yield from with_a_study(one, (*words, name))
        elif any(parameter.name == "study" for parameter in one.params) and name != "doctor":  # its file has the place
            yield pytest.param(one, id=" ".join((*words, name)))


@pytest.mark.parametrize("command", list(with_a_study()))
def test_a_study_is_given_by_place_or_by_name(command):
    others = {"to": ["--to", "a"], "file": ["a"]}
    rest = [word for one in command.params if one.required and one.name != "study" for word in others[one.name]]
    for words in (["mine", *rest], ["--study", "mine", *rest], [*rest, "--study=mine"]):
        assert command.make_context("golden", words).params["study"] == "mine"


@pytest.mark.parametrize("command", ["gate", "run"])
@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--study",), "--study needs the name of a study, or the path of a YAML file"),
        (("smoke", "--study", "demo"), "unexpected extra argument"),
        (("--study=smoke", "--study", "demo"), "unexpected extra argument"),
    ],
)
def test_a_study_is_given_once(command, words, message):
    result = golden(command, *words)
    assert (result.exit_code, message in said(result)) == (2, True)


def test_errors_that_teach_are_named_as_they_are_called():
    sources = (path.read_text(encoding="utf-8") for path in (PROJECT_ROOT / "golden_core").rglob("*.py"))
    assert set(re.findall(r"^class (\w+)\(", "\n".join(sources), re.MULTILINE)) >= TEACHING


def test_paragraphs_of_help_flow_in_a_terminal_of_any_width():
    said = golden("data", "import", "--help", env={"COLUMNS": "60", "TERMINAL_WIDTH": "60"}).output
    lines = [line.rstrip() for line in said.partition("╭")[0].splitlines()]
    start = next(n for n, line in enumerate(lines) if "The format is detected" in line)
    paragraph = lines[start : lines.index("", start)]
    assert len(paragraph) > 4
    assert min(map(len, paragraph[:-1])) > 40, "no line ends where the source's does"
    assert flowed("One.\n\n    Two\n    three.\n\n        an example\n        another") == (
        "One.\n\nTwo three.\n\n    an example\n    another"
    )


def test_the_usage_page_has_every_command_and_no_other():
    known = {f"golden {name}" for name, one in PROGRAM.commands.items() if not hasattr(one, "commands")}
    groups = {name: one.commands for name, one in PROGRAM.commands.items() if hasattr(one, "commands")}
    known |= {f"golden {group} {name}" for group, commands in groups.items() for name in commands}
    page = Path("docs/usage.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `(golden [^`]+)` \|", page, flags=re.MULTILINE)) == known


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ({"commit": None, "dirty": None}, ""),
        ({"commit": "1a2b", "dirty": False}, ", commit 1a2b"),
        ({"commit": "1a2b", "dirty": True}, ", commit 1a2b and changes"),
    ],
)
def test_the_version_says_which_code_answers(state, said, monkeypatch):
    monkeypatch.setattr("golden_core.store.provenance.git_state", lambda: state)
    shown = golden("--version")
    assert (shown.exit_code, shown.output) == (0, f"golden {importlib.metadata.version('golden')}{said}\n")


@pytest.mark.parametrize("command", ["run", "status", "leaderboard", "claims", "explain", "clean"])
def test_no_variant_takes_the_name_of_a_study_of_the_project(command):
    result = golden(command, "smoke", "--set", "training.epochs=3", "--as", "smoke")
    assert result.exit_code == 2
    told = said(result)
    assert "--as smoke would take the place of a study of the project: give another name" in told


def test_help_imports_nothing_heavy():
    """Nobody should wait for torch to read what a command does."""
    code = (
        "import sys; from golden_dagster.cli.application import app; "
        "print(sorted({'torch', 'dagster', 'polars', 'matplotlib', 'statsmodels', 'shap'} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def test_definitions_are_loaded_without_torch():
    """The code server, and every process of a run, loads the definitions; most of them never train anything."""
    code = "import sys, golden_dagster.definitions; print('torch' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "False"


@pytest.mark.parametrize("study", study_names())
def test_every_study_of_the_project_is_valid(study):
    result = golden("study", "validate", study)
    assert result.exit_code == 0
    assert f"{study}: valid, " in result.output


def test_a_wrong_study_gets_every_fault_with_its_place(tmp_path):
    path = tmp_path / "mine.yaml"
    shown = golden("study", "show", "demo").output
    path.write_text(shown.replace("embargo: 5", "embargo: -3").replace("shuffle: true", "shufle: true"))
    result = golden("study", "validate", str(path))
    assert result.exit_code == 2
    lines = result.output.strip().splitlines()
    assert any("splits.embargo: must be ≥ 0, got -3" in line for line in lines)
    assert any("training.shufle: unknown key; did you mean 'shuffle'?" in line for line in lines)
    assert all(line.startswith("mine.yaml:") for line in lines)


def test_who_ran_a_file_and_gives_its_name_is_told_to_give_the_file(tmp_path, monkeypatch):
    """Page and tables name the study by the name within the file."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.yaml").write_text(golden("study", "show", "demo").output)
    assert "the file that lies here is given as mine.yaml" in golden("status", "mine").output
    assert "known: demo, golden" in golden("status", "yours").output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("run", "demoo"), "did you mean 'demo'?"),
        (("run", "smoke", "--set", "nonsense"), "must look like section.key=value"),
        (("leaderboard", "smoke"), "is not in the warehouse yet; run: golden run smoke"),
        (("data", "show", "smoke", "--set", "data.settings.path=/nowhere.zip"), "/nowhere.zip"),
        (("data", "refresh", "--url", "http://example.com/rates.zip"), "https"),
        (("legacy", "audit-table", "/nowhere.csv"), "/nowhere.csv"),
        (("legacy", "scan", "/nowhere"), "/nowhere"),
        (("legacy", "import", "v_08", "/nowhere.h5", "--out", "/tmp/out"), "'v_08' is none of v01 … v10"),
        (("legacy", "import", "v08", "/nowhere.h5", "--out", "/tmp/out"), "/nowhere.h5: expected a file"),
        (("legacy", "import", "v11", "a.keras", "--out", "a.safetensors"), "'v11' is none of v01 … v10"),
        (("ui", "--port", "99999"), "less than or equal to 65535"),
        (("ui", "--host", "203.0.113.1"), "cannot assign requested address; name another --port or --host"),
        (("run", "smoke", "--backend", "dask"), "dask needs GOLDEN_DASK_SCHEDULER in the environment"),
        (("gate", "--study", "smoke", "--junit", "/tmp"), "file '/tmp' is a directory"),
        (("milestones", "show", "P9.M9"), "no milestone 'P9.M9'"),
        (("milestones", "write", "P6.M2"), "study 'golden' is not in the warehouse yet"),
        (("milestones", "write", "P6.M3"), "study 'golden' is not in the warehouse yet"),
        (("milestones", "write", "P0.M1", "--tree", "/nowhere"), "/nowhere"),
        (("milestones", "sign", "P1.M2", "plan_approved", "--role", "TL", "--commit", "HEAD"), "here is none"),
        (("ui", "--host", ""), "name an address, such as 127.0.0.1"),
        (("publish", "cards", "smoke", "--to", ""), "'--to': no path is given; the folder you stand in is ."),
        (("publish", "cards", "smoke", "--to="), "'--to': no path is given"),
        (("publish", "verify", ""), "'DIR': no path is given"),
        (("bench", "accept", "nope"), "'nope' is not one of 'inference', 'training'"),
        (("bench", "data", "smoke", "--seconds", "inf"), "less than or equal to 3600"),
        (("bench", "inference", "smoke", "--threads", "100000"), "less than or equal to 1024"),
        (("bench", "training", "--threads", "100000"), "less than or equal to 1024"),
        (("run", "smoke", "--workers", "100000"), "less than or equal to 1024"),
        (("data", "refresh", "--url", ""), "'' must be an https address"),
        ((*FETCH, "--base-url", ""), "'' must be an https address"),
    ],
)
def test_bad_usage_is_one_clear_message(arguments, message):
    result = golden(*arguments)
    assert result.exit_code == 2
    assert message.lower() in said(result).lower()
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    "arguments",
    [
        ("study", "validate", "{}.yaml"),
        ("run", "smoke", "--set", "data.settings.path={}.csv"),
        ("data", "import", "{}.csv", "--pair", "EURUSD"),
        ("data", "doctor", "{}.csv", "--pair", "EURUSD"),
        ("legacy", "audit-table", "{}.csv"),
        ("lake", "import", "smoke", "{}.csv"),
    ],
)
def test_a_pipe_is_not_waited_for(arguments, tmp_path, monkeypatch):
    monkeypatch.setenv("GOLDEN_HOME", str(tmp_path / "home"))
    for name in ("a.yaml", "a.csv"):
        os.mkfifo(tmp_path / name)
        # Whoever opens it reads an empty file, and fails the test instead of waiting for ever.
        threading.Thread(target=(tmp_path / name).write_text, args=("",), daemon=True).start()
    result = golden(*(word.format(tmp_path / "a") for word in arguments))
    assert result.exit_code == 2
    assert "is no regular file" in result.output


@pytest.mark.parametrize("arguments", [("data", "import", "{}", "--pair", "EURUSD"), ("lake", "import", "smoke", "{}")])
def test_a_device_without_end_is_not_read(arguments, monkeypatch):
    def guarded(read, named):
        return lambda file: pytest.fail("reads it") if named(file) == "/dev/zero" else read(file)

    monkeypatch.setattr(Path, "read_bytes", guarded(Path.read_bytes, str))
    monkeypatch.setattr("zipfile._EndRecData", guarded(zipfile._EndRecData, lambda file: getattr(file, "name", None)))
    result = golden(*(word.format("/dev/zero") for word in arguments))
    assert (result.exit_code, "/dev/zero" in result.output) == (2, True)
    assert "is no regular file" in result.output


def test_the_audit_of_the_published_table():
    result = golden(
        "legacy", "audit-table", "data/legacy/published_results.csv", "--claims", "data/legacy/published_claims.csv"
    )
    assert result.exit_code == 0  # different test sets are a finding, not a certain error
    assert "Scored on different test sets" in result.output


def test_the_published_table_is_recognised_and_explained(tmp_path):
    copy = tmp_path / "copy.csv"
    copy.write_text(Path("data/legacy/published_results.csv").read_text().replace(",", ";"))
    result = golden("legacy", "audit-table", str(copy), "--out", str(tmp_path / "audit"))
    assert result.exit_code == 0
    assert "The splits explain the table: 94/3/3" in (tmp_path / "audit" / "audit.md").read_text()
    record = json.loads((tmp_path / "audit" / "audit.json").read_text())
    assert record["explanation"]["holds"]
    assert [ruling["falls"] for ruling in record["rulings"]] == [True, True, True, False, False]


def test_options_of_the_audit(tmp_path):
    table = tmp_path / "table.csv"
    table.write_text("model,|e|,RMSE,MSE\nA,0.4,2.00,4.50\nB,0.5,3.00,9.10\n")
    assert golden("legacy", "audit-table", str(table)).exit_code == 0  # may be means over seeds
    result = golden("legacy", "audit-table", str(table), "--averaging", "none", "--column", "mae=|e|")
    assert result.exit_code == 1
    assert "certainly wrong" in result.output.lower()
    alone = golden("legacy", "audit-table", str(table), "--data-rows", "1000")
    assert (alone.exit_code, "those of a --split" in alone.output) == (2, True)
    split = golden("legacy", "audit-table", str(table), "--split", "80/10/10", "--data-rows", "1000")
    assert "80/10/10 (100 targets; A, B)" in split.output


def test_an_import_onto_a_folder_is_refused(tmp_path):
    source = write_keras_file(tmp_path / "v01.keras", "v01", random_network("v01"), "keras")
    (tmp_path / "out").mkdir()
    result = golden("legacy", "import", "v01", str(source), "--out", str(tmp_path / "out"))
    assert result.exit_code == 2
    assert f"{tmp_path / 'out'}: Is a directory; name another place" in result.output
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "v01.keras"]


def test_a_port_in_use_is_said_before_anything_starts():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        result = golden("ui", "--study", "smoke", "--port", str(port))
    assert result.exit_code == 2
    assert f"cannot listen on 127.0.0.1:{port}: Address already in use" in " ".join(
        result.output.replace("│", " ").split()
    )


def test_a_home_without_the_study_is_named():
    said = " ".join(golden("status", "smoke", "--set", "training.epochs=2").output.split())
    home = os.environ["GOLDEN_HOME"]
    assert said.endswith(f"none of its trials is in {home}: `golden run smoke --set training.epochs=2` makes them")


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EROFS, errno.EACCES, errno.ENAMETOOLONG])
def test_a_disk_that_does_not_do_what_is_asked_is_one_line(error, monkeypatch, tmp_path):
    def refusing(*_, **__):
        raise OSError(error, os.strerror(error), str(tmp_path / "a file"))

    monkeypatch.setattr("golden_core.store.lake.Home.from_environment", refusing)
    result = golden("status", "smoke")
    assert result.exit_code == 2
    assert result.output.startswith(f"{tmp_path / 'a file'}: {os.strerror(error)}; ")
    assert len(result.output.splitlines()) == 1
