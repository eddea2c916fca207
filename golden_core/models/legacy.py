"""The networks of the ten legacy variants: one, whose parts are chosen by the facts of the variant.

Shape letters: B batch, L context, F features, C channels, U units.
"""

from __future__ import annotations

from torch import Generator, Tensor, nn
from torch.nn import functional

from golden_core.models.architecture import (
    AdditiveFacts,
    Architecture,
    AttentionFacts,
    DotFacts,
    FrontFacts,
    Gate,
    HiddenFacts,
    MultiHeadFacts,
    read_architecture,
)
from golden_core.models.blocks import (
    AdditiveAttention,
    BatchNorm,
    BidirectionalLSTM,
    Convolution,
    Dense,
    DotAttention,
    MixtureOfExperts,
    MultiHeadAttention,
)
from golden_core.models.initialisers import KerasVersion, initialise


class Front(nn.Module):
    """The convolutional front, [B, L, F] → [B, L, C]."""

    def __init__(self, inputs: int, facts: FrontFacts) -> None:
        super().__init__()
        channels = facts.filters
        self.slopes, self.shortcut_slope = facts.slopes, facts.shortcut_slope
        self.conv1, self.norm1 = Convolution(inputs, channels, facts.kernel), BatchNorm(channels)
        self.attention1, self.attention1_norm = _attention(channels, facts.attention)
        self.conv2, self.norm2 = Convolution(channels, channels, facts.kernel), BatchNorm(channels)
        self.attention2, self.attention2_norm = _attention(channels, facts.attention)
        # Where the widths agree, the legacy shortcut is the input itself.
        projected = facts.shortcut_slope is not None and inputs != channels
        self.shortcut_conv = Convolution(inputs, channels, 1) if projected else nn.Identity()
        self.shortcut_norm = BatchNorm(channels) if projected else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """Map [B, L, F] to [B, L, C]."""
        y: Tensor = functional.leaky_relu(self.norm1(self.conv1(x)), self.slopes[0])
        y = self.attention1_norm(self.attention1(y))
        y = functional.leaky_relu(self.norm2(self.conv2(y)), self.slopes[1])
        y = self.attention2_norm(self.attention2(y))
        if self.shortcut_slope is not None:
            y = functional.leaky_relu(y + self.shortcut_norm(self.shortcut_conv(x)), self.shortcut_slope)
        return y


class Head(nn.Module):
    """Flattened steps (time slow, channel fast) to one number, [B, L, C] → [B]."""

    def __init__(self, inputs: int, facts: HiddenFacts | None) -> None:
        super().__init__()
        self.slope = facts.slope if facts else None
        self.hidden = Dense(inputs, facts.units) if facts else nn.Identity()
        self.hidden_norm = BatchNorm(facts.units) if facts and facts.normalised else nn.Identity()
        self.output = Dense(facts.units if facts else inputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Map [B, L, C] to [B]."""
        y = self.hidden_norm(self.hidden(x.flatten(1)))
        if self.slope is not None:
            y = functional.leaky_relu(y, self.slope)
        prediction: Tensor = self.output(y)
        return prediction.squeeze(-1)


class LegacyNetwork(nn.Module):
    """Front, bidirectional LSTM, attention, experts where the variant has them, head: [B, L, F] → [B]."""

    def __init__(self, facts: Architecture, context_length: int, num_features: int, gate: Gate) -> None:
        super().__init__()
        width = 2 * facts.lstm.units
        experts = facts.experts
        self.front = Front(num_features, facts.front)
        self.lstm = BidirectionalLSTM(facts.front.filters, facts.lstm.units)
        self.attention, self.attention_norm = _attention(width, facts.attention)
        self.experts = (
            MixtureOfExperts(width, experts.count, experts.units, experts.slope, gate) if experts else nn.Identity()
        )
        self.experts_norm = BatchNorm(experts.units) if experts else nn.Identity()
        self.head = Head(context_length * (experts.units if experts else width), facts.hidden)

    def forward(self, x: Tensor) -> Tensor:
        """Map windows [B, L, F] to standardised targets [B]."""
        y = self.lstm(self.front(x))
        y = self.attention_norm(self.attention(y))
        y = self.experts_norm(self.experts(y))
        prediction: Tensor = self.head(y)
        return prediction


def build(
    variant: str,
    context_length: int = 3,
    num_features: int = 4,
    *,
    gate: Gate = "linear",
    initialisers: KerasVersion = "keras_3.15",
    generator: Generator | None = None,
) -> LegacyNetwork:
    """Build one of the legacy networks.

    It maps windows [B, L, F] to standardised targets [B]; the legacy experiments used 3 × 4. The legacy gate is linear;
    softmax, the published equation, is an ablation. Without a generator the kernels are zero, ready for a checkpoint.

    Raises
    ------
    ValueError
        If there is no such variant.
    """
    network = LegacyNetwork(read_architecture(variant), context_length, num_features, gate)
    if generator is not None:
        initialise(network, initialisers, generator)
    return network


def _attention(channels: int, facts: AttentionFacts | None) -> tuple[nn.Module, nn.Module]:
    """Return an attention layer and its normalisation, or two identities."""
    match facts:
        case None:
            return nn.Identity(), nn.Identity()
        case DotFacts():
            return DotAttention(), BatchNorm(channels)
        case AdditiveFacts():
            return AdditiveAttention(channels), BatchNorm(channels)
        case MultiHeadFacts():
            return MultiHeadAttention(channels, facts.heads, facts.key_dimension), BatchNorm(channels)
