"""The source of a data flow as text in Graphviz's DOT language, from the same graph as the picture."""

from __future__ import annotations

from golden_core.legacy.flow.content import data_flow
from golden_core.legacy.flow.graph import EdgeKind, Graph, Node
from golden_core.legacy.flow.protocol import PARTS, Facts, read_facts
from golden_core.legacy.risks import Risk, read_risks

_STYLES: dict[EdgeKind, str] = {
    "data": "color=gray40",
    "fit": "color=steelblue4 penwidth=3",
    "apply": "color=gray40 style=dashed",
    "decide": "color=goldenrod4 style=dotted penwidth=2",
}


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
