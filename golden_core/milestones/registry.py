"""The plan: phases and milestones as data/milestones/*.yaml declare them. What became of them is said elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import chain
from pathlib import Path, PurePosixPath
from typing import Annotated, Self

from pydantic import AfterValidator, Field, RootModel, model_validator

from golden_core.milestones.records import EvidenceError, read_declared
from golden_core.store.lake import shipped
from golden_core.study import Section

PLAN = shipped("milestones")
PHASES = tuple(f"P{number}" for number in range(7))
METADATA, SIGN_OFFS = "metadata.json", "signoffs.json"
EXTERNAL = "external"  # the role of a reviewer from outside, who has no role in the plan


def _relative(path: str) -> str:
    parts = PurePosixPath(path).parts
    if not parts or path != "/".join(parts) or any(part == ".." for part in parts) or "\\" in path:
        raise ValueError(f"must be a plain relative path such as tables/errors.csv, got {path!r}")
    return path


Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Role = Annotated[str, Field(pattern=r"^([A-Z]{2}|external)$")]
Roles = Annotated[tuple[Role, ...], Field(min_length=1)]
Text = Annotated[str, Field(min_length=1)]
Path_ = Annotated[str, Field(max_length=200), AfterValidator(_relative)]


class Input(Section):
    """Something a milestone is made from."""

    title: Text
    path: Path_ | None = Field(description="from the repository's root, * within a name; null: the user names it")


class Deliverable(Section):
    """What a milestone gives, under the plan's name: files of the evidence, or files of the repository itself."""

    name: Text
    title: Text
    files: tuple[Path_, ...] = Field(default=(), description="in the folder of evidence, * within a name")
    repository: tuple[Path_, ...] = Field(default=(), description="from the repository's root, * within a name")
    beyond: bool = Field(default=False, description="ours: the plan does not ask for it")

    @property
    def patterns(self) -> tuple[str, ...]:
        """Files that it consists of in the folder of evidence; its name where nothing else is said."""
        return self.files if self.files or self.repository else (self.name,)

    @model_validator(mode="after")
    def _sound(self) -> Self:
        for pattern in map(_relative, self.patterns):
            if pattern in {METADATA, SIGN_OFFS}:
                raise ValueError(f"{pattern} is written by the mechanism itself and cannot be a deliverable")
        return self


class Criterion(Section):
    """One acceptance criterion, decided by exactly one of: an asset check, a command, signatures, owners."""

    id: Name
    claim: Text
    check: str | None = Field(default=None, pattern=r"^[A-Za-z0-9_/]+:[a-z0-9_]+$", description="asset:check")
    command: Annotated[tuple[str, ...], Field(min_length=1)] | None = Field(default=None, description="exits with 0")
    sign_off: Roles | None = Field(default=None, description="roles that all sign")
    owned: str | None = Field(default=None, description="phase whose milestones all have an owner")
    beyond: bool = Field(default=False, description="ours: the plan does not ask for it")

    @model_validator(mode="after")
    def _one_decider(self) -> Self:
        given = [name for name in ("check", "command", "sign_off", "owned") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"{self.id} needs exactly one of check, command, sign_off; got {given or 'none'}")
        return self

    @property
    def human(self) -> bool:
        """Whether persons decide."""
        return self.sign_off is not None

    @property
    def decided_by(self) -> str:
        """What decides, in words: ``check legacy/snapshot:…``, ``command python …``, ``sign-off by …``."""
        if self.command:
            return f"command {' '.join(self.command)}"
        if self.sign_off:
            return f"sign-off by {' and '.join(self.sign_off)}"
        return f"check {self.check}" if self.check else f"owners of {self.owned}"


class Accepted(Section):
    """What milestones and phases share: an id, a title, criteria of acceptance."""

    id: str
    title: Text
    criteria: Annotated[tuple[Criterion, ...], Field(min_length=1)]

    def criterion(self, identity: str) -> Criterion:
        """Return a criterion by its id; LookupError lists those there are."""
        for criterion in self.criteria:
            if criterion.id == identity:
                return criterion
        known = ", ".join(criterion.id for criterion in self.criteria)
        raise LookupError(f"{self.id} has no criterion {identity!r}; it has: {known}")


