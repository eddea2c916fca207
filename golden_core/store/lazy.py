"""Packages whose names are loaded when they are asked for: what only reads a table need not import what trains."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from typing import Any


def lazily(package: str, names: Sequence[str], modules: Sequence[str]) -> Callable[[str], Any]:
    """Return the ``__getattr__`` (PEP 562) of a package: each name from the first of its modules that has it.

    Modules are looked into in the order given, so that the heavy ones come last.
    """

    def load(name: str) -> Any:
        if name in names:
            for module in modules:
                if hasattr(found := importlib.import_module(f"{package}.{module}"), name):
                    return getattr(found, name)
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    return load
