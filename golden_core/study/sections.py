"""The schema of a study, section by section. Values live in data/studies/*.yaml: nothing here has a default."""

from __future__ import annotations

import hashlib
import itertools
import json
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)
from pydantic_core import PydanticCustomError

from golden_core.study.faults import dotted
from golden_core.study.messages import BROKEN_RULE
from golden_core.study.rules import Rule, broken
from golden_core.study.values import Day, Distinct, LastDay, Pair, Settings, TimeZone, freeze

BENCHMARK = "random_walk"
FEWEST_SEEDS = 5
_ROUNDING = 1e-9  # 0.1 and 0.9 add up to 1 but for rounding

Embargo = Annotated[int, Field(ge=0, description="extra rows dropped around held-out parts, beyond the purge")]
Closures = Annotated[
    Literal["keep", "drop", "flag"],
    Field(description="what becomes of rows whose window or label crosses a closure; flag keeps and counts them"),
]
CalibrationShare = Annotated[
    float, Field(gt=0, lt=1, description="last part of the validation rows, which then calibrate and validate nothing")
]


class Section(BaseModel):
    """A frozen part of a study that refuses unknown keys, loose types, NaN and infinity."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    RULES: ClassVar[tuple[Rule, ...]] = ()

    @model_validator(mode="after")
    def _obey_rules(self) -> Self:
        values = self.model_dump() if self.RULES else {}
        faults = [f"{dotted(path)}: {message}" for path, message in broken(self.RULES, values)]
        if faults:
            raise PydanticCustomError(BROKEN_RULE, "{faults}", {"faults": "; ".join(faults)})
        return self


def _after(end: Any, start: Any) -> str | None:
    return None if end > start else f"must be after start ({start}), got {end}"


def _no_reuse(step: int, test: int) -> str | None:
    return None if step >= test else f"must be ≥ test ({test}), or test rows would be used twice, got {step}"


def _below_start(lowest: float, start: float) -> str | None:
    return None if lowest <= start else f"must be ≤ learning_rate ({start}), got {lowest}"


def _enough_seeds(count: int, name: str) -> str | None:
    if count >= FEWEST_SEEDS or is_smoke(name):
        return None
    return f"must be ≥ {FEWEST_SEEDS} for anything but a smoke study, got {count}"


def _has_benchmark(forecasters: dict[str, Any]) -> str | None:
    return None if BENCHMARK in forecasters else f"must include {BENCHMARK}: nothing is reported without it"


def _survives_purge(rows: int, horizons: list[int], embargo: int) -> str | None:
    dropped = max(horizons) + embargo
    return None if rows > dropped else f"must be > {dropped}, the longest horizon plus the embargo, got {rows}"


def _central(levels: tuple[float, ...]) -> str | None:
    paired = all(abs(low + high - 1) < _ROUNDING for low, high in zip(levels, reversed(levels), strict=True))
    if paired and len(levels) % 2 and all(low < high for low, high in itertools.pairwise(levels)):
        return None
    return f"must rise, lie evenly around 0.5 and include it, such as [0.05, 0.5, 0.95], got {list(levels)}"


def _among_forecasters(asked: tuple[str, ...], known: dict[str, Any]) -> str | None:
    unknown = [name for name in asked if name not in known]
    return f"names {', '.join(unknown)}, which the study does not run; it runs {', '.join(known)}" if unknown else None


def _among_series(asked: tuple[str, ...], pairs: list[str], horizons: list[int]) -> str | None:
    known = [f"{pair}_h{horizon}" for pair in pairs for horizon in horizons]
    unknown = [name for name in asked if name not in known]
    return f"names {', '.join(unknown)}; the series of the study are {', '.join(known)}" if unknown else None


def _among_seeds(asked: int, count: int) -> str | None:
    return None if asked <= count else f"must be ≤ seeds.count ({count}), got {asked}"


def is_smoke(name: str) -> bool:
    """Whether a study of this name only exercises the plumbing."""
    return name == "smoke" or name.startswith("smoke_")


class DataSection(Section):
    """Which prices, from where, over which days."""

    source: str = Field(description="name of a registered source")
    settings: Settings = Field(description="the source's own settings")
    pairs: Annotated[tuple[Pair, ...], Distinct] = Field(min_length=1, description="currency pairs")
    bar: Literal["1d", "4h", "1h"] = Field(description="length of a bar")
    start: Day = Field(description="first day")
    end: LastDay = Field(description="last day, included; or latest, the last day of which the source has all bars")
    time_zone: TimeZone = Field(description="the vendor's clock")

    RULES: ClassVar = (Rule(("end", "start"), _after),)


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


class TrainingSection(Section):
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

    RULES: ClassVar = (Rule(("plateau.min_learning_rate", "learning_rate"), _below_start),)


class EvaluationSection(Section):
    """How forecasts are judged."""

    confidence: float = Field(gt=0.5, lt=1, description="level of intervals")
    bootstrap_resamples: int = Field(ge=100, le=1_000_000, description="resamples of a bootstrap interval")
    significance: float = Field(gt=0, lt=0.5, description="level of tests, after correction for their number")
    volatility_window: int = Field(ge=2, description="bars of the trailing volatility that forms the terciles")
    strata: Annotated[tuple[Literal["year", "volatility_tercile", "weekday"], ...], Distinct] = Field(
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


class ProtocolSection(Section):
    """What may be claimed of the study, fixed before its test parts are opened."""

    kinds: Annotated[tuple[Literal["more_accurate", "predicts", "equivalent"], ...], Distinct] = Field(
        min_length=1, description="kinds of claim, each decided by one test"
    )
    scopes: Annotated[tuple[Literal["series", "pooled"], ...], Distinct] = Field(
        min_length=1, description="series by series, or the mean over pairs at each cutoff"
    )
    loss: Literal["squared", "absolute"] = Field(description="loss of a forecast log return")
    margin: float = Field(gt=0, lt=1, description="difference that is none, as a share of the random walk's loss")
    family: Literal["kind", "study"] = Field(description="over which tests Holm's adjustment runs")
    alpha: float = Field(gt=0, lt=0.5, description="chance of any false claim in a family")
    power: float = Field(gt=0.5, lt=1, description="chance of finding the effect that a non-claim is reported with")


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


class Study(Section):
    """Named settings of an experiment. Equal settings have equal hashes, however the file spells them."""

    name: str = Field(
        pattern=r"^[a-z][a-z0-9_]{0,39}$", description="small letters, digits and underscores, a letter first"
    )
    description: str = Field(min_length=1, description="what the study is for")
    data: DataSection
    target: str = Field(description="what is forecast")
    features: Annotated[tuple[str, ...], Distinct] = Field(min_length=1, description="inputs by name")
    context_length: int = Field(ge=1, le=100_000, description="bars looked back on")
    horizons: Annotated[tuple[Annotated[int, Field(ge=1, le=100_000)], ...], Distinct] = Field(
        min_length=1, description="bars looked ahead"
    )
    splits: WalkForwardSection
    seeds: SeedsSection
    training: TrainingSection
    forecasters: Annotated[dict[str, Settings], AfterValidator(freeze)] = Field(
        min_length=1, description="forecasters by name, each with its settings"
    )
    evaluation: EvaluationSection
    checks: ChecksSection
    quantiles: QuantilesSection | None = Field(
        default=None, description="quantiles beside the forecasts; without the section there are none"
    )
    protocol: ProtocolSection | None = Field(
        default=None, description="what may be claimed; without the section nothing is"
    )

    explanations: ExplanationsSection | None = Field(
        default=None, description="which networks are explained; without the section none is"
    )

    RULES: ClassVar = (
        Rule(("explanations.forecasters", "forecasters"), _among_forecasters, keys_only=True),
        Rule(("explanations.series", "data.pairs", "horizons"), _among_series),
        Rule(("explanations.seeds", "seeds.count"), _among_seeds),
        Rule(("seeds.count", "name"), _enough_seeds),
        Rule(("forecasters",), _has_benchmark, keys_only=True),
        Rule(("splits.train", "horizons", "splits.embargo"), _survives_purge),
        Rule(("splits.validation", "horizons", "splits.embargo"), _survives_purge),
    )

    @model_serializer(mode="wrap")
    def _leave_out_absent(self, given: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Write nothing of an absent section, so that a study without it is what it was before there was one."""
        absent = {"quantiles", "protocol", "explanations"}
        return {name: value for name, value in given(self).items() if name not in absent or value is not None}

    @property
    def is_smoke(self) -> bool:
        """Whether this study only exercises the plumbing; its numbers carry no claim."""
        return is_smoke(self.name)

    def canonical(self) -> str:
        """Return the settings as canonical JSON: sorted keys, shortest float spelling, no whitespace."""
        return canonical_json(self.model_dump(mode="json"))

    def protocol_hash(self) -> str | None:
        """Return the SHA-256 of what may be claimed, in hexadecimal; None where nothing may."""
        if self.protocol is None:
            return None
        return hashlib.sha256(canonical_json(self.protocol.model_dump(mode="json")).encode()).hexdigest()

    def hash(self) -> str:
        """Return the SHA-256 of the canonical form, in hexadecimal."""
        return hashlib.sha256(self.canonical().encode()).hexdigest()


def canonical_json(value: Any) -> str:
    """Return JSON that is equal for equal values: sorted keys, no whitespace, NaN refused."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
