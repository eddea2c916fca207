"""Many networks of one architecture trained together, each as by the single trainer: the loop of trainer.py, stacked.

Members share the device's time and nothing else: each has its own examples, starting values, shuffles, learning rate,
clipping, schedules and best epoch. Shape letters: M members, N windows, B batch, L context, F features, P weights and
Q moving statistics of one member, S steps of an epoch.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.func import vmap

from golden_core.inputs.windows import Examples, IntArray
from golden_core.store.randomness import Stream
from golden_core.study import TrainingSection
from golden_core.training.batches import Batches, Rows
from golden_core.training.functional import Stacked
from golden_core.training.objective import MEAN, Objective
from golden_core.training.schedule import Epoch, PlateauSchedule, StoppingRule
from golden_core.training.stacked_optimiser import StackedAdamW, clip
from golden_core.training.trainer import TrainingError, _verify

INFERENCE_ROWS = 256  # windows of each member; fixed, because the shape of a product can change its last bit


@dataclass(frozen=True, eq=False)
class Member:
    """What the single trainer would be given: a network with its starting values, examples, and a stream."""

    module: nn.Module
    train: Examples
    validation: Examples
    stream: Stream


@dataclass(frozen=True)
class Progress:
    """An epoch of a cohort: how many members went through it, and at which speed, validation included."""

    epoch: int
    members: int
    windows: int
    seconds: float
    cpu_seconds: float

    @property
    def speed(self) -> float:
        """Training windows per second."""
        return self.windows / self.seconds


def train_cohort(
    members: Sequence[Member],
    training: TrainingSection,
    device: torch.device,
    *,
    objective: Objective = MEAN,
    watch: Callable[[Progress], None] = lambda _progress: None,
) -> Iterator[tuple[int, list[Epoch] | TrainingError]]:
    """Fit networks in place, and yield the place of each with its learning curve as soon as it has finished.

    A member ends as :func:`golden_core.training.trainer.train` would have left it alone, up to rounding;
    the rounding depends on the company. A member whose loss is not finite ends with the error of its own, and the
    others go on without it. The number format is that of the networks.

    Raises
    ------
    CohortError
        If the networks cannot train together.
    """
    cohort = _Cohort(members, training, device, objective)
    for number in range(1, training.epochs + 1):
        started, cpu_started = time.perf_counter(), time.process_time()
        train_losses, validation_losses = cohort.fit_epoch(number), cohort.validation_losses()
        elapsed = time.perf_counter() - started, time.process_time() - cpu_started
        watch(Progress(number, len(cohort.places), cohort.windows, *elapsed))
        yield from cohort.end_epoch(number, train_losses, validation_losses)
        if not cohort.places:
            return


class _Course:
    """What follows from one member's learning curve."""

    def __init__(self, training: TrainingSection) -> None:
        self.rate, self.curve = training.learning_rate, list[Epoch]()
        self.plateau = PlateauSchedule(training.plateau, training.learning_rate) if training.plateau else None
        self.stopping = StoppingRule(training.early_stopping) if training.early_stopping else None

    def take(self, epoch: Epoch) -> bool:
        """Take in an epoch and return whether it is the best so far; without early stopping the last one counts."""
        _verify(epoch)
        self.curve.append(epoch)
        if self.plateau:
            self.rate = self.plateau.update(epoch.validation_loss)
        return self.stopping is None or self.stopping.improves(epoch.validation_loss)

    @property
    def exhausted(self) -> bool:
        return self.stopping is not None and self.stopping.exhausted


