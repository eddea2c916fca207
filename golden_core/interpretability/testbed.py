"""Worlds in which the truth about a network is known: a linear map, planted cells, labels permuted, two regimes.

Every gate is measured where it has to pass and, as its control, where it has to fail. Shape letters: N windows,
L context, F features, E experts.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl
import torch
from torch import Generator, Tensor, nn

from golden_core.inputs.windows import Examples, Target, TimeArray, Windows
from golden_core.interpretability.attribution import (
    COMPLETE,
    METHODS,
    ROUGH,
    STEPS,
    Method,
    incompleteness,
    quadrature,
    rough_gradients,
)
from golden_core.interpretability.filing import LIKENESS, MATRIX_CODE, SIGNIFICANCE
from golden_core.interpretability.gating import dead_experts, heaviest
from golden_core.interpretability.hooks import gates
from golden_core.interpretability.measures import FloatArray, auroc, importance, normalised_mutual_information, spearman
from golden_core.interpretability.sanity import beats_chance, randomised, walked
from golden_core.interpretability.subject import Subject, forecast, prepared
from golden_core.models.blocks import Dense, MixtureOfExperts, MultiHeadAttention
from golden_core.models.initialisers import initialise
from golden_core.store.lake import Home, hash_bytes, write_json, write_text
from golden_core.store.randomness import Stream
from golden_core.study import TrainingSection
from golden_core.training import determinism, trainer
from golden_core.trials.code import code_hash

STREAM = Stream(20261127, ("interpretability", "testbed"))
LENGTH, FEATURES, EXPERTS, DEAD = 5, 3, 3, 2
PLANTED = ((4, 0), (2, 1), (0, 2))  # step, feature
ROWS, SHOWN, DRAWS = 800, 16, 16
FOUND, KNOWN, EXACT = 0.95, 0.8, 1e-12
SCHEMA = {
    "gate": pl.String, "method": pl.String, "value": pl.Float64, "threshold": pl.String, "passes": pl.Boolean,
    "control": pl.String, "control_value": pl.Float64, "control_fails": pl.Boolean, "decides": pl.Boolean,
}  # fmt: skip
_TRAINING = TrainingSection(
    epochs=15, batch_size=64, shuffle=True, optimiser="adamw", learning_rate=2e-2, weight_decay=0.0,
    gradient_clip=1.0, precision="float32", early_stopping=None, plateau=None,
)  # fmt: skip


class Probe(nn.Module):
    """The smallest network that has everything to be looked at: attention, a softmax gate, experts. [B, L, F] → [B]."""

    def __init__(self, generator: Generator, *, dead: bool = False) -> None:
        super().__init__()
        self.lift = Dense(FEATURES, 8)
        self.attention = MultiHeadAttention(8, 2, 4)
        self.experts = MixtureOfExperts(8, EXPERTS, 8, 0.3, "softmax")
        self.output = Dense(8 * LENGTH, 1)
        initialise(self, "keras_3.15", generator)
        if dead:
            with torch.no_grad():
                self.experts.bias_gate[DEAD] = -30.0

    def forward(self, x: Tensor) -> Tensor:
        """Map [B, L, F] to [B]."""
        y = self.lift(x)
        y = self.experts(y + self.attention(y))
        prediction: Tensor = self.output(y.flatten(1))
        return prediction.squeeze(-1)


class Linear(nn.Module):
    """A linear map, whose attributions are its weights times its inputs. [B, L, F] → [B]."""

    def __init__(self, generator: Generator) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(LENGTH * FEATURES, dtype=torch.float64, generator=generator))

    def forward(self, x: Tensor) -> Tensor:
        """Map [B, L, F] to [B]."""
        return x.flatten(1) @ self.weight


@dataclass(frozen=True)
class _Row:
    """One gate of one method: its value, what it has to be, and the value of a control in which it has to fail."""

    gate: str
    method: str
    value: float
    control: str
    control_value: float
    threshold: str
    passes: Callable[[float], bool]

    def record(self) -> tuple[object, ...]:
        passed, failed = self.passes(self.value), not self.passes(self.control_value)
        # Attention is shown beside the others; what is known of it says whether to believe it, and decides nothing.
        decides = self.method != "attention"
        return (
            self.gate, self.method, self.value, self.threshold, passed, self.control, self.control_value, failed,
            decides,
        )  # fmt: skip


def measure_sanity(home: Home) -> tuple[pl.DataFrame, Path]:
    """Measure the sanity matrix and file it; return the table and its folder."""
    table, folder = sanity_matrix(), home.root / "interpretability"
    text = table.write_csv()
    write_text(text, folder / "sanity_matrix.csv")
    record = {"code": code_hash(MATRIX_CODE), "table": hash_bytes(text.encode())}
    write_json(record, folder / "sanity.json")  # last: what it describes is there by then
    return table, folder


def sanity_matrix() -> pl.DataFrame:
    """Measure every gate on every method; one row each, with its control. The same in every process."""
    determinism.activate()
    X, y = _planted(STREAM.child("planted"))
    subject = _fitted(X, y, STREAM.child("network"))
    found = {name: method(subject, STREAM.child(name)) for name, method in METHODS.items()}
    rows = [
        *_completeness(subject, found),
        *_linear(),
        *_weights(subject),
        *_labels(subject, found, X, y),
        *_walks(subject, found),
        *_cells(subject, found),
        *_regimes(),
    ]
    return pl.DataFrame([row.record() for row in rows], schema=SCHEMA, orient="row")


def extracted() -> bytes:
    """Return everything that all methods take out of a probe, as bytes: twice the same, if nothing else decides."""
    determinism.activate()
    X = STREAM.child("extracted").generator().standard_normal((SHOWN, LENGTH, FEATURES))
    subject = _subject(prepared(Probe(Generator().manual_seed(STREAM.integer()))), X)
    values = [method(subject, STREAM.child(name)) for name, method in METHODS.items()]
    return b"".join(found.tobytes() for found in (*values, *(gate.contributions for gate in gates(subject))))


def input_itself(subject: Subject, _stream: Stream) -> FloatArray:
    """Return the window as its own explanation: what looks at no weight, as an edge detector does on images."""
    return subject.X


def gradient_times_input(subject: Subject) -> FloatArray:
    """Return the gradient at the window times the window [N, L, F]: complete for linear networks only."""
    x = torch.from_numpy(subject.X).requires_grad_()
    (gradient,) = torch.autograd.grad(forecast(subject.network, x).sum(), x)
    return np.asarray(gradient.numpy() * subject.X)


def _completeness(subject: Subject, found: dict[str, FloatArray]) -> list[_Row]:
    worst = float(incompleteness(subject, gradient_times_input(subject)).max())
    return [
        _Row(
            "completeness", name, float(incompleteness(subject, found[name]).max()), "gradient times input", worst,
            "≤ 1 of 1e-3·|ΔF| + 1e-6, every row", lambda v: v <= 1,
        )
        for name in COMPLETE
    ]  # fmt: skip


def _linear() -> list[_Row]:
    generator = Generator().manual_seed(STREAM.child("linear").integer())
    network, X = Linear(generator), STREAM.child("linear", "X").generator().standard_normal((SHOWN, LENGTH, FEATURES))
    subject = _subject(network, X)
    truth = X * network.weight.detach().numpy().reshape(LENGTH, FEATURES)
    off = float(np.abs(rough_gradients(subject, STREAM) * quadrature(2 * STEPS) - truth).max())
    return [
        _Row(
            "linear model", name, float(np.abs(METHODS[name](subject, STREAM) - truth).max()),
            "captum's float32 weights, uncorrected", off, f"≤ {EXACT:g}", lambda v: v <= EXACT,
        )
        for name in METHODS if name != "attention"
    ]  # fmt: skip


def _weights(subject: Subject) -> list[_Row]:
    def end(method: Method) -> float:
        found = randomised(subject, method, STREAM.child("weights"), draws=DRAWS, stages=False)
        return float(np.mean([value for _, value in found]))

    control = end(input_itself)
    return [_likeness("weights randomised", name, end(method), control) for name, method in ROUGH.items()]


def _labels(subject: Subject, found: dict[str, FloatArray], X: FloatArray, y: FloatArray) -> list[_Row]:
    """Explain networks that were trained on permuted labels, and compare with the one that saw the true ones."""
    explainers = {**ROUGH, "window": input_itself}
    likeness: dict[str, list[float]] = {name: [] for name in explainers}
    found = {**found, "window": subject.X}
    for draw in range(DRAWS // 2):
        stream = STREAM.child("labels", draw)
        blank = _fitted(X, stream.generator().permutation(y), stream)
        for name, method in explainers.items():
            again = method(dataclasses.replace(blank, X=subject.X), STREAM.child(name))
            likeness[name].append(float(spearman(found[name], again).mean()))
    control = float(np.mean(likeness.pop("window")))
    return [_likeness("labels permuted", name, float(np.mean(values)), control) for name, values in likeness.items()]


def _likeness(gate: str, method: str, value: float, control: float) -> _Row:
    said = f"|Spearman| ≤ {LIKENESS}"
    return _Row(
        gate, method, value, "the window itself as its explanation", control, said, lambda v: abs(v) <= LIKENESS
    )


def _walks(subject: Subject, found: dict[str, FloatArray]) -> list[_Row]:
    noise = STREAM.child("noise").generator().standard_normal(subject.X.shape)
    gains = walked(subject, {**found, "noise": noise}, STREAM.child("walks"))
    p = {name: [beats_chance(values) for values in pair] for name, pair in gains.items()}
    return [
        _Row(
            gate, name, p[name][place], "a random explanation", p["noise"][place],
            f"p < {SIGNIFICANCE}", lambda v: v < SIGNIFICANCE,
        )
        for place, gate in enumerate(("deletion", "insertion"))
        for name in METHODS
    ]  # fmt: skip


def _cells(subject: Subject, found: dict[str, FloatArray]) -> list[_Row]:
    planted = np.zeros((LENGTH, FEATURES), dtype=np.bool_)
    planted[tuple(zip(*PLANTED, strict=True))] = True
    blank = dataclasses.replace(subject, network=subject.fresh(STREAM.child("untrained")))
    return [
        _Row(
            "planted cells", name, auroc(importance(found[name]), planted), "an untrained network",
            auroc(importance(method(blank, STREAM.child(name))), planted), f"AUROC ≥ {FOUND}", lambda v: v >= FOUND,
        )
        for name, method in METHODS.items()
    ]  # fmt: skip


def _regimes() -> list[_Row]:
    """Let a gate learn two regimes with an expert that cannot be reached; the control's labels know no regime."""
    X, regime, y = _two_regimes(STREAM.child("regimes"))
    stream = STREAM.child("regimes", "network")
    knows, ignores = (_fitted(X, labels, stream, dead=dead) for labels, dead in ((y, True), (y * regime, False)))
    told, untold = ((gates(dataclasses.replace(one, X=X))[0]) for one in (knows, ignores))
    nmi = [normalised_mutual_information(heaviest(gate), regime) for gate in (told, untold)]
    dead = [dead_experts(gate) for gate in (told, untold)]
    return [
        _Row(
            "regimes", "softmax gate", nmi[0], "labels that know no regime", nmi[1],
            f"NMI ≥ {KNOWN}", lambda v: v >= KNOWN,
        ),
        _Row(
            "dead expert", "softmax gate", float(dead[0] == [DEAD]), "a gate without one", float(dead[1] == [DEAD]),
            "the planted one and no other", lambda v: v == 1,
        ),
    ]  # fmt: skip


