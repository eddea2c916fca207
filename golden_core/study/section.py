"""What every section of a study is: frozen, strict, with rules across its fields. Which there are stands elsewhere."""

from __future__ import annotations

from typing import ClassVar, Self

from pydantic import BaseModel, ConfigDict, model_validator
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
