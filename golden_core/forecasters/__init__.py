"""Forecasters, by name: a literal registry, the entry points of other people's packages, and what a study names."""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Mapping
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from types import MappingProxyType
from typing import Any

from pydantic import BaseModel

from golden_core.forecasters.base import Forecaster
from golden_core.forecasters.custom import custom_class, unfit
from golden_core.forecasters.facts import FACTS, Facts
from golden_core.forecasters.settings import (
    ArSettings,
    DLinearSettings,
    EtsSettings,
    LegacySettings,
    LightGBMSettings,
    MixtureSettings,
    NoSettings,
    PatchTSTSettings,
)
from golden_core.study import CUSTOM, NAME

NOTHING: Mapping[str, Any] = MappingProxyType({})
ENTRY_POINT_GROUP = "golden_core.forecasters"

# name → (module:class, settings). The class is imported when a trial needs it, so that naming one costs nothing.
FORECASTERS: dict[str, tuple[str, type[BaseModel]]] = {
    "random_walk": ("golden_core.forecasters.naive:RandomWalk", NoSettings),
    "random_walk_garch": ("golden_core.forecasters.volatility:GarchWalk", NoSettings),
    "random_walk_gjr_t": ("golden_core.forecasters.volatility:GjrTWalk", NoSettings),
    "drift": ("golden_core.forecasters.naive:Drift", NoSettings),
    "ar": ("golden_core.forecasters.statistical:AutoRegression", ArSettings),
    "ets": ("golden_core.forecasters.smoothing:ExponentialSmoothing", EtsSettings),
    "theta": ("golden_core.forecasters.theta:Theta", NoSettings),
    "lightgbm": ("golden_core.forecasters.boosting:LightGBM", LightGBMSettings),
    "dlinear": ("golden_core.forecasters.neural:DLinearForecaster", DLinearSettings),
    "patchtst": ("golden_core.forecasters.neural:PatchTSTForecaster", PatchTSTSettings),
    "moe": ("golden_core.forecasters.neural:MixtureForecaster", MixtureSettings),
    **{f"v{n:02d}": (f"golden_core.forecasters.neural:V{n:02d}", LegacySettings) for n in range(1, 11)},
}


class UnknownForecasterError(LookupError):
    """No forecaster of that name is registered."""


class ForecasterPackageError(ImportError):
    """An installed package offers a forecaster that cannot be used; names the package and the fix."""


def forecaster_settings() -> Mapping[str, type[BaseModel]]:
    """Return the settings model of every forecaster, built in or from an installed package.

    Raises
    ------
    ForecasterPackageError
        If an installed package offers a forecaster that cannot be used.
    """
    built_in = {name: settings for name, (_, settings) in FORECASTERS.items()}
    return built_in | {name: _load(point).Settings for name, point in _offered().items()}


def forecaster_facts(name: str, settings: Mapping[str, Any] = NOTHING) -> Facts:
    """Return what identifies a forecaster; for a built-in one without importing what it computes with.

    ``settings`` are those of the study, which may name a class of one's own.
    """
    return FACTS[name] if name in FACTS else Facts.of(forecaster_class(name, settings))


def forecaster_class(name: str, settings: Mapping[str, Any] = NOTHING) -> type[Forecaster]:
    """Return the class of a forecaster; ``settings`` are those of the study, which may name one by ``custom``.

    Raises
    ------
    UnknownForecasterError
        If no built-in forecaster and no installed package has that name.
    ForecasterPackageError
        If an installed package offers a forecaster that cannot be used.
    CustomForecasterError
        If the study names a class that cannot be used.
    """
    if CUSTOM in settings:
        return custom_class(settings[CUSTOM])
    if name in FORECASTERS:
        module, _, attribute = FORECASTERS[name][0].partition(":")
        found: type[Forecaster] = getattr(importlib.import_module(module), attribute)
        return found
    offered = _offered()
    if name not in offered:
        known = ", ".join(sorted({*FORECASTERS, *offered}))
        raise UnknownForecasterError(f"no forecaster is called {name!r}; known: {known}")
    return _load(offered[name])


def _offered() -> dict[str, EntryPoint]:
    """Return the entry points of installed packages by name, each name fit for use and claimed once."""
    offered: dict[str, EntryPoint] = {}
    for point in _installed(tuple(sys.path)):
        if point.name in FORECASTERS:
            raise _refusal(point, "that name is built in; choose another")
        if point.name in offered:
            raise _refusal(point, f"{_origin(offered[point.name])} has the same name; uninstall one of them")
        if not re.fullmatch(NAME, point.name):
            raise _refusal(point, f"a name must match {NAME}, for it becomes a folder and a key")
        offered[point.name] = point
    return offered


@lru_cache(maxsize=8)  # reading what hundreds of packages offer takes longer than reading a study
def _installed(_places: tuple[str, ...]) -> tuple[EntryPoint, ...]:
    """Return what packages offer at the places where Python looks for them, as they were when it was first asked."""
    return tuple(entry_points(group=ENTRY_POINT_GROUP))


def _load(point: EntryPoint) -> type[Forecaster]:
    try:
        found = point.load()
    except (Exception, SystemExit) as error:
        raise _refusal(point, f"loading it raised {type(error).__name__}: {error}") from error
    if reason := unfit(found):
        raise _refusal(point, reason)
    kind: type[Forecaster] = found
    return kind


def _refusal(point: EntryPoint, reason: str) -> ForecasterPackageError:
    return ForecasterPackageError(f"forecaster {point.name!r} of {_origin(point)} cannot be used: {reason}")


def _origin(point: EntryPoint) -> str:
    package = point.dist.name if point.dist else "an unnamed package"
    return f"package {package!r} ({point.value})"
