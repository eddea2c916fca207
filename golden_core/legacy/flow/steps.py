"""What every step of a data flow says. Every fact of a run appears in one of them; how they are joined is elsewhere."""

from __future__ import annotations

from golden_core.legacy.flow.graph import Node
from golden_core.legacy.flow.network import layers, trainable_weights
from golden_core.legacy.flow.parts import batches, extents
from golden_core.legacy.flow.protocol import Facts, NumberFormat, Part

_PART_TITLES: dict[Part, str] = {"train": "Training", "validation": "Validation", "test": "Test"}
_FORMATS: dict[NumberFormat, str] = {
    "float32": "float32 unless a flag asks for mixed_float16",
    "mixed_float16": "mixed_float16 everywhere, on a CPU too, unless a flag forbids it",
    "mixed_float16_on_gpu": "mixed_float16 where there is a GPU, float32 elsewhere",
}


def preparation(facts: Facts) -> tuple[Node, ...]:
    """Return the steps before the split."""
    candles, cleaning, columns, split = facts.candles, facts.cleaning, facts.columns, facts.split
    return (
        Node(
            "candles",
            "File",
            (
                f"{candles.what}, {candles.first_day} to {candles.last_day}: {candles.rows:,} rows.",
                "The file is not part of the legacy tree.",
            ),
            candles.evidence,
        ),
        Node(
            "cleaning",
            "Cleaning",
            (f"Drops {cleaning.dropped}.", f"Never checked: {', '.join(cleaning.unchecked)}."),
            cleaning.evidence,
        ),
        Node(
            "columns",
            "Columns",
            (f"Inputs: {', '.join(columns.features)}.", f"Target: {columns.target} of the next bar, as a price level."),
            columns.evidence,
        ),
        Node("split", f"Split {split.rule}", (), (*split.evidence, *facts.ratios.evidence)),
    )


def rows(facts: Facts, part: Part) -> Node:
    """Return the rows of a part."""
    positions = extents(facts)[part].rows
    return Node(
        f"rows_{part}",
        f"{_PART_TITLES[part]} rows",
        (
            f"Rows {positions[0]:,} … {positions[-1]:,}",
            f"{len(positions):,} rows, {100 * len(positions) / facts.candles.rows:.3f} %",
        ),
        (*facts.split.evidence, *facts.ratios.evidence),
        part,
    )


def scaling(facts: Facts) -> Node:
    """Return what is done to every column."""
    return Node(
        "scaling",
        "Standardisation",
        (
            f"The {facts.scaling.statistics} of each input, and of the target, come from the {fitted_on(facts)} rows. "
            f"All parts are transformed with them. Saved: {facts.scaling.saved}.",
        ),
        facts.scaling.evidence,
    )


def windows(facts: Facts, part: Part) -> Node:
    """Return the windows of a part."""
    targets = extents(facts)[part].targets
    length, stride = facts.windows.context_length, facts.windows.stride
    return Node(
        f"windows_{part}",
        f"{_PART_TITLES[part]} windows",
        (
            f"{len(targets):,} windows of {length} rows, stride {stride}, made {facts.windows.made}",
            f"Targets: rows {targets[0]:,} … {targets[-1]:,}",
        ),
        facts.windows.evidence,
        part,
    )


def network(facts: Facts) -> Node:
    """Return the network with its layers."""
    return Node(
        "network",
        f"Network, {trainable_weights(facts):,} trainable weights",
        (f"Number format: {_FORMATS[facts.number_format.policy]}.",),
        (*facts.number_format.evidence, *(facts.gate.evidence if facts.gate else ())),
        blocks=layers(facts),
    )


def fit(facts: Facts) -> Node:
    """Return how the weights are fitted."""
    training = facts.training
    steps, full, rest = batches(len(extents(facts)["train"].targets), training.batch_size)
    last = f" and one of {rest:,}" if rest else ""
    order = "in a new order every epoch" if training.shuffle else "in the order of time"
    return Node(
        "fit",
        "Fitting the weights",
        (
            f"Start: {facts.seeding.starting_weights}",
            f"{training.epochs} epochs of {steps} steps: {full} batches of {training.batch_size:,} windows{last}, "
            f"{order}",
            f"{training.optimiser}, learning rate {training.learning_rate:g}, weight decay {training.weight_decay:g}",
            f"Loss: {training.loss}",
        ),
        (*facts.seeding.evidence, *training.evidence),
        "train",
    )


def decisions(facts: Facts) -> tuple[Node, ...]:
    """Return what the validation rows decide."""
    stopping, patience, plateau = facts.stopping, facts.patience, facts.plateau
    configured = "" if patience.configured is None else f"configuration file {patience.configured}, "
    kept = "The best epoch's weights are put back." if stopping.restores_best else "The last epoch's weights are kept."
    never = " It cannot stop early." if patience.epochs >= facts.training.epochs else ""
    return (
        Node(
            "validation",
            "Validation loss",
            (f"After every epoch, on all {len(extents(facts)['validation'].targets):,} windows",),
            facts.training.evidence,
            "validation",
        ),
        Node(
            "stopping",
            "Stopping, and which epoch is kept",
            (
                f"Patience {patience.epochs} epochs ({configured}paper {stopping.published_patience}).{never}",
                kept,
            ),
            (*stopping.evidence, *patience.evidence),
            "validation",
        ),
        Node(
            "plateau",
            "Learning rate",
            (
                f"× {plateau.factor:g} after {_count(plateau.patience, 'epoch')} without a gain above "
                f"{plateau.min_delta:g} ({plateau.threshold}), down to {plateau.min_learning_rate:g}",
            ),
            plateau.evidence,
            "validation",
        ),
    )


def scoring(facts: Facts) -> tuple[Node, ...]:
    """Return what becomes of the test rows and of the fitted network."""
    evaluation, choice, serving = facts.evaluation, facts.choice, facts.serving
    return (
        Node(
            "forecasts",
            "Forecasts",
            (f"{len(extents(facts)['test'].targets):,} closes, scaled back to {evaluation.space}",),
            evaluation.evidence,
            "test",
        ),
        Node(
            "metrics",
            "Test metrics",
            (f"{', '.join(evaluation.metrics)} of price levels",),
            evaluation.evidence,
            "test",
        ),
        Node("record", "Record", (f"A text file with {evaluation.decimals} decimals",), evaluation.evidence, "test"),
        Node(
            "serving",
            "Making forecasts later",
            (
                f"A separate script: {serving.context_length} rows of {serving.columns} columns, "
                f"{'scaled' if serving.scaled else 'not scaled'}",
            ),
            serving.evidence,
        ),
        Node(
            "choice",
            "Which model is published",
            (
                f"{choice.compared} variants, {_count(choice.runs, 'run')} each, are compared by their test metrics. "
                f"Benchmarks: {choice.benchmarks}.",
            ),
            choice.evidence,
            "test",
        ),
    )


def fitted_on(facts: Facts) -> str:
    """Return the parts that the scalers are fitted on, in words."""
    return " and ".join(_PART_TITLES[part].lower() for part in facts.scaling.fitted_on)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
