"""Settings of the built-in forecasters. Light to import: a study is validated without loading torch."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from golden_core.study import Rule, Section


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


class DLinearSettings(Section):
    """Decomposition-linear network."""

    moving_average: int = Field(ge=1, description="bars of the moving average that forms the trend; odd")
    epochs: int | None = Field(ge=1, description="passes over the training rows; null for the study's own number")

    RULES = (Rule(("moving_average",), lambda bars: None if bars % 2 else f"must be odd, got {bars}"),)


class LegacySettings(Section):
    """One of the ten legacy architectures."""

    gate: Literal["linear", "softmax"] = Field(description="linear, as in the legacy code; softmax, as in the paper")
    initialisers: Literal["keras_3.8", "keras_3.15"] = Field(description="bounds of the attention kernels")
