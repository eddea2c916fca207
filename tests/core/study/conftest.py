"""What the tests of studies share: the vocabulary, a valid study, and a way to read a study from text."""

import dataclasses
import itertools
import json
from pathlib import Path

import pytest

from golden_core.preparation.catalogue import vocabulary as catalogue_vocabulary
from golden_core.study import StudyError, read_study


@pytest.fixture(scope="session")
def vocabulary():
    """Without what sources can give, which is another subject (test_impossible_studies.py)."""
    return dataclasses.replace(catalogue_vocabulary(), rules=())


@pytest.fixture(scope="session")
def valid():
    """Return the file of a valid study that no one tunes."""
    return Path(__file__).with_name("valid.yaml")


@pytest.fixture(scope="session")
def valid_text(valid):
    return valid.read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def read(vocabulary, tmp_path_factory):
    """Read a study from text or bytes, as the file ``study.yaml``."""
    folder, number = tmp_path_factory.mktemp("studies"), itertools.count()

    def read_text(content, overrides=()):
        path = folder / str(next(number)) / "study.yaml"
        path.parent.mkdir()
        path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass"))
        if isinstance(overrides, dict):
            overrides = [f"{key}={json.dumps(value)}" for key, value in overrides.items()]
        return read_study(path, vocabulary, overrides)

    return read_text


@pytest.fixture(scope="session")
def faults(read):
    """Return the lines that a wrong study gets."""

    def lines(content, overrides=()):
        with pytest.raises(StudyError) as caught:
            read(content, overrides)
        return str(caught.value).splitlines()

    return lines
