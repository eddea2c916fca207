"""The plan: phases and milestones as data/milestones/*.yaml declare them. What became of them is said elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache
from itertools import chain
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, ValidationError, model_validator
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from golden_core.store.lake import shipped
from golden_core.study import Section

PLAN = shipped("milestones")
PHASES = tuple(f"P{number}" for number in range(7))
METADATA, SIGN_OFFS = "metadata.json", "signoffs.json"

Decider = Literal["check", "command", "sign_off"]


class RegistryError(ValueError):
    """The declared plan is not a plan; names the file and what is wrong."""


def _relative(path: str) -> str:
    parts = PurePosixPath(path).parts
    if not parts or path != "/".join(parts) or any(part.startswith(".") for part in parts) or "\\" in path:
        raise ValueError(f"must be a plain relative path such as tables/errors.csv, got {path!r}")
    return path


def _deliverable(name: str) -> str:
    if name in {METADATA, SIGN_OFFS}:
        raise ValueError(f"{name} is written by the mechanism itself and cannot be a deliverable")
    return _relative(name)


Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
RelativePath = Annotated[str, Field(max_length=200), AfterValidator(_relative)]


class Input(Section):
    """Something a milestone is made from."""

    title: str = Field(min_length=1)
    path: RelativePath | None = Field(
        description="from the repository's root, * within a name; null: the user names it"
    )


class Deliverable(Section):
    """A file, or with * a family of files, in the folder of the milestone's evidence."""

    name: Annotated[str, Field(max_length=200), AfterValidator(_deliverable)]
    title: str = Field(min_length=1)


class Criterion(Section):
    """One acceptance criterion, decided by exactly one of: an asset check, a command, a person's signature."""

    id: Name
    claim: str = Field(min_length=1)
    check: str | None = Field(default=None, pattern=r"^[A-Za-z0-9_/]+:[a-z0-9_]+$", description="asset:check")
    command: Annotated[tuple[str, ...], Field(min_length=1)] | None = Field(default=None, description="exits with 0")
    sign_off: Name | None = Field(default=None, description="role of whoever signs")

    @model_validator(mode="after")
    def _one_decider(self) -> Self:
        given = [name for name in ("check", "command", "sign_off") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"{self.id} needs exactly one of check, command, sign_off; got {given or 'none'}")
        return self

    @property
    def decider(self) -> Decider:
        """Which kind of thing decides."""
        return "check" if self.check else "command" if self.command else "sign_off"

    @property
    def decided_by(self) -> str:
        """What decides, in words: ``check legacy/snapshot:…``, ``command python …``, ``sign-off by …``."""
        if self.command:
            return f"command {' '.join(self.command)}"
        return f"check {self.check}" if self.check else f"sign-off by {self.sign_off}"


