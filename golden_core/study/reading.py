"""YAML file → validated Study. The stages meet here: text, overrides, schema, rules, names; none is done here."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from golden_core.study.anatomy import sections
from golden_core.study.document import Document, TextError, compose, read_document
from golden_core.study.faults import Fault, KeyPath, StudyError, closest, dotted, show
from golden_core.study.messages import explain
from golden_core.study.overrides import ORIGIN, apply_overrides
from golden_core.study.section import Rule, Section, broken
from golden_core.study.whole import Study

MAX_BYTES = 100_000
CUSTOM = "custom"  # the key by which a study gives a forecaster a class of one's own
NAME = "[a-z][a-z0-9_]{0,39}"  # of a forecaster

Findings = list[tuple[KeyPath, str]]


@dataclass(frozen=True)
class Vocabulary:
    """What may be named: sources and forecasters with the schema of their settings, features and targets.

    ``rules`` are those that need to know what the names stand for. ``custom`` gives the schema of the settings of a
    class that a study names itself, or says in a ValueError why it cannot be used.
    """

    sources: Mapping[str, type[BaseModel]]
    forecasters: Mapping[str, type[BaseModel]]
    features: frozenset[str]
    targets: frozenset[str]
    custom: Callable[[Any], type[BaseModel]]
    rules: tuple[Rule, ...] = ()


def read_study(path: Path, vocabulary: Vocabulary, overrides: Sequence[str] = ()) -> Study:
    """Read and validate a study.

    Overrides, such as ``["training.epochs=2"]``, are applied before validation. Settings of
    source and forecasters come in their validated form, so that equal settings have equal hashes.

    Raises
    ------
    StudyError
        With every fault at once, each with file, line, column, path and the fix.
    """
    document = _read(path)
    faults = apply_overrides(document, overrides)
    faults += [_located(where, message, path.name, document) for where, message in _findings(document, vocabulary)]
    if faults:
        raise StudyError(faults)
    return Study.model_validate_json(json.dumps(_resolved(document.values, vocabulary)))


def _read(path: Path) -> Document:
    try:
        if path.is_fifo() or path.is_socket():
            raise ValueError("is no regular file")  # opening a pipe would wait for somebody to write
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise StudyError([Fault(str(path), 0, 0, "", "there is no such file")]) from None
    except (OSError, ValueError) as error:  # ValueError: a name that no file can have
        reason = getattr(error, "strerror", None) or str(error)
        raise StudyError([Fault(show(str(path)).strip("'"), 0, 0, "", f"cannot be read: {reason}")]) from None
    try:
        return _document(raw)
    except TextError as error:
        raise StudyError([Fault(path.name, *error.place, "", error.message)]) from None


def _document(raw: bytes) -> Document:
    if len(raw) > MAX_BYTES:
        raise TextError(f"is larger than {MAX_BYTES // 1000} kB; a study is a page of YAML")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = raw[: error.start]
        place = (before.count(b"\n") + 1, len(before) - (before.rfind(b"\n") + 1) + 1)
        raise TextError("is not UTF-8 text", place) from None
    node = compose(text)
    if node is None:
        raise TextError("is empty: a study is a mapping of sections, from `name: …` to `checks: …`", (1, 1))
    document = read_document(node)
    if not isinstance(document.values, dict):
        given = show(document.values)
        raise TextError(f"must be a mapping of sections, from `name: …` to `checks: …`, got {given}", (1, 1))
    return document


def _located(where: KeyPath, message: str, file: str, document: Document) -> Fault:
    line, column = document.place(where)
    return Fault(file if line else ORIGIN, line, column, dotted(where), message)


def _findings(document: Document, vocabulary: Vocabulary) -> Findings:
    """Return every fault of a document: what could not be read, then the schema, the rules and the names."""
    unreadable = document.faults
    others = _check_section(document.values, Study, unreadable) + _check_names(document.values, vocabulary)
    others += broken(vocabulary.rules, document.values, [path for path, _ in (*unreadable, *others)])
    return unreadable + [
        (path, message)
        for path, message in others
        if not any(path[: len(known)] == known and known for known, _ in unreadable)
    ]


def _check_section(values: Any, model: type[BaseModel], unreadable: Findings) -> Findings:
    """Check values against a schema, then against the rules of each of its sections that has sound fields."""
    findings: Findings = []
    try:
        # JSON mode keeps strict typing yet reads lists as tuples.
        model.model_validate_json(json.dumps(values))
    except ValidationError as error:
        findings = explain(error, model, values)
    faulty = [path for path, _ in (*findings, *unreadable)]
    for section in sections(model, values):
        findings = findings + _broken_rules(values, section, faulty, ())
    return findings


def _broken_rules(values: Any, model: type[BaseModel], faulty: list[KeyPath], prefix: KeyPath) -> Findings:
    if not isinstance(values, dict):
        return []
    below = [path[len(prefix) :] for path in faulty if path[: len(prefix)] == prefix]
    rules = model.RULES if issubclass(model, Section) else ()
    found: Findings = [((*prefix, *path), message) for path, message in broken(rules, values, below)]
    for name, field in model.model_fields.items():
        for section in sections(field.annotation, values.get(name)):
            found += _broken_rules(values.get(name), section, faulty, (*prefix, name))
    return found


def _check_names(values: dict[str, Any], vocabulary: Vocabulary) -> Findings:
    """Check names and the settings behind them, also where other sections are faulty."""
    findings: Findings = []
    data, forecasters, features = values.get("data"), values.get("forecasters"), values.get("features")
    if isinstance(data, dict) and isinstance(name := data.get("source"), str):
        where: KeyPath = ("data", "settings")
        findings += _check_named("source", name, vocabulary.sources, ("data", "source"), data.get("settings"), where)
    for name, settings in forecasters.items() if isinstance(forecasters, dict) else ():
        findings += _check_forecaster(name, settings, vocabulary)
    for index, name in enumerate(features if isinstance(features, list) else ()):
        if isinstance(name, str) and name not in vocabulary.features:
            findings.append((("features", index), _unknown("feature", name, vocabulary.features)))
    if isinstance(name := values.get("target"), str) and name not in vocabulary.targets:
        findings.append((("target",), _unknown("target", name, vocabulary.targets)))
    return findings


def _check_forecaster(name: str, settings: Any, vocabulary: Vocabulary) -> Findings:
    where: KeyPath = ("forecasters", name)
    if not (isinstance(settings, dict) and CUSTOM in settings):
        return _check_named("forecaster", name, vocabulary.forecasters, where, settings, where)
    if name in vocabulary.forecasters:
        return [(where, f"there is a forecaster {name} already: one with a class of its own needs another name")]
    if not re.fullmatch(NAME, name):
        return [(where, f"must match {NAME}, for the name becomes a folder")]
    try:
        model = vocabulary.custom(settings[CUSTOM])
    except ValueError as error:
        return [((*where, CUSTOM), str(error))]
    own = {key: value for key, value in settings.items() if key != CUSTOM}
    return [((*where, *path), message) for path, message in _check_section(own, model, [])]


def _check_named(
    noun: str,
    name: str,
    known: Mapping[str, type[BaseModel]],
    where: KeyPath,
    settings: Any,
    settings_at: KeyPath,
) -> Findings:
    if name not in known:
        return [(where, _unknown(noun, name, known))]
    if not isinstance(settings, dict):
        return []  # the schema of the study has said so already
    return [((*settings_at, *path), message) for path, message in _check_section(settings, known[name], [])]


def _unknown(noun: str, name: str, known: Any) -> str:
    return f"no {noun} is called {show(name)}{closest(name, known) or '; known: ' + ', '.join(sorted(known))}"


def _resolved(values: dict[str, Any], vocabulary: Vocabulary) -> dict[str, Any]:
    """Return the values with the settings of source and forecasters as their own schemas spell them."""
    data, forecasters = values["data"], values["forecasters"]
    source = _spelt(vocabulary.sources[data["source"]], data["settings"])
    named = {name: _forecaster(name, settings, vocabulary) for name, settings in forecasters.items()}
    return values | {"data": data | {"settings": source}, "forecasters": named}


def _forecaster(name: str, settings: dict[str, Any], vocabulary: Vocabulary) -> Any:
    if CUSTOM not in settings:
        return _spelt(vocabulary.forecasters[name], settings)
    own = {key: value for key, value in settings.items() if key != CUSTOM}
    return {CUSTOM: settings[CUSTOM], **_spelt(vocabulary.custom(settings[CUSTOM]), own)}


def _spelt(model: type[BaseModel], settings: dict[str, Any]) -> Any:
    return model.model_validate_json(json.dumps(settings)).model_dump(mode="json")
