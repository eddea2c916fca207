"""The graph of a data flow: its types. What a node says is in steps.py, where it stands in layout.py."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from golden_core.legacy.flow.parts import Extent
from golden_core.legacy.flow.protocol import Part
from golden_core.legacy.risks import Risk

# data: rows or numbers move on. fit: something is learnt from them. apply: what was learnt is used on them. decide: a
# choice is made by them.
EdgeKind = Literal["data", "fit", "apply", "decide"]


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