class Specification(Section):
    """What a milestone takes, gives and has to satisfy, and which roles answer for it."""

    accountable: Name
    supporting: tuple[Name, ...]
    inputs: tuple[Input, ...]
    deliverables: tuple[Deliverable, ...]
    criteria: Annotated[tuple[Criterion, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _sound(self) -> Self:
        _refuse_repeats("criterion", [criterion.id for criterion in self.criteria])
        _refuse_repeats("deliverable", [deliverable.name for deliverable in self.deliverables])
        _refuse_repeats("role", [self.accountable, *self.supporting])
        if not self.human:
            raise ValueError("needs a criterion with sign_off: no milestone is accepted without a person")
        return self

    @property
    def machine(self) -> tuple[Criterion, ...]:
        """Criteria that a check or a command decides."""
        return tuple(criterion for criterion in self.criteria if criterion.decider != "sign_off")

    @property
    def human(self) -> tuple[Criterion, ...]:
        """Criteria that a person decides."""
        return tuple(criterion for criterion in self.criteria if criterion.decider == "sign_off")

    @property
    def roles(self) -> frozenset[str]:
        """Every role that is named."""
        return frozenset({self.accountable, *self.supporting, *(c.sign_off for c in self.human if c.sign_off)})


class Milestone(Section):
    """One milestone. Without a specification it is only a place in the plan: its criteria are not yet set."""

    id: str = Field(pattern=r"^P[0-6]\.M[1-3]$")
    title: str = Field(min_length=1)
    specification: Specification | None

    @property
    def criteria(self) -> tuple[Criterion, ...]:
        """The acceptance criteria; none while they are not yet set."""
        return self.specification.criteria if self.specification else ()

    def criterion(self, identity: str) -> Criterion:
        """Return a criterion by its id.

        Raises
        ------
        LookupError
            If the milestone has no such criterion; lists those it has.
        """
        for criterion in self.criteria:
            if criterion.id == identity:
                return criterion
        known = ", ".join(criterion.id for criterion in self.criteria) or "none: its criteria are not yet set"
        raise LookupError(f"{self.id} has no criterion {identity!r}; it has: {known}")


class Phase(Section):
    """A phase of the plan; its exit gate is met when all its milestones are accepted."""

    id: str = Field(pattern=r"^P[0-6]$")
    title: str = Field(min_length=1)
    milestones: Annotated[tuple[Milestone, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _own_milestones(self) -> Self:
        identities = [milestone.id for milestone in self.milestones]
        if identities != sorted(set(identities)) or not all(name.startswith(f"{self.id}.") for name in identities):
            raise ValueError(f"milestones of {self.id} must be {self.id}.M1, {self.id}.M2 … in order; got {identities}")
        return self


@dataclass(frozen=True)
class Registry:
    """The whole plan: roles with what they answer for, and the phases P0 … P6."""

    roles: dict[str, str]
    phases: tuple[Phase, ...]

    @property
    def milestones(self) -> tuple[Milestone, ...]:
        """Every milestone, in the order of the plan."""
        return tuple(chain.from_iterable(phase.milestones for phase in self.phases))

    def milestone(self, identity: str) -> Milestone:
        """Return a milestone by its id.

        Raises
        ------
        LookupError
            If the plan has no such milestone; lists those it has.
        """
        for milestone in self.milestones:
            if milestone.id == identity:
                return milestone
        raise LookupError(f"no milestone {identity!r}; the plan has {', '.join(m.id for m in self.milestones)}")

    def checks(self) -> tuple[str, ...]:
        """Return every asset check that a criterion names, as ``asset:check``."""
        return tuple(sorted({c.check for milestone in self.milestones for c in milestone.criteria if c.check}))


def load_registry(folder: Path = PLAN) -> Registry:
    """Read roles.yaml and P0.yaml … P6.yaml.

    Raises
    ------
    RegistryError
        If a file is missing or malformed, or a role is used that is not declared; names the file.
    """
    roles = _read_yaml(folder / "roles.yaml")
    if not isinstance(roles, dict) or not all(isinstance(item, str) for item in chain(roles, roles.values())):
        raise RegistryError(f"{folder / 'roles.yaml'}: must map each role to what it answers for")
    phases = tuple(_read_phase(folder / f"{name}.yaml", set(roles)) for name in PHASES)
    return Registry(roles, phases)


def matches(name: str, pattern: str) -> bool:
    """Whether a relative path is one of a family: ``*`` stands for any text within one name, never for a folder."""
    parts, patterns = name.split("/"), pattern.split("/")
    return len(parts) == len(patterns) and all(map(fnmatchcase, parts, patterns))


def _read_phase(path: Path, roles: set[str]) -> Phase:
    try:
        phase = Phase.model_validate(_read_yaml(path), strict=False)
    except ValidationError as error:
        raise RegistryError(f"{path}: " + "; ".join(_faults(error))) from None
    if phase.id != path.stem:
        raise RegistryError(f"{path}: holds {phase.id}; name the file {phase.id}.yaml")
    used = {role for m in phase.milestones if m.specification for role in m.specification.roles}
    if used - roles:
        raise RegistryError(f"{path}: {', '.join(sorted(used - roles))}: not declared in roles.yaml")
    return phase


def _read_yaml(path: Path) -> object:
    try:
        return _parsed(path.read_bytes())
    except FileNotFoundError:
        raise RegistryError(f"{path}: is missing; the plan needs roles.yaml and {PHASES[0]} … {PHASES[-1]}") from None
    except YAMLError as error:
        raise RegistryError(f"{path}: is not valid YAML: {error}") from None


@lru_cache(maxsize=16)  # every milestone's asset and checks read the whole plan
def _parsed(text: bytes) -> object:
    content: object = YAML(typ="safe", pure=True).load(text)
    return content


def _faults(error: ValidationError) -> Iterator[str]:
    for fault in error.errors():
        yield f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}"


def _refuse_repeats(kind: str, names: list[str]) -> None:
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise ValueError(f"{kind} {', '.join(repeated)} stands there twice")
