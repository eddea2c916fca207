"""One Python script → its entry points, argparse flags, imports, and the literals that it falls back on."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from golden_core.legacy.facts.credentials import spell_setting
from golden_core.legacy.facts.syntax import (
    NOTHING,
    Key,
    constant_text,
    last_name,
    literal,
    nodes_of,
    texts,
)
from golden_core.legacy.inventory import EntryKind, EntryPoint, Flag, Mention

_MARK = re.compile(r"(?i)^defaults?_|_defaults?$")
_TABLES = ("default", "config", "settings", "params")  # in the name of a mapping that holds settings
_LOOKUPS = frozenset({"get", "pop", "setdefault"})


class ImportedModule(NamedTuple):
    """A module as an import names it; ``level`` counts leading dots, ``names`` is what is taken from it."""

    name: str
    level: int = 0
    names: tuple[str, ...] = ()


class Default(NamedTuple):
    """A literal that code falls back on, under a name: a parameter, a field, a constant, a table of defaults."""

    key: Key
    value: Any
    line: int


@dataclass(frozen=True)
class ScriptFacts:
    """What one script says, facts with their lines; nothing where it has no syntax tree."""

    path: str
    parsed: bool = False
    modules: tuple[ImportedModule, ...] = ()
    entry_points: tuple[EntryPoint, ...] = ()
    flags: tuple[Flag, ...] = ()
    texts: tuple[Mention, ...] = ()
    names: frozenset[str] = frozenset()  # all by which it could look something up
    defaults: tuple[Default, ...] = ()

    def at(self, line: int) -> str:
        """Return the place of a line."""
        return f"{self.path}:{line}"


def script_facts(path: str, tree: ast.Module) -> ScriptFacts:
    """Collect the facts of a parsed script."""
    nodes = nodes_of(tree)
    found = list(_flags(path, nodes))
    return ScriptFacts(
        path=path,
        parsed=True,
        modules=tuple(_imported_modules(nodes)),
        entry_points=tuple(EntryPoint(kind, f"{path}:{line}") for kind, line in _entry_points(tree, nodes)),
        flags=tuple(flag for flag, _ in found),
        texts=tuple(Mention(text, f"{path}:{line}") for text, line in texts(nodes)),
        names=frozenset(filter(None, map(_name, nodes))),
        defaults=(*_defaults(tree, nodes), *(one for _, one in found if one.value not in (NOTHING, None))),
    )


def _name(node: ast.AST) -> str | None:
    """Return what may be the name of a setting: a text, an attribute, a parameter, a keyword of a call."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.arg if isinstance(node, ast.arg | ast.keyword) else constant_text(node)


