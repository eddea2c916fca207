"""Sources, by name: where prices come from. A new vendor is one file and one line here."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel

from golden_core.sources.base import Source, SourceError
from golden_core.sources.ecb import Ecb
from golden_core.sources.files import Files
from golden_core.sources.synthetic import Synthetic

__all__ = ["SOURCES", "Source", "SourceError", "UnknownSourceError", "source", "source_settings"]

SOURCES: dict[str, type[Source]] = {
    "ecb": Ecb,
    "files": Files,
    "synthetic": Synthetic,
}


class UnknownSourceError(LookupError):
    """No source of that name is registered."""


def source(name: str) -> Source:
    """Return a source by its name."""
    if name not in SOURCES:
        raise UnknownSourceError(f"no source is called {name!r}; known: {', '.join(sorted(SOURCES))}")
    return SOURCES[name]()


def source_settings() -> Mapping[str, type[BaseModel]]:
    """Return the settings model of every source."""
    return {name: found.Settings for name, found in SOURCES.items()}
