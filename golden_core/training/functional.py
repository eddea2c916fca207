"""Networks as functions of stacked weights, so that many train in one pass. What they train for belongs elsewhere.

A few layers call what ``torch.func.vmap`` cannot batch; a copy of the network computes the same by other operations.
Shape letters: M members, B batch, L context, F features, C channels, U units, P weights and Q moving statistics of one
member.
"""

from __future__ import annotations

import contextlib
import copy
import types
from collections.abc import Callable, Iterator, Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.dropout import _DropoutNd

from golden_core.models import products
from golden_core.models.blocks import EPSILON, MOMENTUM, BatchNorm, BidirectionalLSTM


class CohortError(ValueError):
    """Networks cannot train together; the message says why."""


def refusal(module: nn.Module) -> str | None:
    """Return why a network cannot train beside others, or nothing."""
    for name, layer in module.named_modules():
        if isinstance(layer, _BatchNorm | BatchNorm) and type(layer) is not BatchNorm:
            return f"{name} ({type(layer).__name__}) would count padding: use golden_core.models.blocks.BatchNorm"
        if isinstance(layer, _DropoutNd) and layer.p > 0:
            return f"{name} ({type(layer).__name__}) draws from a generator that all members would share"
        if isinstance(layer, nn.RNNBase):
            return f"{name} ({type(layer).__name__}) cannot be batched: use golden_core.models.blocks.BidirectionalLSTM"
    frozen = [name for name, value in module.named_parameters() if not value.requires_grad]
    if frozen:
        return f"its weight {frozen[0]} is not trained"
    other = [name for name, value in module.named_buffers() if not value.is_floating_point()]
    return f"its buffer {other[0]} does not hold real numbers" if other else None


class Layout:
    """Where named tensors lie in one vector: their sizes and shapes, in the order of their names."""

    def __init__(self, named: Iterator[tuple[str, Tensor]]) -> None:
        self.shapes = {name: value.shape for name, value in named}
        self.sizes = [shape.numel() for shape in self.shapes.values()]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Layout) and self.shapes == other.shapes

    __hash__ = None  # type: ignore[assignment]

    def join(self, named: Mapping[str, Tensor]) -> Tensor:
        """Return named tensors as one vector [size]."""
        parts = [named[name].detach().reshape(-1) for name in self.shapes]
        return torch.cat(parts) if parts else torch.empty(0)

    def split(self, joined: Tensor) -> dict[str, Tensor]:
        """Return views of [..., size] by name; one operation, whose gradient is one concatenation."""
        parts = torch.split(joined, self.sizes, dim=-1)
        leading = joined.shape[:-1]
        return {
            name: part.reshape(*leading, *shape) for (name, shape), part in zip(self.shapes.items(), parts, strict=True)
        }


class Stacked:
    """The function that M networks of one architecture have in common; weights and moving statistics are arguments.

    Raises
    ------
    CohortError
        If the architecture cannot train beside others, or the networks differ in the shape of their weights.
    """

    def __init__(self, modules: Sequence[nn.Module]) -> None:
        if why := refusal(modules[0]):
            raise CohortError(f"{type(modules[0]).__name__} cannot train in a cohort: {why}")
        self.weights, self.statistics = _layouts(modules[0])
        if any(_layouts(module) != (self.weights, self.statistics) for module in modules[1:]):
            raise CohortError("networks of different shapes cannot train in one cohort")
        self._mask: Tensor | None = None
        self._network = copy.deepcopy(modules[0])
        for layer in self._network.modules():
            if substitute := _SUBSTITUTES.get(type(layer)):
                layer.forward = types.MethodType(substitute(self), layer)

    def read(self, module: nn.Module) -> tuple[Tensor, Tensor]:
        """Return weights [P] and moving statistics [Q] of a network."""
        return self.weights.join(dict(module.named_parameters())), self.statistics.join(dict(module.named_buffers()))

    @torch.no_grad()
    def write(self, module: nn.Module, weights: Tensor, statistics: Tensor) -> None:
        """Give a network other weights [P] and moving statistics [Q]."""
        values = self.weights.split(weights) | self.statistics.split(statistics)
        for name, held in (*module.named_parameters(), *module.named_buffers()):
            held.copy_(values[name])

    @property
    def mask(self) -> Tensor | None:
        """Which rows [B] of the batch at hand are no padding; nothing where none is."""
        return self._mask

    def __call__(
        self, weights: Tensor, statistics: Tensor, X: Tensor, mask: Tensor | None, *, training: bool
    ) -> Tensor:
        """Map windows [M, B, L, F] to outputs [M, B]; in training mode, move the statistics [M, Q] in place.

        ``weights`` is [M, P]; ``mask`` [M, B] is false where a row is padding and must not count.
        """
        self._network.train(training)
        with _batchable_products():
            if mask is None:
                outputs: Tensor = vmap(self._one)(weights, statistics, X)
            else:
                outputs = vmap(self._masked)(weights, statistics, X, mask)
        return outputs

    def _one(self, weights: Tensor, statistics: Tensor, X: Tensor) -> Tensor:
        named = self.weights.split(weights) | self.statistics.split(statistics)
        outputs: Tensor = functional_call(self._network, named, (X,))
        return outputs

    def _masked(self, weights: Tensor, statistics: Tensor, X: Tensor, mask: Tensor) -> Tensor:
        self._mask = mask
        try:
            return self._one(weights, statistics, X)
        finally:
            self._mask = None


