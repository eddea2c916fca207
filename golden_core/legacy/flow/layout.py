"""Where everything of a data flow stands, in inches: boxes on a grid, arrows between them. Nothing is drawn here."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from itertools import accumulate

from golden_core.legacy.flow.graph import Edge, Graph, Node

Point = tuple[float, float]

WIDTH, MARGIN, LANE, GUTTER = 13.0, 0.4, 3.85, 0.325
HEAD, GAP, PAD, LINE, STRIP, BADGE = 1.0, 0.38, 0.12, 0.18, 0.8, 0.25
LETTERS_PER_INCH = 15.0  # of a step's text; the font's average letter is narrower


@dataclass(frozen=True)
class Box:
    """A rectangle; y grows downwards."""

    x: float
    y: float
    width: float
    height: float

    @property
    def right(self) -> float:
        """The right side."""
        return self.x + self.width

    @property
    def bottom(self) -> float:
        """The lower side."""
        return self.y + self.height


def place(graph: Graph) -> dict[str, Box]:
    """Return the box of every step; heights follow from the text."""
    heights = [0.0] * 10
    for node in graph.nodes:
        if node.at.rows == 1:
            own = STRIP if node.id == "split" else 2 * PAD + LINE * (1.2 + len(wrapped(node))) + chain_height(node)
            heights[node.at.row] = max(heights[node.at.row], own)
    tops = list(accumulate((height + GAP for height in heights), initial=HEAD))
    boxes = {}
    for node in graph.nodes:
        row, column, _, rows = node.at
        left = MARGIN + column * (LANE + GUTTER)
        boxes[node.id] = Box(left, tops[row], _width(node), tops[row + rows] - GAP - tops[row])
    return boxes


def route(edge: Edge, boxes: dict[str, Box], graph: Graph) -> list[Point]:
    """Return the corners of an arrow: straight where the boxes face each other, else around the right of a lane."""
    source, target = boxes[edge.source], boxes[edge.target]
    left, right = max(source.x, target.x), min(source.right, target.right)
    if left >= right:  # side by side
        y = (max(source.y, target.y) + min(source.bottom, target.bottom)) / 2
        return [(source.right, y), (target.x, y)] if source.x < target.x else [(source.x, y), (target.right, y)]
    if graph.node(edge.source).at.column == graph.node(edge.target).at.column and target.y - source.bottom > GAP + 0.01:
        x, y, end = source.right + GUTTER / 2, source.y + source.height / 2, target.y + target.height / 2
        return [(source.right, y), (x, y), (x, end), (target.right, end)]
    x = (left + right) / 2
    if any((other.source, other.target) == (edge.target, edge.source) for other in graph.edges):
        x += 0.3 if source.y < target.y else -0.3
    return [(x, source.bottom), (x, target.y)] if source.y < target.y else [(x, source.y), (x, target.bottom)]


def wrapped(node: Node) -> list[str]:
    """Return what a step says, in lines that fit its box."""
    letters = int((_width(node) - 2 * PAD) * LETTERS_PER_INCH)
    return [line for text in node.lines for line in textwrap.wrap(text, letters)]


def _width(node: Node) -> float:
    return node.at.columns * LANE + (node.at.columns - 1) * GUTTER


def chain_height(node: Node) -> float:
    """Return the height of the layers inside a node; 0 where it has none."""
    return max((0.36 + 0.16 * len(block.lines) for block in node.blocks), default=0.0)