def _planted(stream: Stream) -> tuple[FloatArray, FloatArray]:
    """Return windows [N, L, F] and labels [N] that depend on the planted cells and noise."""
    generator = stream.generator()
    X = generator.standard_normal((ROWS, LENGTH, FEATURES))
    first, second, third = (X[:, step, feature] for step, feature in PLANTED)
    return X, np.tanh(1.5 * first) - np.tanh(second) + 0.7 * third + 0.3 * generator.standard_normal(ROWS)


def _two_regimes(stream: Stream) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return windows, their regimes ±1 in spells of 50, which the last feature shows, and labels regime · x."""
    generator = stream.generator()
    regime = np.where(np.arange(ROWS) // 50 % 2, 1.0, -1.0)
    X = generator.standard_normal((ROWS, LENGTH, FEATURES))
    X[:, :, -1] = regime[:, None] + 0.1 * X[:, :, -1]
    return X, regime, regime * X[:, -1, 0]


def _fitted(X: FloatArray, y: FloatArray, stream: Stream, *, dead: bool = False) -> Subject:
    make = partial(Probe, dead=dead)
    network = make(Generator().manual_seed(stream.child("init").integer()))
    fitted, held_out = slice(0, 3 * ROWS // 4), slice(3 * ROWS // 4, None)
    trainer.train(network, _examples(X[fitted], y[fitted]), _examples(X[held_out], y[held_out]), _TRAINING, stream)

    def fresh(own: Stream) -> nn.Module:
        return prepared(make(Generator().manual_seed(own.integer())))

    return dataclasses.replace(_subject(prepared(network), X[held_out][:SHOWN]), fresh=fresh)


def _subject(network: nn.Module, X: FloatArray) -> Subject:
    return Subject(type(network).__name__, network, X, lambda _: network, _days(len(X)))


def _examples(X: FloatArray, y: FloatArray) -> Examples:
    rows = np.arange(len(y))
    windows = Windows(X.astype(np.float32), _days(len(y)), 1, Target("log_return", 0.0, 1.0), np.ones(len(y)), rows)
    return Examples(windows, y)


def _days(count: int) -> TimeArray:
    return np.arange(count).astype("datetime64[D]")
