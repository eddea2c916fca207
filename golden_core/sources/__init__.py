"""Sources, by name: where prices come from. A new vendor is one file and one line here."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel

from golden_core.sources.base import Source, SourceError
from golden_core.sources.ecb import Ecb
from golden_core.sources.files import Files
from golden_core.sources.synthetic import Synthetic
from golden_core.sources.synthetic_hours import SyntheticHours
from golden_core.study import DataSection
from golden_core.study.values import NEWEST

__all__ = ["SOURCES", "Source", "SourceError", "UnknownSourceError", "dated", "source", "source_settings"]

SOURCES: dict[str, type[Source]] = {
    "ecb": Ecb,
    "files": Files,
    "synthetic": Synthetic,
    "synthetic_hours": SyntheticHours,
}


class UnknownSourceError(LookupError):
    """No source of that name is registered."""


def source(name: str) -> Source:
    """Return a source by its name."""
    if name not in SOURCES:
        raise UnknownSourceError(f"no source is called {name!r}; known: {', '.join(sorted(SOURCES))}")
    return SOURCES[name]()


def dated(data: DataSection, root_seed: int, home: Path) -> DataSection:
    """Return the section with the day that its ``end: latest`` stands for now; one that names a day as it is."""
    if data.end != NEWEST:
        return data
    kind = source(data.source)
    return data.model_copy(update={"end": kind.last_day(kind.read(data, root_seed, home), data)})


def source_settings() -> Mapping[str, type[BaseModel]]:
    """Return the settings model of every source."""
    return {name: found.Settings for name, found in SOURCES.items()}
