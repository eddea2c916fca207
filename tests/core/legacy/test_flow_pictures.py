"""Pictures of the data flow: equal if and only if the facts are, everything in its place, nothing on top of another."""

import functools
import itertools
import json
import re
import subprocess
import sys
from xml.etree import ElementTree

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from golden_core.legacy import risks as register
from golden_core.legacy.flow import graph as graphs
from golden_core.legacy.flow import picture as pictures
from golden_core.legacy.flow import protocol
from golden_core.legacy.flow.graph import data_flow, written
from golden_core.legacy.flow.picture import WIDTH, badge_style, draw, place, route
from golden_core.legacy.flow.protocol import Facts
from golden_core.models.architecture import VARIANTS

SVG = "{http://www.w3.org/2000/svg}"

# What a fact becomes that may only have certain values.
_OTHER = {
    "mixed_float16_on_gpu": "float32", "float32": "mixed_float16", "mixed_float16": "float32",
    "absolute": "relative", "linear": "softmax", "dot": "additive", "train": "validation",
}  # fmt: skip


read_facts, read_risks = functools.cache(protocol.read_facts), functools.cache(register.read_risks)
flow_source, flow_svg = functools.cache(graphs.flow_source), functools.cache(pictures.flow_svg)


@functools.cache
def nameless(variant):
    return read_facts(variant).model_copy(update={"variant": "v00"})


def leaves(value, path=()):
    """Yield the path of every fact in a tree of facts."""
    if isinstance(value, dict):
        for name, below in value.items():
            yield from leaves(below, (*path, name))
    elif isinstance(value, list):
        for index, below in enumerate(value):
            yield from leaves(below, (*path, index))
    elif value is not None:
        yield path


def changed(facts, path):
    """Return the facts with one of them changed a little."""
    document = json.loads(facts.model_dump_json())
    at = document
    for name in path[:-1]:
        at = at[name]
    value = at[path[-1]]
    if isinstance(value, bool):
        at[path[-1]] = not value
    elif isinstance(value, int):
        at[path[-1]] = value + 2  # a kernel stays odd
    elif isinstance(value, float):
        at[path[-1]] = value * 0.99 if value else 0.01
    else:
        at[path[-1]] = _OTHER.get(value, value + "x")
    return Facts.model_validate_json(json.dumps(document))


@functools.cache
def flow(variant):
    return data_flow(read_facts(variant), read_risks())


@functools.cache
def picture(variant):
    return draw(read_facts(variant), read_risks())


def words(facts, risks=()):
    """Return every text of a picture."""
    return [text.get_text() for text in draw(facts, risks).axes[0].texts]


def test_no_two_variants_share_a_picture_unless_they_are_equal():
    pictures = {variant: (words(nameless(variant)), written(data_flow(nameless(variant), ()))) for variant in VARIANTS}
    for one, other in itertools.combinations(VARIANTS, 2):
        equal = nameless(one) == nameless(other)
        assert all((a == b) == equal for a, b in zip(pictures[one], pictures[other], strict=True))


@pytest.mark.parametrize("variant", ["v01", "v06", "v08"])
def test_every_single_fact_changes_the_source_and_the_graph_that_is_drawn(variant):
    facts = read_facts(variant)
    graph = data_flow(facts, ())
    paths = [
        path
        for path in leaves(json.loads(facts.model_dump_json()))
        if path[-1] != "kind" or path[0] == "gate"  # another kind of layer is another set of facts, as between variants
    ]
    assert len(paths) > 80
    others = {path: data_flow(changed(facts, path), ()) for path in paths}
    assert [path for path, other in others.items() if other == graph] == []
    assert [path for path, other in others.items() if written(other) == written(graph)] == []


@pytest.mark.parametrize("variant", VARIANTS)
def test_all_words_of_the_graph_are_drawn(variant):
    graph = flow(variant)
    drawn = " ".join(text.get_text() for text in picture(variant).axes[0].texts)
    told = [text for node in graph.nodes for text in (node.title, *node.lines)]
    told += [text for node in graph.nodes for block in node.blocks for text in (block.title, *block.lines)]
    told += [graph.title, *graph.subtitles, *(edge.label for edge in graph.edges)]
    assert [text for text in told if text not in drawn] == []


def test_the_bytes_do_not_depend_on_the_process():
    code = "import sys; from golden_core.legacy.flow import graph as g, picture as p; "
    code += "sys.stdout.write(p.flow_svg('v08') + g.flow_source('v08'))"
    environment = {"PYTHONHASHSEED": "7", "PYTHONIOENCODING": "utf-8"}
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, env=environment, check=True)
    assert found.stdout.decode() == flow_svg("v08") + flow_source("v08")


def test_the_picture_is_svg_with_its_words_as_text():
    root = ElementTree.fromstring(flow_svg("v08"))
    texts = {"".join(text.itertext()) for text in root.iter(f"{SVG}text")}
    assert {"Training rows", "Validation rows", "Test rows", "90,614 (96.00 %)", "R² of price levels is near 1"} <= {
        *texts,
        *(text[:28] for text in texts),
    }


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_risk_has_its_badge_at_its_place_and_in_the_legend(variant):
    risks = [risk for risk in read_risks() if variant in risk.variants]
    boxes = place(flow(variant))
    texts = picture(variant).axes[0].texts
    bottom = max(box.y1 for box in boxes.values())
    for risk in risks:
        box, at = boxes[risk.place], [t.get_position() for t in texts if t.get_text() == str(risk.number)]
        inside = [box.x0 <= x <= box.x1 and box.y0 <= y <= box.y1 for x, y in at]
        assert (len(at), sum(inside), sum(y > bottom for _, y in at)) == (2, 1, 1)
    legend = [t.get_text() for t in texts if t.get_position()[1] > bottom]
    assert all(any(text.startswith(risk.title) for text in legend) for risk in risks)
    others = [risk.title for risk in read_risks() if variant not in risk.variants]
    assert not any(text.startswith(title) for text in legend for title in others)


