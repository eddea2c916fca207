"""An inventory → Markdown, JSON, and a list for sha256sum. Deterministic text; nothing here looks at a tree.

What is the same in several versions is one row of the page, with the versions named; the JSON holds every fact singly.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterable, Sequence
from itertools import groupby

from golden_core.legacy.inventory import Inventory, version_of
from golden_core.study.faults import plural

NO_ROWS, NO_VERSION = "None.", "(no version)"
_PRESENCE = {None: "unknown: computed", True: "yes", False: "no"}
# Within a word an underscore is one; a bracket alone makes no link.
_MARKUP = re.compile(r"[\\`*<|~]|(?<=\])[(\[]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")

Row = tuple[Sequence[object], Iterable[str]]  # cells, and the places where they hold


def inventory_pages(inventory: Inventory) -> dict[str, str]:
    """Return the pages of an inventory by name."""
    return {
        "legacy_inventory.md": inventory_markdown(inventory),
        "legacy_inventory.json": inventory_json(inventory),
        "checksums.csv": sha256sums(inventory),
    }


def inventory_json(inventory: Inventory) -> str:
    """Return an inventory as JSON: every fact, in UTF-8 text with sorted keys."""
    return json.dumps(dataclasses.asdict(inventory), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def sha256sums(inventory: Inventory) -> str:
    """Return a list that ``sha256sum -c`` accepts, to be run at the root of the tree."""
    return "".join(f"{file.sha256}  {file.path}\n" for file in inventory.files)


def inventory_markdown(inventory: Inventory) -> str:
    """Return an inventory as a Markdown page."""
    return "\n\n".join(_parts(inventory)) + "\n"


def _parts(inventory: Inventory) -> Iterable[str]:
    configurations, scripts = inventory.configurations, inventory.scripts
    yield "# Legacy inventory"
    yield _origin(inventory)
    yield "## Versions\n\n" + _table(("version", "files", "bytes", "lines", "scripts"), _versions(inventory))
    started = [", ".join(dict.fromkeys(point.kind for point in script.entry_points)) for script in scripts]
    imports = [map(", ".join, dataclasses.astuple(script.imports)) for script in scripts]
    rows: list[Row] = [((s, *i), [script.path]) for s, i, script in zip(started, imports, scripts, strict=True)]
    yield "## Scripts\n\n" + _grouped("started by, standard, third-party, local, missing", rows)
    rows = [((", ".join(f.names), f.default or ""), [f.where]) for s in scripts for f in s.flags]
    yield "## Flags\n\n" + _grouped("flag, default", rows)
    rows = [((_inner(c.path), "yes" if c.opened_at else "no"), c.opened_at or [c.path]) for c in configurations]
    yield "## Configurations\n\n" + _grouped("file, opened", rows)
    rows = [((key,), [c.path]) for c in configurations for key in c.unused]
    yield "### Keys that no code reads by name\n\n" + _grouped("key", rows)
    found = [(c.path, one) for c in configurations for one in c.contradictions]
    rows = [((_inner(path), one.key, one.configured, one.default), one.where) for path, one in found]
    yield "### Contradictions with defaults of the code\n\n" + _grouped("file, key, configured, default", rows)
    rows = [((one.name, _PRESENCE[one.present]), [one.where]) for one in inventory.data_files]
    yield "## Data files named in code\n\n" + _grouped("name, in the tree", rows)
    rows = [((one.text,), [one.where]) for one in inventory.absolute_paths]
    yield "## Absolute paths\n\n" + _grouped("path", rows)
    rows = [((one.kind, one.count, ", ".join(map(str, one.lines))), [one.path]) for one in inventory.credentials]
    yield "## Credentials (redacted)\n\n" + _grouped("kind, count, lines", rows)
    yield "## Symbolic links (not followed)\n\n" + _table(("link", "target"), map(dataclasses.astuple, inventory.links))
    rows = [((one.reason,), [one.path]) for one in inventory.problems]
    yield "## Problems\n\n" + _grouped("reason", rows)
    rows = [((one.kind, one.bytes, one.lines, one.sha256), [one.path]) for one in inventory.files]
    yield "## Files by content\n\n" + _grouped("kind, bytes, lines, sha256", rows)


def _origin(inventory: Inventory) -> str:
    contents = len({file.sha256 for file in inventory.files})
    files, versions = plural(len(inventory.files), "file"), plural(len(inventory.versions), "version")
    told = f"{files} with {contents} distinct contents in {versions}."
    if inventory.source == "tree":
        return f"{told} Read from a tree; nothing of it was imported or executed."
    return f"{told} From the facts frozen in `data/legacy`: no tree was read, and none was verified."


def _versions(inventory: Inventory) -> Iterable[Sequence[object]]:
    for version in sorted({*inventory.versions, *(file.version for file in inventory.files)}):
        files = [file for file in inventory.files if file.version == version]
        scripts = sum(file.kind == "script" for file in files)
        sizes = sum(file.bytes for file in files), sum(file.lines for file in files)
        yield version or NO_VERSION, len(files), *sizes, scripts


def _inner(path: str) -> str:
    """Return a path without its version folder."""
    version = version_of(path)
    return path.removeprefix(f"{version}/") if version else path


def _grouped(header: str, rows: Iterable[Row]) -> str:
    """Return a table under headings in which rows of equal cells are one, and in its last column all their places."""
    groups: dict[tuple[object, ...], dict[str, None]] = {}
    for cells, places in rows:
        groups.setdefault(tuple(cells), {}).update(dict.fromkeys(places))
    return _table((*header.split(", "), "where"), ((*cells, _where(places)) for cells, places in groups.items()))


def _where(places: Iterable[str]) -> str:
    """Return places with the versions of each: ``Run.py:72 in v_01–v_03, v_05; README``."""
    versions: dict[str, list[str]] = {}
    for place in places:
        versions.setdefault(_inner(place), []).append(version_of(place) or NO_VERSION)
    return "; ".join(i if set(names) == {NO_VERSION} else f"{i} in {_runs(names)}" for i, names in versions.items())


def _runs(versions: Sequence[str]) -> str:
    """Return names in order, three or more that count on by one as first–last."""
    places = {name: (name.rstrip("0123456789"), place) for place, name in enumerate(sorted(set(versions)))}

    def run_of(name: str) -> tuple[str, int]:
        stem, place = places[name]
        return stem, int(name[len(stem) :] or -2) - place  # numbers that count on keep their distance from the place

    runs = [list(run) for _, run in groupby(places, run_of)]
    return ", ".join(f"{run[0]}–{run[-1]}" if len(run) > 2 else ", ".join(run) for run in runs)


def _table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = ["| " + " | ".join(_cell(str(value)) for value in row) + " |" for row in rows]
    if not lines:
        return NO_ROWS
    return "\n".join(["| " + " | ".join(map(_cell, header)) + " |", "|" + "---|" * len(header), *lines])


def _cell(text: str) -> str:
    """Return a text that stays in its cell and is shown as it is: no line break, no bar, no markup of its own."""
    flat = "".join(character if character.isprintable() else f"\\u{ord(character):04x}" for character in text)
    return _MARKUP.sub(r"\\\g<0>", flat)
