"""Where everything of a data flow stands, in inches: boxes on a grid, arrows between them. Nothing is drawn here."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from golden_core.legacy.flow.graph import Edge, Graph
from golden_core.legacy.flow.protocol import PARTS
from golden_core.legacy.flow.steps import Node

Point = tuple[float, float]

WIDTH, MARGIN, LANE, GUTTER = 13.0, 0.4, 3.85, 0.325
HEAD, GAP, PAD, LINE, STRIP, BADGE = 1.0, 0.38, 0.12, 0.18, 0.8, 0.25
LETTERS_PER_INCH = 15.0  # of a step's text; the font's average letter is narrower

# Row, column, columns and rows of every step.
CELLS: dict[str, tuple[int, int, int, int]] = {
    **{name: (0, column, 1, 1) for column, name in enumerate(("candles", "cleaning", "columns"))},
    "split": (1, 0, 3, 1),
    **{f"rows_{part}": (2, column, 1, 1) for column, part in enumerate(PARTS)},
    "scaling": (3, 0, 3, 1),
    **{f"windows_{part}": (4, column, 1, 1) for column, part in enumerate(PARTS)},
    "network": (5, 0, 3, 1),
    "fit": (6, 0, 1, 3),
    **{name: (6 + row, 1, 1, 1) for row, name in enumerate(("validation", "stopping", "plateau"))},
    **{name: (6 + row, 2, 1, 1) for row, name in enumerate(("forecasts", "metrics", "record"))},
    "serving": (9, 0, 1, 1),
    "choice": (9, 1, 2, 1),
}


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
        row, _, _, rows = CELLS[node.id]
        if rows == 1:
            own = STRIP if node.id == "split" else 2 * PAD + LINE * (1.2 + len(wrapped(node))) + chain_height(node)
            heights[row] = max(heights[row], own)
    tops = list(accumulate((height + GAP for height in heights), initial=HEAD))
    boxes = {}
    for node in graph.nodes:
        row, column, columns, rows = CELLS[node.id]
        width = columns * LANE + (columns - 1) * GUTTER
        left = MARGIN + column * (LANE + GUTTER)
        boxes[node.id] = Box(left, tops[row], width, tops[row + rows] - GAP - tops[row])
    return boxes


def route(edge: Edge, boxes: dict[str, Box], edges: Sequence[Edge]) -> list[Point]:
    """Return the corners of an arrow: straight where the boxes face each other, else around the right of a lane."""
    source, target = boxes[edge.source], boxes[edge.target]
    left, right = max(source.x, target.x), min(source.right, target.right)
    if left >= right:  # side by side
        y = (max(source.y, target.y) + min(source.bottom, target.bottom)) / 2
        return [(source.right, y), (target.x, y)] if source.x < target.x else [(source.x, y), (target.right, y)]
    if CELLS[edge.source][1] == CELLS[edge.target][1] and target.y - source.bottom > GAP + 0.01:
        x, y, end = source.right + GUTTER / 2, source.y + source.height / 2, target.y + target.height / 2
        return [(source.right, y), (x, y), (x, end), (target.right, end)]
    x = (left + right) / 2
    if any((other.source, other.target) == (edge.target, edge.source) for other in edges):
        x += 0.3 if source.y < target.y else -0.3
    return [(x, source.bottom), (x, target.y)] if source.y < target.y else [(x, source.y), (x, target.bottom)]


def wrapped(node: Node) -> list[str]:
    """Return what a step says, in lines that fit its box."""
    _, _, columns, _ = CELLS[node.id]
    letters = int((columns * LANE + (columns - 1) * GUTTER - 2 * PAD) * LETTERS_PER_INCH)
    return [line for text in node.lines for line in textwrap.wrap(text, letters)]


def chain_height(node: Node) -> float:
    """Return the height of the layers inside a node; 0 where it has none."""
    return max((0.36 + 0.16 * len(block.lines) for block in node.blocks), default=0.0)
