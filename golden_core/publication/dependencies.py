"""What the project stands on: every installed distribution that it needs, its licence, and the list as CycloneDX."""

from __future__ import annotations

import importlib.metadata
import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import Distribution
from typing import Any

import polars as pl
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from golden_core.publication.declared import PublicationError

PROJECT = "golden"
UNDECLARED = "not declared"
_CLASSIFIER = "License :: "
_LONGEST = 80  # the old field often holds a whole licence: that is no name


@dataclass(frozen=True)
class Component:
    """One distribution: what it is called, its licence and where that is said, and what it needs."""

    name: str
    version: str
    licence: str
    said_in: str
    needs: tuple[str, ...]

    @property
    def purl(self) -> str:
        """Its package URL; what follows a plus says who built it, and is escaped."""
        return f"pkg:pypi/{self.name}@{self.version.replace('+', '%2B')}"


def components(root: str = PROJECT) -> tuple[Component, ...]:
    """Return a distribution and all that it needs on this machine, the root first, then by name.

    PublicationError if one of them is not installed.
    """
    found: dict[str, Component] = {}
    wanted, done = [(root, frozenset[str]())], set()
    while wanted:
        name, asked = wanted.pop()
        if (key := (canonicalize_name(name), asked)) in done:
            continue
        done.add(key)
        distribution = _installed(name)
        needs, own = _needs(distribution, asked), canonicalize_name(distribution.metadata["Name"])
        union = {*(canonicalize_name(need.name) for need in needs), *(found[own].needs if own in found else ())}
        found[own] = Component(own, distribution.version, *_licence(distribution), tuple(sorted(union)))
        wanted += [(need.name, frozenset(need.extras)) for need in needs]
    first = found.pop(canonicalize_name(root))
    return (first, *(found[name] for name in sorted(found)))


def licences(found: Sequence[Component]) -> pl.DataFrame:
    """Return ``name, version, licence, said_in`` of every distribution but the project's own."""
    rows = [(one.name, one.version, one.licence, one.said_in) for one in found[1:]]
    return pl.DataFrame(rows, schema=["name", "version", "licence", "said_in"], orient="row")


def bill_of_materials(found: Sequence[Component]) -> str:
    """Return the list as CycloneDX 1.6 JSON, the same text for the same distributions: it holds no time.

    References
    ----------
    Ecma International (2024), ECMA-424, CycloneDX bill of materials specification 1.6.
    """
    by_name = {one.name: one for one in found}
    body: dict[str, Any] = {
        "metadata": {"component": {**_entry(found[0]), "type": "application"}},
        "components": [_entry(one) for one in found[1:]],
        "dependencies": [
            {"ref": one.purl, "dependsOn": sorted(by_name[need].purl for need in one.needs)} for one in found
        ],
    }
    serial = uuid.uuid5(uuid.NAMESPACE_URL, json.dumps(body, sort_keys=True))
    head = {"bomFormat": "CycloneDX", "specVersion": "1.6", "serialNumber": f"urn:uuid:{serial}", "version": 1}
    return json.dumps({**head, **body}, indent=2, ensure_ascii=False) + "\n"


def _installed(name: str) -> Distribution:
    try:
        return importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        raise PublicationError(f"{name} is needed and not installed: install the project, then publish") from None


def _needs(distribution: Distribution, extras: frozenset[str]) -> list[Requirement]:
    """Return the requirements that hold on this machine, without an extra or with one of those asked for."""
    asked = [Requirement(text) for text in distribution.requires or ()]
    environments: list[Mapping[str, str]] = [{"extra": extra} for extra in ("", *sorted(extras))]
    return [one for one in asked if one.marker is None or any(one.marker.evaluate(dict(e)) for e in environments)]


def _licence(distribution: Distribution) -> tuple[str, str]:
    """Return what a distribution says of its licence: the expression first, then its name, then its classifiers."""
    said = distribution.metadata.json
    if expression := said.get("license_expression"):
        return str(expression), "License-Expression"
    name = " ".join(str(said.get("license", "")).split())
    if name and len(name) <= _LONGEST and name != "UNKNOWN":
        return name, "License"
    told = [text.split(" :: ")[-1] for text in said.get("classifier", ()) if text.startswith(_CLASSIFIER)]
    return ("; ".join(told), "Classifier") if told else (UNDECLARED, "")


def _entry(one: Component) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "type": "library",
        "bom-ref": one.purl,
        "name": one.name,
        "version": one.version,
        "purl": one.purl,
    }
    if one.said_in == "License-Expression":
        entry["licenses"] = [{"expression": one.licence}]
    elif one.said_in:
        entry["licenses"] = [{"license": {"name": one.licence}}]
    return entry
