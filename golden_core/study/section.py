"""What every section of a study is: frozen, strict, with rules across its fields. Which there are stands elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, SerializerFunctionWrapHandler, model_serializer, model_validator
from pydantic_core import PydanticCustomError

from golden_core.study.anatomy import value_at
from golden_core.study.faults import KeyPath, dotted
from golden_core.study.messages import BROKEN_RULE


@dataclass(frozen=True)
class Rule:
    """A condition across fields.

    It is looked at as soon as every field that it reads is right by itself, whatever else is wrong with the study: so
    a broken rule is reported together with all other faults.

    ``reads`` are dotted names of fields within its section, the first of which is blamed; ``check`` takes their plain
    values, none of them null or missing, and returns what is wrong, or None. ``keys_only``: it reads only the keys of a
    mapping, so that faults in its values do not matter. ``absent_too``: it is about what is missing, so that every
    value but the first may be None.
    """

    reads: tuple[str, ...]
    check: Callable[..., str | None]
    keys_only: bool = False
    absent_too: bool = False


def broken(
    rules: Collection[Rule], values: Mapping[str, Any], faulty: Collection[KeyPath] = ()
) -> list[tuple[KeyPath, str]]:
    """Return path and fault of every rule that plain values break; rules that read a ``faulty`` field are left out."""
    found: list[tuple[KeyPath, str]] = []
    for rule in rules:
        paths: list[KeyPath] = [tuple(name.split(".")) for name in rule.reads]
        if any(_touches(fault, path, rule.keys_only) for fault in faulty for path in paths):
            continue
        read = [value_at(values, path) for path in paths]
        needed = read[:1] if rule.absent_too else read
        if not any(value is None for value in needed) and (message := rule.check(*read)):
            found.append((paths[0], message))
    return found


def _touches(fault: KeyPath, path: KeyPath, keys_only: bool) -> bool:
    """Whether a fault stands at a path or above it, or below it."""
    at_or_above = path[: len(fault)] == fault
    return at_or_above or (not keys_only and fault[: len(path)] == path)


class Section(BaseModel):
    """A frozen part of a study that refuses unknown keys, loose types, NaN and infinity."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    RULES: ClassVar[tuple[Rule, ...]] = ()

    @model_validator(mode="after")
    def _obey_rules(self) -> Self:
        values = self.model_dump() if self.RULES else {}
        faults = [f"{dotted(path)}: {message}" for path, message in broken(self.RULES, values)]
        if faults:
            raise PydanticCustomError(BROKEN_RULE, "{faults}", {"faults": "; ".join(faults)})
        return self


class SparseSection(Section):
    """A section that writes nothing of a choice not made: a study is what it was before there was the choice."""

    UNSAID: ClassVar[Mapping[str, Any]]

    @model_serializer(mode="wrap")
    def _leave_out(self, given: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {name: value for name, value in given(self).items() if self.UNSAID.get(name, ...) != value}
