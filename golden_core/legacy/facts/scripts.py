"""Everything that the syntax trees of one script or notebook tell, each fact with its place."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from golden_core.legacy.facts.ast_facts import ImportedModule, imported_modules, nodes_of, texts
from golden_core.legacy.facts.defaults import Default, defaults
from golden_core.legacy.facts.entry_points import entry_points
from golden_core.legacy.facts.flags import FlagFact, flags
from golden_core.legacy.facts.keys import Lookup, configuration_loads, definitions, lookups, parameters
from golden_core.legacy.facts.source import Source, Unit
from golden_core.legacy.facts.typer_flags import typer_flags
from golden_core.legacy.facts.values import NOTHING
from golden_core.legacy.inventory import EntryPoint, Language


@dataclass(frozen=True)
class ScriptFacts:
    """What one script says. ``reasons`` tell what of it could not be parsed."""

    path: str
    language: Language
    reasons: tuple[str, ...]
    modules: tuple[ImportedModule, ...]
    entry_points: tuple[EntryPoint, ...]
    flags: tuple[tuple[FlagFact, str], ...]
    texts: tuple[tuple[str, str], ...]
    lookups: tuple[tuple[Lookup, str], ...]
    defaults: tuple[tuple[Default, str], ...]
    parameters: frozenset[str]
    definitions: frozenset[str]
    loads: tuple[str, ...]


@dataclass(frozen=True)
class _Walked:
    """A unit with its nodes, a node before its parts."""

    unit: Unit
    nodes: list[ast.AST]

    def place(self, line: int) -> str:
        return f"{self.unit.place}:{line}"


def script_facts(path: str, source: Source) -> ScriptFacts:
    """Collect the facts of a parsed script or notebook."""
    walked = [_Walked(unit, nodes_of(unit.tree)) for unit in source.units]
    found_flags = tuple(
        (flag, one.place(flag.line)) for one in walked for flag in (*flags(one.nodes), *typer_flags(one.nodes))
    )
    return ScriptFacts(
        path=path,
        language=source.language,
        reasons=source.reasons,
        modules=tuple(module for one in walked for module in imported_modules(one.nodes)),
        entry_points=tuple(
            EntryPoint(kind, one.place(line)) for one in walked for kind, line in entry_points(one.unit.tree, one.nodes)
        ),
        flags=found_flags,
        texts=tuple((text.text, one.place(text.line)) for one in walked for text in texts(one.nodes)),
        lookups=tuple((lookup, one.place(lookup.line)) for one in walked for lookup in lookups(one.nodes)),
        defaults=tuple(
            (default, one.place(default.line)) for one in walked for default in defaults(one.unit.tree, one.nodes)
        )
        + _flag_defaults(found_flags),
        parameters=frozenset(name for one in walked for name in parameters(one.nodes)),
        definitions=frozenset(name for one in walked for name in definitions(one.nodes)),
        loads=tuple(one.place(line) for one in walked for line in configuration_loads(one.nodes)),
    )


def _flag_defaults(found: tuple[tuple[FlagFact, str], ...]) -> tuple[tuple[Default, str], ...]:
    """Return the defaults of flags under the names by which code finds their values."""
    return tuple(
        (Default((flag.destination,), flag.default, flag.line), where)
        for flag, where in found
        if flag.default is not NOTHING and flag.default is not None
    )