def test_marks_of_risks():
    risk = next(risk for risk in read_risks() if (risk.status, risk.leakage) == ("occurs", "L3.3"))
    found = {
        badge_style(risk.model_copy(update={"status": status, "leakage": leakage})).split()[0]
        for status, leakage in itertools.product(("occurs", "possible", "sound"), ("none", "L2"))
    }
    assert found == {"leakage", "another", "possible", "looked"}


@pytest.mark.parametrize(
    ("variant", "labels"),
    [
        ("v01", ["88,726 (94.00 %)", "91,558 (97.00 %)", "94,390 (100.00 %)", "Rows 91,558 … 94,389"]),
        ("v08", ["90,614 (96.00 %)", "92,502 (98.00 %)", "94,390 (100.00 %)", "Rows 92,502 … 94,389"]),
    ],
)
def test_boundaries_are_named_and_to_scale(variant, labels):
    axes = picture(variant).axes[0]
    assert set(labels) <= {text.get_text() for text in axes.texts}
    patches = axes.patches
    strip = [patch.get_width() for patch in patches if patch.get_edgecolor() == (1, 1, 1, 1)]
    ratios = read_facts(variant).ratios
    shares = [width / sum(strip) for width in strip]
    assert shares == pytest.approx([ratios.train, ratios.validation, ratios.test], abs=1e-4)


@pytest.mark.parametrize("variant", VARIANTS)
def test_boxes_do_not_overlap_and_text_stays_inside(variant):
    """Widths are those of matplotlib's own font."""
    graph = flow(variant)
    boxes = place(graph)
    for (one, a), (other, b) in itertools.combinations(boxes.items(), 2):
        apart = a.x1 <= b.x0 or b.x1 <= a.x0 or a.y1 <= b.y0 or b.y1 <= a.y0
        assert apart, f"{one} and {other} overlap"
    figure = picture(variant)
    renderer = FigureCanvasAgg(figure).get_renderer()
    to_inches = figure.axes[0].transData.inverted()
    extents = [
        text.get_window_extent(renderer).transformed(to_inches) for text in figure.axes[0].texts if text.get_text()
    ]
    for extent in extents:
        assert 0 < extent.x0 < extent.x1 < WIDTH
        x, y = (extent.x0 + extent.x1) / 2, (extent.y0 + extent.y1) / 2
        for box in boxes.values():
            if box.x0 < x < box.x1 and box.y0 < y < box.y1:
                assert box.x0 - 1e-6 <= extent.x0 < extent.x1 < box.x1 + 1e-6
                assert box.y0 < min(extent.y0, extent.y1) < max(extent.y0, extent.y1) < box.y1
    for one, other in itertools.combinations(extents, 2):
        assert not one.overlaps(other), (one, other)


@pytest.mark.parametrize("variant", VARIANTS)
def test_arrows_cross_no_foreign_box_and_stay_on_the_page(variant):
    graph = flow(variant)
    boxes = place(graph)
    for edge in graph.edges:
        for (x, y), (end_x, end_y) in itertools.pairwise(route(edge, boxes, graph)):
            assert x == pytest.approx(end_x) or y == pytest.approx(end_y) or edge.source == "split"
            low, high, top, bottom = min(x, end_x), max(x, end_x), min(y, end_y), max(y, end_y)
            assert 0 < low <= high < WIDTH
            for name, box in boxes.items():
                inside = low < box.x1 and high > box.x0 and top < box.y1 - 1e-9 and bottom > box.y0 + 1e-9
                assert not inside, f"{edge.source} → {edge.target} crosses {name}"


def test_signs_of_markup_in_a_fact_are_only_text():
    facts = read_facts("v08")
    hostile = '</text><script>"&\\ $x$'
    facts = facts.model_copy(update={"candles": facts.candles.model_copy(update={"what": hostile})})
    assert any(hostile in text for text in words(facts))
    assert '<script>\\"&\\\\ $x$, 2010' in written(data_flow(facts, ()))


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_source_declares_what_it_joins_and_says_what_the_picture_says(variant):
    source = flow_source(variant)
    graph = flow(variant)
    assert source.startswith(f"digraph {variant} {{\n")
    assert source.count("{") == source.count("}") == 4
    unquoted = re.sub(r'"(?:[^"\\]|\\.)*"', '""', source)
    assert '"' not in unquoted.replace('""', "")
    declared = set(re.findall(r"^ +(\w+) \[label=", unquoted, re.MULTILINE))
    joined = set(itertools.chain(*re.findall(r"^ +(\w+) -> (\w+) ", unquoted, re.MULTILINE)))
    assert declared == joined == {node.id for node in graph.nodes}
    for part in ("train", "validation", "test"):
        cluster = source.split(f"subgraph cluster_{part} {{")[1].split("  }\n")[0]
        assert all((f"    {node.id} [" in cluster) == (node.part == part) for node in graph.nodes)
    for block in graph.node("network").blocks:
        assert block.title in source
    for risk in graph.risks:
        assert f"// {risk.id} {risk.title} (at {risk.place};" in source
