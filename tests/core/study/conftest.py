"""What the tests of studies share: the vocabulary, a valid study, and a way to read a study from text."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest

from golden_core.preparation.catalogue import vocabulary as catalogue_vocabulary
from golden_core.study import Study, StudyError, Vocabulary, read_study


@pytest.fixture(scope="session")
def vocabulary() -> Vocabulary:
    return catalogue_vocabulary()


@pytest.fixture(scope="session")
def valid() -> Path:
    """Return the file of a valid study that no one tunes."""
    return Path(__file__).with_name("valid.yaml")


@pytest.fixture(scope="session")
def valid_text(valid: Path) -> str:
    return valid.read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def read(vocabulary: Vocabulary, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Study]:
    """Read a study from text or bytes, as the file ``study.yaml``."""
    folder, number = tmp_path_factory.mktemp("studies"), itertools.count()

    def read_text(content: str | bytes, overrides: object = ()) -> Study:
        path = folder / str(next(number)) / "study.yaml"
        path.parent.mkdir()
        path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass"))
        return read_study(path, vocabulary, overrides)

    return read_text


@pytest.fixture(scope="session")
def faults(read: Callable[..., Study]) -> Callable[..., list[str]]:
    """Return the lines that a wrong study gets."""

    def lines(content: str | bytes, overrides: object = ()) -> list[str]:
        with pytest.raises(StudyError) as caught:
            read(content, overrides)
        return str(caught.value).splitlines()

    return lines
