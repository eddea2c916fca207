"""Another trainer in the place of the single one, while a forecaster fits: it asks for trainer.train, and gets this.

So a forecaster knows nothing of cohorts: one that hands its network to the trainer is trained by whichever there is.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import nn

from golden_core.inputs.windows import Examples
from golden_core.store.randomness import Stream
from golden_core.study import TrainingSection
from golden_core.training import device, trainer
from golden_core.training.cohort import Member, train_cohort
from golden_core.training.objective import MEAN, Objective
from golden_core.training.schedule import Epoch

Trainer = Callable[..., list[Epoch]]
Answer = tuple[nn.Module, list[Epoch] | trainer.TrainingError]
_SINGLE = trainer.train


@dataclass(frozen=True, eq=False)
class Request:
    """What a forecaster asked of the trainer."""

    member: Member
    training: TrainingSection
    objective: Objective


class _Asked(Exception):  # noqa: N818
    """The way out of a fit that is not to be done here; no fault."""

    def __init__(self, request: Request) -> None:
        self.request = request


@contextlib.contextmanager
def trained_by(other: Trainer) -> Iterator[None]:
    """Have another function train, with the arguments of :func:`golden_core.training.trainer.train`."""
    before, trainer.train = trainer.train, other
    try:
        yield
    finally:
        trainer.train = before


def request_of(fit: Callable[[], object]) -> Request | None:
    """Return what a forecaster's fit asks of the trainer first, without training; None where it asks for nothing."""

    def ask(
        module: nn.Module,
        train: Examples,
        validation: Examples,
        training: TrainingSection,
        stream: Stream,
        objective: Objective = MEAN,
    ) -> list[Epoch]:
        raise _Asked(Request(Member(module, train, validation, stream), training, objective))

    try:
        with trained_by(ask):
            fit()
    except _Asked as asked:
        return asked.request
    return None


@contextlib.contextmanager
def answering(answers: Mapping[tuple[str, ...], Answer]) -> Iterator[None]:
    """Answer with networks that are fitted already, by the paths of their streams; train what has no answer."""
    otherwise = trainer.train

    def answer(
        module: nn.Module,
        train: Examples,
        validation: Examples,
        training: TrainingSection,
        stream: Stream,
        objective: Objective = MEAN,
    ) -> list[Epoch]:
        if stream.path not in answers:
            return otherwise(module, train, validation, training, stream, objective)
        fitted, outcome = answers[stream.path]
        return _hand_over(module, fitted, outcome)

    with trained_by(answer):
        yield


@contextlib.contextmanager
def alone_on(kind: device.Kind) -> Iterator[None]:
    """Train every network as a cohort of one on a card, unless something else trains already; cpu changes nothing."""

    def train_alone(
        module: nn.Module,
        train: Examples,
        validation: Examples,
        training: TrainingSection,
        stream: Stream,
        objective: Objective = MEAN,
    ) -> list[Epoch]:
        member = Member(module, train, validation, stream)
        ((_, outcome),) = train_cohort([member], training, device.prepare(kind), objective=objective)
        return _hand_over(module, module, outcome)

    with trained_by(train_alone) if kind != "cpu" and trainer.train is _SINGLE else contextlib.nullcontext():
        yield


def _hand_over(module: nn.Module, fitted: nn.Module, outcome: list[Epoch] | trainer.TrainingError) -> list[Epoch]:
    if isinstance(outcome, trainer.TrainingError):
        raise outcome
    with torch.no_grad():
        module.load_state_dict(fitted.state_dict())
    module.eval()
    return outcome
