"""What a study may name, gathered from the registries; and the way from a name to a validated study."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from golden_core.forecasters import forecaster_settings
from golden_core.inputs.features import FEATURES, TARGETS
from golden_core.sources import source_settings
from golden_core.store.lake import shipped
from golden_core.study import Fault, Study, StudyError, Vocabulary, closest, read_study


def vocabulary() -> Vocabulary:
    """Return every name a study may use, those of installed third-party packages included."""
    return Vocabulary(
        sources=source_settings(),
        forecasters=forecaster_settings(),
        features=frozenset(FEATURES),
        targets=frozenset(TARGETS),
    )


def study_names() -> list[str]:
    """Return the names of the studies that come with the project."""
    return sorted(path.stem for path in shipped("studies").glob("*.yaml"))


def study_path(name: str) -> Path:
    """Return the file of a study given by name or by path.

    Raises
    ------
    StudyError
        If there is no such study; says which there are.
    """
    if name.endswith((".yaml", ".yml")) or os.sep in name:
        return Path(name).expanduser()
    path = shipped("studies", f"{name}.yaml")
    if name not in study_names():
        known = study_names()
        message = f"no study is called {name!r}{closest(name, known) or '; known: ' + ', '.join(known)}"
        raise StudyError([Fault(str(shipped("studies")), 0, 0, "", message)])
    return path


def load_study(name: str, overrides: Mapping[str, Any] | Sequence[str] = ()) -> Study:
    """Load a study by name (``demo``) or path, apply overrides, validate everything at once.

    Raises
    ------
    StudyError
        With every fault: file, line, column, path, what is wrong and the fix.
    """
    return read_study(study_path(name), vocabulary(), overrides)
