"""How each variant was run, by data/legacy/protocol.yaml, and the rows, windows and steps that follow from it."""

from __future__ import annotations

import json
import math
from functools import cache
from typing import Any, Literal, NamedTuple, get_args

from numpy.lib.stride_tricks import sliding_window_view
from pydantic import Field
from ruamel.yaml import YAML

from golden_core.inputs.windows import FloatArray
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


# What each field of Facts holds; its name there says what it is about.


class _Candles(Proven):
    what: str
    first_day: str
    last_day: str
    rows: int = Field(ge=1)


class _Cleaning(Proven):
    dropped: str
    unchecked: tuple[str, ...]


class _Columns(Proven):
    features: tuple[str, ...]
    target: str


class _Split(Proven):
    rule: str


class _Scaling(Proven):
    statistics: str
    fitted_on: tuple[Part, ...]
    saved: str


class _WindowFacts(Proven):
    context_length: int = Field(ge=1)
    stride: int = Field(ge=1)
    made: str


class _Seeding(Proven):
    starting_weights: str


class _Training(Proven):
    epochs: int = Field(ge=1)
    batch_size: int = Field(ge=1)
    shuffle: bool
    optimiser: str
    learning_rate: float = Field(gt=0)
    weight_decay: float = Field(ge=0)
    loss: str


class _Stopping(Proven):
    restores_best: bool
    published_patience: int


class _PlateauFacts(Plateau, Proven):
    """How the learning rate is cut."""


class _Evaluation(Proven):
    metrics: tuple[str, ...]
    space: str
    decimals: int = Field(ge=0)


class _Choice(Proven):
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


class _NumberFormatFacts(Proven):
    policy: NumberFormat


class _GateFacts(Proven):
    kind: Gate


class Facts(Section):
    """Everything known about how one variant was run. Two variants are equal in this if and only if these are."""

    variant: str
    candles: _Candles
    cleaning: _Cleaning
    columns: _Columns
    split: _Split
    ratios: Ratios
    scaling: _Scaling
    windows: _WindowFacts
    seeding: _Seeding
    architecture: Architecture
    gate: _GateFacts | None = None
    number_format: _NumberFormatFacts
    training: _Training
    stopping: _Stopping
    patience: Patience
    plateau: _PlateauFacts
    evaluation: _Evaluation
    choice: _Choice
    serving: Serving


def read_facts(variant: str) -> Facts:
    """Return how one variant was run; a ``ValueError`` if there is no such variant."""
    if variant not in VARIANTS:
        raise ValueError(f"no legacy variant is called {variant!r}; there are {VARIANTS[0]} … {VARIANTS[-1]}")
    shared = {name: value for name, value in _protocol().items() if name != "variants"}
    own = _protocol()["variants"][variant]
    architecture = read_architecture(variant).model_dump(mode="json")
    return Facts.model_validate_json(json.dumps(shared | own | {"variant": variant, "architecture": architecture}))


@cache  # half a second for each of ten variants
def _protocol() -> dict[str, Any]:
    parsed: dict[str, Any] = YAML(typ="safe", pure=True).load(FACTS / "protocol.yaml")
    return parsed


class Extent(NamedTuple):
    """The rows of a part, and those of them that are targets."""

    rows: range
    targets: range


def extents(facts: Facts) -> dict[Part, Extent]:
    """Return the rows of every part, from the number of rows and the ratios alone.

    Windows are made inside a part, so its first rows are never targets.
    """
    first_target, stride = facts.windows.context_length, facts.windows.stride
    parts = split_rows(facts.candles.rows, facts.ratios)
    return {part: Extent(rows, rows[first_target::stride]) for part, rows in parts.items()}


def split_rows(count: int, ratios: Ratios) -> dict[Part, range]:
    """Return the rows of every part.

    A boundary is the number of rows times a sum of ratios, cut off to a whole number, in double precision as in the
    legacy code.
    """
    first, second = int(count * ratios.train), int(count * (ratios.train + ratios.validation))
    return dict(zip(PARTS, (range(first), range(first, second), range(second, count)), strict=True))


def batches(samples: int, batch_size: int) -> tuple[int, int, int]:
    """Return the steps of an epoch, how many of them are full, and the size of a smaller last one (0: none)."""
    return math.ceil(samples / batch_size), samples // batch_size, samples % batch_size


def legacy_windows(values: FloatArray, part: range, context_length: int) -> tuple[FloatArray, FloatArray]:
    """Return the windows [N, L] of a part and their targets [N], as the legacy code cuts them.

    ``values`` [T] is one column of all rows, ``part`` the rows of the part; the target is the row after a window.
    """
    inside = values[part.start : part.stop]
    return sliding_window_view(inside[:-1], context_length), inside[context_length:]