def _layouts(module: nn.Module) -> tuple[Layout, Layout]:
    return Layout(module.named_parameters()), Layout(module.named_buffers())


@contextlib.contextmanager
def _batchable_products() -> Iterator[None]:
    """Leave dense products to PyTorch: oneDNN's, of the single trainer, has no batched form."""
    before, products._ONEDNN = products._ONEDNN, False
    try:
        yield
    finally:
        products._ONEDNN = before


def _lstm(_stacked: Stacked) -> Callable[[BidirectionalLSTM, Tensor], Tensor]:
    return _unrolled


def _unrolled(block: BidirectionalLSTM, x: Tensor) -> Tensor:
    """Map [B, L, C] to [B, L, 2U] step by step, both directions in one product a step."""
    kernel = torch.stack([block.forward_input, block.backward_input])
    recurrent = torch.stack([block.forward_recurrent, block.backward_recurrent]).transpose(1, 2)  # [2, U, 4U]
    bias = torch.stack([block.forward_bias, block.backward_bias])
    rows = torch.stack([x, x.flip(1)]).flatten(1, 2)  # [2, BL, C]
    given = (rows @ kernel.transpose(1, 2) + bias.unsqueeze(1)).reshape(2, *x.shape[:2], -1)  # [2, B, L, 4U]
    steps: list[Tensor] = []
    hidden = cell = None
    for step in range(x.shape[1]):
        gates = given[:, :, step] if hidden is None else given[:, :, step] + hidden @ recurrent
        enter, forget, candidate, leave = gates.chunk(4, dim=-1)
        kept = torch.sigmoid(enter) * torch.tanh(candidate)
        cell = kept if cell is None else torch.sigmoid(forget) * cell + kept
        hidden = torch.sigmoid(leave) * torch.tanh(cell)
        steps.append(hidden)
    forward, backward = torch.stack(steps, dim=2)  # [B, L, U] each
    return torch.cat([forward, backward.flip(1)], dim=-1)


def _normalisation(stacked: Stacked) -> Callable[[BatchNorm, Tensor], Tensor]:
    def normalise(block: BatchNorm, x: Tensor) -> Tensor:
        return _normalised(block, x, stacked.mask)

    return normalise


def _normalised(block: BatchNorm, x: Tensor, mask: Tensor | None) -> Tensor:
    """Map [..., C] to [..., C] as the block does, padding rows left out of mean and variance."""
    if not block.training:
        return BatchNorm.forward(block, x)
    rows = x.reshape(-1, x.shape[-1]).to(block.weight.dtype)
    momentum: float | Tensor = MOMENTUM
    if mask is None:
        y, mean, inverse = torch.native_batch_norm(rows, block.weight, block.bias, None, None, True, 0.0, EPSILON)
        variance = (inverse.detach().pow(-2) - EPSILON).clamp(min=0)
    else:
        counted = mask.to(rows.dtype).repeat_interleave(rows.shape[0] // mask.shape[0]).unsqueeze(-1)
        count = counted.sum()
        mean = (rows * counted).sum(0) / count.clamp(min=1)
        centred = rows - mean
        variance = (centred.square() * counted).sum(0) / count.clamp(min=1)
        y = centred * torch.rsqrt(variance + EPSILON) * block.weight + block.bias
        momentum = MOMENTUM * (count > 0).to(rows.dtype)  # a member without a batch in this step stays as it is
    with torch.no_grad():
        block.running_mean.mul_(1 - momentum).add_(momentum * mean.detach())
        block.running_var.mul_(1 - momentum).add_(momentum * variance.detach())
    return y.view(x.shape)


_SUBSTITUTES: dict[type[nn.Module], Callable[[Stacked], Callable[..., Tensor]]] = {
    BidirectionalLSTM: _lstm,
    BatchNorm: _normalisation,
}
