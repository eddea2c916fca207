"""Facts → the graph of a data flow, and its text in Graphviz's DOT language. What a step says is in flow.yaml."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any, Literal, NamedTuple

from jinja2 import Template
from ruamel.yaml import YAML

from golden_core.legacy.flow.protocol import PARTS, Facts, Part, batches, extents, read_facts
from golden_core.legacy.page import TEMPLATES
from golden_core.legacy.risks import Risk, read_risks

EdgeKind = Literal["data", "fit", "apply", "decide"]

_STYLES: dict[EdgeKind, str] = {
    "data": "color=gray40",
    "fit": "color=steelblue4 penwidth=3",
    "apply": "color=gray40 style=dashed",
    "decide": "color=goldenrod4 style=dotted penwidth=2",
}
_PART_NAMES: dict[Part, str] = {"train": "Training", "validation": "Validation", "test": "Test"}


class Cell(NamedTuple):
    """Where a step stands on the grid of the picture, and how much of it it takes."""

    row: int
    column: int
    columns: int
    rows: int


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
    part: Part | None
    blocks: tuple[Block, ...]
    at: Cell


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
    rows: dict[Part, range]

    def node(self, identity: str) -> Node:
        """Return the node of that name."""
        return next(node for node in self.nodes if node.id == identity)

    def risks_at(self, identity: str) -> tuple[Risk, ...]:
        """Return the risks that occur at a node."""
        return tuple(risk for risk in self.risks if risk.place == identity)


def data_flow(facts: Facts, risks: Iterable[Risk]) -> Graph:
    """Return the data flow of one variant; of the whole register, only its own risks are in it."""
    told, words = _told(), _words(facts)
    return Graph(
        name=facts.variant,
        title=_said(told["title"], words),
        subtitles=_lines(told["subtitles"], words),
        nodes=tuple(_node(entry, facts, of_part) for entry, of_part in _every(told["nodes"], words)),
        edges=tuple(Edge(*_lines(entry, of_part)) for entry, of_part in _every(told["edges"], words)),  # type: ignore[arg-type]
        risks=tuple(risk for risk in risks if facts.variant in risk.variants),
        rows={part: extent.rows for part, extent in extents(facts).items()},
    )


@cache
def _told() -> dict[str, Any]:
    text = (files("golden_core.legacy") / "templates" / "flow.yaml").read_text(encoding="utf-8")
    told: dict[str, Any] = YAML(typ="safe", pure=True).load(text)
    return told


def _every(entries: Iterable[Any], words: dict[str, Any]) -> Iterator[tuple[Any, dict[str, Any]]]:
    """Yield entries with what their texts may name, those for every part once for each."""
    for entry in entries:
        if isinstance(entry, dict) and "for_every_part" in entry:
            for part in PARTS:
                of_part = {"part": part, "part_name": _PART_NAMES[part], "extent": words["parts"][part]}
                yield from ((one, words | of_part) for one in entry["for_every_part"])
        else:
            yield entry, words


def _words(facts: Facts) -> dict[str, Any]:
    """Return what the texts of flow.yaml may name: every fact, and what follows from several."""
    network, parts = facts.architecture, extents(facts)
    steps, full, rest = batches(len(parts["train"].targets), facts.training.batch_size)
    return {
        **dict(facts),
        "network": network,
        "number_formats": _told()["number_formats"],
        "parts": parts,
        "fitted_on": " and ".join(_PART_NAMES[part].lower() for part in facts.scaling.fitted_on),
        "batches": {"count": steps, "full": full, "rest": rest},
        "width": network.experts.units if network.experts else 2 * network.lstm.units,
        "attention": lambda one: f"{one.heads}-head × {one.key_dimension}" if one.kind == "multi_head" else one.kind,
        "weights": lambda: trainable_weights(facts),
    }


def _node(entry: dict[str, Any], facts: Facts, words: dict[str, Any]) -> Node:
    shown_by = [getattr(facts, name) for name in entry["evidence"]]
    cell, part = Cell(*entry["at"]), entry.get("part", words.get("part"))
    if "part" in words:
        cell = cell._replace(column=PARTS.index(part))
    blocks = ((_said(block["title"], words), block["lines"]) for block in entry.get("blocks", ()))
    return Node(
        id=_said(entry["id"], words),
        title=_said(entry["title"], words),
        lines=_lines(entry["lines"], words),
        evidence=tuple(place for fact in shown_by if fact for place in fact.evidence),
        part=part,
        blocks=tuple(Block(title, _lines(lines, words)) for title, lines in blocks if title),
        at=cell,
    )


def _lines(texts: Iterable[str], words: dict[str, Any]) -> tuple[str, ...]:
    return tuple(_said(text, words) for text in texts)


def _said(text: str, words: dict[str, Any]) -> str:
    return _template(text).render(words)


@cache  # compiling a text takes longer than everything else that is done with it
def _template(text: str) -> Template:
    return TEMPLATES.from_string(text)


@lru_cache(maxsize=32)  # a network is made to count them
def trainable_weights(facts: Facts) -> int:
    """Return how many numbers of the network are fitted."""
    from golden_core.models.legacy import LegacyNetwork  # noqa: PLC0415  torch, which no reader of facts waits for

    features = len(facts.columns.features)
    network = LegacyNetwork(facts.architecture, facts.windows.context_length, features, "linear")
    return sum(parameter.numel() for parameter in network.parameters())


# --------------------------------------------------------------------------------------------------------- DOT source


def flow_source(variant: str) -> str:
    """Return the data flow of a legacy variant as a DOT document; a ``ValueError`` if there is no such variant."""
    return written(data_flow(read_facts(variant), read_risks()))


def written(graph: Graph) -> str:
    """Write a graph in DOT; equal graphs give equal text."""
    lines = [
        f"digraph {graph.name} {{",
        f"  graph [rankdir=TB labelloc=t label={_quoted([graph.title, *graph.subtitles])}];",
        '  node [shape=box fontname="Helvetica"];',
        '  edge [fontname="Helvetica" fontsize=10];',
    ]
    for part in PARTS:
        lines += [f"  subgraph cluster_{part} {{", f"    label={_quoted([part])};"]
        lines += [f"    {_declared(node, graph)}" for node in graph.nodes if node.part == part]
        lines.append("  }")
    lines += [f"  {_declared(node, graph)}" for node in graph.nodes if node.part is None]
    lines += [
        f"  {edge.source} -> {edge.target} [label={_quoted([edge.label])} {_STYLES[edge.kind]}];"
        for edge in graph.edges
    ]
    lines += [
        f"  // {risk.id} {risk.title} (at {risk.place}; {risk.status}; leakage {risk.leakage})" for risk in graph.risks
    ]
    return "\n".join([*lines, "}", ""])


def _declared(node: Node, graph: Graph) -> str:
    chain = [" → ".join(f"{block.title}: {', '.join(block.lines)}" for block in node.blocks)] if node.blocks else []
    risks = graph.risks_at(node.id)
    marks = ["risks " + ", ".join(risk.id for risk in risks)] if risks else []
    label, tooltip = _quoted([node.title, *chain, *node.lines, *marks]), _quoted(node.evidence)
    return f"{node.id} [label={label} tooltip={tooltip}];"


def _quoted(lines: Iterable[str]) -> str:
    """Return lines as one quoted string, broken where DOT breaks."""
    escaped = (line.replace("\\", "\\\\").replace('"', '\\"') for line in lines)
    return '"' + "\\n".join(escaped) + '"'