class Milestone(Accepted):
    """What a milestone takes, gives and has to satisfy, and which roles answer for it."""

    id: str = Field(pattern=r"^P[0-6]\.M[1-3]$")
    accountable: Roles
    supporting: tuple[Role, ...]
    duration: Text
    tasks: Annotated[tuple[Text, ...], Field(min_length=1)]
    inputs: tuple[Input, ...]
    deliverables: Annotated[tuple[Deliverable, ...], Field(min_length=1)]

    @property
    def patterns(self) -> tuple[str, ...]:
        """Every file, or family of files, of its folder of evidence."""
        return tuple(chain.from_iterable(deliverable.patterns for deliverable in self.deliverables))

    @model_validator(mode="after")
    def _sound(self) -> Self:
        refuse_repeats("criterion", [criterion.id for criterion in self.criteria])
        refuse_repeats("deliverable", [deliverable.name for deliverable in self.deliverables])
        refuse_repeats("role", [*self.accountable, *self.supporting])
        if not any(criterion.human for criterion in self.criteria):
            raise ValueError("needs a criterion with sign_off: no milestone is accepted without a person")
        return self


class Phase(Accepted):
    """A phase of the plan; its exit gate is met when its milestones are accepted and its own criteria met."""

    id: str = Field(pattern=r"^P[0-6]$")
    weeks: Text
    milestones: Annotated[tuple[Milestone, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _own_milestones(self) -> Self:
        identities = [milestone.id for milestone in self.milestones]
        if identities != sorted(set(identities)) or not all(name.startswith(f"{self.id}.") for name in identities):
            raise ValueError(f"milestones of {self.id} must be {self.id}.M1, {self.id}.M2 … in order; got {identities}")
        return self


class _Role(Section):
    title: Text
    answers_for: Text


_Roles = RootModel[dict[str, _Role]]


@dataclass(frozen=True)
class Registry:
    """The whole plan: role → title, and the phases P0 … P6."""

    roles: dict[str, str]
    phases: tuple[Phase, ...]

    @property
    def milestones(self) -> tuple[Milestone, ...]:
        """Every milestone, in the order of the plan."""
        return tuple(chain.from_iterable(phase.milestones for phase in self.phases))

    def milestone(self, identity: str) -> Milestone:
        """Return a milestone by its id; LookupError lists those there are."""
        for milestone in self.milestones:
            if milestone.id == identity:
                return milestone
        raise LookupError(f"no milestone {identity!r}; the plan has {', '.join(m.id for m in self.milestones)}")


def load_registry(folder: Path = PLAN) -> Registry:
    """Read roles.yaml and P0.yaml … P6.yaml; EvidenceError names the file and what is wrong."""
    roles = read_declared(_Roles, folder / "roles.yaml").root
    titles = {role: said.title for role, said in roles.items()}
    return Registry(titles, tuple(_read_phase(folder / f"{name}.yaml", roles.keys() | {EXTERNAL}) for name in PHASES))


def matches(name: str, pattern: str) -> bool:
    """Whether a relative path is one of a family: ``*`` stands for any text within one name, never for a folder."""
    parts, patterns = name.split("/"), pattern.split("/")
    return len(parts) == len(patterns) and all(map(fnmatchcase, parts, patterns))


def _read_phase(path: Path, roles: set[str]) -> Phase:
    phase = read_declared(Phase, path)
    if phase.id != path.stem:
        raise EvidenceError(f"{path}: holds {phase.id}; name the file {phase.id}.yaml")
    criteria = chain(phase.criteria, *(milestone.criteria for milestone in phase.milestones))
    used = chain(*(c.sign_off or () for c in criteria), *((*m.accountable, *m.supporting) for m in phase.milestones))
    if unknown := set(used) - roles:
        raise EvidenceError(f"{path}: {', '.join(sorted(unknown))}: not declared in roles.yaml")
    return phase


def refuse_repeats(kind: str, names: Sequence[str]) -> None:
    """Raise a ValueError where a name stands twice."""
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise ValueError(f"{kind} {', '.join(repeated)} stands there twice")
