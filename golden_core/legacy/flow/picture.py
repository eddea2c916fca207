"""The picture of a data flow as SVG: the same bytes for the same facts. Where things stand is layout.py's."""

from __future__ import annotations

from golden_core.legacy.flow import marks
from golden_core.legacy.flow.content import data_flow
from golden_core.legacy.flow.graph import Graph, Node
from golden_core.legacy.flow.layout import (
    BADGE,
    LABEL,
    LINE,
    MARGIN,
    PADDING,
    TEXT,
    TITLE,
    WIDTH,
    Box,
    Layout,
    lay_out,
)
from golden_core.legacy.flow.marks import MUTED, RULE, WHITE
from golden_core.legacy.flow.protocol import PARTS, Facts, read_facts
from golden_core.legacy.flow.typography import text_width
from golden_core.legacy.risks import Risk, read_risks

_LEGEND_LINE = 23.0
_LEGEND_HEAD = 64.0


def flow_svg(variant: str) -> str:
    """Return the data-flow diagram of a legacy variant.

    Rows and shares of the parts, what is fitted on which of them, the network, and a numbered badge for every risk at
    the step where it occurs. A box names its evidence when pointed at.

    Parameters
    ----------
    variant : str
        ``v01`` … ``v10``.

    Returns
    -------
    str
        A stand-alone SVG document.

    Raises
    ------
    ValueError
        If there is no such variant.
    """
    return draw(read_facts(variant), read_risks())


def draw(facts: Facts, risks: tuple[Risk, ...]) -> str:
    """Draw the flow of facts; equal facts and risks give equal bytes."""
    graph = data_flow(facts, risks)
    layout = lay_out(graph)
    height = layout.bottom + _legend_height(graph)
    body = [
        marks.text(MARGIN, 34, graph.title, 24, bold=True),
        *(marks.text(MARGIN, 58 + 20 * line, words, TEXT, fill=MUTED) for line, words in enumerate(graph.subtitles)),
        *_strip(graph, layout),
        *_arrows(layout),
        *(part for node in graph.nodes if node.id != "split" for part in _box(node, layout, graph)),
        *_labels(layout),
        *_legend(graph, layout.bottom),
    ]
    return marks.document(graph.title, " ".join(graph.subtitles), WIDTH, height, body)


def _box(node: Node, layout: Layout, graph: Graph) -> list[str]:
    box = layout.boxes[node.id]
    colour = marks.PARTS[node.part]
    base = box.y + PADDING + LINE - 4
    drawn = [
        marks.rectangle(box, fill=colour.pale, stroke=colour.strong, radius=5),
        marks.text(box.x + PADDING, base, node.title, TITLE, bold=True),
        *_layers(node, layout, colour.strong),
        *(marks.text(box.x + PADDING, base + line.below, line.text, TEXT) for line in layout.lines[node.id]),
    ]
    drawn += _badges(graph.risks_at(node.id), box.right - PADDING, box.y + PADDING + LINE / 2)
    return marks.group(f"evidence: {'; '.join(node.evidence)}", drawn)


def _layers(node: Node, layout: Layout, colour: str) -> list[str]:
    if not node.blocks:
        return []
    drawn = []
    for block, box in zip(node.blocks, layout.blocks, strict=True):
        middle = box.x + box.width / 2
        drawn.append(marks.rectangle(box, fill=WHITE, stroke=colour, radius=4))
        drawn.append(marks.text(middle, box.y + 19, block.title, LABEL, bold=True, anchor="middle"))
        drawn += [
            marks.text(middle, box.y + 19 + 16 * number, line, LABEL, anchor="middle", fill=MUTED)
            for number, line in enumerate(block.lines, 1)
        ]
    for left, right in zip(layout.blocks, layout.blocks[1:], strict=False):
        y = left.y + left.height / 2
        drawn.append(marks.arrow(((left.right + 2, y), (right.x - 2, y)), "data"))
    return drawn


def _badges(risks: tuple[Risk, ...], right: float, y: float) -> list[str]:
    """Return the badges of a box, from right to left."""
    return [
        badge
        for index, risk in enumerate(reversed(risks))
        for badge in marks.badge(risk, right - BADGE * (index + 0.5), y)
    ]


