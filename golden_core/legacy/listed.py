"""Fact files that are one numbered list, such as data/legacy/risks.yaml. What an entry holds is said elsewhere."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TypeVar

from pydantic import Field, ValidationError
from ruamel.yaml import YAML

from golden_core.study import Section


class Entry(Section):
    """A numbered fact."""

    id: str = Field(pattern=r"^[A-Z][0-9]{2}$")


EntryType = TypeVar("EntryType", bound=Entry)


class FactsError(ValueError):
    """A file of facts is not what it must be; names the file, the entry and what was expected."""


def read_list(path: Path, model: type[EntryType], letter: str) -> tuple[EntryType, ...]:
    """Return the entries of a YAML list, whose ids are a letter and two digits, from 01 on.

    Raises
    ------
    FactsError
        If an entry does not fit the model, or the ids are not in order.
    """
    entries = []
    for number, value in enumerate(YAML(typ="safe", pure=True).load(path), 1):
        try:
            entry = model.model_validate_json(json.dumps(value))
        except ValidationError as error:
            raise FactsError(f"{path}: entry {number}: {error}") from None
        if entry.id != f"{letter}{number:02d}":
            raise FactsError(f"{path}: entry {number} is called {entry.id}, expected {letter}{number:02d}")
        entries.append(entry)
    return tuple(entries)


def write_csv(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table as CSV text with line feeds."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return buffer.getvalue()
