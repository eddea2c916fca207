"""Files that are no study at all: one clear line each, never another kind of error."""

import os
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from golden_core.study import StudyError, read_study
from golden_core.study import reading as reading_module

LINE = re.compile(r"study\.yaml(:[0-9]+:[0-9]+)?(: | \S)")

EMPTY = "study.yaml:1:1: is empty: a study is a mapping of sections, from `name: …` to `checks: …`"
RANGE = "must be a finite number of at most 64 bits, got"
KINDS = "a study holds text, numbers, true, false and null"
QUOTES = "a key must be text; a number or a word such as null needs quotes"

BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
MERGE_BOMB = "a: &a {x: 1}\n" + "".join(
    f"{name}: &{name} {{<<: [{', '.join([f'*{before}'] * 9)}]}}\n"
    for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", EMPTY),
        ("# only a comment\n", EMPTY),
        ("- a\n- b\n", "study.yaml:1:1: must be a mapping of sections, from `name: …` to `checks: …`, got a list"),
        ("demo", "study.yaml:1:1: must be a mapping of sections, from `name: …` to `checks: …`, got 'demo'"),
        ("null", "study.yaml:1:1: must be a mapping of sections, from `name: …` to `checks: …`, got nothing"),
        ("seeds:\n\troot: 1\n", "study.yaml:2:1: is not valid YAML: a tab cannot indent; use spaces"),
        ("name: demo: x\n", "study.yaml:1:11: is not valid YAML: there is a second ': ' on the line, or the line is "
                            "indented too far; text that holds ': ' needs quotes"),
        ("a: 'x\n",
         "study.yaml:2:1: is not valid YAML: while scanning a quoted scalar: found unexpected end of stream"),
        ("a: {b: 1\n", "study.yaml:2:1: is not valid YAML: while parsing a flow mapping: expected ',' or '}', but got "
                       "'<stream end>'"),
        ("a: *b\n", "study.yaml:1:4: is not valid YAML: found undefined alias 'b'"),
        ("a: 1\n---\nb: 2\n", "study.yaml:2:1: is not valid YAML: expected a single document in the stream: but found "
                              "another document"),
        (b"name: caf\xe9\n", "study.yaml:1:10: is not UTF-8 text"),
        ("name: demo\n".encode("utf-16"), "study.yaml:1:1: is not UTF-8 text"),
        (b"a: 1\nb: \x00\n", "study.yaml:2:4: is not text: it holds the character with code 0"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "study.yaml:1:1: is not UTF-8 text"),
        ("a: 1\n" * 20_001, "study.yaml: is larger than 100 kB; a study is a page of YAML"),
        ("[" * 20_000, "study.yaml: is nested more than 20 deep"),
        ("a: " + "[" * 30 + "]" * 30, "study.yaml:1:24: a is nested more than 20 deep"),
        ("a: &x [*x]\n", "study.yaml:1:4: a is nested more than 20 deep"),
        ("a: &x {<<: *x}\n", "study.yaml:1:1: a is nested more than 20 deep"),
        (BOMB, "study.yaml:5:1: stands for more than 10000 entries"),
        (MERGE_BOMB, "study.yaml:6:1: stands for more than 10000 entries"),
    ],
)  # fmt: skip
def test_file_that_is_no_study(content, expected, faults):
    assert faults(content) == [expected]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("shuffle: true", "shuffle: NO", "training.shuffle: must be true or false, got 'NO'"),
        ("shuffle: true", "shuffle: yes", "training.shuffle: must be true or false, got 'yes'"),
        ("epochs: 6", "epochs: 22:30", "training.epochs: must be an integer, got '22:30'"),
        ("epochs: 6", "epochs: 1_000", "training.epochs: must be an integer, got '1_000'"),
        ("epochs: 6", "epochs: 6.0", "training.epochs: must be an integer, got 6.0"),
        ("epochs: 6", f"epochs: {'9' * 5000}", f"training.epochs: {RANGE} inf"),
        ("epochs: 6", f"epochs: 0x{'f' * 5000}", f"training.epochs: {RANGE} inf"),
        ("epochs: 6", f"epochs: {2**63}", f"training.epochs: {RANGE} {2**63}"),
        ("factor: 0.5", "factor: .nan", f"training.plateau.factor: {RANGE} nan"),
        ("factor: 0.5", "factor: -.inf", f"training.plateau.factor: {RANGE} -inf"),
        ("factor: 0.5", "factor: 1e999", f"training.plateau.factor: {RANGE} inf"),
        ("factor: 0.5", "factor: !!python/object:os.system 1",
         f"training.plateau.factor: has the tag '!!python/object:os.system'; {KINDS}"),
        ("factor: 0.5", "factor: !!binary aGk=",
         f"training.plateau.factor: has the tag '!!binary'; {KINDS}"),
        ("factor: 0.5", "factor: 0.5\n    factor: 0.6",
         "training.plateau.factor: is given twice, on lines {line} and {next}"),
        ("factor: 0.5", "factor: 0.5\n    3: x", f"training.plateau.3: {QUOTES}"),
        ("factor: 0.5", "factor: 0.5\n    ? [a]\n    : x", f"training.plateau.?: {QUOTES}"),
        ("factor: 0.5", "factor: 0.5\n    <<: 3", "training.plateau.<<: must merge a mapping, such as *anchor"),
        ("name: demo", 'name: "\\ud800"', "name: is not text that can be stored: it holds half of a character"),
    ],
)  # fmt: skip
def test_value_that_yaml_reads_otherwise_than_meant(old, new, expected, faults, valid_text):
    assert f"{old}" in valid_text
    text = valid_text.replace(old, new, 1)
    line = text[: text.index(new)].count("\n") + 1
    assert [fault.split(" ", 1)[1] for fault in faults(text)] == [expected.format(line=line, next=line + 1)]


