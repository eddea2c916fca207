"""The picture of a data flow, by matplotlib: boxes on a grid in lanes of training, validation and test rows."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Sequence
from itertools import accumulate, pairwise

import matplotlib.style
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, Polygon, Rectangle
from matplotlib.transforms import Bbox

from golden_core.legacy.flow.graph import Edge, EdgeKind, Graph, Node, data_flow
from golden_core.legacy.flow.protocol import PARTS, Facts, Part, read_facts
from golden_core.legacy.risks import Risk, read_risks

TITLE, TEXT, SMALL = 10.0, 8.5, 7.5  # font sizes in points
INK, MUTED, RED, SLATE, GREEN = "#1d2733", "#55606d", "#b3372a", "#4a5663", "#2f7d4f"
COLOURS: dict[Part | None, tuple[str, str]] = {  # line, surface
    None: ("#8a95a1", "#f5f6f8"),
    "train": ("#1f5f8b", "#e9f1f7"),
    "validation": ("#8a6d1b", "#f8f2e0"),
    "test": ("#7a4a86", "#f4ecf6"),
}
ARROWS: dict[EdgeKind, tuple[str, str, float, str]] = {  # colour, line, width, meaning
    "fit": ("#1f5f8b", "-", 2.4, "fitted on these rows"),
    "apply": (MUTED, "--", 1.1, "used on these rows, nothing fitted"),
    "decide": ("#8a6d1b", ":", 1.8, "a choice is made by this number"),
    "data": (MUTED, "-", 1.1, "rows or numbers move on"),
}
BADGES = {  # surface, line, number
    "leakage (class of Kapoor & Narayanan 2023)": (RED, RED, "white"),
    "another threat to the result": (SLATE, SLATE, "white"),
    "possible leakage: depends on what is not known": ("white", RED, RED),
    "possible threat": ("white", SLATE, SLATE),
    "looked for, not found": ("#e3f2e8", GREEN, GREEN),
}


def flow_svg(variant: str) -> str:
    """Return the data-flow diagram of a legacy variant as SVG, the same bytes for the same facts.

    Rows and shares of the parts, what is fitted on which of them, the network, and a numbered badge for every risk at
    the step where it occurs. What shows that a step is so stands in the DOT source.
    """
    style = {"svg.fonttype": "none", "svg.hashsalt": variant}
    with matplotlib.style.context(["default", style]):
        buffer = io.StringIO()
        draw(read_facts(variant), read_risks()).savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    return buffer.getvalue()


def draw(facts: Facts, risks: tuple[Risk, ...]) -> Figure:
    """Draw the flow of facts."""
    graph = data_flow(facts, risks)
    boxes = place(graph)
    bottom = boxes["choice"].y1 + GAP
    height = bottom + 0.5 + 0.27 * ((len(graph.risks) + 1) // 2) + 0.75
    figure = Figure(figsize=(WIDTH, height))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, WIDTH), ylim=(height, 0))
    axes.set_axis_off()
    _write(axes, MARGIN, 0.32, graph.title, 16, weight="bold")
    for number, words in enumerate(graph.subtitles):
        _write(axes, MARGIN, 0.58 + 0.2 * number, words, TEXT, color=MUTED)
    for edge in graph.edges:
        if edge.source != "split":
            _arrow(axes, route(edge, boxes, graph), edge)
    for node in graph.nodes:
        (_split if node.id == "split" else _step)(axes, node, boxes, graph)
    _legend(axes, graph, bottom)
    return figure


def _write(axes: Axes, x: float, y: float, words: str, size: float, **style: str) -> None:
    # A dollar sign would otherwise begin a formula.
    axes.text(x, y, words, size=size, **{"color": INK, "va": "center", **style}, parse_math=False)  # type: ignore[arg-type]


def _rectangle(axes: Axes, box: Bbox, surface: str, line: str) -> None:
    axes.add_patch(Rectangle((box.x0, box.y0), box.width, box.height, facecolor=surface, edgecolor=line, linewidth=0.9))


def _step(axes: Axes, node: Node, boxes: dict[str, Bbox], graph: Graph) -> None:
    box, (line, surface) = boxes[node.id], COLOURS[node.part]
    _rectangle(axes, box, surface, line)
    y = box.y0 + PAD + LINE / 2
    _write(axes, box.x0 + PAD, y, node.title, TITLE, weight="bold")
    _badges(axes, graph.risks_at(node.id), box.x1, y)
    _chain(axes, node, box, line)
    y += 1.2 * LINE + chain_height(node)
    for number, words in enumerate(wrapped(node)):
        _write(axes, box.x0 + PAD, y + LINE * number, words, TEXT)


def _chain(axes: Axes, node: Node, box: Bbox, line: str) -> None:
    """Draw the layers of a network, each as wide as its words ask."""
    if not node.blocks:
        return
    letters = [max(map(len, (block.title, *block.lines))) + 3 for block in node.blocks]
    room = box.width - 2 * PAD - 0.18 * (len(letters) - 1)
    left, top, height = box.x0 + PAD, box.y0 + PAD + LINE + 0.06, chain_height(node) - 0.12
    for number, (block, count) in enumerate(zip(node.blocks, letters, strict=True)):
        layer = Bbox.from_bounds(left, top, room * count / sum(letters), height)
        _rectangle(axes, layer, "white", line)
        for row, words in enumerate((block.title, *block.lines)):
            style = {"weight": "bold"} if row == 0 else {"color": MUTED}
            _write(axes, layer.x0 + layer.width / 2, top + 0.12 + 0.16 * row, words, SMALL, ha="center", **style)
        left = layer.x1 + 0.18
        if number + 1 < len(letters):
            _stroke(axes, [(layer.x1, top + height / 2), (left, top + height / 2)], "data")


def _split(axes: Axes, node: Node, boxes: dict[str, Bbox], graph: Graph) -> None:
    """Draw the rows of the file to scale, the boundaries of the parts, and where each goes on."""
    box, count = boxes["split"], graph.rows["test"].stop
    top, scale = box.y1 - 0.3, box.width / count
    _write(axes, box.x0, box.y0 + 0.1, f"{node.title}, to scale", TITLE, weight="bold")
    risks = graph.risks_at("split")
    _badges(axes, risks, box.x0 + 0.085 * len(f"{node.title}, to scale") + 0.1 + BADGE * len(risks), box.y0 + 0.1)
    for part in PARTS:
        rows, below, (strong, _) = graph.rows[part], boxes[f"rows_{part}"], COLOURS[part]
        strip = Bbox.from_bounds(box.x0 + rows.start * scale, top, len(rows) * scale, 0.3)
        corners = [(strip.x0, strip.y1), (strip.x1, strip.y1), (below.x1, below.y0), (below.x0, below.y0)]
        axes.add_patch(Polygon(corners, facecolor=strong, alpha=0.16, linewidth=0))
        _rectangle(axes, strip, strong, "white")
    bounds = [*(graph.rows[part].start for part in PARTS), count]
    for number, bound in enumerate(reversed(bounds)):  # the last three are close together: labels side by side
        x = box.x1 - 1.4 * number if number < 3 else box.x0
        side = "right" if number < 3 else "left"
        _write(axes, x, top - 0.2, f"{bound:,} ({100 * bound / count:.2f} %)", SMALL, ha=side)
        axes.plot(
            [x - 0.35 if number < 3 else x, box.x0 + bound * scale], [top - 0.11, top], color=MUTED, linewidth=0.7
        )


def _badges(axes: Axes, risks: Sequence[Risk], right: float, y: float) -> None:
    for index, risk in enumerate(reversed(risks)):
        _badge(axes, right - 0.03 - BADGE * (index + 0.5), y, str(risk.number), badge_style(risk))


def _badge(axes: Axes, x: float, y: float, number: str, style: str) -> None:
    surface, line, ink = BADGES[style]
    axes.plot([x], [y], "o", markersize=14, markerfacecolor=surface, markeredgecolor=line, markeredgewidth=1.1)
    _write(axes, x, y, number, 7, color=ink, weight="bold", ha="center")


def badge_style(risk: Risk) -> str:
    """Return how a risk is marked, in the words of the legend."""
    leakage, threat, perhaps_leakage, perhaps_threat, sound = BADGES
    if risk.status == "sound":
        return sound
    if risk.leakage == "none":
        return threat if risk.status == "occurs" else perhaps_threat
    return leakage if risk.status == "occurs" else perhaps_leakage


def _arrow(axes: Axes, corners: list[Point], edge: Edge) -> None:
    _stroke(axes, corners, edge.kind)
    (x, y), (end_x, end_y) = corners[0], corners[-1]
    if y == end_y:
        _write(axes, (x + end_x) / 2, y - 0.1, edge.label, SMALL, color=MUTED, ha="center")
    elif y < end_y:
        _write(axes, x + 0.08, (y + end_y) / 2, edge.label, SMALL, color=MUTED)
    else:  # on the left, away from the arrow that runs down beside it
        _write(axes, x - 0.08, (y + end_y) / 2, edge.label, SMALL, color=MUTED, ha="right")


def _stroke(axes: Axes, corners: list[Point], kind: EdgeKind) -> None:
    colour, line, width, _ = ARROWS[kind]
    for (x, y), (end_x, end_y) in list(pairwise(corners))[:-1]:
        axes.plot([x, end_x], [y, end_y], color=colour, linestyle=line, linewidth=width)
    head = FancyArrowPatch(
        corners[-2], corners[-1], arrowstyle="-|>", mutation_scale=9, shrinkA=0, shrinkB=0, color=colour,
        linestyle=line, linewidth=width,
    )  # fmt: skip
    axes.add_patch(head)


def _legend(axes: Axes, graph: Graph, top: float) -> None:
    """Draw the key to the badges and to the arrows."""
    axes.plot([MARGIN, WIDTH - MARGIN], [top, top], color="#d5dae0", linewidth=1)
    _write(axes, MARGIN, top + 0.25, "Risks, at the place where they occur", TITLE, weight="bold")
    half = (len(graph.risks) + 1) // 2
    for index, risk in enumerate(graph.risks):
        x, y = MARGIN + (WIDTH / 2 - MARGIN) * (index // half), top + 0.55 + 0.27 * (index % half)
        _badge(axes, x + 0.1, y, str(risk.number), badge_style(risk))
        _write(axes, x + 0.28, y, risk.title + ("" if risk.leakage == "none" else f" ({risk.leakage})"), TEXT)
    y = top + 0.6 + 0.27 * half
    for index, (kind, (*_, words)) in enumerate(ARROWS.items()):
        x = MARGIN + 3.05 * index
        _stroke(axes, [(x, y), (x + 0.4, y)], kind)
        _write(axes, x + 0.5, y, words, SMALL)
    x = MARGIN
    for style in BADGES:
        _badge(axes, x + 0.1, y + 0.28, "", style)
        _write(axes, x + 0.28, y + 0.28, style, SMALL)
        x += 0.5 + len(style) / 15


# ----------------------------------------------------------------------------------- where everything stands, in inches

Point = tuple[float, float]

WIDTH, MARGIN, LANE, GUTTER = 13.0, 0.4, 3.85, 0.325
HEAD, GAP, PAD, LINE, STRIP, BADGE = 1.0, 0.38, 0.12, 0.18, 0.8, 0.25
LETTERS_PER_INCH = 15.0  # of a step's text; the font's average letter is narrower


def place(graph: Graph) -> dict[str, Bbox]:
    """Return the box of every step, y growing downwards; heights follow from the text."""
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
        boxes[node.id] = Bbox.from_bounds(left, tops[row], _width(node), tops[row + rows] - GAP - tops[row])
    return boxes


def route(edge: Edge, boxes: dict[str, Bbox], graph: Graph) -> list[Point]:
    """Return the corners of an arrow: straight where the boxes face each other, else around the right of a lane."""
    source, target = boxes[edge.source], boxes[edge.target]
    left, right = max(source.x0, target.x0), min(source.x1, target.x1)
    if left >= right:  # side by side
        y = (max(source.y0, target.y0) + min(source.y1, target.y1)) / 2
        return [(source.x1, y), (target.x0, y)] if source.x0 < target.x0 else [(source.x0, y), (target.x1, y)]
    if graph.node(edge.source).at.column == graph.node(edge.target).at.column and target.y0 - source.y1 > GAP + 0.01:
        x, y, end = source.x1 + GUTTER / 2, source.y0 + source.height / 2, target.y0 + target.height / 2
        return [(source.x1, y), (x, y), (x, end), (target.x1, end)]
    x = (left + right) / 2
    if any((other.source, other.target) == (edge.target, edge.source) for other in graph.edges):
        x += 0.3 if source.y0 < target.y0 else -0.3
    return [(x, source.y1), (x, target.y0)] if source.y0 < target.y0 else [(x, source.y0), (x, target.y1)]


def wrapped(node: Node) -> list[str]:
    """Return what a step says, in lines that fit its box."""
    letters = int((_width(node) - 2 * PAD) * LETTERS_PER_INCH)
    return [line for text in node.lines for line in textwrap.wrap(text, letters)]


def _width(node: Node) -> float:
    return node.at.columns * LANE + (node.at.columns - 1) * GUTTER


def chain_height(node: Node) -> float:
    """Return the height of the layers inside a node; 0 where it has none."""
    return max((0.36 + 0.16 * len(block.lines) for block in node.blocks), default=0.0)
