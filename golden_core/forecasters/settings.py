"""Settings of the built-in forecasters. Light to import: a study is validated without loading torch."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from golden_core.study import Rule, Section
from golden_core.study.values import Distinct


class NoSettings(Section):
    """A forecaster with nothing to set."""


class ArSettings(Section):
    """Autoregression by least squares."""

    max_order: int = Field(ge=0, le=500, description="highest order that BIC may choose")


class EtsSettings(Section):
    """Exponential smoothing of log closes; additive, since a log price has no zero to be a multiple of."""

    model: Literal["ANN", "AAN", "AAdN", "AZN"] = Field(
        description="error, trend, season: no trend, linear trend, damped trend, or the trend that AICc selects"
    )


class LightGBMSettings(Section):
    """Gradient-boosted trees."""

    leaves: Annotated[tuple[Annotated[int, Field(ge=2, le=1024)], ...], Distinct] = Field(
        min_length=1, description="numbers of leaves per tree that the validation part chooses among"
    )
    rows_per_leaf: int = Field(ge=1, description="fewest training rows of a leaf")
    learning_rate: float = Field(gt=0, le=1, description="share of a tree that is added")
    rounds: int = Field(ge=1, le=100_000, description="most trees of an ensemble")
    patience: int = Field(ge=1, description="trees without a smaller validation error before it stops")


class DLinearSettings(Section):
    """Decomposition-linear network."""

    moving_average: int = Field(ge=1, description="bars of the moving average that forms the trend; odd")
    epochs: int | None = Field(ge=1, description="passes over the training rows; null for the study's own number")

    RULES = (Rule(("moving_average",), lambda bars: None if bars % 2 else f"must be odd, got {bars}"),)


class LegacySettings(Section):
    """One of the ten legacy architectures."""

    gate: Literal["linear", "softmax"] = Field(description="linear, as in the legacy code; softmax, as in the paper")
    initialisers: Literal["keras_3.8", "keras_3.15"] = Field(description="bounds of the attention kernels")


Width = Annotated[int, Field(ge=1, description="numbers that stand for a step; a multiple of heads")]
Heads = Annotated[int, Field(ge=1, description="heads of an attention layer")]
Layers = Annotated[int, Field(ge=1, description="encoder layers, each attention and two dense layers")]
Hidden = Annotated[int, Field(ge=1, description="units between the two dense layers of an encoder layer")]


def _divides(width: int, heads: int) -> str | None:
    return f"must be a multiple of heads ({heads}), got {width}" if width % heads else None


class PatchTSTSettings(Section):
    """Transformer over patches of each feature."""

    patch_length: int = Field(ge=1, description="bars of a patch; at most context_length")
    stride: int = Field(ge=1, description="bars from one patch to the next")
    width: Width
    heads: Heads
    layers: Layers
    hidden: Hidden

    RULES = (Rule(("width", "heads"), _divides),)


class MixtureSettings(Section):
    """Mixture of experts with a softmax gate."""

    width: Width
    heads: Heads
    layers: Layers
    hidden: Hidden
    experts: int = Field(ge=2, description="experts, all of them evaluated for every window")
    units: int = Field(ge=1, description="outputs of an expert")
    balance: float = Field(ge=0, description="weight of the loss that asks every expert to carry the same; 0 for none")

    RULES = (Rule(("width", "heads"), _divides),)


def _fits(patch: int, context_length: int) -> str | None:
    return None if patch <= context_length else f"must be ≤ context_length ({context_length}), got {patch}"


# What settings of a forecaster ask of the study around them.
RULES = (Rule(("forecasters.patchtst.patch_length", "context_length"), _fits),)
