"""PatchTST: a transformer over patches of each feature by itself.

Shape letters: B batch, L context, F features, P patches, D width, C outputs.
"""

from __future__ import annotations

from torch import Generator, Tensor, nn

from golden_core.models.blocks import Dense
from golden_core.models.transformer import EncoderLayer, Places, draw, patches


class PatchTST(nn.Module):
    """Patches of every feature through one encoder that all features share, then one linear layer, [B, L, F] → [B, C].

    What differs from the publication follows from the task: the target is none of the inputs, so that the last layer
    reads the patches of all features, and no output is scaled back to the level of a window; features come
    standardised by the training rows. Normalisation is by layer.

    A single output gives [B]. Without a generator weights are zero, ready for a checkpoint.

    Raises
    ------
    ValueError
        If a patch is longer than the context, or ``width`` is no multiple of ``heads``.

    References
    ----------
    Nie, Nguyen, Sinthong & Kalagnanam (2023), "A Time Series is Worth 64 Words", section 3.1.
    """

    def __init__(
        self,
        context_length: int,
        num_features: int,
        *,
        patch_length: int,
        stride: int,
        width: int,
        heads: int,
        layers: int,
        hidden: int,
        outputs: int = 1,
        generator: Generator | None = None,
    ) -> None:
        super().__init__()
        if patch_length > context_length:
            raise ValueError(f"patch_length must be ≤ context_length ({context_length}), got {patch_length}")
        self.patch_length, self.stride = patch_length, stride
        count = (context_length - patch_length) // stride + 2
        self.embedding, self.places = Dense(patch_length, width), Places(count, width)
        self.encoder = nn.Sequential(*(EncoderLayer(width, heads, hidden) for _ in range(layers)))
        self.norm = nn.LayerNorm(width)
        self.head = Dense(num_features * count * width, outputs)
        if generator is not None:
            draw(self, generator)

    def forward(self, x: Tensor) -> Tensor:
        """Map windows [B, L, F] to standardised targets [B], or to [B, C]."""
        y = self.places(self.embedding(patches(x, self.patch_length, self.stride)))  # [B, F, P, D]
        y = self.norm(self.encoder(y.flatten(0, 1)))  # every feature is a series of the batch
        prediction: Tensor = self.head(y.reshape(x.shape[0], -1))
        return prediction.squeeze(-1)
