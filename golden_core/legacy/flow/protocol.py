"""The facts of data/legacy/protocol.yaml: how each variant was run. No arithmetic with them belongs here."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, get_args

from pydantic import Field
from ruamel.yaml import YAML

from golden_core.legacy.frozen import FACTS
from golden_core.models.architecture import VARIANTS, Architecture, Gate, read_architecture
from golden_core.study import Plateau, Section

Part = Literal["train", "validation", "test"]
PARTS: tuple[Part, ...] = get_args(Part)
# float32: unless a flag asks for the other; mixed_float16: unless a flag forbids it, on a CPU too.
NumberFormat = Literal["float32", "mixed_float16", "mixed_float16_on_gpu"]


class Proven(Section):
    """A fact with the places that show it."""

    evidence: tuple[str, ...] = Field(min_length=1)


class Candles(Proven):
    """The one input."""

    what: str
    first_day: str
    last_day: str
    rows: int = Field(ge=1)


class Cleaning(Proven):
    """What is done with bad rows."""

    dropped: str
    unchecked: tuple[str, ...]


class Columns(Proven):
    """What is put in, and what is forecast."""

    features: tuple[str, ...]
    target: str


class Split(Proven):
    """How rows become parts."""

    rule: str


class Scaling(Proven):
    """Standardisation of the inputs and of the target."""

    statistics: str
    fitted_on: tuple[Part, ...]
    saved: str


class WindowFacts(Proven):
    """What a network sees at once."""

    context_length: int = Field(ge=1)
    stride: int = Field(ge=1)
    made: str


class Seeding(Proven):
    """What the first weights are made of."""

    starting_weights: str


class Training(Proven):
    """The descent."""

    epochs: int = Field(ge=1)
    batch_size: int = Field(ge=1)
    shuffle: bool
    optimiser: str
    learning_rate: float = Field(gt=0)
    weight_decay: float = Field(ge=0)
    loss: str


class Stopping(Proven):
    """Early stopping and the choice of the epoch."""

    restores_best: bool
    published_patience: int


class PlateauFacts(Plateau, Proven):
    """How the learning rate is cut."""


class Evaluation(Proven):
    """How a run is scored."""

    metrics: tuple[str, ...]
    space: str
    decimals: int = Field(ge=0)


class Choice(Proven):
    """How the published model was chosen."""

    compared: int
    runs: int
    benchmarks: str


class Serving(Proven):
    """What the script that was to make forecasts feeds to a network."""

    context_length: int
    columns: int
    scaled: bool


class Ratios(Proven):
    """Shares of the rows."""

    train: float = Field(gt=0, lt=1)
    validation: float = Field(gt=0, lt=1)
    test: float = Field(gt=0, lt=1)


class Patience(Proven):
    """Epochs without improvement after which training stops; ``configured`` is null where it was not recorded."""

    epochs: int = Field(ge=1)
    configured: int | None


class NumberFormatFacts(Proven):
    """In which number format the network computes."""

    policy: NumberFormat


class GateFacts(Proven):
    """How the experts of a network are weighted."""

    kind: Gate


class Facts(Section):
    """Everything known about how one variant was run. Two variants are equal in this if and only if these are."""

    variant: str
    candles: Candles
    cleaning: Cleaning
    columns: Columns
    split: Split
    ratios: Ratios
    scaling: Scaling
    windows: WindowFacts
    seeding: Seeding
    architecture: Architecture
    gate: GateFacts | None = None
    number_format: NumberFormatFacts
    training: Training
    stopping: Stopping
    patience: Patience
    plateau: PlateauFacts
    evaluation: Evaluation
    choice: Choice
    serving: Serving


def read_facts(variant: str, folder: Path = FACTS) -> Facts:
    """Return how one variant was run.

    Raises
    ------
    ValueError
        If there is no such variant, or the file does not fit :class:`Facts`.
    """
    if variant not in VARIANTS:
        raise ValueError(f"no legacy variant is called {variant!r}; there are {VARIANTS[0]} … {VARIANTS[-1]}")
    shared = _parsed((folder / "protocol.yaml").read_bytes())
    own = shared["variants"][variant]
    shared = {name: value for name, value in shared.items() if name != "variants"}
    architecture = read_architecture(variant).model_dump(mode="json")
    return Facts.model_validate_json(json.dumps(shared | own | {"variant": variant, "architecture": architecture}))


@lru_cache(maxsize=4)  # half a second for each of ten variants
def _parsed(text: bytes) -> dict[str, Any]:
    parsed: dict[str, Any] = YAML(typ="safe", pure=True).load(text)
    return parsed
