"""What a source does is parsed once and remembered, and anew as soon as its file may have changed."""

import os
from pathlib import Path

import pytest

from golden_core.store.lake import stored_json
from golden_core.trials import code, syntax
from golden_core.trials.syntax import MEMORY, Sources, sources

LONG_AGO = 1_600_000_000


@pytest.fixture
def file(tmp_path, monkeypatch):
    """A source that has stood for long, and a home to remember it in; by now the clock stands an hour later."""
    path = tmp_path / "model.py"
    path.write_text("from .base import Drift, ar\nimport a.b\nSPAN = 3\n")
    later = path.stat().st_ctime_ns + 3_600 * 10**9
    monkeypatch.setattr(syntax.time, "time_ns", lambda: later)
    (tmp_path / "home").mkdir()
    return path


@pytest.fixture
def parsed(monkeypatch):
    """The sources that are parsed from here on."""
    found, parse = [], syntax._parsed
    monkeypatch.setattr(syntax, "_parsed", lambda source: found.append(source) or parse(source))
    return found


def read(file, memory="home"):
    """Return what a new process reads, after it has written down what it remembers."""
    opened = Sources(file.parent / memory / MEMORY)
    found = opened.read(file)
    opened.remember()
    return found


def test_what_was_parsed_is_remembered_by_the_next_process_and_is_the_same(file, parsed):
    first, again = read(file), read(file)
    assert parsed == [file.read_bytes()]
    assert first == again == (Sources(None).read(file)[0], [[".base", "Drift", "ar"], ["a.b"]])


def test_a_file_of_the_same_length_and_time_is_parsed_anew(file):
    os.utime(file, (LONG_AGO, LONG_AGO))
    before = read(file)[0]
    file.write_text(file.read_text().replace("3", "4"))
    os.utime(file, (LONG_AGO, LONG_AGO))
    assert read(file)[0] == Sources(None).read(file)[0] != before


def test_a_file_written_just_now_is_not_remembered(file, parsed, monkeypatch):
    monkeypatch.setattr(syntax.time, "time_ns", lambda: file.stat().st_ctime_ns + 10**9)
    assert read(file) == read(file)
    assert len(parsed) == 2
    assert not (file.parent / "home" / MEMORY).exists()


@pytest.mark.parametrize("damage", ["", "{", '{"by": 1, "files": {}}', '{"by": "", "files": {}}', "entry"])
def test_a_memory_that_is_damaged_or_another_pythons_is_made_again(file, parsed, damage):
    memory, whole = file.parent / "home" / MEMORY, read(file)
    text = memory.read_text()
    memory.write_text(text.replace('"state"', '"status"') if damage == "entry" else damage)
    assert read(file) == whole
    assert len(parsed) == 2
    assert memory.read_text() != damage
    assert read(file) == whole
    assert len(parsed) == 2


def test_another_python_parses_anew(file, parsed, monkeypatch):
    read(file)
    monkeypatch.setattr(syntax.sys, "version", "3.99")
    read(file)
    assert len(parsed) == 2


def test_no_home_is_made_and_one_of_a_later_release_is_left_alone(file, tmp_path, monkeypatch):
    read(file, "nowhere")
    assert not (tmp_path / "nowhere").exists()
    (tmp_path / "home" / "layout.json").write_text('{"layout": 999}')
    monkeypatch.setenv("GOLDEN_HOME", str(tmp_path / "home"))
    opened = sources()
    opened.read(file)
    opened.remember()
    assert [path.name for path in (tmp_path / "home").iterdir()] == ["layout.json"]


def test_a_hash_is_the_same_from_memory(tmp_path, monkeypatch):
    monkeypatch.setenv("GOLDEN_HOME", str(tmp_path))
    asked = ("golden_core.forecasters.naive", "golden_core.forecasters.neural")
    hashes = []
    for _ in range(2):
        code.code_hash.cache_clear()
        syntax._of.cache_clear()
        hashes.append(code.code_hash(asked))
    known = stored_json(tmp_path / MEMORY)["files"]
    assert hashes[0] == hashes[1]
    assert len(known) > 5
    assert all(entry["hash"] == Sources(None).read(Path(name))[0] for name, entry in known.items())


def test_a_file_that_is_gone_is_forgotten(file):
    other = file.with_name("other.py")
    other.write_text("SPAN = 5")
    read(other)
    other.unlink()
    read(file)
    assert list(stored_json(file.parent / "home" / MEMORY)["files"]) == [str(file)]
