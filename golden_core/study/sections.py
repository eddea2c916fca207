"""The schema of a study, section by section. Values live in data/studies/*.yaml: nothing here has a default."""

from __future__ import annotations

import hashlib
import itertools
import json
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field

from golden_core.study.money import EconomicsSection
from golden_core.study.section import Rule, SparseSection
from golden_core.study.section import Section as Section
from golden_core.study.values import Day, Distinct, LastDay, Pair, Settings, TimeZone, freeze

BENCHMARK = "random_walk"
MARTINGALE = "garch"  # process of synthetic sources
FEWEST_SEEDS = 5
_ROUNDING = 1e-9  # 0.1 and 0.9 add up to 1 but for rounding

Embargo = Annotated[int, Field(ge=0, description="extra rows dropped around held-out parts, beyond the purge")]
Closures = Annotated[
    Literal["keep", "drop", "flag"],
    Field(description="what becomes of rows whose window or label crosses a closure; flag keeps and counts them"),
]
ClaimKind = Literal["more_accurate", "predicts", "equivalent", "covers", "profitable"]
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


def _enough_seeds(count: int, name: str) -> str | None:
    if count >= FEWEST_SEEDS or is_smoke(name):
        return None
    return f"must be ≥ {FEWEST_SEEDS} in a study that is not called smoke or smoke_…, got {count}"


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


def _within_shares(margin: float, level: float) -> str | None:
    widest = min(level, 1 - level)
    return None if margin < widest else f"must be < {widest:g}: a share lies between 0 and 1, got {margin}"


def _asked_with(kind: str, reads: tuple[str, str], why: str) -> Rule:
    """Return the rule that a kind of claim comes with what it is about."""
    said = f"asks for {kind}, which {why}, or leave the kind out"
    return Rule(reads, lambda kinds, given: said if kind in kinds and given is None else None, absent_too=True)


def _of_a_moment(price: str, economics: Any) -> str | None:
    if price == "last" or economics is None:
        return None
    return "is no price that anybody could trade at: leave the section `economics` out, or take last prices"


def _between_quantiles(level: float, levels: tuple[float, ...]) -> str | None:
    known = [round(1 - 2 * low, 9) for low in levels if low < 0.5]
    if any(abs(level - one) < _ROUNDING for one in known):
        return None
    return f"must lie between a pair of quantiles.levels, which give {', '.join(map(str, known))}, got {level}"


def _costs_of_all(costs: dict[str, Any], pairs: tuple[str, ...]) -> str | None:
    lacking = [pair for pair in pairs if pair not in costs]
    return f"lacks {', '.join(lacking)}: every pair of data.pairs needs its cost" if lacking else None


def _nobody_is_paid_for_nothing(swap: dict[str, Any]) -> str | None:
    both = {pair: round(pips["long"] + pips["short"], 9) for pair, pips in swap.items()}
    wrong = ", ".join(f"{pair} gives {earned:g}" for pair, earned in both.items() if earned > 0)
    return f"must not pay who is long and short at once, who holds nothing: {wrong} pips a night" if wrong else None


def _among(named: list[str], forecasters: dict[str, Any]) -> str | None:
    known = [name for name in forecasters if name != BENCHMARK]
    unknown = [name for name in named if name not in known]
    said = f"must be of the section forecasters, without {BENCHMARK}: {', '.join(known)}; got {', '.join(unknown)}"
    return said if unknown else None


def _unpredictable(_block: int, source: str, settings: dict[str, Any]) -> str | None:
    process, known = settings.get("process"), settings.get("r2")
    if source in ("synthetic", "synthetic_hours") and process == MARTINGALE and not known:
        return None
    return (
        f"a placebo needs bars that nobody can forecast, data.source synthetic or synthetic_hours with the process "
        f"{MARTINGALE} and no r2; got {source}{f' with the process {process}' if process else ''}"
    )


def _among_series(asked: tuple[str, ...], pairs: list[str], horizons: list[int]) -> str | None:
    known = [f"{pair}_h{horizon}" for pair in pairs for horizon in horizons]
    unknown = [name for name in asked if name not in known]
    return f"names {', '.join(unknown)}; the series of the study are {', '.join(known)}" if unknown else None


def _among_seeds(asked: int, count: int) -> str | None:
    return None if asked <= count else f"must be ≤ seeds.count ({count}), got {asked}"


def is_smoke(name: str) -> bool:
    """Whether a study of this name only exercises the plumbing."""
    return name == "smoke" or name.startswith("smoke_")


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


class CoverageClaim(Section):
    """What it means that a central interval covers: its share of true values is the level, but for the margin."""

    level: float = Field(gt=0, lt=1, description="nominal level of the central interval, such as 0.9")
    margin: float = Field(gt=0, lt=1, description="difference of shares that is none, either side of the level")

    RULES: ClassVar = (Rule(("margin", "level"), _within_shares),)


