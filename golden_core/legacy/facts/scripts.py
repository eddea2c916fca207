"""One Python script → its entry points, argparse flags, imported modules, and what it says about settings."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from golden_core.legacy.facts.defaults import Default, defaults
from golden_core.legacy.facts.keys import Lookup, configuration_loads, lookups
from golden_core.legacy.facts.syntax import NOTHING, constant_text, dotted_name, last_name, literal, nodes_of
from golden_core.legacy.facts.texts import texts
from golden_core.legacy.inventory import EntryKind


@dataclass(frozen=True)
class ImportedModule:
    """A module as an import names it; ``level`` counts leading dots, ``names`` is what is taken from it."""

    name: str
    level: int
    names: tuple[str, ...]


@dataclass(frozen=True)
class FlagFact:
    """A flag and its default: a literal, ``NOTHING`` for a computed one or none; ``has_default`` tells which.

    Code finds the value under the name ``destination``.
    """

    names: tuple[str, ...]
    default: Any
    has_default: bool
    destination: str
    line: int


@dataclass(frozen=True)
class ScriptFacts:
    """What one script says, facts with their lines; nothing where it has no syntax tree.

    ``parameters`` are those of functions and the annotated fields of classes: what a section may be unpacked into.
    """

    path: str
    parsed: bool = False
    modules: tuple[ImportedModule, ...] = ()
    entry_points: tuple[tuple[EntryKind, int], ...] = ()
    flags: tuple[FlagFact, ...] = ()
    texts: tuple[tuple[str, int], ...] = ()
    lookups: tuple[Lookup, ...] = ()
    defaults: tuple[Default, ...] = ()
    parameters: frozenset[str] = frozenset()
    definitions: frozenset[str] = frozenset()
    loads: tuple[int, ...] = ()

    def at(self, line: int) -> str:
        """Return the place of a line."""
        return f"{self.path}:{line}"


def script_facts(path: str, tree: ast.Module) -> ScriptFacts:
    """Collect the facts of a parsed script."""
    nodes = nodes_of(tree)
    found = tuple(_flags(nodes))
    of_flags = (Default((f.destination,), f.default, f.line) for f in found if f.default not in (NOTHING, None))
    named = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    fields = (n.target.id for n in nodes if isinstance(n, ast.AnnAssign) and isinstance(n.target, ast.Name))
    return ScriptFacts(
        path=path,
        parsed=True,
        modules=tuple(_imported_modules(nodes)),
        entry_points=tuple(_entry_points(tree, nodes)),
        flags=found,
        texts=tuple(texts(nodes)),
        lookups=tuple(lookups(nodes)),
        defaults=(*defaults(tree, nodes), *of_flags),
        parameters=frozenset(node.arg for node in nodes if isinstance(node, ast.arg)).union(fields),
        definitions=frozenset(node.name for node in nodes if isinstance(node, named)),
        loads=tuple(configuration_loads(nodes)),
    )


def _imported_modules(nodes: list[ast.AST]) -> Iterator[ImportedModule]:
    """Yield the modules of import statements, and of ``import_module("…")`` and ``__import__("…")``."""
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (ImportedModule(alias.name, 0, ()) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield ImportedModule(node.module or "", node.level, tuple(alias.name for alias in node.names))
        elif isinstance(node, ast.Call) and last_name(node.func) in ("import_module", "__import__") and node.args:
            name = constant_text(node.args[0])
            if name and not name.startswith("."):
                yield ImportedModule(name, 0, ())


def _entry_points(tree: ast.Module, nodes: list[ast.AST]) -> Iterator[tuple[EntryKind, int]]:
    """Yield how a module is started, and the first line that acts when it is merely imported."""
    guarded = [node for node in tree.body if isinstance(node, ast.If) and any(map(_asks_for_main, ast.walk(node.test)))]
    yield from (("__main__", node.lineno) for node in guarded)
    arguments = (n.lineno for n in nodes if isinstance(n, ast.Attribute) and dotted_name(n) == ("sys", "argv"))
    yield from (("sys.argv", line) for line in list(arguments)[:1])
    for node in nodes:
        if isinstance(node, ast.Call) and last_name(node.func) == "ArgumentParser":
            yield "argparse", node.lineno
    acting = [node.lineno for node in tree.body if _acts(node)]
    if acting:
        yield "runs on import", acting[0]


def _asks_for_main(node: ast.AST) -> bool:
    if not isinstance(node, ast.Compare):
        return False
    return {last_name(side) or constant_text(side) for side in (node.left, *node.comparators)} == {
        "__name__",
        "__main__",
    }


def _acts(node: ast.stmt) -> bool:
    """Tell whether a top-level statement does something by itself: a call, a loop, a block."""
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Call | ast.Await)
    return isinstance(node, ast.For | ast.While | ast.With)


def _flags(nodes: list[ast.AST]) -> Iterator[FlagFact]:
    """Yield the flags of argparse where they are added."""
    for node in nodes:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "add_argument":
            names = tuple(text for text in map(constant_text, node.args) if text)
            if names and "option" not in last_name(node.func.value).lower():  # a browser's options have such a method
                yield _flag(names, node)


def _flag(names: tuple[str, ...], call: ast.Call) -> FlagFact:
    keywords = {keyword.arg: keyword.value for keyword in call.keywords}
    action, default = constant_text(keywords.get("action")), keywords.get("default")
    value = literal(default)
    if default is None and action in ("store_true", "store_false"):
        value = action == "store_false"
    # As argparse does: a name without hyphens, else the first long flag, else the first.
    best = min(names, key=lambda name: 0 if not name.startswith("-") else 1 if name.startswith("--") else 2)
    destination = constant_text(keywords.get("dest")) or best.lstrip("-").replace("-", "_")
    return FlagFact(names, value, value is not NOTHING or default is not None, destination, call.lineno)
