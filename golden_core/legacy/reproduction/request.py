"""What a person asks of an alignment: bars, settings, and experiments. How it is done is said in running.py."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import get_args

from golden_core.legacy.reproduction.experiments import Category
from golden_core.legacy.reproduction.published import RecordError
from golden_core.legacy.reproduction.running import Validation, run_experiment, run_legacy
from golden_core.store.lake import Home
from golden_core.trials import Outcome

_PLAN = re.compile(r"(?P<identity>[a-z][a-z0-9_]*):(?P<category>[a-z]+):(?P<change>.+)", re.DOTALL)
CATEGORIES = tuple(name for name in get_args(Category) if name != "unknown")


@dataclass(frozen=True)
class Plan:
    """One experiment to run: everything once more with one thing changed."""

    identity: str
    category: Category
    change: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> Plan:
        """Read ``ID:CATEGORY:KEY=VALUE;KEY=VALUE``.

        Raises
        ------
        RecordError
            If it has another form or an unknown category.
        """
        match = _PLAN.fullmatch(text.strip())
        if match is None or match["category"] not in CATEGORIES:
            raise RecordError(
                f"an experiment is ID:CATEGORY:KEY=VALUE;KEY=VALUE with a category of {', '.join(CATEGORIES)}, such as "
                f"wide:initialisation:forecasters.v04.initialisers=keras_3.15, got {text!r}"
            )
        change = tuple(part.strip() for part in match["change"].split(";"))
        return cls(match["identity"], match["category"], change)  # type: ignore[arg-type]

    def __str__(self) -> str:
        return f"{self.identity}:{self.category}:{';'.join(self.change)}"


@dataclass(frozen=True)
class Request:
    """Which bars to align with the record, under which settings."""

    bars: Path
    earlier: Path | None = None
    overrides: tuple[str, ...] = ()
    protocols: tuple[str, ...] = ()
    experiments: tuple[Plan, ...] = field(default=())

    @property
    def files(self) -> tuple[Path, ...]:
        """The files of bars."""
        return (self.bars,) if self.earlier is None else (self.bars, self.earlier)


def carry_out(
    home: Home,
    request: Request,
    *,
    backend: str = "sequential",
    workers: int = 1,
    on_outcome: Callable[[Outcome], None] = lambda _: None,
) -> Validation:
    """Run the variants, then the experiments, and align all of it with the record. What is done is not repeated.

    Raises
    ------
    RecordError, SourceError, StudyError
        As :func:`~golden_core.legacy.reproduction.running.run_legacy`.
    """
    crew = {"backend": backend, "workers": workers, "on_outcome": on_outcome}
    files, overrides = (request.bars, request.earlier), request.overrides
    alone = run_legacy(home, *files, overrides, protocols=request.protocols, **crew)  # type: ignore[arg-type]
    if not request.experiments:
        return alone
    experiments = [
        run_experiment(
            home,
            *files,
            overrides,
            identity=plan.identity,
            category=plan.category,
            change=plan.change,
            **crew,  # type: ignore[arg-type]
        )
        for plan in request.experiments
    ]
    return run_legacy(home, *files, overrides, protocols=request.protocols, experiments=experiments)
