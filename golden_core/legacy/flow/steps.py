"""The steps of a data flow and what each says: every fact of a run appears in one. They are joined in graph.py."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from golden_core.legacy.flow.protocol import Extent, Facts, NumberFormat, Part, batches, extents
from golden_core.models.architecture import (
    AdditiveFacts,
    Architecture,
    AttentionFacts,
    DotFacts,
    ExpertsFacts,
    FrontFacts,
    HiddenFacts,
)

_FORMATS: dict[NumberFormat, str] = {
    "float32": "float32 unless a flag asks for mixed_float16",
    "mixed_float16": "mixed_float16 everywhere, on a CPU too, unless a flag forbids it",
    "mixed_float16_on_gpu": "mixed_float16 where there is a GPU, float32 elsewhere",
}


@dataclass(frozen=True)
class Block:
    """A layer inside the network."""

    title: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Node:
    """A step: what it is called, what it does, and what shows that it does so. ``part`` is None for all parts."""

    id: str
    title: str
    lines: tuple[str, ...]
    evidence: tuple[str, ...]
    part: Part | None = None
    blocks: tuple[Block, ...] = ()


def steps(facts: Facts) -> Iterator[Node]:
    """Yield the steps from the file to the published model."""
    parts = extents(facts)
    yield from _preparation(facts)
    for part, extent in parts.items():
        yield from _rows_and_windows(facts, part, extent)
    yield _network(facts)
    yield _fit(facts, len(parts["train"].targets))
    yield from _decisions(facts, len(parts["validation"].targets))
    yield from _scoring(facts, len(parts["test"].targets))


def fitted_on(facts: Facts) -> str:
    """Return the parts that the scalers are fitted on, in words."""
    words: dict[Part, str] = {"train": "training", "validation": "validation", "test": "test"}
    return " and ".join(words[part] for part in facts.scaling.fitted_on)


def _preparation(facts: Facts) -> Iterator[Node]:
    candles, cleaning, columns, scaling = facts.candles, facts.cleaning, facts.columns, facts.scaling
    yield Node(
        "candles",
        "File",
        (
            f"{candles.what}, {candles.first_day} to {candles.last_day}: {candles.rows:,} rows.",
            "The file is not part of the legacy tree.",
        ),
        candles.evidence,
    )
    said = (f"Drops {cleaning.dropped}.", f"Never checked: {', '.join(cleaning.unchecked)}.")
    yield Node("cleaning", "Cleaning", said, cleaning.evidence)
    said = (f"Inputs: {', '.join(columns.features)}.", f"Target: {columns.target} of the next bar, as a price level.")
    yield Node("columns", "Columns", said, columns.evidence)
    yield Node("split", f"Split {facts.split.rule}", (), (*facts.split.evidence, *facts.ratios.evidence))
    applied = (
        f"The {scaling.statistics} of each input, and of the target, come from the {fitted_on(facts)} rows. "
        f"All parts are transformed with them. Saved: {scaling.saved}."
    )
    yield Node("scaling", "Standardisation", (applied,), scaling.evidence)


def _rows_and_windows(facts: Facts, part: Part, extent: Extent) -> Iterator[Node]:
    title = "Training" if part == "train" else part.capitalize()
    rows, targets, windows = extent.rows, extent.targets, facts.windows
    said = (
        f"Rows {rows[0]:,} … {rows[-1]:,}",
        f"{len(rows):,} rows, {100 * len(rows) / facts.candles.rows:.3f} %",
    )
    yield Node(f"rows_{part}", f"{title} rows", said, (*facts.split.evidence, *facts.ratios.evidence), part)
    said = (
        f"{len(targets):,} windows of {windows.context_length} rows, stride {windows.stride}, made {windows.made}",
        f"Targets: rows {targets[0]:,} … {targets[-1]:,}",
    )
    yield Node(f"windows_{part}", f"{title} windows", said, windows.evidence, part)


def _network(facts: Facts) -> Node:
    title = f"Network, {trainable_weights(facts):,} trainable weights"
    evidence = (*facts.number_format.evidence, *(facts.gate.evidence if facts.gate else ()))
    said = (f"Number format: {_FORMATS[facts.number_format.policy]}.",)
    return Node("network", title, said, evidence, blocks=layers(facts))


def _fit(facts: Facts, windows: int) -> Node:
    training = facts.training
    count, full, rest = batches(windows, training.batch_size)
    last = f" and one of {rest:,}" if rest else ""
    order = "in a new order every epoch" if training.shuffle else "in the order of time"
    said = (
        f"Start: {facts.seeding.starting_weights}",
        f"{training.epochs} epochs of {count} steps: {full} batches of {training.batch_size:,} windows{last}, {order}",
        f"{training.optimiser}, learning rate {training.learning_rate:g}, weight decay {training.weight_decay:g}",
        f"Loss: {training.loss}",
    )
    return Node("fit", "Fitting the weights", said, (*facts.seeding.evidence, *training.evidence), "train")


def _decisions(facts: Facts, windows: int) -> Iterator[Node]:
    """Yield what the validation rows decide."""
    stopping, patience, plateau = facts.stopping, facts.patience, facts.plateau
    said: tuple[str, ...] = (f"After every epoch, on all {windows:,} windows",)
    yield Node("validation", "Validation loss", said, facts.training.evidence, "validation")
    configured = "" if patience.configured is None else f"configuration file {patience.configured}, "
    never = " It cannot stop early." if patience.epochs >= facts.training.epochs else ""
    said = (
        f"Patience {patience.epochs} epochs ({configured}paper {stopping.published_patience}).{never}",
        "The best epoch's weights are put back." if stopping.restores_best else "The last epoch's weights are kept.",
    )
    evidence = (*stopping.evidence, *patience.evidence)
    yield Node("stopping", "Stopping, and which epoch is kept", said, evidence, "validation")
    cut = (
        f"× {plateau.factor:g} after {_count(plateau.patience, 'epoch')} without a gain above {plateau.min_delta:g} "
        f"({plateau.threshold}), down to {plateau.min_learning_rate:g}"
    )
    yield Node("plateau", "Learning rate", (cut,), plateau.evidence, "validation")


def _scoring(facts: Facts, windows: int) -> Iterator[Node]:
    """Yield what becomes of the test rows and of the fitted network."""
    evaluation, choice, serving = facts.evaluation, facts.choice, facts.serving
    for name, title, said in (
        ("forecasts", "Forecasts", f"{windows:,} closes, scaled back to {evaluation.space}"),
        ("metrics", "Test metrics", f"{', '.join(evaluation.metrics)} of price levels"),
        ("record", "Record", f"A text file with {evaluation.decimals} decimals"),
    ):
        yield Node(name, title, (said,), evaluation.evidence, "test")
    scaled = "scaled" if serving.scaled else "not scaled"
    served = f"A separate script: {serving.context_length} rows of {serving.columns} columns, {scaled}"
    yield Node("serving", "Making forecasts later", (served,), serving.evidence)
    compared = (
        f"{choice.compared} variants, {_count(choice.runs, 'run')} each, are compared by their test metrics. "
        f"Benchmarks: {choice.benchmarks}."
    )
    yield Node("choice", "Which model is published", (compared,), choice.evidence, "test")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def trainable_weights(facts: Facts) -> int:
    """Return how many numbers of the network are fitted."""
    return _weights(facts.architecture, facts.windows.context_length, len(facts.columns.features))


@lru_cache(maxsize=32)  # a network is made to count them
def _weights(architecture: Architecture, context_length: int, features: int) -> int:
    from golden_core.models.legacy import LegacyNetwork  # noqa: PLC0415  torch, which no reader of facts waits for

    network = LegacyNetwork(architecture, context_length, features, "linear")
    return sum(parameter.numel() for parameter in network.parameters())


def layers(facts: Facts) -> tuple[Block, ...]:
    """Return the layers from the window to the forecast, with every size and slope."""
    network, length, features = facts.architecture, facts.windows.context_length, len(facts.columns.features)
    width = network.experts.units if network.experts else 2 * network.lstm.units
    found = [
        Block("Window", (f"{length} × {features}",)),
        _front(network.front),
        Block("BiLSTM", (f"2 × {network.lstm.units} units",)),
        Block("Attention", (_attention(network.attention), "normalised")),
    ]
    if network.experts and facts.gate:
        found.append(_experts(network.experts, facts.gate.kind))
    found.append(Block("Flatten", (f"{length} × {width}", f"= {length * width:,}")))
    if network.hidden:
        found.append(_hidden(network.hidden))
    return (*found, Block("Output", ("1, scaled", "close")))


def _front(front: FrontFacts) -> Block:
    attention = f"each with {_attention(front.attention)} attention" if front.attention else "no attention"
    shortcut = "no shortcut" if front.shortcut_slope is None else f"shortcut, slope {front.shortcut_slope:g}"
    slopes = " and ".join(f"{slope:g}" for slope in front.slopes)
    return Block(f"2 × convolution {front.filters} × {front.kernel}", (f"slopes {slopes}", attention, shortcut))


def _attention(facts: AttentionFacts | None) -> str:
    match facts:
        case None:
            return "no"
        case DotFacts():
            return "dot"
        case AdditiveFacts():
            return "additive"
        case _:
            return f"{facts.heads}-head × {facts.key_dimension}"


def _experts(facts: ExpertsFacts, gate: str) -> Block:
    return Block(
        f"{facts.count} experts", (f"{facts.units} units, slope {facts.slope:g}", f"{gate} gate", "normalised")
    )


def _hidden(facts: HiddenFacts) -> Block:
    normalised = "normalised" if facts.normalised else "not normalised"
    return Block("Dense", (f"{facts.units} units, slope {facts.slope:g}", normalised))