def _imported_modules(nodes: list[ast.AST]) -> Iterator[ImportedModule]:
    """Yield the modules of import statements."""
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (ImportedModule(alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield ImportedModule(node.module or "", node.level, tuple(alias.name for alias in node.names))


def _entry_points(tree: ast.Module, nodes: list[ast.AST]) -> Iterator[tuple[EntryKind, int]]:
    """Yield how a module is started, and the first line that acts when it is merely imported."""
    guarded = [node for node in tree.body if isinstance(node, ast.If) and any(map(_asks_for_main, ast.walk(node.test)))]
    yield from (("__main__", node.lineno) for node in guarded)
    makers = (node for node in nodes if isinstance(node, ast.Call) and last_name(node.func) == "ArgumentParser")
    yield from (("argparse", node.lineno) for node in makers)
    calls = [node for node in tree.body if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)]
    acting = [node.lineno for node in tree.body if node in calls or isinstance(node, ast.For | ast.While | ast.With)]
    yield from (("runs on import", line) for line in acting[:1])


def _asks_for_main(node: ast.AST) -> bool:
    sides = (node.left, *node.comparators) if isinstance(node, ast.Compare) else ()
    return {last_name(side) or constant_text(side) for side in sides} == {"__name__", "__main__"}


def _flags(path: str, nodes: list[ast.AST]) -> Iterator[tuple[Flag, Default]]:
    """Yield the flags of argparse where they are added, and what code finds under which name without them."""
    for node in nodes:
        match node:
            case ast.Call(func=ast.Attribute(attr="add_argument")):
                if names := tuple(text for text in map(constant_text, node.args) if text):
                    yield _flag(path, names, node)


def _flag(path: str, names: tuple[str, ...], call: ast.Call) -> tuple[Flag, Default]:
    keywords = {keyword.arg: keyword.value for keyword in call.keywords}
    action, default = constant_text(keywords.get("action")), keywords.get("default")
    value = literal(default)
    if default is None and action in ("store_true", "store_false"):
        value = action == "store_false"
    # As argparse does: a name without hyphens, else the first long flag, else the first.
    best = min(names, key=lambda name: 0 if not name.startswith("-") else 1 if name.startswith("--") else 2)
    destination = constant_text(keywords.get("dest")) or best.lstrip("-").replace("-", "_")
    given = value is not NOTHING or default is not None
    shown = spell_setting((destination,), value) if given else None
    return Flag(names, shown, f"{path}:{call.lineno}"), Default((destination,), value, call.lineno)


def without_mark(name: str) -> str:
    """Return the name of the setting that a default is for: ``epochs`` of ``default_epochs`` and ``EPOCHS_DEFAULT``."""
    return _MARK.sub("", name) or name


def _defaults(tree: ast.Module, nodes: list[ast.AST]) -> Iterator[Default]:
    """Yield the literals that code falls back on."""
    bodies = [tree.body, *(node.body for node in nodes if isinstance(node, ast.ClassDef))]
    declared = {id(statement) for body in bodies for statement in body}  # constants and fields, not local variables
    for node in nodes:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda():
                yield from _of_parameters(node.args)
            case ast.BoolOp() | ast.IfExp():
                yield from _alternative(node)
            case ast.Call(func=ast.Attribute(), args=[_, given]) | ast.Call(func=ast.Name(), args=[_, _, given]):
                yield from _default(_looked_up(node) or "", given)  # where x.get("key", …) finds no key
            case ast.Assign(value=ast.expr() as value) | ast.AnnAssign(value=ast.expr() as value):
                for name in map(last_name, node.targets if isinstance(node, ast.Assign) else [node.target]):
                    if id(node) in declared or without_mark(name) != name:
                        yield from _default(name, value)
                    if any(word in name.lower() for word in _TABLES):
                        yield from _table((), value)


def _of_parameters(arguments: ast.arguments) -> Iterator[Default]:
    positional = [*arguments.posonlyargs, *arguments.args]
    pairs = [*zip(positional[len(positional) - len(arguments.defaults) :], arguments.defaults, strict=True)]
    pairs += [(name, value) for name, value in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True) if value]
    for name, value in pairs:
        yield from _default(name.arg, value)


def _alternative(node: ast.BoolOp | ast.IfExp) -> Iterator[Default]:
    """Yield the literal that takes the place of a value which is not there.

    That is ``args.epochs or 60``, ``args.epochs if args.epochs is not None else 60``, ``60 if epochs is None else
    epochs``, ``c["x"] if "x" in c else 1``; not ``rate if training else 0``, whose condition is about something else.
    """
    if isinstance(node, ast.BoolOp):
        if isinstance(node.op, ast.Or) and len(node.values) == 2:
            yield from _default(_setting(node.values[0]), node.values[1])
        return
    asked = {last_name(part) or constant_text(part) for part in ast.walk(node.test)}
    for value, fallback in ((node.body, node.orelse), (node.orelse, node.body)):
        if _setting(value) in asked:
            yield from _default(_setting(value), fallback)


def _setting(value: ast.expr) -> str:
    """Return the name under which a value is looked up, "" where there is none."""
    return last_name(value) or _looked_up(value) or ""


def _looked_up(node: ast.AST) -> str | None:
    """Return the constant key of ``x["key"]``, of ``x.get("key", …)`` and of ``getattr(x, "key", …)``."""
    match node:
        case ast.Subscript():
            return constant_text(node.slice)
        case ast.Call(func=ast.Attribute(attr=verb), args=[key, *_]) if verb in _LOOKUPS:
            return constant_text(key)
        case ast.Call(func=ast.Name(id="getattr"), args=[_, key, *_]):
            return constant_text(key)
    return None


def _default(name: str, node: ast.expr) -> Iterator[Default]:
    """Yield a literal under a name. None and containers of settings say nothing about one setting."""
    value = literal(node)
    if name and value is not NOTHING and value is not None and not isinstance(value, dict):
        yield Default((name,), value, node.lineno)


def _table(prefix: Key, node: ast.expr) -> Iterator[Default]:
    """Yield the literal entries of a table of settings, section by section."""
    if isinstance(node, ast.Dict):
        for name, value in zip(map(constant_text, node.keys), node.values, strict=True):
            if name and isinstance(value, ast.Dict):
                yield from _table((*prefix, name), value)
            elif name:
                yield from (Default((*prefix, name), one.value, one.line) for one in _default(name, value))
