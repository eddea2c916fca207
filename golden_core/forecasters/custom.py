"""A forecaster that a study names by its class, from a module of one's own; and what any forecaster's class must have.

Only what a study spells out is imported, and nothing in it is evaluated.
"""

from __future__ import annotations

import importlib
import inspect
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from pydantic import BaseModel

from golden_core.forecasters.base import Forecaster
from golden_core.store.lake import hash_file
from golden_core.study import CUSTOM, closest

_METHODS = ("__init__", "fit", "predict", "state", "restore")
_FACTS = ("deterministic", "trained", "libraries")
_imported: dict[Path, str] = {}  # source file → its hash when this process first looked


class CustomForecasterError(ValueError):
    """A study names a class that cannot be used; the message says why and what to do."""


def custom_class(named: Any) -> type[Forecaster]:
    """Return the class that ``package.module:Class`` names, from the folder one stands in or an installed package.

    Raises
    ------
    CustomForecasterError
        If it is no such name, there is no such module or class, or the class is no forecaster.
    """
    if not isinstance(named, str) or not re.fullmatch(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*", named):
        raise CustomForecasterError(f"must name a class as package.module:Class, got {named!r}")
    name, _, attribute = named.partition(":")
    module = _module(name)
    found = getattr(module, attribute, None)
    if found is None:
        classes = [key for key, value in vars(module).items() if isinstance(value, type)]
        raise CustomForecasterError(f"{module.__file__} has no class {attribute!r}{closest(attribute, classes)}")
    if reason := unfit(found):
        raise CustomForecasterError(f"{named} cannot be used: {reason}")
    kind: type[Forecaster] = found
    return kind


def own_settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings that are a forecaster's own: all but the class that a study names."""
    return {key: value for key, value in settings.items() if key != CUSTOM}


def unfit(found: object) -> str | None:
    """Return why something is no class of a forecaster, with the fix; None for one that can be used."""
    if not isinstance(found, type):
        return f"it must be a class, got {type(found).__name__}"
    settings = getattr(found, "Settings", None)
    if not (isinstance(settings, type) and issubclass(settings, BaseModel)):
        return "its class needs an attribute Settings, a pydantic model"
    # A method inherited from the protocol itself is a stub that returns nothing.
    stubs = [name for name in _METHODS if getattr(found, name, None) in (None, getattr(Forecaster, name))]
    if missing := stubs + [name for name in _FACTS if not hasattr(found, name)]:
        return f"its class lacks {', '.join(missing)}; inherit from Forecaster and define them"
    signature = inspect.signature(found)
    try:
        signature.bind({}, None)
    except TypeError:
        return f"its constructor must take (settings, context), it takes {signature}"
    return None


def _module(name: str) -> ModuleType:
    """Import a module, as it is on disk now."""
    folder = Path.cwd()
    if name == "__main__":
        raise CustomForecasterError(
            "a class of a notebook's cell or of a script cannot be imported by the processes that train: write it to a "
            "file (%%writefile my_forecaster.py) and name my_forecaster:Class"
        )
    if str(folder) not in sys.path:
        sys.path.append(str(folder))  # last, so that nothing installed is hidden by what lies in a folder
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name and (name == error.name or name.startswith(f"{error.name}.")):
            where = f"in {folder} or among the installed packages: run golden where {name.replace('.', '/')}.py lies"
            raise CustomForecasterError(f"there is no module {error.name!r} {where}") from None
        raise CustomForecasterError(f"importing {name} raised {type(error).__name__}: {error}") from error
    except (Exception, SystemExit) as error:  # a script's last line may end it
        raise CustomForecasterError(f"importing {name} raised {type(error).__name__}: {error}") from error
    if not (source := getattr(module, "__file__", None)):
        raise CustomForecasterError(f"{name} has no source file, by which its forecasts could be told from others'")
    path = Path(source)
    if hash_file(path) != _imported.setdefault(path, hash_file(path)):
        raise CustomForecasterError(f"{path} has changed since this process imported it: start Python anew")
    return module
