"""What a killed process leaves behind goes; what a living one is writing stays."""

import contextlib
import os
import subprocess
import sys

import pytest

from golden_core.store.lake import PROJECT_ROOT, new_folder, remove_temporaries, replacing, stored_json

WRITER = """
import sys
from pathlib import Path
from golden_core.store import lake
with lake.{kind}(Path(sys.argv[1])) as temporary:
    print(temporary, flush=True)
    sys.stdin.read()
"""


@pytest.mark.parametrize("kind", ["replacing", "new_folder"])
def test_only_what_killed_processes_left_goes(tmp_path, kind):
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER.format(kind=kind), str(tmp_path / "data")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        written = process.stdout.readline().strip()
        assert remove_temporaries(tmp_path) == 0
        assert [str(path) for path in tmp_path.iterdir()] == [written]
    finally:
        process.kill()
        process.communicate()
    assert remove_temporaries(tmp_path) == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"\xff", b"[]", b"[" * 100_000, b'{"file": 1}'])
def test_a_damaged_record_is_no_record(tmp_path, content):
    (tmp_path / "record.json").write_bytes(content)
    assert stored_json(tmp_path / "record.json", file=str) == {}


def test_a_hidden_file_that_somebody_put_there_stays(tmp_path):
    (tmp_path / ".x.tmp").write_text("")
    assert remove_temporaries(tmp_path) == 0


def test_a_finished_write_leaves_nothing(tmp_path):
    with replacing(tmp_path / "a") as temporary:
        temporary.write_text("1")
    with new_folder(tmp_path / "b") as temporary:
        (temporary / "c").write_text("2")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]


@pytest.mark.parametrize("same", [True, False])
def test_what_another_put_there_meanwhile_stays_and_is_told_where_it_is_another_thing(tmp_path, same):
    first_is_here = contextlib.nullcontext() if same else pytest.raises(OSError, match="not empty")
    with first_is_here, new_folder(tmp_path / "a", same=same) as second:
        (second / "file").write_text("second")
        with new_folder(tmp_path / "a", same=same) as first:
            (first / "file").write_text("first")
    assert (tmp_path / "a" / "file").read_text() == "first"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


@pytest.mark.parametrize(("umask", "file", "folder"), [("077", "600", "700"), ("002", "664", "775")])
def test_what_is_written_has_the_rights_that_the_user_gives_to_new_files(tmp_path, umask, file, folder):
    """As any other file: closed to others where it is to be, and open to a group that shares a home."""
    code = (
        "from pathlib import Path; from golden_core.store.lake import new_folder, write_text\n"
        "write_text('a', Path('a'))\nwith new_folder(Path('b')): pass"
    )
    environment = {**os.environ, "PYTHONPATH": str(PROJECT_ROOT)}
    command = ["bash", "-c", f'umask {umask}; exec "$0" -c "$1"', sys.executable, code]
    subprocess.run(command, cwd=tmp_path, env=environment, check=True)
    assert [f"{(tmp_path / name).stat().st_mode & 0o777:o}" for name in "ab"] == [file, folder]
