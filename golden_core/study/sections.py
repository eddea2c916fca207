"""The schema of a study, section by section. Values live in data/studies/*.yaml: nothing here has a default."""

from __future__ import annotations

import itertools
import json
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from golden_core.study.section import Rule, SparseSection
from golden_core.study.section import Section as Section
from golden_core.study.values import Day, Distinct, LastDay, Pair, Settings, TimeZone

ROUNDING = 1e-9  # 0.1 and 0.9 add up to 1 but for rounding

Embargo = Annotated[int, Field(ge=0, description="extra rows dropped around held-out parts, beyond the purge")]
Closures = Annotated[
    Literal["keep", "drop", "flag"],
    Field(description="what becomes of rows whose window or label crosses a closure; flag keeps and counts them"),
]
CalibrationShare = Annotated[
    float, Field(gt=0, lt=1, description="last part of the validation rows, which then calibrate and validate nothing")
]


def _after(end: Any, start: Any) -> str | None:
    return None if end > start else f"must be after start ({start}), got {end}"


def _no_reuse(step: int, test: int) -> str | None:
    return None if step >= test else f"must be ≥ test ({test}), or test rows would be used twice, got {step}"


def _below_start(lowest: float, start: float) -> str | None:
    return None if lowest <= start else f"must be ≤ learning_rate ({start}), got {lowest}"


def _on_processor(kernels: str, device: str) -> str | None:
    if kernels == "native" or device == "cpu":
        return None
    return f"must be native where device is {device}: portable kernels are those of a processor"


def _central(levels: tuple[float, ...]) -> str | None:
    paired = all(abs(low + high - 1) < ROUNDING for low, high in zip(levels, reversed(levels), strict=True))
    if paired and len(levels) % 2 and all(low < high for low, high in itertools.pairwise(levels)):
        return None
    return f"must rise, lie evenly around 0.5 and include it, such as [0.05, 0.5, 0.95], got {list(levels)}"


class DataSection(SparseSection):
    """Which prices, from where, over which days."""

    source: str = Field(description="name of a registered source")
    settings: Settings = Field(description="the source's own settings")
    pairs: Annotated[tuple[Pair, ...], Distinct] = Field(min_length=1, description="currency pairs")
    bar: Literal["1mo", "1d", "4h", "1h"] = Field(description="length of a bar")
    price: Literal["last", "mean"] = Field(
        default="last",
        description="what a close is: the last price of the bar, or a mean over it, which is a price of no moment; "
        "without the setting, last",
    )
    start: Day = Field(description="first day")
    end: LastDay = Field(description="last day, included; or latest, the last day of which the source has all bars")
    time_zone: TimeZone = Field(description="the vendor's clock")

    RULES: ClassVar = (Rule(("end", "start"), _after),)
    UNSAID: ClassVar = {"price": "last"}


class WalkForwardSection(Section):
    """Walk-forward folds, counted in bars."""

    scheme: Literal["walk_forward"] = Field(description="how folds are laid: always in the order of time")
    window: Literal["rolling", "expanding"] = Field(description="whether the training part keeps its length")
    train: int = Field(ge=1, description="training rows of the first fold")
    validation: int = Field(ge=1, description="validation rows")
    test: int = Field(ge=1, description="test rows")
    step: int = Field(ge=1, description="rows from one fold's test part to the next; at least `test`")
    embargo: Embargo
    closures: Closures

    RULES: ClassVar = (Rule(("step", "test"), _no_reuse),)


class SeedsSection(Section):
    """One root seed; every stream of random numbers derives from it by name."""

    root: int = Field(ge=0, lt=2**63, description="the number all streams derive from")
    count: int = Field(ge=1, le=1000, description="seeds per series; at least 5, except for a smoke study")


class EarlyStopping(Section):
    """Stop when the validation loss has not improved for a while."""

    patience: int = Field(ge=1, description="epochs without improvement")
    min_delta: float = Field(ge=0, description="smallest absolute decrease that counts")
    restore_best: bool = Field(description="keep the weights of the best epoch")


class Plateau(Section):
    """Cut the learning rate when the validation loss has not improved for a while."""

    factor: float = Field(gt=0, lt=1, description="what the learning rate is multiplied by")
    patience: int = Field(ge=1, description="epochs without improvement")
    min_delta: float = Field(ge=0, description="smallest decrease that counts")
    threshold: Literal["absolute", "relative"] = Field(description="how min_delta is read")
    min_learning_rate: float = Field(ge=0, description="lowest learning rate")


