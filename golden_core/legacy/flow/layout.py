"""Where everything of a data flow stands on paper: boxes on a grid, arrows between them. Nothing is drawn here."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate

from golden_core.legacy.flow.graph import Edge, Graph, Node
from golden_core.legacy.flow.typography import text_width, wrap

WIDTH = 1280.0
MARGIN = 40.0
TITLE, TEXT, LABEL = 15.0, 13.5, 12.0  # font sizes
LINE, PARAGRAPH = 18.0, 3.0  # from base line to base line, and more before a new sentence
PADDING = 12.0
BADGE = 22.0  # diameter and its gap
HEAD = 98.0  # above the first row: title and subtitles
STRIP = 84.0  # height of the picture of the split

Point = tuple[float, float]


@dataclass(frozen=True)
class Cell:
    """A place on the grid."""

    row: int
    column: int
    columns: int = 1
    rows: int = 1


@dataclass(frozen=True)
class Box:
    """A rectangle."""

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


@dataclass(frozen=True)
class Line:
    """A line of text and how far its base line is below the title's."""

    text: str
    below: float


@dataclass(frozen=True)
class Layout:
    """Boxes and lines by node, boxes of the layers, the corners of every arrow, and where the flow ends below."""

    boxes: dict[str, Box]
    lines: dict[str, tuple[Line, ...]]
    blocks: tuple[Box, ...]
    paths: dict[Edge, tuple[Point, ...]]
    bottom: float


CELLS = {
    "candles": Cell(0, 0),
    "cleaning": Cell(0, 1),
    "columns": Cell(0, 2),
    "split": Cell(1, 0, columns=3),
    "rows_train": Cell(2, 0),
    "rows_validation": Cell(2, 1),
    "rows_test": Cell(2, 2),
    "scaling": Cell(3, 0, columns=3),
    "windows_train": Cell(4, 0),
    "windows_validation": Cell(4, 1),
    "windows_test": Cell(4, 2),
    "network": Cell(5, 0, columns=3),
    "fit": Cell(6, 0, rows=3),
    "validation": Cell(6, 1),
    "stopping": Cell(7, 1),
    "plateau": Cell(8, 1),
    "forecasts": Cell(6, 2),
    "metrics": Cell(7, 2),
    "record": Cell(8, 2),
    "serving": Cell(9, 0),
    "choice": Cell(9, 1, columns=2),
}
_LANES = (376.0, 376.0, 376.0)
_GUTTER = (WIDTH - 2 * MARGIN - sum(_LANES)) / 2
_GAPS = (26.0, 30.0, 38.0, 34.0, 38.0, 38.0, 30.0, 26.0, 38.0, 40.0)  # below each row
_LEFTS = tuple(accumulate(_LANES[:-1], lambda left, lane: left + lane + _GUTTER, initial=MARGIN))
_ANTIPARALLEL = 26.0  # between two arrows that run in opposite directions


def lay_out(graph: Graph) -> Layout:
    """Return where everything stands; heights follow from the text.

    Raises
    ------
    ValueError
        If an arrow joins two boxes that do not face each other.
    """
    lines = {node.id: _lines(node) for node in graph.nodes}
    tops = _tops(graph, lines)
    boxes = {}
    for node in graph.nodes:
        cell = CELLS[node.id]
        left, right = (
            _LEFTS[cell.column],
            _LEFTS[cell.column + cell.columns - 1] + _LANES[cell.column + cell.columns - 1],
        )
        bottom = tops[cell.row + cell.rows] - _GAPS[cell.row + cell.rows - 1]
        boxes[node.id] = Box(left, tops[cell.row], right - left, bottom - tops[cell.row])
    return Layout(
        boxes=boxes,
        lines=lines,
        blocks=_blocks(graph.node("network"), boxes["network"]),
        paths={edge: _path(edge, boxes, graph.edges) for edge in graph.edges if edge.source != "split"},
        bottom=tops[-1],
    )


def chain_height(node: Node) -> float:
    """Return the height of the layers inside a node; 0 where it has none."""
    return max((28 + 16 * len(block.lines) for block in node.blocks), default=0.0)


def _lines(node: Node) -> tuple[Line, ...]:
    cell, chain = CELLS[node.id], chain_height(node)
    width = sum(_LANES[cell.column : cell.column + cell.columns]) + (cell.columns - 1) * _GUTTER
    below, found = chain + 10 if chain else 0.0, list[Line]()
    for text in node.lines:
        for line in wrap(text, width - 2 * PADDING, TEXT):
            below += LINE
            found.append(Line(line, below))
        below += PARAGRAPH
    return tuple(found)


def _tops(graph: Graph, lines: dict[str, tuple[Line, ...]]) -> list[float]:
    """Return the upper side of every row, and of what follows the last."""
    heights = [0.0] * len(_GAPS)
    for node in graph.nodes:
        cell = CELLS[node.id]
        if cell.rows == 1:
            own = STRIP if node.id == "split" else 2 * PADDING + LINE + lines[node.id][-1].below
            heights[cell.row] = max(heights[cell.row], own)
    steps = [height + gap for height, gap in zip(heights, _GAPS, strict=True)]
    return list(accumulate(steps, initial=HEAD))


def _blocks(node: Node, box: Box) -> tuple[Box, ...]:
    """Return the boxes of the layers: as wide as their text asks, together as wide as the network."""
    arrow = 18.0
    asked = [
        max(text_width(block.title, LABEL, bold=True), *(text_width(line, LABEL) for line in block.lines)) + 14
        for block in node.blocks
    ]
    room = box.width - 2 * PADDING - arrow * (len(asked) - 1)
    spare = (room - sum(asked)) / len(asked)
    if spare < 0:
        raise ValueError(f"the layers need {sum(asked):.0f} of {room:.0f}: shorten what they say")
    lefts = accumulate((width + spare + arrow for width in asked[:-1]), initial=box.x + PADDING)
    top = box.y + PADDING + LINE + 6
    return tuple(Box(left, top, width + spare, chain_height(node)) for left, width in zip(lefts, asked, strict=True))


def _path(edge: Edge, boxes: dict[str, Box], edges: tuple[Edge, ...]) -> tuple[Point, ...]:
    """Return the corners of an arrow: straight where the boxes face each other, else around the right of a lane."""
    source, target = boxes[edge.source], boxes[edge.target]
    start, end = CELLS[edge.source], CELLS[edge.target]
    across = _middle(source.x, source.right, target.x, target.right)
    along = _middle(source.y, source.bottom, target.y, target.bottom)
    if across is not None and start.column == end.column and start.row + start.rows < end.row:
        x, top, low = source.right + 12, (source.y + source.bottom) / 2, (target.y + target.bottom) / 2
        return (source.right, top), (x, top), (x, low), (target.right, low)
    if across is not None:
        if any((other.source, other.target) == (edge.target, edge.source) for other in edges):
            across += _ANTIPARALLEL if source.y < target.y else -_ANTIPARALLEL
        return (
            ((across, source.bottom), (across, target.y))
            if source.y < target.y
            else ((across, source.y), (across, target.bottom))
        )
    if along is not None:
        return (
            ((source.right, along), (target.x, along))
            if source.x < target.x
            else ((source.x, along), (target.right, along))
        )
    raise ValueError(f"no straight arrow leads from {edge.source} to {edge.target}")


def _middle(low: float, high: float, other_low: float, other_high: float) -> float | None:
    """Return the middle of what two ranges share; None where they share nothing."""
    first, last = max(low, other_low), min(high, other_high)
    return (first + last) / 2 if first < last else None
