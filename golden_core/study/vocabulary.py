"""The names a study may use. The registries above fill it in; the study layer only asks whether a name exists."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import BaseModel


@dataclass(frozen=True)
class Vocabulary:
    """What may be named: sources and forecasters with the schema of their settings, features and targets."""

    sources: Mapping[str, type[BaseModel]]
    forecasters: Mapping[str, type[BaseModel]]
    features: frozenset[str]
    targets: frozenset[str]
