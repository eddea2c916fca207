"""Another trainer in the place of the single one, while a forecaster fits: it asks for trainer.train, and gets this.

So a forecaster knows nothing of cohorts: one that hands its network to the trainer is trained by whichever there is.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from torch import nn

from golden_core.inputs.windows import Examples
from golden_core.store.randomness import Stream
from golden_core.study import TrainingSection
from golden_core.training import device, trainer
from golden_core.training.cohort import Member, train_cohort
from golden_core.training.objective import MEAN, Objective
from golden_core.training.schedule import Epoch

Outcome = list[Epoch] | trainer.TrainingError
_SINGLE = trainer.train


@dataclass(frozen=True, eq=False)
class Request:
    """What a forecaster asks of the trainer."""

    member: Member
    training: TrainingSection
    objective: Objective

    def like(self, other: Request) -> bool:
        """Whether both ask for the same of their networks, which may then train together."""
        return (self.training, self.objective) == (other.training, other.objective)


class _Asked(Exception):  # noqa: N818
    """The way out of a fit that is not to be done here; no fault."""


@contextlib.contextmanager
def trained_by(other: Callable[[Request], tuple[nn.Module, Outcome] | None]) -> Iterator[None]:
    """Have another function train: it returns a fitted network with its curve or error, or nothing to decline."""
    before = trainer.train

    def train(
        module: nn.Module,
        train: Examples,
        validation: Examples,
        training: TrainingSection,
        stream: Stream,
        objective: Objective = MEAN,
    ) -> list[Epoch]:
        answer = other(Request(Member(module, train, validation, stream), training, objective))
        if answer is None:
            return before(module, train, validation, training, stream, objective)
        fitted, outcome = answer
        if isinstance(outcome, trainer.TrainingError):
            raise outcome
        module.load_state_dict(fitted.state_dict())
        module.eval()
        return outcome

    trainer.train = train
    try:
        yield
    finally:
        trainer.train = before


def request_of(fit: Callable[[], object]) -> Request | None:
    """Return what a forecaster's fit asks of the trainer first, without training; None where it asks for nothing."""
    asked: list[Request] = []

    def ask(request: Request) -> None:
        asked.append(request)
        raise _Asked

    with contextlib.suppress(_Asked), trained_by(ask):
        fit()
    return asked[0] if asked else None


def answering(
    answers: Mapping[tuple[str, ...], tuple[nn.Module, Outcome]], kind: device.Kind
) -> contextlib.AbstractContextManager[None]:
    """Answer with networks that are fitted already, each once, by the paths of their streams; train others alone."""
    left = dict(answers)
    return trained_by(lambda request: left.pop(request.member.stream.path, None) or _alone(kind, request))


def alone_on(kind: device.Kind) -> contextlib.AbstractContextManager[None]:
    """Train every network as a cohort of one on a card, unless something else trains already; cpu changes nothing."""
    return trained_by(partial(_alone, kind)) if kind != "cpu" and trainer.train is _SINGLE else contextlib.nullcontext()


def _alone(kind: device.Kind, request: Request) -> tuple[nn.Module, Outcome] | None:
    if kind == "cpu":
        return None
    where, objective = device.prepare(kind), request.objective
    ((_, outcome),) = train_cohort([request.member], request.training, where, objective=objective)
    return request.member.module, outcome
