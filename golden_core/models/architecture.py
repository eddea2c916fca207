"""The facts of the legacy variants, v01 … v10: what data/legacy/<variant>.yaml says of each network. No layer here."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field
from ruamel.yaml import YAML

from golden_core.store.lake import shipped
from golden_core.study import Section

FOLDER = shipped("legacy")
VARIANTS = tuple(f"v{number:02d}" for number in range(1, 11))

Gate = Literal["linear", "softmax"]


class DotFacts(Section):
    """Attention without parameters."""

    kind: Literal["dot"]


class AdditiveFacts(Section):
    """Attention with a scale per channel."""

    kind: Literal["additive"]


class MultiHeadFacts(Section):
    """Scaled dot-product attention."""

    kind: Literal["multi_head"]
    heads: int = Field(ge=1)
    key_dimension: int = Field(ge=1)


AttentionFacts = Annotated[DotFacts | AdditiveFacts | MultiHeadFacts, Field(discriminator="kind")]


class FrontFacts(Section):
    """Two stages of convolution, normalisation, activation and (optionally) attention."""

    filters: int = Field(ge=1)
    kernel: int = Field(ge=1)
    slopes: tuple[float, float] = Field(description="leaky slopes of the two stages")
    attention: AttentionFacts | None = Field(description="after each stage, with its own normalisation")
    shortcut_slope: float | None = Field(description="leaky slope after adding the shortcut; null: no shortcut")


class LSTMFacts(Section):
    """The bidirectional recurrent layer."""

    units: int = Field(ge=1, description="per direction")


class ExpertsFacts(Section):
    """The gated sum of experts."""

    count: int = Field(ge=1)
    units: int = Field(ge=1)
    slope: float


class HiddenFacts(Section):
    """A dense layer before the output."""

    units: int = Field(ge=1)
    normalised: bool = Field(description="batch normalisation before the activation")
    slope: float


class Architecture(Section):
    """What the code of one variant builds in its default configuration."""

    front: FrontFacts
    lstm: LSTMFacts
    attention: AttentionFacts
    experts: ExpertsFacts | None
    hidden: HiddenFacts | None


def architecture_path(variant: str) -> Path:
    """Return the file that holds a variant's facts."""
    return FOLDER / f"{variant}.yaml"


def read_architecture(variant: str) -> Architecture:
    """Read and validate the facts of one variant.

    Raises
    ------
    ValueError
        If there is no such variant, or its file does not fit :class:`Architecture`.
    """
    if variant not in VARIANTS:
        raise ValueError(f"no legacy variant is called {variant!r}; there are {VARIANTS[0]} … {VARIANTS[-1]}")
    return _read(architecture_path(variant).read_bytes())


@functools.lru_cache(maxsize=len(VARIANTS))  # a network is built from them for every fold
def _read(facts: bytes) -> Architecture:
    return Architecture.model_validate_json(json.dumps(YAML(typ="safe").load(facts)))