def test_all_unreadable_values_are_reported_at_once(faults, valid_text):
    text = (
        valid_text.replace("epochs: 6", "epochs: .nan")
        .replace("factor: 0.5", "factor: !x 1")
        .replace("test: 500", "test: 0")
    )
    found = [fault.split(": ")[0].split(" ")[1] for fault in faults(text)]
    assert found == ["splits.test", "training.epochs", "training.plateau.factor"]


def test_dates_written_as_text_are_dates(read, valid_text):
    assert read(valid_text.replace("2008-01-01", "'2008-01-01'")) == read(valid_text)


def test_merged_key_is_blamed_where_it_is_written(faults, valid_text):
    text = valid_text.replace("  v08:", "  v07: {<<: &same {gate: lin}, initialisers: keras_3.8}\n  v08:")
    line = text[: text.index("  v07")].count("\n") + 1
    column = text.splitlines()[line - 1].index("gate") + 1
    says = "must be 'linear' or 'softmax', got 'lin'; did you mean 'linear'?"
    assert faults(text) == [f"study.yaml:{line}:{column} forecasters.v07.gate: {says}"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nowhere.yaml", r"nowhere\.yaml: there is no such file$"),
        (".", "cannot be read: Is a directory"),
        ("a\0b.yaml", "cannot be read: embedded null byte"),
        ("x" * 300, "cannot be read: File name too long"),
        ("file/study.yaml", "cannot be read: Not a directory"),
        ("pipe", "cannot be read: is no regular file"),  # it used to wait for a writer, for ever
    ],
)
def test_path_that_no_study_has(name, message, vocabulary, tmp_path):
    (tmp_path / "file").write_text("x")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(StudyError, match=message):
        read_study(tmp_path / name, vocabulary)


def test_unreadable_file_says_why(vocabulary, monkeypatch):
    class Denied(type(Path())):
        def open(self, *_, **__):
            raise PermissionError(13, "Permission denied")

    with pytest.raises(StudyError, match=r"^/x/study\.yaml: cannot be read: Permission denied$"):
        read_study(Denied("/x/study.yaml"), vocabulary)


def test_endless_file_is_not_read_whole(vocabulary):
    assert reading_module.MAX_BYTES <= 1_000_000
    with pytest.raises(StudyError, match="larger than"):
        read_study(Path("/dev/zero"), vocabulary)


def refusal(action):
    try:
        action()
    except StudyError as error:
        return error
    return None


def refused_politely(content, read):
    error = refusal(lambda: read(content))
    if error is not None:
        lines = str(error).splitlines()
        assert len(lines) == len(error.faults) >= 1
        assert all(LINE.match(line) for line in lines), str(error)


CONTENTS = {
    "text": st.text(max_size=80),
    "yaml": st.text(alphabet="ab:-?[]{},&*!|>'\"%@`#<=~ \n\t0.1e", max_size=60),
    "bytes": st.binary(max_size=60),
    "by hand": st.sampled_from(
        ["\x85", '"\\UFFFFFFFF"', "%YAML 3.0\n---\na: 1", "a: &x 1\nb: &x 2", "? - a\n", "!!map 3",
         "a\\nb: 1\n'x\ty': 1"]
    ),
}  # fmt: skip


@pytest.mark.parametrize("contents", CONTENTS.values(), ids=list(CONTENTS))
@given(data=st.data())
def test_random_content_is_refused_politely(contents, data, read):
    refused_politely(data.draw(contents), read)


SCRAPS = st.text(alphabet="ab:-[]{}&*!'\" \n\t0.1é\x00", max_size=6)


@given(cuts=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 12), SCRAPS), min_size=1, max_size=3))
def test_damaged_study_is_refused_politely(cuts, read, valid_text):
    text = valid_text[valid_text.index("name: demo") :]
    for where, length, scrap in cuts:
        start = int(where * len(text))
        text = text[:start] + scrap + text[start + length :]
    refused_politely(text, read)


@given(keys=st.text(max_size=20), value=st.text(max_size=20))
def test_random_override_is_refused_politely(keys, value, read, valid_text):
    overrides = [f"{keys}={value}", f"training.{keys}={value}", f"horizons[{keys}]={value}"]
    error = refusal(lambda: read(valid_text, overrides))
    assert error is None or len(str(error).splitlines()) == len(error.faults) >= 1