class _Cohort:
    """The members that are still training, by their places among all: weights, moments and statistics in stacks."""

    def __init__(
        self, members: Sequence[Member], training: TrainingSection, device: torch.device, objective: Objective
    ) -> None:
        self.members, self.training, self.device, self.objective = members, training, device, objective
        self.stacked = Stacked([member.module for member in members])
        weights, statistics = zip(*(self.stacked.read(member.module) for member in members), strict=True)
        self.weights = torch.stack(weights).to(device).requires_grad_()  # [M, P]
        self.statistics = torch.stack(statistics).to(device)  # [M, Q]
        self.fitted = Rows([member.train for member in members], self.weights)
        self.held_out = Rows([member.validation for member in members], self.weights)
        self.optimiser = StackedAdamW(self.weights, training)
        self.courses = [_Course(training) for _ in members]
        self.places = list(range(len(members)))
        restores = training.early_stopping is not None and training.early_stopping.restore_best
        self.best = (self.weights.detach().clone(), self.statistics.clone()) if restores else None

    @property
    def windows(self) -> int:
        """Training windows of all members."""
        return sum(self.fitted.counts[place] for place in self.places)

    def fit_epoch(self, number: int) -> list[float]:
        """Take one step per batch with every member that has one; return mean losses [M]."""
        batches = Batches([self._order(place, number) for place in self.places], self.training.batch_size)
        rates = [self.courses[place].rate for place in self.places]
        factors = torch.from_numpy(self.optimiser.factors(batches.counts > 0, rates)).to(self.weights)
        total = torch.zeros(len(self.places), dtype=torch.float64, device=self.device)
        for (rows, counts, mask), own in zip(batches.on(self.device), factors, strict=True):
            total += self._step(rows, counts, mask, own) * counts
        return (total.cpu().numpy() / batches.totals).tolist()  # type: ignore[no-any-return]

    def _step(self, rows: Tensor, counts: Tensor, mask: Tensor | None, factors: Tensor) -> Tensor:
        X, y = self.fitted.take(rows)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.training.precision == "bfloat16"):
            outputs = self.stacked(self.weights, self.statistics, X, mask, training=True)
        outputs = outputs.to(y.dtype)
        losses = self._losses(outputs, y, counts, mask)
        aims = losses + self._penalties(outputs, counts, mask) if self.objective.balance else losses
        (gradients,) = torch.autograd.grad(aims.sum(), self.weights)  # no member's aim depends on another's weights
        if self.training.gradient_clip is not None:
            gradients = clip(gradients, self.training.gradient_clip)
        self.optimiser.step(self.weights, gradients, factors, None if mask is None else counts > 0)
        return losses.detach()

    @torch.no_grad()
    def validation_losses(self) -> list[float]:
        """Return the mean losses [M] of the validation parts, in inference mode."""
        batches = Batches([self.held_out.all_of(place) for place in self.places], INFERENCE_ROWS)
        total = torch.zeros(len(self.places), dtype=torch.float64, device=self.device)
        for rows, counts, mask in batches.on(self.device):
            X, y = self.held_out.take(rows)
            outputs = self.stacked(self.weights, self.statistics, X, None, training=False)
            total += self._losses(outputs, y, counts, mask) * counts
        return (total.cpu().numpy() / batches.totals).tolist()  # type: ignore[no-any-return]

    def end_epoch(
        self, number: int, train: Sequence[float], validation: Sequence[float]
    ) -> Iterator[tuple[int, list[Epoch] | TrainingError]]:
        """Take in the losses of an epoch; yield the members that finish with it, and go on without them."""
        best, going, ended = [], [], dict[int, list[Epoch] | TrainingError]()
        for row, place in enumerate(self.places):
            course = self.courses[place]
            try:
                improved = course.take(Epoch(number, train[row], validation[row], course.rate))
            except TrainingError as error:
                ended[row] = error
                continue
            if improved:
                best.append(row)
            if course.exhausted or number == self.training.epochs:
                ended[row] = course.curve
            else:
                going.append(row)
        self._note_best(best)
        for row, outcome in ended.items():
            if not isinstance(outcome, TrainingError):
                self._write_back(row)
            yield self.places[row], outcome
        if ended:
            self._keep(going)

    def _note_best(self, rows: Sequence[int]) -> None:
        if self.best and rows:
            which = torch.tensor(rows, device=self.device)
            for kept, now in zip(self.best, (self.weights.detach(), self.statistics), strict=True):
                kept[which] = now[which]

    def _write_back(self, row: int) -> None:
        weights, statistics = self.best or (self.weights.detach(), self.statistics)
        module = self.members[self.places[row]].module
        self.stacked.write(module, weights[row], statistics[row])
        module.eval()

    def _keep(self, rows: Sequence[int]) -> None:
        which = torch.tensor(rows, dtype=torch.long, device=self.device)
        self.places = [self.places[row] for row in rows]
        self.weights = self.weights.detach()[which].requires_grad_()
        self.statistics = self.statistics[which]
        self.optimiser.keep(which)
        if self.best:
            self.best = self.best[0][which], self.best[1][which]

    def _order(self, place: int, number: int) -> IntArray:
        rows = self.fitted.all_of(place)
        if not self.training.shuffle:
            return rows
        shuffled: IntArray = rows[
            self.members[place].stream.child("shuffle", number).generator().permutation(len(rows))
        ]
        return shuffled

    def _losses(self, outputs: Tensor, y: Tensor, counts: Tensor, mask: Tensor | None) -> Tensor:
        """Return each member's loss [M]: the mean over the rows of its batch that are no padding."""
        of_rows: Tensor = vmap(vmap(self._of_row))(outputs, y)
        if mask is not None:
            of_rows = torch.where(mask, of_rows, 0)
        return of_rows.sum(dim=1) / counts.clamp(min=1)

    def _of_row(self, outputs: Tensor, y: Tensor) -> Tensor:
        return self.objective.loss(outputs.unsqueeze(0), y.unsqueeze(0))

    def _penalties(self, outputs: Tensor, counts: Tensor, mask: Tensor | None) -> Tensor:
        """Return each member's penalty [M], which depends on the mean row of its batch: padding becomes that row."""
        if mask is not None:
            real = mask.unsqueeze(-1)
            mean = torch.where(real, outputs, 0).sum(dim=1, keepdim=True) / counts.clamp(min=1)[:, None, None]
            outputs = torch.where(real, outputs, mean)
        penalties: Tensor = vmap(self.objective.penalty)(outputs)
        return penalties