class ProtocolSection(SparseSection):
    """What may be claimed of the study, fixed before its test parts are opened."""

    kinds: Annotated[tuple[ClaimKind, ...], Distinct] = Field(
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
    coverage: CoverageClaim | None = Field(default=None, description="the interval that `covers` is about, or null")

    RULES: ClassVar = (
        _asked_with("covers", ("kinds", "coverage"), "needs to know of what: add `coverage: {level: …, margin: …}`"),
    )
    UNSAID: ClassVar = {"coverage": None}


class PlaceboArm(Section):
    """Universes in which there is nothing to find, and who looks for it there."""

    forecasters: Annotated[tuple[str, ...], Distinct] = Field(
        min_length=1, description="names from the section forecasters, beside the random walk"
    )
    universes: int = Field(ge=1, le=100_000, description="universes, each with bars of its own")


class PowerArm(PlaceboArm):
    """Universes in which a known part of the next bar's return can be forecast."""

    r2: Annotated[tuple[Annotated[float, Field(gt=0, lt=1)], ...], Distinct] = Field(
        min_length=1, description="population R² of the best one-bar forecast; as many universes with each"
    )


class PlaceboSection(Section):
    """The campaign against ourselves: how often the pipeline claims a skill where there is none, and where there is."""

    cheap: PlaceboArm = Field(description="the arm that shows the rate of false claims")
    network: PlaceboArm | None = Field(description="a smaller arm with forecasters that train, or null")
    power: PowerArm = Field(description="planted skill of the first pair, one bar ahead")
    block: int = Field(ge=1, le=1000, description="universes of one unit of work, and of one file")


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


class Study(SparseSection):
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
    placebo: PlaceboSection | None = Field(
        default=None, description="universes in which claims are counted; without the section there are none"
    )
    economics: EconomicsSection | None = Field(
        default=None, description="what the forecasts earn; without the section nothing is traded"
    )
    explanations: ExplanationsSection | None = Field(
        default=None, description="which networks are explained; without the section none is"
    )

    RULES: ClassVar = (
        _asked_with("covers", ("protocol.kinds", "quantiles"), "is about quantiles: add the section `quantiles`"),
        _asked_with("profitable", ("protocol.kinds", "economics"), "is about trading: add the section `economics`"),
        Rule(("data.price", "economics"), _of_a_moment, absent_too=True),
        Rule(("protocol.coverage.level", "quantiles.levels"), _between_quantiles),
        Rule(("economics.half_spread.pips", "data.pairs"), _costs_of_all),
        Rule(("economics.swap.pips", "data.pairs"), _costs_of_all),
        Rule(("economics.swap.pips",), _nobody_is_paid_for_nothing),
        Rule(("explanations.forecasters", "forecasters"), _among, keys_only=True),
        Rule(("explanations.series", "data.pairs", "horizons"), _among_series),
        Rule(("explanations.seeds", "seeds.count"), _among_seeds),
        Rule(("seeds.count", "name"), _enough_seeds),
        Rule(("forecasters",), _has_benchmark, keys_only=True),
        Rule(("splits.train", "horizons", "splits.embargo"), _survives_purge),
        Rule(("splits.validation", "horizons", "splits.embargo"), _survives_purge),
        Rule(("placebo.block", "data.source", "data.settings"), _unpredictable),
        Rule(("placebo.cheap.forecasters", "forecasters"), _among, keys_only=True),
        Rule(("placebo.network.forecasters", "forecasters"), _among, keys_only=True),
        Rule(("placebo.power.forecasters", "forecasters"), _among, keys_only=True),
    )
    UNSAID: ClassVar = dict.fromkeys(("quantiles", "protocol", "economics", "placebo", "explanations"))

    @property
    def is_smoke(self) -> bool:
        """Whether this study only exercises the plumbing; its numbers carry no claim."""
        return is_smoke(self.name)

    def canonical(self) -> str:
        """Return the settings as canonical JSON: sorted keys, shortest float spelling, no whitespace."""
        return canonical_json(self.model_dump(mode="json"))

    def protocol_hash(self) -> str | None:
        """Return the SHA-256 of what may be claimed, in hexadecimal; None where nothing may.

        What a claim is about counts with it: other costs, or other quantiles, make it another claim.
        """
        if self.protocol is None:
            return None
        about = {"covers": self.quantiles, "profitable": self.economics}
        asked = {
            kind: one.model_dump(mode="json") for kind, one in about.items() if one and kind in self.protocol.kinds
        }
        said = self.protocol.model_dump(mode="json") | ({"about": asked} if asked else {})
        return hashlib.sha256(canonical_json(said).encode()).hexdigest()

    def hash(self) -> str:
        """Return the SHA-256 of the canonical form, in hexadecimal."""
        return hashlib.sha256(self.canonical().encode()).hexdigest()


def canonical_json(value: Any) -> str:
    """Return JSON that is equal for equal values: sorted keys, no whitespace, NaN refused."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
