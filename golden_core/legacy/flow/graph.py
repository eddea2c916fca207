"""Facts → the graph of a data flow, and its text in Graphviz's DOT language. What a step says is in steps.py."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from golden_core.legacy.flow.protocol import PARTS, Extent, Facts, Part, extents, read_facts
from golden_core.legacy.flow.steps import Node, fitted_on, steps
from golden_core.legacy.risks import Risk, read_risks

# data: rows or numbers move on. fit: something is learnt from them. apply: what was learnt is used on them. decide: a
# choice is made by them.
EdgeKind = Literal["data", "fit", "apply", "decide"]

_STYLES: dict[EdgeKind, str] = {
    "data": "color=gray40",
    "fit": "color=steelblue4 penwidth=3",
    "apply": "color=gray40 style=dashed",
    "decide": "color=goldenrod4 style=dotted penwidth=2",
}
_NETWORK_ON: dict[Part, tuple[EdgeKind, str]] = {  # what each part's windows are for
    "train": ("fit", "weights are fitted on these windows"),
    "validation": ("apply", "forecast after every epoch"),
    "test": ("apply", "forecast once"),
}


@dataclass(frozen=True)
class Edge:
    """An arrow between two steps."""

    source: str
    target: str
    kind: EdgeKind
    label: str = ""


@dataclass(frozen=True)
class Graph:
    """The flow of one variant; ``risks`` are those of the variant, each with the node where it occurs."""

    name: str
    title: str
    subtitles: tuple[str, ...]
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    risks: tuple[Risk, ...]
    extents: dict[Part, Extent]

    def node(self, identity: str) -> Node:
        """Return the node of that name."""
        return next(node for node in self.nodes if node.id == identity)

    def risks_at(self, identity: str) -> tuple[Risk, ...]:
        """Return the risks that occur at a node."""
        return tuple(risk for risk in self.risks if risk.place == identity)


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


def flow_source(variant: str) -> str:
    """Return the data flow of a legacy variant as a DOT document; a ``ValueError`` if there is no such variant."""
    return write(read_facts(variant), read_risks())


def write(facts: Facts, risks: tuple[Risk, ...]) -> str:
    """Write the flow of facts; equal facts and risks give equal text."""
    graph = data_flow(facts, risks)
    lines = [
        f"digraph {graph.name} {{",
        f"  graph [rankdir=TB labelloc=t label={_quoted([graph.title, *graph.subtitles])}];",
        '  node [shape=box fontname="Helvetica"];',
        '  edge [fontname="Helvetica" fontsize=10];',
    ]
    for part in PARTS:
        lines += [f"  subgraph cluster_{part} {{", f"    label={_quoted([part])};"]
        lines += [f"    {_node(node, graph)}" for node in graph.nodes if node.part == part]
        lines.append("  }")
    lines += [f"  {_node(node, graph)}" for node in graph.nodes if node.part is None]
    lines += [
        f"  {edge.source} -> {edge.target} [label={_quoted([edge.label])} {_STYLES[edge.kind]}];"
        for edge in graph.edges
    ]
    return "\n".join([*lines, *_comments(graph), "}", ""])


def _node(node: Node, graph: Graph) -> str:
    chain = [" → ".join(f"{block.title}: {', '.join(block.lines)}" for block in node.blocks)] if node.blocks else []
    risks = graph.risks_at(node.id)
    marks = ["risks " + ", ".join(risk.id for risk in risks)] if risks else []
    label, tooltip = _quoted([node.title, *chain, *node.lines, *marks]), _quoted(node.evidence)
    return f"{node.id} [label={label} tooltip={tooltip}];"


def _comments(graph: Graph) -> list[str]:
    return [
        f"  // {risk.id} {risk.title} (at {risk.place}; {risk.status}; leakage {risk.leakage})" for risk in graph.risks
    ]


def _quoted(lines: list[str] | tuple[str, ...]) -> str:
    """Return lines as one quoted string, broken where DOT breaks."""
    escaped = (line.replace("\\", "\\\\").replace('"', '\\"') for line in lines)
    return '"' + "\\n".join(escaped) + '"'
