"""A whole study: its sections, what must hold between them, and its identity. What a section holds stands elsewhere."""

from __future__ import annotations

import hashlib
import math
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, Field

from golden_core.study.money import EconomicsSection
from golden_core.study.protocol import PlaceboSection, ProtocolSection, asked_with
from golden_core.study.section import Rule, SparseSection
from golden_core.study.sections import (
    ROUNDING,
    ChecksSection,
    DataSection,
    EvaluationSection,
    ExplanationsSection,
    QuantilesSection,
    SeedsSection,
    TrainingSection,
    WalkForwardSection,
    canonical_json,
)
from golden_core.study.values import Distinct, Settings, freeze

BENCHMARK = "random_walk"
MARTINGALE = "garch"  # process of synthetic sources
FEWEST_SEEDS = 5


def _enough_seeds(count: int, name: str) -> str | None:
    if count >= FEWEST_SEEDS or is_smoke(name):
        return None
    return f"must be ≥ {FEWEST_SEEDS} in a study that is not called smoke or smoke_…, got {count}"


def _has_benchmark(forecasters: dict[str, Any]) -> str | None:
    return None if BENCHMARK in forecasters else f"must include {BENCHMARK}: nothing is reported without it"


def _survives_purge(rows: int, horizons: list[int], embargo: int) -> str | None:
    dropped = max(horizons) + embargo
    return None if rows > dropped else f"must be > {dropped}, the longest horizon plus the embargo, got {rows}"


def _some_validate(rows: int, share: float, horizons: list[int], embargo: int) -> str | None:
    between = max(horizons) + embargo
    left = rows - between
    apart = math.ceil(share * left - ROUNDING)
    if left < 1 or left - apart > between:
        return None
    said = f"leaves no row that validates: of {left}, {apart} calibrate and {between} go between"
    return f"{said}; lengthen it, or lower quantiles.calibration.share"


def _of_a_moment(price: str, economics: Any) -> str | None:
    if price == "last" or economics is None:
        return None
    return "is no price that anybody could trade at: leave the section `economics` out, or take last prices"


def _between_quantiles(level: float, levels: tuple[float, ...]) -> str | None:
    known = [round(1 - 2 * low, 9) for low in levels if low < 0.5]
    if any(abs(level - one) < ROUNDING for one in known):
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
        asked_with("covers", ("protocol.kinds", "quantiles"), "is about quantiles: add the section `quantiles`"),
        asked_with("profitable", ("protocol.kinds", "economics"), "is about trading: add the section `economics`"),
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
        Rule(("splits.validation", "quantiles.calibration.share", "horizons", "splits.embargo"), _some_validate),
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
