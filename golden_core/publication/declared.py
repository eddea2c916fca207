"""How the words in data/publication are read: strictly, with the file and the place in every fault."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import Field, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from golden_core.store.lake import shipped
from golden_core.study.section import Section

Text = Annotated[str, Field(min_length=1, pattern=r"\S")]
Declared = TypeVar("Declared", bound=Section)


class PublicationError(ValueError):
    """What is to be published is incomplete or not as it should be; the message says what, and what to do."""


def publish_library(name: str) -> Any:
    """Return a library of the extra `publish`; PublicationError says what to install where it is missing."""
    try:
        return importlib.import_module(name)
    except ImportError:
        raise PublicationError("archives need the extra `publish`: pip install 'golden[publish]'") from None


def words_path(name: str) -> Path:
    """Return a file of data/publication."""
    return shipped("publication", name)


def read_words(model: type[Declared], name: str) -> Declared:
    """Return what a file of data/publication says.

    Raises
    ------
    PublicationError
        Naming the file, the place and what is wrong there.
    """
    path = words_path(name)
    try:
        return model.model_validate(YAML(typ="safe", pure=True).load(path), strict=False)
    except (OSError, YAMLError) as error:
        raise PublicationError(f"{path} cannot be read: {error}") from None
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        raise PublicationError(f"{path}: {faults}") from None
