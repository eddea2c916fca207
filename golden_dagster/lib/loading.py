"""The study a code location is loaded for. Read when definitions are built, never at import."""

from __future__ import annotations

import functools

from golden_core.preparation.catalogue import load_study
from golden_core.study import Study
from golden_dagster.resources import study_from_environment


def current_study() -> Study:
    """Return the study that GOLDEN_STUDY names; each folder of definitions asks, so it is read once."""
    return _load(study_from_environment())


@functools.cache
def _load(name: str) -> Study:
    return load_study(name)
