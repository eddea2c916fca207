"""One file of the tree → everything it tells by itself. What needs the other files is put together in scanning.py."""

from __future__ import annotations

import bisect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from golden_core.legacy.facts.configurations import Document, dotted, read_configuration
from golden_core.legacy.facts.contents import LARGEST, LISTED_LINES, Contents, named_kind, read_contents
from golden_core.legacy.facts.credentials import find_credentials, is_placeholder, names_credential
from golden_core.legacy.facts.names import file_system_path
from golden_core.legacy.facts.packages import required
from golden_core.legacy.facts.paths import absolute_paths, paths_within
from golden_core.legacy.facts.scripts import ScriptFacts, script_facts
from golden_core.legacy.facts.source import Source, parse_notebook, parse_script
from golden_core.legacy.facts.values import Key
from golden_core.legacy.inventory import Credential, File, Mention, Problem, version_of


@dataclass(frozen=True)
class Report:
    """What one file tells. ``secrets`` stay in memory and serve to redact."""

    file: File
    script: ScriptFacts | None
    document: Document | None
    packages: frozenset[str]
    absolute_paths: tuple[Mention, ...]
    credentials: tuple[Credential, ...]
    secrets: frozenset[bytes]
    problems: tuple[Problem, ...]


def report(root: Path, name: str) -> Report:
    """Read one regular file.

    Parameters
    ----------
    root : Path
        Root of the tree.
    name : str
        Printable path of the file from there.

    Raises
    ------
    OSError
        If the file cannot be read.
    """
    contents = read_contents(str(root / file_system_path(name)), name)
    script = _script(name, contents)
    document = _document(name, contents)
    further = {secret: line for secret, line in _secrets(script, document) if secret not in contents.secrets}
    return Report(
        file=File(name, contents.sha256, contents.bytes, contents.lines, version_of(name), contents.kind),
        script=script,
        document=document,
        packages=frozenset(required(name, contents.text or b"")),
        absolute_paths=tuple(_absolute_paths(name, contents, script, document)),
        credentials=contents.credentials + _further(name, further),
        secrets=contents.secrets.union(further),
        problems=tuple(Problem(name, reason) for reason in _reasons(name, contents, script, document)),
    )


def _script(name: str, contents: Contents) -> ScriptFacts | None:
    if contents.kind not in ("script", "notebook"):
        return None
    if contents.text is None:
        return script_facts(name, Source("not parsed", (), (_too_large(contents),)))
    parse = parse_script if contents.kind == "script" else parse_notebook
    return script_facts(name, parse(name, contents.text))


def _document(name: str, contents: Contents) -> Document | None:
    if contents.kind != "configuration":
        return None
    return read_configuration(name, contents.text) if contents.text is not None else Document({}, _too_large(contents))


def _too_large(contents: Contents) -> str:
    return f"hashed but not parsed: {contents.bytes} bytes, more than {LARGEST[contents.kind]}"


def _reasons(name: str, contents: Contents, script: ScriptFacts | None, document: Document | None) -> Iterator[str]:
    """Say what of a file was not read, or is not what its name promises."""
    yield from script.reasons if script else ()
    if document and document.reason:
        yield document.reason
    if contents.kind == "binary" and named_kind(name) in ("script", "notebook", "configuration"):
        yield "not parsed: it holds null bytes"
    if contents.utf_16 and script:
        yield "UTF-16, which Python does not read; parsed all the same"


def _secrets(script: ScriptFacts | None, document: Document | None) -> Iterator[tuple[bytes, int]]:
    """Yield what only the parsed file gives away: texts under a credential's name, texts that hold one; with lines."""
    named: list[tuple[Key, object, int]] = [(*item, 0) for item in document.settings.items()] if document else []
    named += [(default.key, default.value, default.line) for default, _ in script.defaults] if script else []
    for key, value, line in named:
        if isinstance(value, str) and any(map(names_credential, key)) and value.strip() and not is_placeholder(value):
            yield value.encode("utf-8", "surrogatepass"), line
    for text, where in script.texts if script else ():
        for found in find_credentials(text.encode("utf-8", "surrogatepass"), bare=True):
            yield found.secret, int(where.rsplit(":", 1)[-1])


def _further(name: str, secrets: dict[bytes, int]) -> tuple[Credential, ...]:
    lines = tuple(sorted({line for line in secrets.values() if line})[:LISTED_LINES])
    return (Credential(name, "value that holds a credential once read", len(secrets), lines),) if secrets else ()


def _absolute_paths(
    name: str, contents: Contents, script: ScriptFacts | None, document: Document | None
) -> list[Mention]:
    """Return the absolute paths that code or settings hold; of a text without either, those in its lines."""
    if script and script.language == "Python 3":
        return [Mention(path, where) for text, where in script.texts for path in absolute_paths(text)]
    if document and not document.reason:
        values = [(key, value) for key, value in document.settings.items() if isinstance(value, str)]
        return [Mention(path, f"{name}:{dotted(key)}") for key, value in values for path in absolute_paths(value)]
    return _in_lines(name, contents.text) if contents.text and contents.kind != "notebook" else []


def _in_lines(name: str, text: bytes) -> list[Mention]:
    decoded = text.decode("utf-8", "replace")
    found = list(paths_within(decoded))
    ends = [match.start() for match in re.finditer("\n", decoded)] if found else []
    return [Mention(path, f"{name}:{1 + bisect.bisect_left(ends, offset)}") for path, offset in found]
