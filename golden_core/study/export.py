"""A study for other eyes: the JSON schema of study files, and the resolved study as YAML."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from golden_core.study.document import resolve
from golden_core.study.reading import CUSTOM, Vocabulary
from golden_core.study.whole import BENCHMARK, Study

WIDTH = 120
_BARE = r"[A-Za-z0-9_]([A-Za-z0-9_./ -]*[A-Za-z0-9_])?"  # text that needs no quotes, unless it reads as something else


def describe(study: Study) -> str:
    """Return a study as YAML, overrides and all, under a comment with its hash; reading it gives the same study."""
    return f"# sha256 {study.hash()}\n" + "".join(_block(study.model_dump(mode="json"), ""))


def _block(values: Mapping[str, Any], indent: str) -> Iterator[str]:
    """Yield the lines of a mapping: small leaves of the tree on one line, the rest indented."""
    for key, value in values.items():
        nested = isinstance(value, dict) and any(isinstance(entry, dict) for entry in value.values())
        line = f"{indent}{_flow(key)}: {_flow(value)}\n"
        if isinstance(value, dict) and value and (nested or len(line) > WIDTH):
            yield f"{indent}{_flow(key)}:\n"
            yield from _block(value, indent + "  ")
        else:
            yield line


def _flow(value: Any) -> str:
    """Return a value on one line of YAML 1.2."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_flow(key)}: {_flow(entry)}" for key, entry in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_flow(entry) for entry in value) + "]"
    if isinstance(value, str) and re.fullmatch(_BARE, value) and resolve(value) == value:
        return value
    return json.dumps(value, ensure_ascii=not (isinstance(value, str) and value.isprintable()))


def study_schema(vocabulary: Vocabulary) -> dict[str, Any]:
    """Return the JSON schema (2020-12) of a study file, with the settings of every source and forecaster by name.

    Rules across fields are beyond it: a file that conforms may still be refused.
    """
    named = {**vocabulary.sources, **vocabulary.forecasters}
    models: list[type[BaseModel]] = [Study, *dict.fromkeys(named.values())]
    references, schema = models_json_schema([(model, "validation") for model in models])
    definitions: dict[str, Any] = schema["$defs"]
    refer = {model: reference for (model, _), reference in references.items()}
    study = definitions.pop(refer[Study]["$ref"].rpartition("/")[2])
    data = definitions["DataSection"]
    data["properties"]["source"]["enum"] = sorted(vocabulary.sources)
    data["allOf"] = [  # what ties `settings` to `source`
        {"if": {"properties": {"source": {"const": name}}}, "then": {"properties": {"settings": dict(refer[model])}}}
        for name, model in sorted(vocabulary.sources.items())
    ]
    study["properties"]["target"]["enum"] = sorted(vocabulary.targets)
    study["properties"]["features"]["items"]["enum"] = sorted(vocabulary.features)
    study["properties"]["forecasters"] |= {
        "properties": {name: refer[model] for name, model in sorted(vocabulary.forecasters.items())},
        "required": [BENCHMARK],
        "additionalProperties": {
            "type": "object",
            "properties": {CUSTOM: {"type": "string", "description": "a class of one's own, package.module:Class"}},
            "required": [CUSTOM],
        },
    }
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **study, "$defs": definitions}
