"""What every section of a study is: frozen, strict, with rules across its fields. Which there are stands elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, SerializerFunctionWrapHandler, model_serializer, model_validator
from pydantic_core import PydanticCustomError

from golden_core.study.faults import dotted
from golden_core.study.messages import BROKEN_RULE
from golden_core.study.rules import Rule, broken


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
