"""Facts → graph: which steps and arrows a flow has. What a step says is in steps.py."""

from __future__ import annotations

from golden_core.legacy.flow import steps
from golden_core.legacy.flow.graph import Edge, Graph
from golden_core.legacy.flow.parts import extents
from golden_core.legacy.flow.protocol import PARTS, Facts
from golden_core.legacy.risks import Risk


def data_flow(facts: Facts, risks: tuple[Risk, ...]) -> Graph:
    """Return the data flow of one variant; of the whole register, only its own risks are in it."""
    return Graph(
        name=facts.variant,
        title=f"Legacy variant {facts.variant}: what flows where",
        subtitles=_subtitles(facts),
        nodes=(
            *steps.preparation(facts),
            *(steps.rows(facts, part) for part in PARTS),
            steps.scaling(facts),
            *(steps.windows(facts, part) for part in PARTS),
            steps.network(facts),
            steps.fit(facts),
            *steps.decisions(facts),
            *steps.scoring(facts),
        ),
        edges=_edges(facts),
        risks=tuple(risk for risk in risks if facts.variant in risk.variants),
        extents=extents(facts),
    )


def _edges(facts: Facts) -> tuple[Edge, ...]:
    fitted = facts.scaling.fitted_on
    return (
        Edge("candles", "cleaning", "data"),
        Edge("cleaning", "columns", "data"),
        Edge("columns", "split", "data"),
        *(Edge("split", f"rows_{part}", "data") for part in PARTS),
        *(
            Edge(f"rows_{part}", "scaling", "fit", "fitted on these rows")
            if part in fitted
            else Edge(f"rows_{part}", "scaling", "apply", "transformed")
            for part in PARTS
        ),
        *(Edge("scaling", f"windows_{part}", "data") for part in PARTS),
        Edge("windows_train", "network", "fit", "weights are fitted on these windows"),
        Edge("windows_validation", "network", "apply", "forecast after every epoch"),
        Edge("windows_test", "network", "apply", "forecast once"),
        Edge("network", "fit", "data", "loss"),
        Edge("fit", "network", "fit", "weights"),
        Edge("network", "validation", "apply"),
        Edge("network", "forecasts", "apply"),
        Edge("validation", "stopping", "decide"),
        Edge("validation", "plateau", "decide"),
        Edge("stopping", "fit", "decide", "stop"),
        Edge("plateau", "fit", "decide", "rate"),
        Edge("forecasts", "metrics", "data"),
        Edge("metrics", "record", "data"),
        Edge("record", "choice", "decide", "the test rows choose the model"),
        Edge("fit", "serving", "apply", "saved weights"),
    )


def _subtitles(facts: Facts) -> tuple[str, ...]:
    count, ratios = facts.candles.rows, facts.ratios
    shares = f"{_share(ratios.train)} to train, {_share(ratios.validation)} to validate, {_share(ratios.test)} to test"
    return (
        f"{count:,} rows, counted from 0: {shares}.",
        f"Fitted on {steps.fitted_on(facts)} rows: scalers. Fitted on training rows: weights. "
        "Chosen by validation rows: learning rate, end, epoch. Chosen by test rows: the model.",
    )


def _share(ratio: float) -> str:
    return f"{100 * ratio:g} %"
