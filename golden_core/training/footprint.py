"""How much memory a member of a cohort takes, before there is a cohort."""

from __future__ import annotations

import torch
from torch import Tensor

from golden_core.training.cohort import Member
from golden_core.training.functional import Stacked

# Weights, gradients, two moments, the best epoch's weights, and what a step of the optimiser holds besides.
COPIES_OF_WEIGHTS = 8
# Of what the backward pass is kept for, the most is alive at once when it begins; gradients of outputs come on top.
WORKING_SPACE = 1.25


def bytes_of_member(member: Member, batch_size: int) -> int:
    """Return the bytes that one more member takes on the device, its examples left out, which members share.

    Of v08 with 256 windows this is 74 MB; on a card 54 to 56 were seen.

    Raises
    ------
    golden_core.training.functional.CohortError
        If the network cannot train in a cohort.
    """
    stacked, held = Stacked([member.module]), dict[int, torch.UntypedStorage]()

    def note(saved: Tensor) -> Tensor:
        storage = saved.untyped_storage()
        held[storage.data_ptr()] = storage  # kept, so that no other storage gets its address
        return saved

    weights, statistics = (values.unsqueeze(0) for values in stacked.read(member.module))
    rows = min(batch_size, len(member.train))
    X = torch.zeros(1, rows, *member.train.windows.X.shape[1:], dtype=weights.dtype)
    with torch.autograd.graph.saved_tensors_hooks(note, lambda saved: saved):
        stacked(weights.requires_grad_(), statistics, X, None, training=True)
    saved = sum(storage.nbytes() for storage in held.values())
    return int(WORKING_SPACE * saved) + COPIES_OF_WEIGHTS * weights.nbytes
