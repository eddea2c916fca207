"""Facts → graph: which steps and arrows a flow has. What a step says is in steps.py."""

from __future__ import annotations

from collections.abc import Iterator

from golden_core.legacy.flow.graph import Edge, EdgeKind, Graph
from golden_core.legacy.flow.parts import extents
from golden_core.legacy.flow.protocol import PARTS, Facts, Part
from golden_core.legacy.flow.steps import fitted_on, steps
from golden_core.legacy.risks import Risk

_NETWORK_ON: dict[Part, tuple[EdgeKind, str]] = {  # what each part's windows are for
    "train": ("fit", "weights are fitted on these windows"),
    "validation": ("apply", "forecast after every epoch"),
    "test": ("apply", "forecast once"),
}


def data_flow(facts: Facts, risks: tuple[Risk, ...]) -> Graph:
    """Return the data flow of one variant; of the whole register, only its own risks are in it."""
    ratios = facts.ratios
    shares = ((ratios.train, "train"), (ratios.validation, "validate"), (ratios.test, "test"))
    return Graph(
        name=facts.variant,
        title=f"Legacy variant {facts.variant}: what flows where",
        subtitles=(
            f"{facts.candles.rows:,} rows, counted from 0: "
            + ", ".join(f"{100 * share:g} % to {verb}" for share, verb in shares)
            + ".",
            f"Fitted on {fitted_on(facts)} rows: scalers. Fitted on training rows: weights. "
            "Chosen by validation rows: learning rate, end, epoch. Chosen by test rows: the model.",
        ),
        nodes=tuple(steps(facts)),
        edges=tuple(_edges(facts)),
        risks=tuple(risk for risk in risks if facts.variant in risk.variants),
        extents=extents(facts),
    )


def _edges(facts: Facts) -> Iterator[Edge]:
    yield Edge("candles", "cleaning", "data")
    yield Edge("cleaning", "columns", "data")
    yield Edge("columns", "split", "data")
    for part in PARTS:
        fitted = part in facts.scaling.fitted_on
        kind, words = _NETWORK_ON[part]
        yield Edge("split", f"rows_{part}", "data")
        yield Edge(
            f"rows_{part}", "scaling", "fit" if fitted else "apply", "fitted on these rows" if fitted else "transformed"
        )
        yield Edge("scaling", f"windows_{part}", "data")
        yield Edge(f"windows_{part}", "network", kind, words)
    yield Edge("network", "fit", "data", "loss")
    yield Edge("fit", "network", "fit", "weights")
    yield Edge("network", "validation", "apply")
    yield Edge("network", "forecasts", "apply")
    yield Edge("validation", "stopping", "decide")
    yield Edge("validation", "plateau", "decide")
    yield Edge("stopping", "fit", "decide", "stop")
    yield Edge("plateau", "fit", "decide", "rate")
    yield Edge("forecasts", "metrics", "data")
    yield Edge("metrics", "record", "data")
    yield Edge("record", "choice", "decide", "the test rows choose the model")
    yield Edge("fit", "serving", "apply", "saved weights")
