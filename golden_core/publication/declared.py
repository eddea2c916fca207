"""How what data/ declares is read: strictly, with the file and the place in every fault."""

from __future__ import annotations

import importlib
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, Field, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from golden_core.store.lake import shipped

Text = Annotated[str, Field(min_length=1, pattern=r"\S")]
Declared = TypeVar("Declared", bound=BaseModel)


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


def read_declared(kind: type[Declared], path: Path, error: type[ValueError] = PublicationError) -> Declared:
    """Read a file of data/ as what it declares; the error names the file, the place and what is wrong."""
    try:
        return kind.model_validate(_parsed(path.read_bytes()), strict=False)
    except FileNotFoundError:
        raise error(f"{path}: is missing") from None
    except YAMLError as fault:
        raise error(f"{path}: is not valid YAML: {fault}") from None
    except ValidationError as fault:
        raise error(f"{path}: {told(fault)}") from None


def told(fault: ValidationError) -> str:
    """Return everything that is wrong with what was read: each place, and why."""
    return "; ".join(f"{'.'.join(map(str, one['loc'])) or 'the file'}: {one['msg']}" for one in fault.errors())


@lru_cache(maxsize=16)  # every milestone's asset and checks read the whole plan
def _parsed(text: bytes) -> object:
    content: object = YAML(typ="safe", pure=True).load(text)
    return content