def _strip(graph: Graph, layout: Layout) -> list[str]:
    """Return the rows of the file to scale, their boundaries, and where each part goes on."""
    box, node = layout.boxes["split"], graph.node("split")
    count = graph.extents["test"].rows.stop
    scale = box.width / count
    top, bottom = box.bottom - 26, box.bottom
    heading, risks = f"{node.title}, to scale", graph.risks_at("split")
    right = box.x + text_width(heading, TITLE, bold=True) + 8 + BADGE * len(risks)
    drawn = [marks.text(box.x, box.y + 16, heading, TITLE, bold=True), *_badges(risks, right, box.y + 11)]
    for part in PARTS:
        rows, below, colour = graph.extents[part].rows, layout.boxes[f"rows_{part}"], marks.PARTS[part]
        left, right = box.x + rows.start * scale, box.x + rows.stop * scale
        corners = ((left, bottom), (right, bottom), (below.right, below.y), (below.x, below.y))
        drawn.append(marks.polygon(corners, fill=colour.strong))
        drawn.append(marks.rectangle(Box(left, top, right - left, bottom - top), fill=colour.strong, stroke=WHITE))
    bounds = [graph.extents[part].rows.start for part in PARTS] + [count]
    return marks.group(f"evidence: {'; '.join(node.evidence)}", drawn + _boundaries(box, bounds, scale, top))


def _boundaries(box: Box, bounds: list[int], scale: float, top: float) -> list[str]:
    """Return the labels of the boundaries, moved apart to the left where they would touch."""
    labels = [f"{bound:,} ({100 * bound / bounds[-1]:.2f} %)" for bound in bounds]
    drawn: list[str] = []
    limit = box.right
    for bound, label in reversed(list(zip(bounds, labels, strict=True))):
        x, width = box.x + bound * scale, text_width(label, LABEL)
        right = min(limit, max(x + width / 2, box.x + width))
        limit = right - width - 14
        middle = right - width / 2
        drawn.append(marks.text(middle, top - 13, label, LABEL, anchor="middle"))
        start = min(max(x, middle - width / 2 + 4), middle + width / 2 - 4)
        drawn.append(marks.line(((start, top - 9), (x, top)), stroke=MUTED))
    return drawn


def _arrows(layout: Layout) -> list[str]:
    return [marks.arrow(path, edge.kind) for edge, path in layout.paths.items()]


def _labels(layout: Layout) -> list[str]:
    drawn = []
    for edge, path in layout.paths.items():
        if edge.label:
            (x, y), (end_x, end_y) = path[0], path[-1]
            middle = (x + end_x) / 2, (y + end_y) / 2
            if y == end_y:
                drawn.append(marks.text(middle[0], y - 6, edge.label, LABEL, fill=MUTED, anchor="middle"))
            elif y < end_y:
                drawn.append(marks.text(x + 8, middle[1] + 4, edge.label, LABEL, fill=MUTED))
            else:  # to the left, so as not to meet the label of the arrow that runs down beside it
                drawn.append(marks.text(x - 8, middle[1] + 4, edge.label, LABEL, fill=MUTED, anchor="end"))
    return drawn


def _legend_height(graph: Graph) -> float:
    return _LEGEND_HEAD + _LEGEND_LINE * ((len(graph.risks) + 1) // 2) + 62


def _legend(graph: Graph, top: float) -> list[str]:
    """Return the key to the badges and to the arrows."""
    half, lines = WIDTH / 2, (len(graph.risks) + 1) // 2
    drawn = [
        marks.line(((MARGIN, top), (WIDTH - MARGIN, top)), stroke=RULE),
        marks.text(MARGIN, top + 30, "Risks, at the place where they occur", TITLE + 2, bold=True),
    ]
    for index, risk in enumerate(graph.risks):
        x, y = (MARGIN, half)[index // lines], top + _LEGEND_HEAD + _LEGEND_LINE * (index % lines)
        drawn += marks.badge(risk, x + 10, y - 5)
        kind = "" if risk.leakage == "none" else f" ({risk.leakage})"
        drawn.append(marks.text(x + 28, y, risk.title + kind, TEXT))
    return drawn + _key(top + _LEGEND_HEAD + _LEGEND_LINE * lines + 16)


def _key(y: float) -> list[str]:
    drawn: list[str] = []
    x = MARGIN
    for kind, words in marks.ARROW_WORDS.items():
        drawn += [marks.arrow(((x, y - 4), (x + 34, y - 4)), kind), marks.text(x + 42, y, words, LABEL)]
        x += 42 + text_width(words, LABEL) + 20
    x, y = MARGIN, y + 26
    for style, words in marks.BADGE_WORDS.items():
        drawn += [*marks.disc(x + 8, y - 4, style), marks.text(x + 24, y, words, LABEL)]
        x += 24 + text_width(words, LABEL) + 24
    return drawn
