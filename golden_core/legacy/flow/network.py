"""What a network's layers say in a flow, and how many weights it has. The layers are in golden_core.models."""

from __future__ import annotations

from functools import lru_cache

from golden_core.legacy.flow.graph import Block
from golden_core.legacy.flow.protocol import Facts
from golden_core.models.architecture import (
    AdditiveFacts,
    Architecture,
    AttentionFacts,
    DotFacts,
    ExpertsFacts,
    FrontFacts,
    HiddenFacts,
)


def trainable_weights(facts: Facts) -> int:
    """Return how many numbers of the network are fitted."""
    return _count(facts.architecture, facts.windows.context_length, len(facts.columns.features))


@lru_cache(maxsize=32)  # a network is made to count them
def _count(architecture: Architecture, context_length: int, features: int) -> int:
    from golden_core.models.legacy import LegacyNetwork  # noqa: PLC0415  torch, which no reader of facts waits for

    network = LegacyNetwork(architecture, context_length, features, "linear")
    return sum(parameter.numel() for parameter in network.parameters())


def layers(facts: Facts) -> tuple[Block, ...]:
    """Return the layers from the window to the forecast, with every size and slope."""
    network, length, features = facts.architecture, facts.windows.context_length, len(facts.columns.features)
    width = network.experts.units if network.experts else 2 * network.lstm.units
    found = [
        Block("Window", (f"{length} × {features}",)),
        _front(network.front),
        Block("BiLSTM", (f"2 × {network.lstm.units} units",)),
        Block("Attention", (_attention(network.attention), "normalised")),
    ]
    if network.experts and facts.gate:
        found.append(_experts(network.experts, facts.gate.kind))
    found.append(Block("Flatten", (f"{length} × {width}", f"= {length * width:,}")))
    if network.hidden:
        found.append(_hidden(network.hidden))
    return (*found, Block("Output", ("1, scaled", "close")))


def _front(front: FrontFacts) -> Block:
    attention = f"each with {_attention(front.attention)} attention" if front.attention else "no attention"
    shortcut = "no shortcut" if front.shortcut_slope is None else f"shortcut, slope {front.shortcut_slope:g}"
    slopes = " and ".join(f"{slope:g}" for slope in front.slopes)
    return Block(f"2 × convolution {front.filters} × {front.kernel}", (f"slopes {slopes}", attention, shortcut))


def _attention(facts: AttentionFacts | None) -> str:
    match facts:
        case None:
            return "no"
        case DotFacts():
            return "dot"
        case AdditiveFacts():
            return "additive"
        case _:
            return f"{facts.heads}-head × {facts.key_dimension}"


def _experts(facts: ExpertsFacts, gate: str) -> Block:
    return Block(
        f"{facts.count} experts", (f"{facts.units} units, slope {facts.slope:g}", f"{gate} gate", "normalised")
    )


def _hidden(facts: HiddenFacts) -> Block:
    normalised = "normalised" if facts.normalised else "not normalised"
    return Block("Dense", (f"{facts.units} units, slope {facts.slope:g}", normalised))
