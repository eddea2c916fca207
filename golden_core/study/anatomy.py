"""Where a path leads within a schema: sections, keys, descriptions. Looks at types, validates nothing."""

from __future__ import annotations

import types
import typing
from typing import Any

from pydantic import BaseModel, RootModel
from pydantic.fields import FieldInfo

from golden_core.study.faults import KeyPath

_UNIONS = {typing.Union, types.UnionType}


def sections(annotation: Any, values: Any = None) -> list[type[BaseModel]]:
    """Return the models that an annotation may stand for; none where it stands for something else.

    Of a union of models, those remain whose literal fields (such as ``process: Literal["garch"]``) agree with the
    values, where any does.
    """
    if isinstance(annotation, type) and issubclass(annotation, RootModel):
        return sections(annotation.model_fields["root"].annotation, values)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    arguments = typing.get_args(annotation)
    if typing.get_origin(annotation) is typing.Annotated:
        return sections(arguments[0], values)
    if typing.get_origin(annotation) not in _UNIONS:
        return []
    variants = [model for item in arguments for model in sections(item, values)]
    return [model for model in variants if _agrees(model, values)] or variants


def keys_at(model: type[BaseModel], path: KeyPath, values: Any) -> list[str]:
    """Return the keys that the section at a path may have."""
    models = sections(_follow(model, path, values)[0], value_at(values, path))
    return list(dict.fromkeys(name for found in models for name in found.model_fields))


def description_at(model: type[BaseModel], path: KeyPath, values: Any) -> str:
    """Return the description of the setting at a path, or nothing."""
    return _follow(model, path, values)[1]


def _follow(model: type[BaseModel], path: KeyPath, values: Any) -> tuple[Any, str]:
    annotation: Any = model
    description = ""
    for depth, part in enumerate(path):
        annotation, description = _enter(annotation, part, value_at(values, path[:depth]))
    return annotation, description


def _enter(annotation: Any, part: str | int, values: Any) -> tuple[Any, str]:
    """Take one step down: into a field of a section, an entry of a list, a value of a mapping."""
    for section in sections(annotation, values):
        if (found := section.model_fields.get(str(part))) is not None:
            return found.annotation, found.description or ""
    arguments = typing.get_args(annotation)
    if typing.get_origin(annotation) in _UNIONS:
        arguments = next((inner for item in arguments if (inner := typing.get_args(item))), ())
    if not arguments:
        return None, ""
    item = arguments[0] if isinstance(part, int) else arguments[-1]
    notes = [note.description for note in typing.get_args(item)[1:] if isinstance(note, FieldInfo) and note.description]
    return item, notes[0] if notes else ""


def _agrees(model: type[BaseModel], values: Any) -> bool:
    literals = {
        name: typing.get_args(field.annotation)
        for name, field in model.model_fields.items()
        if typing.get_origin(field.annotation) is typing.Literal
    }
    return isinstance(values, dict) and all(values[name] in known for name, known in literals.items() if name in values)


def value_at(values: Any, path: KeyPath) -> Any:
    """Return what stands at a path of plain values, or None."""
    for part in path:
        inside = part in values if isinstance(values, dict) else isinstance(values, list) and isinstance(part, int)
        values = values[part] if inside else None
    return values
