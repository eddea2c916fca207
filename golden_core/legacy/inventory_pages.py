"""An inventory → Markdown, JSON, and a list for sha256sum. Deterministic text; nothing here looks at a tree."""

from __future__ import annotations

import dataclasses
import json
import os
import re
from collections.abc import Iterable, Sequence
from itertools import combinations

from golden_core.legacy.facts.names import raw
from golden_core.legacy.inventory import Configuration, Inventory, Script, version_of

NO_ROWS = "None."
# Within a word an underscore is one; a bracket alone makes no link.
_MARKUP = re.compile(r"[\\`*<|~]|(?<=\])[(\[]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")


def inventory_json(inventory: Inventory) -> str:
    """Return an inventory as JSON: every fact, in UTF-8 text with sorted keys."""
    return json.dumps(dataclasses.asdict(inventory), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def sha256sums(inventory: Inventory) -> str:
    r"""Return a list that ``sha256sum -c`` accepts, to be run at the root of the tree.

    As sha256sum does, a name with a backslash, line feed or carriage return is escaped, and its line begins with a
    backslash. A name that is not UTF-8 holds surrogates: write the text with ``errors="surrogateescape"``.
    """
    return "".join(_sum_line(file.sha256, raw(file.path)) for file in inventory.files)


def _sum_line(digest: str, name: bytes) -> str:
    if name == b"-":
        name = b"./-"  # alone, a hyphen means standard input
    escaped = name.replace(b"\\", rb"\\").replace(b"\n", rb"\n").replace(b"\r", rb"\r")
    return ("\\" if escaped != name else "") + f"{digest}  {os.fsdecode(escaped)}\n"


def inventory_markdown(inventory: Inventory) -> str:
    """Return an inventory as a Markdown page."""
    return "\n\n".join(part for part in _parts(inventory)) + "\n"


def _parts(inventory: Inventory) -> Iterable[str]:
    yield "# Legacy inventory"
    yield _origin(inventory)
    yield "## Versions\n\n" + _table(("version", "files", "bytes", "lines", "scripts"), _versions(inventory))
    yield "## Scripts and notebooks\n\n" + _table(
        ("script", "language", "started by", "standard", "third-party", "local", "missing"),
        [_script(script) for script in inventory.scripts],
    )
    yield "## Flags\n\n" + _table(
        ("flag", "default", "parser", "where"),
        [
            (", ".join(flag.names), flag.default or "", flag.parser, flag.where)
            for script in inventory.scripts
            for flag in script.flags
        ],
    )
    yield "## Configurations\n\n" + _table(
        ("file", "opened at", "read", "unused"), [_configuration(one) for one in inventory.configurations]
    )
    yield "### Contradictions with defaults of the code\n\n" + _table(
        ("file", "key", "configured", "default", "where"),
        [
            (one.path, found.key, found.configured, found.default, ", ".join(found.where))
            for one in inventory.configurations
            for found in one.contradictions
        ],
    )
    yield "### Keys read but set nowhere\n\n" + _table(
        ("key", "where"), map(dataclasses.astuple, inventory.undefined_keys)
    )
    yield from _differences(inventory)
    yield "## Identical files\n\n" + _table(
        ("sha256", "files", "paths"),
        [(cluster.sha256[:16], str(len(cluster.paths)), ", ".join(cluster.paths)) for cluster in inventory.clusters],
    )
    yield "## Data files named in code\n\n" + _table(
        ("name", "where", "in the tree"),
        [(one.name, one.where, _presence(one.present)) for one in inventory.data_files],
    )
    yield "## Absolute paths\n\n" + _table(("path", "where"), map(dataclasses.astuple, inventory.absolute_paths))
    yield "## Credentials (redacted)\n\n" + _table(
        ("file", "kind", "count", "lines"),
        [(one.path, one.kind, str(one.count), ", ".join(map(str, one.lines))) for one in inventory.credentials],
    )
    yield "## Symbolic links (not followed)\n\n" + _table(
        ("link", "target", "leads"), map(dataclasses.astuple, inventory.links)
    )
    yield "## Problems\n\n" + _table(("path", "reason"), map(dataclasses.astuple, inventory.problems))
    yield "## Files\n\n" + _table(
        ("path", "kind", "bytes", "lines", "sha256"),
        [(file.path, file.kind, str(file.bytes), str(file.lines), file.sha256) for file in inventory.files],
    )


def _origin(inventory: Inventory) -> str:
    contents = len({file.sha256 for file in inventory.files})
    told = f"{len(inventory.files)} files with {contents} distinct contents in {len(inventory.versions)} versions."
    if inventory.source == "tree":
        return f"{told} Read from a tree; nothing of it was imported or executed."
    return f"{told} From the facts frozen in `data/legacy`: no tree was read, and none was verified."


def _versions(inventory: Inventory) -> Iterable[Sequence[str]]:
    scripts = [version_of(script.path) for script in inventory.scripts]
    for version in sorted({*inventory.versions, *(file.version for file in inventory.files)}):
        files = [file for file in inventory.files if file.version == version]
        sizes = str(sum(file.bytes for file in files)), str(sum(file.lines for file in files))
        yield version or "(root)", str(len(files)), *sizes, str(scripts.count(version))


def _script(script: Script) -> Sequence[str]:
    imports = script.imports
    started = ", ".join(dict.fromkeys(point.kind for point in script.entry_points))
    origins = (imports.standard, imports.third_party, imports.local, imports.missing)
    return script.path, script.language, started, *(", ".join(names) for names in origins)


def _configuration(one: Configuration) -> Sequence[str]:
    read = ", ".join(found.key for found in one.read)
    return one.path, ", ".join(one.opened_at) or "nowhere", read, ", ".join(one.unused)


def _differences(inventory: Inventory) -> Iterable[str]:
    """Yield the difference matrix of each configuration file, and how many settings differ between two versions."""
    yield "## Differences between configurations"
    files = dict.fromkeys(row.file for row in inventory.differences)
    if not files:
        yield NO_ROWS
    for file in files:
        rows = [row for row in inventory.differences if row.file == file]
        versions = sorted({version for row in rows for version in row.values})
        cells = [(row.key, *(_absent(row.values[version]) for version in versions)) for row in rows]
        yield f"### {_cell(file)}\n\n" + _table(("key", *versions), cells)
        counts = {
            pair: sum(row.values[pair[0]] != row.values[pair[1]] for row in rows) for pair in combinations(versions, 2)
        }
        matrix = [
            (one, *("" if one == other else str(counts[min(one, other), max(one, other)]) for other in versions))
            for one in versions
        ]
        yield "Settings that differ:\n\n" + _table(("", *versions), matrix)


def _absent(value: str | None) -> str:
    return "—" if value is None else value


def _presence(present: bool | None) -> str:
    return "unknown: computed" if present is None else "yes" if present else "no"


def _table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = ["| " + " | ".join(_cell(str(value)) for value in row) + " |" for row in rows]
    if not lines:
        return NO_ROWS
    return "\n".join(["| " + " | ".join(map(_cell, header)) + " |", "|" + "---|" * len(header), *lines])


def _cell(text: str) -> str:
    """Return a text that stays in its cell and is shown as it is: no line break, no bar, no markup of its own."""
    flat = "".join(character if character.isprintable() else f"\\u{ord(character):04x}" for character in text)
    return _MARKUP.sub(r"\\\g<0>", flat)