class TrainingSection(SparseSection):
    """The training budget of every forecaster that trains by gradient descent."""

    epochs: int = Field(ge=1, le=100_000, description="most passes over the training rows")
    batch_size: int = Field(ge=1, description="windows per step")
    shuffle: bool = Field(description="draw a new order of the training windows in every epoch")
    optimiser: Literal["adamw", "keras_adamw"] = Field(description="torch's AdamW, or Keras's")
    learning_rate: float = Field(gt=0, description="rate of the first epoch")
    weight_decay: float = Field(ge=0, description="decoupled decay")
    gradient_clip: float | None = Field(gt=0, description="largest gradient norm, or null")
    precision: Literal["float32", "bfloat16"] = Field(description="number format of the network")
    early_stopping: EarlyStopping | None = Field(description="when to stop early, or null")
    plateau: Plateau | None = Field(description="when to cut the learning rate, or null")
    device: Literal["cpu", "cuda", "auto"] = Field(
        default="cpu", description="where networks train; auto is cuda where there is a card; without the setting, cpu"
    )
    kernels: Literal["native", "portable"] = Field(
        default="native",
        description=(
            "portable: the same bytes on every x86-64 processor with AVX2, in more time; native: the fastest that the "
            "processor has; without the setting, native"
        ),
    )

    UNSAID: ClassVar = {"device": "cpu", "kernels": "native"}
    RULES: ClassVar = (
        Rule(("plateau.min_learning_rate", "learning_rate"), _below_start),
        Rule(("kernels", "device"), _on_processor),
    )


class EvaluationSection(Section):
    """How forecasts are judged."""

    confidence: float = Field(gt=0.5, lt=1, description="level of intervals")
    bootstrap_resamples: int = Field(ge=100, le=1_000_000, description="resamples of a bootstrap interval")
    significance: float = Field(gt=0, lt=0.5, description="level of tests, after correction for their number")
    volatility_window: int = Field(ge=2, description="bars of the trailing volatility that forms the terciles")
    strata: Annotated[tuple[Literal["year", "volatility_tercile", "session", "weekday"], ...], Distinct] = Field(
        description="parts that are also judged by themselves"
    )


class SplitCalibration(Section):
    """Split conformal: one correction per fold and level, from rows that nothing was fitted on."""

    method: Literal["split"] = Field(description="one correction per fold and level")
    share: CalibrationShare


class AdaptiveCalibration(Section):
    """Adaptive conformal inference: the correction of a level follows what the fold has missed so far."""

    method: Literal["adaptive"] = Field(description="a correction per forecast, from the errors known by then")
    share: CalibrationShare
    step: float = Field(gt=0, lt=1, description="how far one error moves a level, and how fast its share is held to it")


class QuantilesSection(Section):
    """Quantiles of the log return beside every forecast, of the forecasters that can give them."""

    levels: tuple[Annotated[float, Field(gt=0, lt=1)], ...] = Field(
        min_length=3, description="levels, evenly around 0.5: pairs of them are the ends of central intervals"
    )
    calibration: SplitCalibration | AdaptiveCalibration = Field(
        discriminator="method", description="how the levels are made to hold on rows not seen"
    )

    RULES: ClassVar = (Rule(("levels",), _central),)


class ExplanationsSection(Section):
    """Which networks are looked into, and how."""

    forecasters: Annotated[tuple[str, ...], Distinct] = Field(min_length=1, description="forecasters that are networks")
    series: Annotated[tuple[str, ...], Distinct] = Field(min_length=1, description="series, such as EURUSD_h1")
    seeds: int = Field(ge=1, description="how many seeds of each, the first ones")
    rows: int = Field(ge=8, description="windows explained per fold, spread evenly over its test part")
    methods: Annotated[tuple[Literal["integrated_gradients", "shap", "occlusion", "attention"], ...], Distinct] = Field(
        min_length=1, description="methods; what fails its sanity checks is kept from the report"
    )


class ChecksSection(Section):
    """How hard the asset checks look."""

    reproduced_trials: int = Field(
        ge=1, description="trials retrained beside every forecaster's last, compared bitwise"
    )
    poisoned_times: int = Field(ge=1, description="times after which all data is replaced in the leakage probe")
    max_foresight: float = Field(
        ge=0, lt=1, description="correlation with the next return that is not held against a feature or a forecast"
    )
    max_abs_log_return: float = Field(gt=0, description="largest plausible one-bar log return")
    max_missing_share: float = Field(ge=0, lt=1, description="bars the calendar asks for that may be missing, of all")
    max_quarantined_share: float = Field(ge=0, lt=1, description="raw rows that cleaning may remove, of all")
    max_repaired_share: float = Field(ge=0, lt=1, description="raw rows that cleaning may change or move, of all")
    max_flat_share: float = Field(ge=0, lt=1, description="clean bars that may be flat, of all; closes alone never are")
    max_parity_residual: float = Field(gt=0, description="largest plausible residual of a triangle of pairs, log price")
    max_parity_share: float = Field(ge=0, lt=1, description="bars of a triangle that may be beyond it, of all")


def canonical_json(value: Any) -> str:
    """Return JSON that is equal for equal values: sorted keys, no whitespace, NaN refused."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
